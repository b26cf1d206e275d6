//! Durations as host.json writes them: .NET's `[d.]hh:mm:ss[.fffffff]`.

use std::time::Duration;

use anyhow::{Context, bail};

/// Parses a time span; `-1` (no limit) is `None`.
pub(crate) fn parse(text: &str) -> anyhow::Result<Option<Duration>> {
    if text == "-1" {
        return Ok(None);
    }
    let (days, clock) = match text.split_once('.') {
        Some((days, clock)) if clock.contains(':') => (days.parse::<u64>().with_context(bad(text))?, clock),
        _ => (0, text),
    };
    let mut fields = clock.split(':');
    let (Some(hours), Some(minutes), Some(seconds), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        bail!("{:?} is not a time span: write hh:mm:ss", text);
    };
    let hours: u64 = hours.parse().with_context(bad(text))?;
    let minutes: u64 = minutes.parse().with_context(bad(text))?;
    let seconds: f64 = seconds.parse().with_context(bad(text))?;
    if hours > 23 || minutes > 59 || !(0.0..60.0).contains(&seconds) {
        bail!("{text:?} is not a time span: a field is out of range");
    }
    let whole = Duration::from_secs((days * 24 + hours) * 3600 + minutes * 60);
    Ok(Some(whole + Duration::from_secs_f64(seconds)))
}

fn bad(text: &str) -> impl Fn() -> String + '_ {
    move || format!("{text:?} is not a time span: write hh:mm:ss")
}
