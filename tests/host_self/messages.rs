//! The queue listener (rules 10, 11 and 15).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use skyblast::store::Queue;

use crate::bench::{Bench, Queues, eventually};
use crate::host::faults::Faults;
use crate::host::journal::{Invocation, MessageRef};

/// The most calls that ran at the same time.
fn width(calls: &[Invocation]) -> usize {
    let at_start = |call: &Invocation| {
        calls.iter().filter(|other| other.started <= call.started && other.overlaps(call)).count()
    };
    calls.iter().map(at_start).max().unwrap_or_default()
}

/// The messages' member `n`, in the order in which the handlers got them.
fn order(bench: &Bench) -> Vec<u64> {
    let number = |call: &serde_json::Value| {
        let body: serde_json::Value = serde_json::from_str(call["body"].as_str().unwrap()).unwrap();
        body["Metadata"]["n"].as_str().unwrap().trim_matches('"').parse().unwrap()
    };
    bench.seen_calls().iter().map(number).collect()
}

#[tokio::test]
async fn a_message_that_succeeds_is_deleted() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({})).await;
    bench.calls(1).await;
    eventually(|| bench.queues.work.bodies().is_empty()).await;
    assert_eq!(bench.host.poison_count(), 0);
}

#[tokio::test]
async fn a_message_that_fails_comes_back_after_the_visibility_timeout() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({ "do": "fail once" })).await;
    let calls = bench.calls(2).await;
    assert!(!calls[0].outcome.is_success() && calls[1].outcome.is_success());
    assert_eq!((calls[0].dequeue_count(), calls[1].dequeue_count()), (1, 2));
    assert_eq!(
        calls[0].message.as_ref().map(|message: &MessageRef| &message.id),
        calls[1].message.as_ref().map(|message| &message.id)
    );
    assert!(calls[1].started - calls[0].started >= Duration::from_millis(200));
    let seen = bench.seen_calls();
    let invocation = |call: usize| &seen[call]["headers"]["x-azure-functions-invocationid"];
    assert_ne!(invocation(0), invocation(1), "a retry is a new invocation");
}

#[tokio::test]
async fn a_message_is_copied_to_the_poison_queue_after_five_tries() {
    let bench = Bench::start(|options| options).await;
    let message = json!({ "do": "answer 500" });
    bench.send(&message).await;
    let history = bench.until(|history| history.poisoned.len() == 1).await;
    let tries: Vec<_> = history.of("work").iter().map(|call| call.dequeue_count()).collect();
    assert_eq!(tries, [1, 2, 3, 4, 5]);
    assert_eq!(history.poisoned[0].queue, "works");
    assert_eq!(bench.queues.poison.bodies(), [message.to_string()]);
    eventually(|| bench.queues.work.bodies().is_empty()).await;
}

#[tokio::test]
async fn a_message_with_too_many_tries_is_given_up_without_a_run() {
    let queues = Queues::new();
    queues.work.send("tired", Duration::ZERO).await.unwrap();
    for _ in 0..5 {
        queues.work.receive(1, Duration::ZERO).await.unwrap();
    }
    let bench = Bench::start_on(queues, |options| options).await;
    let history = bench.until(|history| history.poisoned.len() == 1).await;
    assert!(history.invocations.is_empty());
    assert_eq!(bench.queues.poison.bodies(), ["tired"]);
}

#[tokio::test]
async fn text_that_is_not_base64_where_it_should_be_is_given_up_without_a_run_and_stays() {
    let lease = Duration::from_millis(300);
    let bench = Bench::start(|options| {
        options
            .only(["work", "work_poison"])
            .lease(lease)
            .host_json("extensions__queues__messageEncoding", "base64")
    })
    .await;
    bench.queues.work.send("{plain}", Duration::ZERO).await.unwrap();
    bench.until(|history| history.poisoned.len() == 1).await;
    let returns = || bench.queues.poison.dequeue_counts();
    eventually(|| returns().first().is_some_and(|count| *count > 2)).await;
    assert_eq!(bench.queues.poison.bodies(), ["{plain}"], "it is in nobody's way but for ever there");
    assert!(bench.seen_calls().is_empty());

    bench.queues.work.send("eyJhIjoxfQ==", Duration::ZERO).await.unwrap();
    bench.calls(1).await;
    assert!(bench.seen_calls()[0]["body"].as_str().unwrap().contains(r#"{\\\"a\\\":1}"#));
}

#[tokio::test]
async fn any_text_is_delivered_five_times_and_then_to_the_poison_function_where_nothing_is_decoded() {
    let bench = Bench::start(|options| options.only(["work", "work_poison"])).await;
    for text in ["", "plain", "ZG9uZQ==", "{\"do\":", "<a>&amp;</a>", "[1]"] {
        bench.queues.work.send(text, Duration::ZERO).await.unwrap();
    }
    bench.calls(6).await;
    assert!(bench.host.history().of("work").iter().all(|call| call.outcome.is_success()));
}

#[tokio::test]
async fn a_message_that_fails_in_a_poison_queue_waits_out_its_lease() {
    let bench = Bench::start(|options| options.only(["work_poison"]).lease(Duration::from_millis(600))).await;
    bench.host.ready(0).await.unwrap();
    bench.queues.poison.send(r#"{"do":"answer 500"}"#, Duration::ZERO).await.unwrap();
    let history = bench.until(|history| history.of("work_poison").len() == 2).await;
    let calls = history.of("work_poison");
    assert!(calls[1].started - calls[0].started >= Duration::from_millis(550), "longer than a retry");
    assert_eq!(calls[1].dequeue_count(), 2);
    assert!(history.poisoned.is_empty(), "there is no poison queue of a poison queue");
}

#[tokio::test]
async fn the_lease_is_renewed_while_a_call_runs() {
    let bench = Bench::start(|options| options.instances(2).lease(Duration::from_millis(400))).await;
    bench.host.ready(0).await.unwrap();
    bench.host.ready(1).await.unwrap();
    bench.send(&json!({ "do": "sleep", "ms": 1500 })).await;
    bench.calls(1).await;
    eventually(|| bench.queues.work.bodies().is_empty()).await;
    assert_eq!(bench.seen_calls().len(), 1);
}

#[tokio::test]
async fn a_message_in_flight_on_an_instance_that_vanishes_comes_back_when_its_lease_ends() {
    let bench = Bench::start(|options| options.lease(Duration::from_millis(1500))).await;
    let sent = std::time::Instant::now();
    bench.send(&json!({ "do": "sleep", "ms": 100 })).await;
    eventually(|| bench.seen_calls().len() == 1).await;
    bench.host.stop_instance(0).await;
    assert_eq!(bench.host.state(0), None);
    bench.host.restart_instance(0).await.unwrap();
    let call = &bench.calls(1).await[0];
    assert_eq!(call.dequeue_count(), 2);
    assert!(call.started - sent >= Duration::from_millis(1500));
}

#[tokio::test]
async fn a_message_whose_lease_is_lost_runs_twice_at_the_same_time_and_both_may_succeed() {
    let bench = Bench::start(|options| options.instances(2)).await;
    bench.host.ready(0).await.unwrap();
    bench.host.ready(1).await.unwrap();
    bench.send(&json!({ "do": "sleep", "ms": 800 })).await;
    eventually(|| bench.seen_calls().len() == 1).await;
    bench.queues.work.end_leases();
    let calls = bench.calls(2).await;
    assert!(calls[0].overlaps(&calls[1]));
    assert!(calls.iter().all(|call| call.outcome.is_success()));
    assert_eq!((calls[0].dequeue_count(), calls[1].dequeue_count()), (1, 2));
    eventually(|| bench.queues.work.bodies().is_empty()).await;
}

#[tokio::test]
async fn an_unreachable_queue_is_asked_until_it_is_back() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({})).await;
    bench.calls(1).await;
    bench.queues.work.set_outage(true);
    tokio::time::sleep(Duration::from_millis(300)).await;
    bench.queues.work.set_outage(false);
    bench.send(&json!({})).await;
    assert!(bench.calls(2).await[1].outcome.is_success());
}

#[tokio::test]
async fn with_a_batch_of_one_and_no_threshold_messages_run_one_by_one() {
    let bench = Bench::start(|options| options).await;
    for _ in 0..4 {
        bench.send(&json!({ "do": "sleep", "ms": 50 })).await;
    }
    assert_eq!(width(&bench.calls(4).await), 1);
}

#[tokio::test]
async fn a_listener_runs_batch_size_and_threshold_at_a_time() {
    let queues = Queues::new();
    for _ in 0..12 {
        queues.work.send(r#"{"do":"sleep","ms":150}"#, Duration::ZERO).await.unwrap();
    }
    let bench = Bench::start_on(queues, |options| {
        options
            .host_json("extensions__queues__batchSize", "2")
            .host_json("extensions__queues__newBatchThreshold", "1")
    })
    .await;
    let width = width(&bench.calls(12).await);
    assert!((2..=3).contains(&width), "{width}");
}

#[tokio::test]
async fn instances_share_a_queue() {
    let bench = Bench::start(|options| options.instances(3)).await;
    for _ in 0..9 {
        bench.send(&json!({ "do": "sleep", "ms": 150 })).await;
    }
    let calls = bench.calls(9).await;
    let instances: BTreeSet<_> = calls.iter().map(|call| call.instance).collect();
    assert_eq!(instances, BTreeSet::from([0, 1, 2]));
    assert_eq!(bench.seen_calls().len(), 9);
    assert_eq!(bench.seen_starts().len(), 3);
}

#[tokio::test]
async fn on_request_messages_are_delivered_twice_at_the_same_time_to_two_instances() {
    let faults = Faults { duplicate: 0.5, ..Faults::default() };
    let bench = Bench::start(|options| options.instances(2).faults(faults)).await;
    for _ in 0..4 {
        bench.send(&json!({ "do": "sleep", "ms": 100 })).await;
    }
    let calls = bench.calls(6).await;
    eventually(|| bench.queues.work.bodies().is_empty()).await;
    assert_eq!(bench.seen_calls().len(), 6);
    let mut twins = 0;
    for (i, one) in calls.iter().enumerate() {
        for two in &calls[i + 1..] {
            if one.message.as_ref().unwrap().id == two.message.as_ref().unwrap().id {
                twins += 1;
                assert!(one.overlaps(two));
                assert_ne!(one.instance, two.instance);
                assert_eq!(one.dequeue_count() + two.dequeue_count(), 3);
            }
        }
    }
    assert_eq!(twins, 2);
}

#[tokio::test]
async fn on_request_messages_come_in_another_order() {
    let run = async |shuffle| {
        let queues = Queues::new();
        for n in 0..8 {
            queues.work.send(&json!({ "n": n }).to_string(), Duration::ZERO).await.unwrap();
        }
        let bench =
            Bench::start_on(queues, |options| options.faults(Faults { shuffle, ..Faults::default() })).await;
        let calls = bench.calls(8).await;
        assert!(calls.iter().all(|call| call.dequeue_count() == 1));
        order(&bench)
    };
    let sent: Vec<_> = (0..8).collect();
    assert_eq!(run(None).await, sent);
    let mut shuffled = run(Some(7)).await;
    assert_ne!(shuffled, sent);
    shuffled.sort_unstable();
    assert_eq!(shuffled, sent);
}
