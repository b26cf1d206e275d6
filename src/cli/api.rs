//! The calls of a server's API.

use std::fmt;
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use indicatif::HumanCount;
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::{Client, accepted, copy};
use super::exit::Exit;
use super::options::SearchFlags;
use super::progress::ComparisonBar;
use super::results::{SubjectPart, Subjects};
use super::status;
use crate::functions::{MISSING_SHARDS, PARTIAL_QUERIES};
use crate::jobs::{Check, Estimate, JobId, Listing, Page, QueryTotals, State, Status, Warning};
use crate::report::OutputFormat;
use crate::sequence::taxids::Taxid;

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
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Accepted {
    pub(super) id: JobId,
    /// Not known yet of queries that were uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queries: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comparisons: Option<u64>,
    #[serde(default)]
    pub(super) warnings: Vec<Warning>,
    #[serde(default)]
    pub(super) further_warnings: u64,
    /// Taxids of the request that the database does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) absent_taxids: Vec<Taxid>,
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

/// A report as it comes.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) response: Response,
    /// How many of how many shards it lacks, if any.
    pub(super) missing: Option<String>,
    /// The places of the queries that it is on, if its job has not ended.
    pub(super) so_far: Option<String>,
}

/// How a job has ended that was to be cancelled.
#[derive(Debug, Deserialize)]
pub(super) struct Cancelled {
    pub(super) state: State,
    /// Whether it had ended before.
    #[serde(default)]
    pub(super) ended_before: bool,
}

/// Whether a job has been retried.
#[derive(Debug, Deserialize)]
pub(super) struct Retried {
    pub(super) state: State,
    /// Not if it had not ended.
    pub(super) begun: bool,
}

/// A database of the server.
#[derive(Debug, Deserialize)]
pub(super) struct DatabaseEntry {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) sequences: u64,
    pub(super) residues: u64,
    pub(super) volumes: usize,
    pub(super) created: Timestamp,
}

/// Media type of queries.
const FASTA: &str = "text/x-fasta";
/// Pause between two looks at a running job.
const POLL: Duration = Duration::from_secs(1);
/// The header with which a submission can be repeated.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

impl Client {
    /// What the server tells anybody.
    pub(super) async fn health(&self) -> anyhow::Result<Health> {
        let request = self.request(Method::GET, "health");
        let ask = async || {
            let response = self.send_as_is(copy(&request)?).await?;
            // That it is unavailable is an answer, if the server itself says so.
            match response.status() {
                StatusCode::UNAUTHORIZED | StatusCode::SERVICE_UNAVAILABLE => Ok(response),
                status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                    accepted(response).await
                }
                _ => Ok(response),
            }
        };
        let response = self.patience.repeat(ask).await?;
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
        let request = request.header(IDEMPOTENCY_KEY, new_key()?).header("content-type", FASTA);
        let accepted: Accepted = self.json(request.body(fasta)).await?;
        Ok(accepted.id)
    }

    /// The request that submits queries; its body is to be added. Sent again with the same key, it is the
    /// same search.
    pub(super) fn submission(
        &self,
        database: &str,
        flags: &SearchFlags,
        further: &[(&'static str, String)],
        key: &str,
    ) -> anyhow::Result<RequestBuilder> {
        let (_, format) = flags.settle()?;
        in_one_file(&format)?;
        let mut choices = flags.choices();
        // Format 0 has limits of its own, which the format carries.
        choices.max_target_seqs = flags.max_target_seqs();
        Ok(self
            .request(Method::POST, "searches")
            .query(&[("database", database), ("outfmt", &format.to_string())])
            .query(&choices.pairs())
            .query(further)
            .header(IDEMPOTENCY_KEY, key)
            .header("content-type", FASTA))
    }

    /// What a search will take of `whole` queries that begin with those in `fasta`, for so many own workers.
    pub(super) async fn estimate(
        &self,
        (fasta, whole): (Vec<u8>, QueryTotals),
        database: &str,
        flags: &SearchFlags,
        taxa: &[(&'static str, String)],
        workers: u64,
    ) -> anyhow::Result<Estimate> {
        let QueryTotals { queries, residues } = whole;
        let request = self.submission(database, flags, taxa, &new_key()?)?.query(&[("dry_run", "true")]);
        let counts = [("of_queries", queries), ("of_residues", residues), ("workers", workers)];
        self.json(request.query(&counts).body(fasta)).await
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
        let bar = ComparisonBar::told();
        loop {
            let status = self.status(id).await?;
            bar.set_total(status.comparisons.total);
            bar.set(status.comparisons.done + status.comparisons.failed);
            bar.tell(status::progress(&status));
            if status.state.is_final() {
                return Ok(status);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// A job's report as it comes, from the server or from where it redirects to.
    pub(super) async fn results(
        &self,
        id: JobId,
        outfmt: Option<&OutputFormat>,
        partial: bool,
    ) -> anyhow::Result<Download> {
        let request = self.request(Method::GET, &format!("searches/{id}/results"));
        let request = with_choices(request, outfmt, partial)?;
        let fetch = async || self.download(self.send_as_user(copy(&request)?).await?).await;
        self.patience.repeat(fetch).await
    }

    /// The subjects of a job's report as FASTA.
    pub(super) async fn sequences(&self, id: JobId, wanted: &Subjects) -> anyhow::Result<Download> {
        let Subjects { part, query, evalue, partial } = wanted;
        let part = match part {
            SubjectPart::Whole => "whole",
            SubjectPart::Aligned => "aligned",
        };
        let request = self.request(Method::GET, &format!("searches/{id}/sequences"));
        let request = request.query(&[("part", part), ("partial", if *partial { "true" } else { "false" })]);
        let request = request.query(&[("query", query)]).query(&[("evalue", evalue)]);
        let fetch = async || self.download(self.send_as_user(copy(&request)?).await?).await;
        self.patience.repeat(fetch).await
    }

    /// The report behind a link, for which nobody needs to sign in.
    pub(super) async fn shared(
        &self,
        link: &Url,
        outfmt: Option<&OutputFormat>,
        partial: bool,
    ) -> anyhow::Result<Download> {
        let request = with_choices(self.http.get(link.clone()), outfmt, partial)?;
        let fetch = async || self.download(self.send_as_is(copy(&request)?).await?).await;
        self.patience.repeat(fetch).await
    }

    /// Follows a redirection to another host, which must not get our key and token.
    async fn download(&self, response: Response) -> anyhow::Result<Download> {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let missing = header(MISSING_SHARDS).map(|missing| missing.replace('/', " of "));
        let so_far = header(PARTIAL_QUERIES).map(str::to_owned);
        let elsewhere = header("location").filter(|_| response.status().is_redirection());
        let response = match elsewhere {
            Some(address) => accepted(self.send_as_is(self.http.get(address)).await?).await?,
            None => accepted(response).await?,
        };
        Ok(Download { response, missing, so_far })
    }

    /// Cancels a job, unless it has ended.
    pub(super) async fn cancel(&self, id: JobId) -> anyhow::Result<Cancelled> {
        self.json(self.request(Method::DELETE, &format!("searches/{id}"))).await
    }

    /// Tries the failed shards of a job again.
    pub(super) async fn retry(&self, id: JobId) -> anyhow::Result<Retried> {
        self.json(self.request(Method::POST, &format!("searches/{id}/retry"))).await
    }

    /// A page of searches, newest first.
    pub(super) async fn searches(&self, wanted: &Listing) -> anyhow::Result<Page> {
        let mut request = self.request(Method::GET, "searches").query(&[("limit", wanted.limit)]);
        if let Some(state) = wanted.state {
            request = request.query(&[("state", state.word())]);
        }
        if let Some(after) = &wanted.after {
            request = request.query(&[("after", after)]);
        }
        self.json(request).await
    }

    /// Removes a job that has ended.
    pub(super) async fn remove(&self, id: JobId) -> anyhow::Result<()> {
        let request = self.request(Method::DELETE, &format!("searches/{id}"));
        self.send(request.query(&[("purge", true)])).await.map(drop)
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

/// Something that no other request has had, to submit a search with.
pub(super) fn new_key() -> anyhow::Result<String> {
    Ok(JobId::random()?.to_string())
}

fn with_choices(
    request: RequestBuilder,
    outfmt: Option<&OutputFormat>,
    partial: bool,
) -> anyhow::Result<RequestBuilder> {
    outfmt.map_or(Ok(()), in_one_file)?;
    let request = if partial { request.query(&[("partial", "true")]) } else { request };
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
            format.name(),
            single.name()
        ))),
    }
}
