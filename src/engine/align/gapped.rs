//! Gapped X-drop extension: the dynamic programme behind preliminary scores and final alignments.
//!
//! Rows are query residues, columns subject residues; cells that fall more than X below the best
//! score so far are dropped, so the live part of a row is a window that moves and shrinks. The
//! order of comparisons decides between alignments of equal score and follows
//! `core/blast_gapalign.c` (`Blast_SemiGappedAlign`, `s_RestrictedGappedAlign`, `ALIGN_EX`).

use std::ops::Range;

use super::hsp::{Edit, EditRun};
use crate::engine::kernel::{
    EXTENDS_COLUMN_GAP, EXTENDS_ROW_GAP, Extent, FROM_COLUMN_GAP, FROM_DIAGONAL, FROM_ROW_GAP, GappedKernel,
    GappedLanes, Gaps, ORIGIN, RESTRICTION, Trace, WideLanes, WideScores, extend_wide,
};
use crate::scoring::{GapCosts, Scores};
use crate::sequence::alphabet::SENTINEL;

/// A score that no alignment reaches, far enough from the smallest integer to add to.
const DEAD: i32 = i32::MIN / 2;
/// How often an alignment that has to reach a score is tried, each time with X doubled
/// (`core/blast_kappa.c:s_SWFindFinalEndsUsingXdrop`).
const MOST_TRIES: usize = 3;

/// Subjects from this length on are aligned only as far as a query may reach (`MAX_SUBJECT_OFFSET`).
const LONG_SUBJECT: usize = 90_000;
/// Gaps that an alignment is granted on each side of its start pair, residues (`MAX_TOTAL_GAPS`).
const MOST_GAPS: usize = 3_000;

/// Which residues of a subject are looked at in an extension through the pair `start`
/// (`core/blast_gapalign.c:AdjustSubjectRange`). Only alignments with very many gaps would go further.
pub(in crate::engine) fn within_reach(query: &[u8], subject: &[u8], start: (usize, usize)) -> Range<usize> {
    if subject.len() < LONG_SUBJECT {
        return 0..subject.len();
    }
    let first = start.1.saturating_sub(start.0 + MOST_GAPS);
    let end = start.1 + (query.len() - start.0) + MOST_GAPS;
    first..end.min(subject.len())
}

/// A gapped alignment, half-open ranges in whole-sequence coordinates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Gapped {
    pub(in crate::engine) score: i32,
    pub(in crate::engine) query: (usize, usize),
    pub(in crate::engine) subject: (usize, usize),
}

impl Gapped {
    /// Counts positions in the subject from `residues` before where they count from.
    pub(in crate::engine) fn shift_subject(&mut self, residues: usize) {
        self.subject = (self.subject.0 + residues, self.subject.1 + residues);
    }
}

/// One column of the current row: best score ending here, and best score with a gap open in the
/// query (running along the column) for the next row.
#[derive(Clone, Copy, Debug)]
struct Cell {
    best: i32,
    gap: i32,
    /// The subject residue behind this column; the sentinel behind the last.
    residue: u8,
}

/// Reusable working memory of extensions.
#[derive(Debug, Default)]
pub(in crate::engine) struct Workspace {
    cells: Vec<Cell>,
    trace: Trace,
    lanes: GappedLanes,
    wide: WideLanes,
}

/// Edits from the end `(row, column)` back to the origin.
fn walk_back(trace: &Trace, mut row: usize, mut column: usize) -> Vec<Edit> {
    let mut edits = Vec::with_capacity(row.max(column));
    let mut state = FROM_DIAGONAL;
    while row > 0 || column > 0 {
        let step = trace.step(row, column);
        state = match state {
            FROM_ROW_GAP if step & EXTENDS_ROW_GAP != 0 => FROM_ROW_GAP,
            FROM_COLUMN_GAP if step & EXTENDS_COLUMN_GAP != 0 => FROM_COLUMN_GAP,
            _ => step & ORIGIN,
        };
        edits.push(match state {
            FROM_ROW_GAP => {
                column -= 1;
                Edit::QueryGap
            }
            FROM_COLUMN_GAP => {
                row -= 1;
                Edit::SubjectGap
            }
            _ => {
                row -= 1;
                column -= 1;
                Edit::Pair
            }
        });
    }
    edits
}

/// Residues read away from the start point: forwards, or backwards for the left side.
#[derive(Clone, Copy)]
struct Side<'a, const LEFT: bool>(&'a [u8]);

impl<const LEFT: bool> Side<'_, LEFT> {
    fn len(&self) -> usize {
        self.0.len()
    }

    /// The residue at a distance from the start point; the sentinel beyond the last.
    #[inline]
    fn at(&self, index: usize) -> u8 {
        let index = if LEFT { self.0.len().wrapping_sub(index + 1) } else { index };
        self.0.get(index).copied().unwrap_or(SENTINEL)
    }

    fn cell(&self, column: usize, best: i32, gap: i32) -> Cell {
        Cell { best, gap, residue: self.at(column) }
    }
}

/// Scoring of one extension.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Extender<'a> {
    pub(in crate::engine) scores: &'a Scores,
    /// The same with the same costs and drop-off for the kernel of scores without columns, where there is one.
    pub(in crate::engine) bytes: Option<&'a GappedKernel>,
    /// The same scores for the kernel, where there is one.
    pub(in crate::engine) wide: Option<&'a WideScores>,
    pub(in crate::engine) gaps: GapCosts,
    /// Drop-off in raw score units.
    pub(in crate::engine) x: i32,
}

impl Extender<'_> {
    /// Score and extent of the alignment through the pair `start` = (query, subject) position
    /// (`core/blast_gapalign.c:s_BlastProtGappedAlignment`).
    pub(in crate::engine) fn score(
        &self,
        query: &[u8],
        subject: &[u8],
        start: (usize, usize),
        gaps: Gaps,
        workspace: &mut Workspace,
    ) -> Gapped {
        let (left_query, right_query) = query.split_at(start.0 + 1);
        let (left_subject, right_subject) = subject.split_at(start.1 + 1);
        let (left, right) = match gaps {
            Gaps::Anywhere => (
                self.extend::<true, false, false>(Side(left_query), Side(left_subject), workspace),
                self.extend::<false, false, false>(Side(right_query), Side(right_subject), workspace),
            ),
            Gaps::Restricted => (
                self.extend::<true, false, true>(Side(left_query), Side(left_subject), workspace),
                self.extend::<false, false, true>(Side(right_query), Side(right_subject), workspace),
            ),
        };
        // blastp leaves out the start pair itself if nothing is left to extend to the right.
        let beside = usize::from(!right_query.is_empty() && !right_subject.is_empty());
        Gapped {
            score: left.score + right.score,
            query: (start.0 + 1 - left.rows, start.0 + beside + right.rows),
            subject: (start.1 + 1 - left.columns, start.1 + beside + right.columns),
        }
    }

    /// The alignment through the pair `start` with its columns. Gaps at either end are cut off and
    /// what they cost is given back.
    pub(in crate::engine) fn align(
        &self,
        query: &[u8],
        subject: &[u8],
        start: (usize, usize),
        workspace: &mut Workspace,
    ) -> (Gapped, Vec<EditRun>) {
        let (left_query, right_query) = query.split_at(start.0 + 1);
        let (left_subject, right_subject) = subject.split_at(start.1 + 1);
        let left = self.extend::<true, true, false>(Side(left_query), Side(left_subject), workspace);
        // Walking back from the far end of the left side reads the alignment from left to right.
        let mut edits = walk_back(&workspace.trace, left.rows, left.columns);
        let right = self.extend::<false, true, false>(Side(right_query), Side(right_subject), workspace);
        edits.extend(walk_back(&workspace.trace, right.rows, right.columns).into_iter().rev());

        let mut gapped = Gapped {
            score: left.score + right.score,
            query: (start.0 + 1 - left.rows, start.0 + 1 + right.rows),
            subject: (start.1 + 1 - left.columns, start.1 + 1 + right.columns),
        };
        let mut runs = runs_of(&edits);
        while let Some(&run) = runs.first().filter(|run| run.edit != Edit::Pair) {
            gapped.score += self.gaps.of(run.length as i32);
            match run.edit {
                Edit::QueryGap => gapped.subject.0 += run.length as usize,
                _ => gapped.query.0 += run.length as usize,
            }
            runs.remove(0);
        }
        while let Some(&run) = runs.last().filter(|run| run.edit != Edit::Pair) {
            gapped.score += self.gaps.of(run.length as i32);
            match run.edit {
                Edit::QueryGap => gapped.subject.1 -= run.length as usize,
                _ => gapped.query.1 -= run.length as usize,
            }
            runs.pop();
        }
        (gapped, runs)
    }

    /// The alignment from the first pair on, with its columns; it scores less than `score` only if four
    /// times X does not suffice for that.
    pub(in crate::engine) fn align_from_start(
        &self,
        query: &[u8],
        subject: &[u8],
        score: i32,
        workspace: &mut Workspace,
    ) -> (Gapped, Vec<EditRun>) {
        let mut wider = *self;
        let mut tries = 1;
        let end = loop {
            let end = wider.extend::<false, true, false>(Side(query), Side(subject), workspace);
            if end.score >= score || tries == MOST_TRIES {
                break end;
            }
            wider.x *= 2;
            tries += 1;
        };
        let mut edits = walk_back(&workspace.trace, end.rows, end.columns);
        edits.reverse();
        (Gapped { score: end.score, query: (0, end.rows), subject: (0, end.columns) }, runs_of(&edits))
    }

    /// Extends from before the first residues of both sides; the end is the first cell that
    /// reached the best score.
    fn extend<const LEFT: bool, const TRACE: bool, const RESTRICTED: bool>(
        &self,
        query: Side<'_, LEFT>,
        subject: Side<'_, LEFT>,
        workspace: &mut Workspace,
    ) -> Extent {
        let Workspace { cells, trace, lanes, wide } = workspace;
        let mut end = Extent { score: 0, rows: 0, columns: 0 };
        trace.clear();
        if query.len() == 0 || subject.len() == 0 {
            trace.start_row(0);
            return end;
        }
        if let Some(kernel) = self.bytes
            && !TRACE
            && let Some(extent) = kernel.extend::<LEFT, RESTRICTED>(query.0, subject.0, lanes)
        {
            return extent;
        }
        let extend = self.gaps.extend;
        let open = self.gaps.of(1);
        let x = self.x.max(open);

        if let Some(scores) = self.wide
            && !RESTRICTED
        {
            let extent = extend_wide::<LEFT, TRACE>(scores, self.gaps, x, (query.0, subject.0), wide, trace);
            if let Some(extent) = extent {
                return extent;
            }
            trace.clear();
        }
        cells.clear();
        cells.push(subject.cell(0, 0, -open));
        let mut score = -open;
        while cells.len() <= subject.len() && score >= -x {
            cells.push(subject.cell(cells.len(), score, score - open));
            score -= extend;
        }
        if TRACE {
            trace.start_row(0);
            trace.steps.push(FROM_DIAGONAL);
            trace.steps.resize(cells.len(), FROM_ROW_GAP);
        }
        let mut size = cells.len();
        let mut first = 0;
        // Next column where a restricted extension may use a column gap.
        let mut gap_column = 0;

        for row in 1..=query.len() {
            let scores = self.scores.row(query.at(row - 1));
            let row_gap_allowed = !RESTRICTED || row % RESTRICTION == 0;
            if TRACE {
                trace.start_row(first);
            }
            let mut score = DEAD;
            let mut row_gap = DEAD;
            let mut last = first;
            let row_start = first;
            let row_steps = if TRACE { trace.room(size - row_start) } else { &mut [] };
            for (column, cell) in (row_start..size).zip(&mut cells[row_start..size]) {
                let next = cell.best + scores.score(cell.residue);
                let column_gap_allowed = !RESTRICTED || column == gap_column;
                let mut step = FROM_DIAGONAL;
                let mut column_gap = DEAD;
                if column_gap_allowed {
                    if RESTRICTED {
                        gap_column += RESTRICTION;
                    }
                    column_gap = cell.gap;
                    if score < column_gap {
                        score = column_gap;
                        step = FROM_COLUMN_GAP;
                    }
                }
                if row_gap_allowed && score < row_gap {
                    score = row_gap;
                    step = FROM_ROW_GAP;
                }
                if end.score - score > x {
                    if column == first {
                        first += 1;
                        if RESTRICTED {
                            cell.best = DEAD;
                        }
                    } else {
                        cell.best = DEAD;
                    }
                } else {
                    last = column;
                    if score > end.score {
                        end = Extent { score, rows: row, columns: column };
                    }
                    if column_gap_allowed {
                        column_gap -= extend;
                        if column_gap < score - open {
                            cell.gap = score - open;
                        } else {
                            cell.gap = column_gap;
                            step |= EXTENDS_COLUMN_GAP;
                        }
                    }
                    if row_gap_allowed {
                        row_gap -= extend;
                        if row_gap < score - open {
                            row_gap = score - open;
                        } else {
                            step |= EXTENDS_ROW_GAP;
                        }
                    }
                    cell.best = score;
                }
                if TRACE {
                    row_steps[column - row_start] = step;
                }
                score = next;
            }
            if RESTRICTED && !row_gap_allowed {
                row_gap = score;
            }
            if first == size {
                break;
            }
            if RESTRICTED {
                gap_column = first.next_multiple_of(RESTRICTION);
            }
            if last + 1 < size {
                size = last + 1;
            } else {
                while row_gap >= end.score - x && size <= subject.len() {
                    set(cells, size, subject.cell(size, row_gap, row_gap - open));
                    row_gap -= extend;
                    if TRACE {
                        trace.steps.push(FROM_ROW_GAP);
                    }
                    size += 1;
                }
            }
            if size <= subject.len() {
                set(cells, size, subject.cell(size, DEAD, DEAD));
                size += 1;
            }
        }
        end
    }
}

#[inline]
fn set(cells: &mut Vec<Cell>, index: usize, cell: Cell) {
    match cells.get_mut(index) {
        Some(slot) => *slot = cell,
        None => cells.push(cell),
    }
}

fn runs_of(edits: &[Edit]) -> Vec<EditRun> {
    let mut runs: Vec<EditRun> = Vec::new();
    for &edit in edits {
        match runs.last_mut() {
            Some(run) if run.edit == edit => run.length += 1,
            _ => runs.push(EditRun { edit, length: 1 }),
        }
    }
    runs
}
