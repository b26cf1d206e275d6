//! Nominates the pairs whose best local alignment is worth reporting before composition counts: no words are needed.
//!
//! Each pair has its Smith–Waterman score worked out, so what blastp's words find is among them (but see ADR 26), and what
//! they miss as well. A verdict depends on the two sequences and the options only.

use std::num::NonZeroUsize;

use super::pairs::NominatedPairs;
use super::{Prepared, Selector};
use crate::engine::align::cutoffs::Cutoffs;
use crate::engine::align::scheme::Scheme;
use crate::engine::blocks::in_blocks;
use crate::engine::kernel::{LOCAL_LANES, LocalKernel, LocalLanes, SubjectColumns, letter};
use crate::engine::options::Mode;
use crate::engine::query::SearchedQuery;
use crate::engine::subjects::Subjects;
use crate::engine::watch::Watch;

/// Query residues that are joined at a time, unless a single query is longer.
const JOINED_RESIDUES: usize = 100_000;
/// Residue pairs of a section, which is the least that a stopped search does again: some seconds of a thread.
const SECTION_PAIRS: usize = 1 << 36;
/// Residues of a subject from which on it is nominated as it is: side by side, such ones would take much memory.
const LONG: usize = 100_000;
/// Lanes that take the time of one cell of other dynamic programming.
const LANES_PER_CELL: usize = 16;

/// The selector of [`Mode::Thorough`].
#[derive(Debug)]
pub(in crate::engine) struct Thorough(LocalKernel);

impl Thorough {
    /// If that is the search's mode.
    pub(in crate::engine) fn new(scheme: &Scheme) -> Option<Self> {
        (scheme.options.mode == Mode::Thorough)
            .then(|| Self(LocalKernel::new(scheme.matrix.scores(), scheme.gaps)))
    }
}

impl Selector for Thorough {
    fn residues_at_a_time(&self) -> usize {
        JOINED_RESIDUES
    }

    fn prepare<'a>(
        &'a self,
        queries: &[&SearchedQuery<'_>],
        scheme: &'a Scheme,
    ) -> Option<Box<dyn Prepared + 'a>> {
        let queries = queries
            .iter()
            .map(|query| {
                let letters = query.compared.iter().map(|&code| letter(code)).collect();
                let least = Cutoffs::new(&query.compared, scheme).map_or(i32::MAX, |cutoffs| cutoffs.gapped);
                Query { residues: query.compared.to_vec(), letters, least }
            })
            .collect();
        Some(Box::new(Joined { kernel: &self.0, scheme, queries }))
    }
}

/// One of the joined queries.
#[derive(Debug)]
struct Query {
    residues: Vec<u8>,
    letters: Vec<u8>,
    /// The score that no subject is reported with less than, whatever its length.
    least: i32,
}

/// Joined queries.
#[derive(Debug)]
struct Joined<'a> {
    kernel: &'a LocalKernel,
    scheme: &'a Scheme,
    queries: Vec<Query>,
}

impl Joined<'_> {
    /// Whether a score is enough for a subject.
    fn is_enough(&self, query: &Query, subject: &[u8], score: u8) -> bool {
        let enough = || {
            let evalue = self.scheme.evalue(i32::from(score), &query.residues, subject);
            evalue <= self.scheme.options.preliminary_evalue()
        };
        score == self.kernel.ceiling() || (i32::from(score) >= query.least && enough())
    }
}

impl Prepared for Joined<'_> {
    fn sections(&self, subjects: &dyn Subjects, indices: Vec<u32>) -> Vec<Vec<u32>> {
        let joined: usize = self.queries.iter().map(|query| query.letters.len()).sum();
        let most = SECTION_PAIRS / joined.max(1);
        let mut sections: Vec<Vec<u32>> = Vec::new();
        let mut residues = 0;
        for index in indices {
            let length = subjects.residues(index as usize).len();
            match sections.last_mut() {
                Some(section) if residues + length <= most => section.push(index),
                _ => {
                    sections.push(vec![index]);
                    residues = 0;
                }
            }
            residues += length;
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
        let pairs = NominatedPairs::new(self.queries.len(), section.len());
        let residues = |place: usize| subjects.residues(section[place] as usize);
        // Those of similar length lie side by side, so that no lane is idle for long.
        let mut places: Vec<usize> = (0..section.len()).collect();
        places.sort_by_key(|&place| std::cmp::Reverse(residues(place).len()));
        let (long, others) = places.split_at(places.partition_point(|&place| residues(place).len() >= LONG));
        for query in 0..self.queries.len() {
            long.iter().for_each(|&subject| pairs.add(query, subject));
        }
        let groups: Vec<&[usize]> = others.chunks(LOCAL_LANES).collect();
        in_blocks(0..groups.len(), 1, threads, |blocks| {
            let lookout = watch.lookout();
            let (mut columns, mut lanes) = (SubjectColumns::default(), LocalLanes::default());
            for group in blocks.flatten().map(|group| groups[group]) {
                columns.fill(group.iter().map(|&place| residues(place)));
                let longest = group.first().map_or(0, |&place| residues(place).len());
                for (place, query) in self.queries.iter().enumerate() {
                    let scores = self.kernel.scores(&query.letters, &columns, &mut lanes);
                    for (&subject, score) in group.iter().zip(scores) {
                        if self.is_enough(query, residues(subject), score) {
                            pairs.add(place, subject);
                        }
                    }
                    if lookout.worked(query.letters.len() * longest * LOCAL_LANES / LANES_PER_CELL) {
                        return;
                    }
                }
            }
        });
        let of = |query: usize| pairs.subjects(query).map(|subject| section[subject]).collect();
        (0..self.queries.len()).map(of).collect()
    }

    fn looks_beyond_words(&self) -> bool {
        true
    }
}
