//! Times on the command line: `90s`, `12h`, `7d`.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// Reads a time such as `7d` or `1h 30m`; days have 24 hours.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let usage = || format!("{text:?} is no length of time; write it like 90s, 12h or 7d");
    let span: Span = text.parse().map_err(|_| usage())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| usage())?;
    Duration::try_from(duration).map_err(|_| usage())
}

/// Reads a time of whole seconds, which may be written without a unit.
pub(super) fn parse_seconds(text: &str) -> Result<u64, String> {
    text.parse().or_else(|_| parse_duration(text).map(|time| time.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_are_not_negative() {
        assert_eq!(parse_duration("7d"), Ok(Duration::from_secs(604_800)));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("0s"), Ok(Duration::ZERO));
        for bad in ["", "7", "-1d", "soon", "1 month"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_need_no_unit() {
        assert_eq!((parse_seconds("20"), parse_seconds("1m")), (Ok(20), Ok(60)));
        for bad in ["", "-1", "soon"] {
            assert!(parse_seconds(bad).unwrap_err().contains("write it like 90s"), "{bad}");
        }
    }
}
