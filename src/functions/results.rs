//! `GET /api/searches/{id}/results`: the report.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LOCATION,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use super::kind::Kind;
use super::links::search_id;
use super::options::Options;
use super::problem::Problem;
use super::services::App;
use super::status::POLL_SECONDS;
use super::validators::{Extent, Tag};
use crate::jobs::{
    self, AddressFrom, JobId, MissingShards, Pipeline, Report, State as JobState, StoredReport,
};
use crate::report::{OutputFormat, SoFar};
use crate::store::Grant;

#[utoipa::path(
    get,
    path = "/api/searches/{id}/results",
    operation_id = "search_results",
    tag = "results",
    summary = "Gives the report",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("outfmt" = Option<String>, Query, description = "Another format than that of the search"), ("partial" = Option<bool>, Query, description = "Whether it may lack shards that failed, and queries if the search has not ended: then it is on those that have been merged so far, and Skyblast-Partial-Queries says which"), ("If-None-Match" = Option<String>, Header, description = "Tags of what the client has"), ("Range" = Option<String>, Header, description = "bytes=FIRST-LAST, of a report in its own format")),
    responses((status = 200, description = "The report", content((String = "application/*"), (String = "text/*"))), (status = 206, description = "The part that Range asks for", content((String = "application/*"), (String = "text/*"))), (status = 302, description = "Where a large report lies"), (status = 304, description = "The client has it")),
)]
pub(super) async fn results(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    app.admit(&headers, id).await?;
    report(&app, id, &uri, &Reader { method, headers }).await
}

/// The header that says how many of how many shards a report lacks, as in `3/12`.
pub const MISSING_SHARDS: &str = "skyblast-missing-shards";

/// The header that says which queries a report is on whose search has not ended, as in `1-40,81-120`; `...` for those
/// that are too many to be named.
pub const PARTIAL_QUERIES: &str = "skyblast-partial-queries";

/// The type of the problem that a report lacks shards.
pub const INCOMPLETE: &str = "incomplete-report";

/// How long an address of storage is valid; long enough to begin the download.
const LINK: Duration = Duration::from_secs(15 * 60);

/// Who reads a report: how, and what they have of it.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
}

/// The report of a search that the caller may see, in the format that `uri` asks for: its bytes, or if
/// they are many a redirection to where they lie.
pub(super) async fn report(app: &App, id: JobId, uri: &Uri, reader: &Reader) -> Result<Response, Problem> {
    let mut options = Options::of(uri)?;
    let format = options.take_outfmt()?;
    let partial = options.take_partial()?;
    let wanted = jobs::Wanted {
        format,
        partial,
        so_far: partial,
        most: None,
        address: Some(AddressFrom { bytes: app.limits.redirect_bytes, lifetime: LINK }),
    };
    options.none_left()?;
    let pipeline = app.pipeline()?;
    match pipeline.results(id, wanted).await? {
        Report::Ready { format, content, missing, so_far: Some(so_far), .. } => {
            say_missing(part_of(id, &format, content, &so_far, reader).await?, missing)
        }
        Report::Ready { format, content, stored, missing, edition, so_far: None } => {
            let whole = Whole { id, format, stored, missing, edition };
            say_missing(whole.give(pipeline, content, reader).await?, missing)
        }
        Report::Elsewhere { grant, missing } => say_missing(elsewhere(&grant), missing),
        none => Err(none_of(id, &none)),
    }
}

/// The report so far of a search that has not ended: the next may be longer, so it has no tag, and is kept by nobody.
async fn part_of(
    id: JobId,
    format: &OutputFormat,
    content: Pieces,
    so_far: &SoFar,
    reader: &Reader,
) -> Result<Response, Problem> {
    let header = |text: String| HeaderValue::try_from(text).map_err(|e| Problem::internal(e.to_string()));
    let disposition = format!("attachment; filename=\"{id}.partial.{}\"", format.extension());
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (CONTENT_DISPOSITION, header(disposition)?),
        (ACCEPT_RANGES, HeaderValue::from_static("none")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]);
    headers.insert(PARTIAL_QUERIES, header(so_far.places())?);
    let body = if reader.method == Method::HEAD { nothing() } else { body_of(id, content).await? };
    Ok((headers, body).into_response())
}

/// Why there is no report of a search.
pub(super) fn none_of(id: JobId, report: &Report) -> Problem {
    match report {
        Report::Incomplete(missing) => incomplete(id, *missing),
        Report::NotReady(state) => not_ready(id, *state),
        Report::Ready { .. } | Report::Elsewhere { .. } => Problem::internal("a report that is there"),
    }
}

/// The same answer with the header that says what it lacks.
pub(super) fn say_missing(
    mut response: Response,
    missing: Option<MissingShards>,
) -> Result<Response, Problem> {
    if let Some(MissingShards { missing, of }) = missing {
        let value =
            HeaderValue::try_from(format!("{missing}/{of}")).map_err(|e| Problem::internal(e.to_string()))?;
        response.headers_mut().insert(MISSING_SHARDS, value);
    }
    Ok(response)
}

/// A report that there is. One that is stored as it is has a length and can be read from anywhere; one in another
/// format is made while it is sent, so nobody knows how long it will be, and it comes whole or not at all.
struct Whole {
    id: JobId,
    format: OutputFormat,
    stored: Option<StoredReport>,
    missing: Option<MissingShards>,
    edition: u32,
}

type Pieces = BoxStream<'static, jobs::Result<bytes::Bytes>>;

impl Whole {
    async fn give(&self, pipeline: &Pipeline, content: Pieces, reader: &Reader) -> Result<Response, Problem> {
        let tag = self.tag();
        if tag.is_known(&reader.headers) {
            return Ok((StatusCode::NOT_MODIFIED, self.headers(&tag)?).into_response());
        }
        let is_head = reader.method == Method::HEAD;
        let mut headers = self.headers(&tag)?;
        let Some(stored) = &self.stored else {
            headers.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
            let body = if is_head { nothing() } else { body_of(self.id, content).await? };
            return Ok((headers, body).into_response());
        };
        let length = stored.length;
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        // A range has a meaning for GET only.
        let wanted = if is_head { Extent::Whole } else { Extent::of(&reader.headers, &tag, length) };
        let (status, length, content) = match wanted {
            Extent::Whole => (StatusCode::OK, length, content),
            Extent::Part(Range { start, end }) => {
                headers.insert(CONTENT_RANGE, content_range(&format!("{start}-{}", end - 1), length)?);
                let content = pipeline.report_from(self.id, stored, &self.format, start).await?;
                (StatusCode::PARTIAL_CONTENT, end - start, first_bytes(content, end - start))
            }
            Extent::Beyond => {
                let detail = format!("the report has {length} bytes, and none of those that Range asks for");
                let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, Kind::NoSuchRange, detail);
                return Ok(([(CONTENT_RANGE, content_range("*", length)?)], problem).into_response());
            }
        };
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        let body = if is_head { Body::empty() } else { body_of(self.id, content).await? };
        Ok((status, headers, body).into_response())
    }

    /// What bytes follow from: of what is stored, which bytes they are; else job, edition, format, and who makes them.
    fn tag(&self) -> Tag {
        let missing = self.missing.map_or(0, |missing| missing.missing).to_le_bytes();
        let (id, format) = (self.id.to_string(), format!("{:?}", self.format));
        let edition = self.edition.to_le_bytes();
        let origin = self.stored.as_ref().map_or(env!("CARGO_PKG_VERSION"), |stored| &stored.tag.0);
        Tag::of(&[id.as_bytes(), format.as_bytes(), &missing, &edition, origin.as_bytes()])
    }

    /// Headers of any answer that has the report, or stands for it.
    fn headers(&self, tag: &Tag) -> Result<HeaderMap, Problem> {
        let disposition = format!("attachment; filename=\"{}.{}\"", self.id, self.format.extension());
        let disposition = HeaderValue::try_from(disposition).map_err(|e| Problem::internal(e.to_string()))?;
        Ok(HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static(self.format.media_type())),
            (CONTENT_DISPOSITION, disposition),
            (ETAG, tag.header()),
            // What has ended does not change, but it may be removed, and is somebody's own.
            (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        ]))
    }
}

/// A body that is not sent, of a length that nobody knows.
fn nothing() -> Body {
    Body::from_stream(stream::empty::<jobs::Result<bytes::Bytes>>())
}

fn content_range(part: &str, length: u64) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(format!("bytes {part}/{length}")).map_err(|e| Problem::internal(e.to_string()))
}

/// So many bytes from the beginning of the content.
fn first_bytes(content: Pieces, count: u64) -> Pieces {
    let cut = move |left: &mut u64, piece: jobs::Result<bytes::Bytes>| {
        let piece = (*left > 0).then(|| {
            piece.map(|mut piece| {
                piece.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= piece.len() as u64;
                piece
            })
        });
        std::future::ready(piece)
    };
    content.scan(count, cut).boxed()
}

fn elsewhere(grant: &Grant) -> Response {
    let link = json!({ "url": grant.url, "expires": grant.expires });
    let headers = [(LOCATION, grant.url.as_str()), (CACHE_CONTROL, "no-store")];
    (StatusCode::FOUND, headers, Json(link)).into_response()
}

/// Begins only when the first piece is there, so that a report that cannot be read at all is an error; one that
/// cannot be read to its end breaks the connection.
async fn body_of(id: JobId, mut content: Pieces) -> Result<Body, Problem> {
    let first = content.try_next().await?;
    let rest = content.inspect_err(move |error| tracing::error!(job = %id, %error, "a report broke off"));
    Ok(Body::from_stream(stream::iter(first.map(Ok)).chain(rest)))
}

fn incomplete(id: JobId, missing: MissingShards) -> Problem {
    let detail = format!(
        "the report lacks {missing}, so it may lack hits; GET /api/searches/{id} says why, and partial=true gives \
         what there is"
    );
    Problem::new(StatusCode::CONFLICT, Kind::IncompleteReport, detail)
        .with("missing_shards", missing.missing)
        .with("shards", missing.of)
}

/// That a search has no report, or none yet.
pub(super) fn not_ready(id: JobId, state: JobState) -> Problem {
    let problem =
        |detail: String| Problem::new(StatusCode::CONFLICT, Kind::NoResults, detail).with("state", state);
    if state.is_final() {
        return problem(format!(
            "the search is {state}, so it has no report; GET /api/searches/{id} says more"
        ));
    }
    problem(format!(
        "the search is {state}; its report comes when it is completed, and partial=true gives it so far as soon as a part \
         is merged"
    )).retry_after(POLL_SECONDS)
}
