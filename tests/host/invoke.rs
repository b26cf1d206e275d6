//! Calls of functions: sent as a chunked `POST /<FunctionName>`, judged by the host's rules
//! (rules 2, 4 and 5), ended by `functionTimeout`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use axum::body::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use super::faults::FaultSource;
use super::journal::{Invocation, Journal, MessageRef, Outcome};
use super::payload::guid;
use super::process::Handler;

/// What the host calls itself in `User-Agent`.
pub(super) const PRODUCT: &str = "Azure-Functions-Host/4.1046.100.25610";
/// Its version.
const VERSION: &str = "4.1046.100.25610";
/// After a timeout the handler has this long before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// Calls the functions of one instance.
#[derive(Debug)]
pub(super) struct Invoker {
    /// Number of the instance, from 0.
    pub(super) instance: usize,
    /// Its handler.
    pub(super) handler: Arc<Handler>,
    /// Sends requests; follows no redirects and keeps no connections.
    pub(super) client: reqwest::Client,
    /// `functionTimeout`; counted from the moment when the handler is ready.
    pub(super) timeout: Option<Duration>,
    /// Misfortunes.
    pub(super) faults: Arc<FaultSource>,
    /// Where calls are recorded.
    pub(super) journal: Arc<Journal>,
}

impl Invoker {
    /// Calls `function` with `payload` and records the outcome.
    pub(super) async fn invoke(
        &self,
        function: &str,
        payload: &Value,
        message: Option<MessageRef>,
    ) -> Outcome {
        let body = Bytes::from(payload.to_string());
        // A streamed body has no length, so it is sent in chunks, as the host does.
        let body = futures::stream::once(async move { Ok::<_, Infallible>(body) });
        let request = self
            .client
            .post(self.url(&format!("/{function}")))
            .headers(call_headers())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header(USER_AGENT, PRODUCT)
            .body(reqwest::Body::wrap_stream(body));
        let killed = self.faults.kills_next(function);
        let call = async {
            let kill = async {
                if killed {
                    self.handler.kill().await;
                }
            };
            let (answer, ()) = tokio::join!(Answer::receive(request), kill);
            match judge(&answer?)? {
                Some(logs) => Ok(logs),
                // Rule 4: the host waits for a result that it has overlooked.
                None => std::future::pending().await,
            }
        };
        let result =
            self.run(function, None, message, call, |logs| Outcome::Succeeded { logs: logs.clone() }).await;
        result.map_or_else(|failure| failure, |logs| Outcome::Succeeded { logs })
    }

    /// Sends a forwarded HTTP request for `function` and records the outcome.
    pub(super) async fn forward(
        &self,
        function: &str,
        path: &str,
        request: RequestBuilder,
    ) -> Result<Answer, Outcome> {
        let call = Answer::receive(request.headers(call_headers()));
        let path = Some(path.to_owned());
        self.run(function, path, None, call, |answer| Outcome::Answered(answer.status.as_u16())).await
    }

    /// The handler's address of `path_and_query`.
    pub(super) fn url(&self, path_and_query: &str) -> String {
        format!("http://127.0.0.1:{}{path_and_query}", self.handler.port())
    }

    async fn run<T>(
        &self,
        function: &str,
        path: Option<String>,
        message: Option<MessageRef>,
        call: impl Future<Output = anyhow::Result<T>>,
        succeeded: impl FnOnce(&T) -> Outcome,
    ) -> Result<T, Outcome> {
        let started = Instant::now();
        let result = self.limited(call).await;
        let outcome = result.as_ref().map_or_else(Clone::clone, succeeded);
        self.journal.ended(Invocation {
            function: function.to_owned(),
            instance: self.instance,
            path,
            message,
            started,
            duration: started.elapsed(),
            outcome,
        });
        result
    }

    /// Waits for the handler, then for the call, at most `functionTimeout`.
    async fn limited<T>(&self, call: impl Future<Output = anyhow::Result<T>>) -> Result<T, Outcome> {
        let start = self.handler.ready().await.map_err(failed)?;
        let limit = self.timeout.unwrap_or(Duration::MAX);
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                if error.is::<reqwest::Error>() {
                    self.handler.settle(start).await;
                }
                Err(failed(error))
            }
            Err(_) => {
                // One call in overtime costs the whole handler, and with it all its other calls.
                let handler = self.handler.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(GRACE).await;
                    handler.recycle(start).await;
                });
                Err(Outcome::TimedOut)
            }
        }
    }
}

/// A handler's whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: StatusCode,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body.
    pub(super) body: Bytes,
}

impl Answer {
    async fn receive(request: RequestBuilder) -> anyhow::Result<Self> {
        let mut response = request.send().await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Ok(Self { status, headers, body: response.bytes().await? })
    }
}

/// Judges the answer to a call that was not forwarded: the lines it logs, or `None` if the host
/// never takes it for done.
fn judge(answer: &Answer) -> anyhow::Result<Option<Vec<String>>> {
    ensure!(answer.status.is_success(), "status {}", answer.status.as_u16());
    if answer.body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let media_type =
        answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    ensure!(
        matches!(essence.as_str(), "application/json" | "text/json"),
        "no MediaTypeFormatter is available for media type {media_type:?}"
    );
    let mut logs = Vec::new();
    let members = match serde_json::from_slice(&answer.body).context("the answer is not JSON")? {
        Value::Null => return Ok(None),
        Value::Object(members) => members,
        other => bail!("the answer is not an object: {other}"),
    };
    for (name, value) in members {
        match name.to_ascii_lowercase().as_str() {
            "outputs" => ensure!(value.is_object() || value.is_null(), "Outputs is not an object"),
            "logs" if !value.is_null() => {
                logs = serde_json::from_value(value).context("Logs is not a list of texts")?;
            }
            // Anything else is dropped in silence.
            _ => {}
        }
    }
    Ok(Some(logs))
}

fn call_headers() -> HeaderMap {
    let id = HeaderValue::try_from(guid()).expect("a GUID is a header value");
    HeaderMap::from_iter([
        (HeaderName::from_static("x-azure-functions-invocationid"), id),
        (HeaderName::from_static("x-azure-functions-hostversion"), HeaderValue::from_static(VERSION)),
    ])
}

fn failed(error: impl Into<anyhow::Error>) -> Outcome {
    Outcome::Failed(format!("{:#}", error.into()))
}
