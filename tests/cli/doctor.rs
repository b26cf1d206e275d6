//! `doctor`: what it finds in good and in bad deployments.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use skyblast::store::{Location, Queue};

use crate::common::azurite::Azurite;
use crate::common::command::{Ended, run};
use crate::common::examples;
use crate::common::process::Server;
use crate::server::Lab;

/// The checks that `doctor` printed, by name.
fn checks(ended: &Ended) -> Vec<(String, bool, String)> {
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap().iter().map(|check| {
        let text = format!("{} → {}", check["found"], check["advice"]);
        (check["name"].as_str().unwrap().to_owned(), check["ok"].as_bool().unwrap(), text)
    });
    checks.collect()
}

/// Runs `doctor` and expects that exactly the checks `wrong` fail; returns what it says of them.
#[track_caller]
fn finds(arguments: &[&str], wrong: &[&str]) -> String {
    let ended = run(["doctor", "--json"].iter().chain(arguments));
    let checks = checks(&ended);
    let failed: Vec<_> = checks.iter().filter(|(_, ok, _)| !ok).collect();
    let names: Vec<_> = failed.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, wrong, "{checks:#?}");
    assert_eq!(ended.code, Some(i32::from(!wrong.is_empty())), "{}", ended.stderr);
    failed.iter().map(|(_, _, text)| text.as_str()).collect()
}

fn queue(storage: &str, name: &str) -> std::sync::Arc<dyn Queue> {
    Location::parse(storage, |_| None).unwrap().open().unwrap().queue(name).unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

#[test]
fn a_healthy_server_and_its_storage_are_well() {
    let lab = Lab::start(&[]);
    let said = String::from_utf8(run(["doctor", "--server", &lab.server.url]).ok()).unwrap();
    for line in
        ["ok     server:", "ok     version: both are", "ok     messages:", "ok     search: one query in"]
    {
        assert!(said.contains(line), "{said}");
    }
    finds(&["--storage", lab.folder.path().to_str().unwrap()], &[]);
}

#[test]
fn an_empty_account_lacks_everything_until_it_is_fixed() {
    let storage = Azurite::shared().spare_account();
    let storage = ["--no-search", "--storage", &storage];
    let queues = [
        "queue finishes",
        "queue finishes-poison",
        "queue merges",
        "queue merges-poison",
        "queue plans",
        "queue plans-poison",
        "queue shards",
        "queue shards-poison",
    ];
    let missing = [&["container jobs", "container databases"][..], &queues, &["databases"]].concat();
    let said = finds(&storage, &missing);
    assert!(said.contains("--fix") && said.contains("skyblast databases add"), "{said}");
    finds(&[&storage[..], &["--fix"]].concat(), &["databases"]);
    examples::publish(examples::one_volume(), storage[2]);
    finds(&storage, &[]);
    // Nobody works here.
    let said = finds(&["--storage", storage[2], "--patience", "1"], &["search"]);
    assert!(said.contains("still queued after 1 s") && said.contains("skyblast worker"), "{said}");
    finds(&storage, &[]);
}

#[test]
fn a_missing_queue_a_poison_message_and_a_lost_volume_are_named() {
    let storage = Azurite::shared().spare_account();
    examples::publish(examples::database(), &storage);
    let arguments = ["--no-search", "--storage", &storage];
    run(["doctor", "--fix"].iter().chain(&arguments)).ok();
    block_on(queue(&storage, "shards-poison").send("{}", std::time::Duration::ZERO)).unwrap();
    let said = finds(&arguments, &["poison queues"]);
    assert!(said.contains("1 in shards-poison"), "{said}");
    block_on(async {
        let store = Location::parse(&storage, |_| None).unwrap().open().unwrap();
        let blobs = store.blobs("databases").unwrap();
        let volume = futures::TryStreamExt::try_next(&mut blobs.list("volumes/")).await.unwrap().unwrap();
        blobs.delete(&volume.name).await.unwrap();
    });
    let said = finds(&arguments, &["poison queues", "databases"]);
    assert!(said.contains("lacks 1 of 6 volumes"), "{said}");
}

#[test]
fn a_wrong_key_and_a_dead_account_are_told_apart() {
    let right = Azurite::shared().spare_account();
    let key_at = right.find("AccountKey=").unwrap() + "AccountKey=".len();
    let wrong = format!("{}AAAA{}", &right[..key_at], &right[key_at + 4..]);
    let ended = run(["doctor", "--storage", &wrong]);
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(
        said.contains("WRONG  blobs in jobs: ") && said.contains("Storage Blob Data Contributor"),
        "{said}"
    );
    assert!(said.contains("WRONG  messages: "), "{said}");
    assert!(!said.contains(&wrong[key_at..key_at + 40]), "the key is shown");
    ended.failed(1);

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}/x");
    let dead = format!("AccountName=xyz;AccountKey=AAAA;BlobEndpoint={endpoint};QueueEndpoint={endpoint}");
    let said = finds(&["--storage", &dead], &["container jobs"]);
    assert!(said.contains("no connection") && said.contains("firewall"), "{said}");
}

#[test]
fn a_server_that_is_down_or_whose_storage_is_out_of_order_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let said = finds(&["--server", &format!("http://127.0.0.1:{port}")], &["server"]);
    assert!(said.contains("could not reach"), "{said}");

    let storage = Azurite::shared().spare_account();
    let server = Server::start(Path::new(&storage), &[]);
    run(["doctor", "--fix", "--no-search", "--storage", &storage]).failed(1);
    let said = finds(&["--server", &server.url], &["databases"]);
    assert!(said.contains("skyblast databases add"), "{said}");
}

#[test]
fn another_version_and_another_time_are_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        for (status, body) in [("200 OK", "{\"version\":\"0.0.1\"}"), ("401 Unauthorized", "")] {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 4096]).unwrap();
            let length = body.len();
            let head = "Date: Fri, 01 Jan 2021 00:00:00 GMT\r\nConnection: close";
            write!(connection, "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
                .unwrap();
        }
    });
    let said = finds(&["--server", &url], &["version", "server clock", "access"]);
    assert!(said.contains("the server is 0.0.1") && said.contains("timedatectl"), "{said}");
    assert!(said.contains("SKYBLAST_KEY"), "{said}");
    serving.join().unwrap();
}
