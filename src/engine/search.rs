//! A search: every query against every subject of one part of the database.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::align::aligner::{Aligner, AlignerWorkspace};
use super::align::gapped::Workspace;
use super::align::scheme::{SHORTEST_SUBJECT, Scheme};
use super::align::ungapped_hsp::UngappedHsp;
use super::align::{preliminary, without_gaps};
use super::batch::{Batch, batches};
use super::blocks::in_blocks;
use super::options::OptionError;
use super::options::{DatabaseTotals, SearchOptions};
use super::query::{QuerySequence, SearchedQuery};
use super::rank::hit::{Hit, Rank, Unaligned, rank};
use super::rank::hitlist::{Ranked, Shortlist, keep_best};
use super::rank::subject_best::keep_best_of_subject;
use super::rest::{Left, Nominee, Rest, Stretches};
use super::select::ungapped::{self, BatchWords, Finder};
use super::select::words::Neighbourhoods;
use super::select::{Prepared, Selector, selector};
use super::subjects::Subjects;
use super::watch::{Advance, Lookout, OnProgress, Watch};

/// Subjects that a thread takes at a time.
const BLOCK: u32 = 128;
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

    /// First pass: the best of the `subjects` for each query of the batch by preliminary rank, with those that
    /// had been `chosen` before, and the subjects that have not been looked at: because the watch is over, or
    /// because the chosen ones take too much memory.
    fn nominate(
        &self,
        (batch, words): (&Batch, &BatchWords),
        part: &Part<'_, impl Subjects>,
        subjects: &Stretches,
        mut chosen: Vec<Vec<Nominee>>,
        floors: &[Option<Rank>],
        watch: &Watch<'_>,
    ) -> (Vec<Vec<Nominee>>, Stretches) {
        let limit = self.scheme.options.limit_of_a_part();
        let held = AtomicUsize::new(held_by(&chosen));
        let blocks = subjects.blocks(BLOCK);
        let (per_thread, reached) = in_blocks(0..blocks.len(), 1, self.threads, |taken| {
            let lookout = watch.lookout();
            let mut shortlists: Vec<_> = floors.iter().map(|floor| Shortlist::new(limit, *floor)).collect();
            let mut held_here = 0;
            let mut unseen = Vec::new();
            let mut scan_workspace =
                ungapped::Workspace::new(batch.residues.len(), self.scheme.options.words.reach());
            let mut workspace = Workspace::default();
            let (mut found, mut nominees) = (Vec::new(), Vec::new());
            for block in taken.flatten() {
                let block = blocks[block].clone();
                let mut next = block.start;
                while next < block.end && !lookout.is_over() {
                    let residues = part.subjects.residues(next as usize);
                    let finder = self.finder(batch, words);
                    finder.find(residues, &mut scan_workspace, &mut found);
                    lookout.scanned(batch.residues.len(), residues.len());
                    for group in found.chunk_by(|a, b| a.query_place == b.query_place) {
                        let subject = (residues, next, part.first_ordinal + u64::from(next));
                        nominees.extend(self.nominee(batch, group, subject, &mut workspace, &lookout));
                    }
                    if lookout.is_over() {
                        // Some of its nominees may be half done.
                        break;
                    }
                    for (place, nominee) in nominees.drain(..) {
                        shortlists[place].push(nominee);
                    }
                    lookout.compared(batch.comparisons as u64);
                    next += 1;
                }
                unseen.push(next..block.end);
                lookout.tell_compared();
                let now = shortlists.iter().map(Shortlist::bytes).sum();
                // Wraps around where it has become less, and so does the sum.
                let change = usize::wrapping_sub(now, std::mem::replace(&mut held_here, now));
                if held.fetch_add(change, Ordering::Relaxed).wrapping_add(change) > self.room {
                    break;
                }
            }
            (shortlists, unseen)
        });
        let mut unseen = blocks[reached..].to_vec();
        for (lists, ranges) in per_thread {
            unseen.extend(ranges);
            chosen.iter_mut().zip(lists).for_each(|(chosen, list)| chosen.extend(list.into_items()));
        }
        chosen.iter_mut().for_each(|chosen| keep_best(chosen, limit));
        (chosen, Stretches::new(unseen))
    }

    /// The same with the pairs that are chosen among the first of the subjects: the best of these, and the subjects
    /// that have not been looked at.
    fn nominate_chosen(
        &self,
        (queries, prepared): (&[&SearchedQuery<'_>], &dyn Prepared),
        part: &Part<'_, impl Subjects>,
        subjects: &Stretches,
        floors: &[Option<Rank>],
        watch: &Watch<'_>,
    ) -> (Vec<Vec<Nominee>>, Stretches) {
        let none = || queries.iter().map(|_| Vec::new()).collect();
        let mut sections = prepared.sections(part.subjects, subjects.indices().collect()).into_iter();
        let Some(section) = sections.next() else { return (none(), Stretches::default()) };
        let pairs = prepared.choose(part.subjects, &section, self.threads, watch);
        let nominated = self.nominate_pairs(queries, &pairs, part, floors, watch);
        if watch.is_over() {
            // It may be half done.
            return (none(), subjects.clone());
        }
        let counted = queries.iter().filter(|query| query.is_counted()).count();
        watch.tell(Advance::Compared((counted * section.len()) as u64));
        (nominated, Stretches::new(sections.flatten().map(|index| index..index + 1)))
    }

    /// The nominees among pairs, given as subjects for each query: one query after the other, since hardly any
    /// subject has been chosen for two.
    fn nominate_pairs(
        &self,
        queries: &[&SearchedQuery<'_>],
        pairs: &[Vec<u32>],
        part: &Part<'_, impl Subjects>,
        floors: &[Option<Rank>],
        watch: &Watch<'_>,
    ) -> Vec<Vec<Nominee>> {
        let limit = self.scheme.options.limit_of_a_part();
        let (per_thread, _) = in_blocks(0..queries.len(), 1, self.threads, |taken| {
            let lookout = watch.lookout();
            let (mut workspace, mut found) = (Workspace::default(), Vec::new());
            let mut nominated = Vec::new();
            for place in taken.flatten().filter(|&place| !pairs[place].is_empty()) {
                let query = std::slice::from_ref(queries[place]);
                for batch in &batches(query, &self.scheme, usize::MAX) {
                    let words = BatchWords::new(batch, &self.scheme, &self.neighbourhoods);
                    let window = self.scheme.options.words.reach();
                    let mut scan_workspace = ungapped::Workspace::new(batch.residues.len(), window);
                    let mut shortlist = Shortlist::new(limit, floors[place]);
                    for &index in &pairs[place] {
                        let residues = part.subjects.residues(index as usize);
                        self.finder(batch, &words).find(residues, &mut scan_workspace, &mut found);
                        if lookout.scanned(batch.residues.len(), residues.len()) {
                            break;
                        }
                        if !found.is_empty() {
                            let subject = (residues, index, part.first_ordinal + u64::from(index));
                            let nominee = self.nominee(batch, &found, subject, &mut workspace, &lookout);
                            nominee.into_iter().for_each(|(_, nominee)| shortlist.push(nominee));
                        }
                    }
                    nominated.push((place, shortlist.into_items()));
                }
            }
            nominated
        });
        let mut nominees: Vec<Vec<Nominee>> = queries.iter().map(|_| Vec::new()).collect();
        per_thread.into_iter().flatten().for_each(|(place, found)| nominees[place] = found);
        nominees
    }

    fn finder<'a>(&'a self, batch: &'a Batch, words: &'a BatchWords) -> Finder<'a> {
        Finder {
            batch,
            words,
            neighbourhoods: &self.neighbourhoods,
            matrix: &self.scheme.matrix,
            kernel: self.scheme.ungapped_kernel.as_ref(),
        }
    }

    /// The subject, of which residues, index and ordinal are given, as a nominee of a query, whose place in the
    /// batch is returned.
    fn nominee(
        &self,
        batch: &Batch,
        ungapped: &[UngappedHsp],
        (residues, index, ordinal): (&[u8], u32, u64),
        workspace: &mut Workspace,
        lookout: &Lookout<'_>,
    ) -> Option<(usize, Nominee)> {
        let place = ungapped[0].query_place as usize;
        let cutoffs = batch.queries[place].cutoffs;
        let mut hsps = match &cutoffs.without_gaps {
            Some(statistics) => without_gaps::nominated(ungapped, statistics, &self.scheme.options),
            None => {
                let query = batch.query(place);
                preliminary::hsps(query, residues, ungapped, cutoffs, &self.scheme, (workspace, lookout))
            }
        };
        if self.scheme.options.subject_best_hit {
            keep_best_of_subject(&mut hsps, |hsp| hsp.extents.query);
        }
        Some((place, Nominee { rank: rank(&hsps, ordinal)?, index, hsps }))
    }

    /// Second pass: hands over final alignments of the nominees, per query of the batch, and returns the
    /// nominees that have not got theirs. Those that compete first, and those of a piece of a query, stay
    /// unaligned.
    fn align<E>(
        &self,
        Sought { batch, queries, .. }: &Sought<'_>,
        part: &Part<'_, impl Subjects>,
        nominated: Vec<Vec<Nominee>>,
        watch: &Watch<'_>,
        found: &mut dyn FnMut(usize, Hit) -> Result<(), E>,
    ) -> Result<Vec<Vec<Nominee>>, E> {
        let work: Vec<(usize, Nominee)> = nominated
            .into_iter()
            .enumerate()
            .flat_map(|(place, nominees)| nominees.into_iter().map(move |nominee| (place, nominee)))
            .collect();
        let aligners: Vec<Aligner<'_>> = (0..batch.queries.len())
            .map(|place| {
                let query = &batch.queries[place];
                let shown = queries[query.index].shown;
                Aligner::new(batch.query(place), shown, &self.scheme, query.cutoffs.without_gaps)
            })
            .collect();
        let mut is_done = vec![false; work.len()];
        let mut next = 0;
        while next < work.len() && !watch.is_over() {
            let held = AtomicUsize::new(0);
            let (per_thread, reached) = in_blocks(next..work.len(), 1, self.threads, |blocks| {
                let lookout = watch.lookout();
                let mut workspace = AlignerWorkspace::default();
                let mut aligned = Vec::new();
                for item in blocks.flatten() {
                    if lookout.is_over() {
                        break;
                    }
                    let (place, nominee) = &work[item];
                    let residues = part.subjects.residues(nominee.index as usize);
                    let mut hit = Hit {
                        preliminary: nominee.rank,
                        subject_length: residues.len() as u32,
                        defline: part.subjects.defline(nominee.index as usize).into_owned(),
                        hsps: Vec::new(),
                        unaligned: None,
                        optimal_evalue: None,
                    };
                    let is_piece = queries[batch.queries[*place].index].piece.is_some();
                    if is_piece || self.scheme.options.contest.is_some() {
                        hit.unaligned =
                            Some(Unaligned { residues: residues.to_vec(), hsps: nominee.hsps.clone() });
                    } else {
                        let finished =
                            aligners[*place].align(residues, &nominee.hsps, (&mut workspace, &lookout));
                        if lookout.is_over() {
                            // It may be half done.
                            break;
                        }
                        hit.finish(finished);
                        lookout.tell_aligned();
                    }
                    let bytes = hit.bytes();
                    aligned.push((item, hit));
                    if held.fetch_add(bytes, Ordering::Relaxed) + bytes > self.room / 2 {
                        break;
                    }
                }
                aligned
            });
            next = reached;
            for (item, mut hit) in per_thread.into_iter().flatten() {
                let query = batch.queries[work[item].0].index;
                hit.shift_query(queries[query].range.start);
                is_done[item] = true;
                found(query, hit)?;
            }
        }
        let mut left: Vec<Vec<Nominee>> = batch.queries.iter().map(|_| Vec::new()).collect();
        for ((place, nominee), _) in work.into_iter().zip(is_done).filter(|(_, is_done)| !is_done) {
            left[place].push(nominee);
        }
        Ok(left)
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
            _ => SearchOptions { contest: Some(Contest::Culling(3)), ..plain },
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

        /// Stopped after any number of looks, by one thread or several, and gone on with what was written
        /// down, it finds what it finds in one go; and nothing is compared twice.
        #[test]
        fn a_search_that_is_stopped_goes_on_as_if_it_had_not_been(
            kind in 0usize..6,
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
