//! Two word hits on a diagonal, not overlapping and within the window, start an extension.
//!
//! Source: `core/aa_ungapped.c` (`s_BlastAaWordFinder_TwoHit`). A processor cannot foresee which hits
//! are seconds, nor how far extensions go, so that neither is asked where it would have to guess:
//! the words of a subject are done in blocks; the hits of a block are gathered, then compared with
//! the diagonals in one loop without a branch, then the second ones among them are extended
//! together. Until then their diagonals read as if no extension had covered them. That is put
//! right afterwards: an extension that ends within the block has the rest of its diagonal done anew
//! ([`Block::go_over`]), and one that goes on makes the later hits void.

use std::hint::select_unpredictable;
use std::ops::Range;

use super::ungapped::Scan;
use super::words::{PIECE, Position, WordLists};
use crate::engine::kernel::{Outcome, SecondHit, prefetch};

/// Subject words of a block.
const BLOCK: usize = 8;

/// A subject word that hits something: its position, and where its list of query positions lies.
pub(in crate::engine) type HittingWord = (u32, Range<u32>);

/// Reusable working memory of a scan.
#[derive(Debug, Default)]
pub(in crate::engine) struct Workspace<I> {
    /// Diagonals of the hits of a block.
    cells: Vec<I>,
    /// Query positions of the hits of a block.
    queries: Vec<I>,
    /// Places among these of what may be second hits, and twice their distances to the first.
    candidates: Vec<(u32, i32)>,
    seconds: Vec<SecondHit>,
    outcomes: Vec<Outcome>,
}

/// When a hit is the second on its diagonal; distances are doubled, as in the cells.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Distance from which hits do not overlap.
    near: i32,
    /// How much further away the first may be.
    span: u32,
    /// Residues of `near`.
    apart: u32,
    /// Bias of query positions in cells.
    offset: u32,
}

impl Rule {
    /// The cell of a diagonal whose last hit is at a query position.
    #[inline]
    fn hit(&self, query_at: u32) -> i32 {
        ((query_at + self.offset) << 1) as i32
    }

    /// The cell of a diagonal that is covered up to a query position.
    #[inline]
    fn covered(&self, query_at: u32) -> i32 {
        (query_at.wrapping_add(self.offset - self.apart) << 1) as i32 - 1
    }

    /// Enters a hit into its cell. Returns its doubled distance to the last one, or to the end of an
    /// extension if that is odd.
    #[inline]
    fn enter(&self, cell: &mut i32, here: i32) -> i32 {
        let distance = here - *cell;
        *cell = if distance >= self.near { here } else { *cell };
        distance
    }

    /// Whether a doubled distance may be that of a second hit.
    #[inline]
    fn is_second(&self, distance: i32) -> bool {
        (distance.wrapping_sub(self.near) as u32) < self.span
    }
}

/// Scans a subject with these hitting words.
pub(in crate::engine) fn scan<P: Position, I: Position>(
    scan: &mut Scan<'_>,
    lists: &WordLists<P>,
    words: &[HittingWord],
    (window, offset): (u32, u32),
    cells: &mut [i32],
    workspace: &mut Workspace<I>,
) {
    let apart = window.min(scan.size as u32);
    let rule = Rule { near: (apart << 1) as i32, span: (window - apart) << 1, apart, offset };
    let mut later = words.iter().skip(BLOCK);
    for words in words.chunks(BLOCK) {
        for (_, range) in later.by_ref().take(BLOCK) {
            prefetch(lists.positions(range));
        }
        let hits = workspace.gather(lists, words, scan.subject.len() as u32);
        let found = workspace.find_seconds(hits, rule, cells);
        workspace.choose(found, scan.subject.len() as u32);
        let Workspace { cells: hit_cells, queries, seconds, outcomes, .. } = workspace;
        if !seconds.is_empty() {
            scan.extend(seconds, outcomes);
            let end = words.last().map_or(0, |&(subject_at, _)| subject_at + 1);
            Block { rule, hit_cells: &hit_cells[..hits], hit_queries: &queries[..hits], end }
                .settle(scan, seconds, outcomes, cells);
        }
    }
}

impl<I: Position> Workspace<I> {
    /// Puts the hits of all words in a row. Returns their number.
    fn gather<P: Position>(&mut self, lists: &WordLists<P>, words: &[HittingWord], subject: u32) -> usize {
        let room = BLOCK * lists.longest() + PIECE;
        if self.cells.len() < room {
            self.cells.resize(room, I::default());
            self.queries.resize(room, I::default());
            self.candidates.resize(room, (0, 0));
        }
        let mut end = 0;
        for (subject_at, range) in words {
            let first = I::new(subject - subject_at);
            // Whole pieces, whatever the list's length: a loop of unforeseeable length costs more.
            for start in range.clone().step_by(PIECE) {
                let piece = lists.piece(start);
                let Some(cells) = self.cells[end..].first_chunk_mut::<PIECE>() else {
                    break;
                };
                let Some(queries) = self.queries[end..].first_chunk_mut::<PIECE>() else {
                    break;
                };
                copy_piece(piece, first, cells, queries);
                end += PIECE.min((range.end - start) as usize);
            }
        }
        end
    }

    /// Enters the first hits into their cells. Returns how many of them may be second hits.
    #[inline(never)]
    fn find_seconds(&mut self, hits: usize, rule: Rule, cells: &mut [i32]) -> usize {
        let candidates = &mut self.candidates[..=hits];
        let mut found = 0;
        let Rule { near, span, offset, .. } = rule;
        let offset = (offset << 1) as i32;
        for (place, (cell, query)) in self.cells[..hits].iter().zip(&self.queries[..hits]).enumerate() {
            let cell = &mut cells[cell.index()];
            let here = (query.index() << 1) as i32 + offset;
            let distance = here - *cell;
            *cell = if distance >= near { here } else { *cell };
            candidates[found] = (place as u32, distance);
            found += usize::from((distance.wrapping_sub(near) as u32) < span);
        }
        found
    }

    /// Chooses what is to be extended.
    fn choose(&mut self, found: usize, subject: u32) {
        self.seconds.clear();
        for &(place, distance) in &self.candidates[..found] {
            // An odd distance is one to the end of an extension.
            if distance & 1 == 0 {
                let query_at = self.queries[place as usize].index() as u32;
                let subject_at = query_at + subject - self.cells[place as usize].index() as u32;
                self.seconds.push(SecondHit { query_at, subject_at, distance: distance as u32 >> 1 });
            }
        }
    }
}

/// Writes a piece of a list as diagonals and as query positions.
#[inline(never)]
fn copy_piece<P: Position, I: Position>(
    piece: &[P; PIECE],
    first: I,
    cells: &mut [I; PIECE],
    queries: &mut [I; PIECE],
) {
    for lane in 0..PIECE {
        let position = I::new(piece[lane].index() as u32);
        queries[lane] = position;
        cells[lane] = position.plus(first);
    }
}

/// A block of words whose hits have been entered into the cells.
struct Block<'a, I> {
    rule: Rule,
    /// Diagonals and query positions of all hits.
    hit_cells: &'a [I],
    hit_queries: &'a [I],
    /// Subject position behind the last word.
    end: u32,
}

impl<I: Position> Block<'_, I> {
    /// Enters what the extensions of second hits have covered.
    fn settle(
        &self,
        scan: &mut Scan<'_>,
        seconds: &[SecondHit],
        outcomes: &mut [Outcome],
        cells: &mut [i32],
    ) {
        for place in 0..seconds.len() {
            let hit = seconds[place];
            let diagonal = hit.query_at as usize + scan.subject.len() - hit.subject_at as usize;
            let cell = &mut cells[diagonal];
            // Hits of this block leave an even number; an earlier one's extension covers this one.
            if *cell & 1 != 0 {
                continue;
            }
            let mut outcome = outcomes[place];
            if outcome == Outcome::UNKNOWN {
                outcome = scan.second_hit(hit).map_or(Outcome::NOTHING, Outcome::covered);
            }
            let covered = outcome.covered_to();
            let covered_query = hit.query_at.wrapping_add(covered).wrapping_sub(hit.subject_at);
            *cell = select_unpredictable(outcome.has_covered(), self.rule.covered(covered_query), *cell);
            // False where nothing is covered.
            if covered < self.end && self.go_over(hit, diagonal, scan, cell) {
                for (other, outcome) in seconds.iter().zip(outcomes.iter_mut()).skip(place + 1) {
                    if other.query_at + hit.subject_at == hit.query_at + other.subject_at {
                        *outcome = Outcome::NOTHING;
                    }
                }
            }
        }
    }

    /// Enters the hits behind a second one anew, one by one, into its cell, which has been set right.
    /// Whether there were any.
    fn go_over(&self, hit: SecondHit, diagonal: usize, scan: &mut Scan<'_>, cell: &mut i32) -> bool {
        let diagonal = I::new(diagonal as u32);
        let mut any = false;
        for (hit_cells, hit_queries) in self.hit_cells.chunks(PIECE).zip(self.hit_queries.chunks(PIECE)) {
            // Hardly ever true, and found out for all at once.
            if !hit_cells.iter().fold(false, |found, &other| found | (other == diagonal)) {
                continue;
            }
            for (&other, &query_at) in hit_cells.iter().zip(hit_queries) {
                let query_at = query_at.index() as u32;
                if other != diagonal || query_at <= hit.query_at {
                    continue;
                }
                any = true;
                let subject_at = hit.subject_at + query_at - hit.query_at;
                let distance = self.rule.enter(cell, self.rule.hit(query_at));
                if self.rule.is_second(distance) && distance & 1 == 0 {
                    let hit = SecondHit { query_at, subject_at, distance: distance as u32 >> 1 };
                    if let Some(covered) = scan.second_hit(hit) {
                        *cell = self.rule.covered(query_at + covered - subject_at);
                    }
                }
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use crate::engine::align::scheme::Scheme;
    use crate::engine::align::ungapped_hsp::UngappedHsp;
    use crate::engine::batch::{Batch, batches};
    use crate::engine::kernel::SecondHit;
    use crate::engine::options::{DatabaseTotals, SearchOptions};
    use crate::engine::query::{QuerySequence, SearchedQuery};
    use crate::engine::select::extension::from_second_hit;
    use crate::engine::select::ungapped::{self, BatchWords, Finder};
    use crate::engine::select::words::{Lists, Neighbourhoods};

    /// What is known of a diagonal.
    #[derive(Clone, Copy)]
    enum Last {
        Hit(u32),
        Covered(u32),
    }

    /// The HSPs of a subject, hit by hit.
    fn one_by_one(
        batch: &Batch,
        words: &BatchWords,
        scheme: &Scheme,
        neighbourhoods: &Neighbourhoods,
        subject: &[u8],
    ) -> Vec<UngappedHsp> {
        let (size, window) = (scheme.options.words.size, scheme.options.words.reach());
        let mut diagonals: HashMap<i64, Last> = HashMap::new();
        let mut found = Vec::new();
        for subject_at in 0..(subject.len() + 1).saturating_sub(size) {
            let Some(word) = neighbourhoods.symbols().pack(&subject[subject_at..subject_at + size]) else {
                continue;
            };
            let Some(range) = words.table.range(word) else {
                continue;
            };
            let positions: Vec<u32> = match words.table.lists() {
                Lists::Short(lists) => lists.positions(&range).iter().map(|&p| u32::from(p)).collect(),
                Lists::Long(lists) => lists.positions(&range).to_vec(),
            };
            for query_at in positions {
                let subject_at = subject_at as u32;
                let diagonal = i64::from(query_at) - i64::from(subject_at);
                let distance = match diagonals.get(&diagonal) {
                    Some(Last::Covered(to)) if subject_at < *to => continue,
                    Some(Last::Hit(at)) if subject_at - at < size as u32 => continue,
                    Some(Last::Hit(at)) if subject_at - at < window => subject_at - at,
                    _ => {
                        diagonals.insert(diagonal, Last::Hit(subject_at));
                        continue;
                    }
                };
                let hit = SecondHit { query_at, subject_at, distance };
                let x = batch.drop_off_at(query_at);
                let extended = from_second_hit((&batch.residues, subject), hit, size, &scheme.matrix, x);
                let last = extended.covered.map_or(Last::Hit(subject_at), Last::Covered);
                diagonals.insert(diagonal, last);
                let (query_place, query) = batch.query_at(query_at);
                let is_one_query = query_at as usize >= query.range.start + distance as usize;
                if is_one_query && extended.score >= query.cutoffs.ungapped {
                    found.push(UngappedHsp {
                        query_place,
                        score: extended.score,
                        query_start: (extended.query_start - query.range.start) as u32,
                        subject_start: extended.subject_start as u32,
                        length: extended.length as u32,
                    });
                }
            }
        }
        found.sort_unstable_by_key(|h| {
            (h.query_place, -h.score, h.subject_start, std::cmp::Reverse(h.length), h.query_start)
        });
        found
    }

    /// Compares the scan with a search hit by hit, with and without the kernel.
    fn assert_same(queries: &[Vec<u8>], subjects: &[Vec<u8>], options: SearchOptions) {
        let totals = DatabaseTotals { sequences: 1_000, residues: 100_000 };
        let scheme = Scheme::new(options, totals).expect("there are statistics");
        let neighbourhoods = Neighbourhoods::new(&scheme.matrix, &options.words);
        let searched: Vec<SearchedQuery<'_>> = queries
            .iter()
            .map(|residues| {
                SearchedQuery::new(QuerySequence { residues, lower_case: &[], pieces: &[] }, &options)
            })
            .collect();
        for batch in &batches(&searched, &scheme, 20_000) {
            let words = &BatchWords::new(batch, &scheme, &neighbourhoods);
            for kernel in [None, scheme.ungapped_kernel.as_ref()] {
                let finder =
                    Finder { batch, words, neighbourhoods: &neighbourhoods, matrix: &scheme.matrix, kernel };
                let mut workspace = ungapped::Workspace::new(batch.residues.len(), options.words.reach());
                let mut found = Vec::new();
                for subject in subjects {
                    finder.find(subject, &mut workspace, &mut found);
                    assert_eq!(found, one_by_one(batch, words, &scheme, &neighbourhoods, subject));
                }
            }
        }
    }

    fn mutated(residues: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
        let mut residues = residues.to_vec();
        for &(place, code) in changes {
            let place = place % residues.len();
            residues[place] = code;
        }
        residues
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn blocks_of_words_find_what_single_hits_find(
            residues in prop::collection::vec(1..23u8, 30..200),
            few in prop::collection::vec(prop::sample::select(vec![1u8, 5, 11, 18]), 30..120),
            changes in prop::collection::vec((0..1_000usize, 1..23u8), 0..150),
            (size, window) in prop::sample::select(vec![(3, 40), (3, 8), (2, 20), (3, 3), (4, 40)]),
            // With the larger limit nearly every extension is kept, so that none can be amiss unseen.
            evalue in prop::sample::select(vec![10.0, 1e12]),
        ) {
            let mut options = SearchOptions { evalue, ..SearchOptions::default() };
            options.words.size = size;
            options.words.window = window;
            let subject = mutated(&[&residues[..], &few[..], &residues[10..]].concat(), &changes);
            assert_same(&[residues, few, subject[20..].to_vec()], &[subject.clone(), subject], options);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn hits_behind_an_extension_that_ends_in_their_block_count(
            units in prop::collection::vec(
                (prop::collection::vec(prop::sample::select(vec![8u8, 15, 20, 22]), 3..5), 0..4usize, any::<bool>()),
                4..30,
            ),
        ) {
            // Words that hit, between them pairs that cost little (A and S) or much (C and E).
            let (mut query, mut subject) = (Vec::new(), Vec::new());
            for (word, length, is_mild) in units {
                let (in_query, in_subject) = if is_mild { (1, 17) } else { (3, 5) };
                for (residues, code) in [(&mut query, in_query), (&mut subject, in_subject)] {
                    residues.extend_from_slice(&word);
                    residues.resize(residues.len() + length + usize::from(!is_mild), code);
                }
            }
            let options = SearchOptions { evalue: 1e12, ..SearchOptions::default() };
            assert_same(&[query], &[subject], options);
        }
    }

    #[test]
    fn subjects_and_queries_with_more_diagonals_than_16_bits_number_are_scanned_too() {
        let mut state = 7_u32;
        let mut random = |length: usize| -> Vec<u8> {
            (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    1 + (state >> 16) as u8 % 20
                })
                .collect()
        };
        let query = random(300);
        let long = [random(66_000), query.clone(), random(100)].concat();
        assert_same(std::slice::from_ref(&query), &[long.clone(), query.clone()], SearchOptions::default());
        assert_same(&[long], &[query], SearchOptions::default());
    }
}
