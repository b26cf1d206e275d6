//! The four forms in which a search can be sent, read into options and queries.

use std::fmt;
use std::io::Read;

use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

use super::body::{Arrival, BodyError, Trouble};
use super::kind::Kind;
use super::options::{DryRun, Options};
use super::problem::Problem;
use super::queries::{QUERY, Queries, Spool};
use super::services::App;
use super::urlencoded::{Decoder, Item, LongName};
use crate::jobs::{self, Label, Placement};
use crate::sequence::input::Input;

/// A search as sent.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) asked: Asked,
    pub(super) queries: Queries,
    /// What to add to an error about the queries.
    pub(super) hint: Option<&'static str>,
}

/// What the options of a search ask for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: jobs::Request,
    /// What it is to be called.
    pub(super) label: Option<Label>,
    /// Where it is to be compared.
    pub(super) placement: Option<Placement>,
    /// That it is only to be said what it will take.
    pub(super) dry_run: Option<DryRun>,
}

/// What curl sends unless it is told otherwise.
const URL_ENCODED: &str = "application/x-www-form-urlencoded";
const HINT_FOR_RESIDUES: &str = "residues without a '>' line need Content-Type: text/plain";
const HINT_FOR_CURL: &str = "with curl use --data-binary or -F: -d removes the line ends";
/// Longest JSON, in bytes: it is read whole. FASTA as it is has no such limit.
const LONGEST_JSON: u64 = 16 << 20;
/// Longest option in a form, in bytes.
const LONGEST_OPTION: usize = 64 << 10;

impl Form {
    /// Reads options and queries, which will be `owner`'s.
    pub(super) async fn read(app: &App, owner: Option<&str>, request: Request) -> Result<Self, Problem> {
        let limit = app.limits.body_bytes;
        refuse_announced_length(request.headers(), limit)?;
        let options = Options::of(request.uri())?;
        let media_type = media_type(request.headers());
        let spool = Spool::new(app, owner)?;
        match media_type.as_str() {
            "application/json" => Self::json(app, options, request, spool).await,
            "multipart/form-data" => Self::multipart(app, options, request, spool).await,
            URL_ENCODED => Self::url_encoded(app, options, request.into_body(), spool).await,
            _ => {
                let asked = asked(options)?;
                let arrival = app.arrivals.begin(request.into_body(), limit)?;
                Self::fasta(asked, Bytes::new(), arrival, spool).await
            }
        }
    }

    /// The queries as they are, of which `first` has been read.
    async fn fasta(
        asked: Asked,
        first: Bytes,
        mut arrival: Arrival,
        mut spool: Spool,
    ) -> Result<Self, Problem> {
        let filled = async {
            spool.push(&first).await?;
            while let Some(piece) = arrival.next().await? {
                spool.push(&piece).await?;
            }
            Ok(())
        };
        let filled = filled.await;
        Ok(Self { asked, queries: spool.finish(filled).await?, hint: None })
    }

    /// A form as browsers encode it; or the queries as they are, which curl sends under the same name.
    async fn url_encoded(app: &App, options: Options, body: Body, mut spool: Spool) -> Result<Self, Problem> {
        let mut arrival = app.arrivals.begin(body, app.limits.body_bytes)?;
        let first = loop {
            match arrival.next().await? {
                Some(piece) if piece.is_empty() => {}
                other => break other.unwrap_or_default(),
            }
        };
        if first.first().is_none_or(|first| is_no_name(*first)) {
            let form = Self::fasta(asked(options)?, first, arrival, spool).await?;
            return Ok(Self { hint: Some(HINT_FOR_CURL), ..form });
        }
        let (asked, filled) = match encoded_fields(first, arrival, options, &mut spool).await {
            Ok(asked) => (Some(asked), Ok(())),
            Err(problem) => (None, Err(problem)),
        };
        let queries = spool.finish(filled).await?;
        let asked = asked.ok_or_else(|| Problem::internal("a form without a request"))?;
        Ok(Self { asked, queries, hint: None })
    }

    async fn json(
        app: &App,
        mut options: Options,
        request: Request,
        mut spool: Spool,
    ) -> Result<Self, Problem> {
        let limit = app.limits.body_bytes.min(LONGEST_JSON);
        refuse_announced_length(request.headers(), limit)?;
        let mut sent = app.arrivals.whole(request.into_body(), limit).await?;
        let bytes = sent.take();
        let members = tokio::task::spawn_blocking(move || members(bytes, limit))
            .await
            .map_err(|e| Problem::internal(e.to_string()))??;
        let mut query = None;
        for (name, value) in members {
            match (name.as_str(), value) {
                (QUERY, Value::String(text)) => {
                    if query.replace(text).is_some() {
                        return Err(given_twice());
                    }
                }
                (QUERY, _) => {
                    let detail = "the member \"query\" must be a string that holds FASTA";
                    return Err(Problem::bad_request(Kind::InvalidJson, detail));
                }
                (_, Value::String(text)) => options.add(&name, text)?,
                (_, Value::Number(number)) => options.add(&name, number.to_string())?,
                (_, Value::Bool(on)) => options.add(&name, on.to_string())?,
                ("taxids" | "negative_taxids", Value::Array(taxa)) => options.add(&name, listed(&taxa))?,
                (_, other) => {
                    let detail = format!(
                        "the option {name:?} must be a string or a number or true or false, not {other}"
                    );
                    return Err(Problem::bad_request(Kind::InvalidOption, detail)
                        .with("option", json!({ "name": name, "value": other })));
                }
            }
        }
        let query = query.ok_or_else(no_query)?;
        let asked = asked(options)?;
        let filled = spool.push(query.as_bytes()).await;
        Ok(Self { asked, queries: spool.finish(filled).await?, hint: None })
    }

    async fn multipart(
        app: &App,
        options: Options,
        request: Request,
        mut spool: Spool,
    ) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let (body, trouble) = app.arrivals.begin(body, app.limits.body_bytes)?.into_body();
        let form =
            Multipart::from_request(Request::from_parts(parts, body), &()).await.map_err(|rejection| {
                Problem::new(rejection.status(), Kind::InvalidForm, rejection.body_text())
            })?;
        let (asked, filled) = match fields(form, &trouble, options, &mut spool).await {
            Ok(asked) => (Some(asked), Ok(())),
            Err(problem) => (None, Err(problem)),
        };
        let queries = spool.finish(filled).await?;
        let asked = asked.ok_or_else(|| Problem::internal("a form without a request"))?;
        Ok(Self { asked, queries, hint: None })
    }
}

/// What options ask for.
fn asked(mut options: Options) -> Result<Asked, Problem> {
    let (label, dry_run) = (options.take_label()?, options.take_dry_run()?);
    let placement = options.take_placement()?;
    Ok(Asked { request: options.into_request()?, label, placement, dry_run })
}

/// Takes in the fields of a form, in whatever order they come.
async fn fields(
    mut form: Multipart,
    trouble: &Trouble,
    mut options: Options,
    spool: &mut Spool,
) -> Result<Asked, Problem> {
    // A body that broke off looks like a bad form, but whoever read it knows better.
    let refuse = |error: MultipartError| match trouble.get() {
        Some(trouble) => trouble.into(),
        None => Problem::new(error.status(), Kind::InvalidForm, error.body_text()),
    };
    let mut has_query = false;
    while let Some(mut field) = form.next_field().await.map_err(refuse)? {
        match field.name().map(str::to_owned) {
            Some(name) if name == QUERY => {
                if std::mem::replace(&mut has_query, true) {
                    return Err(given_twice());
                }
                while let Some(piece) = field.chunk().await.map_err(refuse)? {
                    spool.push(&piece).await?;
                }
            }
            Some(name) => {
                let text = option(&name, &mut field, refuse).await?;
                options.add(&name, text.trim().to_owned())?;
            }
            None => return Err(Problem::bad_request(Kind::InvalidForm, "a field of the form has no name")),
        }
    }
    if !has_query {
        return Err(no_query());
    }
    asked(options)
}

/// The text of a field that is an option.
async fn option(
    name: &str,
    field: &mut Field<'_>,
    refuse: impl Fn(MultipartError) -> Problem,
) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(&refuse)? {
        text.extend_from_slice(&piece);
        refuse_long_option(name, text.len())?;
    }
    String::from_utf8(text)
        .map_err(|_| Problem::bad_request(Kind::InvalidForm, format!("the field {name:?} is not UTF-8")))
}

/// Takes in the fields of an encoded form, in whatever order they come; `first` has been read.
async fn encoded_fields(
    first: Bytes,
    mut arrival: Arrival,
    mut options: Options,
    spool: &mut Spool,
) -> Result<Asked, Problem> {
    let mut decoder = Decoder::default();
    let (mut field, mut has_query) = (None::<(String, Vec<u8>)>, false);
    let mut next = Some(first);
    loop {
        let has_ended = next.is_none();
        let items = match next {
            Some(piece) => decoder.feed(&piece),
            None => std::mem::take(&mut decoder).finish(),
        };
        let long = |error: LongName| {
            Problem::bad_request(Kind::InvalidForm, error.to_string()).hint(HINT_FOR_RESIDUES)
        };
        for item in items.map_err(long)? {
            match (item, &mut field) {
                (Item::Field(name), _) => {
                    add_encoded(&mut options, field.take())?;
                    if name != QUERY {
                        field = Some((name, Vec::new()));
                    } else if std::mem::replace(&mut has_query, true) {
                        return Err(given_twice());
                    }
                }
                (Item::Value(value), None) => spool.push(&value).await?,
                (Item::Value(value), Some((name, text))) => {
                    text.extend(value);
                    refuse_long_option(name, text.len())?;
                }
            }
        }
        if has_ended {
            break;
        }
        next = arrival.next().await?;
    }
    add_encoded(&mut options, field)?;
    if !has_query {
        return Err(no_query().hint(HINT_FOR_RESIDUES));
    }
    asked(options)
}

fn add_encoded(options: &mut Options, field: Option<(String, Vec<u8>)>) -> Result<(), Problem> {
    let Some((name, text)) = field else { return Ok(()) };
    let text = String::from_utf8(text)
        .map_err(|_| Problem::bad_request(Kind::InvalidForm, format!("the field {name:?} is not UTF-8")))?;
    options.add(&name, text.trim().to_owned()).map_err(|problem| match text.as_str() {
        // A field without a value may be no field.
        "" => problem.hint(HINT_FOR_RESIDUES),
        _ => problem,
    })
}

/// Refuses the value of an option that is longer than any.
pub(super) fn refuse_long_option(name: &str, length: usize) -> Result<(), Problem> {
    if length <= LONGEST_OPTION {
        return Ok(());
    }
    let detail = format!("the field {name:?} is longer than {LONGEST_OPTION} bytes");
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Kind::BodyTooLarge, detail)
        .with("limit_bytes", LONGEST_OPTION))
}

/// Whether a body that begins so is no form: with a definition line, a comment, a line end, gzip or zstd.
fn is_no_name(first: u8) -> bool {
    matches!(first, b'>' | b';' | b'#' | b'!' | b'\n' | b'\r' | b' ' | 0x1F | 0x28 | 0xEF)
}

fn no_query() -> Problem {
    let detail = "the field \"query\" is missing; it holds the FASTA to search with";
    Problem::bad_request(Kind::NoQueries, detail)
}

fn given_twice() -> Problem {
    let detail = "\"query\" is given twice; one FASTA may hold any number of records";
    Problem::bad_request(Kind::InvalidForm, detail)
}

/// Saves a client that says how much it will send from sending it.
pub(super) fn refuse_announced_length(headers: &HeaderMap, limit: u64) -> Result<(), BodyError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > limit => Err(BodyError::TooLarge { limit }),
        _ => Ok(()),
    }
}

/// The media type without parameters, in lower case; empty if there is none.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A list of taxa as the text of an option. What is neither a number nor a name is left as it is: it means none.
fn listed(taxa: &[Value]) -> String {
    let text = |taxon: &Value| taxon.as_str().map_or_else(|| taxon.to_string(), str::to_owned);
    taxa.iter().map(text).collect::<Vec<_>>().join(",")
}

/// The members of a JSON object. It may be sent compressed; what comes out is held to the same limit.
fn members(sent: Vec<u8>, limit: u64) -> Result<Vec<(String, Value)>, Problem> {
    let refuse = |reason: String| Problem::bad_request(Kind::InvalidJson, reason);
    let mut text = Vec::new();
    Input::from_sender("the body", std::io::Cursor::new(sent))
        .map_err(|e| refuse(e.to_string()))?
        .take(limit + 1)
        .read_to_end(&mut text)
        .map_err(|e| refuse(e.to_string()))?;
    if text.len() as u64 > limit {
        return Err(BodyError::TooLarge { limit }.into());
    }
    let Members(members) = serde_json::from_slice(&text)
        .map_err(|e| refuse(format!("the body is not JSON as expected: {e}")))?;
    Ok(members)
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
