//! Where gapped extensions end, and where each of their cells came from.

/// Score of one side and how far it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Extent {
    pub(in crate::engine) score: i32,
    pub(in crate::engine) rows: usize,
    pub(in crate::engine) columns: usize,
}

/// Where each cell came from, row by row.
#[derive(Debug, Default)]
pub(in crate::engine) struct Trace {
    pub(in crate::engine) steps: Vec<u8>,
    /// For each row the start of its steps and its first column.
    rows: Vec<(usize, usize)>,
}

pub(in crate::engine) const FROM_DIAGONAL: u8 = 0;
pub(in crate::engine) const FROM_ROW_GAP: u8 = 1;
pub(in crate::engine) const FROM_COLUMN_GAP: u8 = 2;
pub(in crate::engine) const ORIGIN: u8 = 3;
pub(in crate::engine) const EXTENDS_ROW_GAP: u8 = 4;
pub(in crate::engine) const EXTENDS_COLUMN_GAP: u8 = 8;

impl Trace {
    pub(in crate::engine) fn clear(&mut self) {
        self.steps.clear();
        self.rows.clear();
    }

    pub(in crate::engine) fn start_row(&mut self, first_column: usize) {
        self.rows.push((self.steps.len(), first_column));
    }

    /// Adds the steps of the row's next columns.
    pub(in crate::engine) fn push(&mut self, steps: &[u8]) {
        self.steps.extend_from_slice(steps);
    }

    /// Room for the steps of the row's next columns.
    pub(in crate::engine) fn room(&mut self, columns: usize) -> &mut [u8] {
        let start = self.steps.len();
        self.steps.resize(start + columns, FROM_DIAGONAL);
        &mut self.steps[start..]
    }

    pub(in crate::engine) fn step(&self, row: usize, column: usize) -> u8 {
        let (start, first) = self.rows[row];
        self.steps[start + column - first]
    }
}
