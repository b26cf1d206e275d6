//! Finding ungapped HSPs of one subject: word hits and what makes them worth an extension.
//!
//! Source: `core/aa_ungapped.c` (`s_BlastAaWordFinder_TwoHit`, `s_BlastAaWordFinder_OneHit`); the
//! method is that of Altschul et al., Nucleic Acids Research 25:3389 (1997).

use super::diagonals::Diagonals;
use super::extension;
use super::two_hits::{self, HittingWord};
use super::words::{Lists, Neighbourhoods, Position, WordLists, WordTable};
use crate::engine::align::scheme::Scheme;
use crate::engine::align::ungapped_hsp::UngappedHsp;
use crate::engine::batch::{Batch, BatchQuery};
use crate::engine::kernel::{KernelQueries, KernelSubject, Outcome, SecondHit, UngappedKernel};
use crate::scoring::Matrix;

/// Reusable working memory of scans.
#[derive(Debug)]
pub(in crate::engine) struct Workspace {
    diagonals: Diagonals,
    /// The words of the subject that hit something.
    words: Vec<HittingWord>,
    short: two_hits::Workspace<u16>,
    long: two_hits::Workspace<u32>,
    kernel_subject: KernelSubject,
}

impl Workspace {
    /// For a batch of `residues` joined residues.
    pub(in crate::engine) fn new(residues: usize, window: u32) -> Self {
        Self {
            diagonals: Diagonals::new(residues, window),
            words: Vec::new(),
            short: two_hits::Workspace::default(),
            long: two_hits::Workspace::default(),
            kernel_subject: KernelSubject::default(),
        }
    }
}

/// What a batch of queries is searched with.
#[derive(Debug)]
pub(in crate::engine) struct BatchWords {
    pub(in crate::engine) table: WordTable,
    /// The residues as the kernel for ungapped extensions reads them, if it can.
    kernel_queries: Option<KernelQueries>,
}

impl BatchWords {
    pub(in crate::engine) fn new(batch: &Batch, scheme: &Scheme, neighbourhoods: &Neighbourhoods) -> Self {
        let kernel = scheme.ungapped_kernel.as_ref();
        let queries = |kernel: &UngappedKernel| {
            kernel.queries(&batch.residues, &batch.drop_off_at, batch.lowest_cutoff)
        };
        Self {
            table: WordTable::new(&batch.seeding, neighbourhoods),
            kernel_queries: kernel.and_then(queries),
        }
    }
}

/// What finds ungapped HSPs: a batch of queries and the words it is searched with.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Finder<'a> {
    pub(in crate::engine) batch: &'a Batch,
    pub(in crate::engine) words: &'a BatchWords,
    pub(in crate::engine) neighbourhoods: &'a Neighbourhoods,
    pub(in crate::engine) matrix: &'a Matrix,
    /// Knows the outcome of most extensions, where the processor can.
    pub(in crate::engine) kernel: Option<&'a UngappedKernel>,
}

impl Finder<'_> {
    /// Fills `found` with the ungapped HSPs of a subject with every query of the batch, ordered by
    /// query and then as the gapped stage takes them: score ↓, subject start ↑, length ↓, query
    /// start ↑.
    pub(in crate::engine) fn find(
        &self,
        subject: &[u8],
        workspace: &mut Workspace,
        found: &mut Vec<UngappedHsp>,
    ) {
        found.clear();
        let Workspace { diagonals, words: hitting, short, long, kernel_subject } = workspace;
        hitting.clear();
        words(subject, self.neighbourhoods).for_each(|(subject_at, word)| {
            if let Some(range) = self.words.table.range(word) {
                hitting.push((subject_at as u32, range));
            }
        });
        let kernel = self.kernel.zip(self.words.kernel_queries.as_ref());
        if kernel.is_some() {
            kernel_subject.fill(subject);
        }
        let kernel = kernel.map(|(kernel, queries)| (kernel, queries, &*kernel_subject));
        let size = self.neighbourhoods.size();
        let mut scan = Scan { batch: self.batch, size, subject, matrix: self.matrix, kernel, found };
        let (window, offset) = (diagonals.window(), diagonals.offset());
        let cells = diagonals.of_subject(subject.len());
        let is_short = cells.len() <= usize::from(u16::MAX);
        match self.words.table.lists() {
            Lists::Short(lists) if window == 0 => scan.one_hit(lists, hitting, offset, cells),
            Lists::Long(lists) if window == 0 => scan.one_hit(lists, hitting, offset, cells),
            Lists::Short(lists) if is_short => {
                two_hits::scan(&mut scan, lists, hitting, (window, offset), cells, short);
            }
            Lists::Short(lists) => two_hits::scan(&mut scan, lists, hitting, (window, offset), cells, long),
            Lists::Long(lists) => two_hits::scan(&mut scan, lists, hitting, (window, offset), cells, long),
        }
        diagonals.advance();
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
pub(in crate::engine) struct Scan<'a> {
    batch: &'a Batch,
    /// Residues of a word.
    pub(in crate::engine) size: usize,
    pub(in crate::engine) subject: &'a [u8],
    matrix: &'a Matrix,
    kernel: Option<(&'a UngappedKernel, &'a KernelQueries, &'a KernelSubject)>,
    found: &'a mut Vec<UngappedHsp>,
}

impl Scan<'_> {
    /// Extends second hits as far as the kernel can; all outcomes are unknown where there is none.
    pub(in crate::engine) fn extend(&self, hits: &[SecondHit], outcomes: &mut Vec<Outcome>) {
        match self.kernel {
            Some((kernel, queries, subject)) => kernel.extend(queries, subject, hits, outcomes),
            None => {
                outcomes.clear();
                outcomes.resize(hits.len(), Outcome::UNKNOWN);
            }
        }
    }

    /// Extends a second word hit and keeps the HSP if it scores enough. Returns the subject position
    /// up to which the diagonal is covered if the extension went to the right.
    ///
    /// Hardly any is kept, so the query is looked up last; extensions end at the sentinels beside it.
    #[inline(never)]
    pub(in crate::engine) fn second_hit(&mut self, hit: SecondHit) -> Option<u32> {
        let pair = (self.batch.residues.as_slice(), self.subject);
        let x = self.batch.drop_off_at(hit.query_at);
        let extended = extension::from_second_hit(pair, hit, self.size, self.matrix, x);
        if extended.score >= self.batch.lowest_cutoff {
            let (query_place, BatchQuery { range, cutoffs, .. }) = self.batch.query_at(hit.query_at);
            // The first hit may belong to the query before this one, so that there are not two.
            let has_two = hit.query_at as usize - range.start >= hit.distance as usize;
            if has_two && extended.score >= cutoffs.ungapped {
                self.found.push(UngappedHsp {
                    query_place,
                    score: extended.score,
                    query_start: (extended.query_start - range.start) as u32,
                    subject_start: extended.subject_start as u32,
                    length: extended.length as u32,
                });
            }
        }
        extended.covered
    }

    /// Every hit that no extension has covered starts one.
    fn one_hit<P: Position>(
        &mut self,
        lists: &WordLists<P>,
        words: &[HittingWord],
        offset: u32,
        cells: &mut [i32],
    ) {
        for &(subject_at, ref range) in words {
            let first = self.subject.len() - subject_at as usize;
            for query_at in lists.positions(range).iter().map(|position| position.index()) {
                let cell = &mut cells[first + query_at];
                if (query_at as u32 + offset) as i32 >= *cell {
                    let covered = self.only_hit(query_at as u32, subject_at as usize);
                    *cell = (query_at as u32 + offset) as i32 + (covered as i32 - subject_at as i32);
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
