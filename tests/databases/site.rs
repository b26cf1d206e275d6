//! A storage of a test's own, on either kind of store.

use std::io::{BufReader, Cursor};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{DATABASES, JobId, Pipeline, Report, Request, Settings, Stage, Status, Wanted};
use skyblast::sequence::fasta::Reader;
use skyblast::store::{BlobStore, Location, Store};
use tempfile::TempDir;

use crate::common::azurite::Azurite;
use crate::common::command::{Ended, run};
use crate::common::examples;

pub(crate) struct Site {
    /// What `--storage` takes.
    pub(crate) storage: String,
    pub(crate) store: Arc<Store>,
    pub(crate) pipeline: Arc<Pipeline>,
    _folder: Option<TempDir>,
}

impl Site {
    pub(crate) fn folder() -> Self {
        let folder = TempDir::new().unwrap();
        let storage = folder.path().join("store").to_str().unwrap().to_owned();
        Self { _folder: Some(folder), ..Self::of(storage) }
    }

    pub(crate) fn azurite() -> Self {
        Self::of(Azurite::shared().spare_account())
    }

    fn of(storage: String) -> Self {
        let store = Location::parse(&storage, |_| None).unwrap().open().unwrap();
        let settings =
            Settings { threads: NonZeroUsize::MIN, patience: Duration::from_secs(5), ..Settings::default() };
        let pipeline = Pipeline::new(|name| store.blobs(name), |name| store.queue(name), settings);
        Self { storage, store, pipeline: Arc::new(pipeline.unwrap()), _folder: None }
    }

    /// Runs `skyblast databases` on this storage.
    pub(crate) fn databases(&self, arguments: &[&str]) -> Ended {
        let storage = ["--storage", &self.storage];
        tokio::task::block_in_place(|| run(["databases"].iter().chain(arguments).chain(&storage)))
    }

    /// Adds the example database as `name`, in many volumes; returns name@version.
    pub(crate) fn add(&self, name: &str) -> String {
        let added = self.databases(&["add", name, "--dir", examples::database().to_str().unwrap()]).ok();
        String::from_utf8(added).unwrap().trim().to_owned()
    }

    /// Adds the example queries as another version of `name`.
    pub(crate) fn add_other(&self, name: &str) -> String {
        let added = self.databases(&["add", name, "--in", examples::queries().to_str().unwrap()]).ok();
        String::from_utf8(added).unwrap().trim().to_owned()
    }

    pub(crate) fn blobs(&self) -> Arc<dyn BlobStore> {
        self.store.blobs(DATABASES).unwrap()
    }

    /// Names of the blobs in the container of databases.
    pub(crate) async fn names(&self, prefix: &str) -> Vec<String> {
        self.blobs().list(prefix).map_ok(|blob| blob.name.to_string()).try_collect().await.unwrap()
    }

    pub(crate) async fn submit(&self, database: &str) -> JobId {
        let request = Request {
            taxa: None,
            database: database.to_owned(),
            options: SearchOptions::default(),
            outfmt: "6".parse().unwrap(),
        };
        let fasta = BufReader::new(Cursor::new(std::fs::read(examples::queries()).unwrap()));
        self.pipeline.submit(&request, move || Ok(Reader::new("queries", fasta))).await.unwrap().id
    }

    /// Handles messages until there are none; returns where the job stands then.
    pub(crate) async fn complete(&self, id: JobId) -> Status {
        let mut idle = false;
        while !std::mem::replace(&mut idle, true) {
            for stage in Stage::ALL {
                let queue = self.pipeline.queue(stage);
                for delivery in queue.receive(32, Duration::from_secs(600)).await.unwrap() {
                    self.pipeline.handle(stage, &delivery.body).await.unwrap();
                    queue.delete(&delivery).await.unwrap();
                    idle = false;
                }
            }
        }
        self.pipeline.status(id).await.unwrap()
    }

    pub(crate) async fn report(&self, id: JobId) -> Vec<u8> {
        match self.pipeline.results(id, Wanted::default()).await.unwrap() {
            Report::Ready { content, .. } => content.try_collect::<Vec<_>>().await.unwrap().concat(),
            other => panic!("no report: {other:?}"),
        }
    }

    /// A copy of the example database's directory that may be changed.
    pub(crate) fn copy_of_database(&self) -> (TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let copy = folder.path().join("copy");
        let source = examples::database().to_str().unwrap();
        let copied = std::process::Command::new("cp").args(["-r", source, copy.to_str().unwrap()]).status();
        assert!(copied.unwrap().success());
        (folder, copy)
    }
}
