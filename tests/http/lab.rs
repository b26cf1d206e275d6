//! A router on a store of its own that holds one database.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures::TryStreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use skyblast::database::{BuildOptions, Builder, Database, VolumeLimit};
use skyblast::functions::{Limits, Services, host_router};
use skyblast::jobs::worker::{self, WorkerSettings};
use skyblast::jobs::{DATABASES, JOBS, JobId, Pipeline, Settings, Stage};
use skyblast::sequence::fasta::Reader;
use skyblast::store::{BlobInfo, BlobName, BlobStore, Location, Queue, Store};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::described;
use crate::common::faulty::{Faults, Mode};

/// Sixty proteins.
pub(crate) const PROTEINS: &[u8] = include_bytes!("../golden/edge/edge_db.fa");

/// The first two of them as queries.
pub(crate) fn two_queries() -> String {
    let text = std::str::from_utf8(PROTEINS).unwrap();
    let end = text.match_indices('>').nth(2).unwrap().0;
    text[..end].to_owned()
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Small chunks, and no patience with storage that fails.
pub(crate) fn settings() -> Settings {
    Settings {
        threads: NonZeroUsize::MIN,
        chunk_residues: Some(2_000),
        patience: Duration::ZERO,
        stall: Duration::ZERO,
        ..Settings::default()
    }
}

pub(crate) struct Lab {
    folder: TempDir,
    store: Arc<Store>,
    pub(crate) faults: Faults,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) router: Router,
}

impl Lab {
    /// A lab with the database `edge` in three volumes.
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default(), settings()).await
    }

    pub(crate) async fn with_body_limit(body_bytes: u64) -> Self {
        Self::with(Limits { body_bytes, ..Limits::default() }, settings()).await
    }

    pub(crate) async fn with(limits: Limits, settings: Settings) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Location::Folder(folder.path().join("store")).open().unwrap();
        let faults = Faults::default();
        let pipeline = Pipeline::new(
            |name| Ok(faults.blobs(store.blobs(name)?)),
            |name| Ok(faults.queue(store.queue(name)?)),
            settings,
        );
        Self::on(folder, store, faults, pipeline, limits).await
    }

    /// A lab whose volumes are mapped from their files, as a server's are.
    pub(crate) async fn on_files() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Location::Folder(folder.path().join("store")).open().unwrap();
        let pipeline = Pipeline::new(|name| store.blobs(name), |name| store.queue(name), settings());
        Self::on(folder, store, Faults::default(), pipeline, Limits::default()).await
    }

    async fn on(
        folder: TempDir,
        store: Arc<Store>,
        faults: Faults,
        pipeline: skyblast::jobs::Result<Pipeline>,
        limits: Limits,
    ) -> Self {
        let pipeline = Arc::new(pipeline.unwrap());
        publish(&pipeline, &folder.path().join("edge")).await;
        let router = host_router(Services::Ready(pipeline.clone()), limits);
        Self { folder, store, faults, pipeline, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post_empty(&self, path: &str) -> Answer {
        self.send(Request::post(path).body(Body::empty()).unwrap()).await
    }

    /// Posts `body` as it is to `/api/searches?query`.
    pub(crate) async fn post(&self, query: &str, media_type: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(format!("/api/searches?{query}")).header("content-type", media_type);
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Submits FASTA and returns the id.
    pub(crate) async fn submit(&self, query: &str, fasta: impl Into<Body>) -> String {
        self.post(query, "text/plain", fasta).await.accepted()
    }

    /// Lets a worker work until the search has ended; returns its state.
    pub(crate) async fn complete(&self, id: &str) -> String {
        let stop = CancellationToken::new();
        let settings = WorkerSettings {
            retry_pause: Duration::from_millis(10),
            idle_pause: Duration::from_millis(50),
            sweep: Some(Duration::from_secs(1)),
            ..WorkerSettings::default()
        };
        let worker = tokio::spawn(worker::run(self.pipeline.clone(), settings, stop.clone()));
        let id: JobId = id.parse().unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(120), async {
            loop {
                // Storage may have been told to fail.
                match self.pipeline.status(id).await {
                    Ok(status) if status.state.is_final() => return status.state,
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
        let state = ended.await.expect("the search ends");
        stop.cancel();
        worker.await.unwrap();
        json!(state).as_str().unwrap().to_owned()
    }

    /// The standard report of a search that has ended.
    pub(crate) async fn report(&self, id: &str) -> String {
        let answer = self.get(&format!("/api/searches/{id}/results")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().to_owned()
    }

    /// Where everything lies.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The container of jobs.
    pub(crate) fn blobs(&self) -> Arc<dyn BlobStore> {
        self.store.blobs(JOBS).unwrap()
    }

    /// The container of databases.
    #[allow(dead_code, reason = "the tests of NCBI's URL API leave databases alone")]
    pub(crate) fn databases(&self) -> Arc<dyn BlobStore> {
        self.store.blobs(DATABASES).unwrap()
    }

    /// Changes a byte in every volume.
    pub(crate) async fn damage_volumes(&self) {
        let databases = self.store.blobs(DATABASES).unwrap();
        let volumes: Vec<BlobInfo> = databases.list("volumes/").try_collect().await.unwrap();
        for volume in volumes {
            let mut content = databases.get(&volume.name).await.unwrap().to_vec();
            content[100] ^= 1;
            databases.put(&volume.name, content.into()).await.unwrap();
        }
    }

    /// Names of all job blobs, but for what is remembered of all jobs.
    pub(crate) async fn job_blobs(&self) -> Vec<String> {
        let blobs = self.store.blobs(JOBS).unwrap();
        let names = blobs.list("").map_ok(|blob| blob.name.to_string());
        let names: Vec<String> = names.try_collect().await.unwrap();
        let of_all = ["clock", "indexed.json", "rates.json", "retained.json"];
        names.into_iter().filter(|name| !of_all.contains(&name.as_str())).collect()
    }

    /// What is known of a job blob, if it exists.
    pub(crate) async fn job_blob(&self, name: &str) -> Option<BlobInfo> {
        self.store.blobs(JOBS).unwrap().info(&BlobName::parse(name).unwrap()).await.unwrap()
    }

    pub(crate) fn queue(&self, name: &str) -> Arc<dyn Queue> {
        self.store.queue(name).unwrap()
    }

    /// Delivers all messages as the Functions host does, until there are none.
    pub(crate) async fn deliver_all(&self) {
        let mut delivered = true;
        while std::mem::take(&mut delivered) {
            for stage in Stage::ALL {
                let queue = self.queue(stage.queue());
                for delivery in queue.receive(32, Duration::from_secs(600)).await.unwrap() {
                    let answer = self.invoke(stage.function(), &delivery.body).await;
                    assert_eq!((answer.status.as_u16(), answer.text()), (200, "{}"), "{}", stage.function());
                    queue.delete(&delivery).await.unwrap();
                    delivered = true;
                }
            }
        }
    }

    /// Calls a queue function with `message`, wrapped as the host wraps it.
    pub(crate) async fn invoke(&self, function: &str, message: &str) -> Answer {
        invoke(&self.router, function, message).await
    }
}

pub(crate) async fn invoke(router: &Router, function: &str, message: &str) -> Answer {
    let payload = json!({
        "Data": { "message": Value::String(message.to_owned()).to_string() },
        "Metadata": { "DequeueCount": "1", "Id": "\"4c0f6a52\"", "sys": { "MethodName": function } },
    });
    let request = Request::post(format!("/{function}")).header("content-type", "application/json");
    send(router, request.body(Body::from(payload.to_string())).unwrap()).await
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let answer = Answer { status: parts.status, headers: parts.headers, body: body.to_vec() };
    described::check(&method, &path, &answer);
    answer
}

async fn publish(pipeline: &Pipeline, directory: &Path) {
    let options = BuildOptions {
        title: "Sixty proteins".to_owned(),
        volume_limit: VolumeLimit::Sequences(20),
        sources: vec!["edge_db.fa".to_owned()],
        created: Timestamp::UNIX_EPOCH,
    };
    let mut builder = Builder::create(directory, options).unwrap();
    for record in Reader::new("edge_db.fa", PROTEINS) {
        let record = record.unwrap();
        builder.push(&record.defline, &record.residues).unwrap();
    }
    builder.finish().unwrap();
    let database = Database::open(directory).unwrap();
    pipeline.catalog().publish("edge", &database, &|_| ()).await.unwrap();
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[allow(dead_code, reason = "archives are of NCBI's URL API alone")]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The id of the search that this answer says was accepted.
    pub(crate) fn accepted(&self) -> String {
        assert_eq!(self.status, 202, "{}", self.text());
        self.json()["id"].as_str().unwrap().to_owned()
    }

    /// The members of a problem of this status, whose detail contains `part`.
    pub(crate) fn problem(&self, status: u16, part: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{part:?} is not in {detail:?}");
        problem
    }
}

/// Turns the faults on for as long as `work` takes.
pub(crate) async fn during<T>(faults: &Faults, mode: Mode, work: impl Future<Output = T>) -> T {
    faults.set(mode);
    let done = work.await;
    faults.set(Mode::Off);
    done
}
