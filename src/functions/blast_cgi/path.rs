//! The addresses at which clients look for the API.
//!
//! All of them are the same resource; in which case they are written has no meaning, and a redirection between
//! them would lose the body of a request. A key may stand before the last part of the path, for clients that can
//! send it in no other way: it is taken out before anything is logged.

use axum::extract::Request;
use axum::http::Uri;

/// The address that all others mean.
pub(in crate::functions) const PATH: &str = "/Blast.cgi";

/// What may stand before the last part: paths of NCBI's, and the prefix of functions.
const FOLDERS: [&str; 3] = ["api", "blast", "cgi-bin"];

/// A key that stood in the path.
#[derive(Clone, Debug)]
pub(super) struct KeyInPath(pub(super) String);

/// The same request for [`PATH`] if it is for one of the others.
pub(in crate::functions) async fn canonical_path(mut request: Request) -> Request {
    let Some(key) = key_before(request.uri().path()) else { return request };
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = format!("{PATH}{query}").parse().ok();
    if let Ok(canonical) = Uri::from_parts(parts) {
        *request.uri_mut() = canonical;
    }
    if !key.is_empty() {
        request.extensions_mut().insert(KeyInPath(key));
    }
    request
}

/// For the path of the API, the key in it, which may be empty.
fn key_before(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    if !parts.pop()?.eq_ignore_ascii_case(&PATH[1..]) {
        return None;
    }
    let is_folder = |part: &&str| FOLDERS.iter().any(|folder| folder.eq_ignore_ascii_case(part));
    parts.retain(|part| !is_folder(part));
    match parts.as_slice() {
        [] => Some(String::new()),
        [key] => Some((*key).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_its_addresses_are_known_and_no_others() {
        for (path, key) in [
            ("/Blast.cgi", ""),
            ("/blast.cgi", ""),
            ("/BLAST/Blast.CGI", ""),
            ("/cgi-bin/blast.cgi", ""),
            ("/api/Blast.cgi", ""),
            ("/api/blast/Blast.cgi", ""),
            ("/secret/Blast.cgi", "secret"),
            ("/api/secret/Blast.cgi", "secret"),
        ] {
            assert_eq!(key_before(path).as_deref(), Some(key), "{path}");
        }
        for path in ["/", "/Blast.cgi/x", "/api/searches", "/a/b/Blast.cgi", "/Blast.cgix"] {
            assert_eq!(key_before(path), None, "{path}");
        }
    }
}
