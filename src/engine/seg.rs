//! SEG: finds the parts of a protein that use few letters (Wootton & Federhen, Computers &
//! Chemistry 17:149, 1993), as NCBI's toolkit does (`core/blast_seg.c`).
//!
//! A window whose entropy is low triggers; it grows while its neighbours' entropy is not high, and
//! the grown stretch is trimmed to the sub-sequence that is least probable by chance. What is left
//! of a trimmed stretch is searched again.

use std::f64::consts::LN_2;
use std::ops::Range;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::scoring::STANDARD;
use crate::sequence::alphabet::{ALPHABET_SIZE, X, encode};

/// Residues that trimming removes at most.
const LARGEST_TRIM: usize = 50;
/// Letters outside the standard twenty that a window may hold and still have an entropy.
const LARGEST_BOGUS: usize = 2;
/// ln 20 as the toolkit writes it.
const LN_20: f64 = 2.995_732_273_553_991;
/// ln(k / 10) for k from 0 to 10, with the few digits (and the slip at 3) of NCBI's table.
#[expect(clippy::approx_constant, reason = "the table's own digits decide residues")]
const LN_TENTHS: [f64; 11] = [
    0.0,
    -2.302_585_09,
    -1.609_437_91,
    -1.203_982_804,
    -0.916_290_73,
    -0.693_147_8,
    -0.510_825_623,
    -0.356_674_944,
    -0.223_143_55,
    -0.105_360_515,
    0.0,
];
/// Factorials up to this come from a table of six decimals, larger ones from Stirling's formula.
const LARGEST_TABLED: usize = 10_000;

/// More than the error of a logarithm of a probability whose terms have been added in another order.
const ROUNDING: f64 = 1e-6;

/// A letter outside the standard twenty.
const BOGUS: u8 = u8::MAX;

/// For each residue code its place among the standard letters, or [`BOGUS`].
static PLACES: LazyLock<[u8; ALPHABET_SIZE]> = LazyLock::new(|| {
    let mut places = [BOGUS; ALPHABET_SIZE];
    for (place, code) in STANDARD.iter().filter_map(|&letter| encode(letter)).enumerate() {
        places[code as usize] = place as u8;
    }
    places
});

/// ln n! for the tabled n.
static LN_FACTORIALS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    (0..=LARGEST_TABLED).map(|n| libm::round(libm::lgamma((n + 1) as f64) * 1e6) / 1e6).collect()
});

fn ln_factorial(n: usize) -> f64 {
    LN_FACTORIALS.get(n).copied().unwrap_or_else(|| {
        let n = n as f64;
        (n + 0.5) * libm::log(n) - n + 0.918_938_533_2
    })
}

/// A SEG filter with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seg {
    /// Residues of a window, from 1.
    pub window: usize,
    /// Windows with at most this entropy trigger, bits.
    pub low: f64,
    /// Windows with at most this entropy extend, bits.
    pub high: f64,
}

impl Seg {
    /// The filter of subjects whose composition is taken (`core/blast_kappa.c`).
    pub const SUBJECT: Self = Self { window: 10, low: 1.8, high: 2.1 };
    /// The filter of queries (`-seg yes`).
    pub const QUERY: Self = Self { window: 12, low: 2.2, high: 2.5 };

    /// The stretches of low complexity of a sequence of residue codes, from left to right, without
    /// overlaps.
    pub fn find(&self, residues: &[u8]) -> Vec<Range<usize>> {
        if self.window == 0 {
            return Vec::new();
        }
        let places: Vec<u8> = residues.iter().map(|&code| PLACES[code as usize]).collect();
        let mut segments = Vec::new();
        self.search(&places, 0..places.len(), &mut segments);
        merged(&segments)
    }

    /// Replaces the stretches of low complexity by X; whether there were any.
    pub fn mask(&self, residues: &mut [u8]) -> bool {
        let segments = self.find(residues);
        for segment in &segments {
            residues[segment.clone()].fill(X);
        }
        !segments.is_empty()
    }

    /// Appends the segments of a part, from left to right.
    fn search(&self, places: &[u8], part: Range<usize>, segments: &mut Vec<Range<usize>>) {
        let Some(levels) = self.levels(&places[part.clone()]) else { return };
        // The entropy of a window stands at its centre.
        let before = self.window.div_ceil(2) - 1;
        let after = self.window - before;
        let length = part.len();
        let at = |centre: usize| levels[centre - before];

        let (mut leftmost, last) = (before, length - after);
        let mut centre = before;
        while centre <= last {
            if at(centre).triggers {
                let mut left = centre;
                while left > leftmost && at(left - 1).extends {
                    left -= 1;
                }
                let mut right = centre;
                while right < last && at(right + 1).extends {
                    right += 1;
                }
                let grown = left - before..right + after;
                let kept = trimmed(&places[part.start + grown.start..part.start + grown.end]);
                let (start, end) = (grown.start + kept.start, grown.start + kept.end);
                if centre + after <= start {
                    self.search(places, part.start + grown.start..part.start + start, segments);
                }
                segments.push(part.start + start..part.start + end);
                centre = right.min(end - 1 + before);
                leftmost = centre + 1;
            }
            centre += 1;
        }
    }

    /// What the entropy of each window says; nothing at all if there is no window that triggers.
    fn levels(&self, places: &[u8]) -> Option<Vec<Level>> {
        if places.len() < self.window {
            return None;
        }
        let glance = (*self == Self::SUBJECT).then(|| &*SUBJECT_GLANCE);
        if glance.is_some_and(|glance| glance.rules_out(places)) {
            return None;
        }
        let level = |state: &State| {
            let told = glance.and_then(|glance| glance.level(state));
            told.unwrap_or_else(|| self.level(self.entropy(state)))
        };
        let mut state = State::new(&places[..self.window]);
        let mut levels = Vec::with_capacity(places.len() - self.window + 1);
        levels.push(level(&state));
        for (&old, &new) in places.iter().zip(&places[self.window..]) {
            state.remove(old);
            state.add(new);
            levels.push(level(&state));
        }
        levels.iter().any(|level| level.triggers).then_some(levels)
    }

    /// What an entropy says; a window of too many bogus letters has none.
    fn level(&self, entropy: Option<f64>) -> Level {
        let up_to = |limit| entropy.is_some_and(|entropy| entropy <= limit);
        Level { triggers: up_to(self.low), extends: up_to(self.high) }
    }

    fn entropy(&self, state: &State) -> Option<f64> {
        let total = state.total;
        if self.window - total > LARGEST_BOGUS {
            return None;
        }
        let sum = state.sum_descending(|count| {
            let ln = if total == LN_TENTHS.len() - 1 {
                LN_TENTHS[count]
            } else {
                libm::log(count as f64 / total as f64)
            };
            count as f64 * ln / LN_2
        });
        Some(if total == 0 { 0.0 } else { (sum / total as f64).abs() })
    }
}

/// What the entropy of a window says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    /// It is low enough to start a segment.
    triggers: bool,
    /// It is low enough to be part of one.
    extends: bool,
}

/// The quick looks for [`Seg::SUBJECT`], which is applied to every subject that is aligned.
static SUBJECT_GLANCE: LazyLock<Glance> = LazyLock::new(|| Glance::new(&Seg::SUBJECT));

/// Quick looks at windows, which tell their levels by nothing but the sum of the squares of how often
/// each letter occurs.
#[derive(Debug)]
struct Glance {
    window: usize,
    /// By sum of squares: what the entropies of windows of standard letters say, if all the same.
    levels: Vec<Option<Level>>,
}

impl Glance {
    fn new(seg: &Seg) -> Self {
        let mut found: Vec<Vec<Level>> = vec![Vec::new(); seg.window * seg.window + 1];
        for_each_partition(seg.window, &mut |counts| {
            let letters: Vec<u8> = (0..).zip(counts).flat_map(|(place, &n)| vec![place; n]).collect();
            let state = State::new(&letters);
            found[state.squares].push(seg.level(seg.entropy(&state)));
        });
        let same = |levels: &Vec<Level>| levels.iter().all(|level| *level == levels[0]);
        let levels = found.iter().map(|levels| levels.first().copied().filter(|_| same(levels))).collect();
        Self { window: seg.window, levels }
    }

    /// The level of a window, if that can be told.
    #[inline]
    fn level(&self, state: &State) -> Option<Level> {
        if state.total == self.window { self.levels[state.squares] } else { None }
    }

    /// Whether no window of a sequence triggers, as is nearly always so; `false` also if that cannot be
    /// told.
    fn rules_out(&self, places: &[u8]) -> bool {
        let may_trigger = |squares: usize| self.levels[squares].is_none_or(|level| level.triggers);
        let mut counts = [0_usize; 32];
        let (window, later) = places.split_at(self.window.min(places.len()));
        for &place in window {
            counts[usize::from(place % 32)] += 1;
        }
        let mut squares: usize = counts.iter().map(|count| count * count).sum();
        let mut may = may_trigger(squares) | places.contains(&BOGUS);
        for (&old, &new) in places.iter().zip(later) {
            let count = &mut counts[usize::from(old % 32)];
            *count -= 1;
            squares -= 2 * *count + 1;
            let count = &mut counts[usize::from(new % 32)];
            squares += 2 * *count + 1;
            *count += 1;
            may |= may_trigger(squares);
        }
        !may
    }
}

/// Calls `each` with every way to split a number among the standard letters, counts falling.
fn for_each_partition(total: usize, each: &mut impl FnMut(&[usize])) {
    fn descend(rest: usize, largest: usize, counts: &mut Vec<usize>, each: &mut impl FnMut(&[usize])) {
        if rest == 0 {
            return each(counts);
        }
        if counts.len() < STANDARD.len() {
            for count in 1..=rest.min(largest) {
                counts.push(count);
                descend(rest - count, count, counts, each);
                counts.pop();
            }
        }
    }
    descend(total, total, &mut Vec::new(), each);
}

/// The least probable sub-sequence of a stretch; of equals the longest, then the first.
fn trimmed(places: &[u8]) -> Range<usize> {
    let length = places.len();
    let shortest = length.saturating_sub(LARGEST_TRIM).max(1);
    let (mut lowest, mut best) = (1.0, 0..length);
    for size in (shortest + 1..=length).rev() {
        let mut state = State::new(&places[..size]);
        // About what lowers the probability; kept up to date with little work.
        let mut spread = state.spread();
        let size_alone = ln_factorial(STANDARD.len()) + ln_factorial(size) - size as f64 * LN_20;
        for start in 0..=length - size {
            if start > 0 {
                let (old, new) = (places[start - 1], places[start + size - 1]);
                if old != new {
                    spread += state.removed_spread(old);
                    state.remove(old);
                    spread += state.added_spread(new);
                    state.add(new);
                }
            }
            if size_alone - spread > lowest + ROUNDING && state.total > 0 {
                continue;
            }
            let probability = state.ln_probability(size);
            if probability < lowest {
                lowest = probability;
                best = start..start + size;
            }
        }
    }
    best
}

/// Joins segments that overlap; those that only touch stay apart.
fn merged(segments: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(segments.len());
    for segment in segments.iter().rev() {
        match merged.last_mut() {
            Some(next) if next.start < segment.end => {
                next.start = next.start.min(segment.start);
                next.end = next.end.max(segment.end);
            }
            _ => merged.push(segment.clone()),
        }
    }
    merged.reverse();
    merged
}

/// How often the standard letters occur in a window.
#[derive(Debug)]
struct State {
    counts: [usize; STANDARD.len()],
    /// How many letters occur how often.
    letters_with: Vec<usize>,
    /// Number of standard letters.
    total: usize,
    /// Sum of the squares of the counts.
    squares: usize,
}

impl State {
    fn new(places: &[u8]) -> Self {
        let mut letters_with = vec![0; places.len() + 1];
        letters_with[0] = STANDARD.len();
        let mut state = Self { counts: [0; STANDARD.len()], letters_with, total: 0, squares: 0 };
        for &place in places {
            state.add(place);
        }
        state
    }

    fn add(&mut self, place: u8) {
        if let Some(count) = self.counts.get_mut(usize::from(place)) {
            self.letters_with[*count] -= 1;
            self.squares += 2 * *count + 1;
            *count += 1;
            self.letters_with[*count] += 1;
            self.total += 1;
        }
    }

    fn remove(&mut self, place: u8) {
        if let Some(count) = self.counts.get_mut(usize::from(place)) {
            self.letters_with[*count] -= 1;
            *count -= 1;
            self.squares -= 2 * *count + 1;
            self.letters_with[*count] += 1;
            self.total -= 1;
        }
    }

    /// The counts above 0 with the number of letters that have them, largest first.
    fn descending(&self) -> impl Iterator<Item = (usize, usize)> {
        let largest = self.counts.iter().copied().max().unwrap_or(0);
        let groups = self.letters_with[..=largest].iter().copied().enumerate().skip(1).rev();
        groups.filter(|&(_, letters)| letters > 0)
    }

    /// Sums a term per letter that occurs, by falling count.
    fn sum_descending(&self, term: impl Fn(usize) -> f64) -> f64 {
        let mut sum = 0.0;
        for (count, letters) in self.descending() {
            let term = term(count);
            for _ in 0..letters {
                sum += term;
            }
        }
        sum
    }

    /// What compositions and sequences like this one make of the logarithm of the probability, if
    /// there is a letter.
    fn spread(&self) -> f64 {
        let of_letters: f64 = self.counts.iter().map(|&count| ln_factorial(count)).sum();
        of_letters + self.letters_with.iter().map(|&letters| ln_factorial(letters)).sum::<f64>()
    }

    /// How [`add`](Self::add) changes the spread.
    fn added_spread(&self, place: u8) -> f64 {
        self.counts.get(usize::from(place)).map_or(0.0, |&count| self.moved_spread(count, count + 1))
    }

    /// How [`remove`](Self::remove) changes the spread.
    fn removed_spread(&self, place: u8) -> f64 {
        self.counts.get(usize::from(place)).map_or(0.0, |&count| self.moved_spread(count, count - 1))
    }

    fn moved_spread(&self, from: usize, to: usize) -> f64 {
        let (old, new) = (self.letters_with[from], self.letters_with[to]);
        let letters = ln_factorial(old - 1) - ln_factorial(old) + ln_factorial(new + 1) - ln_factorial(new);
        letters + ln_factorial(to) - ln_factorial(from)
    }

    /// Logarithm of the probability that `size` random letters have a composition like this one.
    fn ln_probability(&self, size: usize) -> f64 {
        let letters = STANDARD.len();
        let mut compositions = ln_factorial(letters);
        let mut sequences = ln_factorial(size);
        let mut absent = letters;
        for (count, with_count) in self.descending() {
            compositions -= ln_factorial(with_count);
            absent -= with_count;
            for _ in 0..with_count {
                sequences -= ln_factorial(count);
            }
        }
        if absent > 0 && absent < letters {
            compositions -= ln_factorial(absent);
        }
        compositions + sequences - size as f64 * LN_20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(filter: Seg, text: &str) -> Vec<(usize, usize)> {
        let codes: Vec<u8> = text.bytes().map(|letter| encode(letter).expect("a letter")).collect();
        filter.find(&codes).into_iter().map(|segment| (segment.start, segment.end)).collect()
    }

    const SERINES: &str = "MKVLAAGICWHTREQNDYPFMSSSSSSSSSSSSSSMKVLAAGICWHTREQNDYPF";
    const TWO: &str = "MKQNDEYFGAAAAAAAAAPPPPPPPPAAAAAPLKRTEEDEEDEEEDEDEEDWHICMNQTVYK";
    const AMBIGUOUS: &str = "MSTAAAXXXAAASTAAABZAAAASTGHIKLMNPQRW";

    #[test]
    fn stretches_of_few_letters_are_found_and_trimmed() {
        for filter in [Seg::SUBJECT, Seg::QUERY] {
            assert_eq!(found(filter, SERINES), [(21, 35)]);
            assert_eq!(found(filter, TWO), [(9, 32), (36, 51)]);
            assert!(found(filter, "ACDEFGHIKLMNPQRSTVWY").is_empty());
        }
    }

    #[test]
    fn a_window_with_three_letters_outside_the_standard_twenty_has_no_entropy() {
        assert_eq!(found(Seg::SUBJECT, AMBIGUOUS), [(7, 25)]);
        assert_eq!(found(Seg::QUERY, AMBIGUOUS), [(9, 25)]);
    }

    #[test]
    fn a_sequence_shorter_than_a_window_is_not_searched() {
        assert!(found(Seg::SUBJECT, "AAAAAAAAA").is_empty());
        assert_eq!(found(Seg::SUBJECT, "AAAAAAAAAA"), [(0, 10)]);
        assert!(found(Seg::QUERY, "AAAAAAAAAA").is_empty());
        assert!(found(Seg::SUBJECT, "").is_empty());
    }

    /// The entropy of ten residues by NCBI's table: with the true ln 0.3 it would be about 1e-5 less.
    #[test]
    fn ten_residues_take_their_logarithms_from_the_table_with_the_slip() {
        let entropy = |places: &[u8]| Seg::SUBJECT.entropy(&State::new(places)).expect("an entropy");
        let three = entropy(&[0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
        let expected = (3.0 * 3.0 * 1.203_982_804 - LN_TENTHS[1]) / LN_2 / 10.0;
        assert!((three - expected).abs() < 1e-12, "{three}");
        let exact = -(0.9 * f64::ln(0.3) + 0.1 * f64::ln(0.1)) / LN_2;
        assert!((three - exact - 0.9e-5 / LN_2).abs() < 1e-7, "{three} {exact}");
        // With a letter outside the twenty, nine residues are left, and their logarithms are exact.
        let nine = entropy(&[0, 0, 0, 1, 1, 1, 2, 2, 2, BOGUS]);
        assert!((nine - f64::log2(3.0)).abs() < 1e-12, "{nine}");
    }

    /// Random letters of few or many kinds, some of them bogus.
    fn letters(number: usize, state: &mut u32) -> Vec<u8> {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let kinds = [20, 20, 6, 2][*state as usize >> 8 & 3];
        let next = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if *state >> 24 == 0 { BOGUS } else { (*state >> 16) as u8 % kinds }
        };
        (0..number).map(|_| next(state)).collect()
    }

    #[test]
    fn a_glance_tells_the_levels_of_the_entropies() {
        let (seg, mut state, mut ruled_out) = (Seg::SUBJECT, 1, 0);
        for _ in 0..5_000 {
            let places = letters(20, &mut state);
            let mut triggers = false;
            for state in places.windows(seg.window).map(State::new) {
                let level = seg.level(seg.entropy(&state));
                assert!(SUBJECT_GLANCE.level(&state).is_none_or(|told| told == level), "{places:?}");
                triggers |= level.triggers;
            }
            let is_ruled_out = SUBJECT_GLANCE.rules_out(&places);
            assert!(!(is_ruled_out && triggers), "{places:?}");
            ruled_out += u32::from(is_ruled_out);
        }
        assert!(ruled_out > 1_000, "{ruled_out}");
    }

    #[test]
    fn a_stretch_is_trimmed_to_the_least_probable_of_all_its_parts() {
        let mut state = 1;
        for length in (1..90).cycle().take(300) {
            let places = letters(length, &mut state);
            let (mut lowest, mut best) = (1.0, 0..length);
            for size in (length.saturating_sub(LARGEST_TRIM).max(1) + 1..=length).rev() {
                for start in 0..=length - size {
                    let probability = State::new(&places[start..start + size]).ln_probability(size);
                    if probability < lowest {
                        (lowest, best) = (probability, start..start + size);
                    }
                }
            }
            assert_eq!(trimmed(&places), best, "{places:?}");
        }
    }

    #[test]
    fn masking_puts_x_for_what_was_found() {
        let mut codes: Vec<u8> = SERINES.bytes().filter_map(encode).collect();
        let before = codes.clone();
        assert!(Seg::SUBJECT.mask(&mut codes));
        assert!(codes[21..35].iter().all(|&code| code == X));
        assert_eq!((&codes[..21], &codes[35..]), (&before[..21], &before[35..]));
        assert!(!Seg::SUBJECT.mask(&mut codes), "nothing is left to mask");
    }
}
