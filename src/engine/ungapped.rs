//! Finding ungapped HSPs of one subject: word hits and what makes them worth an extension.
//!
//! Source: `core/aa_ungapped.c` (`s_BlastAaWordFinder_TwoHit`, `s_BlastAaWordFinder_OneHit`); the
//! method is that of Altschul et al., Nucleic Acids Research 25:3389 (1997).

use std::ops::Range;

use super::batch::{Batch, BatchQuery};
use super::extension;
use super::kernel::prefetch;
use super::words::{Lists, Neighbourhoods, Position, WordLists};
use crate::scoring::Matrix;

/// An ungapped alignment of a query of the batch and a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UngappedHsp {
    /// Place of the query in the batch.
    pub(super) query_place: u32,
    /// Raw score.
    pub(super) score: i32,
    /// First aligned residue of the query.
    pub(super) query_start: u32,
    /// First aligned residue of the subject.
    pub(super) subject_start: u32,
    /// Number of aligned pairs.
    pub(super) length: u32,
}

/// What is remembered of each diagonal while one subject is scanned.
///
/// A cell holds twice the subject position of the last word hit or, less 1, of what is a word before
/// the end of the extension that has covered the diagonal. So word hits that are to be passed over,
/// because they overlap the last one or lie in an extension, are those less than a word away.
/// Positions are biased by an offset that grows from subject to subject, so that old cells read as
/// "long ago" and need no clearing.
#[derive(Debug)]
pub(super) struct Diagonals {
    /// Joined residues of the batch.
    residues: usize,
    cells: Vec<i32>,
    /// Word hits closer than this make an extension; 0 lets every hit do so.
    window: u32,
    offset: u32,
    /// Working memory: the words of the subject that are hit, as positions and ranges of their lists.
    ranges: Vec<(u32, Range<u32>)>,
    /// Working memory: query position and distance of second hits.
    seconds: Vec<(u32, u32)>,
}

/// Bias from which the cells are cleared, well before `position << 1` overflows.
const OFFSET_LIMIT: u32 = 1 << 29;
/// Subject words whose lists are on their way to the cache while one is worked on.
const LOOK_AHEAD: usize = 4;

impl Diagonals {
    /// State for a batch of `residues` joined residues.
    pub(super) fn new(residues: usize, window: u32) -> Self {
        Self { residues, cells: Vec::new(), window, offset: window, ranges: Vec::new(), seconds: Vec::new() }
    }

    /// Has a cell for every diagonal with a subject of `length` residues.
    fn make_room(&mut self, length: usize) {
        let diagonals = self.residues + length + 1;
        if self.cells.len() < diagonals {
            self.cells.resize(diagonals, 0);
        }
    }

    /// Forgets everything, ready for the subject after one of `subject_length` residues.
    fn advance(&mut self, subject_length: u32) {
        self.offset = self.offset.saturating_add(subject_length).saturating_add(self.window);
        if self.offset > OFFSET_LIMIT {
            self.cells.fill(0);
            self.offset = self.window;
        }
    }
}

/// What finds ungapped HSPs: a batch of queries and the words it is searched with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finder<'a> {
    pub(super) batch: &'a Batch,
    pub(super) neighbourhoods: &'a Neighbourhoods,
    pub(super) matrix: &'a Matrix,
}

impl Finder<'_> {
    /// Fills `found` with the ungapped HSPs of a subject with every query of the batch, ordered by
    /// query and then as the gapped stage takes them: score ↓, subject start ↑, length ↓, query
    /// start ↑.
    pub(super) fn find(&self, subject: &[u8], diagonals: &mut Diagonals, found: &mut Vec<UngappedHsp>) {
        found.clear();
        let mut scan =
            Scan { batch: self.batch, size: self.neighbourhoods.size(), subject, matrix: self.matrix, found };
        diagonals.make_room(subject.len());
        diagonals.ranges.clear();
        words(subject, self.neighbourhoods).for_each(|(subject_at, word)| {
            if let Some(range) = self.batch.words.range(word) {
                diagonals.ranges.push((subject_at as u32, range));
            }
        });
        match self.batch.words.lists() {
            Lists::Short(lists) => scan.run(lists, diagonals),
            Lists::Long(lists) => scan.run(lists, diagonals),
        }
        diagonals.advance(subject.len() as u32);
        found.sort_unstable_by_key(|h| {
            (h.query_place, -h.score, h.subject_start, std::cmp::Reverse(h.length), h.query_start)
        });
    }
}

/// Packed words of a subject with their positions.
fn words(subject: &[u8], neighbourhoods: &Neighbourhoods) -> impl Iterator<Item = (usize, u32)> {
    let (size, symbols) = (neighbourhoods.size(), neighbourhoods.symbols());
    // The word that ends at a residue, and how many of its last symbols are there.
    let (mut word, mut symbols_seen) = (0, 0);
    subject.iter().enumerate().filter_map(move |(end, &residue)| {
        let Some(symbol) = symbols.of(residue) else {
            symbols_seen = 0;
            return None;
        };
        word = symbols.shift_in(word, symbol);
        symbols_seen += 1;
        (symbols_seen >= size).then(|| (end + 1 - size, word))
    })
}

/// One pass over a subject.
struct Scan<'a> {
    batch: &'a Batch,
    /// Residues of a word.
    size: usize,
    subject: &'a [u8],
    matrix: &'a Matrix,
    found: &'a mut Vec<UngappedHsp>,
}

impl Scan<'_> {
    fn run<P: Position>(&mut self, lists: &WordLists<P>, diagonals: &mut Diagonals) {
        if diagonals.window > 0 {
            self.two_hits(lists, diagonals);
        } else {
            self.one_hit(lists, diagonals);
        }
    }

    /// Two hits on a diagonal, not overlapping and within the window, start an extension.
    fn two_hits<P: Position>(&mut self, lists: &WordLists<P>, diagonals: &mut Diagonals) {
        let Diagonals { cells, window, offset, ranges, seconds, .. } = diagonals;
        let (window, offset) = (*window, *offset);
        seconds.resize(lists.longest() + 1, (0, 0));
        let (cells, seconds) = (cells.as_mut_slice(), seconds.as_mut_slice());
        let apart = window.min(self.size as u32);
        let near = (apart << 1) as i32;
        let span = (window - apart) << 1;
        for (place, &(subject_at, ref range)) in ranges.iter().enumerate() {
            if let Some((_, ahead)) = ranges.get(place + LOOK_AHEAD) {
                prefetch(lists.positions(ahead));
            }
            let cells = self.cells_at(subject_at, cells);
            let here = ((subject_at + offset) << 1) as i32;
            // Hits of one subject word lie on different diagonals, so that extensions can wait. Nothing
            // in the loop branches on what the cells hold, which no processor could foresee.
            let mut found = 0;
            for &query_at in lists.positions(range) {
                let cell = &mut cells[query_at.index()];
                let distance = here - *cell;
                *cell = if distance >= near { here } else { *cell };
                seconds[found] = (query_at.index() as u32, distance as u32);
                found += usize::from((distance.wrapping_sub(near) as u32) < span);
            }
            for &(query_at, distance) in &seconds[..found] {
                // An odd distance is one to the end of an extension.
                if distance & 1 == 0
                    && let Some(covered) = self.second_hit(query_at, subject_at, distance >> 1)
                {
                    cells[query_at as usize] = ((covered + offset - apart) << 1) as i32 - 1;
                }
            }
        }
    }

    /// The cells of the diagonals that a subject position has with each joined position.
    fn cells_at<'c>(&self, subject_at: u32, cells: &'c mut [i32]) -> &'c mut [i32] {
        let first = self.subject.len() - subject_at as usize;
        &mut cells[first..first + self.batch.residues.len()]
    }

    /// Extends a second word hit and keeps the HSP if it scores enough. Returns the subject position
    /// up to which the diagonal is covered if the extension went to the right.
    ///
    /// Hardly any is kept, so the query is looked up last; extensions end at the sentinels beside it.
    #[inline(never)]
    fn second_hit(&mut self, query_at: u32, subject_at: u32, distance: u32) -> Option<u32> {
        let (query, subject) = (self.batch.residues.as_slice(), self.subject);
        let x = self.batch.drop_off_at(query_at);
        let (query_word, subject_at) = (query_at as usize, subject_at as usize);
        // Start just behind the best-scoring prefix of the word.
        let prefix =
            extension::best_prefix(&query[query_word..][..self.size], &subject[subject_at..], self.matrix);
        let (query_middle, subject_middle) = (query_word + prefix, subject_at + prefix);

        let left = extension::left(&query[..query_middle], &subject[..subject_middle], self.matrix, x, 0);
        let (mut score, mut length, mut covered) = (left.score, left.length, None);
        // To the right only if the extension to the left has reached the first hit.
        let first_hit_end = subject_at - distance as usize + self.size;
        if left.length + first_hit_end >= subject_middle {
            let (query, subject) = (&query[query_middle..], &subject[subject_middle..]);
            let right = extension::right(query, subject, self.matrix, x, score);
            score = right.score;
            length += right.length;
            covered = Some((subject_middle + right.looked_at - (self.size - 1)) as u32);
        }
        if score >= self.batch.lowest_cutoff {
            let (query_place, BatchQuery { range, cutoffs, .. }) = self.batch.query_at(query_at);
            // The first hit may belong to the query before this one, so that there are not two.
            let has_two = query_word - range.start >= distance as usize;
            if has_two && score >= cutoffs.ungapped {
                self.found.push(UngappedHsp {
                    query_place,
                    score,
                    query_start: (query_middle - left.length - range.start) as u32,
                    subject_start: (subject_middle - left.length) as u32,
                    length: length as u32,
                });
            }
        }
        covered
    }

    /// Every hit that no extension has covered starts one.
    fn one_hit<P: Position>(&mut self, lists: &WordLists<P>, diagonals: &mut Diagonals) {
        let Diagonals { cells, offset, ranges, .. } = diagonals;
        for &(subject_at, ref range) in ranges.iter() {
            let cells = self.cells_at(subject_at, cells);
            let here = (subject_at + *offset) as i32;
            for &query_at in lists.positions(range) {
                let cell = &mut cells[query_at.index()];
                if here >= *cell {
                    *cell = (self.only_hit(query_at.index() as u32, subject_at as usize) + *offset) as i32;
                }
            }
        }
    }

    /// Extends a word hit on its own and keeps the HSP if it scores enough. Returns the subject
    /// position up to which the diagonal is covered. Source: `s_BlastAaExtendOneHit`.
    fn only_hit(&mut self, query_at: u32, subject_at: usize) -> u32 {
        let (query_place, BatchQuery { range, cutoffs, .. }) = self.batch.query_at(query_at);
        let (query, subject) = (&self.batch.residues[range.clone()], self.subject);
        let query_at = query_at as usize - range.start;
        let size = self.size;
        // The best run inside the word; its width is counted, as NCBI does, from where the last
        // run started, even if an earlier one was the best.
        let (mut sum, mut score, mut run_start, mut best_start, mut best_end) = (0, 0, 0, 0, size);
        for i in 0..size {
            sum += self.matrix.score(query[query_at + i], subject[subject_at + i]);
            if sum > score {
                score = sum;
                best_start = run_start;
                best_end = i;
            } else if sum <= 0 {
                sum = 0;
                run_start = i + 1;
            }
        }
        let width = (best_end + 1).saturating_sub(run_start);
        let x = cutoffs.x_ungapped;
        let (query_left, subject_left) = (query_at + best_start, subject_at + best_start);
        let left = extension::left(&query[..query_left], &subject[..subject_left], self.matrix, x, score);
        let (query_right, subject_right) =
            ((query_at + best_end + 1).min(query.len()), (subject_at + best_end + 1).min(subject.len()));
        let right =
            extension::right(&query[query_right..], &subject[subject_right..], self.matrix, x, left.score);
        if right.score >= cutoffs.ungapped {
            self.found.push(UngappedHsp {
                query_place,
                score: right.score,
                query_start: (query_left - left.length) as u32,
                subject_start: (subject_left - left.length) as u32,
                length: (left.length + right.length + width) as u32,
            });
        }
        (subject_right + right.looked_at).saturating_sub(size - 1) as u32
    }
}
