//! Pairs of a query and a subject that have been nominated.

use std::sync::atomic::{AtomicU64, Ordering};

/// A bit for each pair. Threads may nominate pairs at the same time; what is nominated in the end does not
/// depend on which of them comes first.
#[derive(Debug)]
pub(super) struct NominatedPairs {
    subjects: usize,
    bits: Vec<AtomicU64>,
}

impl NominatedPairs {
    pub(super) fn new(queries: usize, subjects: usize) -> Self {
        let words = (queries * subjects).div_ceil(64);
        Self { subjects, bits: (0..words).map(|_| AtomicU64::new(0)).collect() }
    }

    #[inline]
    fn place(&self, query: usize, subject: usize) -> (usize, u64) {
        let pair = query * self.subjects + subject;
        (pair / 64, 1 << (pair % 64))
    }

    /// Whether a pair has been nominated already.
    #[inline]
    pub(super) fn has(&self, query: usize, subject: usize) -> bool {
        let (word, bit) = self.place(query, subject);
        self.bits[word].load(Ordering::Relaxed) & bit != 0
    }

    /// Nominates a pair.
    pub(super) fn add(&self, query: usize, subject: usize) {
        let (word, bit) = self.place(query, subject);
        self.bits[word].fetch_or(bit, Ordering::Relaxed);
    }

    /// The subjects that have been nominated for a query, ascending.
    pub(super) fn subjects(&self, query: usize) -> impl Iterator<Item = usize> {
        let (first, last) = (query * self.subjects, (query + 1) * self.subjects);
        (first / 64..last.div_ceil(64)).flat_map(move |word| {
            let mut bits = self.bits[word].load(Ordering::Relaxed);
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
                bits &= bits - 1;
                Some(word * 64 + bit)
            })
            .filter(move |pair| (first..last).contains(pair))
            .map(move |pair| pair - first)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_there_and_nothing_else() {
        let pairs = NominatedPairs::new(3, 70);
        let added = [(0, 0), (0, 69), (1, 0), (1, 57), (1, 58), (1, 69), (2, 0), (2, 69)];
        for (query, subject) in added {
            assert!(!pairs.has(query, subject));
            pairs.add(query, subject);
            pairs.add(query, subject);
        }
        let all: Vec<(usize, usize)> =
            (0..3).flat_map(|query| pairs.subjects(query).map(move |subject| (query, subject))).collect();
        assert_eq!(all, added);
    }
}
