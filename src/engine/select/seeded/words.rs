//! Query positions, sorted by the seeds that are similar to theirs.

use super::letters::{Letters, NONE, standard};
use super::sensitivity::Sensitivity;
use super::similar::{LETTERS, PAIRS, STEP, SimilarPairs};
use crate::engine::query::SearchedQuery;

/// The seed at a query position.
#[derive(Clone, Copy, Debug)]
struct Word {
    position: u32,
    /// Its second and third letters.
    bucket: u16,
    /// Its fourth and fifth letters.
    key: u16,
    /// Highest score of any two letters with the fourth and fifth.
    best_rest: i16,
    first: u8,
}

/// The seeds of queries.
#[derive(Debug)]
pub(super) struct Words(Vec<Word>);

impl Words {
    /// The seeds of `queries`, joined as `letters`; none where they are masked.
    pub(super) fn new(
        queries: &[&SearchedQuery<'_>],
        letters: &Letters,
        sensitivity: &Sensitivity,
        similar: &SimilarPairs,
    ) -> Self {
        let (all, standard) = (letters.all(), standard());
        let mut words = Vec::new();
        for (index, query) in queries.iter().enumerate() {
            let mut may_seed = vec![true; query.compared.len()];
            for masked in &query.masked {
                may_seed[masked.clone()].fill(false);
            }
            let start = letters.start(index);
            let span = sensitivity.pattern[4] + 1;
            for (place, may_seed) in may_seed.windows(span).enumerate() {
                let seed =
                    sensitivity.pattern.map(|offset| standard[usize::from(all[start + place + offset])]);
                if seed.contains(&NONE) || may_seed.contains(&false) {
                    continue;
                }
                let pair = |a: u8, b: u8| u16::from(a) * LETTERS as u16 + u16::from(b);
                let (bucket, key) = (pair(seed[1], seed[2]), pair(seed[3], seed[4]));
                let best_rest = similar.best(key) as i16;
                words.push(Word { position: (start + place) as u32, bucket, key, best_rest, first: seed[0] });
            }
        }
        Self(words)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A query position, and what the fourth and fifth letters of a similar seed have to score with its own.
#[derive(Clone, Copy, Debug, Default)]
struct Item {
    position: u32,
    key: u16,
    least: i16,
}

/// Similar seeds of one slice, by bucket; the last two letters are still open.
#[derive(Debug, Default)]
pub(super) struct SimilarSeeds {
    items: Vec<Item>,
    starts: Vec<u32>,
}

impl SimilarSeeds {
    /// Sorts the query positions that have similar seeds in a slice.
    pub(super) fn fill(&mut self, words: &Words, similar: &SimilarPairs, least: i32, slice: usize) {
        let mut counts = [0_u32; PAIRS];
        let buckets = |word: &Word| {
            let rest = least - similar.single(usize::from(word.first), slice);
            (rest, similar.of(word.bucket, rest - i32::from(word.best_rest)))
        };
        for word in &words.0 {
            let (_, (pairs, _)) = buckets(word);
            for &bucket in pairs {
                counts[usize::from(bucket)] += 1;
            }
        }
        self.starts.clear();
        let mut sum = 0;
        for count in &mut counts {
            self.starts.push(sum);
            sum += std::mem::replace(count, sum);
        }
        self.starts.push(sum);
        self.items.clear();
        self.items.resize(sum as usize, Item::default());
        for word in &words.0 {
            let (rest, (pairs, scores)) = buckets(word);
            for (&bucket, &score) in pairs.iter().zip(scores) {
                let next = &mut counts[usize::from(bucket)];
                self.items[*next as usize] =
                    Item { position: word.position, key: word.key, least: (rest - i32::from(score)) as i16 };
                *next += 1;
            }
        }
    }

    /// For each query position in a bucket the keys of its similar seeds.
    pub(super) fn keys<'a>(
        &'a self,
        bucket: usize,
        similar: &'a SimilarPairs,
    ) -> impl Iterator<Item = &'a [u16]> {
        let items = &self.items[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
        items.iter().map(|item| similar.of(item.key, i32::from(item.least)).0)
    }

    /// Whether a bucket has no seed at all.
    pub(super) fn is_empty(&self, bucket: usize) -> bool {
        self.starts[bucket] == self.starts[bucket + 1]
    }

    /// Sorts the similar seeds of a bucket by key into `sorted`.
    pub(super) fn expand(&self, bucket: usize, similar: &SimilarPairs, sorted: &mut Sorted) {
        let Sorted { keys, unsorted, .. } = sorted;
        let mut end = 0;
        for item in &self.items[self.starts[bucket] as usize..self.starts[bucket + 1] as usize] {
            let (list, count) = similar.list(item.key, i32::from(item.least));
            if keys.len() < end + PAIRS + STEP {
                let room = 2 * keys.len() + PAIRS + STEP;
                keys.resize(room, 0);
                unsorted.resize(room, 0);
            }
            // Whole steps, whatever the number: a loop of unforeseeable length costs more.
            for start in (0..count).step_by(STEP) {
                let to = &mut keys[end + start..end + start + STEP];
                to.copy_from_slice(&list[start..start + STEP]);
                unsorted[end + start..end + start + STEP].fill(item.position);
            }
            end += count;
        }
        sorted.sort(end);
    }
}

/// Positions sorted by key.
#[derive(Debug)]
pub(super) struct Sorted {
    keys: Vec<u16>,
    unsorted: Vec<u32>,
    positions: Vec<u32>,
    starts: [u32; PAIRS + 1],
}

impl Default for Sorted {
    fn default() -> Self {
        Self { keys: Vec::new(), unsorted: Vec::new(), positions: Vec::new(), starts: [0; PAIRS + 1] }
    }
}

impl Sorted {
    /// Sorts positions with keys that an iterator gives twice.
    pub(super) fn fill(&mut self, entries: impl Iterator<Item = (u16, u32)>) {
        self.keys.clear();
        self.unsorted.clear();
        for (key, position) in entries {
            self.keys.push(key);
            self.unsorted.push(position);
        }
        self.sort(self.keys.len());
    }

    /// Sorts the first `count` positions by their keys.
    fn sort(&mut self, count: usize) {
        let mut next = [0_u32; PAIRS];
        for &key in &self.keys[..count] {
            next[usize::from(key)] += 1;
        }
        let mut sum = 0;
        for (start, next) in self.starts.iter_mut().zip(&mut next) {
            *start = sum;
            sum += std::mem::replace(next, sum);
        }
        self.starts[PAIRS] = sum;
        if self.positions.len() < count {
            self.positions.resize(count, 0);
        }
        for (&key, &position) in self.keys[..count].iter().zip(&self.unsorted[..count]) {
            let next = &mut next[usize::from(key)];
            self.positions[*next as usize] = position;
            *next += 1;
        }
    }

    /// All positions.
    pub(super) fn all(&self) -> &[u32] {
        &self.positions[..self.starts[PAIRS] as usize]
    }

    /// Where in these the positions of a key start.
    pub(super) fn start(&self, key: usize) -> usize {
        self.starts[key] as usize
    }

    /// The positions of a key.
    pub(super) fn of(&self, key: usize) -> &[u32] {
        &self.positions[self.starts[key] as usize..self.starts[key + 1] as usize]
    }
}
