//! The current row of a wide extension: chunks of as many columns as a register has lanes.

use super::trace::{FROM_DIAGONAL, FROM_ROW_GAP, Trace};
use super::wide::Extension;
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Columns of the current row. Values are biased by [`Extension::zero`]; 0 is a dead cell.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Chunk<const LANES: usize, const CODE_0: u16> {
    /// Best score ending in each column.
    pub(super) best: [u16; LANES],
    /// Best score with a gap in the subject open for the next row.
    pub(super) gap: [u16; LANES],
    /// The subject residue whose pair leads into each column: `CODE_0` more than its code.
    pub(super) residues: [u16; LANES],
}

impl<const LANES: usize, const CODE_0: u16> Chunk<LANES, CODE_0> {
    /// The chunk of columns that starts at `LANES` × `index`, all cells dead. `None` if a residue is not one
    /// of the alphabet's. Also a bit for each code among its residues.
    #[inline]
    pub(super) fn new<const LEFT: bool>(subject: &[u8], index: usize) -> Option<(Self, u32)> {
        let mut chunk = Self { best: [0; LANES], gap: [0; LANES], residues: [CODE_0; LANES] };
        // The pair of residue i leads from column i to column i + 1.
        let start = (index * LANES).saturating_sub(1);
        let skipped = usize::from(index == 0);
        let count = (LANES - skipped).min(subject.len() - start);
        let lanes = chunk.residues[skipped..skipped + count].iter_mut();
        let (mut known, mut codes) = (true, 0);
        let mut enter = |to: &mut u16, code: u8| {
            known &= usize::from(code) < ALPHABET_SIZE;
            codes |= 1 << (code % 32);
            *to += u16::from(code % 32);
        };
        if LEFT {
            let end = subject.len() - start;
            lanes.zip(subject[..end].iter().rev()).for_each(|(to, &from)| enter(to, from));
        } else {
            lanes.zip(&subject[start..]).for_each(|(to, &from)| enter(to, from));
        }
        known.then_some((chunk, codes))
    }
}

/// Fills row 0, the origin and a gap along the row, and adds a bit to `codes` for each code in its chunks. Returns
/// the last live column, or `None` if a residue is unknown.
#[inline]
pub(super) fn first_row<const LEFT: bool, const LANES: usize, const CODE_0: u16>(
    extension: &Extension<'_>,
    subject: &[u8],
    chunks: &mut Vec<Chunk<LANES, CODE_0>>,
    codes: &mut u32,
) -> Option<usize> {
    chunks.clear();
    let mut last_live = subject.len();
    let mut score = extension.zero;
    for column in 0..=subject.len() {
        if score < extension.zero - extension.x {
            last_live = column - 1;
            break;
        }
        let (index, lane) = (column / LANES, column % LANES);
        if index == chunks.len() {
            let (chunk, further) = Chunk::new::<LEFT>(subject, index)?;
            chunks.push(chunk);
            *codes |= further;
        }
        chunks[index].best[lane] = score;
        chunks[index].gap[lane] = score - extension.open;
        score = score.saturating_sub(if column == 0 { extension.open } else { extension.extend });
    }
    // The twin's first row ends where row 0 does: no pair leads on from there.
    chunks[last_live / LANES].best[last_live % LANES] = 0;
    Some(last_live)
}

/// Begins a trace with row 0, whose last live column is given.
pub(super) fn trace_first_row(trace: &mut Trace, last_live: usize) {
    trace.clear();
    trace.start_row(0);
    trace.push(&[FROM_DIAGONAL]);
    for _ in 0..last_live {
        trace.push(&[FROM_ROW_GAP]);
    }
}
