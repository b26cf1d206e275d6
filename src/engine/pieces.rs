//! Long queries are searched in pieces.
//!
//! blastp joins the queries of a batch and cuts what has 19,800 residues or more into pieces of about
//! 10,000 that overlap. Up to the preliminary list limit each piece of a query is searched as if it were
//! a query by itself: with its own masks, statistics and cutoffs. What has been found for the pieces is
//! then stitched together (`stitch`) and aligned with the whole query (ADR 11).
//!
//! Source: `api/split_query_aux_priv.cpp`, `api/split_query_cxx.cpp`, `api/prelim_stage.cpp`.

use std::ops::Range;

use super::options::SearchOptions;

/// Residues of a piece, about.
const PIECE: usize = 10_000;
/// Residues that a piece shares with the next one.
pub(super) const OVERLAP: usize = 100;

impl SearchOptions {
    /// The pieces in which queries of these lengths, which blastp reads as one batch, are searched; none
    /// for those that are searched as a whole.
    ///
    /// Ranges are in residues of the whole queries. A short query may lie in two pieces, and one piece may
    /// be a whole query, the lower case of which is not taken as usual then.
    pub fn pieces(&self, batch: &[usize]) -> Vec<Vec<Range<u32>>> {
        let mut end = 0;
        let joined: Vec<Range<usize>> = batch
            .iter()
            .map(|&length| {
                let start = end;
                end += self.searched_range(length).len();
                start..end
            })
            .collect();
        let cuts = if self.ungapped { Vec::new() } else { cuts(end) };
        let pieces_of = |(query, &length): (&Range<usize>, &usize)| {
            let skipped = self.searched_range(length).start;
            let shared = |cut: &Range<usize>| cut.start.max(query.start)..cut.end.min(query.end);
            let in_query = |part: Range<usize>| {
                (part.start - query.start + skipped) as u32..(part.end - query.start + skipped) as u32
            };
            let pieces: Vec<_> =
                cuts.iter().map(shared).filter(|part| !part.is_empty()).map(in_query).collect();
            if pieces.len() > 1 || self.masking.lower_case { pieces } else { Vec::new() }
        };
        joined.iter().zip(batch).map(pieces_of).collect()
    }
}

/// Where `total` joined residues are cut.
fn cuts(total: usize) -> Vec<Range<usize>> {
    let count = total / (PIECE - OVERLAP);
    if count <= 1 {
        return Vec::new();
    }
    let mut size = (total + (count - 1) * OVERLAP) / count;
    if count < size - OVERLAP {
        size += 1;
    }
    let step = size - OVERLAP;
    (0..count)
        .map(|place| {
            let start = place * step;
            start..if place + 1 == count { total } else { (start + size).min(total) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_19_800_residues_and_more_are_cut_evenly() {
        assert!(cuts(19_799).is_empty());
        assert_eq!(cuts(19_800), [0..9_951, 9_851..19_800]);
        assert_eq!(cuts(35_213), [0..11_805, 11_705..23_510, 23_410..35_213]);
    }

    #[test]
    fn queries_lie_in_the_pieces_of_their_batch() {
        let options = SearchOptions::default();
        assert!(options.pieces(&[9_000, 10_799]).iter().all(Vec::is_empty));
        let pieces = options.pieces(&[9_000, 900, 20, 270, 9_700]);
        let expected: [&[Range<u32>]; 5] = [&[], &[0..900, 896..900], &[0..20, 0..20], &[0..76, 0..270], &[]];
        assert_eq!(pieces, expected);
    }
}
