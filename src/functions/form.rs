//! The three forms in which a search can be sent, read into options and queries.

use std::fmt;
use std::io::Read;

use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

use super::body::{BodyError, BodyReader, Trouble};
use super::options::Options;
use super::problem::Problem;
use crate::sequence::input::{Input, InputError};

/// Name of the queries in errors.
pub(super) const QUERY: &str = "query";

/// A search as sent.
pub(super) struct Form {
    pub(super) options: Options,
    /// Opens the queries, on a thread that may block.
    pub(super) open: Box<dyn FnOnce() -> Result<Input, InputError> + Send>,
    /// What stopped the body, if it was still being read.
    pub(super) trouble: Trouble,
    /// What to add to an error about the queries.
    pub(super) hint: Option<&'static str>,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What curl sends unless it is told otherwise.
const URL_ENCODED: &str = "application/x-www-form-urlencoded";
const HINT_FOR_CURL: &str = "with curl use --data-binary or -F: -d removes the line ends";

impl Form {
    /// Reads options and as much of the body as the form needs: FASTA is left to be streamed,
    /// JSON and multipart forms are read whole.
    pub(super) async fn read(request: Request, limit: u64) -> Result<Self, Problem> {
        refuse_announced_length(request.headers(), limit)?;
        let options = Options::of(request.uri())?;
        let media_type = media_type(request.headers());
        match media_type.as_str() {
            "application/json" => Self::json(options, request.into_body(), limit).await,
            "multipart/form-data" => Self::multipart(options, request, limit).await,
            media_type => Self::fasta(options, media_type, request.into_body(), limit).await,
        }
    }

    async fn fasta(options: Options, media_type: &str, body: Body, limit: u64) -> Result<Self, Problem> {
        let reader = BodyReader::open(body, limit).await?;
        let url_encoded = media_type == URL_ENCODED;
        // A definition line, a comment, a line end, gzip or zstd; a form starts with a name.
        let is_fasta =
            |byte: u8| matches!(byte, b'>' | b';' | b'#' | b'!' | b'\n' | b'\r' | b' ' | 0x1F | 0x28 | 0xEF);
        if url_encoded && reader.first_byte().is_some_and(|byte| !is_fasta(byte)) {
            let detail = "send the FASTA itself, application/json or multipart/form-data";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-form", detail)
                .hint("residues without a '>' line need Content-Type: text/plain"));
        }
        Ok(Self {
            options,
            trouble: reader.trouble(),
            open: Box::new(|| Input::from_reader(QUERY, reader)),
            hint: url_encoded.then_some(HINT_FOR_CURL),
        })
    }

    async fn json(mut options: Options, body: Body, limit: u64) -> Result<Self, Problem> {
        let sent = BodyReader::open(body, limit).await?.into_bytes().await?;
        let text = tokio::task::spawn_blocking(move || decompress(sent, limit))
            .await
            .map_err(|e| Problem::internal(e.to_string()))??;
        let Members(members) = serde_json::from_slice(&text).map_err(|e| {
            Problem::bad_request("invalid-json", format!("the body is not JSON as expected: {e}"))
        })?;
        let mut query = None;
        for (name, value) in members {
            match (name.as_str(), value) {
                (QUERY, Value::String(text)) => set_once(&mut query, Bytes::from(text))?,
                (QUERY, _) => {
                    let detail = "the member \"query\" must be a string that holds FASTA";
                    return Err(Problem::bad_request("invalid-json", detail));
                }
                (_, Value::String(text)) => options.add(&name, text)?,
                (_, Value::Number(number)) => options.add(&name, number.to_string())?,
                (_, Value::Bool(on)) => options.add(&name, on.to_string())?,
                (_, other) => {
                    let detail = format!(
                        "the option {name:?} must be a string or a number or true or false, not {other}"
                    );
                    return Err(Problem::bad_request("invalid-option", detail)
                        .with("option", json!({ "name": name, "value": other })));
                }
            }
        }
        Self::in_memory(options, query)
    }

    async fn multipart(mut options: Options, request: Request, limit: u64) -> Result<Self, Problem> {
        let mut form = Multipart::from_request(request, &())
            .await
            .map_err(|rejection| Problem::new(rejection.status(), "invalid-form", rejection.body_text()))?;
        let refuse = |error: MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => BodyError::TooLarge { limit }.into(),
            status => Problem::new(status, "invalid-form", error.body_text()),
        };
        let mut query = None;
        while let Some(field) = form.next_field().await.map_err(refuse)? {
            match field.name().map(str::to_owned) {
                Some(name) if name == QUERY => {
                    set_once(&mut query, field.bytes().await.map_err(refuse)?)?;
                }
                Some(name) => options.add(&name, field.text().await.map_err(refuse)?.trim().to_owned())?,
                None => return Err(Problem::bad_request("invalid-form", "a field of the form has no name")),
            }
        }
        Self::in_memory(options, query)
    }

    fn in_memory(options: Options, query: Option<Bytes>) -> Result<Self, Problem> {
        let query = query.ok_or_else(|| {
            let detail = "the field \"query\" is missing; it holds the FASTA to search with";
            Problem::bad_request("no-queries", detail)
        })?;
        let open = Box::new(|| Input::from_bytes(QUERY, query));
        Ok(Self { options, open, trouble: Trouble::default(), hint: None })
    }
}

/// Saves a client that says how much it will send from sending it.
fn refuse_announced_length(headers: &HeaderMap, limit: u64) -> Result<(), BodyError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > limit => Err(BodyError::TooLarge { limit }),
        _ => Ok(()),
    }
}

/// The media type without parameters, in lower case; empty if there is none.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn set_once(query: &mut Option<Bytes>, content: Bytes) -> Result<(), Problem> {
    match query.replace(content) {
        None => Ok(()),
        Some(_) => {
            let detail = "\"query\" is given twice; one FASTA may hold any number of records";
            Err(Problem::bad_request("invalid-form", detail))
        }
    }
}

/// JSON may be sent compressed; what comes out is held to the same limit.
fn decompress(sent: Vec<u8>, limit: u64) -> Result<Vec<u8>, Problem> {
    let refuse = |reason: String| Problem::bad_request("invalid-json", reason);
    let mut text = Vec::new();
    Input::from_bytes("the body", sent)
        .map_err(|e| refuse(e.to_string()))?
        .take(limit + 1)
        .read_to_end(&mut text)
        .map_err(|e| refuse(e.to_string()))?;
    if text.len() as u64 > limit { Err(BodyError::TooLarge { limit }.into()) } else { Ok(text) }
}

/// The members of a JSON object as they come, repeated ones included.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with \"query\" and options")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
