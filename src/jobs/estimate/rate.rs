//! How fast instances compare: as earlier searches of the deployment show.
//!
//! The measurements of the latest searches lie together in one blob, so that an estimate reads one blob whatever the
//! number of jobs. It is written when a search of some length ends and is never the truth: if it is lost or unreadable it is made
//! again from the newest jobs, and if two searches end at the same time one of them may be missing.

use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::engine::{OptionChoices, SearchOptions};
use crate::jobs::error::Result;
use crate::jobs::id::JobId;
use crate::jobs::job::{Job, Outcome, State};
use crate::jobs::names::IndexEntry;
use crate::jobs::pipeline::Pipeline;

/// Measurements that are kept of each kind of search.
const KEPT: usize = 24;
/// Entries of the index that are looked through for the newest jobs when the measurements are lost.
const LOOKED_THROUGH: usize = 2_000;
/// A search of less work says little, milliseconds.
const SHORTEST: u64 = 50;
/// By which factor an estimate from a single search may be off, and one from many at least.
const FROM_ONE: f64 = 1.5;
const FROM_MANY: f64 = 1.2;
/// No estimate is further off than this factor.
const FURTHEST: f64 = 5.0;

/// How fast instances compare, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Pairs of a query residue and a database residue per second of an instance.
    pub(super) pairs_per_second: f64,
    /// By which factor it may be off.
    pub(super) factor: f64,
    /// Searches that it was measured on; 0 if on a part of this one.
    pub(super) searches: u64,
}

/// What a search has shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::jobs) struct Measurement {
    job: JobId,
    kind: String,
    /// Pairs of a query residue and a database residue.
    pairs: f64,
    /// Time of instances.
    milliseconds: u64,
}

/// What the latest searches have shown, the newest last; `rates.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::jobs) struct Measurements {
    searches: Vec<Measurement>,
}

/// Options by which the rate of a mode differs most.
const TELLING: [&str; 6] =
    ["comp_based_stats", "use_sw_tback", "ungapped", "word_size", "threshold", "window_size"];
/// Up to this E-value it does not differ much; beyond, each power of ten has a rate of its own.
const USUAL_EVALUE: f64 = 10.0;

/// What has the same rate, more or less: a mode, and those of its options that tell.
pub(super) fn kind_of(options: &SearchOptions) -> String {
    let mut kind = options.mode.to_string();
    for (name, value) in OptionChoices::asked(options) {
        if TELLING.contains(&name) {
            kind += &format!(" {name}={value}");
        }
    }
    if options.evalue > USUAL_EVALUE {
        kind += &format!(" evalue=1e{:.0}", options.evalue.log10().ceil());
    }
    kind
}

impl Measurement {
    /// What a job has shown, if it has.
    fn of(job: &Job, outcome: &Outcome) -> Option<Self> {
        let milliseconds = outcome.instance_milliseconds;
        let says_something = outcome.state == State::Completed && milliseconds >= SHORTEST;
        says_something.then(|| Self {
            job: job.id,
            kind: kind_of(&job.options),
            pairs: job.residue_pairs(),
            milliseconds,
        })
    }
}

impl Measurements {
    /// Adds one, and forgets the oldest of its kind.
    fn push(&mut self, measurement: Measurement) {
        self.searches.retain(|known| known.job != measurement.job);
        let alike = |known: &Measurement| known.kind == measurement.kind;
        let many = self.searches.iter().filter(|known| alike(known)).count() + 1;
        let mut surplus = many.saturating_sub(KEPT);
        self.searches.retain(|known| {
            let goes = surplus > 0 && alike(known);
            surplus -= usize::from(goes);
            !goes
        });
        self.searches.push(measurement);
    }

    /// The rate of a kind of searches, if any has been measured. Long searches weigh more than short ones.
    pub(super) fn rate(&self, kind: &str) -> Option<Rate> {
        let alike = || self.searches.iter().filter(|search| search.kind == kind && search.pairs > 0.0);
        let (count, seconds) = (alike().count(), alike().map(Measurement::seconds).sum::<f64>());
        let pairs_per_second = alike().map(|search| search.pairs).sum::<f64>() / seconds;
        if count == 0 || !pairs_per_second.is_finite() {
            return None;
        }
        let deviation = |search: &Measurement| {
            let ratio = search.pairs / search.seconds() / pairs_per_second;
            search.seconds() * ratio.ln().powi(2)
        };
        let spread = (alike().map(deviation).sum::<f64>() / seconds).sqrt().exp();
        let least = if count == 1 { FROM_ONE } else { FROM_MANY };
        Some(Rate { pairs_per_second, factor: spread.clamp(least, FURTHEST), searches: count as u64 })
    }
}

impl Measurement {
    fn seconds(&self) -> f64 {
        self.milliseconds as f64 / 1e3
    }
}

impl Pipeline {
    /// Notes how fast a job was that has just ended. It is worth one attempt: others will end.
    pub(in crate::jobs) async fn note_rate(&self, job: &Job, outcome: &Outcome) {
        let Some(measurement) = Measurement::of(job, outcome) else { return };
        if let Err(error) = self.note_measurement(measurement).await {
            tracing::warn!(job = %job.id, %error, "could not note how fast a job was");
        }
    }

    async fn note_measurement(&self, measurement: Measurement) -> Result<()> {
        let (measurements, tag) = self.ledger.measurements().await?;
        let mut measurements = match measurements {
            Some(measurements) => measurements,
            None => self.measured_again().await?,
        };
        measurements.push(measurement);
        self.ledger.replace_measurements(&measurements, tag.as_ref()).await.map(drop)
    }

    /// How fast searches of this kind have been here, if there have been any.
    pub(super) async fn measured_rate(&self, options: &SearchOptions) -> Result<Option<Rate>> {
        let measurements = match self.ledger.measurements().await? {
            (Some(measurements), _) => measurements,
            (None, _) => self.measured_again().await?,
        };
        Ok(measurements.rate(&kind_of(options)))
    }

    /// What the newest jobs have shown.
    async fn measured_again(&self) -> Result<Measurements> {
        let entries = self.ledger.index_of_all().take(LOOKED_THROUGH);
        let mut entries: Vec<IndexEntry> = entries.try_collect().await?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.submitted));
        let mut measurements = Measurements::default();
        for entry in entries.into_iter().take(KEPT).rev() {
            let job = self.ledger.read_job(entry.job).await?;
            let outcome = self.ledger.latest(entry.job).await?.outcome;
            if let (Some(job), Some(outcome)) = (job, outcome) {
                Measurement::of(&job, &outcome).into_iter().for_each(|search| measurements.push(search));
            }
        }
        Ok(measurements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurements(shown: &[(f64, u64)]) -> Measurements {
        let mut measurements = Measurements::default();
        for &(pairs, milliseconds) in shown {
            let job = JobId::random().expect("randomness");
            measurements.push(Measurement { job, kind: "exact".to_owned(), pairs, milliseconds });
        }
        measurements
    }

    #[test]
    fn long_searches_weigh_more_and_the_range_follows_from_how_far_they_lie_apart() {
        let one = measurements(&[(2e9, 1_000)]).rate("exact").expect("a rate");
        assert_eq!(one, Rate { pairs_per_second: 2e9, factor: FROM_ONE, searches: 1 });
        let alike = measurements(&[(2e9, 1_000), (20e9, 10_000)]).rate("exact").expect("a rate");
        assert_eq!((alike.pairs_per_second, alike.factor, alike.searches), (2e9, FROM_MANY, 2));
        let apart = measurements(&[(1e9, 10_000), (100e9, 10_000)]).rate("exact").expect("a rate");
        assert!(apart.factor > 2.0 && apart.factor <= FURTHEST, "{apart:?}");
        let mostly = measurements(&[(1e6, 1), (20e9, 10_000)]).rate("exact").expect("a rate");
        assert!((mostly.pairs_per_second / 2e9 - 1.0).abs() < 0.01, "{mostly:?}");
        assert_eq!(measurements(&[(2e9, 1_000)]).rate("fast"), None);
        assert_eq!(measurements(&[(0.0, 1_000)]).rate("exact"), None);
    }

    #[test]
    fn the_oldest_of_a_kind_are_forgotten_and_a_job_counts_once() {
        let mut many = measurements(&[(1e9, 1_000); KEPT + 5]);
        let other = Measurement { kind: "fast".to_owned(), ..many.searches[0].clone() };
        many.push(Measurement { job: JobId::random().expect("randomness"), ..other });
        assert_eq!(many.searches.len(), KEPT + 1);
        let newest = many.searches[KEPT - 1].clone();
        many.push(newest.clone());
        assert_eq!((many.searches.len(), many.searches.last()), (KEPT + 1, Some(&newest)));
    }

    #[test]
    fn searches_of_other_cost_are_of_another_kind() {
        let kind = |pairs: &[(&str, &str)]| {
            let mut choices = OptionChoices::default();
            for (name, value) in pairs {
                choices.set(name, value).expect("an option");
            }
            kind_of(&choices.resolve().expect("options"))
        };
        assert_eq!(kind(&[]), "exact");
        assert_eq!(kind(&[("evalue", "1e-5")]), "exact");
        assert_eq!(kind(&[("evalue", "1000")]), "exact evalue=1e3");
        assert_ne!(kind(&[("comp_based_stats", "0")]), kind(&[]));
        assert!(kind(&[("mode", "seeded")]).starts_with("seeded"));
    }
}
