//! The log: JSON lines for the Functions host, text on standard error for people.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Format, Json, Writer, format};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::log_stream::LogStream;

/// Variable that sets what is logged, as in `debug` or `skyblast::jobs=debug,info`.
const VARIABLE: &str = "SKYBLAST_LOG";

fn filter(default: Level) -> Targets {
    let asked = std::env::var(VARIABLE).ok().and_then(|asked| asked.parse().ok());
    asked.unwrap_or_else(|| Targets::new().with_default(default))
}

/// Logs text to standard error, from `default` upwards unless the environment says otherwise.
pub(super) fn for_people(default: Level) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| LogStream::Error)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // It would complain on standard error, and panic if that cannot be written either.
        .log_internal_errors(false);
    // A second logger in one process is none of a user's business.
    let _ = tracing_subscriber::registry().with(filter(default)).with(lines).try_init();
}

/// Logs lines of [`HostFormat`] to [`HostLines`].
pub(super) fn for_host() {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .log_internal_errors(false)
        .event_format(HostFormat::default())
        .with_writer(HostLines);
    let _ = tracing_subscriber::registry().with(filter(Level::INFO)).with(lines).try_init();
}

/// JSON lines. The innermost span says which function, job and trace a line belongs to. An event that
/// says that it has no parent stands for itself: with as many lines as there are shards, what the host adds
/// to each row anyway, such as time and severity, is paid for twice.
#[derive(Debug)]
struct HostFormat {
    full: Format<Json>,
    brief: Format<Json, ()>,
}

impl Default for HostFormat {
    fn default() -> Self {
        let json = format().json().flatten_event(true).with_span_list(false);
        let brief = json.clone().with_current_span(false).with_target(false).with_level(false).without_time();
        Self { full: json.with_current_span(true), brief }
    }
}

impl<S, N> FormatEvent<S, N> for HostFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match event.is_root() {
            true => self.brief.format_event(context, writer, event),
            false => self.full.format_event(context, writer, event),
        }
    }
}

/// Lines by their severity, as the Functions host tells it: what comes from standard error it takes for an
/// error, or for a warning if `warn` is in it, whatever else for information.
#[derive(Debug)]
struct HostLines;

impl<'a> MakeWriter<'a> for HostLines {
    type Writer = HostLine;

    fn make_writer(&'a self) -> HostLine {
        HostLine(Level::INFO)
    }

    fn make_writer_for(&'a self, line: &Metadata<'_>) -> HostLine {
        HostLine(*line.level())
    }
}

/// Writes one line of a level.
#[derive(Debug)]
struct HostLine(Level);

impl Write for HostLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len();
        match self.0 {
            Level::ERROR => LogStream::Error.write_all(&without_warn(line))?,
            Level::WARN => LogStream::Error.write_all(line)?,
            _ => LogStream::Output.write_all(line)?,
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same JSON, in which an `a` is escaped wherever the host would find `warn`.
fn without_warn(json: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(json.len());
    for (at, &byte) in json.iter().enumerate() {
        let is_warn = at > 0
            && byte.eq_ignore_ascii_case(&b'a')
            && json[at - 1].eq_ignore_ascii_case(&b'w')
            && json[at + 1..].get(..2).is_some_and(|rest| rest.eq_ignore_ascii_case(b"rn"));
        match is_warn {
            true => text.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            false => text.push(byte),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_pass_for_a_warning_and_says_the_same() {
        let line = r#"{"level":"ERROR","message":"Warned of warnings","warn":1}"#;
        let written = String::from_utf8(without_warn(line.as_bytes())).expect("text");
        assert!(!written.to_lowercase().contains("warn"), "{written}");
        let parse = |text| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(parse(&written), parse(line));
    }
}
