//! What a band of bytes carries from row to row, and the loop over rows for registers of any width.
//!
//! Lanes are diagonals: from one row to the next each lane goes on to the next column. So a pair leads on within its
//! lane, a gap in the subject into the lane below, and a gap along the row into the lanes above. Cells beside
//! the band are dead as long as its first lane is, and no gap runs out of its last one; before that changes, the
//! band is moved so that what is alive lies in its middle. If that does not fit, a wider band goes on.

use super::gapped::GappedKernel;
use super::trace::Extent;

/// Diagonals of the widest band.
pub(super) const WIDEST: usize = 128;
/// Places before the first residue, so that a band may begin before it.
pub(super) const MARGIN: usize = 2 * WIDEST;
/// Residues that are laid out at a time.
const AT_A_TIME: usize = 256;

/// How many more diagonals than are alive a narrower band has to have.
pub(super) const SLACK: usize = 12;

/// Why no more rows are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// There are none, or all is dead.
    Done,
    /// The next one does not fit.
    TooNarrow,
    /// It would fit into a narrower band.
    TooWide,
}

/// One side of an extension between two rows. Scores are biased by [`GappedKernel::zero`], and those already
/// taken off; 0 is a dead cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    /// Best score ending in each lane.
    pub(super) best: [u8; WIDEST],
    /// Best score with a gap in the subject open, by the lane that opened it.
    pub(super) gap: [u8; WIDEST],
    /// First and last live lane.
    pub(super) live: (usize, usize),
    /// Rows that are done.
    pub(super) rows: usize,
    /// Column of the first lane in row 0.
    pub(super) base: isize,
    /// The best score so far.
    pub(super) highest: u8,
    /// What has been taken off all scores.
    pub(super) taken: i32,
    /// Where the best score was reached first.
    pub(super) end: (usize, usize),
}

impl Between {
    /// Row 0: the origin, and a gap along the row. It lies in the middle of a band of `width` lanes; `None` if it
    /// does not fit.
    pub(super) fn start(kernel: &GappedKernel, columns: usize, width: usize) -> Option<Self> {
        let origin = width / 2;
        let mut state = Self {
            best: [0; WIDEST],
            gap: [0; WIDEST],
            live: (origin, origin),
            rows: 0,
            base: -(origin as isize),
            highest: kernel.zero,
            taken: 0,
            end: (0, 0),
        };
        let mut score = kernel.zero;
        for column in 0..=columns {
            if score < kernel.zero - kernel.x {
                break;
            }
            let lane = origin + column;
            (lane + 1 < width).then_some(())?;
            state.set(lane, score, kernel.open);
            state.live.1 = lane;
            score = score.saturating_sub(if column == 0 { kernel.open } else { kernel.extend });
        }
        Some(state)
    }

    /// Puts a live cell into a lane; a gap may open after it.
    pub(super) fn set(&mut self, lane: usize, score: u8, open: u8) {
        self.best[lane] = score;
        self.gap[lane] = score.saturating_sub(open);
    }

    /// Moves what is alive into the middle of a band of `width` lanes. Whether it moved and has room on both sides.
    pub(super) fn centre(&mut self, width: usize) -> bool {
        let (first, last) = self.live;
        let lanes = last + 1 - first;
        if lanes + 2 > width {
            return false;
        }
        let place = (width - lanes) / 2;
        for scores in [&mut self.best, &mut self.gap] {
            let mut moved = [0; WIDEST];
            moved[place..place + lanes].copy_from_slice(&scores[first..=last]);
            *scores = moved;
        }
        self.live = (place, place + lanes - 1);
        self.base += first as isize - place as isize;
        place != first
    }

    pub(super) fn extent(&self, kernel: &GappedKernel) -> Extent {
        let score = i32::from(self.highest) - i32::from(kernel.zero) + self.taken;
        Extent { score, rows: self.end.0, columns: self.end.1 }
    }

    /// Ends the first row of a restricted extension as the twin does: it goes on from the pair behind the last
    /// column of row 0, as if a gap were open. Later rows end with a dead cell, from which nothing goes on. `None`
    /// if that leaves the band.
    ///
    /// `corner` is the last column of row 0 with its score, `pair` the biased score of the pair behind it.
    pub(super) fn go_on_behind(
        &mut self,
        kernel: &GappedKernel,
        columns: usize,
        corner: (usize, u8),
        pair: u8,
        width: usize,
    ) -> Option<()> {
        let threshold = i32::from(self.highest) - i32::from(kernel.x);
        let mut score = i32::from(corner.1) + i32::from(pair) - i32::from(kernel.bias);
        let mut column = corner.0;
        while column < columns && score >= threshold {
            column += 1;
            let lane = usize::try_from(column as isize - self.base - 1).ok()?;
            (lane + 1 < width).then_some(())?;
            self.set(lane, score as u8, kernel.open);
            self.live.1 = lane;
            score -= i32::from(kernel.extend);
        }
        Some(())
    }
}

/// Lays out more residues in the order in which they are read, so that there are `enough`: the first is at
/// [`MARGIN`], and what is beyond the last is 0. `None` if one is not of the alphabet.
pub(super) fn lay_out<const LEFT: bool>(laid: &mut Vec<u8>, subject: &[u8], enough: usize) -> Option<()> {
    if laid.is_empty() {
        laid.resize(MARGIN, 0);
    }
    while laid.len() < enough {
        let start = laid.len() - MARGIN;
        let count = AT_A_TIME.min(subject.len().saturating_sub(start));
        if LEFT {
            let end = subject.len() - start.min(subject.len());
            laid.extend(subject[end - count..end].iter().rev());
        } else {
            let start = start.min(subject.len());
            laid.extend_from_slice(&subject[start..start + count]);
        }
        let known = laid[start + MARGIN..].iter().all(|code| (1..28).contains(code));
        known.then_some(())?;
        laid.resize(start + MARGIN + AT_A_TIME, 0);
    }
    Some(())
}

/// Defines `extend` for registers of so many lanes. The module that calls it has the operations on them.
macro_rules! gapped_rows {
    (lanes: $lanes:literal, register: $register:ty, feature: $feature:literal, narrow: $narrow:literal, wide: $wide:literal) => {
        /// Score and extent of one side; `None` if bytes or the widest band do not suffice, or a residue is unknown.
        #[target_feature(enable = $feature)]
        pub(super) fn extend<const LEFT: bool, const RESTRICTED: bool>(
            kernel: &GappedKernel,
            query: &[u8],
            subject: &[u8],
            laid: &mut Vec<u8>,
        ) -> Option<Extent> {
            const { assert!($wide * $lanes <= WIDEST) };
            laid.clear();
            let (narrow, wide) = ($narrow * $lanes, $wide * $lanes);
            let start = Between::start(kernel, subject.len(), narrow);
            let mut is_narrow = start.is_some();
            let mut state = start.or_else(|| Between::start(kernel, subject.len(), wide))?;
            loop {
                let ended = if is_narrow {
                    rows::<LEFT, RESTRICTED, $narrow>(kernel, query, subject, laid, &mut state)?
                } else {
                    rows::<LEFT, RESTRICTED, $wide>(kernel, query, subject, laid, &mut state)?
                };
                match ended {
                    Ended::Done => break,
                    Ended::TooNarrow if is_narrow => is_narrow = !state.centre(wide),
                    Ended::TooNarrow => return None,
                    Ended::TooWide => {
                        state.centre(narrow);
                        is_narrow = true;
                    }
                }
            }
            Some(state.extent(kernel))
        }

        /// Does the rows that are left, as far as they fit into `N` registers and would not fit into fewer: `state`
        /// tells from where on.
        #[target_feature(enable = $feature)]
        fn rows<const LEFT: bool, const RESTRICTED: bool, const N: usize>(
            kernel: &GappedKernel,
            query: &[u8],
            subject: &[u8],
            laid: &mut Vec<u8>,
            state: &mut Between,
        ) -> Option<Ended> {
            let width = N * $lanes;
            let columns = subject.len();
            let constants = Constants::new(kernel);
            let nothing = splat(0);
            let (bias, open, further) = (splat(kernel.bias), splat(kernel.open), splat(kernel.extend));
            let x = kernel.x;
            let mut best: [$register; N] = std::array::from_fn(|n| load(&state.best.as_chunks().0[n]));
            let mut gap: [$register; N] = std::array::from_fn(|n| load(&state.gap.as_chunks().0[n]));
            let mut corner = (0, 0);
            if state.rows == 0 {
                // The twin's first row ends where row 0 does: no pair leads on from there.
                let lane = state.live.1;
                corner = ((state.base + lane as isize) as usize, state.best[lane]);
                let mut ended = state.best;
                ended[lane] = 0;
                best = std::array::from_fn(|n| load(&ended.as_chunks().0[n]));
            }
            while state.rows < query.len() {
                let row = state.rows;
                let code = if LEFT { query[query.len() - 1 - row] } else { query[row] };
                if !(1..28).contains(&code) {
                    return None;
                }
                let table = constants.table(&kernel.rows[usize::from(code)]);
                // Column of the first lane in this row, and the place of the residue that leads to it.
                let first_column = state.base + row as isize + 1;
                let place = (MARGIN as isize + first_column - 1) as usize;
                if place + width > laid.len() {
                    lay_out::<LEFT>(laid, subject, place + width)?;
                }
                let residues = &laid[place..place + width];
                let there = columns as isize - first_column + 1;
                let row_gap_allowed = !RESTRICTED || (row + 1).is_multiple_of(RESTRICTION);
                let highest = state.highest;
                let least = highest - x;
                let threshold = splat(least);

                let mut cells = [nothing; N];
                let mut gaps = [nothing; N];
                let mut opens = false;
                for n in 0..N {
                    let scores = constants.scores(&table, load(&residues.as_chunks().0[n]));
                    let above = if n + 1 < N { gap[n + 1] } else { nothing };
                    gaps[n] = shift_down(gap[n], above);
                    let mut usable = gaps[n];
                    if RESTRICTED {
                        let phase = (first_column + (n * $lanes) as isize).rem_euclid(RESTRICTION as isize);
                        usable = keep(usable, constants.may_gap(phase as usize));
                    }
                    let pair = subtract(add(best[n], scores), bias);
                    cells[n] = max(pair, usable);
                    if there < width as isize {
                        let count = (there - (n * $lanes) as isize).clamp(0, $lanes);
                        cells[n] = keep(cells[n], first_lanes(count as usize));
                    }
                    opens |= bits(at_least(subtract(cells[n], open), threshold)) != 0;
                }
                let mut row_gaps = [nothing; N];
                if row_gap_allowed && opens {
                    let (mut below, mut incoming) = (nothing, 0);
                    for n in 0..N {
                        let opened = subtract(cells[n], open);
                        let mut row_gap = constants.row_gaps(shift_up(below, opened));
                        if n > 0 {
                            row_gap = constants.go_on(row_gap, incoming);
                        }
                        below = opened;
                        cells[n] = max(cells[n], row_gap);
                        if there < width as isize {
                            let count = (there - (n * $lanes) as isize).clamp(0, $lanes);
                            cells[n] = keep(cells[n], first_lanes(count as usize));
                        }
                        row_gaps[n] = row_gap;
                        if n + 1 < N {
                            incoming = last(subtract(row_gap, further));
                        }
                    }
                }

                let mut new_highest = highest;
                let mut end = state.end;
                let mut alive: u128 = 0;
                let is_higher = |cells: &[$register; N]| {
                    cells.iter().any(|&cell| bits(at_least(splat(highest), cell)) != FULL)
                };
                if is_higher(&cells) {
                    for n in 0..N {
                        let so_far = max(running_maximum(cells[n]), splat(new_highest));
                        let before = shift_up(splat(new_highest), so_far);
                        let live = at_least(cells[n], subtract(before, splat(x)));
                        let reached = last(so_far);
                        if reached > new_highest {
                            new_highest = reached;
                            let lane = bits(at_least(cells[n], splat(reached))).trailing_zeros() as isize;
                            end = (row + 1, (first_column + (n * $lanes) as isize + lane) as usize);
                        }
                        cells[n] = keep(cells[n], live);
                        alive |= u128::from(bits(live)) << (n * $lanes);
                    }
                } else {
                    for n in 0..N {
                        let live = at_least(cells[n], threshold);
                        cells[n] = keep(cells[n], live);
                        alive |= u128::from(bits(live)) << (n * $lanes);
                    }
                }
                if row_gap_allowed && there > width as isize {
                    let opened = subtract(cells[N - 1], open);
                    let out = last(max(subtract(row_gaps[N - 1], further), opened));
                    if out >= new_highest - x {
                        // The row does not fit: it is done once more, elsewhere.
                        put(&best, &gap, state);
                        if row == 0 {
                            state.best[state.live.1] = corner.1;
                        }
                        if row == 0 || !state.centre(width) {
                            return Some(Ended::TooNarrow);
                        }
                        best = std::array::from_fn(|n| load(&state.best.as_chunks().0[n]));
                        gap = std::array::from_fn(|n| load(&state.gap.as_chunks().0[n]));
                        continue;
                    }
                }
                for n in 0..N {
                    best[n] = cells[n];
                    gap[n] = max(subtract(gaps[n], further), subtract(cells[n], open));
                }
                state.rows += 1;
                state.highest = new_highest;
                state.end = end;
                if alive == 0 {
                    break;
                }
                state.live = (alive.trailing_zeros() as usize, 127 - alive.leading_zeros() as usize);
                if RESTRICTED
                    && row == 0
                    && first_column + state.live.1 as isize == corner.0 as isize
                    && corner.0 < columns
                {
                    put(&best, &gap, state);
                    let residue = *laid.get(MARGIN + corner.0)?;
                    let pair =
                        kernel.rows[usize::from(code)][usize::from(residue) / 16][usize::from(residue) % 16];
                    state.go_on_behind(kernel, columns, corner, pair, width)?;
                    best = std::array::from_fn(|n| load(&state.best.as_chunks().0[n]));
                    gap = std::array::from_fn(|n| load(&state.gap.as_chunks().0[n]));
                }
                if new_highest > kernel.highest_to_go_on {
                    let excess = new_highest - kernel.zero;
                    for n in 0..N {
                        best[n] = subtract(best[n], splat(excess));
                        gap[n] = subtract(gap[n], splat(excess));
                    }
                    state.highest -= excess;
                    state.taken += i32::from(excess);
                }
                if N == $wide && state.live.1 - state.live.0 < $narrow * $lanes - SLACK {
                    put(&best, &gap, state);
                    return Some(Ended::TooWide);
                }
                if state.live.0 == 0 {
                    put(&best, &gap, state);
                    if !state.centre(width) {
                        return Some(Ended::TooNarrow);
                    }
                    best = std::array::from_fn(|n| load(&state.best.as_chunks().0[n]));
                    gap = std::array::from_fn(|n| load(&state.gap.as_chunks().0[n]));
                }
            }
            Some(Ended::Done)
        }

        #[inline]
        #[target_feature(enable = $feature)]
        fn put<const N: usize>(best: &[$register; N], gap: &[$register; N], state: &mut Between) {
            for n in 0..N {
                store(&mut state.best.as_chunks_mut().0[n], best[n]);
                store(&mut state.gap.as_chunks_mut().0[n], gap[n]);
            }
        }
    };
}

pub(super) use gapped_rows;
