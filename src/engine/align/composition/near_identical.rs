//! A quick estimate of whether a query and a subject are the same sequence, more or less.
//!
//! Such a pair is compared unmasked: what is low in complexity in one is so in the other, and the
//! match is no accident. The estimate counts identities from both ends, stepping over small
//! differences, and then through eight-residue words in between. Its loop bounds are uneven and
//! decide results, so they are kept (`core/blast_kappa.c`: `s_TestNearIdentical`,
//! `s_FindNumIdentical`, `s_ExtendRight`, `s_ExtendLeft`).

use std::ops::Range;

/// Share of identities in the shorter part from which on a pair is nearly identical
/// (`s_TestNearIdentical`); it must be exceeded.
const SHARE: f64 = 0.96;
/// Residues of the words that anchor the middle.
const WORD: usize = 8;
/// Residues that an extension may step over, exclusive.
const LARGEST_STEP: usize = 8;

/// What an extension found: identities, and residues of query and subject used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extension {
    identities: usize,
    query: usize,
    subject: usize,
}

/// Whether the aligned parts of `query` and `subject` are nearly identical.
pub(super) fn near_identical(
    query: &[u8],
    subject: &[u8],
    query_range: Range<usize>,
    subject_range: Range<usize>,
) -> bool {
    let query_start = query_range.start;
    let (q, s) = (&query[query_range], &subject[subject_range]);
    let enough = |identities: usize| identities as f64 / q.len().min(s.len()) as f64 > SHARE;

    let right = extend_right(q, s);
    if right.query >= q.len() || right.subject >= s.len() {
        return enough(right.identities);
    }
    let left = extend_left(&q[right.query..], &s[right.subject..]);
    let ends = right.identities + left.identities;
    if right.query + left.query >= q.len() || right.subject + left.subject >= s.len() {
        return enough(ends);
    }
    let middle = right.query..q.len() - left.query;
    let between = &s[right.subject..s.len() - left.subject];
    let anchored = count_by_words(query, query_start + middle.start, &q[middle], between);
    enough(ends + anchored)
}

/// Identities of `middle`, which starts at `offset` of `query`, and `subject` along common words.
fn count_by_words(query: &[u8], offset: usize, middle: &[u8], subject: &[u8]) -> usize {
    if middle.len() < WORD || subject.len() < WORD {
        return 0;
    }
    let last = query.len() - WORD;
    let word_at = |at: usize| &middle[at..at + WORD];
    // The list of the query's words lacks its very last one.
    let is_listed = |at: usize| offset + at == 0 || offset + at < last;

    let mut identities = 0;
    let (mut query_done, mut subject_done) = (0, 0);
    let mut at = 0;
    while at < subject.len() - WORD {
        let word = &subject[at..at + WORD];
        let found =
            (query_done..middle.len() - WORD).find(|&place| is_listed(place) && word_at(place) == word);
        if let Some(place) = found {
            let left = extend_left(&middle[query_done..place], &subject[subject_done..at]);
            let right = extend_right(&middle[place + WORD..], &subject[at + WORD..]);
            identities += WORD + left.identities + right.identities;
            query_done = place + WORD + right.query;
            subject_done = at + WORD + right.subject;
            at = subject_done;
        } else {
            at += 1;
        }
    }
    identities
}

/// Steps over a difference: after skipping residues of both, of the query only or of the subject
/// only, two pairs in a row must be equal. `equal` compares the residues at two distances; returns
/// how far query and subject get.
fn step_over(
    query_left: usize,
    subject_left: usize,
    equal: impl Fn(usize, usize) -> bool,
) -> Option<(usize, usize)> {
    for n in 1..LARGEST_STEP {
        if n + 1 >= query_left || n + 1 >= subject_left {
            return None;
        }
        for (q, s) in [(n, n), (n, 0), (0, n)] {
            if equal(q, s) && equal(q + 1, s + 1) {
                return Some((q + 2, s + 2));
            }
        }
    }
    None
}

/// Identities from the first residues on.
fn extend_right(query: &[u8], subject: &[u8]) -> Extension {
    let mut found = Extension { identities: 0, query: 0, subject: 0 };
    while found.query < query.len() && found.subject < subject.len() {
        let (q, s) = (&query[found.query..], &subject[found.subject..]);
        let run = q.iter().zip(s).take_while(|(q, s)| q == s).count();
        found.advance(run, run, run);
        let (q, s) = (&q[run..], &s[run..]);
        match step_over(q.len(), s.len(), |a, b| q[a] == s[b]) {
            Some((query, subject)) => found.advance(2, query, subject),
            None => break,
        }
    }
    found
}

/// Identities from the last residues back. The first residues are never compared.
fn extend_left(query: &[u8], subject: &[u8]) -> Extension {
    let mut found = Extension { identities: 0, query: 0, subject: 0 };
    while found.query < query.len() && found.subject < subject.len() {
        let q = &query[..query.len() - found.query];
        let s = &subject[..subject.len() - found.subject];
        let run = q[1..].iter().rev().zip(s[1..].iter().rev()).take_while(|(q, s)| q == s).count();
        found.advance(run, run, run);
        let (q, s) = (&q[..q.len() - run], &s[..s.len() - run]);
        let equal = |a: usize, b: usize| q[q.len() - 1 - a] == s[s.len() - 1 - b];
        match step_over(q.len() - 1, s.len() - 1, equal) {
            Some((query, subject)) => found.advance(2, query, subject),
            None => break,
        }
    }
    found
}

impl Extension {
    fn advance(&mut self, identities: usize, query: usize, subject: usize) {
        self.identities += identities;
        self.query += query;
        self.subject += subject;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 120 residues without repeats of any word.
    fn sequence() -> Vec<u8> {
        (0..120u32).map(|i| (1 + (i * i * 7 + i / 3 * 5 + i) % 20) as u8).collect()
    }

    fn judged(query: &[u8], subject: &[u8]) -> bool {
        near_identical(query, subject, 0..query.len(), 0..subject.len())
    }

    #[test]
    fn more_than_96_percent_of_identities_are_near_identity() {
        let query = sequence();
        assert!(judged(&query, &query));
        let with = |changes: usize| {
            let mut subject = query.clone();
            for change in 0..changes {
                subject[10 + 20 * change] = 26;
            }
            subject
        };
        assert!(judged(&query, &with(4)), "116 of 120");
        assert!(!judged(&query, &with(5)), "115 of 120");
    }

    #[test]
    fn small_insertions_are_stepped_over() {
        let subject = sequence();
        let mut query = subject.clone();
        query.splice(60..60, [26, 26, 26]);
        assert_eq!(extend_right(&query, &subject), Extension { identities: 120, query: 123, subject: 120 });
        assert!(judged(&query, &subject));
    }

    /// Eight residues are too many to step over: the parts on both sides count from both ends.
    #[test]
    fn large_insertions_are_bridged_from_the_other_end() {
        let subject = sequence();
        let mut query = subject.clone();
        query.splice(60..60, [26; 8]);
        assert_eq!(extend_right(&query, &subject), Extension { identities: 60, query: 60, subject: 60 });
        let left = extend_left(&query[60..], &subject[60..]);
        assert_eq!(left, Extension { identities: 59, query: 59, subject: 59 }, "the first is not compared");
    }

    #[test]
    fn words_anchor_what_lies_between_two_large_insertions() {
        let subject = sequence();
        let mut query = subject.clone();
        query.splice(80..80, [26; 20]);
        query.splice(40..40, [26; 20]);
        let middle = &query[40..120];
        assert_eq!(count_by_words(&query, 40, middle, &subject[40..80]), 40);
        assert!(judged(&query, &subject));
    }
}
