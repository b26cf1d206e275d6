//! Talking to a server's API, wherever it runs.

use std::time::Duration;

use anyhow::Context;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::sign_in::SignIn;
use crate::store::is_local;

/// Where the server is and what lets us in.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ServerFlags {
    /// Address of the server
    #[arg(long, value_name = "URL", env = "SKYBLAST_SERVER", default_value = "http://127.0.0.1:8765")]
    server: String,

    /// Function key, if the server asks for one
    #[arg(long, value_name = "KEY", env = "SKYBLAST_KEY", hide_env_values = true)]
    key: Option<String>,

    /// What the server's users sign in to, such as api://CLIENT_ID [default: what the server says]
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
}

/// A client of one server.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    server: String,
    key: Option<String>,
    sign_in: Option<SignIn>,
}

/// A server's refusal.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    text: String,
}

/// The part of an error document (RFC 9457) that is for people.
#[derive(Debug, Deserialize)]
struct Problem {
    title: String,
    detail: Option<String>,
}

/// Time for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Client {
    /// A client of the server, signed in if the server wants that and is not on this machine.
    pub(super) async fn connect(flags: &ServerFlags) -> anyhow::Result<Self> {
        let mut client = Self::new(flags)?;
        client.sign_in(flags).await?;
        Ok(client)
    }

    /// A client that has not signed in.
    pub(super) fn new(flags: &ServerFlags) -> anyhow::Result<Self> {
        let server = flags.server.trim_end_matches('/').trim_end_matches("/api").to_owned();
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::custom(within_host))
            .user_agent(concat!("skyblast/", env!("CARGO_PKG_VERSION")));
        if Url::parse(&server).is_ok_and(|url| is_local(&url)) {
            http = http.no_proxy();
        }
        Ok(Self { http: http.build()?, server, key: flags.key.clone(), sign_in: None })
    }

    /// A client of a server on this machine.
    pub(super) fn of(server: String) -> anyhow::Result<Self> {
        Self::new(&ServerFlags { server, key: None, audience: None })
    }

    /// Gets a token for the server if it wants one.
    pub(super) async fn sign_in(&mut self, flags: &ServerFlags) -> anyhow::Result<()> {
        let local = Url::parse(&self.server).is_ok_and(|url| is_local(&url));
        let audience = match &flags.audience {
            Some(audience) => Some(audience.clone()),
            None if local => None,
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

    /// Sends a request as whoever is signed in; returns whatever is answered.
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

    pub(super) async fn send_as_is(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.map_err(reqwest::Error::without_url);
        response.with_context(|| format!("could not reach {}", self.server))
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        accepted(self.send_as_user(request).await?).await
    }

    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let response = self.send(request).await?;
        response
            .json()
            .await
            .context("the server's answer is not understood; is it a skyblast server of this version?")
    }
}

/// Redirections within a host are followed.
fn within_host(attempt: Attempt<'_>) -> Action {
    let from = attempt.previous().last();
    if attempt.previous().len() < 5 && from.is_some_and(|from| from.host_str() == attempt.url().host_str()) {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// The answer if it is one to be content with, else an error that says what the server says.
pub(super) async fn accepted(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    let text = match serde_json::from_str(&text) {
        Ok(Problem { title, detail }) => detail.unwrap_or(title),
        Err(_) if status == StatusCode::UNAUTHORIZED => {
            "the server wants a function key; give --key or set SKYBLAST_KEY".to_owned()
        }
        Err(_) => format!("the server answered {status}: {}", text.chars().take(300).collect::<String>()),
    };
    Err(Refused { status, text }.into())
}
