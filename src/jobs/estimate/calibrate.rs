//! How fast this machine compares: measured in a second, on the beginning of the queries and some of the sequences.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::rate::Rate;
use crate::engine::{Advance, DatabaseTotals, Mode, Search, SearchOptions, Subjects};
use crate::jobs::chunk::QueryChunk;
use crate::jobs::error::Result;
use crate::jobs::shard::compare;

/// Sequences of the first attempt; each further one takes more.
const FIRST_SUBJECTS: usize = 256;
/// A measurement that took so long will do.
const LONG_ENOUGH: Duration = Duration::from_millis(500);
/// None takes longer.
const LONGEST: Duration = Duration::from_secs(3);
/// By which factor an estimate may be off that comes from some sequences. The sorting modes do for many queries at
/// once what they do for few.
const FACTOR: f64 = 1.5;
const FACTOR_OF_SORTING: f64 = 3.0;

/// Some sequences of a run, from all parts of it.
struct Spread<'a, S> {
    subjects: &'a S,
    count: usize,
}

impl<S: Subjects> Spread<'_, S> {
    fn place(&self, index: usize) -> usize {
        (index as u128 * self.subjects.len() as u128 / self.count as u128) as usize
    }
}

impl<S: Subjects> Subjects for Spread<'_, S> {
    fn len(&self) -> usize {
        self.count
    }

    fn residues(&self, index: usize) -> &[u8] {
        self.subjects.residues(self.place(index))
    }

    fn defline(&self, index: usize) -> Cow<'_, [u8]> {
        self.subjects.defline(self.place(index))
    }
}

/// Compares `queries` with so many of `subjects`, some of a database of size `totals`, that it takes about a second,
/// and returns the rate; `None` if there is nothing to compare.
///
/// # Errors
/// As [`compare`].
pub fn calibrate(
    options: SearchOptions,
    totals: DatabaseTotals,
    threads: NonZeroUsize,
    queries: &QueryChunk,
    subjects: &impl Subjects,
) -> Result<Option<Rate>> {
    let search = Search::new(options, totals)?.on_threads(threads);
    let mut count = FIRST_SUBJECTS;
    loop {
        let some = Spread { subjects, count: count.min(subjects.len()) };
        let Measured { pairs, took, is_whole } = measure(&search, queries, &some)?;
        if took >= LONG_ENOUGH || some.count == subjects.len() {
            let factor = if options.mode == Mode::Exact && is_whole { FACTOR } else { FACTOR_OF_SORTING };
            let pairs_per_second = pairs / took.as_secs_f64().max(1e-6);
            return Ok((pairs > 0.0).then_some(Rate { pairs_per_second, factor, searches: 0 }));
        }
        let times = LONG_ENOUGH.as_secs_f64() * 1.5 / took.as_secs_f64().max(1e-3);
        count = (count as f64 * times.clamp(2.0, 32.0)) as usize;
    }
}

/// What came of a measurement.
struct Measured {
    /// Pairs of residues.
    pairs: f64,
    took: Duration,
    /// Whether it came to its end.
    is_whole: bool,
}

fn measure(search: &Search, queries: &QueryChunk, subjects: &impl Subjects) -> Result<Measured> {
    let started = Instant::now();
    let compared = AtomicU64::new(0);
    let on_progress = |advance| {
        if let Advance::Compared(comparisons) = advance {
            compared.fetch_add(comparisons, Ordering::Relaxed);
        }
        if started.elapsed() < LONGEST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let rest = compare(search, queries, subjects, 0, None, &on_progress, &mut |_, _| Ok(()))?;
    let took = started.elapsed();
    let subject_residues: u64 = (0..subjects.len()).map(|index| subjects.residues(index).len() as u64).sum();
    let all = (queries.queries.len() * subjects.len()).max(1) as f64;
    let done = match rest {
        None => 1.0,
        Some(_) => (compared.load(Ordering::Relaxed) as f64 / all).clamp(1.0 / all, 1.0),
    };
    let pairs = queries.residues() as f64 * subject_residues as f64 * done;
    Ok(Measured { pairs, took, is_whole: done == 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_sequences_are_from_all_parts_and_none_comes_twice() {
        let mut volume = crate::database::ResidentVolume::default();
        for number in 0..10 {
            volume.push(b"s", &vec![1; number + 1]);
        }
        let lengths = |count| {
            let some = Spread { subjects: &volume, count };
            (0..some.len()).map(|index| some.residues(index).len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(5), [1, 3, 5, 7, 9]);
        assert_eq!(lengths(3), [1, 4, 7]);
        assert_eq!(lengths(10), (1..=10).collect::<Vec<_>>());
        assert!(lengths(0).is_empty());
    }
}
