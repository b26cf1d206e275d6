//! A host with the fake handler, one queue, one timer and a few routes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skyblast::store::Queue;
use tempfile::TempDir;

use crate::fake_handler;
use crate::host::journal::{History, Invocation};
use crate::host::script_root::ScriptRoot;
use crate::host::{FunctionsHost, HostOptions};
use crate::memory_queue::MemoryQueue;

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What a test works with.
pub(crate) struct Bench {
    pub(crate) host: FunctionsHost,
    pub(crate) queues: Queues,
    seen: PathBuf,
    _folder: TempDir,
}

/// The queue of function `work`, and its poison queue.
#[derive(Clone)]
pub(crate) struct Queues {
    pub(crate) work: Arc<MemoryQueue>,
    pub(crate) poison: Arc<MemoryQueue>,
}

impl Queues {
    pub(crate) fn new() -> Self {
        Self { work: Arc::new(MemoryQueue::new("works")), poison: Arc::new(MemoryQueue::new("works-poison")) }
    }
}

impl Bench {
    /// A host with quick retries and the options that `adapt` adds.
    pub(crate) async fn start(adapt: impl FnOnce(HostOptions) -> HostOptions) -> Self {
        Self::start_on(Queues::new(), adapt).await
    }

    /// The same on queues that hold something already.
    pub(crate) async fn start_on(queues: Queues, adapt: impl FnOnce(HostOptions) -> HostOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let options = HostOptions::new(script_root())
            .setting("AzureWebJobsStorage", "in memory")
            .setting(fake_handler::SEEN, seen.to_str().unwrap())
            .queues([queues.work.clone() as Arc<dyn Queue>, queues.poison.clone()])
            // Only one test is about the poison queue's own function.
            .only(["work", "tick", "a_tree", "b_leaf", "echo", "open"]);
        let host = FunctionsHost::start(adapt(options)).await.unwrap();
        Self { host, queues, seen, _folder: folder }
    }

    /// Sends a message to function `work`.
    pub(crate) async fn send(&self, message: &Value) {
        self.queues.work.send(&message.to_string(), Duration::ZERO).await.unwrap();
    }

    /// Waits until `work` has run `count` times, and returns these calls.
    pub(crate) async fn calls(&self, count: usize) -> Vec<Invocation> {
        self.until(|history| history.of("work").len() >= count)
            .await
            .of("work")
            .into_iter()
            .cloned()
            .collect()
    }

    /// Waits for something in the history.
    pub(crate) async fn until(&self, wanted: impl FnMut(&History) -> bool) -> History {
        self.host.wait_for(PATIENCE, wanted).await.unwrap()
    }

    /// Calls that the handlers have seen, in order.
    pub(crate) fn seen_calls(&self) -> Vec<Value> {
        fake_handler::read(&self.seen).into_iter().filter(|line| line["uri"].is_string()).collect()
    }

    /// What the handlers have written down when they started.
    pub(crate) fn seen_starts(&self) -> Vec<Value> {
        fake_handler::read(&self.seen).into_iter().filter(|line| line["start"].is_object()).collect()
    }
}

/// Waits until `done` says so.
pub(crate) async fn eventually(mut done: impl FnMut() -> bool) {
    let wait = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

fn script_root() -> ScriptRoot {
    let host_json = json!({
        "version": "2.0",
        "customHandler": {
            "description": {
                "defaultExecutablePath": "fake",
                "arguments": ["act_as_handler", "--exact", "--ignored", "--nocapture"],
            },
            "enableForwardingHttpRequest": true,
        },
        "extensions": { "queues": {
            "batchSize": 1,
            "newBatchThreshold": 0,
            "visibilityTimeout": "00:00:00.2",
            "maxPollingInterval": "00:00:00.1",
            "messageEncoding": "none",
        }},
    });
    let queue = |queue| {
        json!({ "bindings": [{
            "type": "queueTrigger", "direction": "in", "name": "message", "queueName": queue,
        }]})
    };
    let http = |route, methods: &[&str], level| {
        json!({ "bindings": [
            { "type": "httpTrigger", "direction": "in", "name": "req", "route": route, "methods": methods, "authLevel": level },
            { "type": "http", "direction": "out", "name": "res" },
        ]})
    };
    let timer = json!({ "bindings": [{
        "type": "timerTrigger", "direction": "in", "name": "timer", "schedule": "0 * * * * *",
    }]});
    let functions = [
        ("work", queue("works")),
        ("work_poison", queue("works-poison")),
        ("tick", timer),
        ("a_tree", http("echo/{*rest}", &["put"], "function")),
        ("b_leaf", http("echo/299", &["put"], "function")),
        ("echo", http("echo/{status}", &["get", "post"], "function")),
        ("open", http("echo/201", &["delete"], "anonymous")),
    ];
    let functions = functions.map(|(name, json)| (name.to_owned(), json));
    ScriptRoot::assemble(&host_json, &functions, &std::env::current_exe().unwrap()).unwrap()
}
