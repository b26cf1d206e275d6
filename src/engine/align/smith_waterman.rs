//! Smith–Waterman: the ends of the best local alignment of a query and a subject, whole sequences
//! compared, beside stretches that are taken (`composition_adjustment/smith_waterman.c`).

use crate::engine::watch::Lookout;
use crate::scoring::{GapCosts, Scores};

/// The last (or first) pair of the best local alignment, and its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct BestEnd {
    pub(in crate::engine) score: i32,
    pub(in crate::engine) query: usize,
    pub(in crate::engine) subject: usize,
}

/// Pairs of residues that other alignments have taken: for each query position ranges of the subject,
/// half-open.
#[derive(Debug, Default)]
pub(in crate::engine) struct Taken(Vec<Vec<(usize, usize)>>);

impl Taken {
    /// Nothing is taken of a query of `length` residues.
    pub(in crate::engine) fn clear(&mut self, length: usize) {
        self.0.clear();
        self.0.resize(length, Vec::new());
    }

    /// Takes all pairs of two ranges, and with them those of the subject's next residue.
    pub(in crate::engine) fn take(&mut self, query: (usize, usize), subject: (usize, usize)) {
        for ranges in &mut self.0[query.0..query.1] {
            ranges.push((subject.0, subject.1 + 1));
        }
    }
}

/// One subject position of the row before: best score of an alignment that ends there, and of one that
/// ends there with a gap in the subject.
#[derive(Clone, Copy, Debug)]
struct Cell {
    best: i32,
    gap: i32,
}

/// Reusable working memory.
#[derive(Debug, Default)]
pub(in crate::engine) struct LocalWorkspace {
    cells: Vec<Cell>,
    row_scores: Vec<i32>,
    pub(in crate::engine) taken: Taken,
}

/// Scoring of local alignments.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Local<'a> {
    pub(in crate::engine) scores: &'a Scores,
    pub(in crate::engine) gaps: GapCosts,
}

impl Local<'_> {
    /// The last pair of the best alignment; of equal ones the first in the query, then in the subject. Any pair
    /// once the lookout is over, as below.
    pub(in crate::engine) fn last_pair(
        &self,
        query: &[u8],
        subject: &[u8],
        workspace: (&mut LocalWorkspace, &Lookout<'_>),
    ) -> BestEnd {
        self.search(query.len(), subject.len(), i32::MAX, query, subject, workspace, |at, _| at)
    }

    /// The first pair of the alignment of `end.score` that ends at `end`.
    pub(in crate::engine) fn first_pair(
        &self,
        query: &[u8],
        subject: &[u8],
        end: BestEnd,
        workspace: (&mut LocalWorkspace, &Lookout<'_>),
    ) -> BestEnd {
        let (rows, columns) = (end.query + 1, end.subject + 1);
        self.search(rows, columns, end.score, query, subject, workspace, |at, length| length - 1 - at)
    }

    /// Goes through the first `rows` and `columns` residues, in the order that `position` makes of them,
    /// until an alignment scores `enough`.
    #[expect(clippy::too_many_arguments, reason = "both directions share it")]
    fn search(
        &self,
        rows: usize,
        columns: usize,
        enough: i32,
        query: &[u8],
        subject: &[u8],
        (workspace, lookout): (&mut LocalWorkspace, &Lookout<'_>),
        position: impl Fn(usize, usize) -> usize,
    ) -> BestEnd {
        let LocalWorkspace { cells, row_scores, taken } = workspace;
        let (open, extend) = (self.gaps.of(1), self.gaps.extend);
        cells.clear();
        cells.resize(columns, Cell { best: 0, gap: -self.gaps.open });
        let mut end = BestEnd { score: 0, query: 0, subject: 0 };
        for row in 0..rows {
            if lookout.worked(columns) {
                break;
            }
            let query_at = position(row, rows);
            let scores = self.scores.row(query[query_at]);
            row_scores.clear();
            row_scores.extend((0..columns).map(|column| scores.score(subject[position(column, columns)])));
            for &(from, to) in &taken.0[query_at] {
                for at in from..to.min(columns) {
                    // The mapping is its own inverse.
                    row_scores[position(at, columns)] = i32::MIN / 2;
                }
            }
            let (mut best, mut diagonal, mut row_gap) = (0, 0, -self.gaps.open);
            for (column, (cell, score)) in cells.iter_mut().zip(&*row_scores).enumerate() {
                row_gap = (best - open).max(row_gap - extend);
                cell.gap = (cell.best - open).max(cell.gap - extend);
                best = (diagonal + score).max(0).max(row_gap).max(cell.gap);
                diagonal = cell.best;
                cell.best = best;
                if best > end.score {
                    end = BestEnd { score: best, query: query_at, subject: position(column, columns) };
                    if best >= enough {
                        return end;
                    }
                }
            }
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::watch::{Watch, to_the_end};
    use crate::scoring::Matrix;
    use crate::sequence::alphabet::encode;

    fn codes(text: &str) -> Vec<u8> {
        text.bytes().filter_map(encode).collect()
    }

    #[test]
    fn both_ends_of_the_best_alignment_are_found_and_then_those_of_the_next() {
        let matrix = Matrix::blosum62();
        let local = Local { scores: matrix.scores(), gaps: GapCosts { open: 11, extend: 1 } };
        let query = codes("GGGGWWHWWCCDDDDDDDDDDDDDDDDDDFFYFFPP");
        let subject = codes("AAWWHWWCCAAAAAFFYFFKK");
        let mut workspace = LocalWorkspace::default();
        workspace.taken.clear(query.len());
        let watch = Watch::new(&to_the_end);
        let lookout = watch.lookout();
        let mut ends = || {
            let end = local.last_pair(&query, &subject, (&mut workspace, &lookout));
            let start = local.first_pair(&query, &subject, end, (&mut workspace, &lookout));
            assert_eq!(start.score, end.score);
            workspace.taken.take((start.query, end.query + 1), (start.subject, end.subject + 1));
            (end.score, start.query, end.query, start.subject, end.subject)
        };
        assert_eq!(ends(), (70, 4, 10, 2, 8));
        assert_eq!(ends(), (31, 29, 33, 14, 18));
    }
}
