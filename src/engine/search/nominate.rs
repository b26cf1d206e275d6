//! The first pass: which subjects are the best of each query by their preliminary scores.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Part, Search, held_by};
use crate::engine::align::best_stretch::{StretchWorkspace, best_stretch};
use crate::engine::align::gapped::Workspace;
use crate::engine::align::ungapped_hsp::UngappedHsp;
use crate::engine::align::{preliminary, without_gaps};
use crate::engine::batch::{Batch, batches};
use crate::engine::blocks::in_blocks;
use crate::engine::query::SearchedQuery;
use crate::engine::rank::hit::{Rank, rank};
use crate::engine::rank::hitlist::{Shortlist, keep_best};
use crate::engine::rank::subject_best::keep_best_of_subject;
use crate::engine::rest::{Nominee, Stretches};
use crate::engine::select::Prepared;
use crate::engine::select::ungapped::{self, BatchWords, Finder};
use crate::engine::subjects::Subjects;
use crate::engine::watch::{Advance, Lookout, Watch};

/// Subjects that a thread takes at a time.
const BLOCK: u32 = 128;

impl Search {
    /// First pass: the best of the `subjects` for each query of the batch by preliminary rank, with those that
    /// had been `chosen` before, and the subjects that have not been looked at: because the watch is over, or
    /// because the chosen ones take too much memory.
    pub(super) fn nominate(
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
    pub(super) fn nominate_chosen(
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
        let beyond_words = prepared.looks_beyond_words();
        let nominated = self.nominate_pairs((queries, beyond_words), &pairs, part, floors, watch);
        if watch.is_over() {
            // It may be half done.
            return (none(), subjects.clone());
        }
        let counted = queries.iter().filter(|query| query.is_counted()).count();
        watch.tell(Advance::Compared((counted * section.len()) as u64));
        (nominated, Stretches::new(sections.flatten().map(|index| index..index + 1)))
    }

    /// The nominees among pairs, given as subjects for each query: one query after the other, since hardly any
    /// subject has been chosen for two. Where words find nothing worth keeping, one may look beyond them.
    fn nominate_pairs(
        &self,
        (queries, beyond_words): (&[&SearchedQuery<'_>], bool),
        pairs: &[Vec<u32>],
        part: &Part<'_, impl Subjects>,
        floors: &[Option<Rank>],
        watch: &Watch<'_>,
    ) -> Vec<Vec<Nominee>> {
        let limit = self.scheme.options.limit_of_a_part();
        let (per_thread, _) = in_blocks(0..queries.len(), 1, self.threads, |taken| {
            let lookout = watch.lookout();
            let (mut workspace, mut found) = (Workspace::default(), Vec::new());
            let mut stretch_workspace = StretchWorkspace::default();
            let mut nominated = Vec::new();
            for place in taken.flatten().filter(|&place| !pairs[place].is_empty()) {
                let query = std::slice::from_ref(queries[place]);
                for batch in &batches(query, &self.scheme, usize::MAX) {
                    let words = BatchWords::new(batch, &self.scheme, &self.neighbourhoods);
                    let window = self.scheme.options.words.reach();
                    let mut scan_workspace = ungapped::Workspace::new(batch.residues.len(), window);
                    let mut shortlist = Shortlist::new(limit, floors[place]);
                    let unmasked = queries[place].without_masked();
                    for &index in &pairs[place] {
                        let residues = part.subjects.residues(index as usize);
                        self.finder(batch, &words).find(residues, &mut scan_workspace, &mut found);
                        if lookout.scanned(batch.residues.len(), residues.len()) {
                            break;
                        }
                        let subject = (residues, index, part.first_ordinal + u64::from(index));
                        let mut nominee = |found: &[UngappedHsp]| {
                            self.nominee(batch, found, subject, &mut workspace, &lookout)
                        };
                        let mut chosen = if found.is_empty() { None } else { nominee(&found) };
                        if beyond_words && chosen.is_none() && !lookout.is_over() {
                            let looked_at = (&mut stretch_workspace, &lookout);
                            let stretch = best_stretch(&unmasked, residues, &self.scheme, looked_at);
                            chosen = stretch.and_then(|stretch| nominee(&[stretch]));
                        }
                        chosen.into_iter().for_each(|(_, nominee)| shortlist.push(nominee));
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
}
