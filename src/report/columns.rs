//! The columns of an alignment as letters.

use std::ops::Range;

use crate::engine::{Edit, Hsp, SearchedQuery};
use crate::scoring::Matrix;
use crate::sequence::alphabet::{J, U, decode};

/// Which columns of different letters get a `+`. Reports of blastp disagree on two letters, because
/// each draws with a matrix of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plus {
    /// Positive scores, but none of J: pairwise reports, and [`Hsp::positives`].
    LikeSearch,
    /// Positive scores, but none of U: XML and JSON.
    LikeDisplay,
}

impl Plus {
    /// The letter whose scores do not count.
    fn left_out(self) -> u8 {
        match self {
            Self::LikeSearch => J,
            Self::LikeDisplay => U,
        }
    }
}

/// How a report shows masked letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// In lower case.
    LowerCase,
    /// In lower case, but not in a stretch that begins before the alignment.
    LowerCaseInside,
    /// As X, but not in a stretch that begins before the alignment.
    XInside,
}

impl Mark {
    fn of(self, letter: u8) -> u8 {
        match self {
            Self::LowerCase | Self::LowerCaseInside => letter.to_ascii_lowercase(),
            Self::XInside => b'X',
        }
    }
}

/// An alignment written out: two rows of letters and gaps, and what stands between them.
#[derive(Debug)]
pub(super) struct Columns {
    /// Letters of the query, `-` for a gap.
    pub(super) query: Vec<u8>,
    /// Letters of the subject, `-` for a gap.
    pub(super) subject: Vec<u8>,
    /// The letter where both have the same, `+` where their score is positive, else a blank.
    pub(super) midline: Vec<u8>,
}

impl Columns {
    /// Writes out the alignment of a query of these residues.
    pub(super) fn new(query_residues: &[u8], hsp: &Hsp, matrix: &Matrix, plus: Plus) -> Self {
        let left_out = plus.left_out();
        let length = hsp.alignment_length() as usize;
        let mut columns = Self {
            query: Vec::with_capacity(length),
            subject: Vec::with_capacity(length),
            midline: Vec::with_capacity(length),
        };
        for (query, subject) in pairs(query_residues, hsp) {
            columns.query.push(query.map_or(b'-', decode));
            columns.subject.push(subject.map_or(b'-', decode));
            columns.midline.push(match (query, subject) {
                (Some(q), Some(s)) if q == s => decode(q),
                (Some(q), Some(s)) if q != left_out && s != left_out && matrix.score(q, s) > 0 => b'+',
                _ => b' ',
            });
        }
        columns
    }

    /// Shows which letters of the query are masked; the first one here is its residue `start`. What
    /// stands between the rows stays.
    pub(super) fn mark_masked(&mut self, start: u32, searched: &SearchedQuery<'_>, mark: Mark) {
        if searched.masked.is_empty() {
            return;
        }
        let before = start as usize - searched.range.start;
        let letters = self.query.iter_mut().filter(|letter| **letter != b'-');
        for (place, letter) in (before..).zip(letters) {
            let shown = |masked: &Range<usize>| {
                masked.contains(&place) && (mark == Mark::LowerCase || masked.start >= before)
            };
            if searched.masked.iter().any(shown) {
                *letter = mark.of(*letter);
            }
        }
    }

    /// Number of columns with the same letter or a `+`.
    pub(super) fn positives(&self) -> u32 {
        self.midline.iter().filter(|mark| **mark != b' ').count() as u32
    }
}

/// The residues of each column; `None` is a gap.
pub(super) fn pairs(query_residues: &[u8], hsp: &Hsp) -> impl Iterator<Item = (Option<u8>, Option<u8>)> {
    let range = hsp.query.start as usize..hsp.query.end as usize;
    let mut query = query_residues[range].iter().copied();
    let mut subject = hsp.subject_residues.iter().copied();
    let kinds = hsp.edits.iter().flat_map(|run| std::iter::repeat_n(run.edit, run.length as usize));
    kinds.map(move |edit| match edit {
        Edit::Pair => (query.next(), subject.next()),
        Edit::QueryGap => (None, subject.next()),
        Edit::SubjectGap => (query.next(), None),
    })
}
