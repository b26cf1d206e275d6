//! Ungapped X-drop extension along a diagonal (`core/aa_ungapped.c`: `s_BlastAaExtendLeft`,
//! `s_BlastAaExtendRight`, `s_BlastAaExtendTwoHit`).

use crate::engine::kernel::SecondHit;
use crate::scoring::Matrix;

/// Best score of an extension, and how many pairs reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Extension {
    pub(in crate::engine) score: i32,
    pub(in crate::engine) length: usize,
    /// Pairs looked at before the extension was given up.
    pub(in crate::engine) looked_at: usize,
}

/// The extension of a second word hit to both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct FromSecondHit {
    pub(in crate::engine) score: i32,
    /// First aligned residue of the query.
    pub(in crate::engine) query_start: usize,
    /// First aligned residue of the subject.
    pub(in crate::engine) subject_start: usize,
    /// Number of aligned pairs.
    pub(in crate::engine) length: usize,
    /// Subject position up to which the diagonal is covered, if the extension has reached the first
    /// hit and so went to the right.
    pub(in crate::engine) covered: Option<u32>,
}

/// Extends a second hit of words of `size` residues with the drop-off `x`.
#[inline]
pub(in crate::engine) fn from_second_hit(
    (query, subject): (&[u8], &[u8]),
    hit: SecondHit,
    size: usize,
    matrix: &Matrix,
    x: i32,
) -> FromSecondHit {
    let (query_at, subject_at) = (hit.query_at as usize, hit.subject_at as usize);
    // Start just behind the best-scoring prefix of the word.
    let prefix = best_prefix(&query[query_at..][..size], &subject[subject_at..], matrix);
    let (query_middle, subject_middle) = (query_at + prefix, subject_at + prefix);
    let left = left(&query[..query_middle], &subject[..subject_middle], matrix, x, 0);
    let mut extended = FromSecondHit {
        score: left.score,
        query_start: query_middle - left.length,
        subject_start: subject_middle - left.length,
        length: left.length,
        covered: None,
    };
    // To the right only if the extension to the left has reached the first hit.
    let first_hit_end = subject_at - hit.distance as usize + size;
    if left.length + first_hit_end >= subject_middle {
        let right = right(&query[query_middle..], &subject[subject_middle..], matrix, x, left.score);
        extended.score = right.score;
        extended.length += right.length;
        extended.covered = Some((subject_middle + right.looked_at - (size - 1)) as u32);
    }
    extended
}

/// Extends from the last pair of `query` and `subject` to the left, starting from `score`.
#[inline]
pub(in crate::engine) fn left(
    query: &[u8],
    subject: &[u8],
    matrix: &Matrix,
    x: i32,
    score: i32,
) -> Extension {
    let mut best = Extension { score, length: 0, looked_at: 0 };
    let mut sum = score;
    // Indices rather than reversed iterators, which do not stay in registers.
    let pairs = query.len().min(subject.len());
    let (query, subject) = (&query[query.len() - pairs..], &subject[subject.len() - pairs..]);
    for at in (0..pairs).rev() {
        sum += matrix.score(query[at], subject[at]);
        if sum > best.score {
            best.score = sum;
            best.length = pairs - at;
        }
        if best.score - sum >= x {
            break;
        }
    }
    best
}

/// Extends from the first pair of `query` and `subject` to the right, starting from `score`; stops
/// also where the sum is no longer positive.
#[inline]
pub(in crate::engine) fn right(
    query: &[u8],
    subject: &[u8],
    matrix: &Matrix,
    x: i32,
    score: i32,
) -> Extension {
    let mut best = Extension { score, length: 0, looked_at: 0 };
    let mut sum = score;
    for (&q, &s) in query.iter().zip(subject) {
        sum += matrix.score(q, s);
        if sum > best.score {
            best.score = sum;
            best.length = best.looked_at + 1;
        }
        if sum <= 0 || best.score - sum >= x {
            break;
        }
        best.looked_at += 1;
    }
    best
}

/// Number of leading pairs of `query` and `subject` whose scores have the largest positive sum; the
/// first such number, or 0.
#[inline]
fn best_prefix(query: &[u8], subject: &[u8], matrix: &Matrix) -> usize {
    let (mut sum, mut best, mut length) = (0, 0, 0);
    for (i, (&q, &s)) in query.iter().zip(subject).enumerate() {
        sum += matrix.score(q, s);
        if sum > best {
            best = sum;
            length = i + 1;
        }
    }
    length
}
