//! What is faster for few queries: to leave out at once all subject positions whose seeds are similar to none of theirs.
//!
//! Seeds that no query meets make no difference, so no verdict depends on this.

use std::num::NonZeroUsize;

use super::buckets::bucket_and_key;
use super::letters::{Letters, standard};
use super::sensitivity::Sensitivity;
use super::similar::{LETTERS, PAIRS, SimilarPairs};
use super::words::{SimilarSeeds, Words};
use crate::engine::blocks::in_blocks;

/// Query positions up to which it is tried.
const MOST_WORDS: usize = 16_384;
/// It pays as long as at most one in so many seeds is similar to any.
const SHARE: usize = 6;
/// Subject positions that a thread takes at a time.
const BLOCK: usize = 1 << 20;

/// Seeds that are similar to any of the queries'.
#[derive(Debug)]
pub(super) struct FewSeeds(Vec<u64>);

/// A subject position with such a seed; the seed's first letter is its slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct FewEntry {
    pub(super) position: u32,
    pub(super) bucket: u16,
    pub(super) key: u16,
}

/// The place of a seed's bit.
fn place(slice: usize, bucket: u16, key: u16) -> (usize, u64) {
    let seed = (slice * PAIRS + usize::from(bucket)) * PAIRS + usize::from(key);
    (seed / 64, 1 << (seed % 64))
}

impl FewSeeds {
    /// Those of the queries' words, if they are few.
    pub(super) fn of(words: &Words, similar: &SimilarPairs, sensitivity: &Sensitivity) -> Option<Self> {
        if words.len() > MOST_WORDS {
            return None;
        }
        let all = LETTERS * PAIRS * PAIRS;
        let mut bits = vec![0; all.div_ceil(64)];
        let mut seeds = SimilarSeeds::default();
        for slice in 0..LETTERS {
            seeds.fill(words, similar, sensitivity.similar, slice);
            for bucket in 0..PAIRS {
                seeds.keys(bucket, similar).flatten().for_each(|&key| {
                    let (word, bit) = place(slice, bucket as u16, key);
                    bits[word] |= bit;
                });
            }
        }
        let count: usize = bits.iter().map(|word: &u64| word.count_ones() as usize).sum();
        (count <= all / SHARE).then_some(Self(bits))
    }

    /// The positions of subjects with these seeds, by slice.
    pub(super) fn entries(
        &self,
        letters: &Letters,
        sensitivity: &Sensitivity,
        threads: NonZeroUsize,
    ) -> Vec<Vec<FewEntry>> {
        let (all, standard, pattern) = (letters.all(), standard(), &sensitivity.pattern);
        let (per_thread, _) = in_blocks(letters.seeds(), BLOCK, threads, |blocks| {
            let mut slices: Vec<Vec<FewEntry>> = vec![Vec::new(); LETTERS];
            for position in blocks.flatten() {
                let slice = usize::from(standard[usize::from(all[position])]);
                if slice >= LETTERS {
                    continue;
                }
                if let Some((bucket, key)) = bucket_and_key(all, position, pattern) {
                    let (word, bit) = place(slice, bucket, key);
                    if self.0[word] & bit != 0 {
                        slices[slice].push(FewEntry { position: position as u32, bucket, key });
                    }
                }
            }
            slices
        });
        let mut slices: Vec<Vec<FewEntry>> = vec![Vec::new(); LETTERS];
        for of_thread in per_thread {
            slices.iter_mut().zip(of_thread).for_each(|(all, found)| all.extend(found));
        }
        slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::align::scheme::Scheme;
    use crate::engine::options::{DatabaseTotals, Mode, SearchOptions};
    use crate::engine::query::{QuerySequence, SearchedQuery};

    fn residues(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        let mut code = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            1 + (state >> 33) as u8 % 26
        };
        (0..length).map(|_| code()).collect()
    }

    #[test]
    fn the_positions_of_similar_seeds_are_found_and_no_others() {
        let options = SearchOptions { mode: Mode::Fast, ..SearchOptions::default() };
        let totals = DatabaseTotals { sequences: 10, residues: 10_000 };
        let scheme = Scheme::new(options, totals).expect("statistics");
        let sensitivity = Sensitivity::of(options.mode, options.matrix).expect("seeds");
        let similar = SimilarPairs::new(&scheme.matrix);
        let query = residues(1, 90);
        let query =
            SearchedQuery::new(QuerySequence { residues: &query, lower_case: &[], pieces: &[] }, &options);
        let letters = Letters::new([&*query.compared]);
        let words = Words::new(&[&query], &letters, &sensitivity, &similar);
        let few = FewSeeds::of(&words, &similar, &sensitivity).expect("a short query has few");

        let subjects = [residues(2, 5_000), query.compared.to_vec(), residues(3, 20), residues(4, 3_000)];
        let subjects = Letters::new(subjects.iter().map(Vec::as_slice));
        let seed = |letters: &Letters, position: usize| {
            let place = |offset: usize| standard()[usize::from(letters.all()[position + offset])];
            let seed = sensitivity.pattern.map(place);
            seed.iter().all(|&place| usize::from(place) < LETTERS).then_some(seed)
        };
        let of_query: Vec<_> = letters.seeds().filter_map(|position| seed(&letters, position)).collect();
        let is_similar = |a: &[u8; 5], b: &[u8; 5]| {
            let score: i32 = a.iter().zip(b).map(|(&a, &b)| similar.single(a.into(), b.into())).sum();
            score >= sensitivity.similar
        };
        let expected: Vec<u32> = subjects
            .seeds()
            .filter(|&position| {
                let of_subject = seed(&subjects, position);
                of_subject.is_some_and(|seed| of_query.iter().any(|other| is_similar(&seed, other)))
            })
            .map(|position| position as u32)
            .collect();
        for threads in [1, 3] {
            let threads = NonZeroUsize::new(threads).expect("not 0");
            let slices = few.entries(&subjects, &sensitivity, threads);
            let mut found: Vec<u32> = slices.iter().flatten().map(|entry| entry.position).collect();
            found.sort_unstable();
            assert_eq!(found, expected);
        }
        assert!((10..4_000).contains(&expected.len()), "{}", expected.len());
    }
}
