//! Azurite, the Azure Storage emulator, as a child process of a test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The emulator's public account and key.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Accounts besides [`ACCOUNT`], with the same key: the names of the pipeline's containers and queues
/// are fixed, so tests that run side by side need an account each.
const SPARE_ACCOUNTS: u32 = 100;

/// How long Azurite may take to listen, on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A running emulator; stops when dropped, or when this process ends in any way.
#[derive(Debug)]
pub(crate) struct Azurite {
    folder: TempDir,
    storage: Storage,
    ports: Ports,
    process: Option<Child>,
}

/// Where the emulator keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    Memory,
    /// In files that survive [`Azurite::stop`].
    Folder,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    blob: u16,
    queue: u16,
}

impl Azurite {
    /// The emulator that all tests of this program share. Use [`unique_name`] for containers and
    /// queues in it.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Storage::Memory))
    }

    /// An emulator of the test's own whose data survive [`stop`](Self::stop) and
    /// [`restart`](Self::restart).
    pub(crate) fn persistent() -> Self {
        Self::start(Storage::Folder)
    }

    fn start(storage: Storage) -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), storage, &[])
    }

    /// An emulator that speaks https with the certificate and key in these files, and takes tokens.
    pub(crate) fn with_tokens(certificate: &Path, key: &Path) -> Self {
        let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
        let more = ["--oauth", "basic", "--cert", certificate, "--key", key];
        Self::start_with(tempfile::tempdir().unwrap(), Storage::Memory, &more)
    }

    fn start_with(folder: TempDir, storage: Storage, more: &[&str]) -> Self {
        let (process, ports) = spawn(folder.path(), storage, Ports { blob: 0, queue: 0 }, more);
        Self { folder, storage, ports, process: Some(process) }
    }

    /// Kills the emulator. Its ports refuse connections until [`restart`](Self::restart).
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Asking first lets it write its files.
            drop(process.stdin.take());
            let deadline = Instant::now() + Duration::from_secs(10);
            while process.try_wait().unwrap().is_none() && Instant::now() < deadline {
                sleep(Duration::from_millis(20));
            }
            let _ = process.kill();
            process.wait().unwrap();
        }
    }

    /// Starts a stopped emulator again, on the same ports.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.process = Some(spawn(self.folder.path(), self.storage, self.ports, &[]).0);
    }

    /// The address of the account's blobs.
    pub(crate) fn blob_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.ports.blob)
    }

    /// The address of the account's queues.
    pub(crate) fn queue_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.ports.queue)
    }

    /// The connection string with the account's key.
    pub(crate) fn connection_string(&self) -> String {
        self.connection_string_of(ACCOUNT)
    }

    /// The connection string of an account that nobody else uses.
    pub(crate) fn spare_account(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        assert!(number < SPARE_ACCOUNTS, "SPARE_ACCOUNTS must be raised");
        self.connection_string_of(&spare_account(number))
    }

    fn connection_string_of(&self, account: &str) -> String {
        let Ports { blob, queue } = self.ports;
        format!(
            "AccountName={account};AccountKey={KEY};BlobEndpoint=http://127.0.0.1:{blob}/{account};\
             QueueEndpoint=http://127.0.0.1:{queue}/{account};"
        )
    }
}

fn spare_account(number: u32) -> String {
    format!("spare{number}")
}

impl Drop for Azurite {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A name for a container or queue that no other test uses.
pub(crate) fn unique_name(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn spawn(folder: &Path, storage: Storage, ports: Ports, more: &[&str]) -> (Child, Ports) {
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/azurite");
    let program = home.join("node_modules/azurite/dist/src/azurite.js");
    assert!(
        program.is_file(),
        "Azurite is not installed: run `tests/run`, which installs it and runs all tests"
    );
    let log_path = folder.join("azurite.log");
    let log = File::create(&log_path).unwrap();
    let mut command = Command::new("node");
    command.arg("--require").arg(home.join("exit-with-parent.js")).arg(program);
    match storage {
        Storage::Memory => command.arg("--inMemoryPersistence"),
        Storage::Folder => command.arg("--location").arg(folder.join("data")),
    };
    for (service, port) in [("blob", ports.blob), ("queue", ports.queue), ("table", 0)] {
        command.args([
            format!("--{service}Host"),
            "127.0.0.1".into(),
            format!("--{service}Port"),
            port.to_string(),
        ]);
    }
    let spare = (0..SPARE_ACCOUNTS).map(|number| format!(";{}:{KEY}", spare_account(number)));
    let process = command
        .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}{}", spare.collect::<String>()))
        .args(["--silent", "--disableTelemetry"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("node must be installed to run Azurite");
    await_listening(process, &log_path)
}

fn await_listening(mut process: Child, log_path: &Path) -> (Child, Ports) {
    let deadline = Instant::now() + START;
    loop {
        let log = std::fs::read_to_string(log_path).unwrap();
        if let (Some(blob), Some(queue)) = (port(&log, "Blob"), port(&log, "Queue")) {
            return (process, Ports { blob, queue });
        }
        assert!(process.try_wait().unwrap().is_none(), "Azurite has stopped:\n{log}");
        assert!(Instant::now() < deadline, "Azurite does not listen after {START:?}:\n{log}");
        sleep(Duration::from_millis(50));
    }
}

/// The port in `Azurite Blob service is successfully listening at http://127.0.0.1:12345`.
fn port(log: &str, service: &str) -> Option<u16> {
    let line = log.lines().find(|line| line.contains(service) && line.contains("successfully listening"))?;
    line.trim_end_matches('/').rsplit(':').next()?.trim().parse().ok()
}
