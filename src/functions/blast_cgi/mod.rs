//! `/Blast.cgi`: the URL API of NCBI BLAST, for programs that were written for it.
//!
//! ```text
//! CMD=Put     PROGRAM, DATABASE, QUERY …     put      a page with a RID (request id), or with the reason for none
//! CMD=Get     RID, FORMAT_OBJECT=SearchInfo  report   a page with Status=WAITING, READY, FAILED or UNKNOWN
//! CMD=Get     RID, FORMAT_TYPE …             report   the report
//! CMD=Delete  RID                            delete   removes the search
//! ```
//!
//! A search is submitted as by `POST /api/searches`: [`translation`] turns parameters into options, and what an
//! option may be is said there. What is particular here are the answers, which are read by programs that look for
//! a few words in pages: one that shows the right words in the wrong place keeps its client waiting for ever, so
//! a search without a report is answered by a status of HTTP that ends it.

mod delete;
mod entrez_query;
mod fields;
mod gate;
mod guarded;
mod page;
mod parameters;
mod path;
mod put;
mod refusal;
mod report;
mod rid;
mod translation;
mod view;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use fields::Fields;
pub use gate::{ApiKey, UrlApi};
pub(super) use path::{PATH, canonical_path};
use refusal::Refusal;

use super::caller::trace_of;
use super::kind::Kind;
use super::origin;
use super::problem::Problem;
use super::services::App;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Put,
    Get,
    Delete,
    /// Nothing in particular, as browsers do.
    Welcome,
}

#[utoipa::path(
    method(get, post, put),
    path = "/Blast.cgi",
    operation_id = "blast_cgi",
    tag = "ncbi",
    summary = "NCBI's URL API, whose parameters docs/url-api.md has",
    responses((status = 200, description = "A page, or a report", body = String, content_type = "text/html")),
)]
pub(super) async fn blast_cgi(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let owner = gate::pass(&app, &request)?;
    let (method, headers, uri) = (request.method().clone(), request.headers().clone(), request.uri().clone());
    let fields = match Fields::read(&app, owner.as_deref(), request).await {
        Ok(fields) => fields,
        // What has queries is to be submitted.
        Err(problem) if is_about_queries(&problem) => return Ok(page::refused(&Refusal::of(problem)?)),
        Err(problem) => return in_plain_words(problem),
    };
    let command = match command(&fields) {
        Ok(command) => command,
        Err(problem) => return in_plain_words(problem),
    };
    if matches!(command, Command::Put | Command::Delete) {
        // They change something, by whichever method they come.
        origin::refuse_cross_site(&app, &uri, &headers)?;
        if method == Method::HEAD {
            let detail = "CMD=Put and CMD=Delete do not take HEAD";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, Kind::Plain, detail));
        }
    }
    if command == Command::Put {
        return put::put(app, owner, trace_of(&headers), fields).await;
    }
    let Fields { parameters, queries } = fields;
    if let Some(queries) = queries {
        queries.discard(app.pipeline()?).await;
    }
    let answered = match command {
        Command::Get => report::get(&app, &headers, parameters).await,
        Command::Delete => delete::delete(&app, &headers, parameters.get("RID").unwrap_or_default()).await,
        Command::Put | Command::Welcome => Ok(page::welcome()),
    };
    answered.or_else(in_plain_words)
}

fn command(fields: &Fields) -> Result<Command, Problem> {
    let has_rid = fields.parameters.get("RID").is_some();
    let command = match fields.parameters.word("CMD").as_deref() {
        Some("put") => Command::Put,
        Some("get") => Command::Get,
        Some("delete") => Command::Delete,
        Some("web") => Command::Welcome,
        Some("displayrids") => {
            let detail = "CMD=DisplayRIDs is for administrators: skyblast jobs list shows all searches";
            return Err(Problem::new(StatusCode::FORBIDDEN, Kind::NoList, detail));
        }
        Some(other) => {
            let detail = format!("CMD is {:?}, but must be Put, Get or Delete", parameters::shorten(other));
            return Err(Problem::bad_request(Kind::InvalidOption, detail));
        }
        None if has_rid => Command::Get,
        None if fields.queries.is_some() => Command::Put,
        None => Command::Welcome,
    };
    if matches!(command, Command::Get | Command::Delete) && !has_rid {
        let detail = format!("Message ID#{} Error: the parameter RID is missing", refusal::MISSING);
        return Err(Problem::bad_request(Kind::InvalidOption, detail));
    }
    Ok(command)
}

fn is_about_queries(problem: &Problem) -> bool {
    [Kind::BodyTooLarge, Kind::QueriesTooLarge, Kind::InvalidFasta, Kind::NoQueries].contains(&problem.kind())
}

/// What was asked wrongly is told in a line of text, with a status that ends a client. What is about the server,
/// or about who asks, stays a problem.
fn in_plain_words(problem: Problem) -> Result<Response, Problem> {
    let status = problem.status();
    let is_ours = status.is_client_error() && status != StatusCode::UNAUTHORIZED;
    if is_ours { Ok(page::error(status, problem.detail())) } else { Err(problem) }
}
