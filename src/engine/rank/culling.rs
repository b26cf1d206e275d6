//! Culling: a hit is dropped if better hits of the same region of the query are many
//! (`core/hspfilter_culling.c`; the method is that of Berman et al., J. Comput. Biol. 7:293, 2000).
//!
//! What is left depends on the order in which hits come, for three reasons: better hits that have
//! themselves been dropped no longer count; hits lie in a tree of halves of the query, and are only
//! compared along its branches, which fork as they fill; and a hit that spans a whole branch counts
//! against all hits there, better or not. So parts of a database cannot be culled apart.

use super::contest::Contender;

/// Hits at a leaf from which on it forks.
const FORKING: usize = 20;

/// Which of `contenders` stay, in no particular order. Each is dropped once `limit` better ones of its
/// region of the query, which has `query_length` residues, have come while it was there.
pub(in crate::engine) fn culled(
    contenders: impl IntoIterator<Item = Contender>,
    limit: usize,
    query_length: usize,
) -> Vec<Contender> {
    let mut root = Node::over((0, query_length));
    for contender in contenders {
        root.offer(Entry { contender, merit: limit });
    }
    let mut left = Vec::new();
    root.collect(&mut left);
    left
}

/// A hit that has not been dropped.
#[derive(Clone, Copy, Debug)]
struct Entry {
    contender: Contender,
    /// How many more better hits drop it; above 0.
    merit: usize,
}

impl Entry {
    /// Counts one better hit; whether the hit stays.
    fn endure(&mut self) -> bool {
        self.merit -= 1;
        self.merit > 0
    }
}

/// Whether `better` counts against `other`: it covers half of it at least, and the differences in score
/// (twice) and in length add up to an advantage.
fn dominates(better: &Contender, other: &Contender) -> bool {
    let length = |hit: &Contender| (hit.query.1 - hit.query.0) as i64;
    let (l1, l2) = (length(better), length(other));
    let (s1, s2) = (i64::from(better.score), i64::from(other.score));
    let overlap = better.query.1.min(other.query.1) as i64 - better.query.0.max(other.query.0) as i64;
    if 2 * overlap < l2 {
        return false;
    }
    let advantage = 4 * s1 * l1 + 2 * s1 * l2 - 2 * s2 * l1 - 4 * s2 * l2;
    let alike = s1 == s2 && better.query.0 == other.query.0 && l1 == l2;
    if !alike && advantage != 0 {
        return advantage > 0;
    }
    if s1 != s2 {
        return s1 > s2;
    }
    if better.ordinal != other.ordinal {
        return better.ordinal < other.ordinal;
    }
    better.subject_start <= other.subject_start
}

/// A part of the query with the hits that lie in it and in neither half of it, if it has halves.
#[derive(Debug)]
struct Node {
    range: (usize, usize),
    left: Option<Box<Node>>,
    right: Option<Box<Node>>,
    entries: Vec<Entry>,
}

/// Where a range lies in a node.
enum Half {
    Left,
    Right,
    Both,
}

impl Node {
    fn over(range: (usize, usize)) -> Self {
        Self { range, left: None, right: None, entries: Vec::new() }
    }

    fn middle(&self) -> usize {
        usize::midpoint(self.range.0, self.range.1)
    }

    fn half_of(&self, contender: &Contender) -> Half {
        let middle = self.middle();
        match contender.query {
            (_, end) if end < middle => Half::Left,
            (start, _) if start > middle => Half::Right,
            _ => Half::Both,
        }
    }

    fn is_leaf(&self) -> bool {
        self.left.is_none() && self.right.is_none()
    }

    /// Takes a hit in, unless it is dropped at once, and drops those that it was one too many for.
    fn offer(&mut self, mut entry: Entry) {
        for other in &self.entries {
            if dominates(&other.contender, &entry.contender) && !entry.endure() {
                return;
            }
        }
        let child = match self.half_of(&entry.contender) {
            Half::Left => self.left.as_mut(),
            Half::Right => self.right.as_mut(),
            Half::Both => None,
        };
        match child {
            Some(child) => child.offer(entry),
            None => self.settle(entry),
        }
    }

    fn settle(&mut self, entry: Entry) {
        self.weigh(&entry.contender);
        self.entries.push(entry);
        if !self.is_leaf() {
            spread(&mut self.left, &entry.contender);
            spread(&mut self.right, &entry.contender);
        } else if self.entries.len() >= FORKING {
            self.fork();
        }
    }

    /// Counts a hit against those of this node that it dominates.
    fn weigh(&mut self, contender: &Contender) {
        self.entries.retain_mut(|entry| !dominates(contender, &entry.contender) || entry.endure());
    }

    fn fork(&mut self) {
        let middle = self.middle();
        for entry in std::mem::take(&mut self.entries) {
            let (child, range) = match self.half_of(&entry.contender) {
                Half::Left => (&mut self.left, (self.range.0, middle)),
                Half::Right => (&mut self.right, (middle, self.range.1)),
                Half::Both => {
                    self.entries.push(entry);
                    continue;
                }
            };
            child.get_or_insert_with(|| Box::new(Self::over(range))).entries.push(entry);
        }
    }

    fn collect(self, left: &mut Vec<Contender>) {
        left.extend(self.entries.into_iter().map(|entry| entry.contender));
        for child in [self.left, self.right].into_iter().flatten() {
            child.collect(left);
        }
    }
}

/// Counts a hit against those of a branch; cuts the branch off if nothing is left of it.
fn spread(branch: &mut Option<Box<Node>>, contender: &Contender) {
    let Some(node) = branch else { return };
    if contender.query.0 <= node.range.0 && contender.query.1 >= node.range.1 {
        spread_over(branch);
        return;
    }
    if node.is_leaf() {
        node.weigh(contender);
    } else {
        match node.half_of(contender) {
            Half::Left => return spread(&mut node.left, contender),
            Half::Right => return spread(&mut node.right, contender),
            Half::Both => {
                spread(&mut node.left, contender);
                spread(&mut node.right, contender);
                node.weigh(contender);
            }
        }
    }
    if node.entries.is_empty() && node.is_leaf() {
        *branch = None;
    }
}

/// Counts a hit against all of a branch.
fn spread_over(branch: &mut Option<Box<Node>>) {
    let Some(node) = branch else { return };
    spread_over(&mut node.left);
    spread_over(&mut node.right);
    node.entries.retain_mut(Entry::endure);
    if node.entries.is_empty() && node.is_leaf() {
        *branch = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(ordinal: u64, score: i32, query: (usize, usize)) -> Contender {
        Contender { ordinal, score, query, subject_start: 0, evalue: 0.0, place: (ordinal as usize, 0) }
    }

    fn left(contenders: &[Contender], limit: usize) -> Vec<u64> {
        let mut left: Vec<u64> =
            culled(contenders.iter().copied(), limit, 1_000).iter().map(|c| c.ordinal).collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn a_hit_is_dropped_by_enough_better_ones_of_its_region() {
        let hits = [
            contender(0, 50, (10, 100)),
            contender(1, 60, (10, 100)),
            contender(2, 70, (15, 100)),
            contender(3, 40, (300, 400)),
            contender(4, 50, (10, 100)),
        ];
        assert_eq!(left(&hits, 1), [2, 3]);
        assert_eq!(left(&hits, 2), [1, 2, 3]);
        assert_eq!(left(&hits, 3), [0, 1, 2, 3], "of equals the earlier sequence stays");
        assert_eq!(left(&hits, 4), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn half_of_a_hit_has_to_be_covered() {
        let hits = |start| [contender(0, 90, (0, 100)), contender(1, 30, (start, start + 100))];
        assert_eq!(left(&hits(50), 1), [0]);
        assert_eq!(left(&hits(51), 1), [0, 1]);
    }

    /// Hits 0 and 1 each lie at a leaf when hit 22, which scores less, spans the branch.
    #[test]
    fn a_hit_that_spans_a_branch_counts_against_all_hits_there() {
        let mut hits: Vec<Contender> =
            (0..22).map(|i| contender(i, 90, (10 + 20 * i as usize, 25 + 20 * i as usize))).collect();
        assert_eq!(left(&hits, 1).len(), 22);
        hits.push(contender(22, 20, (0, 600)));
        assert_eq!(left(&hits, 1), [22]);
    }

    #[test]
    fn what_is_left_depends_on_the_order() {
        let hits = [contender(0, 50, (0, 100)), contender(1, 60, (40, 150)), contender(2, 75, (90, 180))];
        assert_eq!(left(&hits, 1), [2]);
        let reversed: Vec<Contender> = hits.into_iter().rev().collect();
        assert_eq!(left(&reversed, 1), [0, 2]);
    }
}
