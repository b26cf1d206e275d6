//! One try at a message.

use super::error::Error;

/// Deliveries after which a message is given up; `maxDequeueCount` in `host.json`.
pub const MAX_DELIVERIES: u32 = 5;

/// What is known of a message's past when a step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// Which delivery of the message this is, from 1.
    pub(super) delivery: u32,
    /// Whether somebody may have worked on it before: it was delivered before, or announced again, or this
    /// delivery has been tried already. If not, what the step makes cannot be there yet, unless another
    /// copy of the message made it, and that copy will do what follows.
    pub(super) repeated: bool,
    /// Whether it is of a shard that the cloud was told of beside own workers.
    pub(super) burst: bool,
    /// The first shard of the slice behind which the next is to be announced, if the message calls for that.
    pub(super) slice: Option<u64>,
}

impl Attempt {
    /// Whether the same message may be tried again after `error`.
    pub(super) fn may_follow(self, error: &Error) -> bool {
        error.is_retryable() || error.may_pass() && self.delivery < MAX_DELIVERIES
    }
}
