//! The life of the handler's process (rules 1 and 12 to 14).

use std::time::Duration;

use serde_json::json;

use crate::bench::{Bench, eventually};
use crate::fake_handler;
use crate::host::console::Level;
use crate::host::journal::Outcome;
use crate::host::process::State;

#[tokio::test]
async fn the_handler_gets_its_port_and_the_app_settings_and_nothing_of_the_tests_environment() {
    let bench = Bench::start(|options| options.setting("MY_SETTING", "with a blank")).await;
    bench.host.ready(0).await.unwrap();
    let start = &bench.seen_starts()[0];
    let environment = &start["start"];
    assert!(environment["FUNCTIONS_CUSTOMHANDLER_PORT"].as_str().unwrap().parse::<u16>().unwrap() > 0);
    assert_eq!(environment["FUNCTIONS_CUSTOMHANDLER_PORT"], environment["FUNCTIONS_HTTPWORKER_PORT"]);
    assert_eq!(environment["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"].as_str().unwrap().len(), 36);
    assert_eq!(environment["FUNCTIONS_APP_ROOT_PATH"], start["folder"]);
    assert_eq!(environment["MY_SETTING"], "with a blank");
    let allowed = |name: &str| {
        name.starts_with("FUNCTIONS_")
            || matches!(name, "AzureWebJobsStorage" | "FAKE_SEEN" | "MY_SETTING" | "PATH" | "HOME" | "TMPDIR")
    };
    let foreign: Vec<_> = environment.as_object().unwrap().keys().filter(|name| !allowed(name)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[tokio::test]
async fn stdout_is_information_and_stderr_is_errors_or_warnings() {
    let bench = Bench::start(|options| options).await;
    let level_of =
        |text: &str| bench.host.console(0).into_iter().find(|line| line.text == text).map(|line| line.level);
    eventually(|| level_of("this is information").is_some()).await;
    eventually(|| level_of("this is a failure").is_some()).await;
    assert_eq!(level_of("this is information"), Some(Level::Information));
    assert_eq!(level_of("this is a failure"), Some(Level::Error));
    assert_eq!(level_of("this is a warning"), Some(Level::Warning));
}

#[tokio::test]
async fn calls_wait_until_the_handler_listens() {
    let bench = Bench::start(|options| options.setting(fake_handler::START_DELAY, "400")).await;
    bench.send(&json!({})).await;
    assert_eq!(bench.host.state(0), Some(State::Initializing));
    let call = &bench.calls(1).await[0];
    assert!(call.outcome.is_success());
    assert!(call.duration >= Duration::from_millis(300), "{:?}", call.duration);
}

#[tokio::test]
async fn a_handler_that_is_never_ready_stops_the_host_at_the_third_try() {
    let bench = Bench::start(|options| {
        options
            .setting(fake_handler::START_DELAY, "60000")
            .host_json("customHandler__initializationTimeout", "00:00:00.5")
    })
    .await;
    eventually(|| matches!(bench.host.state(0), Some(State::Stopped(_)))).await;
    assert_eq!(bench.seen_starts().len(), 3);
}

#[tokio::test]
async fn a_crash_is_a_failed_try_and_the_handler_is_back_at_once_on_the_same_port() {
    let bench = Bench::start(|options| options.host_json("extensions__queues__maxDequeueCount", "1")).await;
    bench.send(&json!({ "do": "exit", "code": 3 })).await;
    bench.send(&json!({})).await;
    let calls = bench.calls(2).await;
    assert!(matches!(calls[0].outcome, Outcome::Failed(_)), "{:?}", calls[0].outcome);
    assert!(calls[1].outcome.is_success(), "{:?}", calls[1].outcome);
    let starts = bench.seen_starts();
    let port = |start: usize| &starts[start]["start"]["FUNCTIONS_CUSTOMHANDLER_PORT"];
    let id = |start: usize| &starts[start]["start"]["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"];
    assert_eq!(port(0), port(1));
    assert_ne!(id(0), id(1));
}

#[tokio::test]
async fn the_third_crash_stops_the_host_and_a_new_instance_goes_on() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({ "do": "exit", "code": 3 })).await;
    eventually(|| matches!(bench.host.state(0), Some(State::Stopped(_)))).await;
    let Some(State::Stopped(reason)) = bench.host.state(0) else { unreachable!("just seen") };
    assert!(reason.contains("code 3") && reason.contains("this is a failure"), "{reason}");
    assert_eq!(bench.seen_starts().len(), 3);
    let answer = reqwest::get(format!("{}/api/echo/200", bench.host.url())).await.unwrap();
    assert_eq!(answer.status(), 503);

    bench.host.restart_instance(0).await.unwrap();
    bench.host.ready(0).await.unwrap();
    let answer = reqwest::get(format!("{}/api/echo/200", bench.host.url())).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_killed_handler_fails_its_call_and_comes_back() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({ "do": "sleep", "ms": 60_000 })).await;
    eventually(|| bench.seen_calls().len() == 1).await;
    bench.host.kill_handler(0).await;
    let call = &bench.calls(1).await[0];
    assert!(matches!(call.outcome, Outcome::Failed(_)), "{:?}", call.outcome);
    eventually(|| bench.host.state(0) == Some(State::Ready(2))).await;
}

#[tokio::test]
async fn exit_code_200_is_a_restart_that_is_not_counted() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({ "do": "exit", "code": 200 })).await;
    assert_eq!(bench.calls(5).await.len(), 5);
    eventually(|| bench.host.state(0) == Some(State::Ready(6))).await;
}

#[tokio::test]
async fn after_exit_code_0_every_call_fails() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({ "do": "exit", "code": 0 })).await;
    let calls = bench.calls(3).await;
    assert!(calls.iter().all(|call| !call.outcome.is_success()));
    assert_eq!(bench.host.state(0), Some(State::Exited));
    assert_eq!(bench.seen_starts().len(), 1);
}
