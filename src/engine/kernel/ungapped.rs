//! Ungapped X-drop extensions in bytes: which of them come to nothing.
//!
//! Hardly any second word hit leads to an HSP, and of all others only one thing matters: up to
//! where the extension has covered its diagonal. [`UngappedKernel`] finds that without a branch per
//! pair: the scores of 32 pairs on either side at once, their running sums, the running maxima of
//! these, and the first place where a sum is too far below its maximum. Extensions that go on beyond
//! these pairs are done once more with 64 on either side. What goes on even then, or scores enough to
//! be kept, is left to [`from_second_hit`](crate::engine::select::extension::from_second_hit), the twin.

use super::processor::Avx512Permutations;
use crate::scoring::Scores;
use crate::sequence::alphabet::{ALPHABET_SIZE, SENTINEL};

/// Pairs on either side of the middle that are looked at first.
pub(super) const REACH: usize = 32;
/// Pairs on either side that are looked at if those do not end the extension.
pub(super) const FAR_REACH: usize = 2 * REACH;
/// Rows of scores in a table.
const ROWS: usize = 4;
/// Width of a row of scores in a table.
const STRIDE: usize = 32;

/// A second word hit on a diagonal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct SecondHit {
    /// Position of the word in the joined queries.
    pub(in crate::engine) query_at: u32,
    /// Position of the word in the subject.
    pub(in crate::engine) subject_at: u32,
    /// Residues between this hit and the first.
    pub(in crate::engine) distance: u32,
}

/// What is to be known of the extension of a second hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Outcome(pub(super) i32);

impl Outcome {
    /// The extension did not reach the first hit, and is not kept.
    pub(in crate::engine) const NOTHING: Self = Self(-1);
    /// The twin has to find out.
    pub(in crate::engine) const UNKNOWN: Self = Self(-2);

    /// The extension has covered the diagonal up to a subject position, and is not kept.
    pub(in crate::engine) fn covered(subject_at: u32) -> Self {
        Self(subject_at as i32)
    }

    /// Whether the diagonal has been covered up to a position that is known.
    #[inline]
    pub(in crate::engine) fn has_covered(self) -> bool {
        self.0 >= 0
    }

    /// The subject position up to which the diagonal has been covered, if that is known; otherwise a
    /// position behind every subject.
    #[inline]
    pub(in crate::engine) fn covered_to(self) -> u32 {
        self.0 as u32
    }
}

/// Joined queries as the kernel reads them, with sentinels on either side to look into.
#[derive(Debug)]
pub(in crate::engine) struct KernelQueries {
    /// Per residue: its row, and its table.
    pub(super) places: Vec<u8>,
    /// Per residue the drop-off of its query's extensions.
    pub(super) drop_offs: Vec<u8>,
    /// Score from which an extension may be kept.
    pub(super) limit: i8,
}

/// A subject as the kernel reads it, with sentinels on either side to look into.
#[derive(Debug, Default)]
pub(in crate::engine) struct KernelSubject(pub(super) Vec<u8>);

impl KernelSubject {
    /// Becomes the subject `residues`.
    pub(in crate::engine) fn fill(&mut self, residues: &[u8]) {
        self.0.clear();
        self.0.resize(FAR_REACH, SENTINEL);
        self.0.extend_from_slice(residues);
        self.0.resize(FAR_REACH + residues.len() + FAR_REACH, SENTINEL);
    }
}

/// Scores of four query codes against all subject codes.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Table(pub(super) [i8; ROWS * STRIDE]);

/// The scoring of a search, in bytes.
#[derive(Debug)]
pub(in crate::engine) struct UngappedKernel {
    /// Tables of all query codes.
    pub(super) tables: [Table; ALPHABET_SIZE / ROWS],
    /// Residues of a word.
    pub(super) word: usize,
    avx512: Avx512Permutations,
}

impl UngappedKernel {
    /// A kernel for extensions of words of `word` residues with these scores. `None` if the processor
    /// lacks AVX-512 with VBMI or the scores do not fit bytes.
    pub(in crate::engine) fn new(scores: &Scores, word: usize) -> Option<Self> {
        let avx512 = Avx512Permutations::used().filter(|_| word <= REACH / 2)?;
        let mut tables = [const { Table([i8::MIN; ROWS * STRIDE]) }; ALPHABET_SIZE / ROWS];
        for query in 0..ALPHABET_SIZE {
            for subject in 0..ALPHABET_SIZE {
                let score = scores.score(query as u8, subject as u8);
                // The lowest byte ends every extension, as the score of a pair with a sentinel does.
                let ends = query == usize::from(SENTINEL) || subject == usize::from(SENTINEL);
                let score = if ends { i8::MIN } else { i8::try_from(score).ok()? };
                tables[query / ROWS].0[query % ROWS * STRIDE + subject] = score;
            }
        }
        Some(Self { tables, word, avx512 })
    }

    /// Joined queries for this kernel; their extensions have these drop-offs, and those that score
    /// less than `limit` are not kept. `None` if bytes cannot tell.
    ///
    /// The first sum that saturates is one of a run of pairs. If it is too low, the drop-off ends the
    /// extension there, since none exceeds 64; if it is too high, the run starts at no less than minus
    /// the drop-off and so ends at the limit or above.
    pub(in crate::engine) fn queries(
        &self,
        residues: &[u8],
        drop_offs: &[u16],
        limit: i32,
    ) -> Option<KernelQueries> {
        let largest = i32::from(*drop_offs.iter().max()?);
        if largest > 64 || limit > i32::from(i8::MAX) - largest || limit <= 0 {
            return None;
        }
        if residues.iter().any(|&code| usize::from(code) >= ALPHABET_SIZE) {
            return None;
        }
        let place = |code: &u8| (code % ROWS as u8 * STRIDE as u8) | (code / ROWS as u8);
        let mut places = vec![SENTINEL; FAR_REACH];
        places.extend(residues.iter().map(place));
        places.resize(places.len() + FAR_REACH, SENTINEL);
        let drop_offs = drop_offs.iter().map(|&x| x as u8).collect();
        Some(KernelQueries { places, drop_offs, limit: limit as i8 })
    }

    /// Extends second hits; an outcome for each. Hits that lie outside are [`Outcome::UNKNOWN`].
    pub(in crate::engine) fn extend(
        &self,
        queries: &KernelQueries,
        subject: &KernelSubject,
        hits: &[SecondHit],
        outcomes: &mut Vec<Outcome>,
    ) {
        outcomes.clear();
        extend(self, queries, subject, hits, outcomes);
    }

    /// Score of a pair, given the place of its query residue.
    #[inline]
    pub(super) fn score(&self, place: u8, residue: u8) -> i8 {
        let table = usize::from(place) % STRIDE;
        let within = usize::from(place) / STRIDE * STRIDE + usize::from(residue) % STRIDE;
        self.tables.get(table).map_or(i8::MIN, |table| table.0[within % (ROWS * STRIDE)])
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for a processor with AVX-512")]
fn extend(
    kernel: &UngappedKernel,
    queries: &KernelQueries,
    subject: &KernelSubject,
    hits: &[SecondHit],
    outcomes: &mut Vec<Outcome>,
) {
    let _: Avx512Permutations = kernel.avx512;
    // SAFETY: there are these parts of AVX-512, as the kernel's field proves.
    unsafe { super::ungapped_avx512::extend(kernel, queries, subject, hits, outcomes) }
}

#[cfg(not(target_arch = "x86_64"))]
fn extend(
    _: &UngappedKernel,
    _: &KernelQueries,
    _: &KernelSubject,
    hits: &[SecondHit],
    outcomes: &mut Vec<Outcome>,
) {
    outcomes.resize(hits.len(), Outcome::UNKNOWN);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::select::extension::from_second_hit;
    use crate::scoring::{Matrix, MatrixName};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]
        #[test]
        fn kernel_and_twin_agree(
            query in prop::collection::vec(1..28u8, 8..300),
            changes in prop::collection::vec((0..300usize, 0..28u8), 0..250),
            (query_at, distance) in (0.0..1.0f64, 3..40u32),
            name in prop::sample::select(MatrixName::ALL.to_vec()),
            (x, limit) in (1..=64u16, 1..=63i32),
        ) {
            // The same diagonal, with a sentinel or two where queries meet.
            let mut subject = query.clone();
            let mut query = query;
            for (place, code) in changes {
                let place = place % subject.len();
                if code == SENTINEL { query[place] = SENTINEL } else { subject[place] = code }
            }
            let matrix = Matrix::new(name);
            let at = 3 + ((query.len() - 6) as f64 * query_at) as u32;
            let hit = SecondHit { query_at: at, subject_at: at, distance: distance.min(at) };
            let twin = from_second_hit((&query, &subject), hit, 3, &matrix, i32::from(x));
            if let Some(kernel) = UngappedKernel::new(matrix.scores(), 3) {
                let queries = kernel.queries(&query, &vec![x; query.len()], limit).expect("bytes can tell");
                let mut kernel_subject = KernelSubject::default();
                kernel_subject.fill(&subject);
                let mut outcomes = Vec::new();
                kernel.extend(&queries, &kernel_subject, &[hit], &mut outcomes);
                let covered = twin.covered.map_or(Outcome::NOTHING, Outcome::covered);
                if outcomes != [Outcome::UNKNOWN] {
                    prop_assert_eq!(outcomes, [covered]);
                    prop_assert!(twin.score < limit);
                } else {
                    let middle = twin.subject_start.min(at as usize);
                    let is_long = at as usize > middle + 32 || twin.covered.is_some_and(|to| to > at + 24)
                        || at >= 60;
                    prop_assert!(twin.score >= limit || is_long, "{:?} should be known", twin);
                }
            }
        }
    }

    #[test]
    fn hits_outside_and_values_that_do_not_fit_are_left_to_the_twin() {
        let matrix = Matrix::blosum62();
        let Some(kernel) = UngappedKernel::new(matrix.scores(), 3) else {
            return;
        };
        assert!(kernel.queries(&[1, 2, 3], &[65; 3], 40).is_none());
        assert!(kernel.queries(&[1, 2, 3], &[64; 3], 64).is_none());
        assert!(kernel.queries(&[1, 2, 28], &[16; 3], 40).is_none());
        let queries = kernel.queries(&[1, 2, 3, 4], &[16; 4], 40).expect("bytes can tell");
        let (mut subject, mut outcomes) = (KernelSubject::default(), Vec::new());
        subject.fill(&[1, 2, 3, 4]);
        let hit = |at| SecondHit { query_at: at, subject_at: at, distance: 3 };
        kernel.extend(&queries, &subject, &[hit(200), hit(u32::MAX >> 1)], &mut outcomes);
        assert_eq!(outcomes, [Outcome::UNKNOWN; 2]);
    }
}
