//! What the handler writes to stdout and stderr, as the host logs it (rule 14).

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// How the host logs a line (rule 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// From stdout.
    Information,
    /// From stderr, with "warn" in it.
    Warning,
    /// From stderr.
    Error,
}

/// One line that the handler has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConsoleLine {
    /// How the host logs it.
    pub(crate) level: Level,
    /// Its text.
    pub(crate) text: String,
}

/// All lines of one instance's handlers, oldest first.
#[derive(Debug, Default)]
pub(super) struct Console {
    lines: Mutex<Vec<ConsoleLine>>,
}

impl Console {
    /// All lines so far.
    pub(super) fn lines(&self) -> Vec<ConsoleLine> {
        self.lines.lock().expect("no panic while writing a line").clone()
    }

    /// Adds a line.
    pub(super) fn push(&self, level: Level, text: String) {
        self.lines.lock().expect("no panic while writing a line").push(ConsoleLine { level, text });
    }

    /// The last lines from stderr, at most `count`.
    pub(super) fn last_errors(&self, count: usize) -> Vec<String> {
        let lines = self.lines.lock().expect("no panic while writing a line");
        let errors: Vec<_> = lines.iter().filter(|line| line.level != Level::Information).collect();
        errors[errors.len().saturating_sub(count)..].iter().map(|line| line.text.clone()).collect()
    }

    /// Collects a stream's lines until it ends.
    pub(super) async fn follow(self: Arc<Self>, stream: Option<impl AsyncRead + Unpin>, is_stderr: bool) {
        let Some(stream) = stream else { return };
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(text)) = lines.next_line().await {
            let level = match (is_stderr, text.to_lowercase().contains("warn")) {
                (false, _) => Level::Information,
                (true, true) => Level::Warning,
                (true, false) => Level::Error,
            };
            self.push(level, text);
        }
    }
}
