//! The calls of a server's API.

use std::fmt;
use std::time::Duration;

use anyhow::{anyhow, bail};
use bytes::Bytes;
use indicatif::HumanCount;
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, accepted};
use super::exit::Exit;
use super::options::SearchFlags;
use super::progress::ComparisonBar;
use crate::jobs::{Check, JobId, Status, Warning};
use crate::report::OutputFormat;

/// What anybody is told of a server.
#[derive(Debug)]
pub(super) struct Health {
    pub(super) version: Option<String>,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
    /// What its users sign in to, if they do; empty if it does not say.
    pub(super) audience: Option<String>,
    /// Longest body that it takes, in bytes, if it says.
    pub(super) body_limit: Option<u64>,
}

/// What the server says of a search that it has accepted.
#[derive(Debug, Deserialize)]
pub(super) struct Accepted {
    pub(super) id: JobId,
    /// Not known yet of queries that were uploaded.
    pub(super) queries: Option<u64>,
    pub(super) comparisons: Option<u64>,
    #[serde(default)]
    pub(super) warnings: Vec<Warning>,
    #[serde(default)]
    pub(super) further_warnings: u64,
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {}: ", self.id)?;
        match (self.queries, self.comparisons) {
            (Some(queries), Some(comparisons)) => {
                write!(f, "{} queries, {} comparisons", HumanCount(queries), HumanCount(comparisons))
            }
            _ => f.write_str("its queries are uploaded and will be read"),
        }
    }
}

/// Where to send queries that are too large for one request.
#[derive(Debug, Deserialize)]
pub(super) struct Ticket {
    pub(super) id: JobId,
    /// An address of storage; without it they are sent in parts.
    pub(super) url: Option<String>,
    pub(super) part_bytes: u64,
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

/// Media type of queries.
const FASTA: &str = "text/x-fasta";
/// Pause between two looks at a running job.
const POLL: Duration = Duration::from_secs(1);
/// How long a server may be out of reach while its job is being watched.
const WATCH_PATIENCE: Duration = Duration::from_secs(300);

impl Client {
    /// What the server tells anybody.
    pub(super) async fn health(&self) -> anyhow::Result<Health> {
        let response = self.send_as_is(self.request(Method::GET, "health")).await?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let date = header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let date = date.map(|date| date.timestamp());
        // App Service authentication that lets nobody pass without a token names its audience here.
        let challenge = header("www-authenticate").and_then(resource_id).map(str::to_owned);
        if response.status() == StatusCode::UNAUTHORIZED {
            return Ok(Health { version: None, date, audience: challenge, body_limit: None });
        }
        let text = response.text().await.unwrap_or_default();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let sign_in = answer.get("sign_in").filter(|sign_in| !sign_in.is_null());
        Ok(Health {
            version: answer["version"].as_str().map(str::to_owned),
            date,
            audience: sign_in.map(|sign_in| sign_in["audience"].as_str().unwrap_or_default().to_owned()),
            body_limit: answer["body_limit_bytes"].as_u64(),
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
            (Some(link), Some(expires)) => Ok((format!("{}{link}", self.server()), expires.to_owned())),
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
        Some(single) => Err(Exit::WrongCommandLine.because(format_args!(
            "a server sends one file, but output format {} is several; {} has the same in one",
            format.number(),
            single.number()
        ))),
    }
}
