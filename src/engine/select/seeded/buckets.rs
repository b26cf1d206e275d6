//! Subject positions, sorted by the seeds that start there.
//!
//! The first letter of a seed is its slice, the second and third are its bucket in the slice, the fourth and
//! fifth its key in the bucket. One slice at a time is sorted into buckets, so that memory stays small.

use super::letters::{Letters, NONE, of_standard, standard};
use super::sensitivity::WEIGHT;
use super::similar::{LETTERS, PAIRS};

/// A position of a slice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// Where the seed starts.
    pub(super) position: u32,
    /// Its fourth and fifth letters.
    pub(super) key: u16,
}

/// How many seeds of the letters lie in each bucket of each slice.
#[derive(Debug)]
pub(super) struct Census(Vec<[u32; PAIRS]>);

/// The bucket and the key of the seed at a position whose first letter is known to be standard; `None` if another
/// is not.
#[inline]
fn bucket_and_key(letters: &[u8], position: usize, pattern: &[usize; WEIGHT]) -> Option<(u16, u16)> {
    let standard = standard();
    let at = |place: usize| u16::from(standard[usize::from(letters[position + pattern[place]])]);
    let (second, third, fourth, fifth) = (at(1), at(2), at(3), at(4));
    let all_standard = second.max(third).max(fourth).max(fifth) != u16::from(NONE);
    let pair = |a: u16, b: u16| a * LETTERS as u16 + b;
    all_standard.then(|| (pair(second, third), pair(fourth, fifth)))
}

impl Census {
    pub(super) fn new(letters: &Letters, pattern: &[usize; WEIGHT]) -> Self {
        let mut counts = vec![[0; PAIRS]; LETTERS];
        let (all, standard) = (letters.all(), standard());
        for position in letters.seeds() {
            let first = standard[usize::from(all[position])];
            if let Some(counts) = counts.get_mut(usize::from(first))
                && let Some((bucket, _)) = bucket_and_key(all, position, pattern)
            {
                counts[usize::from(bucket)] += 1;
            }
        }
        Self(counts)
    }

    /// Seeds of a slice.
    pub(super) fn slice(&self, slice: usize) -> u64 {
        self.0[slice].iter().map(|&count| u64::from(count)).sum()
    }
}

/// The seeds of one slice by bucket.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    entries: Vec<Entry>,
    starts: Vec<u32>,
}

impl Buckets {
    /// Sorts the seeds of a slice.
    pub(super) fn fill(
        &mut self,
        letters: &Letters,
        pattern: &[usize; WEIGHT],
        census: &Census,
        slice: usize,
    ) {
        self.starts.clear();
        let mut sum = 0;
        for count in census.0[slice] {
            self.starts.push(sum);
            sum += count;
        }
        self.starts.push(sum);
        self.entries.clear();
        self.entries.resize(sum as usize, Entry::default());
        let mut next = self.starts.clone();
        let (all, seeds) = (letters.all(), letters.seeds());
        for place in memchr::memchr_iter(of_standard(slice), &all[seeds.clone()]) {
            let position = seeds.start + place;
            if let Some((bucket, key)) = bucket_and_key(all, position, pattern) {
                let next = &mut next[usize::from(bucket)];
                self.entries[*next as usize] = Entry { position: position as u32, key };
                *next += 1;
            }
        }
    }

    /// The seeds of a bucket.
    pub(super) fn bucket(&self, bucket: usize) -> &[Entry] {
        &self.entries[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }
}
