//! How much of a query lies under the alignments of a subject.

use crate::engine::Hit;

/// Residues of the query that lie under at least one HSP of the subject.
pub(super) fn covered(hit: &Hit) -> u64 {
    let mut ranges: Vec<_> = hit.hsps.iter().map(|hsp| (hsp.query.start, hsp.query.end)).collect();
    ranges.sort_unstable();
    let (mut covered, mut reached) = (0u64, 0);
    for (start, end) in ranges {
        let start = start.max(reached);
        covered += u64::from(end.saturating_sub(start));
        reached = reached.max(end);
    }
    covered
}

/// Percentage of a query of `length` residues, rounded, but 100 only for all of it.
pub(super) fn percent_of(residues: u64, length: usize) -> u64 {
    let length = length.max(1) as u64;
    if residues >= length { 100 } else { ((200 * residues + length) / (2 * length)).min(99) }
}
