//! What is remembered of each diagonal while a subject is scanned.

/// A cell per diagonal of a batch of queries and a subject.
///
/// With two hits, a cell holds twice the query position of the last word hit or, less 1, of what is
/// a word before the end of the extension that has covered the diagonal. So word hits that are to be
/// passed over, because they overlap the last one or lie in an extension, are those less than a word
/// away. With one hit, a cell holds the query position up to which the diagonal is covered. Positions
/// are biased by an offset that grows from subject to subject, so that old cells read as "long ago"
/// and need no clearing.
#[derive(Debug)]
pub(in crate::engine) struct Diagonals {
    /// Joined residues of the batch.
    residues: usize,
    cells: Vec<i32>,
    /// Word hits closer than this make an extension; 0 lets every hit do so.
    window: u32,
    offset: u32,
}

/// Bias from which the cells are cleared, well before `position << 1` overflows.
const OFFSET_LIMIT: u32 = 1 << 29;

impl Diagonals {
    /// State for a batch of `residues` joined residues.
    pub(in crate::engine) fn new(residues: usize, window: u32) -> Self {
        Self { residues, cells: Vec::new(), window, offset: window }
    }

    /// Residues within which two hits make an extension; 0 if one is enough.
    pub(in crate::engine) fn window(&self) -> u32 {
        self.window
    }

    /// What is added to query positions.
    pub(in crate::engine) fn offset(&self) -> u32 {
        self.offset
    }

    /// Cells of all diagonals with a subject of `length` residues: that of a pair is query position +
    /// `length` − subject position.
    pub(in crate::engine) fn of_subject(&mut self, length: usize) -> &mut [i32] {
        let diagonals = self.residues + length + 1;
        if self.cells.len() < diagonals {
            self.cells.resize(diagonals, 0);
        }
        &mut self.cells[..diagonals]
    }

    /// Forgets everything, ready for another subject.
    pub(in crate::engine) fn advance(&mut self) {
        self.offset = self.offset.saturating_add(self.residues as u32).saturating_add(self.window);
        if self.offset > OFFSET_LIMIT {
            self.cells.fill(0);
            self.offset = self.window;
        }
    }
}
