//! A `skyblast` that goes on running: a server or a worker.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest wait for anything that a process does; the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A process with its output in files. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    output: TempDir,
}

impl Process {
    /// Starts `command`.
    pub(crate) fn start(command: &mut Command) -> Self {
        let output = tempfile::tempdir().unwrap();
        let file = |name| File::create(output.path().join(name)).unwrap();
        let child = command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr")).spawn();
        Self { child: child.unwrap(), output }
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.output.path().join(name)).unwrap()).into_owned()
    }

    /// Its standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.text("stdout")
    }

    /// Its standard error so far, which for a worker is its log.
    pub(crate) fn stderr(&self) -> String {
        self.text("stderr")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, with SIGTERM.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.id())).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait_for("the end of a process", || self.child.try_wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- output of a process\n{}{}", self.stdout(), self.stderr());
        }
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "{what}: not seen within {PATIENCE:?}");
        sleep(Duration::from_millis(30));
    }
}

/// A `skyblast serve` on a folder.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) url: String,
}

impl Server {
    /// Starts the server on a free port and waits until it listens.
    pub(crate) fn start(storage: &Path, more: &[&str]) -> Self {
        Self::start_by(|command| command, storage, more)
    }

    /// The same with a command that `adapt` has changed.
    pub(crate) fn start_by(adapt: impl FnOnce(Command) -> Command, storage: &Path, more: &[&str]) -> Self {
        let storage = storage.to_str().unwrap();
        let arguments = ["serve", "--storage", storage, "--listen", "127.0.0.1:0"];
        let command = super::command::skyblast(arguments.iter().chain(more));
        let mut process = Process::start(&mut adapt(command));
        let url = wait_for("the server's address", || {
            assert!(
                process.child.try_wait().unwrap().is_none(),
                "the server has ended: {}",
                process.stderr()
            );
            let stdout = process.stdout();
            Some(stdout.strip_prefix("serving ")?.split_once(' ')?.0.to_owned())
        });
        Self { process, url }
    }
}
