//! Processes on one folder that are killed in the middle of a job.

use crate::common::command::skyblast;
use crate::common::examples;
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
