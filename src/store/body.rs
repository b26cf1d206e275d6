//! Bodies of messages: texts that travel as they are, inside the service's XML.
//!
//! The Functions host is told so by `extensions.queues.messageEncoding` in host.json. Whoever looks at a
//! queue can read it, and what makes no sense still reaches a function, which settles it; the host would give
//! up what is not base64 without asking anybody.

use azure_core::base64;

use super::{Error, ErrorKind, Result};

/// Longest message body in bytes. The service takes 64 KiB; earlier versions, which sent base64, this much.
pub const MAX_MESSAGE: usize = 48 * 1024;

/// Refuses a message body that is longer than [`MAX_MESSAGE`], or holds what does not come back from XML.
pub(super) fn check_body(queue: &str, body: &str) -> Result<()> {
    let refuse =
        |reason: String| Err(Error::new(ErrorKind::Permanent, "send to", format!("queue {queue}"), reason));
    if body.len() > MAX_MESSAGE {
        return refuse(format!("the message has {} bytes, {MAX_MESSAGE} are allowed", body.len()));
    }
    match body.chars().find(|&c| !travels(c)) {
        Some(c) => {
            refuse(format!("the message holds {c:?}, which cannot be sent; JSON writes it as an escape"))
        }
        None => Ok(()),
    }
}

/// Whether XML 1.0 has the character, and gives it back.
fn travels(c: char) -> bool {
    matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// The text of a message, which an earlier version may have sent as base64. Its messages were JSON objects,
/// and a text that begins like one is none of its own.
pub fn sent_text(body: String) -> String {
    if body.starts_with('{') {
        return body;
    }
    let decoded = base64::decode(&body).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.filter(|text| text.starts_with('{')).unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_an_earlier_version_is_read_and_other_text_stays() {
        for (body, text) in [
            ("eyJqb2IiOiIxIn0=", r#"{"job":"1"}"#),
            (r#"{"job":"1"}"#, r#"{"job":"1"}"#),
            ("ZG9uZQ==", "ZG9uZQ=="),
            ("plain", "plain"),
            ("", ""),
            ("{not JSON", "{not JSON"),
        ] {
            assert_eq!(sent_text(body.to_owned()), text);
        }
    }

    #[test]
    fn what_xml_would_change_is_refused_by_name() {
        assert!(check_body("q", "tab\tline\nÄ 蛋 🧬 <&>").is_ok());
        for bad in ["\0", "\r", "\u{1}", "\u{fffe}"] {
            let error = check_body("q", bad).expect_err("refused");
            assert!(error.to_string().contains("cannot be sent"), "{error}");
        }
        let escaped = serde_json::json!({ "text": "\0\r\u{1}" }).to_string();
        assert!(check_body("q", &escaped).is_ok());
    }
}
