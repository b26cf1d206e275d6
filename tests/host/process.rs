//! The handler's process seen from the host: how it is started, its state, orders to its supervisor
//! (rules 1 and 13).

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use super::config::{HostConfig, Settings};
use super::console::{Console, ConsoleLine};
use super::payload::guid;
use super::supervisor::Supervisor;

/// How long a broken call waits for news of the process.
const SETTLE_PATIENCE: Duration = Duration::from_millis(100);

/// What the handler's process is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Started, not yet accepting connections. Stays so if the program cannot be started at all.
    Initializing,
    /// Accepting connections; holds the number of the start, from 1.
    Ready(u32),
    /// Ended with code 0. Hosts before 2026 do nothing then, and every later call fails.
    Exited,
    /// The host has stopped, for this reason.
    Stopped(String),
}

/// How to start the handler.
#[derive(Clone, Debug)]
pub(super) struct Program {
    executable: PathBuf,
    arguments: Vec<String>,
    root: PathBuf,
    settings: Settings,
    pub(super) initialization_timeout: Duration,
}

impl Program {
    /// The program that host.json describes, in the script root `root`.
    pub(super) fn new(config: &HostConfig, root: PathBuf, settings: Settings) -> Self {
        let in_root = root.join(&config.executable);
        // Looked up on PATH if the script root does not hold it.
        let executable = if in_root.is_file() { in_root } else { PathBuf::from(&config.executable) };
        Self {
            executable,
            arguments: config.arguments.clone(),
            root,
            settings,
            initialization_timeout: config.initialization_timeout,
        }
    }

    /// Starts the program with the environment of rule 1: app settings and the port, nothing of
    /// the test's own environment but where programs and temporary files are.
    pub(super) fn start(&self, port: u16) -> std::io::Result<Child> {
        let port = port.to_string();
        let id = guid();
        Command::new(&self.executable)
            .args(&self.arguments)
            .current_dir(&self.root)
            .env_clear()
            .envs(
                ["PATH", "HOME", "TMPDIR"]
                    .into_iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .envs(&self.settings)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", &port)
            .env("FUNCTIONS_HTTPWORKER_PORT", &port)
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", &id)
            .env("FUNCTIONS_HTTPWORKER_ID", &id)
            .env("FUNCTIONS_APP_ROOT_PATH", &self.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}

/// One handler and its supervisor. Dropping it kills the process.
#[derive(Debug)]
pub(super) struct Handler {
    port: u16,
    /// Calls wait this long for readiness, then the host stops itself.
    patience: Duration,
    state: watch::Receiver<State>,
    commands: mpsc::UnboundedSender<Order>,
    console: Arc<Console>,
    _supervisor: AbortOnDropHandle<()>,
}

impl Handler {
    /// Starts the handler on `port`; calls wait until it is ready.
    pub(super) fn start(program: Program, port: u16, client: reqwest::Client) -> Self {
        let (state, watched) = watch::channel(State::Initializing);
        let (commands, orders) = mpsc::unbounded_channel();
        let console = Arc::new(Console::default());
        let patience = program.initialization_timeout * 4;
        let supervisor = Supervisor::new(program, port, client, state, orders, console.clone());
        let supervisor = AbortOnDropHandle::new(tokio::spawn(supervisor.run()));
        Self { port, patience, state: watched, commands, console, _supervisor: supervisor }
    }

    /// The port it listens on.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What it is doing.
    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits until calls can be sent, and returns the number of the start.
    pub(super) async fn ready(&self) -> anyhow::Result<u32> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| *state != State::Initializing);
        let settled =
            tokio::time::timeout(self.patience, settled).await.map(|state| Some(state.ok()?.clone()));
        match settled {
            Ok(Some(State::Ready(start))) => Ok(start),
            Ok(Some(State::Exited)) => bail!("connection refused: the handler has exited with code 0"),
            Ok(Some(State::Stopped(reason))) => bail!("the host has stopped: {reason}"),
            Ok(Some(State::Initializing) | None) => bail!("the host is gone"),
            Err(_) => {
                self.order(Task::Stop("the handler did not become ready".into())).await;
                bail!("the handler did not become ready within {:?}", self.patience)
            }
        }
    }

    /// After a broken call to the process of start number `start`: gives the supervisor a moment to
    /// see that the process is dead, so that the next call waits for the restart.
    pub(super) async fn settle(&self, start: u32) {
        let mut state = self.state.clone();
        let changed = state.wait_for(|state| *state != State::Ready(start));
        // No change means that the process lives and only the connection broke.
        let _ = tokio::time::timeout(SETTLE_PATIENCE, changed).await;
    }

    /// Waits until the host has stopped.
    pub(super) async fn stopped(&self) {
        // An error means that the supervisor is gone, which is the same.
        let _ = self.state.clone().wait_for(|state| matches!(state, State::Stopped(_))).await;
    }

    /// Kills the process from outside, as the kernel does when memory runs out; returns when it
    /// is dead. Counts as a worker error.
    pub(super) async fn kill(&self) {
        self.order(Task::Kill).await;
    }

    /// Replaces the process of start number `start` after a function timeout, unless that has been
    /// replaced already; not counted.
    pub(super) async fn recycle(&self, start: u32) {
        self.order(Task::Recycle(start)).await;
    }

    /// Stops host and handler.
    pub(super) async fn stop(&self, reason: &str) {
        self.order(Task::Stop(reason.to_owned())).await;
    }

    /// Stops host and handler without waiting for it.
    pub(super) fn abandon(&self) {
        let (done, _) = oneshot::channel();
        // An error means that both have stopped already.
        let _ = self.commands.send(Order { task: Task::Stop("the host is gone".into()), done });
    }

    /// What the handler has written, oldest first.
    pub(super) fn console(&self) -> Vec<ConsoleLine> {
        self.console.lines()
    }

    async fn order(&self, task: Task) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Order { task, done }).is_ok() {
            // An error means that the supervisor ended meanwhile, and the process with it.
            let _ = wait.await;
        }
    }
}

/// Something to be done by the supervisor.
pub(super) struct Order {
    pub(super) task: Task,
    /// Answered when it is done.
    pub(super) done: oneshot::Sender<()>,
}

/// What the supervisor can be asked for.
pub(super) enum Task {
    /// SIGKILL; counts as an error.
    Kill,
    /// SIGKILL and restart of the process with this start number, not counted.
    Recycle(u32),
    /// SIGKILL and the end of the host, for this reason.
    Stop(String),
}

/// A port that nobody listens on, outside the range from which the kernel takes ports for
/// outgoing connections, so that it is still free when the handler is restarted.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u32 = 12_000;
    for _ in 0..COUNT {
        let offset = (std::process::id() * 97 + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = FIRST + u16::try_from(offset).context("offset")?;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port from {FIRST} on")
}
