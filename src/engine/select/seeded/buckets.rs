//! Subject positions, sorted by the seeds that start there.
//!
//! The first letter of a seed is its slice, the second and third are its bucket in the slice, the fourth and
//! fifth its key in the bucket. One slice at a time is sorted into buckets, so that memory stays small.

use super::few::FewEntry;
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

/// The seeds of the letters.
#[derive(Debug)]
pub(super) enum Census {
    /// How many of them lie in each bucket of each slice.
    All(Vec<[u32; PAIRS]>),
    /// Those of each slice that matter.
    Few(Vec<Vec<FewEntry>>),
}

/// The bucket and the key of the seed at a position whose first letter is known to be standard; `None` if another
/// is not.
#[inline(always)]
pub(super) fn bucket_and_key(
    letters: &[u8],
    position: usize,
    pattern: &[usize; WEIGHT],
) -> Option<(u16, u16)> {
    let standard = standard();
    let at = |place: usize| u16::from(standard[usize::from(letters[position + pattern[place]])]);
    let (second, third, fourth, fifth) = (at(1), at(2), at(3), at(4));
    let all_standard = second.max(third).max(fourth).max(fifth) != u16::from(NONE);
    let pair = |a: u16, b: u16| a * LETTERS as u16 + b;
    all_standard.then(|| (pair(second, third), pair(fourth, fifth)))
}

impl Census {
    /// Counts all of them.
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
        Self::All(counts)
    }

    /// Seeds of a slice.
    pub(super) fn slice(&self, slice: usize) -> u64 {
        match self {
            Self::All(counts) => counts[slice].iter().map(|&count| u64::from(count)).sum(),
            Self::Few(entries) => entries[slice].len() as u64,
        }
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
        match census {
            Census::All(counts) => {
                let (all, seeds) = (letters.all(), letters.seeds());
                let found =
                    memchr::memchr_iter(of_standard(slice), &all[seeds.clone()]).filter_map(|place| {
                        let position = seeds.start + place;
                        let (bucket, key) = bucket_and_key(all, position, pattern)?;
                        Some((bucket, Entry { position: position as u32, key }))
                    });
                self.sort(&counts[slice], found);
            }
            Census::Few(entries) => {
                let mut counts = [0; PAIRS];
                entries[slice].iter().for_each(|entry| counts[usize::from(entry.bucket)] += 1);
                let found = entries[slice].iter();
                let found =
                    found.map(|&FewEntry { position, bucket, key }| (bucket, Entry { position, key }));
                self.sort(&counts, found);
            }
        }
    }

    /// Sorts entries, so many for each bucket.
    fn sort(&mut self, counts: &[u32; PAIRS], entries: impl Iterator<Item = (u16, Entry)>) {
        self.starts.clear();
        let mut sum = 0;
        for count in counts {
            self.starts.push(sum);
            sum += count;
        }
        self.starts.push(sum);
        self.entries.clear();
        self.entries.resize(sum as usize, Entry::default());
        let mut next = self.starts.clone();
        for (bucket, entry) in entries {
            let next = &mut next[usize::from(bucket)];
            self.entries[*next as usize] = entry;
            *next += 1;
        }
    }

    /// The seeds of a bucket.
    pub(super) fn bucket(&self, bucket: usize) -> &[Entry] {
        &self.entries[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }
}
