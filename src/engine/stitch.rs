//! Stitching together what has been found for pieces of a query, or of a subject.
//!
//! An HSP that reaches beyond the end of a piece has been found twice, cut short both times; so HSPs of
//! neighbouring pieces that meet in what the pieces share become one.
//!
//! Source: `core/blast_hits.c` (`Blast_HSPListsMerge`, `s_BlastMergeTwoHSPs`).

use super::align::containment::by_score;
use super::align::preliminary::PreliminaryHsp;
use super::pieces::OVERLAP;
use super::rank::hit::{Rank, level};

/// HSPs that meet have diagonals less than this apart (`OVERLAP_DIAG_CLOSE`).
const CLOSE: i64 = 10;

/// Adds the HSPs of a further piece, which begins at position `seam` of the query, to those of one query
/// and subject so far; both count positions in the whole query.
pub(super) fn stitch(joined: &mut Vec<PreliminaryHsp>, mut further: Vec<PreliminaryHsp>, seam: usize) {
    // A query within what two pieces share is searched twice; the alignment drops what is the same.
    if seam > 0 {
        let ending = bring_forward(joined, |hsp| hsp.extents.query.1 > seam);
        let mut starting = bring_forward(&mut further, |hsp| hsp.extents.query.0 < seam + OVERLAP);
        for first in &mut joined[..ending] {
            let (mut place, mut absorbed) = (0, 0);
            further.retain(|second| {
                let meets = place < starting && absorb(first, second);
                place += 1;
                absorbed += usize::from(meets);
                !meets
            });
            starting -= absorbed;
        }
    }
    joined.append(&mut further);
    joined.sort_by_key(by_score);
}

/// What a subject with these HSPs is kept by as long as pieces are being joined: as by its rank, but with the
/// score of the HSP that has the best E-value, which may no longer be the one with the best score.
pub(super) fn limit_rank(hsps: &[PreliminaryHsp], ordinal: u64) -> Rank {
    let by_evalue = |a: &&PreliminaryHsp, b: &&PreliminaryHsp| {
        level(a.evalue).total_cmp(&level(b.evalue)).then_with(|| by_score(*a).cmp(&by_score(*b)))
    };
    let score = hsps.iter().min_by(by_evalue).map_or(0, |best| best.extents.score);
    let evalue = hsps.iter().map(|hsp| hsp.evalue).fold(f64::INFINITY, f64::min);
    Rank { evalue, score, ordinal }
}

/// Swaps the HSPs that may meet others to the front; which meets which depends on their order. Returns
/// how many there are.
fn bring_forward(hsps: &mut [PreliminaryHsp], may_meet: impl Fn(&PreliminaryHsp) -> bool) -> usize {
    let mut front = 0;
    for place in 0..hsps.len() {
        if may_meet(&hsps[place]) {
            hsps.swap(front, place);
            front += 1;
        }
    }
    front
}

/// Lets `first` span `second` too if one end of this lies in it; whether it does. The score becomes what
/// the length would have if both scored alike, but no less than either; the E-value stays.
fn absorb(first: &mut PreliminaryHsp, second: &PreliminaryHsp) -> bool {
    let (one, other) = (&mut first.extents, &second.extents);
    let diagonal = |query: usize, subject: usize| query as i64 - subject as i64;
    let apart = diagonal(one.query.1, one.subject.1) - diagonal(other.query.0, other.subject.0);
    let holds = |query: usize, subject: usize| {
        (one.query.0..=one.query.1).contains(&query) && (one.subject.0..=one.subject.1).contains(&subject)
    };
    let meet = holds(other.query.0, other.subject.0) || holds(other.query.1, other.subject.1);
    if apart.abs() >= CLOSE || !meet {
        return false;
    }
    let length = |query: (usize, usize)| (query.1 - query.0) as f64;
    let density = f64::from(one.score + other.score) / (length(one.query) + length(other.query));
    let spanning = |a: (usize, usize), b: (usize, usize)| (a.0.min(b.0), a.1.max(b.1));
    one.query = spanning(one.query, other.query);
    one.subject = spanning(one.subject, other.subject);
    if other.score > one.score {
        one.score = other.score;
        first.start = second.start;
    }
    one.score = one.score.max((density * length(one.query)) as i32);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::align::containment::Extents;

    fn hsp(score: i32, query: (usize, usize), diagonal: usize) -> PreliminaryHsp {
        let subject = (query.0 - diagonal, query.1 - diagonal);
        PreliminaryHsp {
            extents: Extents { score, query, subject },
            start: query,
            evalue: 1.0 / f64::from(score),
        }
    }

    fn stitched(joined: &[PreliminaryHsp], further: &[PreliminaryHsp]) -> Vec<PreliminaryHsp> {
        let mut joined = joined.to_vec();
        stitch(&mut joined, further.to_vec(), 900);
        joined
    }

    #[test]
    fn hsps_that_were_cut_short_at_the_seam_become_one() {
        let (left, right) = (hsp(200, (500, 1_000), 400), hsp(300, (900, 1_300), 405));
        let joined = stitched(&[left], &[right]);
        assert_eq!(joined.len(), 1);
        assert_eq!(joined[0].extents, Extents { score: 444, query: (500, 1_300), subject: (100, 895) });
        assert_eq!((joined[0].start, joined[0].evalue), (right.start, left.evalue));
    }

    #[test]
    fn hsps_that_do_not_meet_stay_apart() {
        let left = hsp(200, (500, 1_000), 400);
        for right in [hsp(300, (900, 1_300), 410), hsp(300, (1_000, 1_300), 400), hsp(300, (950, 960), 490)] {
            assert_eq!(stitched(&[left], &[right]).len(), 2, "{right:?}");
        }
        assert_eq!(stitched(&[hsp(200, (500, 900), 400)], &[hsp(300, (900, 1_300), 400)]).len(), 2);
    }

    #[test]
    fn one_hsp_may_absorb_several() {
        let further = [hsp(90, (910, 1_200), 402), hsp(80, (905, 1_000), 398), hsp(70, (1_200, 1_300), 402)];
        let joined = stitched(&[hsp(200, (500, 1_000), 400), hsp(100, (100, 200), 0)], &further);
        assert_eq!(
            joined.iter().map(|hsp| hsp.extents.query).collect::<Vec<_>>(),
            [(500, 1_200), (100, 200), (1_200, 1_300)]
        );
    }
}
