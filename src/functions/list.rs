//! `GET /api/searches`: somebody's searches, newest first, a page at a time.
//!
//! Where users sign in they are the caller's. Where they do not, a search is protected by its id alone, so
//! all of them are listed only by a server that none but its own machine can reach.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;
use serde_json::json;

use super::kind::Kind;
use super::links::Links;
use super::problem::Problem;
use super::services::App;
use crate::jobs::{Listed, Listing, MAX_PAGE, Page, State as JobState};

/// Searches of a page unless asked otherwise.
const PAGE: usize = 50;
/// Headers that a proxy adds: then the caller may be anywhere.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "via"];

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SearchPage)]
pub(super) struct Answer {
    searches: Vec<Entry>,
    /// Goes on with the next page as the option `after`; without it this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SearchEntry)]
struct Entry {
    #[serde(flatten)]
    search: Listed,
    links: Links,
}

#[utoipa::path(
    get,
    path = "/api/searches",
    operation_id = "list_searches",
    tag = "searches",
    summary = "Lists one's searches, newest first",
    params(("state" = Option<String>, Query, description = "Only those in this state"), ("limit" = Option<usize>, Query, description = "At most so many, up to 200"), ("after" = Option<String>, Query, description = "The member next of the page before")),
    responses((status = 200, description = "A page of searches", body = Answer)),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<Answer>, Problem> {
    let owner = app.caller(&headers)?;
    let forwarded = FORWARDED.iter().any(|header| headers.contains_key(*header));
    if owner.is_none() && (forwarded || !app.limits.anybody_lists) {
        let detail = "searches are listed only for users who sign in, or by a server that only its own machine \
                      can reach: without either, whoever knows a search's id may see it, so ids are not given out; \
                      skyblast jobs list --storage works where the storage is";
        return Err(Problem::new(StatusCode::FORBIDDEN, Kind::NoList, detail));
    }
    let Page { searches, next } = app.pipeline()?.list(&Listing { owner, ..wanted(&uri)? }).await?;
    let entry = |search: Listed| Entry { links: Links::of(search.id), search };
    Ok(Json(Answer { searches: searches.into_iter().map(entry).collect(), next }))
}

fn wanted(uri: &Uri) -> Result<Listing, Problem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| Problem::bad_request(Kind::InvalidAddress, error.body_text()))?;
    let mut listing = Listing { limit: PAGE, ..Listing::default() };
    for (name, value) in pairs {
        let refused = |range: &str| {
            let detail = format!("the option {name:?} is {value:?}, but must be {range}");
            Problem::bad_request(Kind::InvalidOption, detail)
                .with("option", json!({ "name": name, "value": value, "range": range }))
        };
        match name.as_str() {
            "state" => {
                let states = JobState::ALL.map(JobState::word).join(", ");
                let state = JobState::ALL.into_iter().find(|state| state.word() == value);
                listing.state = Some(state.ok_or_else(|| refused(&format!("one of {states}")))?);
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
                listing.limit = limit.ok_or_else(|| refused(&format!("1 to {MAX_PAGE}")))?;
            }
            "after" => listing.after = Some(value),
            // Keys of the Functions host.
            "code" | "clientId" => {}
            _ => {
                let detail =
                    format!("there is no option {name:?} here; the options are state, limit and after");
                return Err(Problem::bad_request(Kind::UnknownOption, detail)
                    .with("option", json!({ "name": name, "value": value })));
            }
        }
    }
    Ok(listing)
}
