//! The problems that each operation may answer with.

use serde_json::{Value, json};

use super::operations;
use crate::functions::kind::Kind::{self, *};

/// Kinds of problems by status.
type Problems = &'static [(u16, &'static [Kind])];

/// Any request may meet these.
const ANY: Problems = &[
    (400, &[UnreadableRequest]),
    (414, &[AddressTooLong]),
    (421, &[UnknownHost]),
    (431, &[HeadTooLarge]),
    (500, &[Internal]),
];
/// Whoever needs storage.
const STORAGE: Problems =
    &[(503, &[StorageNotSetUp, StorageUnavailable, StorageDenied]), (507, &[StorageFull])];
/// Where users sign in.
const SIGN_IN: Problems = &[(401, &[SignInRequired])];
/// Where there are options.
const OPTIONS: Problems = &[(400, &[InvalidOption, UnknownOption, InvalidAddress])];
/// What changes something.
const CHANGE: Problems = &[(403, &[CrossSite])];
/// What is about a search.
const SEARCH: Problems = &[(404, &[UnknownSearch])];
/// What has a body.
const BODY: Problems =
    &[(400, &[BodyIncomplete]), (408, &[BodyIncomplete]), (413, &[BodyTooLarge]), (503, &[Busy])];
/// What reads a report.
const REPORT: Problems = &[(409, &[NoResults])];
/// What reads a report as it is.
const WHOLE: Problems = &[(409, &[NoResults, IncompleteReport]), (416, &[NoSuchRange])];
/// What is about a query.
const QUERY: Problems = &[(404, &[UnknownQuery])];
/// A link to a report.
const LINK: Problems = &[(404, &[UnknownLink])];
/// An upload.
const UPLOAD: Problems = &[(404, &[UnknownUpload]), (409, &[InvalidUpload])];
const SUBMIT: Problems = &[
    (400, &[InvalidForm, InvalidJson, InvalidKey, InvalidFasta, NoQueries]),
    (404, &[UnknownDatabase]),
    (413, &[QueriesTooLarge]),
    (422, &[KeyReused]),
];
const LIST: Problems = &[(403, &[NoList])];
const LABEL: Problems = &[(400, &[InvalidJson, InvalidOption])];
const CANCEL: Problems = &[(409, &[NotEnded])];
const RETRY: Problems = &[(409, &[NothingToRetry])];
const NCBI: Problems = &[
    (400, &[InvalidForm, InvalidOption, NoQuery]),
    (401, &[KeyRequired]),
    (403, &[Closed, NoList]),
    (405, &[Plain]),
    (409, &[NoResults]),
];
const PAGE: Problems = &[(404, &[Plain])];

/// What an operation may meet beside [`ANY`].
fn of(operation: &str) -> &'static [Problems] {
    match operation {
        "submit_search" => &[STORAGE, SIGN_IN, OPTIONS, CHANGE, BODY, UPLOAD, SUBMIT],
        "list_searches" => &[STORAGE, SIGN_IN, OPTIONS, LIST],
        "search_status" => &[STORAGE, SIGN_IN, OPTIONS, SEARCH],
        "cancel_search" => &[STORAGE, SIGN_IN, OPTIONS, CHANGE, SEARCH, CANCEL],
        "retry_search" => &[STORAGE, SIGN_IN, OPTIONS, CHANGE, SEARCH, RETRY],
        "label_search" => &[STORAGE, SIGN_IN, CHANGE, SEARCH, BODY, LABEL],
        "search_results" | "search_sequences" => &[STORAGE, SIGN_IN, OPTIONS, SEARCH, WHOLE],
        "list_queries" | "list_species" => &[STORAGE, SIGN_IN, OPTIONS, SEARCH, REPORT],
        "list_hits" | "list_alignments" => &[STORAGE, SIGN_IN, OPTIONS, SEARCH, REPORT, QUERY],
        "share_results" => &[STORAGE, SIGN_IN, OPTIONS, CHANGE, SEARCH],
        "shared_results" | "shared_results_of_old_link" => &[STORAGE, OPTIONS, SEARCH, WHOLE, LINK],
        "begin_upload" => &[STORAGE, SIGN_IN, OPTIONS, CHANGE, UPLOAD],
        "upload_part" => &[STORAGE, SIGN_IN, CHANGE, BODY, UPLOAD],
        "list_databases" | "doctor" => &[STORAGE, SIGN_IN],
        "blast_cgi" | "blast_cgi_post" | "blast_cgi_put" => {
            &[STORAGE, SIGN_IN, CHANGE, SEARCH, BODY, SUBMIT, NCBI]
        }
        "page_file" => &[PAGE],
        _ => &[],
    }
}

/// Adds the schema of problems to a document, and to each operation those that it may answer with.
pub(super) fn describe(document: &mut Value) {
    for (_, _, operation) in operations(document) {
        let sets = of(operation["operationId"].as_str().unwrap_or_default());
        for (status, kinds) in sets.iter().chain([&ANY]).flat_map(|problems| problems.iter()) {
            for kind in *kinds {
                add(operation, *status, *kind);
            }
        }
    }
    let types: Vec<String> = Kind::ALL.iter().chain([&Plain]).map(|kind| kind.uri()).collect();
    document["components"]["schemas"]["Problem"] = json!({
        "type": "object",
        "description": "What is wrong and what to do (RFC 9457); members beside these are for programs",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "examples": types, "description": "What kind of problem it is" },
            "title": { "type": "string", "description": "The phrase of the status" },
            "status": { "type": "integer", "description": "The status of the answer" },
            "detail": { "type": "string", "description": "What is wrong and what to do, for people" },
        },
        "additionalProperties": true,
    });
}

fn add(operation: &mut Value, status: u16, kind: Kind) {
    let response = &mut operation["responses"][status.to_string()];
    let line = format!("`{}`: {}", kind.uri(), kind.meaning());
    let description = match response["description"].as_str() {
        Some(others) if others.contains(&line) => return,
        Some(others) => format!("{others}\n\n{line}"),
        None => line,
    };
    let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    response["description"] = json!(description);
    response["content"]["application/problem+json"] = problem;
}
