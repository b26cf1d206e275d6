//! Which shards somebody has announced, and whose jobs take turns in a queue.

use std::ops::Range;

use futures::TryStreamExt;
use jiff::Timestamp;

use super::Ledger;
use crate::jobs::announce::{Sharers, Slice};
use crate::jobs::edition::Edition;
use crate::jobs::error::{Error, Result};
use crate::jobs::hedge::Hedged;
use crate::jobs::names;
use crate::store::{ETag, Written};

/// How far the shards of a job have been announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jobs) struct Announced {
    /// The first shards of its slices in ascending order, and when their blobs were written; at least one.
    slices: Vec<(u64, Timestamp)>,
    /// The first shard of the last slice.
    pub(in crate::jobs) last: u64,
    /// When the blob of that was written.
    pub(in crate::jobs) last_written: Timestamp,
    /// When any was.
    pub(in crate::jobs) newest: Timestamp,
}

impl Announced {
    /// The slices of a job of so many shards that have all been announced, and when they were.
    pub(in crate::jobs) fn slices(&self, shards: u64) -> impl Iterator<Item = (Range<u64>, Timestamp)> {
        let ends = self.slices.iter().skip(1).map(|&(first, _)| first).chain([shards]);
        self.slices.iter().zip(ends).map(|(&(first, written), end)| (first..end, written))
    }
}

/// A version of which shards of a job have been announced once more.
#[derive(Clone, Debug)]
pub(in crate::jobs) struct HedgedTag(ETag);

/// A version of who takes turns in a queue.
#[derive(Clone, Debug)]
pub(in crate::jobs) struct SharersTag(ETag);

impl Ledger {
    /// How far the shards of a job have been announced, if any has.
    pub(in crate::jobs) async fn announced(&self, edition: Edition) -> Result<Option<Announced>> {
        let mut found = Vec::new();
        let mut slices = self.blobs.list(&names::all(edition, names::ANNOUNCED));
        while let Some(blob) = slices.try_next().await? {
            found.extend(names::first_of_slice(&blob.name).map(|first| (first, blob.modified)));
        }
        let Some(&(last, last_written)) = found.last() else { return Ok(None) };
        let newest = found.iter().fold(last_written, |newest, slice| newest.max(slice.1));
        Ok(Some(Announced { slices: found, last, last_written, newest }))
    }

    /// The slice that begins with this shard, if anybody has begun to announce it.
    pub(in crate::jobs) async fn slice(&self, edition: Edition, first: u64) -> Result<Option<Slice>> {
        self.find_json(&names::slice(edition, first)?).await
    }

    /// When that was last written.
    pub(in crate::jobs) async fn slice_written(
        &self,
        edition: Edition,
        first: u64,
    ) -> Result<Option<Timestamp>> {
        Ok(self.blobs.info(&names::slice(edition, first)?).await?.map(|blob| blob.modified))
    }

    /// Reserves a slice for who announces it; `false` if somebody has.
    pub(in crate::jobs) async fn claim_slice(
        &self,
        edition: Edition,
        first: u64,
        slice: Slice,
    ) -> Result<bool> {
        Ok(self.put_json_if_absent(&names::slice(edition, first)?, &slice).await? == Written::Created)
    }

    /// Writes that a slice has been announced.
    pub(in crate::jobs) async fn finish_slice(
        &self,
        edition: Edition,
        first: u64,
        slice: Slice,
    ) -> Result<()> {
        self.put_json(&names::slice(edition, first)?, &slice).await
    }

    /// The shards of a job that have been announced once more, if any have, and which version of that this is.
    pub(in crate::jobs) async fn hedged(
        &self,
        edition: Edition,
    ) -> Result<(Option<Hedged>, Option<HedgedTag>)> {
        let blob = names::of_edition(edition, names::HEDGED)?;
        let (json, tag) = match self.blobs.get_tagged(&blob).await {
            Err(error) if names::absent(&error) => return Ok((None, None)),
            other => other.map_err(Error::from)?,
        };
        let hedged = serde_json::from_slice(&json)
            .map_err(|e| Error::Damaged { object: blob.to_string(), reason: e.to_string() })?;
        Ok((Some(hedged), Some(HedgedTag(tag))))
    }

    /// Replaces this version of it; `false` if somebody else has.
    pub(in crate::jobs) async fn replace_hedged(
        &self,
        edition: Edition,
        hedged: &Hedged,
        before: Option<&HedgedTag>,
    ) -> Result<bool> {
        let blob = names::of_edition(edition, names::HEDGED)?;
        self.replace_json(&blob, hedged, before.map(|HedgedTag(tag)| tag)).await
    }

    /// Who takes turns in a queue, and which version of that this is.
    pub(in crate::jobs) async fn sharers(&self, queue: &str) -> Result<(Sharers, Option<SharersTag>)> {
        let (json, tag) = match self.blobs.get_tagged(&names::sharers(queue)?).await {
            Err(error) if names::absent(&error) => return Ok((Sharers::default(), None)),
            other => other.map_err(Error::from)?,
        };
        // What cannot be read is forgotten.
        Ok((serde_json::from_slice(&json).unwrap_or_default(), Some(SharersTag(tag))))
    }

    /// Replaces this version of it; `false` if somebody else has.
    pub(in crate::jobs) async fn replace_sharers(
        &self,
        queue: &str,
        sharers: &Sharers,
        before: Option<&SharersTag>,
    ) -> Result<bool> {
        self.replace_json(&names::sharers(queue)?, sharers, before.map(|SharersTag(tag)| tag)).await
    }
}
