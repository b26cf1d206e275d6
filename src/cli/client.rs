//! Talking to a server's API, wherever it runs.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt;

use super::options::SearchFlags;
use super::progress::ComparisonBar;
use crate::jobs::{JobId, Status, Warning};
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
}

/// A client of one server.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    server: String,
    key: Option<String>,
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

/// The part of an error document (RFC 9457) that is for people.
#[derive(Debug, Deserialize)]
struct Problem {
    title: String,
    detail: Option<String>,
}

/// Time for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between two looks at a running job.
const POLL: Duration = Duration::from_secs(1);
/// How long a server may be out of reach while its job is being watched.
const WATCH_PATIENCE: Duration = Duration::from_secs(300);

impl Client {
    pub(super) fn new(flags: &ServerFlags) -> anyhow::Result<Self> {
        let server = flags.server.trim_end_matches('/').trim_end_matches("/api").to_owned();
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("skyblast/", env!("CARGO_PKG_VERSION")));
        if Url::parse(&server).is_ok_and(|url| is_local(&url)) {
            http = http.no_proxy();
        }
        Ok(Self { http: http.build()?, server, key: flags.key.clone() })
    }

    /// A client of a server on this machine.
    pub(super) fn of(server: String) -> anyhow::Result<Self> {
        Self::new(&ServerFlags { server, key: None })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/{path}", self.server));
        match &self.key {
            Some(key) => request.header("x-functions-key", key),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request
            .send()
            .await
            .map_err(reqwest::Error::without_url)
            .with_context(|| format!("could not reach {}", self.server))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        if let Ok(Problem { title, detail }) = serde_json::from_str(&text) {
            bail!("{}", detail.unwrap_or(title));
        }
        if status == StatusCode::UNAUTHORIZED {
            bail!("the server wants a function key; give --key or set SKYBLAST_KEY");
        }
        bail!("the server answered {status}: {}", text.chars().take(300).collect::<String>());
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let response = self.send(request).await?;
        response
            .json()
            .await
            .context("the server's answer is not understood; is it a skyblast server of this version?")
    }

    /// Submits the FASTA in `path` (`-` for standard input).
    pub(super) async fn submit(
        &self,
        path: &Path,
        database: &str,
        flags: &SearchFlags,
    ) -> anyhow::Result<Accepted> {
        let (_, format) = flags.settle()?;
        in_one_file(&format)?;
        let mut choices = flags.choices();
        // Format 0 has limits of its own, which the format carries.
        choices.max_target_seqs = flags.max_target_seqs();
        let request = self
            .request(Method::POST, "searches")
            .query(&[("database", database), ("outfmt", &format.to_string())])
            .query(&choices.pairs())
            .header("content-type", "text/x-fasta");
        // The Functions host does not take bodies of unknown length.
        let request = if path == Path::new("-") {
            let mut body = Vec::new();
            tokio::io::stdin().read_to_end(&mut body).await.context("could not read standard input")?;
            request.body(body)
        } else {
            let open = || format!("could not open {}", path.display());
            let file = tokio::fs::File::open(path).await.with_context(open)?;
            let length = file.metadata().await.with_context(open)?.len();
            request.header("content-length", length).body(Body::from(file))
        };
        self.json(request).await
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

    /// A job's report as it comes.
    pub(super) async fn results(&self, id: JobId, outfmt: Option<&OutputFormat>) -> anyhow::Result<Response> {
        let request = self.request(Method::GET, &format!("searches/{id}/results"));
        outfmt.map_or(Ok(()), in_one_file)?;
        self.send(match outfmt {
            Some(outfmt) => request.query(&[("outfmt", outfmt.to_string())]),
            None => request,
        })
        .await
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
