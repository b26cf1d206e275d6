//! How many shards are one too many for own workers, and may be paid for.

/// How a job in both places stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    /// Shards that have hits or have failed.
    pub(super) settled: u64,
    /// Shards that have not.
    pub(super) unsettled: u64,
    /// Those of them that the cloud has been told of.
    pub(super) in_cloud: u64,
    /// Since own workers could begin, seconds.
    pub(super) seconds_so_far: f64,
    /// That are left to them, seconds.
    pub(super) seconds_left: f64,
    /// Most shards that the cloud may be told of at a time.
    pub(super) most_in_cloud: u64,
    /// What the cloud may cost, if that is limited.
    pub(super) budget: Option<f64>,
    /// What its shards have cost that are settled.
    pub(super) spent: f64,
    /// What one more is expected to cost; so much is set aside for each that it has been told of.
    pub(super) shard_price: f64,
}

impl Standing {
    /// How many more shards the cloud is to be told of.
    pub(super) fn surplus(&self) -> u64 {
        let rate = self.settled as f64 / self.seconds_so_far.max(1.0);
        let in_time = (rate * self.seconds_left) as u64;
        let wanted = self.unsettled.saturating_sub(self.in_cloud).saturating_sub(in_time);
        let room = self.most_in_cloud.saturating_sub(self.in_cloud);
        wanted.min(room).min(self.affordable())
    }

    /// How many more shards the budget allows.
    pub(super) fn affordable(&self) -> u64 {
        let Some(budget) = self.budget else { return u64::MAX };
        let left = budget - self.spent - self.in_cloud as f64 * self.shard_price;
        // Sums of prices have no exact halves.
        ((left / self.shard_price.max(f64::MIN_POSITIVE)) * (1.0 + 1e-9)).max(0.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One shard a second, 1,000 left, five minutes to do them.
    const AT_WORK: Standing = Standing {
        settled: 100,
        unsettled: 1_000,
        in_cloud: 0,
        seconds_so_far: 100.0,
        seconds_left: 300.0,
        most_in_cloud: 10_000,
        budget: None,
        spent: 0.0,
        shard_price: 0.01,
    };

    #[test]
    fn own_workers_keep_what_they_will_have_done_in_time() {
        assert_eq!(AT_WORK.surplus(), 700);
        assert_eq!(Standing { seconds_left: 1_000.0, ..AT_WORK }.surplus(), 0);
        assert_eq!(Standing { seconds_left: 0.0, ..AT_WORK }.surplus(), 1_000);
        assert_eq!(Standing { settled: 0, ..AT_WORK }.surplus(), 1_000, "nobody works here");
        assert_eq!(Standing { in_cloud: 650, ..AT_WORK }.surplus(), 50, "it has been told of the others");
        assert_eq!(Standing { in_cloud: 150, most_in_cloud: 200, ..AT_WORK }.surplus(), 50);
    }

    #[test]
    fn the_budget_holds_to_the_shard() {
        let budget =
            |budget, spent, in_cloud| Standing { budget: Some(budget), spent, in_cloud, ..AT_WORK }.surplus();
        assert_eq!(budget(5.0, 0.0, 0), 500);
        assert_eq!(budget(5.0, 4.0, 0), 100);
        assert_eq!(budget(5.0, 4.0, 99), 1);
        assert_eq!(budget(5.0, 4.0, 100), 0);
        assert_eq!(budget(5.0, 6.0, 0), 0, "they took longer than expected");
        assert_eq!(budget(0.0, 0.0, 0), 0);
    }

    proptest! {
        #[test]
        fn what_is_announced_is_never_more_than_there_is_and_than_is_paid_for(
            settled in 0..10_000_u64, unsettled in 0..10_000_u64, in_cloud in 0..10_000_u64,
            so_far in 0.0..1e5, left in 0.0..1e5, budget in 0.0..100.0, spent in 0.0..100.0, price in 1e-4..1.0,
        ) {
            let in_cloud = in_cloud.min(unsettled);
            let standing = Standing {
                settled, unsettled, in_cloud, seconds_so_far: so_far, seconds_left: left,
                most_in_cloud: 5_000, budget: Some(budget), spent, shard_price: price,
            };
            let more = standing.surplus();
            prop_assert!(in_cloud + more <= unsettled.max(in_cloud));
            let cost = spent + (in_cloud + more) as f64 * price;
            prop_assert!(more == 0 || cost <= budget * (1.0 + 1e-6), "{more} more cost {cost} of {budget}");
        }
    }
}
