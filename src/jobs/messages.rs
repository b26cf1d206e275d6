//! What goes through the queues: ids and numbers only.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::edition::Edition;
use super::error::{Error, Result};
use super::id::JobId;
use super::trace::Trace;

/// A queue-driven step of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Lay out a job's grid and announce its shards.
    Plan,
    /// Compare one shard.
    Search,
    /// Merge one chunk's shards.
    Merge,
    /// Compose the report and close the job.
    Finish,
}

impl Stage {
    /// All stages, those nearest to a finished job first.
    pub const ALL: [Self; 4] = [Self::Finish, Self::Merge, Self::Plan, Self::Search];

    /// Names of all queues, those for messages that were given up included.
    pub fn queues() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().flat_map(|stage| [stage.queue(), stage.poison_queue()])
    }

    /// Name of the function, and of its folder under `functions/`.
    pub fn function(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Search => "search",
            Self::Merge => "merge",
            Self::Finish => "finish",
        }
    }

    /// Name of the function that settles messages of this stage that were given up.
    pub fn poison_function(self) -> &'static str {
        match self {
            Self::Plan => "plan_poison",
            Self::Search => "search_poison",
            Self::Merge => "merge_poison",
            Self::Finish => "finish_poison",
        }
    }

    /// Name of the queue.
    pub fn queue(self) -> &'static str {
        match self {
            Self::Plan => "plans",
            Self::Search => "shards",
            Self::Merge => "merges",
            Self::Finish => "finishes",
        }
    }

    /// Name of the queue for messages that were given up.
    pub fn poison_queue(self) -> &'static str {
        match self {
            Self::Plan => "plans-poison",
            Self::Search => "shards-poison",
            Self::Merge => "merges-poison",
            Self::Finish => "finishes-poison",
        }
    }
}

/// Name of the queue of shards that own workers alone are told of.
pub const OWN_SHARDS: &str = "own-shards";

/// The queue that a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbox {
    /// The queue of a stage.
    Work(Stage),
    /// The queue for messages of a stage that were given up.
    Poison(Stage),
}

impl Inbox {
    /// All there are.
    pub fn all() -> impl Iterator<Item = Self> {
        Stage::ALL.into_iter().flat_map(|stage| [Self::Work(stage), Self::Poison(stage)])
    }

    /// Name of the function that its messages are for.
    pub fn function(self) -> &'static str {
        match self {
            Self::Work(stage) => stage.function(),
            Self::Poison(stage) => stage.poison_function(),
        }
    }
}

/// A job is to be laid out and its first shards announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSubmitted {
    /// The job.
    pub job: JobId,
    /// The edition that it is for, 0 unless the job was retried.
    #[serde(default, skip_serializing_if = "is_first")]
    pub edition: u32,
}

/// A shard is to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardPlanned {
    /// The job.
    pub job: JobId,
    /// The edition that it is for, 0 unless the job was retried.
    #[serde(default, skip_serializing_if = "is_first")]
    pub edition: u32,
    /// The chunk, from 0.
    pub chunk: u32,
    /// The volume, from 0.
    pub volume: u32,
}

/// A chunk's shards are all settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkSearched {
    /// The job.
    pub job: JobId,
    /// The edition that it is for, 0 unless the job was retried.
    #[serde(default, skip_serializing_if = "is_first")]
    pub edition: u32,
    /// The chunk, from 0.
    pub chunk: u32,
}

/// A job's chunks are all merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMerged {
    /// The job.
    pub job: JobId,
    /// The edition that it is for, 0 unless the job was retried.
    #[serde(default, skip_serializing_if = "is_first")]
    pub edition: u32,
}

fn is_first(edition: &u32) -> bool {
    *edition == 0
}

/// A message that belongs to a job.
pub(super) trait Message: Serialize {
    /// The job, in the edition that the message is for.
    fn in_edition(&self) -> Edition;
}

macro_rules! messages {
    ($($message:ty),+) => {
        $(impl Message for $message {
            fn in_edition(&self) -> Edition {
                Edition { job: self.job, number: self.edition }
            }
        })+
    };
}

impl ShardPlanned {
    /// The job, in the edition that the shard is compared for.
    pub(super) fn in_edition(self) -> Edition {
        Message::in_edition(&self)
    }
}

messages!(JobSubmitted, ShardPlanned, ChunkSearched, JobMerged);

/// What every message carries besides.
#[derive(Serialize)]
struct Traced<'a, M> {
    #[serde(flatten)]
    message: &'a M,
    traceparent: String,
    /// Whether the same was announced before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    again: bool,
    /// Whether the cloud is told of it beside own workers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    burst: bool,
    /// The first shard of the slice behind which whoever takes it up announces the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    slice: Option<u64>,
}

/// What of a message says to which trace it belongs.
#[derive(Deserialize)]
struct TraceOnly {
    traceparent: Option<String>,
}

/// What of a message says whether it was announced before.
#[derive(Deserialize)]
struct AgainOnly {
    #[serde(default)]
    again: bool,
}

/// What of a message says whether it calls for more.
#[derive(Deserialize)]
struct SliceOnly {
    slice: Option<u64>,
}

/// What of a message says whether it is for the cloud beside own workers.
#[derive(Deserialize)]
struct BurstOnly {
    #[serde(default)]
    burst: bool,
}

/// Reads a message of `stage`.
pub(super) fn parse<T: DeserializeOwned>(stage: Stage, body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|e| Error::Message { stage: stage.function(), reason: e.to_string() })
}

/// The trace that a message belongs to, if it says.
pub(super) fn trace_of(body: &str) -> Option<Trace> {
    serde_json::from_str::<TraceOnly>(body).ok()?.traceparent?.parse().ok()
}

/// Whether the same was announced before.
pub(super) fn is_again(body: &str) -> bool {
    serde_json::from_str::<AgainOnly>(body).is_ok_and(|message| message.again)
}

/// Whether it is of a shard that the cloud was told of beside own workers.
pub(super) fn is_burst(body: &str) -> bool {
    serde_json::from_str::<BurstOnly>(body).is_ok_and(|message| message.burst)
}

/// The first shard of the slice behind which whoever takes it up announces the next, if it calls for that.
pub(super) fn slice_of(body: &str) -> Option<u64> {
    serde_json::from_str::<SliceOnly>(body).ok()?.slice
}

/// Writes a message; `again` if the same was, or may have been, announced before.
pub(super) fn text(message: &impl Message, trace: Trace, again: bool) -> Result<String> {
    write(&Traced { message, traceparent: trace.to_string(), again, burst: false, slice: None })
}

/// Writes the message of a shard that calls for the slice behind the one that begins with `slice`, if that is given.
pub(super) fn shard_text(
    shard: &ShardPlanned,
    trace: Trace,
    again: bool,
    slice: Option<u64>,
) -> Result<String> {
    write(&Traced { message: shard, traceparent: trace.to_string(), again, burst: false, slice })
}

/// Writes the message of a shard that the cloud is told of beside own workers.
pub(super) fn burst_text(shard: &ShardPlanned, trace: Trace) -> Result<String> {
    write(&Traced { message: shard, traceparent: trace.to_string(), again: true, burst: true, slice: None })
}

fn write(traced: &Traced<'_, impl Message>) -> Result<String> {
    serde_json::to_string(traced).map_err(|e| Error::Internal(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_carries_its_trace_and_is_read_without_it_too() {
        let shard =
            ShardPlanned { job: JobId::random().expect("randomness"), edition: 0, chunk: 1, volume: 2 };
        let trace = Trace::of(shard.job).child();
        let body = text(&shard, trace, false).expect("a message");
        assert_eq!(parse::<ShardPlanned>(Stage::Search, &body).expect("a shard"), shard);
        assert_eq!(trace_of(&body), Some(trace));
        assert!(!is_again(&body) && is_again(&text(&shard, trace, true).expect("a message")));
        let plain = serde_json::to_string(&shard).expect("JSON");
        assert_eq!(parse::<ShardPlanned>(Stage::Search, &plain).expect("a shard"), shard);
        assert_eq!(trace_of(&plain), None);
        assert!(!is_again(&plain));
    }
}
