//! Best hits: a hit is dropped if another one spans its region of the query with a better E-value and
//! a clearly higher score per residue (`core/hspfilter_besthit.c`).
//!
//! What is left depends on the order in which hits come, since hits that have been dropped no longer
//! count, and a new hit is compared with wider limits than an old one. So parts of a database cannot
//! be filtered apart.

use super::contest::Contender;

/// How much better a hit has to be.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Margins {
    /// Share of its length by which a hit reaches beyond both ends when it drops others.
    pub(in crate::engine) overhang: f64,
    /// Share by which its score per residue must be higher.
    pub(in crate::engine) score_edge: f64,
}

/// Which of `contenders` stay, by where they start. `roomy` is the number of hits from which on
/// they are held without what they reach beyond their ends.
pub(in crate::engine) fn best(
    contenders: impl IntoIterator<Item = Contender>,
    margins: Margins,
    roomy: usize,
) -> Vec<Contender> {
    let mut list = List { entries: Vec::new(), margins, room: roomy };
    for contender in contenders {
        list.offer(contender);
    }
    list.entries.into_iter().map(|entry| entry.contender).collect()
}

/// A hit that has not been dropped, and the range that it competes for.
#[derive(Clone, Copy, Debug)]
struct Entry {
    contender: Contender,
    begin: i64,
    end: i64,
}

impl Entry {
    fn of(contender: Contender) -> Self {
        Self { contender, begin: contender.query.0 as i64, end: contender.query.1 as i64 }
    }

    fn length(&self) -> i64 {
        (self.contender.query.1 - self.contender.query.0) as i64
    }

    fn density(&self) -> f64 {
        f64::from(self.contender.score) / self.length() as f64
    }
}

/// The hits that stay so far, by where their ranges begin.
struct List {
    entries: Vec<Entry>,
    margins: Margins,
    room: usize,
}

impl List {
    fn offer(&mut self, contender: Contender) {
        let mut new = Entry::of(contender);
        let keep = 1.0 - self.margins.score_edge;
        let dropping_density = new.density() / keep;
        let drops_new = |old: &Entry| {
            old.begin <= new.begin
                && old.end >= new.end
                && old.contender.evalue <= contender.evalue
                && old.density() > dropping_density
        };
        if self.entries.iter().any(drops_new) {
            return;
        }

        let length = new.length() as f64;
        let overhang = self.margins.overhang;
        // Hits that begin within twice what both may reach beyond their ends are looked at.
        let reach = (2.0 * length * overhang / (1.0 - 2.0 * overhang)) as i64;
        let looked_at = new.begin - reach..new.end + reach;
        let beyond = (length * overhang) as i64;
        new.begin -= beyond;
        new.end += beyond;
        let dropped_density = new.density() * keep;
        self.entries.retain(|old| {
            let beyond = (old.end - old.begin - old.length()) / 2;
            let dropped = looked_at.contains(&old.begin)
                && old.begin + beyond >= new.begin
                && old.end - beyond <= new.end
                && old.contender.evalue >= contender.evalue
                && old.density() < dropped_density;
            !dropped
        });
        let place = self.entries.partition_point(|old| old.begin < new.begin);
        self.entries.insert(place, new);
        if self.entries.len() > self.room {
            self.entries.iter_mut().for_each(|entry| *entry = Entry::of(entry.contender));
            self.entries.sort_by_key(|entry| entry.begin);
            self.room = 2 * self.entries.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(ordinal: u64, score: i32, query: (usize, usize)) -> Contender {
        let evalue = 1.0 / f64::from(score);
        Contender { ordinal, score, query, subject_start: 0, evalue, place: (ordinal as usize, 0) }
    }

    fn left(contenders: &[Contender], overhang: f64, score_edge: f64) -> Vec<u64> {
        let hits = contenders.iter().copied();
        best(hits, Margins { overhang, score_edge }, 100).iter().map(|c| c.ordinal).collect()
    }

    #[test]
    fn a_hit_that_another_spans_with_a_clearly_better_score_is_dropped() {
        let hits = [contender(0, 90, (10, 110)), contender(1, 80, (10, 110)), contender(2, 82, (10, 110))];
        assert_eq!(left(&hits, 0.1, 0.1).len(), 2, "82 is within a tenth of 90");
        assert_eq!(left(&hits, 0.1, 0.2).len(), 3);
        let reversed: Vec<Contender> = hits.into_iter().rev().collect();
        assert_eq!(left(&reversed, 0.1, 0.1).len(), 2);
    }

    #[test]
    fn only_a_newer_hit_reaches_beyond_its_ends() {
        let (large, small) = (contender(0, 200, (10, 110)), contender(1, 50, (5, 105)));
        assert_eq!(left(&[small, large], 0.1, 0.1), [0]);
        assert_eq!(left(&[small, large], 0.01, 0.1), [1, 0]);
        // Held with what it reaches beyond, an older one spans more too.
        assert_eq!(left(&[large, small], 0.1, 0.1), [0]);
    }

    #[test]
    fn too_many_hits_are_held_without_what_they_reach_beyond() {
        let (large, small) = (contender(0, 200, (10, 110)), contender(1, 50, (5, 105)));
        let margins = Margins { overhang: 0.1, score_edge: 0.1 };
        let left = best([large, contender(2, 20, (500, 520)), small], margins, 1);
        assert_eq!(left.iter().map(|c| c.ordinal).collect::<Vec<_>>(), [1, 0, 2]);
    }
}
