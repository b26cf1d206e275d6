//! Target frequencies for a pair of compositions, by Newton's method.
//!
//! Of all joint distributions x with given margins and a given relative entropy, the one that is
//! nearest to a matrix's own joint distribution q is wanted: minimise Σ x ln(x/q). Yu & Altschul,
//! Bioinformatics 21:902 (2005); the iteration is that of
//! `composition_adjustment/optimize_target_freq.c`, and sums are taken in its order.
//!
//! The unknowns are the 400 frequencies and 40 Lagrange multipliers: of 20 columns, of 19 rows (the
//! first row's sum follows from the others), and of the relative entropy. Eliminating the former
//! leaves a symmetric system of 40 equations. Its block of columns is diagonal, which saves half of
//! its factorisation.

use super::counts::{Frequencies, LETTERS};
use super::logarithm::ln;
use crate::engine::kernel::{Vectorised, vectorised};

/// Number of target frequencies, row by row.
pub(super) const PAIRS: usize = LETTERS * LETTERS;
/// Place of the entropy's multiplier behind those of rows 1 to 19 (at 0 to 18).
const ENTROPY: usize = LETTERS - 1;

/// Relative entropy of the target frequencies, nats (`kFixedReBlosum62`).
const RELATIVE_ENTROPY: f64 = 0.44;
/// Residual that is small enough (`kCompoAdjustErrTolerance`).
const TOLERANCE: f64 = 1e-8;
/// Steps at most (`kCompoAdjustIterationLimit`).
const MAX_STEPS: usize = 2_000;
/// A step goes this share of the way to where the first frequency would vanish.
const SHARE: f64 = 0.95;

/// A value per pair of amino acids, row by row.
pub(super) type Pairs = [f64; PAIRS];

/// Lagrange multipliers, residuals of the constraints, or a step of either.
#[derive(Clone, Copy, Debug)]
struct Multipliers {
    columns: [f64; LETTERS],
    /// Rows 1 to 19, then the entropy.
    rest: [f64; LETTERS],
}

impl Multipliers {
    const ZERO: Self = Self { columns: [0.0; LETTERS], rest: [0.0; LETTERS] };

    /// What pairs of a row get besides their columns'.
    #[inline(always)]
    fn of_row(&self, row: usize) -> f64 {
        if row > 0 { self.rest[row - 1] } else { 0.0 }
    }

    /// Subtracts the sums of `values` over columns and over rows 1 to 19.
    #[inline(always)]
    fn subtract_sums(&mut self, values: &Pairs) {
        let (columns, rows) = sums(values);
        for (value, sum) in self.columns.iter_mut().zip(columns) {
            *value -= sum;
        }
        for (value, sum) in self.rest.iter_mut().zip(&rows[1..]) {
            *value -= sum;
        }
    }
}

/// Sums over columns and over rows.
#[inline(always)]
fn sums(values: &Pairs) -> ([f64; LETTERS], [f64; LETTERS]) {
    let (mut columns, mut rows) = ([0.0; LETTERS], [0.0; LETTERS]);
    for (row, sum) in values.chunks_exact(LETTERS).zip(&mut rows) {
        for (value, column) in row.iter().zip(&mut columns) {
            *column += value;
            *sum += value;
        }
    }
    (columns, rows)
}

/// Working memory of the iteration; the solution is left in it.
#[derive(Debug)]
pub(super) struct Optimizer {
    /// The target frequencies.
    x: Pairs,
    /// ln(q / (row · column)): with ln(x / q) it makes the entropy's logarithm.
    prior: Pairs,
    /// Derivative of the relative entropy.
    gradient: Pairs,
    /// Residual of the first 400 equations, then the step of x.
    step: Pairs,
    /// x / (1 − η), the inverse of the Hessian's diagonal.
    diagonal: Pairs,
    system: System,
}

/// The whole iteration for one pair.
struct Iteration<'a> {
    optimizer: &'a mut Optimizer,
    q: &'a Pairs,
    rows: &'a Frequencies,
    columns: &'a Frequencies,
}

impl Vectorised for Iteration<'_> {
    /// Whether there is a solution.
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        self.optimizer.iterate(self.q, self.rows, self.columns)
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        let zero = [0.0; PAIRS];
        Self {
            x: zero,
            prior: zero,
            gradient: zero,
            step: zero,
            diagonal: zero,
            system: System { columns: [0.0; LETTERS], mixed: SQUARE, rest: SQUARE },
        }
    }
}

impl Optimizer {
    /// The frequencies nearest to `q` with the sums `rows` and `columns`. `None` if the iteration
    /// does not converge to a minimum.
    pub(super) fn optimize(
        &mut self,
        q: &Pairs,
        rows: &Frequencies,
        columns: &Frequencies,
    ) -> Option<&Pairs> {
        vectorised(Iteration { optimizer: self, q, rows, columns }).then_some(&self.x)
    }

    /// The same; whether there is a solution.
    #[inline(always)]
    fn iterate(&mut self, q: &Pairs, rows: &Frequencies, columns: &Frequencies) -> bool {
        for (i, (prior, q)) in self.prior.chunks_exact_mut(LETTERS).zip(q.chunks_exact(LETTERS)).enumerate() {
            for j in 0..LETTERS {
                prior[j] = q[j] / (rows[i] * columns[j]);
            }
        }
        self.prior = ln(&self.prior);
        self.x = *q;
        let mut multipliers = Multipliers::ZERO;
        for _ in 0..=MAX_STEPS {
            let (mut residual, of_frequencies) = self.residual(q, rows, columns, &multipliers);
            let norm = libm::hypot(of_frequencies, norm(residual.columns.iter().chain(&residual.rest)));
            let eta = multipliers.rest[ENTROPY];
            if norm.is_nan() || norm <= TOLERANCE {
                return norm <= TOLERANCE && eta < 1.0;
            }
            self.solve(&mut residual, eta);
            let length = self.step_length();
            for (x, step) in self.x.iter_mut().zip(&self.step) {
                *x += length * step;
            }
            for (z, step) in multipliers.columns.iter_mut().zip(&residual.columns) {
                *z += length * step;
            }
            for (z, step) in multipliers.rest.iter_mut().zip(&residual.rest) {
                *z += length * step;
            }
        }
        false
    }

    /// Residuals of all equations; those of the frequencies are left in `step`, and their norm is returned.
    #[inline(always)]
    fn residual(
        &mut self,
        q: &Pairs,
        rows: &Frequencies,
        columns: &Frequencies,
        multipliers: &Multipliers,
    ) -> (Multipliers, f64) {
        let mut quotients = [0.0; PAIRS];
        for ((quotient, x), q) in quotients.iter_mut().zip(&self.x).zip(q) {
            *quotient = x / q;
        }
        let logarithms = ln(&quotients);
        let eta = multipliers.rest[ENTROPY];
        for row in 0..LETTERS {
            let of_row = multipliers.of_row(row);
            for (column, of_column) in multipliers.columns.iter().enumerate() {
                let k = row * LETTERS + column;
                self.gradient[k] = logarithms[k] + self.prior[k] + 1.0;
                self.step[k] = -(logarithms[k] + 1.0) + eta * self.gradient[k] + of_column + of_row;
            }
        }
        // Both sums are as slow as additions that wait for each other, so they go together.
        let (mut entropy, mut squares) = (0.0, 0.0);
        for (((x, logarithm), prior), step) in self.x.iter().zip(&logarithms).zip(&self.prior).zip(&self.step)
        {
            entropy += x * (logarithm + prior);
            squares += step * step;
        }
        let mut residual = Multipliers { columns: *columns, rest: [0.0; LETTERS] };
        residual.rest[..ENTROPY].copy_from_slice(&rows[1..]);
        residual.subtract_sums(&self.x);
        residual.rest[ENTROPY] = RELATIVE_ENTROPY - entropy;
        (residual, squares.sqrt())
    }

    /// Turns residuals into the Newton step, in place.
    #[inline(always)]
    fn solve(&mut self, residual: &mut Multipliers, eta: f64) {
        let mut weighted = [0.0; PAIRS];
        let mut steps = [0.0; PAIRS];
        for k in 0..PAIRS {
            self.diagonal[k] = self.x[k] / (1.0 - eta);
            weighted[k] = self.diagonal[k] * self.gradient[k];
            steps[k] = self.step[k] * self.diagonal[k];
        }
        let (of_gradient, of_steps) = dots(&self.gradient, &weighted, &steps);
        self.system.fill(&self.diagonal, &weighted, of_gradient);
        self.system.factorise();
        residual.subtract_sums(&steps);
        residual.rest[ENTROPY] -= of_steps;
        self.system.solve(residual);
        let eta_step = residual.rest[ENTROPY];
        for row in 0..LETTERS {
            let of_row = residual.of_row(row);
            for (column, of_column) in residual.columns.iter().enumerate() {
                let k = row * LETTERS + column;
                self.step[k] =
                    (self.step[k] + self.gradient[k] * eta_step + of_column + of_row) * self.diagonal[k];
            }
        }
    }

    /// The whole step, or a part of it that keeps all frequencies above 0.
    #[inline(always)]
    fn step_length(&self) -> f64 {
        let mut length = 1.0 / SHARE;
        for (x, step) in self.x.iter().zip(&self.step) {
            let vanishes = -x / step;
            length = if vanishes >= 0.0 && vanishes < length { vanishes } else { length };
        }
        length * SHARE
    }
}

/// The products of `a` with `b` and with `c`.
#[inline(always)]
fn dots(a: &Pairs, b: &Pairs, c: &Pairs) -> (f64, f64) {
    let (mut with_b, mut with_c) = (0.0, 0.0);
    for ((a, b), c) in a.iter().zip(b).zip(c) {
        with_b += a * b;
        with_c += a * c;
    }
    (with_b, with_c)
}

#[inline(always)]
fn norm<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    let mut sum = 0.0;
    for value in values {
        sum += value * value;
    }
    sum.sqrt()
}

/// A square block of the system.
type Square = [[f64; LETTERS]; LETTERS];
const SQUARE: Square = [[0.0; LETTERS]; LETTERS];

/// The symmetric system of the multipliers, then its Cholesky factor, by blocks.
#[derive(Debug)]
struct System {
    /// Columns by columns: a diagonal.
    columns: [f64; LETTERS],
    /// `mixed[column][i]`: the `i`-th of rows and entropy by a column.
    mixed: Square,
    /// Rows and entropy among themselves; the lower triangle counts.
    rest: Square,
}

impl System {
    /// A · D · Aᵀ for the constraints A: column sums, row sums, and the entropy's gradient, for which it is
    /// `of_gradient`.
    #[inline(always)]
    fn fill(&mut self, diagonal: &Pairs, weighted: &Pairs, of_gradient: f64) {
        let (columns, rows) = sums(diagonal);
        let (weighted_columns, weighted_rows) = sums(weighted);
        self.columns = columns;
        self.rest = SQUARE;
        for (i, row) in diagonal.chunks_exact(LETTERS).enumerate().skip(1) {
            for (mixed, value) in self.mixed.iter_mut().zip(row) {
                mixed[i - 1] = *value;
            }
            self.rest[i - 1][i - 1] = rows[i];
        }
        for (mixed, value) in self.mixed.iter_mut().zip(weighted_columns) {
            mixed[ENTROPY] = value;
        }
        self.rest[ENTROPY][..ENTROPY].copy_from_slice(&weighted_rows[1..]);
        self.rest[ENTROPY][ENTROPY] = of_gradient;
    }

    /// Replaces the system by its Cholesky factor. Each entry is reduced by the columns before it
    /// in ascending order, as in the textbook's formula; only the loops are turned round.
    #[inline(always)]
    fn factorise(&mut self) {
        for (pivot, mixed) in self.columns.iter_mut().zip(&mut self.mixed) {
            *pivot = pivot.sqrt();
            for value in mixed {
                *value /= *pivot;
            }
        }
        const HALF: usize = LETTERS / 2;
        for (i, row) in self.rest.iter_mut().enumerate() {
            // Entries right of the diagonal do not count: whole halves let the loop be unrolled.
            if i < HALF {
                reduce::<HALF>(row, &self.mixed, i);
            } else {
                reduce::<LETTERS>(row, &self.mixed, i);
            }
        }
        for k in 0..LETTERS {
            let pivot = self.rest[k][k].sqrt();
            self.rest[k][k] = pivot;
            let mut below = [0.0; LETTERS];
            for (row, below) in self.rest.iter_mut().zip(&mut below).skip(k + 1) {
                row[k] /= pivot;
                *below = row[k];
            }
            for i in k + 1..LETTERS {
                let factor = below[i];
                for (value, other) in self.rest[i][k + 1..=i].iter_mut().zip(&below[k + 1..=i]) {
                    *value -= factor * other;
                }
            }
        }
    }

    /// Solves the factorised system for a right side, in place.
    #[inline(always)]
    fn solve(&self, right: &mut Multipliers) {
        let Multipliers { columns, rest } = right;
        for ((value, pivot), mixed) in columns.iter_mut().zip(&self.columns).zip(&self.mixed) {
            *value /= pivot;
            for (below, factor) in rest.iter_mut().zip(mixed) {
                *below -= factor * *value;
            }
        }
        for i in 0..LETTERS {
            let mut value = rest[i];
            for (factor, above) in self.rest[i][..i].iter().zip(&rest[..i]) {
                value -= factor * above;
            }
            rest[i] = value / self.rest[i][i];
        }
        for i in (0..LETTERS).rev() {
            rest[i] /= self.rest[i][i];
            let value = rest[i];
            for (above, factor) in rest[..i].iter_mut().zip(&self.rest[i]) {
                *above -= factor * value;
            }
            for (above, mixed) in columns.iter_mut().zip(&self.mixed) {
                *above -= mixed[i] * value;
            }
        }
        for (value, pivot) in columns.iter_mut().zip(&self.columns) {
            *value /= pivot;
        }
    }
}

/// Reduces the first `N` entries of row `i` by the columns' block.
#[inline(always)]
fn reduce<const N: usize>(row: &mut [f64; LETTERS], mixed: &Square, i: usize) {
    let mut values = [0.0; N];
    values.copy_from_slice(&row[..N]);
    for column in mixed {
        let factor = column[i];
        for (value, other) in values.iter_mut().zip(column) {
            *value -= factor * other;
        }
    }
    row[..N].copy_from_slice(&values);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::align::composition::counts::Composition;
    use crate::engine::align::composition::matrix::joint_probabilities;
    use crate::scoring::PairFrequencies;
    use crate::sequence::alphabet::encode;

    fn margin_of(text: &str, background: &Frequencies) -> Frequencies {
        let codes: Vec<u8> = text.bytes().filter_map(encode).collect();
        Composition::of(&codes).expect("amino acids").with_pseudocounts(background)
    }

    const QUERY: &str = "MKKLLPTAAAGLLLLAAQPAMAMKKEEDKKLEKEWGHTREVCNYFIS";
    const SUBJECT: &str =
        "MSTNPKPQRKTKRNTNRRPQDVKFPGGGQIVGGVYLLPRRGPRLGVRATRKTSERSQPRGRRQPIPKARRPEGRTWAQPGYPWPL";

    #[test]
    fn the_solution_has_the_margins_and_the_relative_entropy_that_were_asked_for() {
        let (q, background) = joint_probabilities(PairFrequencies::of("BLOSUM62").expect("known"));
        let (rows, columns) = (margin_of(QUERY, &background), margin_of(SUBJECT, &background));
        let mut optimizer = Optimizer::default();
        let x = optimizer.optimize(&q, &rows, &columns).expect("convergence");
        let (column_sums, row_sums) = sums(x);
        let mut entropy = 0.0;
        for (k, x) in x.iter().enumerate() {
            assert!(*x > 0.0);
            entropy += x * (x / (rows[k / LETTERS] * columns[k % LETTERS])).ln();
        }
        assert!((entropy - RELATIVE_ENTROPY).abs() < 1e-7, "{entropy}");
        for i in 0..LETTERS {
            assert!((row_sums[i] - rows[i]).abs() < 1e-7, "row {i}");
            assert!((column_sums[i] - columns[i]).abs() < 1e-7, "column {i}");
        }
    }

    #[test]
    fn a_second_run_in_the_same_memory_gives_the_same_bits() {
        let (q, background) = joint_probabilities(PairFrequencies::of("BLOSUM62").expect("known"));
        let (rows, columns) = (margin_of(QUERY, &background), margin_of(SUBJECT, &background));
        let mut optimizer = Optimizer::default();
        let first = *optimizer.optimize(&q, &rows, &columns).expect("convergence");
        optimizer.optimize(&q, &columns, &background).expect("convergence");
        assert_eq!(optimizer.optimize(&q, &rows, &columns), Some(&first));
    }

    #[test]
    fn margins_that_are_no_distribution_do_not_converge() {
        let (q, background) = joint_probabilities(PairFrequencies::of("BLOSUM62").expect("known"));
        let mut optimizer = Optimizer::default();
        assert_eq!(optimizer.optimize(&q, &[f64::NAN; LETTERS], &background), None);
    }
}
