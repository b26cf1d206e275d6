//! What the host did: every call with its outcome, every message given to a poison queue.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::watch;

/// One finished call of a function.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// Name of the function.
    pub(crate) function: String,
    /// Which instance ran it, from 0.
    pub(crate) instance: usize,
    /// The client's path, for HTTP functions: what the real host keeps of an address, whose query it cuts.
    pub(crate) path: Option<String>,
    /// Its message, for queue functions.
    pub(crate) message: Option<MessageRef>,
    /// When the call began.
    pub(crate) started: Instant,
    /// How long it took, waiting for the handler included.
    pub(crate) duration: Duration,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// Which delivery of which message a call was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageRef {
    /// The message's id, the same in every delivery.
    pub(crate) id: String,
    /// Number of the delivery, from 1.
    pub(crate) dequeue_count: u32,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The function succeeded and logged these lines.
    Succeeded { logs: Vec<String> },
    /// A forwarded HTTP request was answered with this status; also a 500 is an answer.
    Answered(u16),
    /// The call failed, for this reason.
    Failed(String),
    /// The call ran into `functionTimeout`.
    TimedOut,
}

impl Outcome {
    /// Whether the host takes the call for done.
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded { .. } | Self::Answered(_))
    }
}

impl Invocation {
    /// The delivery's number, from 1; 0 if the call was not for a message.
    pub(crate) fn dequeue_count(&self) -> u32 {
        self.message.as_ref().map_or(0, |message| message.dequeue_count)
    }

    /// Whether both calls ran at the same time.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.started < other.started + other.duration && other.started < self.started + self.duration
    }
}

/// A message that the host gave up and copied to a poison queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Poisoned {
    /// Name of the queue it came from.
    pub(crate) queue: String,
    /// Its text.
    pub(crate) body: String,
}

/// Everything so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// Calls, in the order in which they ended.
    pub(crate) invocations: Vec<Invocation>,
    /// Messages given to poison queues, oldest first.
    pub(crate) poisoned: Vec<Poisoned>,
}

impl History {
    /// The calls of one function, in the order in which they ended.
    pub(crate) fn of(&self, function: &str) -> Vec<&Invocation> {
        self.invocations.iter().filter(|invocation| invocation.function == function).collect()
    }
}

/// The history, written by the host and awaited by tests.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    history: watch::Sender<History>,
}

impl Journal {
    /// Adds a finished call.
    pub(super) fn ended(&self, invocation: Invocation) {
        self.history.send_modify(|history| history.invocations.push(invocation));
    }

    /// Adds a message given to its poison queue.
    pub(super) fn poisoned(&self, poisoned: Poisoned) {
        self.history.send_modify(|history| history.poisoned.push(poisoned));
    }

    /// A copy of everything so far.
    pub(crate) fn history(&self) -> History {
        self.history.borrow().clone()
    }

    /// Waits until the history satisfies `wanted`; an error with the history after `limit`.
    pub(crate) async fn wait_for(
        &self,
        limit: Duration,
        wanted: impl FnMut(&History) -> bool,
    ) -> anyhow::Result<History> {
        let mut updates = self.history.subscribe();
        let found = tokio::time::timeout(limit, updates.wait_for(wanted)).await;
        match found {
            Ok(history) => Ok(history.context("the host is gone")?.clone()),
            Err(_) => anyhow::bail!("not seen within {limit:?}; so far: {:#?}", self.history()),
        }
    }
}
