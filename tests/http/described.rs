//! Every answer in these tests is one that the description of the API has.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;
use skyblast::functions::openapi_document;

use super::lab::Answer;

/// Whether an address is one that a path of the description stands for.
fn is_like(address: &str, path: &str) -> bool {
    let mut parts = address.trim_matches('/').split('/');
    let same = path
        .trim_matches('/')
        .split('/')
        .all(|part| parts.next().is_some_and(|given| part.starts_with('{') || part == given));
    same && parts.next().is_none()
}

/// Fails if the description does not have this answer, with this kind of problem. What is asked of no operation is
/// passed over, and so are the host's own calls.
pub(crate) fn check(method: &Method, address: &str, answer: &Answer) {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(openapi_document()).unwrap());
    let method = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    // Paths without parameters win, as they do in the router.
    let mut like: Vec<_> = paths.iter().filter(|(path, _)| is_like(address, path)).collect();
    like.sort_by_key(|(path, _)| path.matches('{').count());
    let Some((path, item)) = like.first() else { return };
    let Some(operation) = item.get(&method) else { return };
    let status = answer.status.as_u16();
    let said = &operation["responses"][status.to_string()];
    assert!(said.is_object(), "{method} {path} answers {status}, which is not described: {answer:?}");
    if answer.header("content-type") == "application/problem+json" && !answer.text().is_empty() {
        let kind = answer.json()["type"].as_str().unwrap().to_owned();
        let description = said["description"].as_str().unwrap();
        assert!(
            description.contains(&format!("`{kind}`")),
            "{method} {path}: {status} {kind} is not described"
        );
    }
}
