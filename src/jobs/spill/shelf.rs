//! The hits of a query in an order, to be read as often as it takes.

use std::cmp::Ordering;
use std::io;

use super::file::{End, Scratch, Stored};
use super::{Listed, Order, Sorter};
use crate::engine::Hit;
use crate::jobs::error::Result;
use crate::jobs::frame::{FrameReader, FrameWriter};
use crate::report::QueryHits;

/// Takes hits one by one.
#[derive(Debug)]
pub(in crate::jobs) struct ShelfBuilder {
    /// Memory that hits may take, bytes.
    room: usize,
    /// Memory that they take.
    held: usize,
    hits: Vec<Hit>,
    /// Where all are as soon as they take too much.
    stored: Option<(Scratch, FrameWriter<End>)>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    hits: usize,
    hsps: usize,
}

/// Gives back hits in the order in which they came, any number of times.
#[derive(Debug)]
pub struct Shelf {
    room: usize,
    content: Content,
    counts: Counts,
}

#[derive(Debug)]
enum Content {
    Held(Vec<Hit>),
    Stored(Stored),
}

impl ShelfBuilder {
    /// A shelf for hits that take up to `room` bytes of memory.
    pub(in crate::jobs) fn new(room: usize) -> Self {
        Self { room, held: 0, hits: Vec::new(), stored: None, counts: Counts::default() }
    }

    /// Adds a hit.
    pub(in crate::jobs) fn add(&mut self, hit: Hit) -> Result<()> {
        self.counts.hits += 1;
        self.counts.hsps += hit.hsps.len();
        if let Some((_, frame)) = &mut self.stored {
            return Ok(frame.push(&hit)?);
        }
        self.held += hit.bytes();
        self.hits.push(hit);
        if self.held > self.room {
            let mut scratch = Scratch::default();
            let mut frame = scratch.begin()?;
            self.hits.drain(..).try_for_each(|hit| frame.push(&hit))?;
            self.stored = Some((scratch, frame));
        }
        Ok(())
    }

    /// The hits, to be read.
    pub(in crate::jobs) fn finish(self) -> Result<Shelf> {
        let content = match self.stored {
            Some((mut scratch, frame)) => Content::Stored(scratch.keep(frame)?),
            None => Content::Held(self.hits),
        };
        Ok(Shelf { room: self.room, content, counts: self.counts })
    }
}

impl Shelf {
    /// A shelf with all of these.
    pub(in crate::jobs) fn of(hits: impl IntoIterator<Item = Result<Hit>>, room: usize) -> Result<Self> {
        let mut shelf = ShelfBuilder::new(room);
        hits.into_iter().try_for_each(|hit| shelf.add(hit?))?;
        shelf.finish()
    }

    /// Whether there are none.
    pub(in crate::jobs) fn is_empty(&self) -> bool {
        self.counts.hits == 0
    }

    /// The hits, one after the other.
    pub(in crate::jobs) fn iter(&self) -> Result<impl Iterator<Item = Result<Hit>>> {
        let (held, stored) = match &self.content {
            Content::Held(hits) => (&hits[..], None),
            Content::Stored(stored) => (&[][..], Some(stored.read()?)),
        };
        Ok(held.iter().cloned().map(Ok).chain(read(stored)))
    }

    /// The same for the last time.
    pub(in crate::jobs) fn into_hits(self) -> Result<impl Iterator<Item = Result<Hit>>> {
        let (held, stored) = match self.content {
            Content::Held(hits) => (hits, None),
            Content::Stored(stored) => (Vec::new(), Some(stored.read()?)),
        };
        Ok(held.into_iter().map(Ok).chain(read(stored)))
    }
}

/// What is left of a frame, if there is one.
fn read(mut frame: Option<FrameReader<Stored>>) -> impl Iterator<Item = Result<Hit>> {
    std::iter::from_fn(move || frame.as_mut()?.next().transpose())
}

impl QueryHits for Shelf {
    fn hits(&self) -> usize {
        self.counts.hits
    }

    fn hsps(&self) -> usize {
        self.counts.hsps
    }

    fn visit_first(&self, count: usize, visit: &mut dyn FnMut(&Hit) -> io::Result<()>) -> io::Result<()> {
        match &self.content {
            Content::Held(hits) => hits.visit_first(count, visit),
            Content::Stored(stored) => {
                read(Some(stored.read()?)).take(count).try_for_each(|hit| visit(&hit?))
            }
        }
    }

    fn sorted(
        &self,
        compare: fn(&Hit, &Hit) -> Ordering,
        later_first: bool,
    ) -> io::Result<Box<dyn QueryHits + '_>> {
        let stored = match &self.content {
            Content::Held(hits) => return hits.sorted(compare, later_first),
            Content::Stored(stored) => stored,
        };
        let mut sorter = Sorter::new(Order::by_lists(compare).turned(later_first), self.room);
        read(Some(stored.read()?)).try_for_each(|hit| sorter.add(Listed { list: 0, hit: hit? }))?;
        let sorted = sorter.finish()?.map(|item| item.map(|item| item.hit));
        Ok(Box::new(Self::of(sorted, self.room)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Rank;

    fn hit(ordinal: u64) -> Hit {
        Hit {
            preliminary: Rank { evalue: 1.0, score: 1, ordinal },
            subject_length: (ordinal % 3) as u32,
            defline: b"subject".to_vec(),
            hsps: Vec::new(),
            unaligned: None,
            optimal_evalue: None,
        }
    }

    fn ordinals(hits: &dyn QueryHits, count: usize) -> Vec<u64> {
        let mut ordinals = Vec::new();
        let read = hits.visit_first(count, &mut |hit| {
            ordinals.push(hit.ordinal());
            Ok(())
        });
        read.expect("whole");
        ordinals
    }

    #[test]
    fn hits_are_read_as_often_as_asked_from_memory_and_from_a_file() {
        let orders = [1, 400, 1 << 20].map(|room| {
            let shelf = Shelf::of((0..10).map(|ordinal| Ok(hit(ordinal))), room).expect("room");
            assert_eq!((shelf.hits(), shelf.hsps(), shelf.is_empty()), (10, 0, false));
            assert_eq!(matches!(shelf.content, Content::Stored(_)), room < 1_000);
            for _ in 0..2 {
                assert_eq!(ordinals(&shelf, usize::MAX), (0..10).collect::<Vec<_>>());
                assert_eq!(ordinals(&shelf, 3), [0, 1, 2]);
            }
            let sorted = |later_first| {
                let by_length = |a: &Hit, b: &Hit| a.subject_length.cmp(&b.subject_length);
                ordinals(&*shelf.sorted(by_length, later_first).expect("whole"), usize::MAX)
            };
            let orders = (sorted(false), sorted(true));
            let left: Vec<Hit> = shelf.into_hits().expect("whole").collect::<Result<_>>().expect("whole");
            assert_eq!(ordinals(&left, usize::MAX), (0..10).collect::<Vec<_>>());
            orders
        });
        assert_eq!(orders[0], (vec![0, 3, 6, 9, 1, 4, 7, 2, 5, 8], vec![9, 6, 3, 0, 7, 4, 1, 8, 5, 2]));
        assert!(orders.iter().all(|order| *order == orders[0]));
    }
}
