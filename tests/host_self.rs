//! Proves the test host itself: each rule of the host's contract, seen from a fake handler.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "host_self/bench.rs"]
mod bench;
#[path = "host_self/calls.rs"]
mod calls;
#[path = "host_self/fake_handler.rs"]
mod fake_handler;
#[path = "host_self/files.rs"]
mod files;
mod host;
#[path = "host_self/http.rs"]
mod http;
#[path = "host_self/life.rs"]
mod life;
#[path = "common/memory_queue.rs"]
mod memory_queue;
#[path = "host_self/messages.rs"]
mod messages;

/// Not a test: the handler's process, started by the host under test.
#[tokio::test]
#[ignore = "is started by the host under test"]
async fn act_as_handler() {
    if std::env::var_os("FUNCTIONS_CUSTOMHANDLER_PORT").is_some() {
        fake_handler::serve().await;
    }
}
