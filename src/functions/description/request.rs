//! What a search is asked for with: options, by the same names in an address, a form and JSON.

use serde_json::{Map, Value, json};

use super::operations;
use crate::functions::options::ranges;
use crate::functions::queries::QUERY;

/// Options that are not of a request, though other requests have them.
const ELSEWHERE: [&str; 2] = ["partial", "purge"];

/// Adds to a document what [`submit`](crate::functions::submit::submit) takes.
pub(super) fn describe(document: &mut Value) {
    let known = || ranges().filter(|(name, _)| !ELSEWHERE.contains(name));
    for (_, _, operation) in operations(document) {
        if operation["operationId"] != "submit_search" {
            continue;
        }
        let as_parameter = |(name, range)| json!({ "name": name, "in": "query", "description": range, "schema": { "type": "string" } });
        if let Some(parameters) = operation["parameters"].as_array_mut() {
            parameters.extend(known().map(as_parameter));
        }
        let of = |name: &str| json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
        operation["requestBody"] = json!({
            "description": "The queries as FASTA, plain, gzip or zstd, with options in the address; or all of it",
            "content": {
                "application/json": of("SearchRequest"),
                "application/x-www-form-urlencoded": of("SearchForm"),
                "multipart/form-data": of("SearchUpload"),
                "text/plain": { "schema": { "type": "string" } },
            },
        });
    }
    // JSON may have numbers and switches as they are, and queries in a form may be a file. These are three, as makers
    // of clients tell bodies apart by their schema.
    let (text, any) = (json!("string"), json!(["string", "number", "boolean"]));
    let file = json!({ "type": "string", "format": "binary", "description": FASTA });
    let query = json!({ "type": "string", "description": FASTA });
    for (name, option, query) in
        [("SearchRequest", &any, &query), ("SearchForm", &text, &query), ("SearchUpload", &text, &file)]
    {
        document["components"]["schemas"][name] = schema(known(), option, query);
    }
}

const FASTA: &str = "The queries as FASTA";

/// The schema of a body whose members are options of this type, and the queries.
fn schema<'a>(known: impl Iterator<Item = (&'a str, &'a str)>, option: &Value, query: &Value) -> Value {
    let member = |(name, range): (&str, &str)| {
        let kind = if name == "database" { &json!("string") } else { option };
        let mut member = json!({ "type": kind, "description": range });
        // JSON may have them as a list.
        if name.ends_with("taxids") && option.is_array() {
            member["type"] = json!(["string", "number", "array"]);
            member["items"] = json!({ "type": ["string", "number"] });
        }
        (name.to_owned(), member)
    };
    let mut properties: Map<String, Value> = known.map(member).collect();
    properties.insert(QUERY.to_owned(), query.clone());
    json!({
        "type": "object",
        "required": ["database", QUERY],
        "properties": properties,
        "additionalProperties": false,
    })
}
