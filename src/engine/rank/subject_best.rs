//! Best HSPs of a subject (`-subject_besthit`): an HSP is dropped if a better one of the same
//! subject spans its region of the query (`core/blast_hits.c:Blast_HSPListSubjectBestHit`).

/// Residues by which a better HSP reaches beyond its ends (`DEFAULT_SUBJECT_BESTHIT_PROT_MAX_RANGE_DIFF`).
const REACH: usize = 3;

/// Keeps, of the HSPs of one query and subject, best first, those whose range in the query no better one
/// spans.
pub(in crate::engine) fn keep_best_of_subject<T>(hsps: &mut Vec<T>, query: impl Fn(&T) -> (usize, usize)) {
    let mut kept: Vec<(usize, usize)> = Vec::new();
    hsps.retain(|hsp| {
        let (start, end) = query(hsp);
        let spanned =
            kept.iter().any(|better| better.0.saturating_sub(REACH) <= start && end <= better.1 + REACH);
        if !spanned {
            kept.push((start, end));
        }
        !spanned
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hsps_within_a_better_one_of_the_query_are_dropped() {
        let mut hsps = vec![(10, 50), (7, 53), (6, 50), (0, 60), (20, 30), (51, 60)];
        keep_best_of_subject(&mut hsps, |&hsp| hsp);
        assert_eq!(hsps, [(10, 50), (6, 50), (0, 60)]);
    }
}
