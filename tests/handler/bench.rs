//! A host with the project's functions, a storage account with the example database, and a client.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use skyblast::jobs::Stage;
use skyblast::store::{BlobStore, Location, Queue, Store};

use crate::common::azurite::Azurite;
use crate::common::examples::{self, CHUNK_RESIDUES, DATABASE};
use crate::common::process::PATIENCE;
use crate::host::{FunctionsHost, HostOptions};

/// Pause between two looks at something that will change.
const LOOK: Duration = Duration::from_millis(100);

/// A storage account with the example database.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) connection: String,
    store: Arc<Store>,
}

impl Account {
    /// An account of the test's own in the shared emulator.
    pub(crate) fn with_database() -> Self {
        Self::publish(Azurite::shared().spare_account())
    }

    /// The account behind `connection`, into which the example database is put.
    pub(crate) fn publish(connection: String) -> Self {
        Self::publish_database(examples::database(), connection)
    }

    /// The same with the database in one volume: with [`one_chunk`] a job is one long shard.
    pub(crate) fn publish_one_volume(connection: String) -> Self {
        Self::publish_database(examples::one_volume(), connection)
    }

    /// The account behind `connection`, into which the database in a folder is put under the usual name.
    pub(crate) fn publish_database(database: &Path, connection: String) -> Self {
        examples::publish(database, &connection);
        Self::open(connection)
    }

    /// The account behind `connection` as it is.
    pub(crate) fn open(connection: String) -> Self {
        let store = Location::parse(&connection, |_| None).unwrap().open().unwrap();
        Self { connection, store }
    }

    pub(crate) fn blobs(&self, container: &str) -> Arc<dyn BlobStore> {
        self.store.blobs(container).unwrap()
    }

    pub(crate) fn queue(&self, name: &str) -> Arc<dyn Queue> {
        self.store.queue(name).unwrap()
    }

    fn queues(&self) -> Vec<Arc<dyn Queue>> {
        let names = Stage::ALL.iter().flat_map(|stage| [stage.queue(), stage.poison_queue()]);
        names.map(|name| self.queue(name)).collect()
    }

    /// Names of all blobs of a container.
    pub(crate) async fn blobs_named(&self, container: &str) -> Vec<String> {
        let blobs: Vec<_> = self.blobs(container).list("").try_collect().await.unwrap();
        blobs.into_iter().map(|blob| blob.name.to_string()).collect()
    }

    /// Waits until a queue holds `count` messages, hidden ones included.
    pub(crate) async fn wait_for_messages(&self, queue: &str, count: u64) {
        let queue = self.queue(queue);
        eventually(&format!("{count} messages in {}", queue.name()), async || {
            queue.approximate_count().await.unwrap_or_default() == count
        })
        .await;
    }

    /// Waits until a queue holds so many messages or more.
    pub(crate) async fn wait_for_at_least(&self, queue: &str, count: u64) {
        let queue = self.queue(queue);
        eventually(&format!("{count} messages or more in {}", queue.name()), async || {
            queue.approximate_count().await.unwrap_or_default() >= count
        })
        .await;
    }

    /// Takes all messages out of a queue.
    pub(crate) async fn purge(&self, queue: &str) -> Vec<String> {
        let queue = self.queue(queue);
        let mut bodies = Vec::new();
        loop {
            let batch = queue.receive(32, Duration::from_secs(60)).await.unwrap();
            if batch.is_empty() {
                return bodies;
            }
            for delivery in batch {
                queue.delete(&delivery).await.unwrap();
                bodies.push(delivery.body);
            }
        }
    }

    /// A host on this account with quick retries, many small shards, and what `adapt` changes.
    pub(crate) async fn host(&self, adapt: impl FnOnce(HostOptions) -> HostOptions) -> Bench {
        let options = HostOptions::for_project(env!("CARGO_BIN_EXE_skyblast")).unwrap();
        self.host_of(options, adapt).await
    }

    /// The same of another script root.
    pub(crate) async fn host_of(
        &self,
        options: HostOptions,
        adapt: impl FnOnce(HostOptions) -> HostOptions,
    ) -> Bench {
        let options = options
            .setting("AzureWebJobsStorage", &self.connection)
            .setting("SKYBLAST_CHUNK_RESIDUES", CHUNK_RESIDUES.to_string())
            .host_json("extensions__queues__visibilityTimeout", "00:00:01")
            .host_json("extensions__queues__maxPollingInterval", "00:00:00.3")
            .queues(self.queues());
        Bench::start(self.clone(), adapt(options)).await
    }
}

/// A running host and a client of it.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) host: FunctionsHost,
    pub(crate) account: Account,
    client: reqwest::Client,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The detail of a problem with `status` and `kind`.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> String {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{text}");
        assert_eq!(self.json()["type"], format!("urn:skyblast:problem:{kind}"), "{text}");
        self.json()["detail"].as_str().unwrap().to_owned()
    }
}

impl Bench {
    async fn start(account: Account, options: HostOptions) -> Self {
        let host = FunctionsHost::start(options).await.unwrap();
        let client = skyblast::store::http_client().no_proxy().build().unwrap();
        Self { host, account, client }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/api/{path}", self.host.url()))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let headers = response.headers().iter();
        Answer {
            status: response.status(),
            headers: headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts FASTA.
    pub(crate) async fn post(&self, fasta: Vec<u8>) -> Answer {
        let path = format!("searches?database={DATABASE}");
        self.send(self.request(Method::POST, &path).body(fasta)).await
    }

    /// Submits FASTA and returns the job's id.
    pub(crate) async fn submit(&self, fasta: Vec<u8>) -> String {
        let answer = self.post(fasta).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&answer.body));
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(answer.headers["location"], format!("/api/searches/{id}"));
        id
    }

    /// Submits the bundled queries.
    pub(crate) async fn submit_examples(&self) -> String {
        self.submit(std::fs::read(examples::queries()).unwrap()).await
    }

    /// Waits until the job has ended, and returns its status.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        let mut last = Value::Null;
        eventually("the end of the job", async || {
            let answer = self.get(&format!("searches/{id}")).await;
            if answer.status.is_success() {
                last = answer.json();
            }
            last["finished"].is_string()
        })
        .await;
        last
    }

    /// The report of a job, in the format it was submitted with.
    pub(crate) async fn report(&self, id: &str) -> Vec<u8> {
        let answer = self.get(&format!("searches/{id}/results")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
        answer.body
    }

    /// What there is of the report of a job that lacks shards; it is not given without being asked for.
    pub(crate) async fn part_of_report(&self, id: &str) -> Vec<u8> {
        let path = format!("searches/{id}/results");
        assert_eq!(self.get(&path).await.status, StatusCode::CONFLICT);
        let answer = self.get(&format!("{path}?partial=true")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
        answer.body
    }

    /// Waits until the job has ended without any failure, and compares its report with
    /// `skyblast search`.
    pub(crate) async fn completes(&self, id: &str, expected: &[u8]) {
        let status = self.ended(id).await;
        assert_eq!(status["state"], "completed", "{status:#}");
        assert_eq!(status["shards"]["done"], status["shards"]["total"], "{status:#}");
        assert_eq!(status["shards"]["failed"], 0, "{status:#}");
        assert_eq!(status["comparisons"]["done"], status["comparisons"]["total"], "{status:#}");
        crate::common::in_process::assert_same_report("report", &self.report(id).await, expected);
    }

    /// Waits until `count` calls of a function have ended.
    pub(crate) async fn calls(&self, function: &str, count: usize) {
        self.host.wait_for(PATIENCE, |history| history.of(function).len() >= count).await.unwrap();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (instance, line) in self.host.consoles() {
                eprintln!("[{instance}] {}", line.text);
            }
        }
    }
}

/// Makes one chunk of [`LONG`] copies of the bundled queries, and lets the log say when it is begun.
pub(crate) fn one_chunk(options: HostOptions) -> HostOptions {
    options.setting("SKYBLAST_CHUNK_RESIDUES", "100000000").setting("SKYBLAST_LOG", "skyblast=debug")
}

/// What the log says, at level debug, when a shard is begun.
pub(crate) const BEGUN: &str = "comparing a shard";

/// Copies of the bundled queries that keep a core busy for some seconds, and fit into one chunk.
pub(crate) const LONG: usize = 8;

/// All functions but these.
pub(crate) fn all_but(left_out: &[&str]) -> Vec<&'static str> {
    const OTHERS: [&str; 12] = [
        "submit",
        "status",
        "results",
        "cancel",
        "databases",
        "health",
        "sweep",
        "doctor",
        "upload",
        "part",
        "share",
        "shared",
    ];
    let stages = Stage::ALL.iter().flat_map(|stage| [stage.function(), stage.poison_function()]);
    stages.chain(OTHERS).filter(|name| !left_out.contains(name)).collect()
}

/// Waits until `look` says yes.
pub(crate) async fn eventually(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !look().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not seen within {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
    }
}
