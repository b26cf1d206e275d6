//! One trace per job, across all functions that work on it (W3C Trace Context, `traceparent`).
//!
//! A search that comes with a `traceparent` belongs to its caller's trace; any other gets one whose id
//! is the job's. Messages carry it from step to step, and each step logs under a span of its own.

use std::fmt;
use std::str::FromStr;

use super::id::JobId;

tokio::task_local! {
    /// The trace of the step that is under way.
    static CURRENT: Trace;
}

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    span: u64,
    flags: u8,
}

impl Trace {
    /// The trace of a job that came without one.
    pub(super) fn of(job: JobId) -> Self {
        // Ids of zeros are not allowed; among random ones there are none.
        Self { id: job.bits().max(1), span: (job.bits() as u64).max(1), flags: 1 }
    }

    /// A new span of this trace.
    pub(super) fn child(self) -> Self {
        Self { span: getrandom::u64().unwrap_or(self.span).max(1), ..self }
    }

    /// The trace that the running task belongs to.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(|trace| *trace).ok()
    }

    /// Runs `work` as part of this trace.
    pub(super) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The trace's id, as 32 hexadecimal digits.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.id)
    }

    /// This place's own id, as 16 hexadecimal digits.
    pub(super) fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.id, self.span, self.flags)
    }
}

/// A text that is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct ParseTraceError;

impl FromStr for Trace {
    type Err = ParseTraceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut fields = text.split('-');
        let mut field = |length: usize| {
            let field = fields.next().ok_or(ParseTraceError)?;
            let well_formed =
                field.len() == length && field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            u128::from_str_radix(field, 16).ok().filter(|_| well_formed).ok_or(ParseTraceError)
        };
        let (version, id, span, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
        // Later versions may have more fields, the first has not.
        let too_long = version == 0 && fields.next().is_some();
        if version == 0xff || id == 0 || span == 0 || too_long {
            return Err(ParseTraceError);
        }
        Ok(Self { id, span: span as u64, flags: flags as u8 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_reads_back_and_its_children_stay_in_the_trace() {
        let trace: Trace = EXAMPLE.parse().expect("a traceparent");
        assert_eq!(trace.to_string(), EXAMPLE);
        let child = trace.child();
        assert_eq!(child.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(child.span_id(), trace.span_id());
        assert!("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more".parse::<Trace>().is_ok());
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let upper = EXAMPLE.to_uppercase();
        let zeros = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let long = format!("{EXAMPLE}-more");
        for bad in ["", "00", "00-1-2-3", &upper, &zeros, &long, &EXAMPLE.replacen("00", "ff", 1)] {
            assert_eq!(bad.parse::<Trace>(), Err(ParseTraceError), "{bad}");
        }
    }
}
