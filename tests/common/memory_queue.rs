//! A queue in memory, under the clock of the runtime; it can be out of order for a while.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use skyblast::store::{Delivery, Error, ErrorKind, Queue, Result};
use tokio::time::Instant;

/// A clock that goes with the runtime's: where that is paused, hours pass in no time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    shown: Timestamp,
    since: Instant,
}

impl Clock {
    /// A clock that is right now.
    pub(crate) fn start() -> Self {
        Self { shown: Timestamp::now(), since: Instant::now() }
    }

    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn now(self) -> Timestamp {
        self.at(Instant::now())
    }

    fn at(self, time: Instant) -> Timestamp {
        self.shown + SignedDuration::try_from(time - self.since).expect("less than centuries")
    }
}

/// A queue that lives as long as its value.
#[derive(Debug)]
pub(crate) struct MemoryQueue {
    name: String,
    clock: Clock,
    state: Mutex<Messages>,
}

#[derive(Debug, Default)]
struct Messages {
    outage: bool,
    sent: u64,
    receipts: u64,
    waiting: Vec<Message>,
}

#[derive(Debug)]
struct Message {
    id: String,
    receipt: String,
    dequeue_count: u32,
    visible: Instant,
    body: String,
}

impl MemoryQueue {
    /// An empty queue.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self::at(Clock::start(), name)
    }

    /// An empty queue under a clock.
    pub(crate) fn at(clock: Clock, name: impl Into<String>) -> Self {
        Self { name: name.into(), clock, state: Mutex::default() }
    }

    /// The texts of all messages, hidden ones included.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.lock().waiting.iter().map(|message| message.body.clone()).collect()
    }

    /// How often each message has been taken.
    pub(crate) fn dequeue_counts(&self) -> Vec<u32> {
        self.lock().waiting.iter().map(|message| message.dequeue_count).collect()
    }

    /// Makes every operation fail as an unreachable service does, until set to `false`.
    pub(crate) fn set_outage(&self, outage: bool) {
        self.lock().outage = outage;
    }

    /// Hides a message no longer, whoever holds it, as if its lease had ended.
    pub(crate) fn end_leases(&self) {
        for message in &mut self.lock().waiting {
            message.visible = Instant::now();
        }
    }

    fn open(&self, action: &'static str) -> Result<MutexGuard<'_, Messages>> {
        let messages = self.lock();
        if messages.outage {
            return Err(Error::new(ErrorKind::Transient, action, &self.name, "the service does not answer"));
        }
        Ok(messages)
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.state.lock().expect("no panic while holding the queue")
    }

    /// The place of a message that `delivery` still holds.
    fn place(&self, messages: &Messages, action: &'static str, delivery: &Delivery) -> Result<usize> {
        let error = |kind, reason| Error::new(kind, action, format!("{}/{}", self.name, delivery.id), reason);
        let place = messages
            .waiting
            .iter()
            .position(|message| message.id == delivery.id)
            .ok_or_else(|| error(ErrorKind::NotFound, "no such message"))?;
        if messages.waiting[place].receipt == delivery.receipt {
            Ok(place)
        } else {
            Err(error(ErrorKind::Conflict, "the receipt has changed"))
        }
    }
}

impl Messages {
    fn new_receipt(&mut self) -> String {
        self.receipts += 1;
        format!("receipt-{}", self.receipts)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    fn name(&self) -> &str {
        &self.name
    }

    async fn exists(&self) -> Result<bool> {
        self.open("look for").map(|_| true)
    }

    async fn create(&self) -> Result<()> {
        self.open("create").map(|_| ())
    }

    async fn send(&self, body: &str, delay: Duration) -> Result<()> {
        let mut messages = self.open("send to")?;
        messages.sent += 1;
        let message = Message {
            id: format!("{}-{}", self.name, messages.sent),
            receipt: String::new(),
            dequeue_count: 0,
            visible: Instant::now() + delay,
            body: body.to_owned(),
        };
        messages.waiting.push(message);
        Ok(())
    }

    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>> {
        let now = Instant::now();
        let mut messages = self.open("receive from")?;
        let mut deliveries = Vec::new();
        for place in 0..messages.waiting.len() {
            if deliveries.len() == max as usize {
                break;
            }
            if messages.waiting[place].visible > now {
                continue;
            }
            let receipt = messages.new_receipt();
            let message = &mut messages.waiting[place];
            message.dequeue_count += 1;
            message.visible = now + visibility;
            message.receipt.clone_from(&receipt);
            deliveries.push(Delivery {
                id: message.id.clone(),
                receipt,
                dequeue_count: message.dequeue_count,
                body: message.body.clone(),
            });
        }
        Ok(deliveries)
    }

    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()> {
        let mut messages = self.open("renew")?;
        let place = self.place(&messages, "renew", delivery)?;
        delivery.receipt = messages.new_receipt();
        let message = &mut messages.waiting[place];
        message.receipt.clone_from(&delivery.receipt);
        message.visible = Instant::now() + visibility;
        Ok(())
    }

    async fn delete(&self, delivery: &Delivery) -> Result<()> {
        let mut messages = self.open("delete")?;
        let place = self.place(&messages, "delete", delivery)?;
        messages.waiting.remove(place);
        Ok(())
    }

    async fn waiting_since(&self) -> Result<Option<Timestamp>> {
        let now = Instant::now();
        let messages = self.open("look into")?;
        let first =
            messages.waiting.iter().map(|message| message.visible).filter(|&visible| visible <= now).min();
        Ok(first.map(|first| self.clock.at(first)))
    }

    async fn approximate_count(&self) -> Result<u64> {
        Ok(self.open("count")?.waiting.len() as u64)
    }
}
