//! A small Azure Functions host for tests: it runs a custom handler as the real one does, as far as
//! the handler can tell.
//!
//! The host keeps fifteen rules, which the files here cite by number:
//!
//!  1. The handler listens on `127.0.0.1:$FUNCTIONS_CUSTOMHANDLER_PORT` within 30 s and answers
//!     anything to `GET /`.
//!  2. A function that is not plain HTTP is called by `POST /<FunctionName>` with a body of
//!     `{"Data", "Metadata"}`, sent in chunks.
//!  3. A queue message is a JSON text inside a JSON text.
//!  4. An answer is a JSON object with a JSON content type. An empty or `null` body is never taken
//!     for done: the call runs into `functionTimeout`, and the handler is killed.
//!  5. Any status but 2xx is a failure.
//!  6. (HTTP functions that are not forwarded; there are none here, and this host refuses them.)
//!  7. and 8. (Output bindings; there are none here.)
//!  9. Members of a JSON message overwrite the metadata.
//! 10. Delivery is at least once, also twice at the same time.
//! 11. A failed message comes back; after `maxDequeueCount` tries it goes to `<queue>-poison`.
//! 12. The third non-zero exit, none more than 30 minutes after the one before, stops the host.
//! 13. The handler is ended by SIGKILL.
//! 14. stdout is information, stderr is errors, or warnings if a line contains "warn".
//! 15. A listener runs at most `batchSize + newBatchThreshold` messages at a time.

// Each test binary that includes this module uses only a part of it.
#![allow(dead_code, reason = "shared by several test binaries")]

pub(crate) mod config;
pub(crate) mod console;
pub(crate) mod faults;
mod fleet;
pub(crate) mod http;
mod invoke;
pub(crate) mod journal;
mod listener;
pub(crate) mod options;
pub(crate) mod payload;
pub(crate) mod process;
pub(crate) mod recorded;
pub(crate) mod route;
pub(crate) mod script_root;
mod supervisor;
pub(crate) mod telemetry;
pub(crate) mod timer;
pub(crate) mod timespan;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use skyblast::store::Queue;
use tokio_util::task::AbortOnDropHandle;

use config::{Function, HostConfig, Settings, Trigger};
use console::ConsoleLine;
use faults::FaultSource;
use fleet::Fleet;
use http::Front;
use invoke::Invoker;
use journal::{History, Journal, Outcome};
use listener::Listener;
pub(crate) use options::HostOptions;
use process::{Handler, Program, State};
use script_root::ScriptRoot;
use timer::Timer;

/// Queues whose name ends so have no poison queue of their own.
const POISON_SUFFIX: &str = "-poison";

/// A running host with one or more instances. Dropping it kills all handlers.
#[derive(Debug)]
pub(crate) struct FunctionsHost {
    address: SocketAddr,
    root: ScriptRoot,
    config: HostConfig,
    functions: Vec<Function>,
    settings: Settings,
    queues: BTreeMap<String, Arc<dyn Queue>>,
    lease: Duration,
    faults: Arc<FaultSource>,
    client: reqwest::Client,
    fleet: Arc<Fleet>,
    memory: Arc<AtomicU64>,
    journal: Arc<Journal>,
    timers: Vec<Timer>,
    listeners: Mutex<Vec<Vec<AbortOnDropHandle<()>>>>,
    _front: AbortOnDropHandle<()>,
}

impl FunctionsHost {
    /// Reads the script root, opens the front and starts the handlers. Does not wait until they
    /// are ready: calls do.
    pub(crate) async fn start(options: HostOptions) -> anyhow::Result<Self> {
        let HostOptions { root, settings, queues, instances, only, lease, function_key, faults } = options;
        let config = root.config(&settings)?;
        let mut functions = root.functions(&config.route_prefix, &settings)?;
        if let Some(only) = only {
            functions.retain(|function| only.contains(&function.name));
        }
        let fleet = Arc::new(Fleet::new(instances));
        let memory = Arc::new(AtomicU64::new(0));
        let front = Front::new(&functions, &settings, function_key, fleet.clone(), memory.clone())?;
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        let front = tokio::spawn(async move {
            // Serving on an open socket only ends with the task.
            let _ = axum::serve(socket, front.router()).await;
        });
        let timers = functions.iter().filter_map(|function| match &function.trigger {
            Trigger::Timer { binding } => {
                Some(Timer::new(function.name.clone(), binding.clone(), fleet.clone()))
            }
            _ => None,
        });
        let host = Self {
            address,
            timers: timers.collect(),
            root,
            config,
            functions,
            settings,
            queues,
            lease,
            faults: Arc::new(FaultSource::new(&faults)),
            client: skyblast::store::http_client()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .pool_max_idle_per_host(0)
                .build()?,
            fleet,
            memory,
            journal: Arc::new(Journal::default()),
            listeners: Mutex::new((0..instances).map(|_| Vec::new()).collect()),
            _front: AbortOnDropHandle::new(front),
        };
        for instance in 0..instances {
            host.start_instance(instance)?;
        }
        Ok(host)
    }

    /// The address of the HTTP functions, without a slash at the end; their paths begin with `/api`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The most memory that the real host would have used for request bodies so far, in bytes, from what was
    /// measured of one at a time.
    pub(crate) fn most_memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Calls and poisoned messages so far.
    pub(crate) fn history(&self) -> History {
        self.journal.history()
    }

    /// Waits until the history satisfies `wanted`.
    pub(crate) async fn wait_for(
        &self,
        limit: Duration,
        wanted: impl FnMut(&History) -> bool,
    ) -> anyhow::Result<History> {
        self.journal.wait_for(limit, wanted).await
    }

    /// Number of messages that the host has given up.
    pub(crate) fn poison_count(&self) -> usize {
        self.history().poisoned.len()
    }

    /// Fires every timer function once and returns how the calls ended.
    pub(crate) async fn fire_timer(&self) -> anyhow::Result<Vec<Outcome>> {
        futures::future::try_join_all(self.timers.iter().map(Timer::fire)).await
    }

    /// What an instance's handler is doing; `None` while the instance is away.
    pub(crate) fn state(&self, instance: usize) -> Option<State> {
        Some(self.fleet.get(instance)?.handler.state())
    }

    /// What an instance's handlers have written, as the host logs it.
    pub(crate) fn console(&self, instance: usize) -> Vec<ConsoleLine> {
        self.fleet.get(instance).map_or_else(Vec::new, |invoker| invoker.handler.console())
    }

    /// Everything that the handlers of all running instances have written.
    pub(crate) fn consoles(&self) -> Vec<(usize, ConsoleLine)> {
        let instances = 0..self.listeners().len();
        instances.flat_map(|i| self.console(i).into_iter().map(move |line| (i, line))).collect()
    }

    /// Waits until an instance's handler is ready.
    pub(crate) async fn ready(&self, instance: usize) -> anyhow::Result<()> {
        self.fleet.get(instance).context("the instance is away")?.handler.ready().await.map(|_| ())
    }

    /// Kills an instance's handler with SIGKILL, as the kernel does when memory runs out. It is
    /// restarted at once; the third kill within 30 minutes stops the instance.
    pub(crate) async fn kill_handler(&self, instance: usize) {
        if let Some(invoker) = self.fleet.get(instance) {
            invoker.handler.kill().await;
        }
    }

    /// Takes a whole instance away, host and handler, as the platform does without warning.
    /// Messages in flight come back only when their lease ends.
    pub(crate) async fn stop_instance(&self, instance: usize) {
        self.listeners()[instance].clear();
        if let Some(invoker) = self.fleet.leave(instance) {
            invoker.handler.stop("the instance was taken away").await;
        }
    }

    /// Starts an instance anew, after taking it away if it is running.
    pub(crate) async fn restart_instance(&self, instance: usize) -> anyhow::Result<()> {
        self.stop_instance(instance).await;
        self.start_instance(instance)
    }

    fn start_instance(&self, instance: usize) -> anyhow::Result<()> {
        let program = Program::new(&self.config, self.root.path().to_owned(), self.settings.clone());
        let handler = Handler::start(program, process::free_port()?, self.client.clone());
        let invoker = Arc::new(Invoker {
            instance,
            handler: Arc::new(handler),
            client: self.client.clone(),
            timeout: self.config.function_timeout,
            faults: self.faults.clone(),
            journal: self.journal.clone(),
        });
        let mut tasks = Vec::new();
        for function in &self.functions {
            if let Trigger::Queue { binding, queue } = &function.trigger {
                let listener = self.listener(&function.name, binding, queue, &invoker)?;
                tasks.push(AbortOnDropHandle::new(tokio::spawn(Arc::new(listener).run())));
            }
        }
        self.fleet.join(invoker);
        self.listeners()[instance] = tasks;
        Ok(())
    }

    fn listener(
        &self,
        function: &str,
        binding: &str,
        queue: &str,
        invoker: &Arc<Invoker>,
    ) -> anyhow::Result<Listener> {
        let find = |name: &str| {
            let queue = self.queues.get(name).cloned();
            queue.with_context(|| format!("{function}: the test gave no queue named {name}"))
        };
        let poison = match queue.ends_with(POISON_SUFFIX) {
            true => None,
            false => Some(find(&format!("{queue}{POISON_SUFFIX}"))?),
        };
        Ok(Listener {
            function: function.to_owned(),
            binding: binding.to_owned(),
            queue: find(queue)?,
            poison,
            settings: self.config.queues.clone(),
            lease: self.lease,
            invoker: invoker.clone(),
            fleet: self.fleet.clone(),
            faults: self.faults.clone(),
            journal: self.journal.clone(),
        })
    }

    fn listeners(&self) -> std::sync::MutexGuard<'_, Vec<Vec<AbortOnDropHandle<()>>>> {
        self.listeners.lock().expect("no panic while holding the listeners")
    }
}

impl Drop for FunctionsHost {
    fn drop(&mut self) {
        // Open connections to the front may hold on to the handlers, so these are told.
        for instance in 0..self.listeners().len() {
            if let Some(invoker) = self.fleet.leave(instance) {
                invoker.handler.abandon();
            }
        }
    }
}
