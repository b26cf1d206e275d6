//! The life of the handler's process (rules 1, 12 and 13): readiness probe, restart at once on the
//! same port, end of the host after three errors, SIGKILL.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use super::console::{Console, Level};
use super::process::{Order, Program, State, Task};

/// Exit code that asks for a restart which is not counted as an error.
const RESTART_CODE: i32 = 200;
/// An error longer ago than this is forgotten.
const ERROR_MEMORY: Duration = Duration::from_secs(30 * 60);
/// Worker errors after which the host stops itself.
const MAX_ERRORS: u32 = 3;
/// How long the host waits for the rest of a dead handler's output.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(1);
/// Time between two readiness probes.
const PROBE_PERIOD: Duration = Duration::from_millis(25);

/// How a process ended, as far as the supervisor cares.
enum End {
    Error(String),
    NotCounted,
    Clean,
    Stop(String),
}

/// Keeps one handler running.
pub(super) struct Supervisor {
    program: Program,
    port: u16,
    client: reqwest::Client,
    state: watch::Sender<State>,
    orders: mpsc::UnboundedReceiver<Order>,
    console: Arc<Console>,
    starts: u32,
    errors: u32,
    last_error: Option<Instant>,
    /// Who waits for the order that ends the present process.
    waiting: Option<oneshot::Sender<()>>,
}

impl Supervisor {
    /// A supervisor that reports to `state` and listens to `orders`.
    pub(super) fn new(
        program: Program,
        port: u16,
        client: reqwest::Client,
        state: watch::Sender<State>,
        orders: mpsc::UnboundedReceiver<Order>,
        console: Arc<Console>,
    ) -> Self {
        Self {
            program,
            port,
            client,
            state,
            orders,
            console,
            starts: 0,
            errors: 0,
            last_error: None,
            waiting: None,
        }
    }

    /// Starts the handler again and again, until the host stops.
    pub(super) async fn run(mut self) {
        loop {
            self.state.send_replace(State::Initializing);
            let mut end = match self.program.start(self.port) {
                Ok(child) => self.watch(child).await,
                Err(error) => {
                    // Nothing is retried: a call will wait for readiness, then stop the host.
                    self.console.push(Level::Error, format!("cannot start the handler: {error}"));
                    self.wait_for_stop().await
                }
            };
            if matches!(end, End::Clean) {
                self.state.send_replace(State::Exited);
                end = self.wait_for_stop().await;
            }
            let stop = match end {
                End::Error(reason) => self.count_error(&reason),
                End::Stop(reason) => Some(reason),
                End::NotCounted | End::Clean => None,
            };
            let next = stop.clone().map_or(State::Initializing, State::Stopped);
            self.state.send_replace(next);
            if let Some(done) = self.waiting.take() {
                // The caller may have stopped waiting.
                let _ = done.send(());
            }
            if stop.is_some() {
                return;
            }
        }
    }

    /// Follows one process to its end.
    async fn watch(&mut self, mut child: Child) -> End {
        self.starts += 1;
        let start = self.starts;
        let stdout = tokio::spawn(self.console.clone().follow(child.stdout.take(), false));
        let stderr = tokio::spawn(self.console.clone().follow(child.stderr.take(), true));
        let output = [AbortOnDropHandle::new(stdout), AbortOnDropHandle::new(stderr)];
        let probe = probe(self.client.clone(), self.port);
        let probe = tokio::time::timeout(self.program.initialization_timeout, probe);
        tokio::pin!(probe);
        let mut probing = true;
        let end = loop {
            tokio::select! {
                ready = &mut probe, if probing => {
                    if ready.is_err() {
                        break End::Error("the handler was not ready in time".into());
                    }
                    probing = false;
                    self.state.send_replace(State::Ready(start));
                }
                status = child.wait() => break judge_exit(status),
                order = self.orders.recv() => match order {
                    Some(Order { task: Task::Kill, done }) => {
                        self.waiting = Some(done);
                        break End::Error("the handler was killed".into());
                    }
                    Some(Order { task: Task::Recycle(meant), done }) if meant == start => {
                        self.waiting = Some(done);
                        break End::NotCounted;
                    }
                    // Another call in overtime was faster; `done` is dropped, which ends the wait.
                    Some(Order { task: Task::Recycle(_), .. }) => {}
                    Some(Order { task: Task::Stop(reason), done }) => {
                        self.waiting = Some(done);
                        break End::Stop(reason);
                    }
                    None => break End::Stop("the host is gone".into()),
                },
            }
        };
        self.state.send_replace(State::Initializing);
        // Rule 13: SIGKILL, whatever the handler is doing. An error means that it is dead already.
        let _ = child.kill().await;
        // The last lines are in the pipes still; a grandchild that holds them open is not waited for.
        let _ = tokio::time::timeout(OUTPUT_PATIENCE, futures::future::join_all(output)).await;
        end
    }

    async fn wait_for_stop(&mut self) -> End {
        while let Some(Order { task, done }) = self.orders.recv().await {
            if let Task::Stop(reason) = task {
                self.waiting = Some(done);
                return End::Stop(reason);
            }
        }
        End::Stop("the host is gone".into())
    }

    /// Counts a worker error; the reason to stop the host if it was the last one allowed (rule 12).
    fn count_error(&mut self, reason: &str) -> Option<String> {
        let now = Instant::now();
        let forgotten = self.last_error.is_none_or(|last| now - last > ERROR_MEMORY);
        self.errors = if forgotten { 1 } else { self.errors + 1 };
        self.last_error = Some(now);
        (self.errors >= MAX_ERRORS).then(|| {
            let lines = self.console.last_errors(3).join(" | ");
            format!("exceeded http worker restart retry count: {reason}: {lines}")
        })
    }
}

fn judge_exit(status: std::io::Result<ExitStatus>) -> End {
    match status.map(|status| status.code()) {
        Ok(Some(0)) => End::Clean,
        Ok(Some(RESTART_CODE)) => End::NotCounted,
        Ok(Some(code)) => End::Error(format!("the handler exited with code {code}")),
        Ok(None) => End::Error("the handler was ended by a signal".into()),
        Err(error) => End::Error(format!("the handler cannot be waited for: {error}")),
    }
}

/// Asks `GET /` until a connection succeeds; any answer will do, also a broken one (rule 1).
async fn probe(client: reqwest::Client, port: u16) {
    let url = format!("http://127.0.0.1:{port}/");
    while let Err(error) = client.get(&url).send().await {
        if !error.is_connect() {
            return;
        }
        tokio::time::sleep(PROBE_PERIOD).await;
    }
}
