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
//!
//! Several pairs of compositions go side by side, each in lanes of its own: what is done for one of them, and in which
//! order, does not depend on the others.

use super::counts::{Frequencies, LETTERS};
use super::logarithm::ln;
use crate::engine::kernel::{LaneWork, Lanes, side_by_side};

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
/// The same for each lane.
type LanePairs<V> = [V; PAIRS];

/// What is wanted: the sums over rows and over columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Margins<'a> {
    pub(super) rows: &'a Frequencies,
    pub(super) columns: &'a Frequencies,
}

/// Lagrange multipliers, residuals of the constraints, or a step of either.
#[derive(Clone, Copy, Debug)]
struct Multipliers<V> {
    columns: [V; LETTERS],
    /// Rows 1 to 19, then the entropy.
    rest: [V; LETTERS],
}

impl<V: Lanes> Multipliers<V> {
    #[inline(always)]
    fn zero() -> Self {
        Self { columns: [V::all(0.0); LETTERS], rest: [V::all(0.0); LETTERS] }
    }

    /// What pairs of a row get besides their columns'.
    #[inline(always)]
    fn of_row(&self, row: usize) -> V {
        if row > 0 { self.rest[row - 1] } else { V::all(0.0) }
    }

    /// Subtracts the sums of `values` over columns and over rows 1 to 19.
    #[inline(always)]
    fn subtract_sums(&mut self, values: &LanePairs<V>) {
        let (columns, rows) = sums(values);
        for (value, sum) in self.columns.iter_mut().zip(columns) {
            *value -= sum;
        }
        for (value, sum) in self.rest.iter_mut().zip(&rows[1..]) {
            *value -= *sum;
        }
    }

    /// Root of the sum of all squares.
    #[inline(always)]
    fn norm(&self) -> V {
        let mut sum = V::all(0.0);
        for value in self.columns.iter().chain(&self.rest) {
            sum += *value * *value;
        }
        sum.sqrt()
    }
}

/// Sums over columns and over rows.
#[inline(always)]
fn sums<V: Lanes>(values: &LanePairs<V>) -> ([V; LETTERS], [V; LETTERS]) {
    let (mut columns, mut rows) = ([V::all(0.0); LETTERS], [V::all(0.0); LETTERS]);
    for (row, sum) in values.chunks_exact(LETTERS).zip(&mut rows) {
        for (value, column) in row.iter().zip(&mut columns) {
            *column += *value;
            *sum += *value;
        }
    }
    (columns, rows)
}

/// For each margins, the frequencies nearest to `q` with these sums. `None` if the iteration does not converge to a
/// minimum.
pub(super) fn optimize(q: &Pairs, margins: &[Margins<'_>]) -> Vec<Option<Pairs>> {
    side_by_side(Iteration { q, margins })
}

/// The whole iteration.
struct Iteration<'a> {
    q: &'a Pairs,
    margins: &'a [Margins<'a>],
}

impl LaneWork for Iteration<'_> {
    type Output = Vec<Option<Pairs>>;

    fn items(&self) -> usize {
        self.margins.len()
    }

    #[inline(always)]
    fn run<V: Lanes>(self) -> Vec<Option<Pairs>> {
        let mut solver = Solver::<V>::new();
        let mut solutions = Vec::with_capacity(self.margins.len());
        for group in self.margins.chunks(V::COUNT) {
            let solved = solver.iterate(self.q, group);
            for lane in 0..group.len() {
                let solution = || std::array::from_fn(|k| solver.x[k].lane(lane));
                solutions.push((solved >> lane & 1 != 0).then(solution));
            }
        }
        solutions
    }
}

/// Working memory of the iteration; the solutions are left in it.
#[derive(Debug)]
struct Solver<V> {
    /// The target frequencies.
    x: Box<LanePairs<V>>,
    /// ln(q / (row · column)): with ln(x / q) it makes the entropy's logarithm.
    prior: Box<LanePairs<V>>,
    /// Derivative of the relative entropy.
    gradient: Box<LanePairs<V>>,
    /// Residual of the first 400 equations, then the step of x.
    step: Box<LanePairs<V>>,
    /// x / (1 − η), the inverse of the Hessian's diagonal.
    diagonal: Box<LanePairs<V>>,
    /// The diagonal times the gradient.
    weighted: Box<LanePairs<V>>,
    /// The diagonal times the residual.
    steps: Box<LanePairs<V>>,
    system: System<V>,
}

impl<V: Lanes> Solver<V> {
    #[inline(always)]
    fn new() -> Self {
        let zero = || -> Box<LanePairs<V>> {
            vec![V::all(0.0); PAIRS].try_into().unwrap_or_else(|_| unreachable!("as many as there are"))
        };
        let square = [[V::all(0.0); LETTERS]; LETTERS];
        Self {
            x: zero(),
            prior: zero(),
            gradient: zero(),
            step: zero(),
            diagonal: zero(),
            weighted: zero(),
            steps: zero(),
            system: System { columns: [V::all(0.0); LETTERS], mixed: square, rest: square },
        }
    }

    /// Iterates until all lanes have come to an end. Returns a bit for each lane in which there is a solution.
    #[inline(always)]
    fn iterate(&mut self, q: &Pairs, margins: &[Margins<'_>]) -> u64 {
        // Lanes beyond the last do what the last one does.
        let of_lane = |lane: usize| margins[lane.min(margins.len() - 1)];
        let rows: [V; LETTERS] = std::array::from_fn(|i| V::from_fn(|lane| of_lane(lane).rows[i]));
        let columns: [V; LETTERS] = std::array::from_fn(|j| V::from_fn(|lane| of_lane(lane).columns[j]));
        for k in 0..PAIRS {
            self.x[k] = V::all(q[k]);
            self.prior[k] = self.x[k] / (rows[k / LETTERS] * columns[k % LETTERS]);
        }
        ln(&mut self.prior[..]);
        let mut multipliers = Multipliers::zero();
        let mut goes_on = u64::MAX >> (64 - V::COUNT);
        let mut solved = 0;
        for _ in 0..=MAX_STEPS {
            let (mut residual, of_frequencies) = self.residual(q, &rows, &columns, &multipliers);
            let of_constraints = residual.norm();
            let eta = multipliers.rest[ENTROPY];
            let iterated = goes_on;
            for lane in (0..V::COUNT).filter(|lane| iterated >> lane & 1 != 0) {
                let norm = libm::hypot(of_frequencies.lane(lane), of_constraints.lane(lane));
                if norm.is_nan() || norm <= TOLERANCE {
                    goes_on &= !(1 << lane);
                    solved |= u64::from(norm <= TOLERANCE && eta.lane(lane) < 1.0) << lane;
                }
            }
            if goes_on == 0 {
                break;
            }
            self.solve(&mut residual, eta);
            let length = self.step_length();
            for (x, step) in self.x.iter_mut().zip(&self.step[..]) {
                *x = (*x + length * *step).or_others(goes_on, *x);
            }
            for (z, step) in multipliers.columns.iter_mut().zip(&residual.columns) {
                *z = (*z + length * *step).or_others(goes_on, *z);
            }
            for (z, step) in multipliers.rest.iter_mut().zip(&residual.rest) {
                *z = (*z + length * *step).or_others(goes_on, *z);
            }
        }
        solved
    }

    /// Residuals of all equations; those of the frequencies are left in `step`, and their norm is returned.
    #[inline(always)]
    fn residual(
        &mut self,
        q: &Pairs,
        rows: &[V; LETTERS],
        columns: &[V; LETTERS],
        multipliers: &Multipliers<V>,
    ) -> (Multipliers<V>, V) {
        let one = V::all(1.0);
        let eta = multipliers.rest[ENTROPY];
        for (logarithm, (x, q)) in self.steps.iter_mut().zip(self.x.iter().zip(q)) {
            *logarithm = *x / V::all(*q);
        }
        ln(&mut self.steps[..]);
        for row in 0..LETTERS {
            let of_row = multipliers.of_row(row);
            for (column, of_column) in multipliers.columns.iter().enumerate() {
                let k = row * LETTERS + column;
                let logarithm = self.steps[k];
                self.gradient[k] = logarithm + self.prior[k] + one;
                self.step[k] = -(logarithm + one) + eta * self.gradient[k] + *of_column + of_row;
            }
        }
        // Both sums are as slow as additions that wait for each other, so they go together.
        let (mut entropy, mut squares) = (V::all(0.0), V::all(0.0));
        for k in 0..PAIRS {
            entropy += self.x[k] * (self.steps[k] + self.prior[k]);
            squares += self.step[k] * self.step[k];
        }
        let mut residual = Multipliers { columns: *columns, rest: [V::all(0.0); LETTERS] };
        residual.rest[..ENTROPY].copy_from_slice(&rows[1..]);
        residual.subtract_sums(&self.x);
        residual.rest[ENTROPY] = V::all(RELATIVE_ENTROPY) - entropy;
        (residual, squares.sqrt())
    }

    /// Turns residuals into the Newton step, in place.
    #[inline(always)]
    fn solve(&mut self, residual: &mut Multipliers<V>, eta: V) {
        let share = V::all(1.0) - eta;
        let (mut of_gradient, mut of_steps) = (V::all(0.0), V::all(0.0));
        for k in 0..PAIRS {
            self.diagonal[k] = self.x[k] / share;
            self.weighted[k] = self.diagonal[k] * self.gradient[k];
            self.steps[k] = self.step[k] * self.diagonal[k];
        }
        for k in 0..PAIRS {
            of_gradient += self.gradient[k] * self.weighted[k];
            of_steps += self.gradient[k] * self.steps[k];
        }
        self.system.fill(&self.diagonal, &self.weighted, of_gradient);
        self.system.factorise();
        residual.subtract_sums(&self.steps);
        residual.rest[ENTROPY] -= of_steps;
        self.system.solve(residual);
        let eta_step = residual.rest[ENTROPY];
        for row in 0..LETTERS {
            let of_row = residual.of_row(row);
            for (column, of_column) in residual.columns.iter().enumerate() {
                let k = row * LETTERS + column;
                self.step[k] =
                    (self.step[k] + self.gradient[k] * eta_step + *of_column + of_row) * self.diagonal[k];
            }
        }
    }

    /// The whole step, or a part of it that keeps all frequencies above 0.
    #[inline(always)]
    fn step_length(&self) -> V {
        let mut length = V::all(1.0 / SHARE);
        for (x, step) in self.x.iter().zip(&self.step[..]) {
            length = length.or_less((-*x) / *step);
        }
        length * V::all(SHARE)
    }
}

/// A square block of the system.
type Square<V> = [[V; LETTERS]; LETTERS];

/// The symmetric system of the multipliers, then its Cholesky factor, by blocks.
#[derive(Debug)]
struct System<V> {
    /// Columns by columns: a diagonal.
    columns: [V; LETTERS],
    /// `mixed[column][i]`: the `i`-th of rows and entropy by a column.
    mixed: Square<V>,
    /// Rows and entropy among themselves; the lower triangle counts.
    rest: Square<V>,
}

impl<V: Lanes> System<V> {
    /// A · D · Aᵀ for the constraints A: column sums, row sums, and the entropy's gradient, for which it is
    /// `of_gradient`.
    #[inline(always)]
    fn fill(&mut self, diagonal: &LanePairs<V>, weighted: &LanePairs<V>, of_gradient: V) {
        let (columns, rows) = sums(diagonal);
        let (weighted_columns, weighted_rows) = sums(weighted);
        self.columns = columns;
        self.rest = [[V::all(0.0); LETTERS]; LETTERS];
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
                *value = *value / *pivot;
            }
        }
        const HALF: usize = LETTERS / 2;
        for (i, row) in self.rest.iter_mut().enumerate() {
            // Entries right of the diagonal do not count: whole halves let the loop be unrolled.
            if i < HALF {
                reduce::<HALF, V>(row, &self.mixed, i);
            } else {
                reduce::<LETTERS, V>(row, &self.mixed, i);
            }
        }
        for k in 0..LETTERS {
            let pivot = self.rest[k][k].sqrt();
            self.rest[k][k] = pivot;
            let mut below = [V::all(0.0); LETTERS];
            for (row, below) in self.rest.iter_mut().zip(&mut below).skip(k + 1) {
                row[k] = row[k] / pivot;
                *below = row[k];
            }
            for i in k + 1..LETTERS {
                let factor = below[i];
                for (value, other) in self.rest[i][k + 1..=i].iter_mut().zip(&below[k + 1..=i]) {
                    *value -= factor * *other;
                }
            }
        }
    }

    /// Solves the factorised system for a right side, in place.
    #[inline(always)]
    fn solve(&self, right: &mut Multipliers<V>) {
        let Multipliers { columns, rest } = right;
        for ((value, pivot), mixed) in columns.iter_mut().zip(&self.columns).zip(&self.mixed) {
            *value = *value / *pivot;
            for (below, factor) in rest.iter_mut().zip(mixed) {
                *below -= *factor * *value;
            }
        }
        for i in 0..LETTERS {
            let mut value = rest[i];
            for (factor, above) in self.rest[i][..i].iter().zip(&rest[..i]) {
                value -= *factor * *above;
            }
            rest[i] = value / self.rest[i][i];
        }
        for i in (0..LETTERS).rev() {
            rest[i] = rest[i] / self.rest[i][i];
            let value = rest[i];
            for (above, factor) in rest[..i].iter_mut().zip(&self.rest[i]) {
                *above -= *factor * value;
            }
            for (above, mixed) in columns.iter_mut().zip(&self.mixed) {
                *above -= mixed[i] * value;
            }
        }
        for (value, pivot) in columns.iter_mut().zip(&self.columns) {
            *value = *value / *pivot;
        }
    }
}

/// Reduces the first `N` entries of row `i` by the columns' block.
#[inline(always)]
fn reduce<const N: usize, V: Lanes>(row: &mut [V; LETTERS], mixed: &Square<V>, i: usize) {
    let mut values = [V::all(0.0); N];
    values.copy_from_slice(&row[..N]);
    for column in mixed {
        let factor = column[i];
        for (value, other) in values.iter_mut().zip(column) {
            *value -= factor * *other;
        }
    }
    row[..N].copy_from_slice(&values);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::align::composition::counts::Composition;
    use crate::engine::align::composition::matrix::joint_probabilities;
    use crate::scoring::PairFrequencies;
    use crate::sequence::alphabet::encode;

    fn margin_of(text: &str, background: &Frequencies) -> Frequencies {
        let codes: Vec<u8> = text.bytes().filter_map(encode).collect();
        Composition::of(&codes).expect("amino acids").with_pseudocounts(background)
    }

    fn alone(q: &Pairs, margins: Margins<'_>) -> Option<Pairs> {
        optimize(q, &[margins]).pop().flatten()
    }

    const QUERY: &str = "MKKLLPTAAAGLLLLAAQPAMAMKKEEDKKLEKEWGHTREVCNYFIS";
    const SUBJECT: &str =
        "MSTNPKPQRKTKRNTNRRPQDVKFPGGGQIVGGVYLLPRRGPRLGVRATRKTSERSQPRGRRQPIPKARRPEGRTWAQPGYPWPL";

    #[test]
    fn the_solution_has_the_margins_and_the_relative_entropy_that_were_asked_for() {
        let (q, background) = joint_probabilities(PairFrequencies::of("BLOSUM62").expect("known"));
        let (rows, columns) = (margin_of(QUERY, &background), margin_of(SUBJECT, &background));
        let x = alone(&q, Margins { rows: &rows, columns: &columns }).expect("convergence");
        let (column_sums, row_sums) = sums(&x);
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
    fn margins_that_are_no_distribution_do_not_converge() {
        let (q, background) = joint_probabilities(PairFrequencies::of("BLOSUM62").expect("known"));
        let nowhere = Margins { rows: &[f64::NAN; LETTERS], columns: &background };
        assert_eq!(alone(&q, nowhere), None);
        let fine = Margins { rows: &background, columns: &background };
        let among_others = optimize(&q, &[fine, nowhere, fine]);
        assert_eq!(among_others.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Alone, with which others and in which place: each solution has the same bits.
        #[test]
        fn what_goes_side_by_side_does_not_matter(
            counts in prop::collection::vec([prop::collection::vec(0..60u8, LETTERS), prop::collection::vec(0..60u8, LETTERS)], 1..20),
        ) {
            let (q, background) = joint_probabilities(PairFrequencies::of("BLOSUM62").expect("known"));
            let mixed = |counts: &Vec<u8>| -> Frequencies {
                let total = counts.iter().map(|&count| f64::from(count)).sum::<f64>() + 20.0;
                std::array::from_fn(|i| (f64::from(counts[i]) + 20.0 * background[i]) / total)
            };
            let all: Vec<[Frequencies; 2]> = counts.iter().map(|[a, b]| [mixed(a), mixed(b)]).collect();
            let margins: Vec<Margins<'_>> =
                all.iter().map(|[rows, columns]| Margins { rows, columns }).collect();
                let together = optimize(&q, &margins);
            for (margins, together) in margins.iter().zip(together) {
                let bits = |found: Option<Pairs>| found.map(|x| x.map(f64::to_bits));
                prop_assert_eq!(bits(alone(&q, *margins)), bits(together));
            }
        }
    }
}
