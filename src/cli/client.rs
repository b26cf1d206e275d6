//! Talking to a server's API, wherever it runs.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::duration::parse_duration;
use super::exit::Exit;
use super::patience::{self, NoAnswer, Patience};
use super::server_address::{parse_server, unreachable};
use super::sign_in::SignIn;
use crate::jobs::State;
use crate::store::{http_client, is_local};

/// Where the server is and what lets us in.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ServerFlags {
    /// Address of the server; a host without https:// will do
    #[arg(
        long,
        value_name = "URL",
        env = "SKYBLAST_SERVER",
        default_value = "http://127.0.0.1:8765",
        value_parser = parse_server
    )]
    server: String,

    /// Function key, if the server asks for one
    #[arg(long, value_name = "KEY", env = "SKYBLAST_KEY", hide_env_values = true)]
    key: Option<String>,

    /// What the server's users sign in to, such as api://CLIENT_ID [default: what the server says]
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,

    /// How long to go on when the server is out of reach or out of order, or asks to come back
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_duration)]
    retry_for: Duration,
}

/// A client of one server.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    server: String,
    key: Option<String>,
    sign_in: Option<SignIn>,
    pub(super) patience: Patience,
}

/// A server's refusal.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<Duration>,
    /// Whether the server itself has said so, and not what stands before it.
    by_server: bool,
    text: String,
}

impl Refused {
    /// What storage has answered, with its code for it.
    pub(super) fn by_storage(status: StatusCode, code: &str) -> Self {
        let text = format!("storage answered {status} {code}").trim_end().to_owned();
        Self { status, retry_after: None, by_server: false, text }
    }

    /// Whether the same request may be answered in a while. An error that skyblast itself calls internal
    /// is there to stay.
    pub(super) fn may_pass(&self) -> bool {
        match self.status.as_u16() {
            408 | 429 | 502 | 503 | 504 => true,
            500 => !self.by_server,
            _ => false,
        }
    }
}

/// The part of an error document (RFC 9457) that is for people.
#[derive(Debug, Deserialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: Option<String>,
    title: String,
    detail: Option<String>,
    /// Of a report that is not there: the state of its job.
    state: Option<State>,
    /// Of a report that lacks shards.
    #[serde(flatten)]
    missing: Option<Missing>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Missing {
    missing_shards: u64,
    shards: u64,
}

/// Time for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for an answer to begin; what stands before a server gives up earlier.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);

impl Client {
    /// A client of the server, signed in if the server wants that and is not on this machine.
    pub(super) async fn connect(flags: &ServerFlags) -> anyhow::Result<Self> {
        let mut client = Self::new(flags)?;
        client.sign_in(flags).await?;
        Ok(client)
    }

    /// A client that has not signed in.
    pub(super) fn new(flags: &ServerFlags) -> anyhow::Result<Self> {
        let server = flags.server.clone();
        let local = Url::parse(&server).is_ok_and(|url| is_local(&url));
        let mut http = http_client()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::custom(within_host))
            .user_agent(concat!("skyblast/", env!("CARGO_PKG_VERSION")));
        if local {
            http = http.no_proxy();
        }
        let patience = Patience::new(flags.retry_for, local);
        Ok(Self { http: http.build()?, server, key: flags.key.clone(), sign_in: None, patience })
    }

    /// A client of a server on this machine.
    pub(super) fn of(server: String) -> anyhow::Result<Self> {
        Self::new(&ServerFlags { server, key: None, audience: None, retry_for: patience::USUAL })
    }

    /// Gets a token for the server if it wants one.
    pub(super) async fn sign_in(&mut self, flags: &ServerFlags) -> anyhow::Result<()> {
        let audience = match &flags.audience {
            Some(audience) => Some(audience.clone()),
            None if self.patience.is_local() => None,
            None => self.health().await?.audience,
        };
        if let Some(audience) = audience {
            self.sign_in = Some(SignIn::new(audience).await?);
        }
        Ok(())
    }

    /// The server's address.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/{path}", self.server));
        match &self.key {
            Some(key) => request.header("x-functions-key", key),
            None => request,
        }
    }

    /// Sends a request once, as whoever is signed in; returns whatever is answered.
    pub(super) async fn send_as_user(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let Some(sign_in) = &self.sign_in else { return self.send_as_is(request).await };
        let again = request.try_clone();
        let response = self.send_as_is(request.bearer_auth(sign_in.token().await)).await?;
        // A token lives for about an hour, a job may take longer.
        match again {
            Some(again) if response.status() == StatusCode::UNAUTHORIZED => {
                sign_in.renew().await?;
                self.send_as_is(again.bearer_auth(sign_in.token().await)).await
            }
            _ => Ok(response),
        }
    }

    /// Sends a request once, as nobody in particular; returns whatever is answered.
    pub(super) async fn send_as_is(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let failed = || unreachable(&self.server);
        let sent = timeout(ANSWER_TIMEOUT, request.send()).await;
        let response = sent.map_err(|_| NoAnswer(ANSWER_TIMEOUT)).with_context(failed)?;
        let response = response.map_err(reqwest::Error::without_url).with_context(failed)?;
        self.patience.note_answer();
        Ok(response)
    }

    /// The answer to a request that can be repeated.
    pub(super) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let send = async || accepted(self.send_as_user(copy(&request)?).await?).await;
        self.patience.repeat(send).await
    }

    /// The answer to a request that can be repeated, as what it means.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        self.patience.repeat(async || self.json_once(copy(&request)?).await).await
    }

    /// The answer to a request that is sent once.
    pub(super) async fn json_once<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let response = accepted(self.send_as_user(request).await?).await?;
        response
            .json()
            .await
            .context("the server's answer is not understood; is it a skyblast server of this version?")
    }
}

/// Another request like this one.
pub(super) fn copy(request: &RequestBuilder) -> anyhow::Result<RequestBuilder> {
    request.try_clone().context("a request whose body is read while it is sent cannot be repeated")
}

/// Redirections within a server are followed: to another path, or to the same by HTTPS.
fn within_host(attempt: Attempt<'_>) -> Action {
    let within = attempt.previous().last().is_some_and(|from| {
        let to = attempt.url();
        let same_port = from.port_or_known_default() == to.port_or_known_default();
        from.host_str() == to.host_str() && (same_port || (from.scheme(), to.scheme()) == ("http", "https"))
    });
    if within && attempt.previous().len() < 5 { attempt.follow() } else { attempt.stop() }
}

/// The answer if it is one to be content with, else an error that says what the server says.
pub(super) async fn accepted(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(&response);
    let text = response.text().await.unwrap_or_default();
    let problem: Option<Problem> = serde_json::from_str(&text).ok();
    if let Some(ending) = problem.as_ref().and_then(Problem::ending) {
        return Err(ending);
    }
    let by_server = problem
        .as_ref()
        .is_some_and(|problem| problem.kind.as_ref().is_some_and(|kind| kind.starts_with(PROBLEMS)));
    let text = match problem {
        Some(problem) => problem.text(),
        None if status == StatusCode::UNAUTHORIZED => {
            "the server wants a function key; give --key or set SKYBLAST_KEY".to_owned()
        }
        None => match text.trim() {
            "" => format!("the server answered {status}, without a reason"),
            text => format!("the server answered {status}: {}", text.chars().take(300).collect::<String>()),
        },
    };
    Err(Refused { status, retry_after, by_server, text }.into())
}

/// Types of problems that skyblast itself names begin so.
const PROBLEMS: &str = "urn:skyblast:";

impl Problem {
    fn text(self) -> String {
        self.detail.unwrap_or(self.title)
    }

    /// What a problem says of a report that is not all there.
    fn ending(&self) -> Option<anyhow::Error> {
        if let Some(Missing { missing_shards, shards }) = self.missing {
            return Some(Exit::Incomplete.because(format_args!(
                "the report lacks {missing_shards} of {shards} shards, so it may lack hits; skyblast status says \
                 why, and --partial fetches what there is"
            )));
        }
        let state = self.state.filter(|state| state.is_final() && !state.has_report())?;
        let detail = self.detail.clone().unwrap_or_else(|| format!("the search is {state}"));
        Some(Exit::NoReport.because(detail))
    }
}

/// When the server wants to be asked again: seconds, or a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(Timestamp::now())).unwrap_or_default())
}
