//! Finding ungapped HSPs: word hits, the two-hit rule and X-drop extension along the diagonal.
//!
//! Source: `core/aa_ungapped.c` (`s_BlastAaWordFinder_TwoHit`, `s_BlastAaExtendTwoHit`); the method
//! is that of Altschul et al., Nucleic Acids Research 25:3389 (1997).

use super::batch::{Batch, BatchQuery};
use super::options::{TWO_HIT_WINDOW, WORD_SIZE};
use super::words::shift_in;
use crate::scoring::Matrix;

/// An ungapped alignment of a query of the batch and a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UngappedHsp {
    /// Place of the query in the batch.
    pub(super) query_place: u32,
    /// Raw score.
    pub(super) score: i32,
    /// First aligned residue of the query.
    pub(super) query_start: u32,
    /// First aligned residue of the subject.
    pub(super) subject_start: u32,
    /// Number of aligned pairs.
    pub(super) length: u32,
}

/// What is remembered of each diagonal while one subject is scanned.
///
/// A cell holds `position << 1 | extended`: the subject position of the last word hit, or, when
/// `extended` is set, the position up to which an extension has covered the diagonal. Positions
/// are biased by an offset that grows from subject to subject, so that old cells read as "long
/// ago" and need no clearing.
#[derive(Debug)]
pub(super) struct Diagonals {
    cells: Vec<u32>,
    offset: u32,
}

/// Bias from which the cells are cleared, well before `position << 1` overflows.
const OFFSET_LIMIT: u32 = 1 << 30;

impl Diagonals {
    /// State for a batch of `residues` joined residues.
    pub(super) fn new(residues: usize) -> Self {
        let diagonals = (residues + TWO_HIT_WINDOW as usize).next_power_of_two();
        Self { cells: vec![0; diagonals], offset: TWO_HIT_WINDOW }
    }

    /// Forgets everything, ready for the subject after one of `subject_length` residues.
    fn advance(&mut self, subject_length: u32) {
        self.offset = self.offset.saturating_add(subject_length).saturating_add(TWO_HIT_WINDOW);
        if self.offset > OFFSET_LIMIT {
            self.cells.fill(0);
            self.offset = TWO_HIT_WINDOW;
        }
    }
}

/// Appends the ungapped HSPs of a subject with every query of the batch, ordered by query and then
/// as the gapped stage takes them: score ↓, subject start ↑, length ↓, query start ↑.
pub(super) fn find(
    batch: &Batch,
    subject: &[u8],
    matrix: &Matrix,
    diagonals: &mut Diagonals,
    found: &mut Vec<UngappedHsp>,
) {
    found.clear();
    if subject.len() < WORD_SIZE {
        return;
    }
    let offset = diagonals.offset;
    let mask = diagonals.cells.len() - 1;
    let mut word = subject[..WORD_SIZE - 1].iter().fold(0, |word, &residue| shift_in(word, residue));
    for (subject_at, &residue) in subject[WORD_SIZE - 1..].iter().enumerate() {
        word = shift_in(word, residue);
        let here = subject_at as u32 + offset;
        for &query_at in batch.words.hits(word) {
            let cell = &mut diagonals.cells[(query_at as usize).wrapping_sub(subject_at) & mask];
            let last = *cell >> 1;
            if *cell & 1 == 1 {
                if here >= last {
                    *cell = here << 1;
                }
                continue;
            }
            let distance = here - last;
            if distance >= TWO_HIT_WINDOW {
                *cell = here << 1;
            } else if distance >= WORD_SIZE as u32 {
                *cell = second_hit(batch, subject, matrix, query_at, subject_at as u32, distance, found)
                    .map_or(here << 1, |covered| ((covered + offset) << 1) | 1);
            }
        }
    }
    diagonals.advance(subject.len() as u32);
    found.sort_unstable_by_key(|h| {
        (h.query_place, -h.score, h.subject_start, std::cmp::Reverse(h.length), h.query_start)
    });
}

/// Extends a second word hit and keeps the HSP if it scores enough. Returns the subject position
/// up to which the diagonal is covered if the extension went to the right.
#[inline(never)]
fn second_hit(
    batch: &Batch,
    subject: &[u8],
    matrix: &Matrix,
    query_at: u32,
    subject_at: u32,
    distance: u32,
    found: &mut Vec<UngappedHsp>,
) -> Option<u32> {
    let query_place = batch.query_at[query_at as usize];
    let BatchQuery { range, cutoffs, .. } = &batch.queries[query_place as usize];
    // The first hit may belong to the query before this one.
    let query_at = query_at - range.start as u32;
    if query_at < distance {
        return None;
    }
    let query = &batch.residues[range.clone()];
    let first_hit_end = subject_at - distance + WORD_SIZE as u32;
    let extension = extend(
        query,
        subject,
        matrix,
        (query_at as usize, subject_at as usize),
        first_hit_end as usize,
        cutoffs.x_ungapped,
    );
    if extension.score >= cutoffs.ungapped {
        found.push(UngappedHsp {
            query_place,
            score: extension.score,
            query_start: extension.query_start as u32,
            subject_start: extension.subject_start as u32,
            length: extension.length as u32,
        });
    }
    extension.stopped_at.map(|stop| stop as u32 - (WORD_SIZE as u32 - 1))
}

#[derive(Debug)]
struct Extension {
    score: i32,
    query_start: usize,
    subject_start: usize,
    length: usize,
    /// Subject position where the extension to the right stopped, if there was one.
    stopped_at: Option<usize>,
}

/// Extends the word at (`query`, `subject`) position `at` to the left, and to the right if the
/// left extension reached the first hit.
fn extend(
    query: &[u8],
    subject: &[u8],
    matrix: &Matrix,
    at: (usize, usize),
    first_hit_end: usize,
    x: i32,
) -> Extension {
    // Start just behind the best-scoring prefix of the word.
    let (mut sum, mut best, mut prefix) = (0, 0, 0);
    for i in 0..WORD_SIZE {
        sum += matrix.score(query[at.0 + i], subject[at.1 + i]);
        if sum > best {
            best = sum;
            prefix = i + 1;
        }
    }
    let (query_middle, subject_middle) = (at.0 + prefix, at.1 + prefix);

    let (mut score, mut left) = (0, 0);
    let pairs = query[..query_middle].iter().rev().zip(subject[..subject_middle].iter().rev());
    sum = 0;
    for (i, (&q, &s)) in pairs.enumerate() {
        sum += matrix.score(q, s);
        if sum > score {
            score = sum;
            left = i + 1;
        }
        if score - sum >= x {
            break;
        }
    }

    let (mut right, mut stopped_at) = (0, None);
    if left + first_hit_end >= subject_middle {
        let mut stop = subject_middle;
        sum = score;
        for (&q, &s) in query[query_middle..].iter().zip(&subject[subject_middle..]) {
            sum += matrix.score(q, s);
            if sum > score {
                score = sum;
                right = stop - subject_middle + 1;
            }
            if sum <= 0 || score - sum >= x {
                break;
            }
            stop += 1;
        }
        stopped_at = Some(stop);
    }
    Extension {
        score,
        query_start: query_middle - left,
        subject_start: subject_middle - left,
        length: left + right,
        stopped_at,
    }
}
