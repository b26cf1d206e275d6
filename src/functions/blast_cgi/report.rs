//! `CMD=Get`: where a search stands, or its report.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use super::guarded::{Escaping, guarded};
use super::page::{self, FOOT, HTML, Standing, escaped, head};
use super::parameters::{Parameters, shorten};
use super::rid::{job_of, rid_of};
use super::view::{View, Wrapping};
use crate::functions::kind::Kind;
use crate::functions::paths::without_paths;
use crate::functions::problem::Problem;
use crate::functions::services::App;
use crate::jobs::{self, Error, Glance, JobId, Report, State, Wanted};
use crate::report::MOST_ZIPPED;

/// Answers what is asked of a RID.
pub(super) async fn get(app: &App, headers: &HeaderMap, asked: Parameters) -> Result<Response, Problem> {
    let rid = asked.get("RID").unwrap_or_default().to_owned();
    let object = asked.word("FORMAT_OBJECT").unwrap_or_else(|| "alignment".to_owned());
    match object.as_str() {
        "searchinfo" => standing(app, headers, asked).await,
        "alignment" => report(app, headers, asked, &rid).await,
        _ => {
            let detail = format!(
                "the parameter FORMAT_OBJECT is {:?}, but must be Alignment or SearchInfo",
                shorten(&object)
            );
            Err(Problem::bad_request(Kind::InvalidOption, detail))
        }
    }
}

/// The search of a RID, if the caller may see it; to others it does not exist.
pub(super) async fn find(app: &App, headers: &HeaderMap, rid: &str) -> Result<Option<Glance>, Problem> {
    let Some(id) = job_of(rid) else { return Ok(None) };
    match app.admit(headers, id).await {
        Err(problem) if problem.kind() == Kind::UnknownSearch => return Ok(None),
        other => other?,
    }
    match app.pipeline()?.glance(id).await {
        Ok(glance) => Ok(Some(glance)),
        Err(Error::UnknownJob(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What is asked for, with what was said when the search was submitted where nothing is.
fn view_of(glance: &Glance, asked: Parameters) -> Result<View, Problem> {
    let kept = Parameters::of_query(glance.job.view.as_deref().unwrap_or_default().as_bytes())?;
    View::of(&asked.over(kept))
}

async fn standing(app: &App, headers: &HeaderMap, asked: Parameters) -> Result<Response, Problem> {
    let found = find(app, headers, asked.get("RID").unwrap_or_default()).await?;
    let Some(glance) = found else {
        let remark = "No search has this request id: it was never given, or its search has been removed.";
        return Ok(page::standing(Standing::Unknown, None, remark));
    };
    // A view that cannot be had is told to who asks for it.
    let partial = view_of(&glance, asked).is_ok_and(|view| view.partial);
    let standing = standing_of(glance.state, partial);
    let has_hits = match standing {
        Standing::Ready => Some(app.pipeline()?.may_have_hits(&glance.job).await?),
        _ => None,
    };
    Ok(page::standing(standing, has_hits, &remark(&glance)))
}

fn standing_of(state: State, partial: bool) -> Standing {
    match state {
        State::Queued | State::Running => Standing::Waiting,
        State::Completed => Standing::Ready,
        State::CompletedWithFailedShards if partial => Standing::Ready,
        State::CompletedWithFailedShards | State::Failed | State::Cancelled => Standing::Failed,
    }
}

/// What there is to say beside the standing.
fn remark(glance: &Glance) -> String {
    let outcome = glance.outcome.as_ref();
    let failed = outcome.and_then(|outcome| outcome.failed.first());
    let reason = outcome.and_then(|outcome| outcome.reason.as_ref()).or(failed.map(|shard| &shard.reason));
    let because = reason.map_or_else(String::new, |reason| format!(": {}", without_paths(reason)));
    match (glance.state, outcome) {
        (State::CompletedWithFailedShards, Some(outcome)) => {
            let of = outcome.shards_failed + outcome.shards_done;
            format!(
                "{} of {of} shards failed{because}. PARTIAL=true gives a report without their hits.",
                outcome.shards_failed
            )
        }
        (state, _) => format!("The search is {state}{because}."),
    }
}

async fn report(app: &App, headers: &HeaderMap, asked: Parameters, rid: &str) -> Result<Response, Problem> {
    let Some(glance) = find(app, headers, rid).await? else {
        let detail = "no search has this RID: it was never given, or its search has been removed";
        return Err(Problem::new(StatusCode::NOT_FOUND, Kind::UnknownSearch, detail));
    };
    asked.refuse_what_is_not_done()?;
    let most = asked.count("HITLIST_SIZE", 1)?;
    let view = view_of(&glance, asked)?;
    match standing_of(glance.state, view.partial) {
        Standing::Waiting => return Ok(page::standing(Standing::Waiting, None, &remark(&glance))),
        Standing::Ready => {}
        // Whatever looks like a page keeps clients waiting.
        _ => return Ok(page::error(StatusCode::INTERNAL_SERVER_ERROR, &remark(&glance))),
    }
    let (id, rid) = (glance.job.id, rid_of(glance.job.id));
    let wanted = Wanted { partial: view.partial, most, ..Wanted::default() };
    let pipeline = app.pipeline()?;
    let found = if view.wrapping == Wrapping::Archive {
        if glance.job.queries() >= MOST_ZIPPED {
            let detail = format!(
                "an archive has at most {MOST_ZIPPED} files, and the search has {} queries; XML2_S and JSON2_S have \
                 the same in one file",
                glance.job.queries()
            );
            return Err(Problem::bad_request(Kind::InvalidOption, detail));
        }
        pipeline.archived(id, &view.format, &wanted, &rid).await?
    } else {
        pipeline.results(id, Wanted { format: Some(view.format.clone()), ..wanted }).await?
    };
    match found {
        Report::Ready { content, .. } => wrapped(id, &rid, &view, content).await,
        other => Err(Problem::internal(format!("a report that was ready is none: {other:?}"))),
    }
}

/// The report in its wrapping. Answers only when its first piece is there, so that one that cannot be read at all
/// is an error; one that cannot be read to its end breaks the connection.
async fn wrapped(
    id: JobId,
    rid: &str,
    view: &View,
    mut content: BoxStream<'static, jobs::Result<Bytes>>,
) -> Result<Response, Problem> {
    let first = content.try_next().await?;
    let rest = content.inspect_err(move |error| tracing::error!(job = %id, %error, "a report broke off"));
    let content = stream::iter(first.map(Ok)).chain(rest).boxed();
    let media_type = view.format.media_type();
    let (media_type, content) = match view.wrapping {
        Wrapping::Page => {
            let content = guarded(content, Escaping::AllMarkup);
            (HTML, between(beginning(rid), content, &format!("</pre>\n{FOOT}")))
        }
        Wrapping::Preformatted => {
            let beginning = format!("<p><!--\n{}--><p>\n<PRE>\n", Standing::Ready.lines());
            (HTML, between(beginning, guarded(content, Escaping::Markup), "</PRE>\n"))
        }
        Wrapping::Bare if media_type == "application/json" => (media_type, guarded(content, Escaping::Json)),
        Wrapping::Bare => (media_type, guarded(content, Escaping::Markup)),
        Wrapping::Archive => ("application/zip", content),
    };
    let mut response = ([(CONTENT_TYPE, media_type)], Body::from_stream(content)).into_response();
    page::guard(&mut response);
    if view.wrapping == Wrapping::Archive {
        let name = format!("attachment; filename=\"{rid}.zip\"");
        let name = HeaderValue::try_from(name).map_err(|e| Problem::internal(e.to_string()))?;
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// How the page of a report begins: with what clients read, and the way to its other forms.
fn beginning(rid: &str) -> String {
    let mut page = head(&format!("skyblast: report {rid}"));
    page.push_str(&format!("<!--\n{}-->\n<p>As", Standing::Ready.lines()));
    for form in ["Text", "Tabular", "CSV", "XML", "XML2", "JSON2"] {
        let address = escaped(&format!("?CMD=Get&RID={rid}&FORMAT_TYPE={form}"));
        page.push_str(&format!(" <a href=\"{address}\">{form}</a>"));
    }
    page + "</p>\n<pre>\n"
}

fn between(
    beginning: String,
    content: BoxStream<'static, jobs::Result<Bytes>>,
    end: &str,
) -> BoxStream<'static, jobs::Result<Bytes>> {
    let end = Bytes::from(end.to_owned());
    stream::iter([Ok(Bytes::from(beginning))]).chain(content).chain(stream::iter([Ok(end)])).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lacks_shards_has_failed_unless_it_may() {
        assert_eq!(standing_of(State::CompletedWithFailedShards, false), Standing::Failed);
        assert_eq!(standing_of(State::CompletedWithFailedShards, true), Standing::Ready);
        for partial in [false, true] {
            for (state, standing) in [
                (State::Queued, Standing::Waiting),
                (State::Running, Standing::Waiting),
                (State::Completed, Standing::Ready),
                (State::Failed, Standing::Failed),
                (State::Cancelled, Standing::Failed),
            ] {
                assert_eq!(standing_of(state, partial), standing, "{state}");
            }
        }
    }
}
