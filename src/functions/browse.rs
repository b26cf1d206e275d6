//! Reading a report query by query.
//!
//! ```text
//! GET /api/searches/{id}/queries?from=&limit=&text=&with_hits=
//! GET /api/searches/{id}/queries/{place}/hits?from=&limit=&sort=&descending=&evalue=&identity=&coverage=&text=&species=&plots=
//! GET /api/searches/{id}/queries/{place}/alignments?subjects=
//! GET /api/searches/{id}/species?from=&limit=
//! ```
//!
//! A query goes by its place in the report, from 1, a subject by its position in the database. Of a report that
//! lacks shards what there is is given: the search's status says what is missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::kind::Kind;
use super::links::search_id;
use super::problem::Problem;
use super::results::not_ready;
use super::services::App;
use super::wishes::{Wishes, out_of_range};
use crate::jobs::{
    Browsed, HitColumn, HitFilter, HitsWanted, JobId, MAX_ALIGNED, MAX_DEPTH, MAX_HITS, MAX_QUERIES,
    MAX_SPECIES, QueriesWanted,
};

/// Queries, or hits, of a page unless asked otherwise.
const PAGE: usize = 100;

#[utoipa::path(
    get,
    path = "/api/searches/{id}/queries",
    operation_id = "list_queries",
    tag = "results",
    summary = "Lists queries of a report, with how many hits they have",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("from" = Option<u64>, Query, description = "Place of the first, from 1"), ("limit" = Option<usize>, Query, description = "At most so many, up to 1000"), ("text" = Option<String>, Query, description = "Only those whose id or title has this"), ("with_hits" = Option<bool>, Query, description = "Only those with hits, or only those without")),
    responses((status = 200, description = "A page of queries", body = crate::jobs::QueriesPage)),
)]
pub(super) async fn queries(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    let mut wishes = Wishes::of(&uri, &["from", "limit", "text", "with_hits"])?;
    let wanted = QueriesWanted {
        from: wishes.value("from", "1 or more", |from| *from > 0)?.unwrap_or(1),
        limit: limit(&mut wishes, MAX_QUERIES)?,
        text: wishes.text("text"),
        with_hits: wishes.switch("with_hits")?,
    };
    app.admit(&headers, id).await?;
    answer(id, app.pipeline()?.browse_queries(id, &wanted).await?)
}

#[utoipa::path(
    get,
    path = "/api/searches/{id}/queries/{place}/hits",
    operation_id = "list_hits",
    tag = "results",
    summary = "Lists hits of a query",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("place" = u64, Path, description = "Place of the query in the report, from 1"), ("from" = Option<usize>, Query, description = "How many to skip"), ("limit" = Option<usize>, Query, description = "At most so many, up to 1000"), ("sort" = Option<String>, Query, description = "The column that they are ordered by"), ("descending" = Option<bool>, Query, description = "Whether the largest come first"), ("evalue" = Option<f64>, Query, description = "Largest E-value"), ("identity" = Option<f64>, Query, description = "Least identity, per cent"), ("coverage" = Option<f64>, Query, description = "Least coverage of the query, per cent"), ("text" = Option<String>, Query, description = "What identifier or title must have"), ("species" = Option<String>, Query, description = "Only those of this species"), ("plots" = Option<bool>, Query, description = "Whether to say how they are distributed")),
    responses((status = 200, description = "A page of hits", body = crate::jobs::HitsPage)),
)]
pub(super) async fn hits(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let (id, place) = query_of(path)?;
    let wanted = hits_wanted(&uri)?;
    app.admit(&headers, id).await?;
    answer(id, app.pipeline()?.browse_hits(id, place, &wanted).await?)
}

fn hits_wanted(uri: &Uri) -> Result<HitsWanted, Problem> {
    let known =
        ["from", "limit", "sort", "descending", "evalue", "identity", "coverage", "text", "species", "plots"];
    let mut wishes = Wishes::of(uri, &known)?;
    let filter = hit_filter(&mut wishes)?;
    let column = wishes.text("sort").map(|name| column(&name)).transpose()?.unwrap_or_default();
    let descending = wishes.switch("descending")?.unwrap_or(false);
    let limit = limit(&mut wishes, MAX_HITS)?;
    let deepest = MAX_DEPTH - limit;
    let as_reported = column == HitColumn::Rank && !descending;
    let range = format!("0 to {deepest}, unless hits come in the order of the report");
    let from = wishes.value("from", &range, |from| as_reported || *from <= deepest)?.unwrap_or(0);
    let plots = wishes.switch("plots")?.unwrap_or(false);
    Ok(HitsWanted { from, limit, column, descending, filter, plots })
}

/// Takes out what hits must be like.
pub(super) fn hit_filter(wishes: &mut Wishes) -> Result<HitFilter, Problem> {
    let percentage = |share: &f64| (0.0..=100.0).contains(share);
    Ok(HitFilter {
        evalue: wishes.value("evalue", "0 or more", |most: &f64| *most >= 0.0)?,
        identity: wishes.value("identity", "a percentage from 0 to 100", percentage)?,
        coverage: wishes.value("coverage", "a percentage from 0 to 100", percentage)?,
        text: wishes.text("text"),
        species: wishes.text("species"),
    })
}

#[utoipa::path(
    get,
    path = "/api/searches/{id}/queries/{place}/alignments",
    operation_id = "list_alignments",
    tag = "results",
    summary = "Gives alignments of a query with some subjects",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("place" = u64, Path, description = "Place of the query in the report, from 1"), ("subjects" = String, Query, description = "Positions in the database, up to 500, with commas between them")),
    responses((status = 200, description = "The alignments", body = crate::jobs::AlignedPage)),
)]
pub(super) async fn alignments(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let (id, place) = query_of(path)?;
    let text = Wishes::of(&uri, &["subjects"])?.text("subjects").unwrap_or_default();
    let subjects: Option<BTreeSet<u64>> = text.split(',').map(|number| number.parse().ok()).collect();
    let subjects =
        subjects.filter(|subjects| (1..=MAX_ALIGNED).contains(&subjects.len())).ok_or_else(|| {
            let range =
                format!("1 to {MAX_ALIGNED} positions of subjects in the database, with commas between them");
            out_of_range("subjects", &text, &range)
        })?;
    app.admit(&headers, id).await?;
    answer(id, app.pipeline()?.browse_alignments(id, place, subjects).await?)
}

#[utoipa::path(
    get,
    path = "/api/searches/{id}/species",
    operation_id = "list_species",
    tag = "results",
    summary = "Lists the species of a report, with how many hits they have",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("from" = Option<usize>, Query, description = "How many to skip"), ("limit" = Option<usize>, Query, description = "At most so many, up to 1000")),
    responses((status = 200, description = "A page of species", body = crate::jobs::SpeciesPage)),
)]
pub(super) async fn species(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    let mut wishes = Wishes::of(&uri, &["from", "limit"])?;
    let from = wishes.value("from", "0 or more", |_: &usize| true)?.unwrap_or(0);
    let limit = limit(&mut wishes, MAX_SPECIES)?;
    app.admit(&headers, id).await?;
    answer(id, app.pipeline()?.browse_species(id, from, limit).await?)
}

fn limit(wishes: &mut Wishes, most: usize) -> Result<usize, Problem> {
    let limit = wishes.value("limit", &format!("1 to {most}"), |limit| (1..=most).contains(limit))?;
    Ok(limit.unwrap_or(PAGE))
}

fn column(name: &str) -> Result<HitColumn, Problem> {
    let found = HitColumn::NAMES.into_iter().find(|(_, known)| *known == name);
    found.map(|(column, _)| column).ok_or_else(|| {
        let names = HitColumn::NAMES.map(|(_, name)| name).join(", ");
        out_of_range("sort", name, &format!("one of {names}"))
    })
}

/// The search, and the place of the query in its report, that an address names.
fn query_of(path: Result<Path<(String, String)>, PathRejection>) -> Result<(JobId, u64), Problem> {
    let (id, place) = match path {
        Ok(Path((id, place))) => (search_id(Ok(Path(id)))?, place),
        Err(rejection) => return Err(no_query(rejection.body_text())),
    };
    let place =
        place.parse().map_err(|_| no_query("a query goes by its place in the report, from 1".to_owned()))?;
    Ok((id, place))
}

fn no_query(detail: String) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, Kind::UnknownQuery, detail)
}

fn answer<T: Serialize>(id: JobId, found: Browsed<T>) -> Result<Response, Problem> {
    match found {
        // What has ended does not change, but it may be removed, and is somebody's own.
        Browsed::Ready(page) => Ok(([(CACHE_CONTROL, "private, no-cache")], Json(page)).into_response()),
        Browsed::NotReady(state) => Err(not_ready(id, state)),
        Browsed::NoQuery => Err(no_query(format!("the report of search {id} has no such query"))),
    }
}
