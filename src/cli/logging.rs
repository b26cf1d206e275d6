//! The log: JSON lines on standard output for the Functions host, text on standard error for
//! people.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Variable that sets what is logged, as in `debug` or `skyblast::jobs=debug,info`.
const VARIABLE: &str = "SKYBLAST_LOG";

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(default))
}

/// Logs text to standard error, from `default` upwards unless the environment says otherwise.
pub(super) fn for_people(default: &str) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(default))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // A second logger in one process is none of a user's business.
    let _ = subscriber.try_init();
}

/// Logs JSON lines to standard output: the host takes every line on standard error for an error.
pub(super) fn for_host() {
    // The innermost span says which function, job and trace a line belongs to.
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter("info"));
    let _ = subscriber.try_init();
}
