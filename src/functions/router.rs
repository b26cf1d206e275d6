//! The router: addresses to functions, and what all answers have in common.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_request, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use tower_http::catch_panic::CatchPanicLayer;

use super::caller::trace_of;
use super::kind::Kind;
use super::problem::Problem;
use super::services::{App, Limits, Services};
use super::{
    blast_cgi, browse, cancel, compression, cross_origin, databases, description, doctor, drain, health,
    label, list, metrics, origin, page, queue, results, retry, sequences, share, status, submit, sweep,
    upload,
};
use crate::jobs::Stage;

/// All functions on `services`, for the Functions host alone: whoever reaches these addresses can put
/// messages into the pipeline. The caller adds a listener.
pub fn host_router(services: Services, limits: Limits) -> Router {
    let triggers = queue::routes().route("/sweep", post(sweep::sweep));
    finished(api(&limits).merge(triggers), services, limits)
}

/// The HTTP API on `services`, for users. The caller adds a listener.
pub fn api_router(services: Services, limits: Limits) -> Router {
    finished(api(&limits), services, limits)
}

fn api(limits: &Limits) -> Router<Arc<App>> {
    let add = |router: Router<Arc<App>>, (path, methods)| router.route(path, methods);
    routes(limits).into_iter().fold(Router::new(), add)
}

/// Every address of the API, and what answers there.
fn routes(limits: &Limits) -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    // These two hold their bodies to limits by themselves.
    let drained = from_fn_with_state(limits.body_bytes.saturating_mul(2), drain::drain);
    let submit = post(submit::submit).layer(DefaultBodyLimit::disable()).layer(drained.clone());
    let part = put(upload::part);
    let url_api = get(blast_cgi::blast_cgi).post(blast_cgi::blast_cgi).put(blast_cgi::blast_cgi);
    let url_api = url_api.layer(DefaultBodyLimit::disable()).layer(drained.clone());
    let of_search = get(status::status).delete(cancel::cancel).patch(label::label);
    vec![
        ("/", get(page::root)),
        ("/page/{file}", get(page::file)),
        ("/api/searches", submit.merge(get(list::list))),
        ("/api/searches/{id}", of_search),
        ("/api/searches/{id}/results", get(results::results)),
        ("/api/searches/{id}/sequences", get(sequences::sequences)),
        ("/api/searches/{id}/species", get(browse::species)),
        ("/api/searches/{id}/queries", get(browse::queries)),
        ("/api/searches/{id}/queries/{place}/hits", get(browse::hits)),
        ("/api/searches/{id}/queries/{place}/alignments", get(browse::alignments)),
        ("/api/searches/{id}/retry", post(retry::retry)),
        ("/api/searches/{id}/shares", post(share::share)),
        ("/api/shared", get(share::shared)),
        ("/api/shared/{token}", get(share::shared_by_path)),
        ("/api/uploads", post(upload::upload)),
        ("/api/uploads/{id}/parts/{number}", part),
        ("/api/doctor", get(doctor::doctor)),
        ("/api/databases", get(databases::databases)),
        ("/api/health", get(health::health)),
        ("/api/openapi.json", get(description::openapi)),
        ("/api/docs", get(page::docs)),
        ("/metrics", get(metrics::metrics)),
        (blast_cgi::PATH, url_api),
    ]
}

/// What all answers have in common.
fn finished(routes: Router<Arc<App>>, services: Services, limits: Limits) -> Router {
    let app = Arc::new(App::new(services, limits));
    let mut routes = routes
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), origin::guard));
    if !app.limits.trusted_sites.is_empty() {
        routes = routes.layer(cross_origin::layer(&app.limits.trusted_sites));
    }
    let routes = routes
        .layer(compression::layer())
        .layer(map_response(compression::with_weak_tag))
        .layer(from_fn_with_state(app.clone(), metrics::count))
        .layer(from_fn(log))
        .with_state(app);
    // Before a route is looked for.
    Router::new()
        .fallback_service(routes)
        .layer(map_request(blast_cgi::canonical_path))
        .layer(map_request(without_trailing_slash))
}

/// The same request for the address without slashes at its end.
async fn without_trailing_slash(mut request: Request) -> Request {
    let uri = request.uri();
    let path = uri.path().trim_end_matches('/');
    if path.is_empty() || path.len() == uri.path().len() {
        return request;
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = format!("{path}{query}").parse().ok();
    if let Ok(trimmed) = Uri::from_parts(parts) {
        *request.uri_mut() = trimmed;
    }
    request
}

async fn unknown_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(
        StatusCode::NOT_FOUND,
        Kind::Plain,
        format!("there is nothing at {path}; searches are at /api/searches"),
    )
}

/// The router adds the methods that there are as `Allow`.
async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, Kind::Plain, detail)
}

/// The panic itself is printed by the panic hook.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::internal("the request ran into a bug of skyblast; the log says where").into_response()
}

/// One line per request. Not the query string: it may hold keys. The host has a row of its own for each
/// call of a trigger, and the pipeline a line for what came of it.
async fn log(request: Request, next: Next) -> Response {
    if is_trigger(request.uri().path()) {
        return next.run(request).await;
    }
    let started = Instant::now();
    let (method, path) = (request.method().clone(), without_secrets(request.uri().path()));
    let trace_id = trace_of(request.headers()).map(|trace| trace.trace_id());
    let response = next.run(request).await;
    let milliseconds = started.elapsed().as_millis() as u64;
    let status = response.status();
    if status.as_u16() < 400 && (is_poll(&method, &path) || path.starts_with(page::FILES)) {
        tracing::debug!(%method, path, status = status.as_u16(), milliseconds, trace_id, "answered");
    } else {
        tracing::info!(%method, path, status = status.as_u16(), milliseconds, trace_id, "answered");
    }
    response
}

/// Whether somebody only looks where a search stands, as those who wait for it do every other second.
fn is_poll(method: &Method, path: &str) -> bool {
    let search = path.trim_end_matches('/').strip_prefix("/api/searches/");
    method == Method::GET && search.is_some_and(|id| !id.contains('/'))
}

/// Whether only the host calls this, by a trigger or to see whether the program is ready.
fn is_trigger(path: &str) -> bool {
    let name = path.trim_start_matches('/');
    let mut functions = Stage::ALL.into_iter().flat_map(|stage| [stage.function(), stage.poison_function()]);
    matches!(name, "" | "sweep") || functions.any(|function| function == name)
}

/// The path as it may be logged: earlier links to reports are secrets with their token in the path.
fn without_secrets(path: &str) -> String {
    const LINKS: &str = "/shared/";
    match path.to_ascii_lowercase().find(LINKS) {
        Some(start) => format!("{}…", &path[..start + LINKS.len()]),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::Body;
    use axum::http::header::ALLOW;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;
    use crate::functions::openapi_document;

    #[tokio::test]
    async fn every_route_is_described_with_all_its_methods() {
        let document: Value = serde_json::from_str(openapi_document()).expect("JSON");
        let described = document["paths"].as_object().expect("paths");
        let app = Arc::new(App::new(Services::Unavailable("a test".to_owned()), Limits::default()));
        let routes = routes(&Limits::default());
        assert_eq!(routes.len(), described.len(), "no address is described that there is not");
        for (path, methods) in routes {
            let request = Request::builder().method("PROPFIND").body(Body::empty()).expect("a request");
            let answer = methods.with_state(app.clone()).oneshot(request).await.expect("an answer");
            let allowed = answer.headers()[ALLOW].to_str().expect("text").to_lowercase();
            let allowed: BTreeSet<&str> = allowed.split(',').filter(|method| *method != "head").collect();
            let members: BTreeSet<&str> =
                described[path].as_object().expect(path).keys().map(String::as_str).collect();
            assert_eq!(allowed, members, "{path}");
        }
    }

    #[test]
    fn only_looks_at_where_a_search_stands_are_not_worth_a_line() {
        assert!(is_poll(&Method::GET, "/api/searches/0123456789abcdef0123456789abcdef"));
        for (method, path) in [
            (Method::GET, "/api/searches"),
            (Method::GET, "/api/searches/0123456789abcdef0123456789abcdef/results"),
            (Method::DELETE, "/api/searches/0123456789abcdef0123456789abcdef"),
            (Method::GET, "/api/databases"),
        ] {
            assert!(!is_poll(&method, path), "{method} {path}");
        }
    }
}
