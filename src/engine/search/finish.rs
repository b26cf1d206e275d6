//! The second pass: final alignments of the nominees.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Part, Search, Sought};
use crate::engine::align::aligner::{Aligner, AlignerWorkspace};
use crate::engine::blocks::in_blocks;
use crate::engine::rank::hit::{Hit, Unaligned};
use crate::engine::rest::Nominee;
use crate::engine::subjects::Subjects;
use crate::engine::watch::Watch;

impl Search {
    /// Second pass: hands over final alignments of the nominees, per query of the batch, and returns the
    /// nominees that have not got theirs. Those that compete first, and those of a piece of a query, stay
    /// unaligned.
    pub(super) fn align<E>(
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
