//! What is put aside of shards that take long.

use bytes::Bytes;
use futures::TryStreamExt;

use super::Ledger;
use super::chunks::on_thread;
use super::pieces::Pieces;
use crate::jobs::error::{Error, Result};
use crate::jobs::frame::{self, Kind};
use crate::jobs::messages::ShardPlanned;
use crate::jobs::names;
use crate::jobs::turn::{PutAside, Run};
use crate::store::{Standing, Written};

impl Ledger {
    /// Number of what was put aside last of a shard, if anything was.
    pub(in crate::jobs) async fn last_put_aside(&self, shard: ShardPlanned) -> Result<Option<u32>> {
        let mut last = None;
        let mut listing = self.blobs.list(&names::turns_of(shard));
        while let Some(blob) = listing.try_next().await? {
            last = last.max(names::number_of_turn(&blob.name));
        }
        Ok(last)
    }

    /// What was put aside of a shard under this number.
    pub(in crate::jobs) async fn put_aside(&self, shard: ShardPlanned, number: u32) -> Result<PutAside> {
        let blob = names::turn(shard, number)?;
        let decode = |frame: Bytes| {
            let name = blob.to_string();
            on_thread(move || frame::open_whole(Kind::PutAside, &name, &frame)?.value())
        };
        self.read_until_whole(&blob, decode).await
    }

    /// Puts aside the [frame](crate::jobs::frame::encode) of a [`PutAside`]; `false` if there is another under
    /// this number.
    pub(in crate::jobs) async fn put_put_aside(
        &self,
        shard: ShardPlanned,
        number: u32,
        frame: Bytes,
    ) -> Result<bool> {
        let blob = names::turn(shard, number)?;
        if self.blobs.put_if_absent(&blob, frame.clone()).await? == Written::Created {
            return Ok(true);
        }
        // Or this one, by a try whose answer was lost.
        match self.blobs.get(&blob).await {
            Err(error) if names::absent(&error) => Ok(false),
            stands => Ok(stands? == frame),
        }
    }

    /// The [frame](crate::jobs::hits) of the hits of a run of a shard, with the name of its blob.
    pub(in crate::jobs) async fn hits_of_run(
        &self,
        shard: ShardPlanned,
        run: Run,
    ) -> Result<(String, Pieces)> {
        let blob = names::hits_of_run(shard, run.number, run.mark)?;
        match self.pieces(&blob).await {
            Err(error) if error.is_not_found() => {
                Err(Error::Damaged { object: blob.to_string(), reason: "it is missing".to_owned() })
            }
            other => other.map(|pieces| (blob.to_string(), pieces)),
        }
    }

    /// Writes the [frame](crate::jobs::hits) of the hits of a run of a shard.
    pub(in crate::jobs) async fn put_hits_of_run(
        &self,
        shard: ShardPlanned,
        run: Run,
        frame: Pieces,
    ) -> Result<()> {
        self.put_pieces(&names::hits_of_run(shard, run.number, run.mark)?, frame, Standing::Goes).await?;
        Ok(())
    }

    /// Removes the hits of a run that came to nothing.
    pub(in crate::jobs) async fn delete_hits_of_run(&self, shard: ShardPlanned, run: Run) -> Result<()> {
        self.blobs.delete(&names::hits_of_run(shard, run.number, run.mark)?).await?;
        Ok(())
    }

    /// Removes all that was put aside of a shard.
    pub(in crate::jobs) async fn delete_put_aside(&self, shard: ShardPlanned) -> Result<()> {
        let mut listing = self.blobs.list(&names::turns_of(shard));
        while let Some(blob) = listing.try_next().await? {
            self.blobs.delete(&blob.name).await?;
        }
        Ok(())
    }
}
