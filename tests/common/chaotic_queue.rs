//! A queue at its worst, within what queues are allowed to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use skyblast::store::{Delivery, Queue, Result};

/// Wraps a queue so that messages are doubled, arrive late and out of order, and are sometimes
/// delivered to a second receiver while the first still works on them.
#[derive(Debug)]
pub(crate) struct ChaoticQueue {
    inner: Arc<dyn Queue>,
    chance: Chance,
}

impl ChaoticQueue {
    pub(crate) fn new(inner: Arc<dyn Queue>, seed: u64) -> Self {
        Self { inner, chance: Chance(AtomicU64::new(seed)) }
    }
}

/// Longest delay of a message.
const MOST_DELAY_MS: u64 = 60;

#[async_trait]
impl Queue for ChaoticQueue {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn exists(&self) -> Result<bool> {
        self.inner.exists().await
    }

    async fn create(&self) -> Result<()> {
        self.inner.create().await
    }

    async fn send(&self, body: &str, delay: Duration) -> Result<()> {
        for _ in 0..1 + self.chance.below(2) {
            let late = Duration::from_millis(self.chance.below(MOST_DELAY_MS));
            self.inner.send(body, delay + late).await?;
        }
        Ok(())
    }

    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>> {
        let deliveries = self.inner.receive(max, visibility).await?;
        for delivery in &deliveries {
            if self.chance.below(4) == 0 {
                // The lease is lost at once: another receiver gets the message too, and this one's
                // receipt is worth nothing.
                self.inner.renew(&mut delivery.clone(), Duration::ZERO).await?;
            }
        }
        Ok(deliveries)
    }

    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()> {
        self.inner.renew(delivery, visibility).await
    }

    async fn delete(&self, delivery: &Delivery) -> Result<()> {
        self.inner.delete(delivery).await
    }

    async fn waiting_since(&self) -> Result<Option<Timestamp>> {
        self.inner.waiting_since().await
    }

    async fn approximate_count(&self) -> Result<u64> {
        self.inner.approximate_count().await
    }
}

/// Numbers that follow from a seed (SplitMix64).
#[derive(Debug)]
struct Chance(AtomicU64);

impl Chance {
    fn below(&self, limit: u64) -> u64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}
