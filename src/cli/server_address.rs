//! Addresses of servers, as people write them.

use reqwest::Url;

use crate::store::is_local;

/// Reads the address of a server: a URL, or a host with or without a port, which is asked by HTTP on this
/// machine and by HTTPS elsewhere.
pub(super) fn parse_server(text: &str) -> Result<String, String> {
    let usage = |reason: &str| format!("{reason}; write it like https://HOST or http://127.0.0.1:8765");
    let text = text.trim();
    let url = if text.contains("://") {
        text.to_owned()
    } else {
        let plain = format!("http://{text}");
        let local = Url::parse(&plain).is_ok_and(|url| is_local(&url));
        if local { plain } else { format!("https://{text}") }
    };
    let parsed = Url::parse(&url).map_err(|error| usage(&error.to_string()))?;
    match parsed.scheme() {
        "http" | "https" => {}
        other => return Err(usage(&format!("skyblast servers do not speak {other:?}"))),
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(usage("the address of a server has no '?' or '#'"));
    }
    Ok(url.trim_end_matches('/').trim_end_matches("/api").trim_end_matches('/').to_owned())
}

/// That a server cannot be reached, and what to do.
pub(super) fn unreachable(server: &str) -> String {
    let local = Url::parse(server).is_ok_and(|url| is_local(&url));
    let advice = if local {
        "start a server there with `skyblast serve`, or name"
    } else {
        "check that it runs, or name"
    };
    format!("could not reach {server} ({advice} another with --server)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_url_or_a_host() {
        for (text, url) in [
            ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
            ("https://lab.azurewebsites.net/", "https://lab.azurewebsites.net"),
            ("https://lab.azurewebsites.net/api/", "https://lab.azurewebsites.net"),
            ("127.0.0.1:8765", "http://127.0.0.1:8765"),
            ("localhost:8765", "http://localhost:8765"),
            ("localhost", "http://localhost"),
            ("[::1]:8765", "http://[::1]:8765"),
            ("lab.example.org:8443", "https://lab.example.org:8443"),
            (" lab.azurewebsites.net ", "https://lab.azurewebsites.net"),
        ] {
            assert_eq!(parse_server(text).as_deref(), Ok(url), "{text}");
        }
        for bad in ["", "http://", "ftp://lab", "lab:port", "a b", "https://lab/?code=x", "file:///tmp/x"] {
            let error = parse_server(bad).unwrap_err();
            assert!(error.contains("write it like https://HOST"), "{bad}: {error}");
        }
    }
}
