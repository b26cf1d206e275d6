//! Merging the shards of a chunk: the global limits, the final order.
//!
//! Hits go through a chain of sorters, each of which holds a limited part of them in memory: by preliminary
//! standing, which decides who is aligned, and by final standing, which decides who is reported.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;

use super::chunk::{Query, QueryChunk};
use super::error::{Error, Result};
use super::spill::{Listed, Order, Shelf, ShelfBuilder, Sorted, Sorter};
use crate::engine::{
    DatabaseTotals, EarlyTermination, Hit, LateAlignment, OptionError, QuerySequence, SearchOptions,
};

/// The candidates of a chunk in some part of the database, by list and preliminary standing.
#[derive(Debug)]
pub struct Candidates(Sorter);

/// Joins the shards of one chunk, in any order.
pub struct Merger {
    options: SearchOptions,
    /// Memory that hits may take in one place, bytes.
    room: usize,
    /// The batch of each query.
    batches: Vec<u64>,
    /// Lengths of what is searched of the queries.
    lengths: Vec<usize>,
    /// What has been found for each query, or for each of its pieces.
    found: Candidates,
    /// What is left to do, and with which queries, if not all hits are aligned where they are found.
    late: Option<Box<(LateAlignment, Vec<Query>)>>,
    restore: Option<Box<Restore>>,
}

/// Makes hits in what was searched hits in what is reported.
type Restore = dyn Fn(&mut Hit) + Send;

/// Hits one after the other, unless reading them fails.
type Hits<'a> = Box<dyn Iterator<Item = Result<Hit>> + 'a>;

impl Candidates {
    /// None yet, of a search with `options`, with `room` bytes of memory for them.
    pub fn new(options: &SearchOptions, room: usize) -> Self {
        let order = match options.contest {
            // They compete in the order of the database, and none is too many.
            Some(_) => Order::by_lists(Hit::compare_ordinal),
            None => Order::by_lists(Hit::compare_preliminary).limited_to(options.preliminary_limit()),
        };
        Self(Sorter::new(order, room))
    }

    /// Adds one of a list; adding it twice changes nothing.
    ///
    /// # Errors
    /// If there is no room for it, neither in memory nor in a temporary file.
    pub fn add(&mut self, list: usize, hit: Hit) -> Result<()> {
        let list = u32::try_from(list).map_err(|e| Error::Internal(e.to_string()))?;
        self.0.add(Listed { list, hit })
    }

    /// All that the list limits leave, by list; those of a list in their order.
    ///
    /// # Errors
    /// If they cannot be read; so may each of them.
    pub fn finish(self) -> Result<impl Iterator<Item = Result<(u32, Hit)>>> {
        Ok(self.0.finish()?.map(|item| item.map(|Listed { list, hit }| (list, hit))))
    }
}

impl Merger {
    /// A merger for the shards of `chunk` with a database of size `totals`, with `room` bytes of memory
    /// for hits in each of a few places.
    ///
    /// # Errors
    /// If there are no statistics for the matrix and gap costs.
    pub fn new(
        options: SearchOptions,
        totals: DatabaseTotals,
        chunk: &QueryChunk,
        room: usize,
    ) -> Result<Self, OptionError> {
        let queries = || chunk.queries.iter().map(Query::sequence);
        let late = LateAlignment::new(options, totals, queries())?;
        Ok(Self {
            options,
            room,
            batches: chunk.queries.iter().map(|query| query.batch).collect(),
            lengths: queries().map(|query| options.searched_range(query.residues.len()).len()).collect(),
            found: Candidates::new(&options, room),
            late: late.map(|late| Box::new((late, chunk.queries.clone()))),
            restore: None,
        })
    }

    /// The same merger, which reports what `restore` makes of each hit.
    pub fn restoring(mut self, restore: impl Fn(&mut Hit) + Send + 'static) -> Self {
        self.restore = Some(Box::new(restore));
        self
    }

    /// Adds a candidate of a list; adding it twice changes nothing.
    ///
    /// # Errors
    /// If there is no room for it, neither in memory nor in a temporary file.
    pub fn add(&mut self, list: usize, hit: Hit) -> Result<()> {
        self.found.add(list, hit)
    }

    /// Hands the hits to report over to `report`, query after query, each with its place in the chunk.
    ///
    /// # Errors
    /// The first error of `report`, or that there is no room for what does not fit into memory.
    pub fn finish<E: From<Error>>(
        self,
        threads: NonZeroUsize,
        mut report: impl FnMut(usize, &Shelf) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { options, room, batches, lengths, found, late, restore } = self;
        let row = Row { options, room, lengths, late, restore, threads };
        let mut found = Lists { sorted: found.0.finish()?, next: 0 };
        let mut first = 0;
        for batch in batches.chunk_by(|a, b| a == b) {
            let queries = first..first + batch.len();
            first = queries.end;
            let mut early = EarlyTermination::new(batch.len(), &options);
            if early.is_across_queries() {
                let mut best = row.across(queries.clone(), &mut early, &mut found)?;
                for (place, query) in queries.enumerate() {
                    let hits = std::iter::from_fn(|| best.next_of(place as u32).transpose());
                    report(query, &row.reported(query, Box::new(hits.map(|item| Ok(item?.hit))))?)?;
                }
                continue;
            }
            for (place, query) in queries.enumerate() {
                let mut best = row.best_sorter();
                for hit in row.aligned(query, &mut found)? {
                    let hit = hit?;
                    if early.admits(place, &hit) && !hit.hsps.is_empty() {
                        best.add(Listed { list: 0, hit })?;
                    }
                }
                report(query, &row.reported(query, Box::new(best.finish()?.map(|item| Ok(item?.hit))))?)?;
            }
        }
        Ok(())
    }
}

/// Candidates by list, of which the next is number `next`.
struct Lists {
    sorted: Sorted,
    next: u32,
}

impl Lists {
    /// The hits of the next list.
    fn take(&mut self) -> impl Iterator<Item = Result<Hit>> {
        let list = self.next;
        self.next += 1;
        std::iter::from_fn(move || self.sorted.next_of(list).transpose()).map(|item| Ok(item?.hit))
    }
}

/// What is known when all shards of a chunk have been joined.
struct Row {
    options: SearchOptions,
    room: usize,
    lengths: Vec<usize>,
    late: Option<Box<(LateAlignment, Vec<Query>)>>,
    restore: Option<Box<Restore>>,
    threads: NonZeroUsize,
}

impl Row {
    /// Sorts aligned hits of a query as they are reported; as many as are wanted.
    fn best_sorter(&self) -> Sorter {
        let order = Order::by_lists(Hit::compare_final).limited_to(self.options.max_target_seqs);
        Sorter::new(order, self.room)
    }

    /// What is to be reported of the hits of a batch of `queries`, which are aligned in the order of the
    /// database; by place in the batch.
    fn across(
        &self,
        queries: Range<usize>,
        early: &mut EarlyTermination,
        found: &mut Lists,
    ) -> Result<Sorted> {
        let mut all = Sorter::new(Order::across_lists(Hit::compare_ordinal), self.room);
        for (list, query) in (0..).zip(queries) {
            self.aligned(query, found)?.try_for_each(|hit| all.add(Listed { list, hit: hit? }))?;
        }
        let mut best = self.best_sorter();
        for item in all.finish()? {
            let item = item?;
            if early.admits(item.list as usize, &item.hit) && !item.hit.hsps.is_empty() {
                best.add(item)?;
            }
        }
        best.finish()
    }

    /// The hits of a query with their final alignments, by preliminary standing.
    fn aligned<'a>(&self, query: usize, found: &'a mut Lists) -> Result<Hits<'a>> {
        let concerned = self.late.as_ref().and_then(|late| {
            let query = late.1[query].sequence();
            late.0.concerns(query).then_some((&late.0, query))
        });
        let Some((late, query)) = concerned else { return Ok(Box::new(found.take())) };
        let late = Late { late, query, room: self.room };
        let finalists = late.finalists(found)?;
        let mut aligned = Sorter::new(Order::by_lists(Hit::compare_preliminary), self.room);
        late.align(finalists, self.threads, |hit| aligned.add(Listed { list: 0, hit }))?;
        Ok(Box::new(aligned.finish()?.map(|item| Ok(item?.hit))))
    }

    /// What is left of the best hits of a query, which come in final order.
    fn reported(&self, query: usize, best: Hits<'_>) -> Result<Shelf> {
        let length = self.lengths[query];
        let contested: Hits<'_> = match &self.late {
            Some(late) if self.options.contest.is_some() => {
                let late = Late { late: &late.0, query: late.1[query].sequence(), room: self.room };
                Box::new(late.last_contest(best, self.best_sorter())?.map(|item| Ok(item?.hit)))
            }
            _ => best,
        };
        let mut shelf = ShelfBuilder::new(self.room);
        for hit in contested {
            let mut hit = hit?;
            if hit.settle(length, &self.options) {
                self.restore.iter().for_each(|restore| restore(&mut hit));
                shelf.add(hit)?;
            }
        }
        shelf.finish()
    }
}

/// A query whose hits compete, or that is searched in pieces.
struct Late<'a> {
    late: &'a LateAlignment,
    query: QuerySequence<'a>,
    room: usize,
}

impl Late<'_> {
    /// All hits of the query that are worth an alignment, in the order of the database.
    fn finalists(&self, found: &mut Lists) -> Result<Shelf> {
        let mut joined: Option<Shelf> = None;
        for piece in 0..self.query.lists() {
            let hits = self.contested(piece, found.take())?.map(|item| {
                let mut hit = item?.hit;
                self.late.place(self.query, piece, &mut hit);
                Ok(hit)
            });
            let further = Shelf::of(hits, self.room)?;
            joined = Some(match joined {
                Some(joined) if further.is_empty() => joined,
                Some(joined) if !joined.is_empty() => self.join(piece, joined, further)?,
                _ => further,
            });
        }
        joined.map_or_else(|| Shelf::of([], self.room), Ok)
    }

    /// What the first contest leaves of the hits of a list, in the order of the database.
    fn contested(&self, piece: usize, hits: impl Iterator<Item = Result<Hit>>) -> Result<Sorted> {
        let mut left = self.by_ordinal();
        let shelf = Shelf::of(hits, self.room)?;
        let survivors = all_of(shelf.iter()?, |hits| self.late.first_contest(self.query, piece, hits))?;
        let Some(mut survivors) = survivors else {
            shelf.into_hits()?.try_for_each(|hit| left.add(Listed { list: 0, hit: hit? }))?;
            return left.finish();
        };
        let limit = self.late.limit_after_contest();
        let mut best = Sorter::new(Order::by_lists(Hit::compare_preliminary).limited_to(limit), self.room);
        for hit in shelf.into_hits()? {
            let mut hit = hit?;
            if survivors.keep_unaligned(&mut hit) {
                best.add(Listed { list: 0, hit })?;
            }
        }
        best.finish()?.try_for_each(|item| left.add(item?))?;
        left.finish()
    }

    fn by_ordinal(&self) -> Sorter {
        Sorter::new(Order::by_lists(Hit::compare_ordinal), self.room)
    }

    /// Adds the hits of a further piece to those of the pieces before, both in the order of the database, and
    /// keeps the best.
    fn join(&self, piece: usize, joined: Shelf, further: Shelf) -> Result<Shelf> {
        let limit = self.late.limit_after_stitching();
        let mut best = Sorter::new(Order::by_lists(Hit::compare_stitched).limited_to(limit), self.room);
        let (mut joined, mut further) = (joined.into_hits()?, further.into_hits()?);
        let (mut one, mut other) = (joined.next().transpose()?, further.next().transpose()?);
        loop {
            let order = match (&one, &other) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => one.compare_ordinal(other),
            };
            let mut hit = None;
            if order.is_le() {
                hit = std::mem::replace(&mut one, joined.next().transpose()?);
            }
            if order.is_ge() {
                let second = std::mem::replace(&mut other, further.next().transpose()?);
                match (&mut hit, second) {
                    (Some(first), Some(second)) => self.late.stitch(self.query, piece, first, second),
                    (None, second) => hit = second,
                    (Some(_), None) => {}
                }
            }
            hit.map_or(Ok(()), |hit| best.add(Listed { list: 0, hit }))?;
        }
        let mut left = self.by_ordinal();
        for item in best.finish()? {
            let mut item = item?;
            item.hit.stand_anew();
            left.add(item)?;
        }
        Shelf::of(left.finish()?.map(|item| Ok(item?.hit)), self.room)
    }

    /// Aligns hits, as many at a time as memory allows.
    fn align(
        &self,
        finalists: Shelf,
        threads: NonZeroUsize,
        mut aligned: impl FnMut(Hit) -> Result<()>,
    ) -> Result<()> {
        let (mut waiting, mut held) = (Vec::new(), 0);
        let mut align = |waiting: &mut Vec<Hit>| {
            let hits = self.late.align(self.query, waiting, threads);
            waiting.clear();
            hits.into_iter().try_for_each(&mut aligned)
        };
        for hit in finalists.into_hits()? {
            let hit = hit?;
            held += hit.bytes();
            waiting.push(hit);
            if held > self.room / 4 {
                align(&mut waiting)?;
                held = 0;
            }
        }
        align(&mut waiting)
    }

    /// What the second contest leaves of hits in final order, in final order.
    fn last_contest(&self, best: Hits<'_>, mut left: Sorter) -> Result<Sorted> {
        let lined_up = best.map(|hit| {
            let mut hit = hit?;
            self.late.line_up(&mut hit);
            Ok(hit)
        });
        let shelf = Shelf::of(lined_up, self.room)?;
        let survivors = all_of(shelf.iter()?, |hits| self.late.last_contest(self.query, hits))?;
        let mut survivors = survivors;
        for hit in shelf.into_hits()? {
            let mut hit = hit?;
            if survivors.as_mut().is_none_or(|survivors| survivors.keep_aligned(&mut hit)) {
                left.add(Listed { list: 0, hit })?;
            }
        }
        left.finish()
    }
}

/// What `consume` makes of all items, if none of them is an error.
fn all_of<T>(
    items: impl Iterator<Item = Result<Hit>>,
    consume: impl FnOnce(&mut dyn Iterator<Item = Hit>) -> T,
) -> Result<T> {
    let mut failed = None;
    let mut whole = items.map_while(|item| item.map_err(|error| failed = Some(error)).ok());
    let made = consume(&mut whole);
    drop(whole);
    failed.map_or(Ok(made), Err)
}

impl fmt::Debug for Merger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merger")
            .field("options", &self.options)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::{Adjustment, CompositionMode, Hsp, Rank};
    use crate::report::QueryHits;

    /// A hit whose final E-value differs from its preliminary one, or which has no alignment.
    fn hit(ordinal: u64, preliminary: u8, last: Option<u8>) -> Hit {
        let hsp = |evalue: u8| Hsp {
            score: 300 - i32::from(evalue),
            bit_score: 0.0,
            evalue: 0.0009 * f64::from(evalue),
            query: 0..1,
            subject: 0..1,
            adjustment: Adjustment::None,
            edits: Vec::new(),
            identities: 1,
            positives: 1,
            subject_residues: vec![1],
        };
        let score = 300 - i32::from(preliminary);
        Hit {
            preliminary: Rank { evalue: 0.004 * f64::from(preliminary), score, ordinal },
            subject_length: 1,
            defline: Vec::new(),
            hsps: last.map(hsp).into_iter().collect(),
            unaligned: None,
            optimal_evalue: last.map(|last| f64::from(last) * 0.001),
        }
    }

    /// What is reported of hits by query, in a batch for each pair of queries.
    fn reported(
        parts: &[Vec<(usize, Hit)>],
        queries: usize,
        options: SearchOptions,
        room: usize,
    ) -> Vec<Vec<u64>> {
        let query = |number: usize| Query {
            number: number as u64 + 1,
            batch: number as u64 / 2,
            defline: Vec::new(),
            residues: vec![1; 100],
            lower_case: Vec::new(),
            pieces: Vec::new(),
        };
        let chunk = QueryChunk { first_place: 1, queries: (0..queries).map(query).collect() };
        let totals = DatabaseTotals { sequences: 10, residues: 1_000 };
        let mut merger = Merger::new(options, totals, &chunk, room).expect("options");
        for (list, hit) in parts.iter().flatten() {
            merger.add(*list, hit.clone()).expect("room");
        }
        let mut reported = Vec::new();
        let merged = merger.finish(NonZeroUsize::MIN, |query, hits| {
            assert_eq!(query, reported.len());
            reported.push(Vec::new());
            hits.visit_all(&mut |hit| {
                reported[query].push(hit.ordinal());
                Ok(())
            })?;
            Ok::<(), Error>(())
        });
        merged.expect("whole");
        reported
    }

    proptest! {
        /// Any split into parts, in any order, with parts repeated, reports what the whole does, however little
        /// of it is in memory.
        #[test]
        fn parts_report_what_the_whole_does(
            composition in prop::sample::select(vec![CompositionMode::Off, CompositionMode::Conditional]),
            locally_optimal: bool,
            values in prop::collection::vec((0u8..6, prop::option::of(0u8..6), 0usize..5, 0usize..3), 0..600),
            max_target_seqs in 1usize..8,
            order in Just(vec![0usize, 1, 2, 3, 4, 2, 0]).prop_shuffle(),
            room in prop::sample::select(vec![1usize, 3_000, 100_000]),
        ) {
            let options =
                SearchOptions { max_target_seqs, composition, locally_optimal, ..SearchOptions::default() };
            let hits: Vec<(usize, Hit)> =
                (0..).zip(&values).map(|(i, &(p, l, _, query))| (query, hit(i, p, l))).collect();
            let part = |part: usize| {
                let own = hits.iter().zip(&values).filter(|(_, value)| value.2 == part);
                own.map(|(hit, _)| hit.clone()).collect::<Vec<_>>()
            };
            let parts: Vec<_> = order.into_iter().map(part).collect();
            let whole = reported(&[hits], 3, options, usize::MAX);
            prop_assert_eq!(reported(&parts, 3, options, room), whole);
        }
    }

    /// Subjects 0 and 2 are good; 3 looks worse before its alignment, which makes it the best.
    #[test]
    fn after_enough_good_hits_only_promising_subjects_are_reported() {
        let ends = |composition, max_target_seqs| {
            let options = SearchOptions { max_target_seqs, composition, ..SearchOptions::default() };
            let hits = [hit(0, 1, Some(2)), hit(1, 3, None), hit(2, 2, Some(1)), hit(3, 3, Some(0))];
            let hits = hits.map(|hit| (0, Hit { optimal_evalue: None, ..hit })).to_vec();
            reported(&[hits], 1, options, 1).concat()
        };
        assert_eq!(ends(CompositionMode::Conditional, 1), [2]);
        assert_eq!(ends(CompositionMode::Conditional, 2), [2, 0]);
        assert_eq!(ends(CompositionMode::Conditional, 3), [3, 2, 0]);
        assert_eq!(ends(CompositionMode::Off, 1), [3]);
    }
}
