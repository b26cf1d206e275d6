//! A worker: drains the queues without a Functions host, with the host's own rules.
//!
//! One loop per stage (several for shards) takes a message, handles it while its lease is renewed,
//! and deletes it; a failed message comes back after a pause, and after [`MAX_DELIVERIES`] it goes
//! to the poison queue, which the worker drains too. When the worker is told to stop, it takes no
//! more messages, has its shards put aside what they have found, lets other steps finish for a while, and gives
//! back what it could not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::attempt::MAX_DELIVERIES;
use super::error::{Error, Result};
use super::messages::{Inbox, Stage};
use super::pipeline::Pipeline;
use crate::store::{Delivery, Queue};

/// How a worker behaves.
#[derive(Clone, Copy, Debug)]
pub struct WorkerSettings {
    /// Shards compared at the same time, each with the pipeline's number of threads.
    pub slots: usize,
    /// How long a message stays hidden from others unless its lease is renewed.
    pub lease: Duration,
    /// Pause before a failed message is tried again.
    pub retry_pause: Duration,
    /// Longest pause between two looks at an empty queue.
    pub idle_pause: Duration,
    /// How long work under way may go on after the worker was told to stop.
    pub grace: Duration,
    /// How often jobs that stand still are looked for; `None` leaves that to others.
    pub sweep: Option<Duration>,
    /// After how long without any message the worker leaves; `None` for never.
    pub leave_after: Option<Duration>,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            slots: 1,
            lease: Duration::from_secs(60),
            retry_pause: Duration::from_secs(10),
            idle_pause: Duration::from_secs(5),
            grace: Duration::from_secs(20),
            sweep: Some(Duration::from_secs(30)),
            leave_after: None,
        }
    }
}

/// Works until `stop` is cancelled, or there has been nothing to do for as long as
/// [`leave_after`](WorkerSettings::leave_after) says.
pub async fn run(pipeline: Arc<Pipeline>, settings: WorkerSettings, stop: CancellationToken) {
    let mut loops = JoinSet::new();
    // To leave is to stop without telling others to.
    let stop = stop.child_token();
    let hands = Arc::new(Hands::default());
    if let Some(patience) = settings.leave_after {
        loops.spawn(leave_when_idle(hands.clone(), patience, stop.clone()));
    }
    for stage in Stage::ALL {
        let slots = if stage == Stage::Search { settings.slots.max(1) } else { 1 };
        for _ in 0..slots {
            loops.spawn(drain(pipeline.clone(), Inbox::Work(stage), settings, hands.clone(), stop.clone()));
        }
        loops.spawn(drain(pipeline.clone(), Inbox::Poison(stage), settings, hands.clone(), stop.clone()));
    }
    if let Some(period) = settings.sweep {
        loops.spawn(sweep_regularly(pipeline, period, stop));
    }
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker loop ended unexpectedly");
        }
    }
}

/// What a worker has in hand.
#[derive(Debug, Default)]
struct Hands {
    /// Messages, and since when there is none.
    state: Mutex<(usize, Option<Instant>)>,
}

impl Hands {
    fn take(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (state.0 + 1, None);
    }

    fn put_down(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let left = state.0 - 1;
        *state = (left, (left == 0).then(Instant::now));
    }

    /// How much longer they may be empty, if they are.
    fn patience_left(&self, patience: Duration) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.0 {
            0 => patience.saturating_sub(state.1.get_or_insert_with(Instant::now).elapsed()),
            _ => patience,
        }
    }
}

/// Stops the worker when it has had nothing in hand for so long.
async fn leave_when_idle(hands: Arc<Hands>, patience: Duration, stop: CancellationToken) {
    loop {
        let left = hands.patience_left(patience);
        if left.is_zero() {
            tracing::info!(idle_seconds = patience.as_secs(), "nothing to do; leaving");
            stop.cancel();
        }
        // A message that is taken and put down meanwhile is seen by then.
        if stop.run_until_cancelled(sleep(left.max(Duration::from_millis(10)))).await.is_none() {
            return;
        }
    }
}

async fn sweep_regularly(pipeline: Arc<Pipeline>, period: Duration, stop: CancellationToken) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = pipeline.sweep(jiff::Timestamp::now()).await {
            tracing::warn!(%error, "could not sweep");
        }
    }
}

async fn drain(
    pipeline: Arc<Pipeline>,
    inbox: Inbox,
    settings: WorkerSettings,
    hands: Arc<Hands>,
    stop: CancellationToken,
) {
    let queues = queues_of(&pipeline, inbox);
    let mut pause = Duration::from_millis(50);
    while !stop.is_cancelled() {
        match receive(&queues, settings.lease).await {
            Some((queue, delivery)) => {
                pause = Duration::from_millis(50);
                hands.take();
                work(&pipeline, inbox, queue, delivery, settings, &stop).await;
                hands.put_down();
            }
            None => {
                stop.run_until_cancelled(sleep(pause)).await;
                pause = (pause * 2).min(settings.idle_pause);
            }
        }
    }
}

/// Where the messages of an inbox wait; own workers first do what they alone are told of.
fn queues_of(pipeline: &Pipeline, inbox: Inbox) -> Vec<Arc<dyn Queue>> {
    let own = (inbox == Inbox::Work(Stage::Search)).then(|| pipeline.own_shards());
    own.into_iter().chain([pipeline.inbox(inbox)]).cloned().collect()
}

/// Takes a message from the first of these queues that has one.
async fn receive(queues: &[Arc<dyn Queue>], lease: Duration) -> Option<(&Arc<dyn Queue>, Delivery)> {
    for queue in queues {
        match queue.receive(1, lease).await {
            Ok(mut received) => {
                if let Some(delivery) = received.pop() {
                    return Some((queue, delivery));
                }
            }
            Err(error) => tracing::warn!(queue = queue.name(), %error, "could not receive"),
        }
    }
    None
}

/// Handles one message, keeping its lease, and settles it.
async fn work(
    pipeline: &Arc<Pipeline>,
    inbox: Inbox,
    queue: &Arc<dyn Queue>,
    mut delivery: Delivery,
    settings: WorkerSettings,
    stop: &CancellationToken,
) {
    let body = delivery.body.clone();
    let handling = pipeline.deliver_until(inbox, &body, delivery.dequeue_count, stop);
    tokio::pin!(handling);
    let mut renewals = interval(settings.lease / 3);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    renewals.tick().await;
    let result = loop {
        tokio::select! {
            result = &mut handling => break Some(result),
            _ = renewals.tick() => renew(queue, &mut delivery, settings.lease).await,
            () = stop.cancelled() => break finish_or_give_up(&mut handling, queue, &mut delivery, settings).await,
        }
    };
    settle(pipeline, inbox, queue, delivery, result, settings).await;
}

async fn renew(queue: &Arc<dyn Queue>, delivery: &mut Delivery, lease: Duration) {
    // Without a lease another worker may do the same work: wasteful, not wrong.
    if let Err(error) = queue.renew(delivery, lease).await {
        tracing::warn!(queue = queue.name(), %error, "could not renew a lease");
    }
}

async fn finish_or_give_up<F: Future<Output = Result<()>> + Unpin>(
    handling: &mut F,
    queue: &Arc<dyn Queue>,
    delivery: &mut Delivery,
    settings: WorkerSettings,
) -> Option<Result<()>> {
    renew(queue, delivery, settings.grace + settings.lease).await;
    timeout(settings.grace, handling).await.ok()
}

/// Deletes a message that was dealt with, gives back one that was not.
async fn settle(
    pipeline: &Pipeline,
    inbox: Inbox,
    queue: &Arc<dyn Queue>,
    mut delivery: Delivery,
    result: Option<Result<()>>,
    settings: WorkerSettings,
) {
    let settled = match result {
        Some(Ok(())) => queue.delete(&delivery).await,
        None => queue.renew(&mut delivery, Duration::ZERO).await,
        Some(Err(error)) => {
            tracing::warn!(queue = queue.name(), attempt = delivery.dequeue_count, %error, "a message failed");
            match inbox {
                Inbox::Work(stage) if is_hopeless(&error, &delivery) => {
                    give_up(pipeline.poison_queue(stage), queue, &delivery).await
                }
                _ => queue.renew(&mut delivery, settings.retry_pause).await,
            }
        }
    };
    if let Err(error) = settled {
        // The message comes back when its lease ends, and is then found to be dealt with.
        tracing::warn!(queue = queue.name(), %error, "could not settle a message");
    }
}

fn is_hopeless(error: &Error, delivery: &Delivery) -> bool {
    !error.may_pass() || delivery.dequeue_count >= MAX_DELIVERIES
}

async fn give_up(
    poison: &Arc<dyn Queue>,
    queue: &Arc<dyn Queue>,
    delivery: &Delivery,
) -> crate::store::Result<()> {
    poison.send(&delivery.body, Duration::ZERO).await?;
    queue.delete(delivery).await
}
