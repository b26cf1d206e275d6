//! How the Functions host wraps a message, and what it makes of an answer.
//!
//! ```json
//! {"Data": {"message": "\"{\\\"job\\\":\\\"…\\\"}\""}, "Metadata": {"DequeueCount": "1", "Id": "\"…\""}}
//! ```
//!
//! The message is a JSON string inside a JSON string; by other routes it may be wrapped less. An
//! answer must be a JSON object: with an empty body the host waits until the function times out.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::store::sent_text;

/// Name of the trigger's binding in every `function.json`.
const BINDING: &str = "message";

/// A delivery of a queue message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    /// The text that was sent to the queue.
    pub(super) message: String,
    /// How often it has been delivered; empty if the host does not say.
    pub(super) attempt: String,
    /// The message's id, for logs. A message with a member `id` would replace it.
    pub(super) id: String,
}

/// A payload that the host does not send.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnvelopeError {
    #[error("the payload is not the host's: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the payload has no Data.{BINDING}")]
    NoMessage,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Payload {
    data: Map<String, Value>,
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl Invocation {
    /// Reads the payload of a queue function.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, EnvelopeError> {
        let Payload { mut data, mut metadata } = serde_json::from_slice(payload)?;
        let message = data.remove(BINDING).ok_or(EnvelopeError::NoMessage)?;
        let mut logged = |key| metadata.remove(key).map(unwrap).unwrap_or_default();
        Ok(Self { message: sent_text(unwrap(message)), attempt: logged("DequeueCount"), id: logged("Id") })
    }
}

/// The text inside any number of JSON strings.
fn unwrap(mut value: Value) -> String {
    loop {
        match value {
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(inner @ Value::String(_)) => value = inner,
                _ => return text,
            },
            other => return other.to_string(),
        }
    }
}

/// The message is dealt with.
pub(super) fn done() -> Response {
    Json(json!({})).into_response()
}

/// The message must be delivered again.
pub(super) fn failed(error: &dyn std::error::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error.to_string() }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"job":"j","shard":18446744073709551615}"#;

    fn message(data: &Value) -> String {
        let payload = json!({ "Data": { "message": data }, "Metadata": {} }).to_string();
        Invocation::parse(payload.as_bytes()).expect("an invocation").message
    }

    #[test]
    fn a_message_is_unwrapped_however_often_it_was_wrapped() {
        let mut wrapped = Value::String(MESSAGE.to_owned());
        for _ in 0..4 {
            assert_eq!(message(&wrapped), MESSAGE);
            wrapped = Value::String(wrapped.to_string());
        }
        assert_eq!(message(&serde_json::from_str(MESSAGE).expect("JSON")), MESSAGE);
    }

    #[test]
    fn a_message_that_an_earlier_version_sent_as_base64_is_read() {
        assert_eq!(message(&json!("\"eyJqb2IiOiIxIn0=\"")), r#"{"job":"1"}"#);
    }

    #[test]
    fn a_message_that_is_not_json_stays_as_it_is() {
        for text in ["hello", "", "\"", "{\"job\":"] {
            assert_eq!(message(&json!(text)), text);
        }
    }

    #[test]
    fn metadata_may_be_text_numbers_or_missing() {
        for (metadata, attempt, id) in [
            (json!({ "DequeueCount": "3", "Id": "\"a-b\"" }), "3", "a-b"),
            (json!({ "DequeueCount": 3, "Id": "a-b" }), "3", "a-b"),
            (json!({}), "", ""),
        ] {
            let payload = json!({ "Data": { "message": "x" }, "Metadata": metadata }).to_string();
            let invocation = Invocation::parse(payload.as_bytes()).expect("an invocation");
            assert_eq!((invocation.attempt.as_str(), invocation.id.as_str()), (attempt, id));
        }
    }

    #[test]
    fn payloads_that_are_not_the_hosts_are_refused() {
        for payload in ["", "null", "[]", "{}", r#"{"Data":{}}"#, r#"{"Data":{"other":"x"}}"#] {
            assert!(Invocation::parse(payload.as_bytes()).is_err(), "{payload}");
        }
    }
}
