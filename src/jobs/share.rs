//! Links to reports: signed, and valid for a while. Whoever has one can read the report, and no more.
//!
//! A link's token is `<job>.<expiry>.<signature>`: the job, seconds since 1970, and the keyed BLAKE3
//! digest of both. The key is 32 random bytes that the first to need it puts into storage, so that all
//! instances have the same and no setting holds it; deleting the blob makes all links invalid.

use std::time::Duration;

use jiff::Timestamp;

use super::error::{Error, Result};
use super::id::JobId;
use super::names;
use super::pipeline::Pipeline;

/// Longest time that a link can be valid for.
pub const MAX_SHARE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What is signed begins with this, so that the key signs nothing else.
const PURPOSE: &str = "skyblast link to a report 1";

/// A link to a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// What to put into the link.
    pub token: String,
    /// When it stops working.
    pub expires: Timestamp,
}

impl Pipeline {
    /// Makes a link to a job's report that is valid for `lifetime` from `now`, at most [`MAX_SHARE`].
    /// The report need not be there yet.
    pub async fn share(&self, id: JobId, lifetime: Duration, now: Timestamp) -> Result<Share> {
        self.ledger.job(id).await?;
        let seconds = now.as_second().saturating_add(lifetime.min(MAX_SHARE).as_secs() as i64);
        let expires = Timestamp::from_second(seconds).map_err(|e| Error::Internal(e.to_string()))?;
        let signature = sign(&self.share_key().await?, id, seconds);
        Ok(Share { token: format!("{id}.{seconds}.{}", signature.to_hex()), expires })
    }

    /// The job that a link leads to, as of `now`.
    pub async fn shared(&self, token: &str, now: Timestamp) -> Result<JobId> {
        let (id, seconds, signature) = parse(token).ok_or(Error::InvalidShare)?;
        // Digests are compared in constant time.
        if sign(&self.share_key().await?, id, seconds) != signature {
            return Err(Error::InvalidShare);
        }
        if now.as_second() >= seconds {
            return Err(Error::ExpiredShare);
        }
        Ok(id)
    }

    /// Keeps the key of links from expiring with the jobs that it lies among.
    pub(super) async fn keep_share_key(&self) -> Result<()> {
        self.ledger.touch_share_secret().await
    }

    async fn share_key(&self) -> Result<[u8; 32]> {
        let lost = || Error::Internal("the key of links is gone as soon as it is written".to_owned());
        let stored = match self.ledger.share_secret().await? {
            Some(stored) => stored,
            None => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(|e| Error::Internal(e.to_string()))?;
                self.ledger.put_share_secret(key.to_vec().into()).await?;
                self.ledger.share_secret().await?.ok_or_else(lost)?
            }
        };
        let damaged = |_| Error::Damaged {
            object: names::SHARE_SECRET.to_owned(),
            reason: "it does not have 32 bytes; delete it, and links made so far will be invalid".to_owned(),
        };
        stored.as_ref().try_into().map_err(damaged)
    }
}

fn sign(key: &[u8; 32], id: JobId, seconds: i64) -> blake3::Hash {
    blake3::keyed_hash(key, format!("{PURPOSE}\n{id}\n{seconds}").as_bytes())
}

fn parse(token: &str) -> Option<(JobId, i64, blake3::Hash)> {
    let (id, rest) = token.split_once('.')?;
    let (seconds, signature) = rest.split_once('.')?;
    Some((id.parse().ok()?, seconds.parse().ok()?, blake3::Hash::from_hex(signature).ok()?))
}
