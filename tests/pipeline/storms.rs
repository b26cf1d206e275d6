//! Jobs in storms: whatever happens to messages, answers, processes and clocks, the report is the same, and
//! what is done twice is bounded.

use std::sync::Arc;
use std::time::Duration;

use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;
use skyblast::jobs::worker::{self, WorkerSettings};
use skyblast::jobs::{JobId, State};
use tokio_util::sync::CancellationToken;

use super::recovery::{DATABASE, FORMAT, QUERIES};
use crate::common::in_process::{assert_same_report, project_file};
use crate::common::local_pipeline::Fixture;
use crate::common::storm::{Storm, Tally, Weather};

/// Three chunks against fifteen volumes.
const SHARDS: u64 = 45;

const STALL: Duration = Duration::from_secs(1);

/// What a storm did to a job that was complete in the end.
async fn ride_out(name: &str, weather: Weather, seed: u64, handlers: u64) -> Tally {
    let fixture = Fixture::new(&[project_file(DATABASE)], VolumeLimit::Sequences(4), 1).await;
    let queries = std::fs::read(project_file(QUERIES)).unwrap();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    let storm = Storm::new(weather, seed);
    work(&fixture, &storm, weather, handlers, id).await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.state, State::Completed, "{name}, seed {seed}: {status:?}");
    assert_eq!(status.shards.done, SHARDS);
    let expected = fixture.expected(&queries, SearchOptions::default(), FORMAT);
    assert!(!expected.is_empty());
    assert_same_report(name, &fixture.report(id, None).await, &expected);
    let tally = storm.tally();
    let ratio = |count: u64| count as f64 / SHARDS as f64;
    println!(
        "{name}, seed {seed}, {handlers} handlers: {:?}; searches {:.2}, messages {:.2}, operations {:.1} per shard",
        tally.faults,
        ratio(tally.searches),
        ratio(tally.messages),
        ratio(tally.calls),
    );
    tally
}

/// Works until the job has ended, with handlers that are killed and started again.
async fn work(fixture: &Fixture, storm: &Storm, weather: Weather, handlers: u64, id: JobId) {
    let stop = CancellationToken::new();
    let settings = WorkerSettings {
        slots: 1,
        lease: Duration::from_millis(900),
        retry_pause: Duration::from_millis(20),
        idle_pause: Duration::from_millis(100),
        grace: Duration::from_secs(10),
        sweep: Some(Duration::from_millis(300)),
    };
    let handler = || async {
        loop {
            let pipeline = fixture.in_storm(storm, STALL);
            let working = worker::run(Arc::clone(&pipeline), settings, stop.clone());
            if weather.kill_after_ms == 0 {
                return working.await;
            }
            let life = weather.kill_after_ms / 2 + storm.below(weather.kill_after_ms);
            if tokio::time::timeout(Duration::from_millis(life), working).await.is_ok() {
                return;
            }
            storm.count("kill");
        }
    };
    let ended = async {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(300);
        while !fixture.state(id).await.is_final() {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", fixture.pipeline.status(id).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
    };
    let handlers = futures::future::join_all((0..handlers).map(|_| handler()));
    tokio::join!(handlers, ended);
}

/// Every fault alone, often.
fn single_faults() -> Vec<(&'static str, Weather)> {
    let calm = Weather::default();
    vec![
        ("duplicates", Weather { duplicates: 200, ..calm }),
        ("lost answers", Weather { lost_answers: 30, ..calm }),
        ("lost deletes", Weather { lost_deletes: 150, ..calm }),
        ("short leases", Weather { short_leases: 200, ..calm }),
        ("reordering", Weather { reordering: 300, ..calm }),
        ("throttling", Weather { throttling: 30, ..calm }),
        ("resets", Weather { resets: 30, ..calm }),
        ("truncated answers", Weather { truncated: 50, ..calm }),
        ("kills", Weather { kill_after_ms: 1_500, ..calm }),
        ("storage's clock two hours ahead", Weather { skew: 7_200, ..calm }),
        ("storage's clock two hours behind", Weather { skew: -7_200, ..calm }),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_alone_leaves_the_report_as_it_is() {
    for (number, (name, weather)) in (0..).zip(single_faults()) {
        tokio::join!(ride_out(name, weather, number, 1), ride_out(name, weather, 100 + number, 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_faults_together_leave_the_report_as_it_is() {
    let weather = Weather {
        duplicates: 100,
        lost_answers: 20,
        lost_deletes: 50,
        short_leases: 100,
        reordering: 200,
        throttling: 20,
        resets: 20,
        truncated: 30,
        kill_after_ms: 3_000,
        skew: 7_200,
    };
    for seed in 0..3 {
        tokio::join!(ride_out("all", weather, seed, 1), ride_out("all", weather, 100 + seed, 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_mild_storm_costs_little_work_and_few_messages() {
    let weather = Weather {
        duplicates: 10,
        lost_answers: 3,
        lost_deletes: 10,
        short_leases: 10,
        reordering: 50,
        throttling: 5,
        resets: 5,
        truncated: 5,
        ..Weather::default()
    };
    for (seed, handlers) in [(1, 1), (2, 3), (3, 1), (4, 3)] {
        let tally = ride_out("mild", weather, seed, handlers).await;
        assert!(tally.searches * 2 <= SHARDS * 3, "{tally:?}");
        assert!(tally.messages <= SHARDS * 2, "{tally:?}");
    }
}

/// Sent, received, deleted, its hits written and read by the merge, its row listed; the rest is shared.
#[tokio::test]
async fn a_shard_needs_few_operations() {
    let fixture = Fixture::new(&[project_file(DATABASE)], VolumeLimit::Sequences(1), 1).await;
    let queries = std::fs::read(project_file(QUERIES)).unwrap();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    let storm = Storm::new(Weather::default(), 0);
    let stop = CancellationToken::new();
    let settings = WorkerSettings { sweep: None, ..WorkerSettings::default() };
    let working = worker::run(fixture.in_storm(&storm, STALL), settings, stop.clone());
    let ended = async {
        while !fixture.state(id).await.is_final() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
    };
    tokio::join!(working, ended);
    let (tally, shards) = (storm.tally(), fixture.pipeline.status(id).await.unwrap().shards.total);
    assert_eq!((tally.searches, shards), (180, 180));
    println!("{:.2} operations a shard", tally.calls as f64 / shards as f64);
    assert!(
        tally.calls * 2 <= shards * 15,
        "{} operations for {shards} shards, all steps included",
        tally.calls
    );
}
