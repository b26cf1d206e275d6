//! Patience with a server: what can be repeated is, until it succeeds or the patience is over.

use std::error::Error as StdError;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::client::Refused;

/// Patience of commands that have no flag for it.
pub(super) const USUAL: Duration = Duration::from_secs(300);
/// A server that has not answered yet may not be there at all.
const UNTIL_FIRST_ANSWER: Duration = Duration::from_secs(20);
/// Pause after the first failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// Longest pause, unless the server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// How long a server is waited for, and whether it has ever answered.
#[derive(Debug)]
pub(super) struct Patience {
    limit: Duration,
    /// Whether the server is on this machine, where nothing in between can be out of order.
    local: bool,
    answered: AtomicBool,
}

impl Patience {
    pub(super) fn new(limit: Duration, local: bool) -> Self {
        Self { limit, local, answered: AtomicBool::new(false) }
    }

    /// Whether the server is on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    /// The server has answered, whatever it was.
    pub(super) fn note_answer(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Takes `step` again and again until it succeeds, or fails for good, or for too long. Says on
    /// standard error what is waited for.
    pub(super) async fn repeat<T>(&self, step: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let mut waiting = Waiting::default();
        loop {
            match step().await {
                Err(error) => self.wait(&mut waiting, error).await?,
                done => return done,
            }
        }
    }

    /// Waits before what has failed with `error` is repeated, or gives the error back if it is not to be.
    pub(super) async fn wait(&self, waiting: &mut Waiting, error: anyhow::Error) -> anyhow::Result<()> {
        let Some(trouble) = Trouble::of(&error) else { return Err(error) };
        let answered = self.answered.load(Ordering::Relaxed);
        if self.local && !answered && trouble.no_connection {
            return Err(error);
        }
        let limit = if answered { self.limit } else { self.limit.min(UNTIL_FIRST_ANSWER) };
        let since = *waiting.since.get_or_insert_with(Instant::now);
        let pause = trouble.retry_after.unwrap_or_else(|| jittered(waiting.pause(), random()));
        if since.elapsed() + pause > limit {
            return Err(match since.elapsed().as_secs() {
                0 => error,
                seconds => error.context(format!("given up after {seconds} s")),
            });
        }
        waiting.failures += 1;
        say(&error, pause);
        sleep(pause).await;
        Ok(())
    }
}

/// One thing that is waited for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    since: Option<Instant>,
    failures: u32,
}

impl Waiting {
    /// Something has moved: the patience begins anew.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    fn pause(&self) -> Duration {
        FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE)
    }
}

/// What may be over in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trouble {
    /// Nobody took the connection.
    no_connection: bool,
    /// When the server wants to be asked again.
    retry_after: Option<Duration>,
}

impl Trouble {
    /// What an error says may be over in a while; `None` if it is for good.
    fn of(error: &anyhow::Error) -> Option<Self> {
        let of_cause = |cause: &(dyn StdError + 'static)| {
            if let Some(refused) = cause.downcast_ref::<Refused>() {
                let retry_after = refused.retry_after;
                return Some(refused.may_pass().then_some(Self { no_connection: false, retry_after }));
            }
            if cause.is::<NoAnswer>() {
                return Some(Some(Self { no_connection: false, retry_after: None }));
            }
            let network = cause.downcast_ref::<reqwest::Error>()?;
            // A body that broke off is said to be one that cannot be decoded, as is one that is no JSON.
            let not_understood = error.chain().any(|cause| cause.is::<serde_json::Error>());
            let may_pass = !network.is_builder() && !network.is_redirect() && !not_understood;
            Some(may_pass.then_some(Self { no_connection: network.is_connect(), retry_after: None }))
        };
        error.chain().find_map(of_cause).flatten()
    }
}

/// A request was taken, and not answered in time.
#[derive(Debug, thiserror::Error)]
#[error("the server has not answered for {} s", .0.as_secs())]
pub(super) struct NoAnswer(pub(super) Duration);

/// From half of `pause` to all of it, so that many clients do not come back at the same time.
fn jittered(pause: Duration, random: u32) -> Duration {
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

/// Any number; without randomness always the same, which does no harm.
fn random() -> u32 {
    let mut bytes = [0; 4];
    let _ = getrandom::fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}

fn say(error: &(impl Display + ?Sized), pause: Duration) {
    errln!("waiting: {error:#}; trying again in {:.1} s", pause.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_spread() {
        let mut waiting = Waiting::default();
        let mut pauses = Vec::new();
        for failures in 0..40 {
            waiting.failures = failures;
            pauses.push(waiting.pause());
        }
        assert_eq!(pauses[..3], [300, 600, 1_200].map(Duration::from_millis));
        assert_eq!(pauses[39], LONGEST_PAUSE);
        assert!(pauses.is_sorted());
        assert_eq!(jittered(FIRST_PAUSE, 0), FIRST_PAUSE / 2);
        assert_eq!(jittered(FIRST_PAUSE, u32::MAX), FIRST_PAUSE);
    }

    #[test]
    fn what_is_for_good_is_not_waited_for() {
        assert_eq!(Trouble::of(&anyhow::anyhow!("no such file")), None);
    }
}
