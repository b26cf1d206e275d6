//! A search: every query against every subject of one part of the database.
//!
//! Two passes take turns: [`nominate`] finds the best subjects by preliminary scores, [`finish`] makes their final
//! alignments.

mod finish;
mod nominate;

use std::num::NonZeroUsize;

use crate::engine::align::scheme::{SHORTEST_SUBJECT, Scheme};
use crate::engine::batch::{Batch, batches};
use crate::engine::options::OptionError;
use crate::engine::options::{DatabaseTotals, SearchOptions};
use crate::engine::query::{QuerySequence, SearchedQuery};
use crate::engine::rank::hit::Hit;
use crate::engine::rank::hitlist::{Ranked, keep_best};
use crate::engine::rest::{Left, Nominee, Rest};
use crate::engine::select::ungapped::BatchWords;
use crate::engine::select::words::Neighbourhoods;
use crate::engine::select::{Prepared, Selector, selector};
use crate::engine::subjects::Subjects;
use crate::engine::watch::{Advance, OnProgress, Watch};

/// Memory for what has been found and not yet handed over, unless asked otherwise; bytes. Ordinary searches
/// stay below.
const ROOM: usize = 64 << 20;

/// A search that is ready to run: options, the whole database's size, and derived tables.
///
/// The hits of a part are a pure function of the queries, the part, its first ordinal, the totals
/// and the options; threads and their timing change nothing.
#[derive(Debug)]
pub struct Search {
    scheme: Scheme,
    neighbourhoods: Neighbourhoods,
    selector: Box<dyn Selector>,
    threads: NonZeroUsize,
    /// Memory for what has been found and not yet handed over, bytes.
    room: usize,
}

/// What is looked for.
struct Sought<'a> {
    batch: &'a Batch,
    among: Among<'a>,
    /// The queries that the batch is made of.
    queries: &'a [SearchedQuery<'a>],
}

/// The pairs that are compared.
enum Among<'a> {
    /// All, with the words of the batch.
    All(BatchWords),
    /// Those that are chosen by this.
    Chosen(Box<dyn Prepared + 'a>),
}

/// A part of the database.
struct Part<'a, S> {
    subjects: &'a S,
    /// Position of its first subject in the whole database.
    first_ordinal: u64,
}

impl Search {
    /// Prepares a search with `options` in a database of size `totals`.
    ///
    /// # Errors
    /// If there are no statistics for the matrix and gap costs.
    pub fn new(options: SearchOptions, totals: DatabaseTotals) -> Result<Self, OptionError> {
        let scheme = Scheme::new(options, totals)?;
        let neighbourhoods = Neighbourhoods::new(&scheme.matrix, &options.words);
        let selector = selector(&scheme);
        Ok(Self { scheme, neighbourhoods, selector, threads: NonZeroUsize::MIN, room: ROOM })
    }

    /// The same search in sequences that are given with the queries or chosen from a database, the
    /// shortest of which has `residues` residues: blastp knows that of them, but not of whole databases.
    pub fn in_given_subjects(mut self, residues: u64) -> Self {
        self.scheme.shortest_subject = residues.max(SHORTEST_SUBJECT);
        self
    }

    /// The same search with so many threads; one unless it is told.
    pub fn on_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// The same search with about `bytes` bytes of memory for what has been found and not yet handed over.
    pub fn within(mut self, bytes: usize) -> Self {
        self.room = bytes;
        self
    }

    /// Compares `queries` with `subjects`, the first of which is number `first_ordinal` of the whole database:
    /// all of them, or what is the `rest` of such a search that was stopped.
    ///
    /// Hands the candidates of each query over to `found`, with the number of their list, in no particular
    /// order. A query has one list; one that is searched in pieces has one for each piece, to be aligned by
    /// [`LateAlignment`](super::LateAlignment). Of each list come the best by preliminary rank, as many as the
    /// list limits ask for; if they take much memory, or the search was stopped, others come as well.
    ///
    /// It goes on to the end unless `on_progress` stops it, and returns what is left to do then. What has been
    /// done until then is not lost, but for the pairs of a query and a subject that the threads were at.
    ///
    /// # Errors
    /// The first error of `found`, which ends the search.
    pub fn run<E>(
        &self,
        queries: &[QuerySequence<'_>],
        subjects: &impl Subjects,
        first_ordinal: u64,
        rest: Option<Rest>,
        on_progress: OnProgress<'_>,
        found: &mut dyn FnMut(usize, Hit) -> Result<(), E>,
    ) -> Result<Option<Rest>, E> {
        let queries: Vec<SearchedQuery<'_>> =
            queries.iter().flat_map(|&query| SearchedQuery::pieces(query, &self.scheme.options)).collect();
        let part = Part { subjects, first_ordinal };
        let watch = Watch::new(on_progress);
        // What is left of another search says nothing about this one.
        let rest = rest.filter(|rest| rest.lists.len() == queries.len());
        let mut rest = rest.unwrap_or_else(|| Rest::all(queries.len(), subjects.len()));
        for run in rest.runs() {
            let mut found = |index: usize, hit| found(run.start + index, hit);
            self.go_on(&queries[run.clone()], &part, &mut rest.lists[run.clone()], &watch, &mut found)?;
        }
        Ok(rest.unless_done())
    }

    /// Goes on with queries that have been compared with the same subjects; for each of them, what is left to
    /// do. Both passes take turns if what the first one finds takes too much memory.
    fn go_on<E>(
        &self,
        queries: &[SearchedQuery<'_>],
        part: &Part<'_, impl Subjects>,
        left: &mut [Left],
        watch: &Watch<'_>,
        found: &mut dyn FnMut(usize, Hit) -> Result<(), E>,
    ) -> Result<(), E> {
        if watch.is_over() {
            return Ok(());
        }
        let limit = self.scheme.options.limit_of_a_part();
        let batches = batches(queries, &self.scheme, self.selector.residues_at_a_time());
        let subjects = left[0].subjects.clone();
        leave_out_others(&batches, queries, left, watch);
        for batch in &batches {
            if watch.is_over() {
                return Ok(());
            }
            let members = || batch.queries.iter().map(|query| query.index);
            let searched: Vec<&SearchedQuery<'_>> = members().map(|index| &queries[index]).collect();
            let among = match self.selector.prepare(&searched, &self.scheme) {
                Some(prepared) => Among::Chosen(prepared),
                None => Among::All(BatchWords::new(batch, &self.scheme, &self.neighbourhoods)),
            };
            let sought = Sought { batch, among, queries };
            let mut nominated: Vec<Vec<Nominee>> =
                members().map(|index| std::mem::take(&mut left[index].nominees)).collect();
            let mut floors = vec![None; nominated.len()];
            let mut unseen = subjects.clone();
            loop {
                (nominated, unseen) = match &sought.among {
                    Among::All(words) => {
                        self.nominate((batch, words), part, &unseen, nominated, &floors, watch)
                    }
                    Among::Chosen(prepared) => {
                        let selection = (searched.as_slice(), &**prepared);
                        let (chosen, unseen) = self.nominate_chosen(selection, part, &unseen, &floors, watch);
                        nominated.iter_mut().zip(chosen).for_each(|(all, chosen)| all.extend(chosen));
                        nominated.iter_mut().for_each(|nominees| keep_best(nominees, limit));
                        (nominated, unseen)
                    }
                };
                if !unseen.is_empty() {
                    if watch.is_over() {
                        break;
                    }
                    if held_by(&nominated) <= self.room / 2 {
                        continue;
                    }
                }
                for (floor, nominees) in floors.iter_mut().zip(&nominated) {
                    // What is worse than as many as are wanted will not be wanted.
                    *floor = nominees.get(limit - 1).map(|last| last.rank).or(*floor);
                }
                nominated = self.align(&sought, part, nominated, watch, found)?;
                if unseen.is_empty() || watch.is_over() {
                    break;
                }
            }
            for (index, nominees) in members().zip(nominated) {
                left[index] = Left { subjects: unseen.clone(), nominees };
            }
        }
        Ok(())
    }
}

/// Memory that nominees take, bytes.
fn held_by(nominated: &[Vec<Nominee>]) -> usize {
    nominated.iter().flatten().map(Ranked::bytes).sum()
}

/// There is nothing to do for queries that cannot be searched and are in no batch.
fn leave_out_others(batches: &[Batch], queries: &[SearchedQuery<'_>], left: &mut [Left], watch: &Watch<'_>) {
    let mut others = vec![true; queries.len()];
    batches.iter().flat_map(|batch| &batch.queries).for_each(|query| others[query.index] = false);
    let mut comparisons = 0;
    for (place, query) in queries.iter().enumerate().filter(|&(place, _)| others[place]) {
        let subjects = std::mem::take(&mut left[place]).subjects.len() as u64;
        comparisons += if query.is_counted() { subjects } else { 0 };
    }
    if comparisons > 0 {
        watch.tell(Advance::Compared(comparisons));
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::convert::Infallible;
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::engine::{CompositionMode, Contest, Mode};

    const SUBJECTS: usize = 200;

    /// Sequences in memory.
    struct Sequences(Vec<Vec<u8>>);

    impl Subjects for Sequences {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn residues(&self, index: usize) -> &[u8] {
            &self.0[index]
        }

        fn defline(&self, index: usize) -> Cow<'_, [u8]> {
            format!("s{index}").into_bytes().into()
        }
    }

    /// A family of `SUBJECTS` sequences, and queries of it: one in pieces, one that cannot be searched.
    fn family() -> (Vec<Vec<u8>>, Sequences) {
        let mut state = 7u64;
        let mut below = move |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let ancestor: Vec<u8> = (0..70).map(|_| 1 + below(20) as u8).collect();
        let mut relative = |tenths: u64| -> Vec<u8> {
            let changed = |&code: &u8| if below(10) < tenths { 1 + below(20) as u8 } else { code };
            ancestor.iter().map(changed).collect()
        };
        let volume = Sequences((0..SUBJECTS).map(|subject| relative(2 + subject as u64 % 7)).collect());
        (vec![relative(0), vec![21; 30], relative(3), relative(2), relative(5)], volume)
    }

    fn options(kind: usize) -> SearchOptions {
        let usual = SearchOptions { evalue: 1e3, max_target_seqs: 4, ..SearchOptions::default() };
        let plain = SearchOptions { composition: CompositionMode::Off, ..usual };
        match kind {
            0 => usual,
            1 => plain,
            2 => SearchOptions { locally_optimal: true, ..usual },
            3 => SearchOptions { ungapped: true, ..plain },
            4 => SearchOptions { mode: Mode::Seeded, ..usual },
            5 => SearchOptions { mode: Mode::Thorough, ..usual },
            _ => SearchOptions { contest: Some(Contest::Culling(3)), ..plain },
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

        /// Stopped after any number of looks, by one thread or several, and gone on with what was written
        /// down, it finds what it finds in one go; and nothing is compared twice.
        #[test]
        fn a_search_that_is_stopped_goes_on_as_if_it_had_not_been(
            kind in 0usize..7,
            threads in 1usize..4,
            looks in prop::collection::vec(0usize..60, 1..12),
            room in prop::sample::select(vec![1usize, 20_000, ROOM]),
        ) {
            let (queries, volume) = family();
            let sequence = |(number, residues): (usize, _)| QuerySequence {
                residues,
                lower_case: &[],
                pieces: if number == 2 { &[0..40, 30..70] } else { &[] },
            };
            let queries: Vec<QuerySequence<'_>> =
                queries.iter().map(Vec::as_slice).enumerate().map(sequence).collect();
            let totals = DatabaseTotals { sequences: 2 * SUBJECTS as u64, residues: 140 * SUBJECTS as u64 };
            let options = options(kind);
            let list_count: usize = queries.iter().map(QuerySequence::lists).sum();
            let compared = AtomicU64::new(0);
            let run = |rest, threads, room, looks: usize, lists: &mut Vec<Vec<Hit>>| {
                let looked = AtomicUsize::new(0);
                let on_progress = |progress| {
                    if let Advance::Compared(comparisons) = progress {
                        compared.fetch_add(comparisons, Ordering::Relaxed);
                    }
                    let goes_on = looked.fetch_add(1, Ordering::Relaxed) < looks;
                    if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                };
                let threads = NonZeroUsize::new(threads).expect("not 0");
                let search = Search::new(options, totals).expect("statistics").on_threads(threads).within(room);
                let rest = search.run(&queries, &volume, 100, rest, &on_progress, &mut |list, hit| {
                    lists[list].push(hit);
                    Ok::<_, Infallible>(())
                });
                for list in lists {
                    list.sort_by(Hit::compare_preliminary);
                    list.dedup();
                    list.truncate(options.limit_of_a_part());
                }
                rest.expect("no error")
            };

            let mut whole = vec![Vec::new(); list_count];
            let left = run(None, 1, ROOM, usize::MAX, &mut whole);
            prop_assert!(left.is_none());
            prop_assert!(whole.iter().map(Vec::len).sum::<usize>() > 10);
            let all = compared.swap(0, Ordering::Relaxed);
            prop_assert_eq!(all, queries.len() as u64 * SUBJECTS as u64);

            let mut joined = vec![Vec::new(); list_count];
            let mut rest = None;
            for looks in looks.into_iter().chain([usize::MAX]) {
                let Some(left) = run(rest.take(), threads, room, looks, &mut joined) else { break };
                let written = postcard::to_stdvec(&left).expect("bytes");
                rest = Some(postcard::from_bytes(&written).expect("what was written"));
            }
            prop_assert_eq!(rest, None);
            prop_assert_eq!(joined, whole);
            prop_assert_eq!(compared.into_inner(), all);
        }
    }
}
