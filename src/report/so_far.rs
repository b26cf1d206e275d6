//! Which queries a report is on that is made before its search has ended.

use std::fmt;
use std::ops::Range;

/// Ranges that are named one by one.
const NAMED: usize = 32;

/// The queries of a search that have been searched in the whole database so far, or in what of it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoFar {
    /// Their places in the report, from 1; ascending, apart from each other.
    places: Vec<Range<u64>>,
    /// Number of queries of the search.
    of: u64,
}

impl SoFar {
    /// The queries in these places, which ascend, of a search of `of` queries; `None` if there are none.
    pub fn new(ranges: impl IntoIterator<Item = Range<u64>>, of: u64) -> Option<Self> {
        let mut places: Vec<Range<u64>> = Vec::new();
        for range in ranges.into_iter().filter(|range| !range.is_empty()) {
            match places.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => places.push(range),
            }
        }
        (!places.is_empty()).then_some(Self { places, of })
    }

    /// How many they are.
    pub fn queries(&self) -> u64 {
        self.places.iter().map(|range| range.end - range.start).sum()
    }

    /// The place of the first.
    pub(super) fn first_place(&self) -> u64 {
        self.places.first().map_or(1, |first| first.start)
    }

    /// Their places as numbers from 1, as in `1-40,81-120`; `...` stands for those beyond the first 32 ranges.
    pub fn places(&self) -> String {
        let range = |range: &Range<u64>| match range.end - range.start {
            1 => range.start.to_string(),
            _ => format!("{}-{}", range.start, range.end - 1),
        };
        let mut named: Vec<String> = self.places.iter().take(NAMED).map(range).collect();
        named.extend((self.places.len() > NAMED).then(|| "...".to_owned()));
        named.join(",")
    }
}

impl fmt::Display for SoFar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} queries ({})", self.queries(), self.of, self.places())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_places_are_one_range() {
        let so_far = SoFar::new([1..3, 3..4, 6..7, 7..7, 9..12], 20).expect("some");
        assert_eq!(so_far.to_string(), "7 of 20 queries (1-3,6,9-11)");
        assert_eq!((so_far.first_place(), SoFar::new([5..5, 7..7], 20)), (1, None));
        let many = SoFar::new((1..100).map(|place| 2 * place..2 * place + 1), 200).expect("some");
        assert!(many.places().ends_with(",64,..."), "{many}");
    }
}
