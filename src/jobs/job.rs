//! What is written down of a job: the request, the plan, and how it ended.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::burst::Placement;
use super::chunk::{Warning, pairs_per_second};
use super::edition::{Edition, Remade};
use super::estimate::Bounds;
use super::id::JobId;
use super::messages::ShardPlanned;
use super::taxa::Chosen;
use crate::database::{Digest, VolumeInfo};
use crate::engine::{DatabaseTotals, SearchOptions};

/// Which database, in which version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DatabaseRef {
    /// Its name.
    pub name: String,
    /// The version that the name meant when the job was accepted.
    pub version: String,
}

impl std::fmt::Display for DatabaseRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// One chunk of a job, without its queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkInfo {
    /// Number of queries.
    pub queries: u64,
    /// Number of residues.
    pub residues: u64,
}

/// A request as it was accepted, and what its queries are; `job.json`. Never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// The program whose answer is wanted; `blastp`.
    pub program: String,
    /// The version of skyblast that accepted it.
    pub engine: String,
    /// When it was accepted.
    pub submitted: Timestamp,
    /// Who submitted it, where users sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The trace that it belongs to, as a `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What to search in.
    pub database: DatabaseRef,
    /// Its title, for reports.
    #[serde(default)]
    pub database_title: Option<String>,
    /// When it was made, for reports.
    #[serde(default)]
    pub database_created: Option<Timestamp>,
    /// The volumes that are searched, in order: what is removed from the catalogue after this moment is still searched.
    pub volumes: Vec<VolumeInfo>,
    /// Size of that database.
    pub totals: DatabaseTotals,
    /// What is searched of it, if that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
    /// The names of taxa that its report shows, by the digest of their import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxonomy: Option<Digest>,
    /// Options that change the hits.
    pub options: SearchOptions,
    /// Format of the report, as `--outfmt` has it.
    pub outfmt: String,
    /// How the report is shown if nobody says otherwise, in the words of the API that it was submitted by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// The chunks, in order.
    pub chunks: Vec<ChunkInfo>,
    /// What was odd about the queries.
    pub warnings: Vec<Warning>,
    /// How many warnings are not listed.
    pub further_warnings: u64,
    /// Seconds that instances were expected to compare, when its queries had been read; none if no search like it
    /// had been measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Bounds>,
    /// Where it is compared.
    #[serde(default)]
    pub placement: Placement,
}

impl Job {
    /// Number of queries.
    pub fn queries(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.queries).sum()
    }

    /// Number of query residues.
    pub fn residues(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.residues).sum()
    }

    /// How long its largest shard is expected to take on one core, generously.
    pub(super) fn expected_shard_time(&self, volumes: &[VolumeInfo]) -> Duration {
        let queries = self.chunks.iter().map(|chunk| chunk.residues).max().unwrap_or(0);
        let subjects = volumes.iter().map(|volume| volume.residues).max().unwrap_or(0);
        Duration::from_secs_f64(queries as f64 * subjects as f64 / pairs_per_second(self.options.mode))
    }

    /// Number of query–subject pairs that the job considers.
    pub fn comparisons(&self) -> u64 {
        self.queries() * self.searched().sequences
    }

    /// Number of pairs of a query residue and a residue of what is searched: by this, work is reckoned.
    pub(super) fn residue_pairs(&self) -> f64 {
        self.residues() as f64 * self.searched().residues as f64
    }

    /// Size of what is searched of the database, which statistics refer to.
    pub fn searched(&self) -> DatabaseTotals {
        self.chosen.as_ref().map_or(self.totals, Chosen::totals)
    }

    /// Number of sequences that are searched of a volume, which is number `place` of the job's.
    pub(super) fn sequences_of(&self, place: u32) -> u64 {
        let place = place as usize;
        match &self.chosen {
            Some(chosen) => chosen.volumes.get(place).map_or(0, |volume| volume.sequences),
            None => self.volumes.get(place).map_or(0, |volume| volume.sequences),
        }
    }
}

/// The grid of a job; `plan.json`. Never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// When it was laid out.
    pub planned: Timestamp,
    /// Number of chunks.
    pub chunks: u32,
    /// The volumes, in the order of the database.
    pub volumes: Vec<VolumeInfo>,
    /// How many volumes are searched at the same time.
    #[serde(default = "one")]
    pub abreast: u32,
    /// How many chunks are searched in all volumes before the others are; 0 for all.
    #[serde(default)]
    pub first_chunks: u32,
    /// What the edition that is being made makes again of it; not part of `plan.json`.
    #[serde(skip)]
    pub(super) remade: Remade,
}

/// Instances that may begin to search at the same time: as many as a region starts for one app.
const MOST_INSTANCES: u32 = 1_000;
/// Readers of one volume that may begin at the same time. The service is meant to answer 500 requests a second
/// for one blob, and a reader has some eight answered in a second.
const FIRST_READERS: u32 = 60;

/// Earlier versions searched one volume after the other.
fn one() -> u32 {
    1
}

/// How many chunks are searched first, so that not all instances begin with the same one of so many volumes.
fn first_chunks(volumes: u32) -> u32 {
    MOST_INSTANCES.div_ceil(volumes.max(1)).max(FIRST_READERS)
}

impl Plan {
    /// The grid of a job for instances that keep so many volumes open.
    pub(super) fn of(job: &Job, abreast: u32) -> Self {
        let volumes = job.volumes.clone();
        let first_chunks = first_chunks(volumes.len() as u32);
        Self {
            planned: Timestamp::now(),
            chunks: job.chunks.len() as u32,
            volumes,
            abreast,
            first_chunks,
            remade: Remade::default(),
        }
    }

    /// The message of a shard.
    pub(super) fn message(&self, job: JobId, shard: u64) -> ShardPlanned {
        let (chunk, volume) = self.shard(shard);
        ShardPlanned { job, edition: self.remade.edition, chunk, volume }
    }

    /// The edition of a job that this is the grid for.
    pub(super) fn edition(&self, job: JobId) -> Edition {
        Edition { job, number: self.remade.edition }
    }

    /// The edition in which a chunk is merged.
    pub(super) fn edition_of(&self, job: JobId, chunk: u32) -> Edition {
        Edition { job, number: self.remade.edition_of(chunk) }
    }

    /// When this edition could begin.
    pub(super) fn began(&self) -> Timestamp {
        self.remade.since.unwrap_or(self.planned)
    }

    /// Number of shards.
    pub fn shards(&self) -> u64 {
        u64::from(self.chunks) * self.volumes.len() as u64
    }

    /// Chunk and volume of shard number `shard`. A few volumes are searched abreast, chunk by chunk: so an
    /// instance finds the volumes that it holds wanted again. The first chunks go through all volumes before the
    /// others begin: so the instances, which begin at the same time with nothing open, do not all want the same
    /// volume. The last volume comes last in every row.
    pub fn shard(&self, shard: u64) -> (u32, u32) {
        let (chunks, volumes) = (u64::from(self.chunks.max(1)), self.volumes.len() as u64);
        let first_chunks = Some(u64::from(self.first_chunks)).filter(|&first| first > 0 && first < chunks);
        let (first_chunk, chunks, shard) = match first_chunks {
            Some(first) if shard < first * volumes => (0, first, shard),
            Some(first) => (first, chunks - first, shard - first * volumes),
            None => (0, chunks, shard),
        };
        let abreast = u64::from(self.abreast.max(1));
        let first = shard / (abreast * chunks) * abreast;
        let (place, width) = (shard % (abreast * chunks), abreast.min(volumes.saturating_sub(first)).max(1));
        ((first_chunk + place / width) as u32, (first + place % width) as u32)
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Accepted, but no shard has been taken up; queries that were uploaded may not have been read.
    Queued,
    /// Shards are being compared or merged.
    Running,
    /// The report is complete.
    Completed,
    /// The report is there, but lacks the shards that failed.
    CompletedWithFailedShards,
    /// There is no report.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl State {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::CompletedWithFailedShards,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Its name in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::CompletedWithFailedShards => "completed_with_failed_shards",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the state will not change any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// Whether there is a report.
    pub fn has_report(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithFailedShards)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::CompletedWithFailedShards => "completed with failed shards",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

/// A shard that was given up; `failed/<chunk>/<volume>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FailedShard {
    /// The chunk, from 0.
    pub chunk: u32,
    /// The volume, from 0.
    pub volume: u32,
    /// Why.
    pub reason: String,
}

/// How an edition of a job ended; `done.json`. The first one written stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Outcome {
    /// A final state.
    pub state: State,
    /// When.
    pub finished: Timestamp,
    /// Shards whose hits are in the report.
    pub shards_done: u64,
    /// Shards that failed, in the order of the grid; at most [`MAX_LISTED_FAILURES`].
    pub failed: Vec<FailedShard>,
    /// Number of shards that failed.
    pub shards_failed: u64,
    /// Why there is no report.
    pub reason: Option<String>,
    /// Milliseconds that instances spent on comparing its shards.
    pub instance_milliseconds: u64,
}

impl Outcome {
    /// Whether there is something to try again.
    pub(super) fn can_be_retried(&self) -> bool {
        matches!(self.state, State::CompletedWithFailedShards | State::Failed)
    }
}

/// Failed shards that an outcome lists one by one.
pub const MAX_LISTED_FAILURES: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_numbers_every_shard_once_some_volumes_abreast() {
        let volume = VolumeInfo {
            digest: crate::database::Digest::of(b""),
            sequences: 1,
            residues: 1,
            bytes: 1,
            first_ordinal: 0,
        };
        let of_first = |abreast, volumes, first_chunks| {
            let volumes = vec![volume.clone(); volumes];
            let plan = Plan {
                planned: Timestamp::UNIX_EPOCH,
                chunks: 3,
                volumes,
                abreast,
                first_chunks,
                remade: Remade::default(),
            };
            (0..plan.shards()).map(|shard| plan.shard(shard)).collect::<Vec<_>>()
        };
        let shards = |abreast, volumes| of_first(abreast, volumes, 0);
        assert_eq!(shards(1, 2), [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]);
        let two = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)];
        assert_eq!(shards(2, 2), two);
        assert_eq!(shards(8, 2), two);
        assert_eq!(shards(2, 3), [&two[..], &[(0, 2), (1, 2), (2, 2)]].concat());
        assert_eq!(of_first(1, 2, 2), [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 1)]);
        assert_eq!(of_first(2, 2, 1), two);
        assert_eq!(of_first(1, 2, 3), shards(1, 2));
    }

    #[test]
    fn instances_that_begin_together_do_not_all_read_the_same_volume() {
        for (abreast, volumes, most) in [(1, 50, 60), (8, 50, 60), (1, 17, 60), (1, 4, 250), (1, 1, 1_000)] {
            let volume = VolumeInfo {
                digest: crate::database::Digest::of(b""),
                sequences: 1,
                residues: 1,
                bytes: 500 << 20,
                first_ordinal: 0,
            };
            let plan = Plan {
                planned: Timestamp::UNIX_EPOCH,
                chunks: 16_000,
                volumes: vec![volume; volumes],
                abreast,
                first_chunks: first_chunks(volumes as u32),
                remade: Remade::default(),
            };
            let mut readers = vec![0; volumes];
            for shard in 0..u64::from(MOST_INSTANCES) {
                readers[plan.shard(shard).1 as usize] += 1;
            }
            assert_eq!(readers.iter().max(), Some(&most), "{volumes} volumes, {abreast} abreast");
            let last = plan.shards() - 1;
            assert_eq!(plan.shard(last), (15_999, volumes as u32 - 1));
        }
    }
}
