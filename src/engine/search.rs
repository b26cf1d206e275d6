//! A search: every query against every subject of one part of the database.

use std::num::NonZeroUsize;

use super::align::aligner::{Aligner, AlignerWorkspace};
use super::align::gapped::Workspace;
use super::align::preliminary::PreliminaryHsp;
use super::align::scheme::{SHORTEST_SUBJECT, Scheme};
use super::align::ungapped_hsp::UngappedHsp;
use super::align::{preliminary, without_gaps};
use super::batch::{Batch, batches};
use super::blocks::in_blocks;
use super::options::OptionError;
use super::options::{DatabaseTotals, SearchOptions};
use super::query::{QuerySequence, SearchedQuery};
use super::rank::hit::rank;
use super::rank::hit::{Hit, Rank, Unaligned};
use super::rank::hitlist::{Candidates, Shortlist};
use super::rank::subject_best::keep_best_of_subject;
use super::select::ungapped::{self, BatchWords, Finder};
use super::select::words::Neighbourhoods;
use super::subjects::Subjects;

/// Subjects that a thread takes at a time.
const BLOCK: usize = 128;

/// A search that is ready to run: options, the whole database's size, and derived tables.
///
/// The hits of a part are a pure function of the queries, the part, its first ordinal, the totals
/// and the options; threads and their timing change nothing.
#[derive(Debug)]
pub struct Search {
    scheme: Scheme,
    neighbourhoods: Neighbourhoods,
}

/// Told how many more comparisons (query–subject pairs) have been made; called from any thread.
pub type OnProgress<'a> = &'a (dyn Fn(u64) + Sync);

impl Search {
    /// Prepares a search with `options` in a database of size `totals`.
    ///
    /// # Errors
    /// If there are no statistics for the matrix and gap costs.
    pub fn new(options: SearchOptions, totals: DatabaseTotals) -> Result<Self, OptionError> {
        let scheme = Scheme::new(options, totals)?;
        let neighbourhoods = Neighbourhoods::new(&scheme.matrix, &options.words);
        Ok(Self { scheme, neighbourhoods })
    }

    /// The same search in sequences that are given with the queries or chosen from a database, the
    /// shortest of which has `residues` residues: blastp knows that of them, but not of whole databases.
    pub fn in_given_subjects(mut self, residues: u64) -> Self {
        self.scheme.shortest_subject = residues.max(SHORTEST_SUBJECT);
        self
    }

    /// Compares `queries` with `subjects`, the first of which is number
    /// `first_ordinal` of the whole database. Returns the candidates of each query; those of a query that
    /// is searched in pieces for each piece, to be aligned by [`LateAlignment`](super::LateAlignment).
    pub fn run(
        &self,
        queries: &[QuerySequence<'_>],
        subjects: &impl Subjects,
        first_ordinal: u64,
        threads: NonZeroUsize,
        on_progress: OnProgress<'_>,
    ) -> Vec<Candidates> {
        let asked = queries.len();
        let queries: Vec<SearchedQuery<'_>> =
            queries.iter().flat_map(|&query| SearchedQuery::pieces(query, &self.scheme.options)).collect();
        let mut results = vec![Candidates::default(); queries.len()];
        let batches = batches(&queries, &self.scheme);
        let searched: usize = batches.iter().map(|batch| batch.comparisons).sum();
        on_progress((asked - searched) as u64 * subjects.len() as u64);
        for batch in &batches {
            let nominated = self.nominate(batch, subjects, first_ordinal, threads, on_progress);
            let aligned = self.align(batch, &queries, subjects, nominated, threads);
            for (query, mut hits) in batch.queries.iter().zip(aligned) {
                hits.iter_mut().for_each(|hit| hit.shift_query(queries[query.index].range.start));
                results[query.index] = Candidates::new(hits, &self.scheme.options);
            }
        }
        results
    }

    /// First pass: the best subjects of each query of the batch by preliminary rank.
    fn nominate(
        &self,
        batch: &Batch,
        subjects: &impl Subjects,
        first_ordinal: u64,
        threads: NonZeroUsize,
        on_progress: OnProgress<'_>,
    ) -> Vec<Vec<Nominee>> {
        let limit = self.scheme.options.limit_of_a_part();
        let words = BatchWords::new(batch, &self.scheme, &self.neighbourhoods);
        let per_thread = in_blocks(subjects.len(), BLOCK, threads, |blocks| {
            let mut shortlists: Vec<_> = batch.queries.iter().map(|_| Shortlist::new(limit)).collect();
            let mut scan_workspace =
                ungapped::Workspace::new(batch.residues.len(), self.scheme.options.words.reach());
            let mut workspace = Workspace::default();
            let mut found = Vec::new();
            for block in blocks {
                let comparisons = (block.len() * batch.comparisons) as u64;
                for index in block {
                    let subject = subjects.residues(index);
                    let finder = Finder {
                        batch,
                        words: &words,
                        neighbourhoods: &self.neighbourhoods,
                        matrix: &self.scheme.matrix,
                        kernel: self.scheme.ungapped_kernel.as_ref(),
                    };
                    finder.find(subject, &mut scan_workspace, &mut found);
                    for group in found.chunk_by(|a, b| a.query_place == b.query_place) {
                        let ordinal = first_ordinal + index as u64;
                        let nominee = self.nominee(batch, group, subject, index, ordinal, &mut workspace);
                        if let Some(nominee) = nominee {
                            shortlists[group[0].query_place as usize].push(nominee, |n| n.rank);
                        }
                    }
                }
                on_progress(comparisons);
            }
            shortlists
        });
        let mut columns: Vec<Vec<_>> = batch.queries.iter().map(|_| Vec::new()).collect();
        for (place, list) in per_thread.into_iter().flat_map(|lists| lists.into_iter().enumerate()) {
            columns[place].push(list);
        }
        columns.into_iter().map(|lists| Shortlist::merge(lists, limit, |n| n.rank)).collect()
    }

    fn nominee(
        &self,
        batch: &Batch,
        ungapped: &[UngappedHsp],
        subject: &[u8],
        index: usize,
        ordinal: u64,
        workspace: &mut Workspace,
    ) -> Option<Nominee> {
        let place = ungapped[0].query_place as usize;
        let cutoffs = batch.queries[place].cutoffs;
        let mut hsps = match &cutoffs.without_gaps {
            Some(statistics) => without_gaps::nominated(ungapped, statistics, &self.scheme.options),
            None => {
                preliminary::hsps(batch.query(place), subject, ungapped, cutoffs, &self.scheme, workspace)
            }
        };
        if self.scheme.options.subject_best_hit {
            keep_best_of_subject(&mut hsps, |hsp| hsp.extents.query);
        }
        Some(Nominee { rank: rank(&hsps, ordinal)?, index, hsps })
    }

    /// Second pass: final alignments of the nominees, per query of the batch. Those that compete first,
    /// and those of a piece of a query, stay unaligned.
    fn align(
        &self,
        batch: &Batch,
        queries: &[SearchedQuery<'_>],
        subjects: &impl Subjects,
        nominated: Vec<Vec<Nominee>>,
        threads: NonZeroUsize,
    ) -> Vec<Vec<Hit>> {
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
        let per_thread = in_blocks(work.len(), 1, threads, |blocks| {
            let mut workspace = AlignerWorkspace::default();
            let mut hits = Vec::new();
            for item in blocks.flatten() {
                let (place, nominee) = &work[item];
                let subject = subjects.residues(nominee.index);
                let mut hit = Hit {
                    preliminary: nominee.rank,
                    subject_length: subject.len() as u32,
                    defline: subjects.defline(nominee.index).into_owned(),
                    hsps: Vec::new(),
                    unaligned: None,
                    optimal_evalue: None,
                };
                let is_piece = queries[batch.queries[*place].index].piece.is_some();
                if is_piece || self.scheme.options.contest.is_some() {
                    hit.unaligned =
                        Some(Unaligned { residues: subject.to_vec(), hsps: nominee.hsps.clone() });
                } else {
                    hit.finish(aligners[*place].align(subject, &nominee.hsps, &mut workspace));
                }
                hits.push((*place, hit));
            }
            hits
        });
        let mut hits: Vec<Vec<Hit>> = batch.queries.iter().map(|_| Vec::new()).collect();
        for (place, hit) in per_thread.into_iter().flatten() {
            hits[place].push(hit);
        }
        hits
    }
}

/// A subject that reached the preliminary E-value limit for a query.
#[derive(Debug)]
struct Nominee {
    rank: Rank,
    /// Index of the subject in its part.
    index: usize,
    hsps: Vec<PreliminaryHsp>,
}
