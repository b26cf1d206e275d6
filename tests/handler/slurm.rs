//! Own workers as jobs of a real Slurm, which `tests/run` installs.

use std::fs;
use std::process::Command;

use crate::bench::{Account, eventually};
use crate::common::command::{end, skyblast};
use crate::common::examples::{self, SHARDS};
use crate::common::process::Process;
use crate::scheduler::{Cluster, SPARE, URGENT};

/// Copies of the bundled queries that keep the workers busy for some seconds.
const COPIES: usize = 8;
const WORKERS: usize = 3;

/// `skyblast cluster slurm` on the account.
fn starter(cluster: &Cluster, account: &Account, more: &[&str]) -> Command {
    let max = WORKERS.to_string();
    let mut command = skyblast(["cluster", "slurm", "--storage", &account.connection, "--max", &max]);
    command.args(["--threads", "1", "--shards-per-worker", "4", "--leave-after", "5s", "--cache", "volumes"]);
    cluster.prepare(command.args(more).args(["--", "--partition", SPARE])).current_dir(cluster.folder());
    command
}

/// What the workers have logged, also those that were started again.
fn logs(cluster: &Cluster) -> String {
    let files = fs::read_dir(cluster.folder()).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|e| e == "log"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_does_not_depend_on_workers_that_slurm_starts_and_takes_away() {
    let cluster = Cluster::start();
    let account = Account::with_database();
    let bench = account.host(|options| options.setting("SKYBLAST_PLACE", "own")).await;
    let id = bench.submit(examples::many_queries(COPIES)).await;
    account.wait_for_at_least("own-shards", SHARDS).await;

    let mut service = Process::start(&mut starter(&cluster, &account, &["--every", "1s"]));
    eventually("a submission", async || service.stdout().contains(" submitted as job ")).await;
    let said = service.stdout();
    assert!(said.contains("0 of 3 workers there") && said.contains("; 3 more submitted as job "), "{said}");
    let job = said.trim().rsplit(' ').next().unwrap();
    let working = |times: usize| logs(&cluster).matches(" working ").count() >= times;
    eventually("all workers at work", async || working(WORKERS)).await;
    eventually("hits", async || logs(&cluster).contains(" compared ")).await;

    // One is sent back to its queue, then somebody has a better claim to the whole node.
    cluster.ask("scontrol", &["requeue", &format!("{job}_1")]);
    let claim = ["--parsable", "--exclusive", "--partition", URGENT, "--output=/dev/null", "--wrap=true"];
    cluster.ask("sbatch", &claim);
    let waiting = ["--noheader", "--array", "--states", "PENDING", "--job", job];
    eventually("workers sent back", async || cluster.ask("squeue", &waiting).lines().count() == WORKERS)
        .await;
    // Slurm lets them wait for two minutes else.
    cluster.ask("scontrol", &["update", &format!("JobId={job}"), "StartTime=now"]);
    eventually("workers that were started again", async || working(2 * WORKERS)).await;

    bench.completes(&id, &examples::search_many(COPIES)).await;
    assert!(bench.host.history().of("search").is_empty(), "the app has compared shards");
    for worker in 1..=WORKERS {
        let shown = cluster.ask("scontrol", &["show", "job", &format!("{job}_{worker}")]);
        assert!(shown.contains(" Restarts=1 "), "{shown}");
    }
    println!("{}", logs(&cluster));
    service.terminate();
    assert_eq!(service.wait().code(), Some(0), "{}", service.stderr());
    eventually("workers that leave", async || cluster.is_empty()).await;
    assert!(logs(&cluster).contains("nothing to do; leaving"));
    assert!(cluster.folder().join("volumes").is_dir());
    let last = end(&mut starter(&cluster, &account, &["--dry-run"])).ok();
    assert!(String::from_utf8(last).unwrap().contains("0 of 3 workers there"));
}
