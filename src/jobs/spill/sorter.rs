//! Sorting hits in memory as far as it goes, and beyond it as sorted runs that are joined when they are read.

use std::cmp::Ordering;

use super::Listed;
use super::file::{Scratch, Stored};
use crate::engine::Hit;
use crate::jobs::error::Result;
use crate::jobs::frame::FrameReader;

/// An order of hits, and which of them are wanted.
#[derive(Clone, Copy, Debug)]
pub(in crate::jobs) struct Order {
    /// How hits of a list stand to each other; better ones are [`Ordering::Less`]. A hit that is added twice
    /// must be equal to itself.
    compare: fn(&Hit, &Hit) -> Ordering,
    /// Whether all of a list come before those of the next; otherwise equals of later lists come first.
    by_lists: bool,
    /// How many of the first of each list are wanted.
    limit: usize,
    /// Whether of equals the one that was added later comes first.
    later_first: bool,
}

impl Order {
    /// List after list, in each by `compare`, and of each all.
    pub(in crate::jobs) fn by_lists(compare: fn(&Hit, &Hit) -> Ordering) -> Self {
        Self { compare, by_lists: true, limit: usize::MAX, later_first: false }
    }

    /// All lists together, equals from the last list to the first.
    pub(in crate::jobs) fn across_lists(compare: fn(&Hit, &Hit) -> Ordering) -> Self {
        Self { by_lists: false, ..Self::by_lists(compare) }
    }

    /// Only so many of the first of each list, of an order by lists.
    pub(in crate::jobs) fn limited_to(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Those that were added later before their equals, if `later_first`.
    pub(in crate::jobs) fn turned(self, later_first: bool) -> Self {
        Self { later_first, ..self }
    }

    fn compare(&self, a: &Listed, b: &Listed) -> Ordering {
        let hits = || (self.compare)(&a.hit, &b.hit);
        if self.by_lists {
            a.list.cmp(&b.list).then_with(hits)
        } else {
            hits().then_with(|| b.list.cmp(&a.list))
        }
    }
}

/// Takes hits in any order and gives them back in one, each subject of a list once.
#[derive(Debug)]
pub(in crate::jobs) struct Sorter {
    order: Order,
    /// Memory that hits may take, bytes.
    room: usize,
    items: Vec<Listed>,
    /// Memory that they take.
    held: usize,
    scratch: Scratch,
    runs: Vec<Stored>,
    /// By list: what is behind this is not wanted.
    floors: Vec<Option<Listed>>,
}

impl Sorter {
    /// A sorter of hits that take up to `room` bytes of memory.
    pub(in crate::jobs) fn new(order: Order, room: usize) -> Self {
        let (items, runs, floors) = (Vec::new(), Vec::new(), Vec::new());
        Self { order, room, items, held: 0, scratch: Scratch::default(), runs, floors }
    }

    /// Adds a hit.
    pub(in crate::jobs) fn add(&mut self, item: Listed) -> Result<()> {
        if let Some(Some(floor)) = self.floors.get(item.list as usize)
            && self.order.compare(&item, floor) == Ordering::Greater
        {
            return Ok(());
        }
        self.held += item.bytes();
        self.items.push(item);
        if self.held > self.room {
            self.make_room()?;
        }
        Ok(())
    }

    /// Forgets what is not wanted, or else writes all to a run.
    fn make_room(&mut self) -> Result<()> {
        let arrived = self.items.len();
        self.sort();
        self.held = self.items.iter().map(Listed::bytes).sum();
        if self.items.len() < arrived && self.held <= self.room / 2 {
            return Ok(());
        }
        self.note_floors();
        let mut run = self.scratch.begin()?;
        self.items.drain(..).try_for_each(|Listed { list, hit }| run.push(&(list, hit)))?;
        self.runs.push(self.scratch.keep(run)?);
        self.held = 0;
        Ok(())
    }

    /// Brings the hits into their order without those that are not wanted.
    fn sort(&mut self) {
        if self.order.later_first {
            self.items.reverse();
        }
        let order = self.order;
        self.items.sort_by(|a, b| order.compare(a, b));
        let mut filter = Filter::new(self.order);
        self.items.retain(|item| filter.lets_pass(item));
    }

    /// Notes the last hit of every list that has as many as are wanted.
    fn note_floors(&mut self) {
        if self.order.limit == usize::MAX {
            return;
        }
        for list in self.items.chunk_by(|a, b| a.list == b.list) {
            if let Some(last) = list.get(self.order.limit.wrapping_sub(1)) {
                let place = last.list as usize;
                if self.floors.len() <= place {
                    self.floors.resize(place + 1, None);
                }
                let floor = &mut self.floors[place];
                if floor.as_ref().is_none_or(|floor| self.order.compare(last, floor) == Ordering::Less) {
                    *floor = Some(last.clone());
                }
            }
        }
    }

    /// The hits in their order.
    pub(in crate::jobs) fn finish(mut self) -> Result<Sorted> {
        self.sort();
        let mut heads = Vec::new();
        for run in &self.runs {
            let mut run = Run::Stored(run.read()?);
            heads.extend(run.next()?.map(|item| (item, run)));
        }
        let mut rest = Run::Held(self.items.into_iter());
        heads.extend(rest.next()?.map(|item| (item, rest)));
        if self.order.later_first {
            heads.reverse();
        }
        Ok(Sorted { order: self.order, filter: Filter::new(self.order), heads, ahead: None })
    }
}

/// Tells which hits of a sorted sequence are wanted.
#[derive(Debug)]
struct Filter {
    limit: usize,
    /// The list and subject of the last hit that passed, and how many of its list did.
    last: Option<(u32, u64)>,
    passed: usize,
}

impl Filter {
    fn new(order: Order) -> Self {
        Self { limit: order.limit, last: None, passed: 0 }
    }

    fn lets_pass(&mut self, item: &Listed) -> bool {
        let subject = (item.list, item.hit.ordinal());
        if self.last == Some(subject) {
            return false;
        }
        if self.last.is_none_or(|(list, _)| list != item.list) {
            self.passed = 0;
        }
        self.last = Some(subject);
        self.passed += 1;
        self.passed <= self.limit
    }
}

/// Sorted hits, from memory or from a file.
enum Run {
    Held(std::vec::IntoIter<Listed>),
    Stored(FrameReader<Stored>),
}

impl Run {
    fn next(&mut self) -> Result<Option<Listed>> {
        match self {
            Self::Held(items) => Ok(items.next()),
            Self::Stored(frame) => Ok(frame.next()?.map(|(list, hit)| Listed { list, hit })),
        }
    }
}

/// Hits in their order.
pub(in crate::jobs) struct Sorted {
    order: Order,
    filter: Filter,
    /// The first hit of each run that is left, with what follows it.
    heads: Vec<(Listed, Run)>,
    /// A hit that was looked at.
    ahead: Option<Listed>,
}

impl Sorted {
    /// The next hit if it is one of `list`, or of those before it.
    pub(in crate::jobs) fn next_of(&mut self, list: u32) -> Result<Option<Listed>> {
        if self.ahead.is_none() {
            self.ahead = self.take()?;
        }
        Ok(self.ahead.take_if(|item| item.list <= list))
    }

    fn take(&mut self) -> Result<Option<Listed>> {
        while let Some(best) = self.best() {
            let (item, run) = &mut self.heads[best];
            let item = match run.next()? {
                Some(next) => std::mem::replace(item, next),
                // Runs stay in their order, which decides between equals.
                None => self.heads.remove(best).0,
            };
            if self.filter.lets_pass(&item) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// The run whose head comes first.
    fn best(&self) -> Option<usize> {
        let heads = self.heads.iter().enumerate();
        heads.min_by(|(_, (a, _)), (_, (b, _))| self.order.compare(a, b)).map(|(place, _)| place)
    }
}

impl Iterator for Sorted {
    type Item = Result<Listed>;

    fn next(&mut self) -> Option<Result<Listed>> {
        match self.ahead.take() {
            Some(item) => Some(Ok(item)),
            None => self.take().transpose(),
        }
    }
}

impl std::fmt::Debug for Sorted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sorted").field("runs", &self.heads.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::Rank;

    /// A hit whose places in the orders by ordinal and by score differ.
    fn item(list: u32, ordinal: u64, score: i32) -> Listed {
        let preliminary = Rank { evalue: 0.0, score, ordinal };
        let hit = Hit {
            preliminary,
            subject_length: score as u32,
            defline: vec![b'x'; score as usize],
            hsps: Vec::new(),
            unaligned: None,
            optimal_evalue: None,
        };
        Listed { list, hit }
    }

    fn sorted(items: &[Listed], order: Order, room: usize) -> Vec<Listed> {
        let mut sorter = Sorter::new(order, room);
        items.iter().for_each(|item| sorter.add(item.clone()).expect("room"));
        sorter.finish().expect("whole").collect::<Result<_>>().expect("whole")
    }

    proptest! {
        /// Whatever is held in memory, hits come in their order, each subject of a list once, the first ones.
        #[test]
        fn hits_come_in_order(
            values in prop::collection::vec((0u32..4, 0u64..60), 0..200),
            limit in prop::sample::select(vec![1usize, 3, 20, usize::MAX]),
            room in prop::sample::select(vec![1usize, 900, 5_000, 2_000_000]),
        ) {
            let items: Vec<Listed> =
                values.iter().map(|&(list, ordinal)| item(list, ordinal, (ordinal * 7 % 10) as i32)).collect();
            let mut expected = items.clone();
            expected.sort_by(|a, b| a.list.cmp(&b.list).then(a.hit.compare_preliminary(&b.hit)));
            expected.dedup();
            let mut wanted = Vec::new();
            for list in expected.chunk_by(|a, b| a.list == b.list) {
                wanted.extend(list.iter().take(limit).cloned());
            }
            let order = Order::by_lists(Hit::compare_preliminary).limited_to(limit);
            prop_assert_eq!(sorted(&items, order, room), wanted);

            expected.sort_by(|a, b| a.hit.compare_ordinal(&b.hit).then(b.list.cmp(&a.list)));
            prop_assert_eq!(sorted(&items, Order::across_lists(Hit::compare_ordinal), 1), expected);
        }

        /// Equals stay as they came, or the other way round.
        #[test]
        fn equals_keep_their_places(
            scores in prop::collection::vec(0i32..4, 0..100),
            turned: bool,
            room in prop::sample::select(vec![1usize, 900, 2_000_000]),
        ) {
            let items: Vec<Listed> = (0..).zip(&scores).map(|(ordinal, &score)| item(0, ordinal, score)).collect();
            let mut expected = items.clone();
            if turned {
                expected.reverse();
            }
            expected.sort_by_key(|item| item.hit.subject_length);
            let order = Order::by_lists(|a, b| a.subject_length.cmp(&b.subject_length)).turned(turned);
            prop_assert_eq!(sorted(&items, order, room), expected);
        }
    }

    #[test]
    fn lists_are_taken_one_after_the_other() {
        let mut sorter = Sorter::new(Order::by_lists(Hit::compare_ordinal), 1);
        [(2, 1), (0, 4), (2, 0), (0, 3)].into_iter().for_each(|(list, ordinal)| {
            sorter.add(item(list, ordinal, 1)).expect("room");
        });
        let mut sorted = sorter.finish().expect("whole");
        let mut next = |list| sorted.next_of(list).expect("whole").map(|item| item.hit.ordinal());
        assert_eq!([next(0), next(0), next(0), next(1)], [Some(3), Some(4), None, None]);
        assert_eq!([next(2), next(2), next(2)], [Some(0), Some(1), None]);
    }

    /// What the list limits leave no room for takes none in files either.
    #[test]
    fn what_is_not_wanted_is_forgotten() {
        let order = Order::by_lists(Hit::compare_preliminary).limited_to(5);
        let mut sorter = Sorter::new(order, 10_000);
        (0..10_000).for_each(|ordinal| sorter.add(item(0, ordinal, 5)).expect("room"));
        assert!(sorter.runs.is_empty() && sorter.held <= 10_000);
    }
}
