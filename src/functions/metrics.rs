//! `GET /metrics`: numbers for whoever watches a server, as OpenMetrics text.
//!
//! What has been done is counted by each process since its start; what there is to do is looked up in storage.
//! In Azure nobody can ask a particular instance, and lines of the log say the same.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::problem::Problem;
use super::services::App;
use crate::jobs::{Backlog, Tally};

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a request was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    /// The route, whose parameters stand for any value; empty where there is none.
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfState {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfQueue {
    queue: &'static str,
}

/// Requests that were answered since the process started.
pub(super) struct Requests {
    since: SystemTime,
    answered: Family<Asked, Counter>,
    seconds: Family<OfRoute, Histogram>,
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("since", &self.since).finish_non_exhaustive()
    }
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            since: SystemTime::now(),
            answered: Family::default(),
            // From a millisecond to four minutes, the longest that anybody waits for the end of a search.
            seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 4.0, 10))),
        }
    }
}

/// Counts a request, and how long it took until its answer began.
pub(super) async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = name_of(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let requests = &app.requests;
    let asked = Asked { method, route: route.clone(), status: response.status().as_u16() };
    requests.answered.get_or_create(&asked).inc();
    requests.seconds.get_or_create(&OfRoute { route }).observe(started.elapsed().as_secs_f64());
    response
}

/// A method's name; clients may make up others, which are not counted one by one.
fn name_of(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|name| method == *name).unwrap_or("other")
}

#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "server",
    summary = "Numbers for whoever watches a server, as OpenMetrics text; not in Azure",
    responses((status = 200, description = "The numbers", body = String, content_type = "application/openmetrics-text")),
)]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let pipeline = app.pipeline().ok();
    let backlog = match pipeline {
        Some(pipeline) => {
            pipeline.backlog().await.inspect_err(|error| tracing::warn!(%error, "no backlog")).ok()
        }
        None => None,
    };
    let mut registry = Registry::default();
    of_process(&mut registry, &app.requests);
    if let Some(pipeline) = pipeline {
        of_work(&mut registry, pipeline.tally());
    }
    let answers = ConstGauge::new(i64::from(backlog.is_some()));
    registry.register("skyblast_storage_answers", "Whether storage answered just now", answers);
    if let Some(backlog) = backlog {
        of_backlog(&mut registry, &backlog);
    }
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], text).into_response())
}

fn of_process(registry: &mut Registry, requests: &Requests) {
    let started = requests.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let started = ConstGauge::new(started);
    registry.register_with_unit("process_start_time", "When the process started", Unit::Seconds, started);
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("skyblast_build", "What runs", version);
    let answered = requests.answered.clone();
    registry.register("skyblast_http_requests", "Requests that were answered", answered);
    let help = "Time until an answer began; waiting for the end of a search included";
    let seconds = requests.seconds.clone();
    registry.register_with_unit("skyblast_http_request_duration", help, Unit::Seconds, seconds);
}

fn of_work(registry: &mut Registry, tally: &Tally) {
    let counter = ConstCounter::<u64>::new;
    registry.register(
        "skyblast_shards_compared",
        "Shards that this process compared",
        counter(tally.shards()),
    );
    let failed = counter(tally.failed_shards());
    registry.register("skyblast_shards_failed", "Shards that this process recorded as failed", failed);
    let comparisons = counter(tally.comparisons());
    registry.register("skyblast_comparisons", "Query-subject pairs of these shards", comparisons);
    let comparing = ConstCounter::new(tally.comparing().as_secs_f64());
    let help = "Time that comparing these shards took";
    registry.register_with_unit("skyblast_comparing", help, Unit::Seconds, comparing);
    let ended = Family::<OfState, Counter>::default();
    for (state, count) in tally.ended() {
        ended.get_or_create(&OfState { state: state.word() }).inc_by(count);
    }
    registry.register("skyblast_searches_ended", "Searches whose end this process wrote down", ended);
}

fn of_backlog(registry: &mut Registry, backlog: &Backlog) {
    let active = ConstGauge::new(i64::try_from(backlog.active).unwrap_or(i64::MAX));
    registry.register("skyblast_searches_active", "Searches that have not ended", active);
    let age = backlog.oldest.map_or(0.0, |oldest| Timestamp::now().duration_since(oldest).as_secs_f64());
    let help = "Age of the oldest search that has not ended; 0 if there is none";
    registry.register_with_unit("skyblast_oldest_search", help, Unit::Seconds, ConstGauge::new(age.max(0.0)));
    let messages = Family::<OfQueue, Gauge>::default();
    for (stage, count) in &backlog.messages {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        messages.get_or_create(&OfQueue { queue: stage.queue() }).set(count);
    }
    registry.register("skyblast_queue_messages", "Messages that wait or are worked on, about", messages);
}
