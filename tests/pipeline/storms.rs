//! Jobs in storms: whatever happens to messages, answers, processes and clocks, the report is the same, and
//! what is done twice is bounded.
//!
//! Time is simulated: the runtime's clock stands still while anybody works, and jumps to the next moment that
//! somebody waits for. So leases, pauses and the sweep's patience are those of real life, an hour of which
//! passes in a second, and no figure depends on the machine. With `--nocapture` each storm prints a row.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;
use skyblast::jobs::worker::{self, WorkerSettings};
use skyblast::jobs::{Instances, JobId, Settings, State};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::recovery::{DATABASE, FORMAT, QUERIES};
use crate::common::in_process::{assert_same_report, project_file};
use crate::common::local_pipeline::Fixture;
use crate::common::storm::{Storm, Tally, Weather};

/// Three chunks against fifteen volumes.
const SHARDS: u64 = 45;

/// No fault; a shard takes ten seconds on average, a call twenty milliseconds.
const CALM: Weather = Weather {
    duplicates: 0,
    lost_answers: 0,
    lost_deletes: 0,
    short_leases: 0,
    reordering: 0,
    late_ms: 60_000,
    throttling: 0,
    resets: 0,
    truncated: 0,
    kill_after: 0,
    skew: 0,
    call_ms: 40,
    shard_ms: 20_000,
};

/// Seeds, and how many handlers ride out the storm.
const RIDES: [(u64, u64); 4] = [(1, 1), (2, 3), (3, 1), (4, 3)];

/// What a storm did to a job that was complete in the end.
async fn ride_out(name: &str, weather: Weather, seed: u64, handlers: u64) -> Tally {
    let mut fixture = Fixture::in_memory(&[project_file(DATABASE)], VolumeLimit::Sequences(4), 1).await;
    // So few that shards come in slices.
    let instances = Instances { most: 1, ..Instances::default() };
    fixture.set(Settings { patience: Settings::default().patience, instances, ..fixture.settings() });
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
    storm.tally()
}

/// Works until the job has ended, with handlers that are killed and started again.
async fn work(fixture: &Fixture, storm: &Storm, weather: Weather, handlers: u64, id: JobId) {
    let stop = CancellationToken::new();
    let handler = || async {
        loop {
            let pipeline = fixture.in_storm(storm);
            let working = worker::run(Arc::clone(&pipeline), WorkerSettings::default(), stop.clone());
            if weather.kill_after == 0 {
                return working.await;
            }
            let life = Duration::from_secs(weather.kill_after / 2 + storm.below(weather.kill_after));
            if timeout(life, working).await.is_ok() {
                return;
            }
            storm.count("kill");
        }
    };
    let ended = async {
        let begun = Instant::now();
        while !fixture.state(id).await.is_final() {
            let hours = begun.elapsed().as_secs() / 3_600;
            assert!(hours < 24, "{:?}", fixture.pipeline.status(id).await);
            sleep(Duration::from_secs(1)).await;
        }
        stop.cancel();
    };
    let handlers = futures::future::join_all((0..handlers).map(|_| handler()));
    tokio::join!(handlers, ended);
}

/// Rides out a storm several times. Searches begun and messages sent for a shard, on average, may be so many.
async fn ride_out_often(name: &str, weather: Weather, most_searches: f64, most_messages: f64) {
    let mut all = Tally::default();
    for (seed, handlers) in RIDES {
        let tally = ride_out(name, weather, seed, handlers).await;
        all.searches += tally.searches;
        all.messages += tally.messages;
        all.calls += tally.calls;
        for (fault, times) in tally.faults {
            *all.faults.entry(fault).or_default() += times;
        }
    }
    let a_shard = |count: u64| count as f64 / (SHARDS * RIDES.len() as u64) as f64;
    let (searches, messages) = (a_shard(all.searches), a_shard(all.messages));
    println!(
        "| {name} | {} | {} of {} reports as expected | {searches:.2} | {messages:.2} | {:.1} |",
        listed(&all.faults),
        RIDES.len(),
        RIDES.len(),
        a_shard(all.calls)
    );
    assert!(searches <= most_searches, "{name}: {searches:.2} searches for a shard, {all:?}");
    assert!(messages <= most_messages, "{name}: {messages:.2} messages for a shard, {all:?}");
}

fn listed(faults: &BTreeMap<&'static str, u64>) -> String {
    faults.iter().map(|(fault, times)| format!("{times} × {fault}")).collect::<Vec<_>>().join(", ")
}

macro_rules! storms {
    ($($name:ident: $weather:expr, searches $searches:expr, messages $messages:expr;)+) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            ride_out_often(stringify!($name), $weather, $searches, $messages).await;
        })+
    };
}

storms! {
    calm_weather: CALM, searches 1.0, messages 1.2;
    duplicates_alone: Weather { duplicates: 200, ..CALM }, searches 1.5, messages 2.0;
    lost_answers_alone: Weather { lost_answers: 30, ..CALM }, searches 1.5, messages 2.0;
    lost_deletes_alone: Weather { lost_deletes: 150, ..CALM }, searches 1.5, messages 2.0;
    short_leases_alone: Weather { short_leases: 200, ..CALM }, searches 1.5, messages 2.0;
    reordering_alone: Weather { reordering: 300, ..CALM }, searches 1.5, messages 2.0;
    throttling_alone: Weather { throttling: 30, ..CALM }, searches 1.5, messages 2.0;
    resets_alone: Weather { resets: 30, ..CALM }, searches 1.5, messages 2.0;
    truncated_answers_alone: Weather { truncated: 50, ..CALM }, searches 1.5, messages 2.0;
    kills_alone: Weather { kill_after: 120, ..CALM }, searches 1.5, messages 2.0;
    storage_two_hours_ahead: Weather { skew: 7_200, ..CALM }, searches 1.5, messages 2.0;
    storage_two_hours_behind: Weather { skew: -7_200, ..CALM }, searches 1.5, messages 2.0;
    a_mild_storm: Weather {
        duplicates: 10,
        lost_answers: 3,
        lost_deletes: 10,
        short_leases: 10,
        reordering: 50,
        throttling: 5,
        resets: 5,
        truncated: 5,
        kill_after: 600,
        skew: 60,
        ..CALM
    }, searches 1.5, messages 2.0;
    all_faults_together: Weather {
        duplicates: 100,
        lost_answers: 20,
        lost_deletes: 50,
        short_leases: 100,
        reordering: 200,
        throttling: 20,
        resets: 20,
        truncated: 30,
        kill_after: 240,
        skew: 7_200,
        ..CALM
    }, searches 1.5, messages 2.0;
}

/// Sent, received, deleted, its hits written and read by the merge; the rest is shared by many. Without the
/// sweep, which costs what time costs.
#[tokio::test(start_paused = true)]
async fn a_shard_needs_few_operations() {
    let fixture = Fixture::in_memory(&[project_file(DATABASE)], VolumeLimit::Sequences(1), 1).await;
    let queries = std::fs::read(project_file(QUERIES)).unwrap();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    let storm = Storm::new(Weather::default(), 0);
    let stop = CancellationToken::new();
    let settings = WorkerSettings { sweep: None, ..WorkerSettings::default() };
    let working = worker::run(fixture.in_storm(&storm), settings, stop.clone());
    let ended = async {
        while !fixture.state(id).await.is_final() {
            sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
    };
    tokio::join!(working, ended);
    let (tally, shards) = (storm.tally(), fixture.pipeline.status(id).await.unwrap().shards.total);
    assert_eq!((tally.searches, shards), (180, 180));
    println!("{:.2} operations a shard", tally.calls as f64 / shards as f64);
    assert!(tally.calls <= shards * 6, "{} operations for {shards} shards, all steps included", tally.calls);
}

/// Work keeps it there; whoever runs it is not told to stop with it.
#[tokio::test(start_paused = true)]
async fn a_worker_leaves_when_there_has_been_nothing_to_do_for_a_while() {
    let fixture = Fixture::in_memory(&[project_file(DATABASE)], VolumeLimit::Sequences(20), 2_000).await;
    let queries = std::fs::read(project_file(QUERIES)).unwrap();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    let (stop, begun) = (CancellationToken::new(), Instant::now());
    let patience = Duration::from_secs(20);
    let settings = WorkerSettings { sweep: None, leave_after: Some(patience), ..WorkerSettings::default() };
    worker::run(fixture.in_storm(&Storm::new(CALM, 0)), settings, stop.clone()).await;
    assert_eq!(fixture.state(id).await, State::Completed);
    assert!(!stop.is_cancelled());
    let worked = begun.elapsed();
    assert!(worked > patience * 2, "shards took longer than it waits: {worked:?}");
    let begun = Instant::now();
    worker::run(fixture.pipeline.clone(), settings, stop).await;
    assert_eq!(begun.elapsed().as_secs(), patience.as_secs(), "with nothing to do");
}
