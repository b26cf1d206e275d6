//! The time of the queues, which never steps back.
//!
//! Within a process it goes on with a clock that nobody can set. Between processes on a folder, and from
//! one to the next, it is kept up by the latest time that the database holds; the system's clock only
//! says where to begin. So a system clock that is set back, or forth, hides no message for longer than
//! it was hidden for.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

/// What the clocks of a machine say, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Since 1970, by the system's clock, which may be set.
    pub(super) system: i64,
    /// Since some moment, by a clock that only goes on.
    pub(super) steady: i64,
}

/// A clock of a process.
pub(super) struct Clock {
    read: Box<dyn Fn() -> Reading + Send + Sync>,
    /// What is to be added to the steady clock.
    offset: AtomicI64,
}

impl Clock {
    /// By the clocks of this machine.
    pub(super) fn of_machine() -> Self {
        let start = Instant::now();
        Self::new(move || Reading {
            system: Timestamp::now().as_millisecond(),
            steady: i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX),
        })
    }

    /// By clocks that `read` reads.
    pub(super) fn new(read: impl Fn() -> Reading + Send + Sync + 'static) -> Self {
        let Reading { system, steady } = read();
        Self { read: Box::new(read), offset: (system - steady).into() }
    }

    /// Now, in milliseconds since 1970: not before `latest`, which another has seen.
    pub(super) fn now(&self, latest: i64) -> i64 {
        let steady = (self.read)().steady;
        let least = latest.saturating_sub(steady);
        let offset = self.offset.fetch_max(least, Ordering::Relaxed).max(least);
        steady.saturating_add(offset)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("offset", &self.offset).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    /// A machine whose clocks a test moves.
    #[derive(Clone, Debug)]
    pub(in crate::store::local) struct Machine(Arc<Mutex<Reading>>);

    impl Machine {
        pub(in crate::store::local) fn new() -> Self {
            Self(Arc::new(Mutex::new(Reading { system: 1_750_000_000_000, steady: 5_000 })))
        }

        pub(in crate::store::local) fn clock(&self) -> Clock {
            let reading = Arc::clone(&self.0);
            Clock::new(move || *reading.lock().unwrap_or_else(PoisonError::into_inner))
        }

        /// Time goes by.
        pub(in crate::store::local) fn wait(&self, seconds: i64) {
            let mut reading = self.0.lock().unwrap();
            reading.steady += seconds * 1000;
            reading.system += seconds * 1000;
        }

        /// Somebody sets the system's clock.
        pub(in crate::store::local) fn set(&self, seconds: i64) {
            self.0.lock().unwrap().system += seconds * 1000;
        }
    }

    #[test]
    fn a_system_clock_that_is_set_is_not_followed_and_others_are_caught_up_with() {
        let machine = Machine::new();
        let clock = machine.clock();
        let start = clock.now(0);
        machine.set(-7_200);
        machine.wait(1);
        assert_eq!(clock.now(0), start + 1_000);
        machine.set(14_400);
        assert_eq!(clock.now(start), start + 1_000);
        assert_eq!(clock.now(start + 9_000), start + 9_000);
        machine.wait(1);
        assert_eq!(clock.now(0), start + 10_000);
    }
}
