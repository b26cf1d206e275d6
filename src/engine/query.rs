//! Queries as they are asked with and as they are searched: a part of them, masked or not.
//!
//! Source: `core/blast_filter.c` (`BlastSetUp_GetFilteringLocations`, `BlastSetUp_MaskQuery`,
//! `BLAST_ComplementMaskLocations`).

use std::borrow::Cow;
use std::ops::Range;

use super::options::SearchOptions;
use crate::sequence::alphabet::X;

/// A query as it was read.
#[derive(Clone, Copy, Debug)]
pub struct QuerySequence<'a> {
    /// Residue codes of the whole query.
    pub residues: &'a [u8],
    /// Where it was written in lower case; 0-based, half-open, ascending.
    pub lower_case: &'a [Range<u32>],
    /// What is searched of it one by one, as [`SearchOptions::pieces`] cuts it; none if it is searched as a
    /// whole.
    pub pieces: &'a [Range<u32>],
}

impl QuerySequence<'_> {
    /// How many lists of candidates a part of the database has for it.
    pub fn lists(&self) -> usize {
        self.pieces.len().max(1)
    }
}

/// A query as it is searched.
#[derive(Clone, Debug)]
pub struct SearchedQuery<'a> {
    /// Which part of the whole query this is; positions below count from its start.
    pub range: Range<usize>,
    /// Which of the pieces of the query this is, unless it is all that is searched of it.
    pub(super) piece: Option<usize>,
    /// The residues that reports show and that identities are counted by.
    pub shown: &'a [u8],
    /// The residues that are compared: X where the query is masked, unless masks are soft.
    pub compared: Cow<'a, [u8]>,
    /// The masked stretches, in which no word starts an alignment; ascending.
    pub masked: Vec<Range<usize>>,
}

impl<'a> SearchedQuery<'a> {
    /// What a search with `options` takes of a query.
    pub fn new(query: QuerySequence<'a>, options: &SearchOptions) -> Self {
        let range = options.searched_range(query.residues.len());
        let masked = query.lower_case.iter().map(|lower| {
            let (start, end) = (lower.start as usize, lower.end as usize);
            start.saturating_sub(range.start)..end.min(range.end).saturating_sub(range.start)
        });
        Self::in_range(query, range.clone(), masked, options)
    }

    /// The query, or each of its pieces.
    pub(super) fn pieces(query: QuerySequence<'a>, options: &SearchOptions) -> impl Iterator<Item = Self> {
        let whole = query.pieces.is_empty().then(|| Self::new(query, options));
        let skipped = options.searched_range(query.residues.len()).start;
        let pieces = query.pieces.iter().enumerate().map(move |(piece, range)| {
            let range = range.start as usize..range.end as usize;
            let masked = query.lower_case.iter().map(|lower| lower_case_of_piece(lower, &range, skipped));
            Self { piece: Some(piece), ..Self::in_range(query, range.clone(), masked, options) }
        });
        whole.into_iter().chain(pieces)
    }

    /// Whether its comparisons count: those of the pieces of a query are one together.
    pub(super) fn is_counted(&self) -> bool {
        self.piece.is_none_or(|piece| piece == 0)
    }

    /// The residues with X wherever the query is masked, softly or not.
    pub(super) fn without_masked(&self) -> Cow<'_, [u8]> {
        let mut residues = Cow::Borrowed(&*self.compared);
        for part in &self.masked {
            residues.to_mut()[part.clone()].fill(X);
        }
        residues
    }

    /// A part of the query of which `lower_case` is written in lower case, counted from its start.
    fn in_range(
        query: QuerySequence<'a>,
        range: Range<usize>,
        lower_case: impl Iterator<Item = Range<usize>>,
        options: &SearchOptions,
    ) -> Self {
        let shown = &query.residues[range.clone()];
        let masking = &options.masking;
        let mut masked = masking.seg.map(|seg| seg.find(shown)).unwrap_or_default();
        if masking.lower_case {
            masked.extend(lower_case.filter(|lower| !lower.is_empty()));
        }
        join_overlapping(&mut masked);
        let mut compared = Cow::Borrowed(shown);
        if !masking.soft {
            for part in &masked {
                compared.to_mut()[part.clone()].fill(X);
            }
        }
        Self { range, piece: None, shown, compared, masked }
    }
}

/// What blastp takes for lower case in a piece of a query, counted from its start: it does not look at the
/// last residue, masks one residue more than there are, and forgets those that are skipped before the query
/// when it looks where the piece lies (`objects/seq/seqlocinfo.cpp:TMaskedQueryRegions::RestrictToSeqInt`,
/// `api/split_query_cxx.cpp`).
fn lower_case_of_piece(lower: &Range<u32>, piece: &Range<usize>, skipped: usize) -> Range<usize> {
    let start = (lower.start as usize).max(piece.start - skipped);
    let end = (lower.end as usize).min(piece.end - skipped - 1);
    if start >= end {
        return 0..0;
    }
    start.saturating_sub(piece.start)..(end + 1).min(piece.end).saturating_sub(piece.start)
}

/// Sorts ranges and joins those that overlap by two residues at least; blastp keeps others apart.
fn join_overlapping(ranges: &mut Vec<Range<usize>>) {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let overlap = next.start + 1 < last.end;
        if overlap {
            last.end = last.end.max(next.end);
        }
        overlap
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Masking, QueryLocation, Seg};
    use crate::sequence::alphabet::encode;

    const TEXT: &[u8] = b"MKVLAAGICWHTREQNDYPFMSSSSSSSSSSSSSSMKVLAAGICWHTREQNDYPF";

    fn searched(masking: Masking, location: Option<QueryLocation>) -> (String, Vec<Range<usize>>, usize) {
        let residues: Vec<u8> = TEXT.iter().copied().filter_map(encode).collect();
        let options = SearchOptions { masking, query_location: location, ..SearchOptions::default() };
        let query = QuerySequence { residues: &residues, lower_case: &[2..4, 50..55], pieces: &[] };
        let searched = SearchedQuery::new(query, &options);
        let letters =
            searched.compared.iter().map(|&code| char::from(crate::sequence::alphabet::decode(code)));
        (letters.collect(), searched.masked.clone(), searched.shown.len())
    }

    #[test]
    fn hard_masks_hide_residues_and_soft_ones_only_words() {
        let seg = Masking { seg: Some(Seg::QUERY), ..Masking::default() };
        let (letters, masked, _) = searched(seg, None);
        assert_eq!(letters, "MKVLAAGICWHTREQNDYPFMXXXXXXXXXXXXXXMKVLAAGICWHTREQNDYPF");
        assert_eq!(masked.as_slice(), std::slice::from_ref(&(21..35)));
        let (letters, masked, _) = searched(Masking { soft: true, ..seg }, None);
        assert_eq!(letters.as_bytes(), TEXT);
        assert_eq!(masked.as_slice(), std::slice::from_ref(&(21..35)));
        let (letters, masked, _) = searched(Masking { lower_case: true, ..seg }, None);
        assert_eq!(letters, "MKXXAAGICWHTREQNDYPFMXXXXXXXXXXXXXXMKVLAAGICWHTREQXXXXX");
        assert_eq!(masked, [2..4, 21..35, 50..55]);
    }

    #[test]
    fn masks_that_overlap_are_joined_but_for_one_residue() {
        let mut ranges = vec![21..35, 35..37, 3..5, 20..23, 4..5, 6..8, 36..40];
        join_overlapping(&mut ranges);
        assert_eq!(ranges, [3..5, 4..5, 6..8, 20..35, 35..37, 36..40]);
    }

    #[test]
    fn lower_case_of_pieces_is_what_blastp_takes_for_it() {
        let of_piece = |lower, skipped| lower_case_of_piece(&lower, &(100..200), skipped);
        assert_eq!(of_piece(120..130, 0), 20..31);
        assert_eq!(of_piece(90..130, 0), 0..31);
        assert_eq!(of_piece(150..199, 0), 50..100);
        assert_eq!(of_piece(150..300, 0), 50..100);
        assert!(of_piece(199..210, 0).is_empty());
        assert!(of_piece(50..100, 0).is_empty());
        assert_eq!(of_piece(120..130, 20), 20..31);
        assert!(of_piece(185..190, 20).is_empty());
        assert_eq!(of_piece(90..110, 20), 0..11);
    }

    #[test]
    fn masks_are_cut_to_the_part_that_is_searched() {
        let masking = Masking { lower_case: true, ..Masking::default() };
        let part = |text: &str| Some(text.parse::<QueryLocation>().expect("a location"));
        let (letters, masked, shown) = searched(masking, part("4-53"));
        assert_eq!((letters.len(), shown), (50, 50));
        assert_eq!(masked, [0..1, 47..50]);
        assert!(letters.starts_with("XAAG") && letters.ends_with("QXXX"), "{letters}");
        assert_eq!(searched(masking, part("54-90")).2, 2);
        assert_eq!(searched(masking, part("56-90")).2, 0);
    }
}
