//! Ungapped X-drop extension along a diagonal
//! (`core/aa_ungapped.c`: `s_BlastAaExtendLeft`, `s_BlastAaExtendRight`).

use crate::scoring::Matrix;

/// Best score of an extension, and how many pairs reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) score: i32,
    pub(super) length: usize,
    /// Pairs looked at before the extension was given up.
    pub(super) looked_at: usize,
}

/// Extends from the last pair of `query` and `subject` to the left, starting from `score`.
#[inline]
pub(super) fn left(query: &[u8], subject: &[u8], matrix: &Matrix, x: i32, score: i32) -> Extension {
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
pub(super) fn right(query: &[u8], subject: &[u8], matrix: &Matrix, x: i32, score: i32) -> Extension {
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
pub(super) fn best_prefix(query: &[u8], subject: &[u8], matrix: &Matrix) -> usize {
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
