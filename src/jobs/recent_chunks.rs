//! Chunks that an instance has met lately: the shards of a volume have the same ones as those of the next.

use std::collections::VecDeque;
use std::sync::Arc;

use super::chunk::{Query, QueryChunk};
use super::id::JobId;

/// Memory for chunks beside the last, bytes: for some dozens.
const MOST_BYTES: usize = 4 << 20;

/// The chunks, the one that was wanted last at the end.
#[derive(Debug, Default)]
pub(super) struct RecentChunks {
    chunks: VecDeque<(JobId, u32, Arc<QueryChunk>)>,
}

impl RecentChunks {
    /// The chunk, if it is kept.
    pub(super) fn get(&mut self, job: JobId, chunk: u32) -> Option<Arc<QueryChunk>> {
        let place = self.chunks.iter().position(|kept| (kept.0, kept.1) == (job, chunk))?;
        let kept = self.chunks.remove(place)?;
        let queries = kept.2.clone();
        self.chunks.push_back(kept);
        Some(queries)
    }

    /// Keeps a chunk, and for it forgets others.
    pub(super) fn keep(&mut self, job: JobId, chunk: u32, queries: Arc<QueryChunk>) {
        self.chunks.retain(|kept| (kept.0, kept.1) != (job, chunk));
        let mut bytes = bytes_of(&queries);
        self.chunks.push_back((job, chunk, queries));
        let others = self.chunks.iter().rev().skip(1);
        let fitting = others.take_while(|kept| {
            bytes += bytes_of(&kept.2);
            bytes <= MOST_BYTES
        });
        let kept = 1 + fitting.count();
        self.chunks.drain(..self.chunks.len() - kept);
    }
}

/// About how much memory a chunk takes.
fn bytes_of(chunk: &QueryChunk) -> usize {
    let bytes = |query: &Query| size_of::<Query>() + query.residues.len() + query.defline.len();
    chunk.queries.iter().map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(residues: usize) -> Arc<QueryChunk> {
        let query = Query {
            number: 1,
            batch: 0,
            defline: Vec::new(),
            residues: vec![1; residues],
            lower_case: Vec::new(),
            pieces: Vec::new(),
        };
        Arc::new(QueryChunk { first_place: 1, queries: vec![query] })
    }

    #[test]
    fn chunks_are_kept_as_far_as_there_is_room_and_the_last_in_any_case() {
        let job = JobId::random().expect("randomness");
        let mut recent = RecentChunks::default();
        for number in 0..5 {
            recent.keep(job, number, chunk(MOST_BYTES / 4));
        }
        let kept: Vec<u32> = (0..5).filter(|&number| recent.get(job, number).is_some()).collect();
        assert_eq!(kept, [2, 3, 4]);
        recent.get(job, 2);
        recent.keep(job, 5, chunk(MOST_BYTES / 4));
        assert!(recent.get(job, 2).is_some() && recent.get(job, 3).is_none());
        recent.keep(job, 6, chunk(2 * MOST_BYTES));
        assert!(recent.get(job, 6).is_some() && recent.get(job, 5).is_none());
    }
}
