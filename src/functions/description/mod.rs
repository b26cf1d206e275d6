//! `GET /api/openapi.json`: what the server answers, for programs (OpenAPI 3.1).
//!
//! Each function is described where it stands, by its annotation. What several have in common is added here:
//! [`problems`] that they answer with, and the options of a [`request`].

mod problems;
mod request;

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::validators::Tag;
use super::{
    blast_cgi, browse, cancel, databases, doctor, health, label, list, metrics, page, results, retry,
    sequences, share, status, submit, upload,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "skyblast",
        description = "Protein search, exactly as NCBI blastp. A search is submitted, looked at until it has \
                       ended, and read. Errors are problem documents (RFC 9457) whose type tells them apart. \
                       Where a GET is described, HEAD is answered as well."
    ),
    paths(
        submit::submit,
        list::list,
        status::status,
        cancel::cancel,
        retry::retry,
        label::label,
        results::results,
        browse::queries,
        browse::hits,
        browse::alignments,
        browse::species,
        sequences::sequences,
        share::share,
        share::shared,
        share::shared_by_path,
        upload::upload,
        upload::part,
        databases::databases,
        health::health,
        doctor::doctor,
        openapi,
        page::docs,
        metrics::metrics,
        blast_cgi::blast_cgi,
        page::root,
        page::file,
    ),
    tags(
        (name = "searches", description = "Submitting, watching and ending searches"),
        (name = "results", description = "Reading reports"),
        (name = "uploads", description = "Queries that are too large for a request"),
        (name = "server", description = "What the server has and how it is"),
        (name = "ncbi", description = "For programs that were written for NCBI's server"),
        (name = "page", description = "For browsers"),
    )
)]
struct Annotations;

/// The members of a path that are operations.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = json!(Annotations::openapi());
    document["servers"] = json!([{ "url": "/" }]);
    document["security"] = json!([{}, { "key": [] }, { "token": [] }]);
    document["components"]["securitySchemes"] = json!({
        "key": { "type": "apiKey", "in": "header", "name": "x-functions-key",
                 "description": "A function key, where the server runs in Azure without sign-in" },
        "token": { "type": "http", "scheme": "bearer", "description": "Where users sign in" },
    });
    name_apart(&mut document);
    with_lengths(&mut document);
    request::describe(&mut document);
    problems::describe(&mut document);
    document.to_string()
});

/// What the server answers, as a JSON document of OpenAPI 3.1.
pub fn openapi_document() -> &'static str {
    &DOCUMENT
}

/// Gives operations of one function that takes several methods names of their own.
fn name_apart(document: &mut Value) {
    for (_, method, operation) in operations(document) {
        if operation["operationId"] == "blast_cgi" && method != "get" {
            operation["operationId"] = json!(format!("blast_cgi_{method}"));
        }
    }
}

/// Says how long arrays of a fixed length are, instead of that nothing follows (`"items": false`), which makers of
/// clients do not know.
fn with_lengths(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let length = members.get("prefixItems").and_then(Value::as_array).map(Vec::len);
            if let (Some(length), Some(Value::Bool(false))) = (length, members.get("items")) {
                members.remove("items");
                members.insert("minItems".to_owned(), json!(length));
                members.insert("maxItems".to_owned(), json!(length));
            }
            members.values_mut().for_each(with_lengths);
        }
        Value::Array(values) => values.iter_mut().for_each(with_lengths),
        _ => {}
    }
}

/// All operations of a document, with their paths and methods.
fn operations(document: &mut Value) -> impl Iterator<Item = (&str, &str, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let members = item.as_object_mut().into_iter().flatten();
        let operations = members.filter(|(name, _)| METHODS.contains(&name.as_str()));
        operations.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "openapi",
    tag = "server",
    summary = "This description",
    responses(
        (status = 200, description = "It", body = serde_json::Value),
        (status = 304, description = "The client has it"),
    ),
)]
pub(super) async fn openapi(headers: HeaderMap) -> Response {
    static TAG: LazyLock<Tag> = LazyLock::new(|| Tag::of(&[DOCUMENT.as_bytes()]));
    let common = [(ETAG, TAG.header()), (CACHE_CONTROL, axum::http::HeaderValue::from_static("no-cache"))];
    if TAG.is_known(&headers) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(CONTENT_TYPE, "application/json")], openapi_document()).into_response()
}
