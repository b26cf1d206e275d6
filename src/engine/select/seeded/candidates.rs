//! From windows that score enough to pairs: a window that is a whole alignment nominates its pair at once,
//! others have to show a gapped score in a band round their diagonal.
//!
//! What a band scores depends on the pair, the diagonal and a block of the query, so that it does not matter
//! with which others it is compared, nor which repetition of a window is left out.

use super::letters::Letters;
use crate::engine::kernel::{BAND, BEFORE, BandedKernel, LANES, Lane, ROWS, WIDTH};
use crate::engine::select::pairs::NominatedPairs;

/// Query letters whose windows share a band.
const BLOCK: usize = 64;
/// Rows of a band before its block and behind.
const BEYOND: usize = 128;
/// Candidates that are held before they are compared.
const HELD: usize = 1 << 21;
/// Places for candidates that have come before, a power of 2.
const RECENT: usize = 1 << 16;

const _: () = assert!(BLOCK + 2 * BEYOND <= ROWS);

/// A band to be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    query: u32,
    block: u32,
    subject: u32,
    /// Position in the subject less position in the query.
    diagonal: i32,
}

/// What the pairs of a section are judged by.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) queries: &'a Letters,
    pub(super) subjects: &'a Letters,
    /// For each query the least score in a band, and of a window that needs no band.
    pub(super) least: &'a [u8],
    pub(super) kernel: &'a BandedKernel,
    pub(super) pairs: &'a NominatedPairs,
}

/// The candidates of a thread.
#[derive(Debug)]
pub(super) struct Candidates {
    held: Vec<Candidate>,
    recent: Vec<Candidate>,
}

impl Default for Candidates {
    fn default() -> Self {
        // No window has such a diagonal.
        let none = Candidate { diagonal: i32::MIN, ..Candidate::default() };
        Self { held: Vec::new(), recent: vec![none; RECENT] }
    }
}

impl Candidates {
    /// Adds a window of a query position and a subject position.
    pub(super) fn add(&mut self, judge: &Judge<'_>, (query_at, subject_at): (u32, u32), score: u8) {
        let (query, in_query) = judge.queries.owner(query_at);
        let (subject, in_subject) = judge.subjects.owner(subject_at);
        if judge.pairs.has(query, subject) {
            return;
        }
        if score >= judge.least[query] {
            judge.pairs.add(query, subject);
            return;
        }
        let block = (in_query + WIDTH / 2 - BEFORE) / BLOCK;
        let candidate = Candidate {
            query: query as u32,
            block: block as u32,
            subject: subject as u32,
            diagonal: in_subject as i32 - in_query as i32,
        };
        let recent = &mut self.recent[candidate.place()];
        if *recent == candidate {
            return;
        }
        *recent = candidate;
        self.held.push(candidate);
        if self.held.len() == HELD {
            self.compare(judge);
        }
    }

    /// Compares all that are held.
    pub(super) fn compare(&mut self, judge: &Judge<'_>) {
        self.held.sort_unstable();
        self.held.dedup();
        let is_open = |c: &Candidate| !judge.pairs.has(c.query as usize, c.subject as usize);
        for block in self.held.chunk_by(|a, b| (a.query, a.block) == (b.query, b.block)) {
            let query = judge.queries.sequence(block[0].query as usize);
            let middle = block[0].block as usize * BLOCK;
            let first = middle.saturating_sub(BEYOND);
            let rows = &query[first..(middle + BLOCK + BEYOND).min(query.len())];
            let mut open = block.iter().filter(|candidate| is_open(candidate));
            loop {
                let mut batch = [Candidate::default(); LANES];
                let mut lanes = [Lane { subject: &[], start: 0 }; LANES];
                let mut count = 0;
                for candidate in open.by_ref().take(LANES) {
                    batch[count] = *candidate;
                    lanes[count] = Lane {
                        subject: judge.subjects.sequence(candidate.subject as usize),
                        start: first as isize + candidate.diagonal as isize - BAND as isize / 2,
                    };
                    count += 1;
                }
                if count == 0 {
                    break;
                }
                let scores = judge.kernel.scores(rows, &lanes[..count]);
                for (candidate, score) in batch[..count].iter().zip(scores) {
                    let query = candidate.query as usize;
                    if score >= judge.least[query] {
                        judge.pairs.add(query, candidate.subject as usize);
                    }
                }
            }
        }
        self.held.clear();
    }
}

impl Candidate {
    /// Its place among the recent ones.
    fn place(&self) -> usize {
        let pair = u64::from(self.query) << 32 | u64::from(self.subject);
        let band = u64::from(self.block) << 32 | u64::from(self.diagonal as u32);
        let mixed = (pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ band).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mixed >> 48) as usize % RECENT
    }
}
