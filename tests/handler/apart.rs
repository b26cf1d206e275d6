//! Shards that end the process that works on them, and those that only seem to.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::bench::{Account, Bench};
use crate::common::azurite::Azurite;
use crate::common::command::run;
use crate::common::examples::{self, SHARDS};
use crate::host::HostOptions;
use crate::host::faults::Faults;
use crate::host::journal::Outcome;

/// What the log says of work in a process of its own.
const APART: &str = "working apart";

/// How many calls of `search` have found their handler dead.
fn deaths(bench: &Bench) -> usize {
    let history = bench.host.history();
    history.of("search").iter().filter(|call| matches!(call.outcome, Outcome::Failed(_))).count()
}

fn times_apart(bench: &Bench) -> usize {
    bench.host.consoles().iter().filter(|(_, line)| line.text.contains(APART)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_with_its_handler_is_done_in_a_process_of_its_own() {
    let faults = Faults { kills: BTreeSet::from([1]), ..Faults::default() };
    let bench = Account::with_database().host(|options| options.faults(faults)).await;
    let id = bench.submit_examples().await;
    bench.completes(&id, examples::report()).await;
    assert_eq!((deaths(&bench), times_apart(&bench)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_ends_every_process_is_given_up_before_it_ends_the_host() {
    let folder = tempfile::tempdir().unwrap();
    // A volume of more than the process may have.
    let mut fasta = String::new();
    for number in 0..16 {
        write!(fasta, ">long{number}\n{}\n", "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEV".repeat(125_000)).unwrap();
    }
    let (input, out) = (folder.path().join("long.fa"), folder.path().join("long"));
    fs::write(&input, fasta).unwrap();
    run(["makedb", "--in", input.to_str().unwrap(), "--out", out.to_str().unwrap()]).ok();
    let account = Account::publish_database(&out, Azurite::shared().spare_account());
    let handler = folder.path().join("skyblast");
    let script = format!("#!/bin/sh\nulimit -d 50000\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_skyblast"));
    fs::write(&handler, script).unwrap();
    fs::set_permissions(&handler, fs::Permissions::from_mode(0o755)).unwrap();

    let options = HostOptions::for_project(&handler).unwrap();
    let bench =
        account.host_of(options, |options| options.setting("SKYBLAST_CHUNK_RESIDUES", "100000000")).await;
    let id = bench.submit_examples().await;
    let status = bench.ended(&id).await;
    assert_eq!(status["state"], "completed_with_failed_shards", "{status:#}");
    let reason = status["failed_shards"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("killed by signal 6") && reason.contains("larger instances"), "{reason}");
    // One death of the handler; the other was that of the process beside it.
    assert_eq!((deaths(&bench), times_apart(&bench)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_does_not_fit_into_memory_is_refused_before_it_is_fetched() {
    let account = Account::with_database();
    let bench = account.host(|options| options.setting("SKYBLAST_MEMORY", "64MiB")).await;
    let id = bench.submit_examples().await;
    let status = bench.ended(&id).await;
    assert_eq!(status["shards"]["failed"], SHARDS, "{status:#}");
    let reason = status["failed_shards"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("64.0 MiB") && reason.contains("--volume-size"), "{reason}");
    assert_eq!(deaths(&bench), 0);
}
