//! The timer trigger: fires when the test says so, on one instance, and never overlaps itself.

use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::fleet::Fleet;
use super::journal::Outcome;
use super::payload::{self, Call, guid};

/// One timer function. The schedule is not followed: tests are the clock.
#[derive(Debug)]
pub(super) struct Timer {
    function: String,
    binding: String,
    fleet: Arc<Fleet>,
    running: Mutex<()>,
}

impl Timer {
    pub(super) fn new(function: String, binding: String, fleet: Arc<Fleet>) -> Self {
        Self { function, binding, fleet, running: Mutex::new(()) }
    }

    /// Runs the function once, after a run that is under way.
    pub(super) async fn fire(&self) -> anyhow::Result<Outcome> {
        let _turn = self.running.lock().await;
        let invoker = self.fleet.next().context("no instance is running")?;
        let call = Call { function: &self.function, now: Timestamp::now(), guid: &guid() };
        let payload = payload::timer(&self.binding, &call);
        Ok(invoker.invoke(&self.function, &payload, None).await)
    }
}
