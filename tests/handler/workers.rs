//! `skyblast worker` on the queues of a Functions app.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use serde_json::json;
use skyblast::jobs::DATABASES;

use crate::bench::{Account, BEGUN, LONG, all_but, eventually, one_chunk};
use crate::common::azurite::Azurite;
use crate::common::command::skyblast;
use crate::common::examples::{self, SHARDS, VOLUMES};
use crate::common::process::Process;

/// A worker on the account, with one thread.
fn worker(account: &Account, more: &[&str]) -> Process {
    let arguments = ["worker", "--threads", "1", "--storage", &account.connection];
    Process::start(skyblast(arguments.iter().chain(more)).env("SKYBLAST_LOG", "skyblast=debug"))
}

/// Waits until the worker is comparing a shard.
async fn is_at_work(worker: &Process) {
    eventually("a shard being compared", async || worker.stderr().contains(BEGUN)).await;
}

/// Whether the worker has compared shards.
fn has_compared(worker: &Process) -> bool {
    worker.stderr().contains(" compared ")
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_the_work_of_a_handler_and_may_die_or_leave() {
    let account = Account::with_database();
    let bench = account.host(|options| options).await;
    bench.host.ready(0).await.unwrap();
    let (mut dying, mut leaving) =
        (worker(&account, &["--lease", "3"]), worker(&account, &["--grace", "20"]));
    let id = bench.submit(examples::many_queries(2)).await;
    eventually("both workers at work", async || has_compared(&dying) && has_compared(&leaving)).await;
    dying.kill();
    leaving.terminate();
    assert_eq!(leaving.wait().code(), Some(0), "{}", leaving.stderr());
    assert!(leaving.stderr().contains("stopped"));

    bench.completes(&id, &examples::search_many(2)).await;
    // What the workers have done was not done again, but for the shards under way when they ended.
    let done = bench.host.history().of("search").iter().filter(|call| call.outcome.is_success()).count();
    assert!(done < 2 * SHARDS as usize, "{done} shards by the handler");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_to_stop_gives_back_its_message_and_one_that_is_killed_loses_it_for_its_lease() {
    let account = Account::publish_one_volume(Azurite::shared().spare_account());
    let bench = account.host(|options| one_chunk(options.only(all_but(&["search"])))).await;
    let id = bench.submit(examples::many_queries(LONG)).await;
    account.wait_for_messages("shards", 1).await;
    let shards = account.queue("shards");

    // Gives the message back when it is there.
    let comes_back = async |what: &str| {
        let mut back = Vec::new();
        eventually(what, async || {
            back = shards.receive(1, Duration::from_secs(60)).await.unwrap();
            !back.is_empty()
        })
        .await;
        shards.renew(&mut back[0], Duration::ZERO).await.unwrap();
    };

    let mut killed = worker(&account, &["--lease", "3"]);
    is_at_work(&killed).await;
    killed.kill();
    comes_back("the message of a killed worker").await;

    let mut stopped = worker(&account, &["--lease", "600", "--grace", "0"]);
    is_at_work(&stopped).await;
    // Slurm says it twice.
    stopped.terminate();
    stopped.terminate();
    let told = Instant::now();
    assert_eq!(stopped.wait().code(), Some(0), "{}", stopped.stderr());
    comes_back("the message of a worker told to stop").await;
    assert!(told.elapsed() < Duration::from_secs(60), "not by the end of its lease: {:?}", told.elapsed());

    let searching = account.host(|options| options.only(["search"])).await;
    bench.completes(&id, &examples::search_many(LONG)).await;
    assert!(searching.host.history().of("search").iter().all(|call| call.outcome.is_success()));
}

/// As an instance does that the platform takes away.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_told_to_stop_hands_its_shard_to_others_at_once() {
    let account = Account::publish_one_volume(Azurite::shared().spare_account());
    let bench = account.host(|options| one_chunk(options.only(all_but(&["search"])))).await;
    let id = bench.submit(examples::many_queries(LONG)).await;
    account.wait_for_messages("shards", 1).await;
    let message = account.purge("shards").await.remove(0);

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut handler = Process::start(
        skyblast(["handler", "--threads", "1"])
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("SKYBLAST_STORAGE", &account.connection)
            .env("SKYBLAST_LOG", "skyblast=debug"),
    );
    let client = skyblast::store::http_client().no_proxy().build().unwrap();
    let address = format!("http://127.0.0.1:{port}");
    eventually("the handler", async || client.get(&address).send().await.is_ok()).await;
    let payload = json!({
        "Data": { "message": serde_json::to_string(&message).unwrap() },
        "Metadata": { "DequeueCount": "1", "Id": "\"1\"" },
    });
    let call = client.post(format!("{address}/search")).json(&payload).send();
    let (answer, ()) = tokio::join!(call, async {
        eventually("a shard being compared", async || handler.stdout().contains(BEGUN)).await;
        handler.terminate();
    });
    assert!(answer.unwrap().status().is_success(), "{}", handler.stderr());
    assert_eq!(handler.wait().code(), Some(0), "{}", handler.stderr());
    let log = handler.stdout();
    assert!(log.contains("\"compared in part\"") && !log.contains("\"compared\""), "{log}");
    account.wait_for_messages("shards", 1).await;

    let searching = account.host(|options| options.only(["search"])).await;
    bench.completes(&id, &examples::search_many(LONG)).await;
    assert!(searching.host.history().of("search").iter().all(|call| call.outcome.is_success()));
}

/// The files of a cache.
fn kept(cache: &Path) -> Vec<PathBuf> {
    fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn bytes_of(files: &[PathBuf]) -> u64 {
    files.iter().map(|file| file.metadata().unwrap().len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_a_machine_share_a_bounded_cache_of_volumes_and_fetch_a_damaged_one_again() {
    let account = Account::with_database();
    let bench = account.host(|options| options.only(all_but(&["search"]))).await;
    let folder = tempfile::tempdir().unwrap();
    let (shared, small) = (folder.path().join("shared"), folder.path().join("small"));
    let keeping = |cache: &Path, more: &[&str]| {
        worker(&account, &[&["--cache", cache.to_str().unwrap()], more].concat())
    };

    let sharing = [keeping(&shared, &[]), keeping(&shared, &[])];
    bench.completes(&bench.submit_examples().await, examples::report()).await;
    assert_eq!(kept(&shared).len() as u64, VOLUMES);
    drop(sharing);

    // Room for two, of which one is being made for the next.
    let limit = bytes_of(&kept(&shared)) / 3;
    let bounded = keeping(&small, &["--cache-size", &limit.to_string()]);
    bench.completes(&bench.submit_examples().await, examples::report()).await;
    let files = kept(&small);
    assert!(
        !files.is_empty() && bytes_of(&files) <= limit,
        "{} files of more than {limit} bytes",
        files.len()
    );
    drop(bounded);

    let damaged = &kept(&shared)[0];
    let whole = fs::read(damaged).unwrap();
    fs::write(damaged, &whole[..whole.len() / 2]).unwrap();
    let mending = keeping(&shared, &[]);
    bench.completes(&bench.submit_examples().await, examples::report()).await;
    assert!(mending.stderr().contains("it is fetched again"), "{}", mending.stderr());
    assert_eq!(fs::read(damaged).unwrap(), whole);
    drop(mending);

    // What is there is not asked for.
    let id = bench.submit_examples().await;
    let databases = account.blobs(DATABASES);
    let volumes: Vec<_> = databases.list("volumes/").try_collect().await.unwrap();
    assert_eq!(volumes.len() as u64, VOLUMES);
    for volume in volumes {
        databases.delete(&volume.name).await.unwrap();
    }
    let _last = keeping(&shared, &[]);
    bench.completes(&id, examples::report()).await;
}
