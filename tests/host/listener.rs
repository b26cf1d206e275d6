//! The queue listener: one per queue function and instance (rules 10, 11 and 15).
//!
//! A body that `messageEncoding` does not fit is never delivered: it moves to the poison queue, where it
//! cannot be read either and comes back with every lease. The idle back-off doubles without the host's
//! jitter, so that runs are alike.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use skyblast::store::{Delivery, Queue};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::config::{Encoding, QueueSettings};
use super::faults::FaultSource;
use super::fleet::Fleet;
use super::invoke::Invoker;
use super::journal::{Journal, MessageRef, Outcome, Poisoned};
use super::payload::{self, Call, Message, guid};

/// First pause after an empty receive.
const MIN_POLLING_INTERVAL: Duration = Duration::from_millis(100);
/// Messages taken at once when their order is to be changed.
const SHUFFLE_WINDOW: u32 = 8;

/// Delivers one queue's messages to one function.
#[derive(Debug)]
pub(super) struct Listener {
    /// Name of the function.
    pub(super) function: String,
    /// Name under which it gets the message.
    pub(super) binding: String,
    /// The queue.
    pub(super) queue: Arc<dyn Queue>,
    /// Where given-up messages go; poison queues have none.
    pub(super) poison: Option<Arc<dyn Queue>>,
    /// `extensions.queues`.
    pub(super) settings: QueueSettings,
    /// How long a received message is hidden; renewed at half.
    pub(super) lease: Duration,
    /// The instance.
    pub(super) invoker: Arc<Invoker>,
    /// All instances, for double deliveries.
    pub(super) fleet: Arc<Fleet>,
    /// Requested misfortunes.
    pub(super) faults: Arc<FaultSource>,
    /// Where given-up messages are recorded.
    pub(super) journal: Arc<Journal>,
}

impl Listener {
    /// Delivers messages until the host stops. Messages in flight are dropped then, and come back
    /// when their lease ends.
    pub(super) async fn run(self: Arc<Self>) {
        let stopped = self.invoker.handler.stopped();
        tokio::select! {
            () = stopped => {}
            () = self.clone().listen() => {}
        }
    }

    async fn listen(self: Arc<Self>) {
        let threshold = self.settings.new_batch_threshold;
        let slots = Arc::new(Semaphore::new(self.settings.batch_size as usize + threshold));
        let take = if self.faults.shuffles() { SHUFFLE_WINDOW } else { self.settings.batch_size };
        let mut running = JoinSet::new();
        let mut pause = MIN_POLLING_INTERVAL;
        loop {
            while running.try_join_next().is_some() {}
            while running.len() > threshold {
                running.join_next().await;
            }
            // A missing queue and a storage failure are no errors to the host: it asks again.
            let mut batch = self.queue.receive(take, self.lease).await.unwrap_or_default();
            if batch.is_empty() {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(self.settings.max_polling_interval).max(MIN_POLLING_INTERVAL);
                continue;
            }
            pause = MIN_POLLING_INTERVAL;
            self.faults.shuffle(&mut batch);
            for delivery in batch {
                running.spawn(self.clone().process(delivery, slots.clone()));
            }
        }
    }

    /// Runs one message and settles it. Errors of the queue are ignored as the host does: the
    /// message comes back when its lease ends.
    async fn process(self: Arc<Self>, mut delivery: Delivery, slots: Arc<Semaphore>) {
        let tries = delivery.dequeue_count;
        let limit = self.settings.max_dequeue_count;
        if tries > limit && self.poison.is_some() {
            return self.give_up(&delivery).await;
        }
        let Some(body) = self.decode(&delivery.body) else {
            return self.give_up(&delivery).await;
        };
        let outcome = self.run_leased(&mut delivery, body, &slots).await;
        if outcome.is_success() {
            let _ = self.queue.delete(&delivery).await;
        } else if self.poison.is_none() {
            // A poison queue's message waits out its lease.
        } else if tries >= limit {
            self.give_up(&delivery).await;
        } else {
            let _ = self.queue.renew(&mut delivery, self.settings.visibility_timeout).await;
        }
    }

    /// Runs one message and renews its lease meanwhile. When the lease is lost, renewal stops and
    /// the call goes on.
    async fn run_leased(&self, delivery: &mut Delivery, body: String, slots: &Semaphore) -> Outcome {
        let message = self.message(delivery, body);
        let call = async {
            let _slot = slots.acquire().await.expect("the semaphore is never closed");
            self.call(message).await
        };
        tokio::pin!(call);
        let mut held = true;
        let mut pause = self.lease / 2;
        loop {
            tokio::select! {
                outcome = &mut call => return outcome,
                () = tokio::time::sleep(pause), if held => {
                    pause = match self.queue.renew(delivery, self.lease).await {
                        Ok(()) => self.lease / 2,
                        Err(error) if error.is_retryable() => self.lease / 20,
                        Err(_) => {
                            held = false;
                            self.lease
                        }
                    };
                }
            }
        }
    }

    /// Calls the function, twice at the same time if so requested. The second delivery is the one
    /// that counts, since it holds the newer receipt.
    async fn call(&self, message: Message) -> Outcome {
        let twin =
            self.faults.duplicates_next().then(|| self.fleet.other_than(self.invoker.instance)).flatten();
        let Some(twin) = twin else {
            return self.call_on(&self.invoker, &message).await;
        };
        let again = Message { dequeue_count: message.dequeue_count + 1, ..message.clone() };
        tokio::join!(self.call_on(&self.invoker, &message), self.call_on(&twin, &again)).1
    }

    async fn call_on(&self, invoker: &Invoker, message: &Message) -> Outcome {
        let call = Call { function: &self.function, now: Timestamp::now(), guid: &guid() };
        let payload = payload::queue(&self.binding, message, &call);
        let delivery = MessageRef { id: message.id.clone(), dequeue_count: message.dequeue_count };
        invoker.invoke(&self.function, &payload, Some(delivery)).await
    }

    /// What the payload says of a delivery. When it was sent is not known here; the time of
    /// delivery stands in.
    fn message(&self, delivery: &Delivery, body: String) -> Message {
        let now = Timestamp::now();
        Message {
            id: delivery.id.clone(),
            receipt: delivery.receipt.clone(),
            dequeue_count: delivery.dequeue_count,
            inserted: now,
            next_visible: now + self.lease,
            body,
        }
    }

    /// The text of a body, if it has the encoding that it should have.
    fn decode(&self, body: &str) -> Option<String> {
        match self.settings.encoding {
            Encoding::None => Some(body.to_owned()),
            Encoding::Base64 => String::from_utf8(azure_core::base64::decode(body).ok()?).ok(),
        }
    }

    /// Copies the message to the poison queue, then deletes it: two steps, of which the second
    /// may never happen.
    async fn give_up(&self, delivery: &Delivery) {
        let Some(poison) = &self.poison else { return };
        if poison.send(&delivery.body, Duration::ZERO).await.is_ok() {
            self.journal
                .poisoned(Poisoned { queue: self.queue.name().to_owned(), body: delivery.body.clone() });
            let _ = self.queue.delete(delivery).await;
        }
    }
}
