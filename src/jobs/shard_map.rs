//! The grid of a job as a picture: which shards are done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::job::Plan;

/// Most cells in each direction.
const MOST: u32 = 96;

/// The shards of a job as cells, chunks downwards and volumes to the right. A cell stands for several shards
/// where there are too many to be shown one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShardMap {
    /// Number of chunks.
    pub chunks: u32,
    /// Number of volumes.
    pub volumes: u32,
    /// Chunks of a cell.
    pub cell_chunks: u32,
    /// Volumes of a cell.
    pub cell_volumes: u32,
    /// A text per row of cells, with a letter per cell: `.` nothing is done, `1` to `9` so many tenths or more are,
    /// `#` all are, `!` some have failed.
    pub rows: Vec<String>,
}

impl ShardMap {
    /// The picture of a grid of which these shards, as chunk and volume, are done or failed.
    pub(super) fn of(plan: &Plan, done: &BTreeSet<(u32, u32)>, failed: &BTreeSet<(u32, u32)>) -> Self {
        let (chunks, volumes) = (plan.chunks, plan.volumes.len() as u32);
        let (cell_chunks, cell_volumes) = (chunks.div_ceil(MOST).max(1), volumes.div_ceil(MOST).max(1));
        let width = volumes.div_ceil(cell_volumes) as usize;
        let cells = chunks.div_ceil(cell_chunks) as usize * width;
        let cell = |&(chunk, volume): &(u32, u32)| {
            (chunk / cell_chunks) as usize * width + (volume / cell_volumes) as usize
        };
        let (mut counts, mut fails) = (vec![0u64; cells], vec![false; cells]);
        done.iter().map(cell).for_each(|cell| counts.get_mut(cell).into_iter().for_each(|count| *count += 1));
        failed
            .iter()
            .map(cell)
            .for_each(|cell| fails.get_mut(cell).into_iter().for_each(|fails| *fails = true));
        let letter = |cell: usize| {
            let (row, column) = ((cell / width) as u32, (cell % width) as u32);
            let high = u64::from((chunks - row * cell_chunks).min(cell_chunks));
            let wide = u64::from((volumes - column * cell_volumes).min(cell_volumes));
            match (fails[cell], counts[cell], high * wide) {
                (true, ..) => '!',
                (_, 0, _) => '.',
                (_, count, all) if count >= all => '#',
                (_, count, all) => char::from(b'0' + (10 * count / all).clamp(1, 9) as u8),
            }
        };
        let row = |first: usize| (first..first + width).map(letter).collect();
        let rows = (0..cells).step_by(width.max(1)).map(row).collect();
        Self { chunks, volumes, cell_chunks, cell_volumes, rows }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::database::{Digest, VolumeInfo};
    use crate::jobs::edition::Remade;

    fn map(chunks: u32, volumes: usize, done: &[(u32, u32)], failed: &[(u32, u32)]) -> ShardMap {
        let volume =
            VolumeInfo { digest: Digest::of(b""), sequences: 1, residues: 1, bytes: 1, first_ordinal: 0 };
        let volumes = vec![volume; volumes];
        let plan = Plan {
            planned: Timestamp::UNIX_EPOCH,
            chunks,
            volumes,
            abreast: 1,
            first_chunks: 0,
            remade: Remade::default(),
        };
        ShardMap::of(&plan, &done.iter().copied().collect(), &failed.iter().copied().collect())
    }

    #[test]
    fn every_shard_of_a_small_grid_has_a_cell() {
        let map = map(2, 3, &[(0, 0), (1, 2)], &[(1, 0)]);
        assert_eq!(map.rows, ["#..", "!.#"]);
        assert_eq!((map.cell_chunks, map.cell_volumes), (1, 1));
    }

    #[test]
    fn a_large_grid_is_shown_in_few_cells() {
        let done: Vec<_> = (0..1_000).map(|chunk| (chunk, 0)).collect();
        let large = map(1_000, 200, &done, &[(999, 199)]);
        assert_eq!((large.cell_chunks, large.cell_volumes), (11, 3));
        assert_eq!((large.rows.len(), large.rows[0].len()), (91, 67));
        assert!(large.rows[0].starts_with("3.") && large.rows[90].ends_with('!'), "{:?}", large.rows[90]);
        assert!(map(0, 0, &[], &[]).rows.is_empty());
    }
}
