//! Signing requests with an account key (learn.microsoft.com, "Authorize with Shared Key").

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use azure_core::hmac::hmac_sha256;
use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Body, Context, Request};
use azure_core::time::{OffsetDateTime, to_rfc7231};

/// Dates and signs each try of a request. Must run after everything that changes headers or URL.
#[derive(Debug)]
pub(super) struct SharedKeyPolicy {
    pub(super) account: String,
    pub(super) key: Secret,
}

#[async_trait]
impl Policy for SharedKeyPolicy {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let now = to_rfc7231(&OffsetDateTime::now_utc());
        request.insert_header(HeaderName::from_static("x-ms-date"), HeaderValue::from(now));
        let signature = hmac_sha256(&string_to_sign(&self.account, request), &self.key)?;
        let authorization = format!("SharedKey {}:{signature}", self.account);
        request.insert_header(HeaderName::from_static("authorization"), HeaderValue::from(authorization));
        next[0].send(ctx, request, &next[1..]).await
    }
}

/// The text whose signature proves the key: method, standard headers, `x-ms-` headers, resource.
fn string_to_sign(account: &str, request: &Request) -> String {
    let header = |name| {
        request.headers().get_optional_str(&HeaderName::from_static(name)).unwrap_or_default().to_owned()
    };
    let lines = [
        request.method().as_ref().to_owned(),
        header("content-encoding"),
        header("content-language"),
        content_length(request),
        header("content-md5"),
        header("content-type"),
        // The date is signed as x-ms-date.
        String::new(),
        header("if-modified-since"),
        header("if-match"),
        header("if-none-match"),
        header("if-unmodified-since"),
        header("range"),
    ];
    let mut text = lines.join("\n");
    let own_headers: BTreeMap<String, &str> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_ascii_lowercase(), value.as_str().trim()))
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    for (name, value) in own_headers {
        text.push_str(&format!("\n{name}:{value}"));
    }
    // The path is signed as encoded; an emulator's path repeats the account.
    text.push_str(&format!("\n/{account}{}", request.url().path()));
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in request.url().query_pairs() {
        parameters.entry(name.to_lowercase()).or_default().push(value.into_owned());
    }
    for (name, mut values) in parameters {
        values.sort_unstable();
        text.push_str(&format!("\n{name}:{}", values.join(",")));
    }
    text
}

/// The length of the body as it is signed: nothing for zero.
fn content_length(request: &Request) -> String {
    let given = request.headers().get_optional_str(&HeaderName::from_static("content-length"));
    let length = match (given, request.body()) {
        (Some(length), _) => length.to_owned(),
        (None, Body::Bytes(bytes)) => bytes.len().to_string(),
        (None, Body::SeekableStream(stream)) => stream.len().map_or_else(String::new, |n| n.to_string()),
    };
    if length == "0" { String::new() } else { length }
}

#[cfg(test)]
mod tests {
    use azure_core::http::{Method, Url};

    use super::*;

    fn request(method: Method, url: &str, headers: &[(&'static str, &'static str)]) -> Request {
        let mut request = Request::new(Url::parse(url).unwrap(), method);
        for (name, value) in headers {
            request.insert_header(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        request
    }

    /// The documentation's example of a container's metadata request.
    #[test]
    fn the_documented_example_gives_the_documented_text() {
        let request = request(
            Method::Get,
            "https://myaccount.blob.core.windows.net/mycontainer?comp=metadata&restype=container&timeout=20",
            &[("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"), ("x-ms-version", "2015-02-21")],
        );
        assert_eq!(
            string_to_sign("myaccount", &request),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n\
             /myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
        );
    }

    #[test]
    fn conditions_length_and_encoded_names_are_signed() {
        let mut request = request(
            Method::Put,
            "http://127.0.0.1:10000/devstoreaccount1/jobs/a%2Fb?comp=block&blockid=YQ%3D%3D",
            &[("if-none-match", "*"), ("x-ms-blob-type", "BlockBlob"), ("content-type", "text/plain")],
        );
        request.set_body(b"12345".to_vec());
        assert_eq!(
            string_to_sign("devstoreaccount1", &request),
            "PUT\n\n\n5\n\ntext/plain\n\n\n\n*\n\n\nx-ms-blob-type:BlockBlob\n\
             /devstoreaccount1/devstoreaccount1/jobs/a%2Fb\nblockid:YQ==\ncomp:block"
        );
    }

    #[test]
    fn the_key_stays_out_of_debug_output() {
        let policy = SharedKeyPolicy { account: "a".into(), key: Secret::new("c2VjcmV0") };
        assert!(!format!("{policy:?}").contains("c2VjcmV0"));
    }
}
