//! What Azure asks for the work of a search.

use serde::{Deserialize, Serialize};

use super::bounds::Bounds;

/// List prices of one region, as of one day.
///
/// The table that is built in is `prices.json` beside this file. A deployment may have another, in the same form:
/// prices differ by region and contract, and change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Who sells what.
    provider: String,
    region: String,
    currency: String,
    /// The day on which they were looked up.
    date: String,
    /// Where.
    source: String,
    /// For an instance of one gigabyte (1,024 MB) for one second.
    gigabyte_second: f64,
    million_executions: f64,
    /// What is shorter is charged as this.
    shortest_execution_seconds: f64,
    ten_thousand_writes: f64,
    ten_thousand_reads: f64,
    /// Operations on a queue.
    ten_thousand_messages: f64,
}

/// A table of prices that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It is not such a table.
    #[error("the table of prices is not as it should be: {0}")]
    Form(#[from] serde_json::Error),
    /// A price is none.
    #[error("the table of prices has {value} for {name}, but a price is a number from 0 to 1e6")]
    NoPrice {
        /// Its name.
        name: &'static str,
        /// What is there.
        value: f64,
    },
}

/// What a search has done, or is going to do, as far as it costs something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::jobs) struct Billed {
    pub(in crate::jobs) shards: u64,
    pub(in crate::jobs) chunks: u64,
    /// Memory of an instance, megabytes.
    pub(in crate::jobs) instance_megabytes: u64,
}

/// What something costs, and by which list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Price {
    /// How much.
    pub amount: Bounds,
    /// Of what.
    pub currency: String,
    /// The region whose prices these are.
    pub region: String,
    /// The day of the list.
    pub date: String,
}

impl Default for Prices {
    fn default() -> Self {
        Self::read(include_str!("prices.json")).expect("the table that is built in is good; a test reads it")
    }
}

impl Prices {
    /// Reads a table: JSON with the members of `src/jobs/estimate/prices.json`.
    ///
    /// # Errors
    /// If a member is missing, unknown or no price.
    pub fn read(json: &str) -> Result<Self, PricesError> {
        let table: Self = serde_json::from_str(json)?;
        for (name, value) in [
            ("gigabyte_second", table.gigabyte_second),
            ("million_executions", table.million_executions),
            ("shortest_execution_seconds", table.shortest_execution_seconds),
            ("ten_thousand_writes", table.ten_thousand_writes),
            ("ten_thousand_reads", table.ten_thousand_reads),
            ("ten_thousand_messages", table.ten_thousand_messages),
        ] {
            if !(0.0..=1e6).contains(&value) {
                return Err(PricesError::NoPrice { name, value });
            }
        }
        Ok(table)
    }

    /// What a search costs whose shards together take so many seconds of instances.
    pub(in crate::jobs) fn of(&self, billed: Billed, instance_seconds: Bounds) -> Price {
        self.price(instance_seconds.map(|seconds| self.amount(billed, seconds)))
    }

    fn amount(&self, billed: Billed, instance_seconds: f64) -> f64 {
        // A step of each chunk, and those of the job, which are short.
        let others = billed.chunks as f64 + OTHER_STEPS;
        let shortest = others * self.shortest_execution_seconds;
        self.of_shards(billed, instance_seconds) + self.of_steps(others, shortest, billed.instance_megabytes)
    }

    /// What the shards alone cost.
    pub(in crate::jobs) fn of_shards(&self, billed: Billed, instance_seconds: f64) -> f64 {
        let shards = billed.shards as f64;
        let seconds = instance_seconds.max(shards * self.shortest_execution_seconds);
        self.of_steps(shards, seconds, billed.instance_megabytes)
    }

    fn of_steps(&self, steps: f64, seconds: f64, instance_megabytes: u64) -> f64 {
        let compute = seconds * instance_megabytes as f64 / 1024.0 * self.gigabyte_second;
        let operations = WRITES * self.ten_thousand_writes
            + READS * self.ten_thousand_reads
            + MESSAGES * self.ten_thousand_messages;
        compute + steps * self.million_executions / 1e6 + steps * operations / 1e4
    }

    /// An amount of the currency of the table.
    pub(in crate::jobs) fn price(&self, amount: Bounds) -> Price {
        Price {
            amount,
            currency: self.currency.clone(),
            region: self.region.clone(),
            date: self.date.clone(),
        }
    }
}

/// Submit, plan, finish.
const OTHER_STEPS: f64 = 3.0;
/// Operations of storage for each step: its result is written, what it needs is read, and its message is sent,
/// received and deleted.
const WRITES: f64 = 1.0;
const READS: f64 = 2.0;
const MESSAGES: f64 = 3.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(shards: u64, chunks: u64, seconds: f64) -> f64 {
        let billed = Billed { shards, chunks, instance_megabytes: 4_096 };
        Prices::default().of(billed, Bounds::exactly(seconds)).amount.likely
    }

    #[test]
    fn a_long_search_costs_its_seconds_of_memory() {
        // 1,000 shards of 60 s on 4 GB: 240,000 GB-seconds are 6.24 dollars; the rest is small change.
        let amount = cost(1_000, 10, 60_000.0);
        assert!((6.24..6.26).contains(&amount), "{amount}");
    }

    #[test]
    fn shards_of_less_than_a_second_are_charged_as_a_second() {
        assert_eq!(cost(1_000, 10, 3.0), cost(1_000, 10, 1_000.0));
        assert!(cost(1_000, 10, 1_001.0) > cost(1_000, 10, 1_000.0));
        assert!(cost(1_000, 10, 3.0) > 0.1, "1,000 s of 4 GB");
    }

    #[test]
    fn a_table_without_a_price_or_with_a_strange_one_is_refused_by_name() {
        let good = include_str!("prices.json");
        for (from, to, said) in [
            ("\"gigabyte_second\": 0.000026", "\"gigabyte_second\": -1", "-1 for gigabyte_second"),
            ("\"gigabyte_second\": 0.000026,", "", "missing field `gigabyte_second`"),
            ("\"region\"", "\"regoin\"", "unknown field `regoin`"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = Prices::read(&good.replace(from, to)).expect_err(to).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
