//! Talking to a server's API, wherever it runs.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::options::SearchFlags;
use super::progress::ComparisonBar;
use super::sign_in::SignIn;
use crate::jobs::{Check, JobId, Status, Warning};
use crate::report::OutputFormat;
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
    #[arg(long, value_name = "AUDIENCE", env = "SKYBLAST_AUDIENCE")]
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

/// What anybody is told of a server.
#[derive(Debug)]
pub(super) struct Health {
    pub(super) version: Option<String>,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
    /// What its users sign in to, if they do; empty if it does not say.
    audience: Option<String>,
}

/// What the server says of a search that it has accepted.
#[derive(Debug, Deserialize)]
pub(super) struct Accepted {
    pub(super) id: JobId,
    pub(super) queries: u64,
    pub(super) comparisons: u64,
    #[serde(default)]
    pub(super) warnings: Vec<Warning>,
    #[serde(default)]
    pub(super) further_warnings: u64,
}

/// Where to send queries that are too large for one request.
#[derive(Debug, Deserialize)]
pub(super) struct Ticket {
    pub(super) id: JobId,
    /// An address of storage; without it they are sent in parts.
    pub(super) url: Option<String>,
    pub(super) part_bytes: u64,
}

/// The part of an error document (RFC 9457) that is for people.
#[derive(Debug, Deserialize)]
struct Problem {
    title: String,
    detail: Option<String>,
}

/// Media type of queries.
const FASTA: &str = "text/x-fasta";
/// Time for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between two looks at a running job.
const POLL: Duration = Duration::from_secs(1);
/// How long a server may be out of reach while its job is being watched.
const WATCH_PATIENCE: Duration = Duration::from_secs(300);

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

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/{path}", self.server));
        match &self.key {
            Some(key) => request.header("x-functions-key", key),
            None => request,
        }
    }

    /// Sends a request as whoever is signed in; returns whatever is answered.
    async fn send_as_user(&self, request: RequestBuilder) -> anyhow::Result<Response> {
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

    async fn send_as_is(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.map_err(reqwest::Error::without_url);
        response.with_context(|| format!("could not reach {}", self.server))
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        accepted(self.send_as_user(request).await?).await
    }

    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let response = self.send(request).await?;
        response
            .json()
            .await
            .context("the server's answer is not understood; is it a skyblast server of this version?")
    }

    /// What the server tells anybody.
    pub(super) async fn health(&self) -> anyhow::Result<Health> {
        let response = self.send_as_is(self.request(Method::GET, "health")).await?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let date = header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let date = date.map(|date| date.timestamp());
        // App Service authentication that lets nobody pass without a token names its audience here.
        let challenge = header("www-authenticate").and_then(resource_id).map(str::to_owned);
        if response.status() == StatusCode::UNAUTHORIZED {
            return Ok(Health { version: None, date, audience: challenge });
        }
        let text = response.text().await.unwrap_or_default();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let sign_in = answer.get("sign_in").filter(|sign_in| !sign_in.is_null());
        Ok(Health {
            version: answer["version"].as_str().map(str::to_owned),
            date,
            audience: sign_in.map(|sign_in| sign_in["audience"].as_str().unwrap_or_default().to_owned()),
        })
    }

    /// Lets the server examine its storage.
    pub(super) async fn examine(&self) -> anyhow::Result<Vec<Check>> {
        self.json(self.request(Method::GET, "doctor")).await
    }

    /// Submits FASTA with usual options.
    pub(super) async fn submit_text(&self, fasta: &'static str, database: &str) -> anyhow::Result<JobId> {
        let request = self.request(Method::POST, "searches").query(&[("database", database)]);
        let accepted: Accepted = self.json(request.header("content-type", FASTA).body(fasta)).await?;
        Ok(accepted.id)
    }

    /// The request that submits queries; its body is to be added.
    pub(super) fn submission(&self, database: &str, flags: &SearchFlags) -> anyhow::Result<RequestBuilder> {
        let (_, format) = flags.settle()?;
        in_one_file(&format)?;
        let mut choices = flags.choices();
        // Format 0 has limits of its own, which the format carries.
        choices.max_target_seqs = flags.max_target_seqs();
        Ok(self
            .request(Method::POST, "searches")
            .query(&[("database", database), ("outfmt", &format.to_string())])
            .query(&choices.pairs())
            .header("content-type", FASTA))
    }

    /// Asks for an upload, or with the id of one for another address of it.
    pub(super) async fn upload(&self, id: Option<JobId>) -> anyhow::Result<Ticket> {
        let request = self.request(Method::POST, "uploads").header("content-length", 0);
        self.json(match id {
            Some(id) => request.query(&[("id", id.to_string())]),
            None => request,
        })
        .await
    }

    /// Sends a part of an upload through the server.
    pub(super) async fn upload_part(&self, id: JobId, number: usize, part: Bytes) -> anyhow::Result<()> {
        let path = format!("uploads/{id}/parts/{number}");
        self.send(self.request(Method::PUT, &path).body(part)).await.map(|_| ())
    }

    /// Makes a link to a job's report; returns it and when it expires.
    pub(super) async fn share(&self, id: JobId, lifetime: Duration) -> anyhow::Result<(String, String)> {
        let request = self.request(Method::POST, &format!("searches/{id}/shares"));
        let request = request.query(&[("seconds", lifetime.as_secs())]).header("content-length", 0);
        let answer: Value = self.json(request).await?;
        match (answer["link"].as_str(), answer["expires"].as_str()) {
            (Some(link), Some(expires)) => Ok((format!("{}{link}", self.server), expires.to_owned())),
            _ => bail!("the server's answer has no link"),
        }
    }

    /// Where a job stands.
    pub(super) async fn status(&self, id: JobId) -> anyhow::Result<Status> {
        self.json(self.request(Method::GET, &format!("searches/{id}"))).await
    }

    /// Shows a job's progress until it has ended.
    pub(super) async fn watch(&self, id: JobId) -> anyhow::Result<Status> {
        let bar = ComparisonBar::new();
        let mut unreachable_since = None;
        loop {
            match self.status(id).await {
                Ok(status) => {
                    unreachable_since = None;
                    bar.set_total(status.comparisons.total);
                    bar.set(status.comparisons.done + status.comparisons.failed);
                    bar.say("shards", status.shards.done + status.shards.failed, status.shards.total);
                    if status.state.is_final() {
                        return Ok(status);
                    }
                }
                Err(error) => {
                    let since = *unreachable_since.get_or_insert_with(std::time::Instant::now);
                    if error.downcast_ref::<reqwest::Error>().is_none() || since.elapsed() > WATCH_PATIENCE {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// A job's report as it comes, from the server or from where it redirects to.
    pub(super) async fn results(&self, id: JobId, outfmt: Option<&OutputFormat>) -> anyhow::Result<Response> {
        let request = self.request(Method::GET, &format!("searches/{id}/results"));
        self.download(self.send_as_user(with_format(request, outfmt)?).await?).await
    }

    /// The report behind a link, for which nobody needs to sign in.
    pub(super) async fn shared(&self, link: &Url, outfmt: Option<&OutputFormat>) -> anyhow::Result<Response> {
        let request = self.http.get(link.clone());
        self.download(self.send_as_is(with_format(request, outfmt)?).await?).await
    }

    /// Follows a redirection to another host, which must not get our key and token.
    async fn download(&self, response: Response) -> anyhow::Result<Response> {
        let elsewhere = response.headers().get("location").and_then(|location| location.to_str().ok());
        match elsewhere.filter(|_| response.status().is_redirection()) {
            Some(address) => accepted(self.send_as_is(self.http.get(address)).await?).await,
            None => accepted(response).await,
        }
    }

    /// Cancels a job; returns the state that it has ended in.
    pub(super) async fn cancel(&self, id: JobId) -> anyhow::Result<String> {
        let outcome: serde_json::Value =
            self.json(self.request(Method::DELETE, &format!("searches/{id}"))).await?;
        let state = outcome["state"].as_str().ok_or_else(|| anyhow!("the server's answer has no state"))?;
        Ok(state.replace('_', " "))
    }

    /// The server's databases, as it lists them.
    pub(super) async fn databases(&self) -> anyhow::Result<Vec<DatabaseEntry>> {
        self.json(self.request(Method::GET, "databases")).await
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
async fn accepted(response: Response) -> anyhow::Result<Response> {
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

/// What a challenge says that tokens must be for.
fn resource_id(challenge: &str) -> Option<&str> {
    challenge.split_once("resource_id=\"")?.1.split('"').next()
}

fn with_format(request: RequestBuilder, outfmt: Option<&OutputFormat>) -> anyhow::Result<RequestBuilder> {
    outfmt.map_or(Ok(()), in_one_file)?;
    Ok(match outfmt {
        Some(outfmt) => request.query(&[("outfmt", outfmt.to_string())]),
        None => request,
    })
}

/// Refuses formats of several files, which a server does not send.
fn in_one_file(format: &OutputFormat) -> anyhow::Result<()> {
    match format.in_one_file() {
        None => Ok(()),
        Some(single) => bail!(
            "a server sends one file, but output format {} is several; {} has the same in one",
            format.number(),
            single.number()
        ),
    }
}

/// A database of the server.
#[derive(Debug, Deserialize)]
pub(super) struct DatabaseEntry {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) sequences: u64,
    pub(super) residues: u64,
}
