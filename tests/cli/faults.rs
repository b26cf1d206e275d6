//! Processes on one folder that are killed in the middle of a job.

use std::process::Command;

use crate::common::command::{end, skyblast};
use crate::common::examples;
use crate::common::in_process::project_file;
use crate::common::process::{Process, Server, wait_for};
use crate::server::Lab;

/// Copies of the bundled queries that keep a server busy for some seconds.
const COPIES: usize = 8;
const SHORT_CHUNKS: [&str; 6] = ["--chunk-residues", "2000", "--lease", "3", "--threads", "1"];

#[test]
fn a_server_killed_in_the_middle_of_a_job_goes_on_when_it_is_started_again() {
    let mut lab = Lab::start(&SHORT_CHUNKS);
    let id = lab.submit(&examples::many_queries(COPIES));
    for kill in 1..=3 {
        let status = lab.wait_for_shards(&id, kill * 12);
        assert_eq!(status["state"], "running", "the job is done too soon: raise COPIES");
        lab.server.process.kill();
        lab.server = Server::start(lab.folder.path(), &SHORT_CHUNKS);
    }
    lab.completes(&id, &examples::search_many(COPIES));
    assert_eq!(lab.status(&id)["shards"]["failed"], 0);
}

/// As the schedulers of clusters start it.
#[test]
fn a_worker_of_a_cluster_leaves_when_there_is_nothing_to_do() {
    let lab = Lab::start(&[]);
    let cache = lab.folder.path().join("cache");
    let script = || {
        let mut script = Command::new(project_file("infra/cluster/worker.sh"));
        script.env("SKYBLAST", env!("CARGO_BIN_EXE_skyblast")).env("SKYBLAST_CACHE", &cache);
        script.env("SLURM_CPUS_PER_TASK", "1").env("SKYBLAST_LEAVE_AFTER", "2s");
        script.env_remove("SKYBLAST_STORAGE");
        script
    };
    let left = end(script().env("SKYBLAST_STORAGE", lab.folder.path()));
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(left.stderr.contains("\"threads\":1") || left.stderr.contains("threads=1"), "{}", left.stderr);
    assert!(left.stderr.contains("nothing to do; leaving") && cache.is_dir(), "{}", left.stderr);

    let lost = end(&mut script());
    assert_eq!(lost.code, Some(2), "{}", lost.stderr);
    assert!(lost.stderr.contains("set SKYBLAST_STORAGE"), "{}", lost.stderr);
}

#[test]
fn workers_share_a_folder_with_a_server_and_may_be_killed() {
    let lab = Lab::start(&SHORT_CHUNKS);
    let storage = lab.folder.path().to_str().unwrap();
    let worker = || {
        let arguments = ["worker", "--storage", storage, "--threads", "1", "--lease", "3"];
        Process::start(&mut skyblast(arguments))
    };
    let mut workers = [worker(), worker()];
    for worker in &workers {
        wait_for("a worker at work", || worker.stderr().contains("working").then_some(()));
    }
    let id = lab.submit(&examples::many_queries(COPIES));
    let shards = |process: &Process| process.stderr().matches(" compared ").count();
    wait_for("shards by everybody", || {
        (workers.iter().all(|worker| shards(worker) > 0) && shards(&lab.server.process) > 0).then_some(())
    });
    workers[0].kill();
    lab.completes(&id, &examples::search_many(COPIES));
    workers[1].terminate();
    assert_eq!(workers[1].wait().code(), Some(0), "{}", workers[1].stderr());
}
