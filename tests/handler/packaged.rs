//! The app folder that infra/package.sh makes, run as the platform runs it.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::bench::Account;
use crate::common::examples::{self, CHUNKS, SHARDS};
use crate::host::HostOptions;
use crate::host::process::free_port;

/// Packages the binary under test, which is made for this machine's glibc.
fn package() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/infra/package.sh"))
        .args(["--binary", env!("CARGO_BIN_EXE_skyblast"), "--glibc", "2.999", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn the_packaged_app_runs_a_job_and_survives_a_kill() {
    let account = Account::with_database();
    let bench = account.host_of(HostOptions::for_package(package()), |options| options).await;
    bench.host.ready(0).await.unwrap();
    let id = bench.submit_examples().await;
    bench.calls("search", 3).await;
    bench.host.kill_handler(0).await;
    bench.completes(&id, examples::report()).await;
    let history = bench.host.history();
    for (function, calls) in [("plan", 1), ("search", SHARDS), ("merge", CHUNKS), ("finish", 1)] {
        assert!(history.of(function).len() as u64 >= calls, "{function}");
    }
    assert_eq!(bench.host.poison_count(), 0);
    bench.host.fire_timer().await.unwrap();
    let lines: Vec<Value> =
        bench.host.console(0).iter().filter_map(|line| serde_json::from_str(&line.text).ok()).collect();
    for (message, numbers) in [
        ("compared", &["comparisons", "seconds", "chunk", "volume"] as &[&str]),
        ("swept", &["active", "plans", "shards", "merges", "finishes"]),
    ] {
        let line = lines.iter().find(|line| line["message"] == message);
        let line = line.unwrap_or_else(|| panic!("{message:?} is not in the log"));
        assert!(numbers.iter().all(|name| line[*name].is_number()), "{line}");
    }
}

/// The host waits 30 s, and everybody who is there waits with it.
#[test]
fn the_packaged_program_listens_long_before_the_host_gives_up() {
    let folder = package();
    let app = folder.path().join("app");
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let port = free_port().unwrap();
            let started = Instant::now();
            let mut handler = Command::new(app.join("skyblast"))
                .arg("handler")
                .current_dir(&app)
                .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
                .env("AzureWebJobsStorage__blobServiceUri", "https://nowhere.invalid")
                .env("AzureWebJobsStorage__queueServiceUri", "https://nowhere.invalid")
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            while !probe(port) {
                assert!(started.elapsed() < Duration::from_secs(30), "the program does not listen");
                std::thread::sleep(Duration::from_millis(1));
            }
            let time = started.elapsed();
            handler.kill().unwrap();
            handler.wait().unwrap();
            time
        })
        .collect();
    times.sort();
    println!("from start to the first answer: {times:?}");
    // The median; a busy machine may delay one or the other.
    assert!(times[2] < Duration::from_secs(3), "{times:?}");
}

/// Whether `GET /` is answered.
fn probe(port: u16) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let sent = stream.write_all(b"GET / HTTP/1.1\r\nHost: skyblast\r\n\r\n");
    let mut start = [0; 8];
    sent.and_then(|()| stream.read_exact(&mut start)).is_ok() && start == *b"HTTP/1.1"
}
