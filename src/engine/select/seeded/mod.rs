//! Nominates the pairs that have similar seeds in good surroundings.
//!
//! Both sides are sorted by seed: five letters at the distances of a pattern, a query's seed standing for all
//! that are similar to it. All windows of the same seed meet, 32 in the lanes of a register, and their gapless
//! score is worked out rather than guessed. One that is good enough for an alignment nominates its pair; one
//! that is fair makes a candidate, which has to show a gapped score in a band.
//!
//! Whether a pair is nominated depends on its two sequences and the options only: not on other queries and
//! subjects, nor on how the database is cut, nor on threads.

mod buckets;
mod candidates;
mod few;
mod letters;
mod sensitivity;
mod similar;
mod words;

use std::num::NonZeroUsize;

use buckets::{Buckets, Census};
use candidates::{Candidates, Judge};
use few::FewSeeds;
use letters::Letters;
use sensitivity::Sensitivity;
use similar::{LETTERS, PAIRS, SimilarPairs};
use words::{SimilarSeeds, Sorted, Words};

use super::pairs::NominatedPairs;
use super::{Prepared, Selector};
use crate::engine::align::scheme::Scheme;
use crate::engine::blocks::in_blocks;
use crate::engine::kernel::{
    BEFORE, BandedKernel, Found, LANES, WindowKernel, WindowLanes, Windows, prefetch,
};
use crate::engine::query::SearchedQuery;
use crate::engine::subjects::Subjects;
use crate::engine::watch::{Lookout, Watch};

/// Query residues that are joined at a time, unless a single query is longer.
const JOINED_RESIDUES: usize = 600_000;
/// Letters of a section of subjects, unless a single one is longer.
const SECTION: usize = 64 << 20;
/// Pairs of a section with the queries: 32 MiB of bits.
const SECTION_PAIRS: usize = 1 << 28;
/// Windows that are held before their sequences are looked up.
const HELD: usize = 4_096;
/// What takes the time of so many cells of dynamic programming: to compare two windows, to sort a position.
const CELLS_PER_MEETING: usize = 4;
const CELLS_PER_ENTRY: usize = 16;
/// How many windows ahead letters are asked for.
const AHEAD: usize = 64;

/// The selector of [`Mode::Seeded`](crate::engine::Mode::Seeded) and [`Mode::Fast`](crate::engine::Mode::Fast).
#[derive(Debug)]
pub(in crate::engine) struct Seeded {
    sensitivity: Sensitivity,
    similar: SimilarPairs,
    windows: WindowKernel,
    banded: BandedKernel,
}

impl Seeded {
    /// If the search's mode selects by seeds.
    pub(in crate::engine) fn new(scheme: &Scheme) -> Option<Self> {
        Some(Self {
            sensitivity: Sensitivity::of(scheme.options.mode, scheme.options.matrix)?,
            similar: SimilarPairs::new(&scheme.matrix),
            windows: WindowKernel::new(scheme.matrix.scores()),
            banded: BandedKernel::new(scheme.matrix.scores(), scheme.gaps),
        })
    }

    /// Nominates pairs of the queries with subjects of a section.
    fn nominate(&self, work: &Work<'_>, threads: NonZeroUsize, watch: &Watch<'_>) {
        let Work { judge, words, census, .. } = work;
        // Large slices first, so that threads end together.
        let mut slices: Vec<usize> = (0..LETTERS).collect();
        slices.sort_by_key(|&slice| std::cmp::Reverse(census.slice(slice)));
        in_blocks(0..slices.len(), 1, threads, |blocks| {
            let lookout = watch.lookout();
            let mut state = State::default();
            for place in blocks.flatten() {
                let slice = slices[place];
                state.similar_seeds.fill(words, &self.similar, self.sensitivity.similar, slice);
                state.buckets.fill(judge.subjects, &self.sensitivity.pattern, census, slice);
                for bucket in 0..PAIRS {
                    if self.join(judge, bucket, &mut state, &lookout) {
                        return;
                    }
                }
            }
            state.found.settle(judge, &mut state.candidates);
            state.candidates.compare(judge);
        });
    }

    /// Compares all windows of the seeds of a bucket; whether to stop.
    fn join(&self, judge: &Judge<'_>, bucket: usize, state: &mut State, lookout: &Lookout<'_>) -> bool {
        let State { similar_seeds, buckets, queries, subjects, found, candidates } = state;
        let entries = buckets.bucket(bucket);
        if entries.is_empty() || similar_seeds.is_empty(bucket) {
            return lookout.is_over();
        }
        subjects.fill(entries.iter().map(|entry| (entry.key, entry.position)));
        similar_seeds.expand(bucket, &self.similar, queries);
        let ask_for = |positions: &[u32]| {
            for &position in positions {
                prefetch(&judge.subjects.all()[position as usize - BEFORE..]);
            }
        };
        let all = subjects.all();
        ask_for(&all[..AHEAD.min(all.len())]);
        let mut met = 0;
        for key in 0..PAIRS {
            let (of_subjects, of_queries) = (subjects.of(key), queries.of(key));
            let start = (subjects.start(key) + AHEAD).min(all.len());
            ask_for(&all[start..(start + of_subjects.len()).min(all.len())]);
            if !of_subjects.is_empty() && !of_queries.is_empty() {
                met += of_subjects.len() * of_queries.len();
                self.meet(judge, of_subjects, of_queries, found);
                if found.is_full() {
                    found.settle(judge, candidates);
                }
            }
        }
        lookout.worked(met * CELLS_PER_MEETING + entries.len() * CELLS_PER_ENTRY)
    }

    /// Compares windows with windows: full registers first, of either side, then what is left.
    fn meet(&self, judge: &Judge<'_>, subjects: &[u32], queries: &[u32], found: &mut HeldWindows) {
        let least = self.sensitivity.window;
        let mut in_lanes = |subjects: &[u32], queries: &[u32], subjects_in_lanes: bool| {
            let subjects = Windows { letters: judge.subjects.all(), positions: subjects };
            let queries = Windows { letters: judge.queries.all(), positions: queries };
            if subjects_in_lanes {
                self.windows.join(subjects, queries, least, &mut found.lanes, &mut found.subject_lanes);
            } else {
                self.windows.join(queries, subjects, least, &mut found.lanes, &mut found.query_lanes);
            }
        };
        let (full_subjects, subjects) = subjects.split_at(subjects.len() / LANES * LANES);
        in_lanes(full_subjects, queries, true);
        let (full_queries, queries) = queries.split_at(queries.len() / LANES * LANES);
        in_lanes(subjects, full_queries, false);
        in_lanes(subjects, queries, subjects.len() >= queries.len());
    }
}

impl Selector for Seeded {
    fn residues_at_a_time(&self) -> usize {
        JOINED_RESIDUES
    }

    fn prepare<'a>(
        &'a self,
        queries: &[&SearchedQuery<'_>],
        scheme: &'a Scheme,
    ) -> Option<Box<dyn Prepared + 'a>> {
        let letters = Letters::new(queries.iter().map(|query| &*query.compared));
        let words = Words::new(queries, &letters, &self.sensitivity, &self.similar);
        let least =
            queries.iter().map(|query| self.sensitivity.banded(query.compared.len(), scheme)).collect();
        let few = FewSeeds::of(&words, &self.similar, &self.sensitivity);
        Some(Box::new(Joined { selector: self, letters, words, few, least }))
    }
}

/// Joined queries.
#[derive(Debug)]
struct Joined<'a> {
    selector: &'a Seeded,
    letters: Letters,
    words: Words,
    /// The seeds that matter, if they are few.
    few: Option<FewSeeds>,
    /// For each query the least score in a band.
    least: Vec<u8>,
}

impl Prepared for Joined<'_> {
    fn sections(&self, subjects: &dyn Subjects, indices: Vec<u32>) -> Vec<Vec<u32>> {
        let most = (SECTION_PAIRS / self.least.len().max(1)).max(1);
        let mut sections: Vec<Vec<u32>> = Vec::new();
        let mut letters = 0;
        for index in indices {
            let room = Letters::room(subjects.residues(index as usize).len());
            match sections.last_mut() {
                Some(section) if letters + room <= SECTION && section.len() < most => {
                    section.push(index);
                    letters += room;
                }
                _ => {
                    sections.push(vec![index]);
                    letters = room;
                }
            }
        }
        sections
    }

    fn choose(
        &self,
        subjects: &dyn Subjects,
        section: &[u32],
        threads: NonZeroUsize,
        watch: &Watch<'_>,
    ) -> Vec<Vec<u32>> {
        let letters = Letters::new(section.iter().map(|&index| subjects.residues(index as usize)));
        let pairs = NominatedPairs::new(self.least.len(), section.len());
        let judge = Judge {
            queries: &self.letters,
            subjects: &letters,
            least: &self.least,
            kernel: &self.selector.banded,
            pairs: &pairs,
        };
        let sensitivity = &self.selector.sensitivity;
        let census = match &self.few {
            Some(few) => Census::Few(few.entries(&letters, sensitivity, threads)),
            None => Census::new(&letters, &sensitivity.pattern),
        };
        self.selector.nominate(&Work { judge, words: &self.words, census }, threads, watch);
        let of = |query: usize| pairs.subjects(query).map(|subject| section[subject]).collect();
        (0..self.least.len()).map(of).collect()
    }
}

/// A section and the queries, ready to be joined.
struct Work<'a> {
    judge: Judge<'a>,
    words: &'a Words,
    census: Census,
}

/// Reusable working memory of a thread.
#[derive(Debug, Default)]
struct State {
    similar_seeds: SimilarSeeds,
    buckets: Buckets,
    queries: Sorted,
    subjects: Sorted,
    found: HeldWindows,
    candidates: Candidates,
}

/// Windows that score enough, whose sequences have not been looked up.
#[derive(Debug, Default)]
struct HeldWindows {
    lanes: WindowLanes,
    subject_lanes: Vec<Found>,
    query_lanes: Vec<Found>,
}

impl HeldWindows {
    fn is_full(&self) -> bool {
        self.subject_lanes.len() + self.query_lanes.len() >= HELD
    }

    /// Hands them over as candidates.
    fn settle(&mut self, judge: &Judge<'_>, candidates: &mut Candidates) {
        for found in self.subject_lanes.drain(..) {
            candidates.add(judge, (found.other, found.lane), found.score);
        }
        for found in self.query_lanes.drain(..) {
            candidates.add(judge, (found.lane, found.other), found.score);
        }
    }
}
