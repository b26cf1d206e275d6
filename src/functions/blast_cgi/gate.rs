//! Who may use the API: everybody, nobody, or who has the key.
//!
//! Clients of NCBI's API know one way to say who they are: HTTP's basic authentication, as the user `blast`. They
//! send the password only when they are asked for it.

use std::fmt;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;

use super::path::KeyInPath;
use crate::functions::kind::Kind;
use crate::functions::problem::Problem;
use crate::functions::services::App;

/// Who may use NCBI's URL API; where users sign in, they have to do so as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum UrlApi {
    /// Whoever reaches the server.
    #[default]
    Open,
    /// Who sends this key, as the password of HTTP's basic authentication or as a part of the path.
    Keyed(ApiKey),
    /// Nobody.
    Closed,
}

/// A key, of which no more is known than how to recognise it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(blake3::Hash);

impl ApiKey {
    /// Fewest characters of a key.
    pub const SHORTEST: usize = 16;

    /// The key that `text` is, unless it is too short to be kept from being guessed.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (text.chars().count() >= Self::SHORTEST).then(|| Self(blake3::hash(text.as_bytes())))
    }

    /// Digests are compared, in the same time whatever they are.
    fn is(&self, text: &[u8]) -> bool {
        self.0 == blake3::hash(text)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey")
    }
}

/// Lets pass who may use the API; returns who it is, where users sign in.
///
/// There the key is asked for as well: to the host the API is open, so nothing else keeps strangers from writing the
/// header in which the platform says who calls, should its authentication be switched off.
pub(super) fn pass(app: &App, request: &Request) -> Result<Option<String>, Problem> {
    match &app.limits.url_api {
        UrlApi::Open => {}
        UrlApi::Keyed(key) => ask_for(key, request)?,
        UrlApi::Closed => {
            let detail = format!(
                "NCBI's URL API is closed here: it has no key (SKYBLAST_URL_API_KEY, {} characters or more)",
                ApiKey::SHORTEST
            );
            return Err(Problem::new(StatusCode::FORBIDDEN, Kind::Closed, detail));
        }
    }
    app.caller(request.headers())
}

fn ask_for(key: &ApiKey, request: &Request) -> Result<(), Problem> {
    let in_path = request.extensions().get::<KeyInPath>();
    if in_path.is_some_and(|sent| key.is(sent.0.as_bytes()))
        || password(request).is_some_and(|sent| key.is(&sent))
    {
        return Ok(());
    }
    let detail = "give the key of this server as the password of the user blast";
    let challenge = "Basic realm=\"skyblast\", charset=\"UTF-8\"".to_owned();
    Err(Problem::new(StatusCode::UNAUTHORIZED, Kind::KeyRequired, detail).challenge(challenge))
}

/// The password of basic authentication, whoever the user.
fn password(request: &Request) -> Option<Vec<u8>> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = header.split_once(' ')?;
    let decoded =
        STANDARD.decode(credentials.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some(decoded[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_and_not_shown() {
        let key = ApiKey::new(" 0123456789abcdef ").expect("long enough");
        assert!(key.is(b"0123456789abcdef") && !key.is(b"0123456789abcdeg"));
        assert_eq!(format!("{key:?}"), "ApiKey");
        assert!(ApiKey::new("short").is_none());
    }
}
