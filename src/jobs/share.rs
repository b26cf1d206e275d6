//! Links to reports, valid for a while. Whoever has one can read the report, and no more.
//!
//! A link's token is random: it says nothing of the job, whose id may open, cancel and share it. What it
//! leads to lies in storage under the token's digest, so that who can list storage has no link either.
//!
//! Earlier versions made tokens `<job>.<expiry>.<signature>`: the job, seconds since 1970, and the keyed
//! BLAKE3 digest of both. They are followed until they expire.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::JobId;
use super::pipeline::Pipeline;

/// Longest time that a link can be valid for.
pub const MAX_SHARE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Random bytes of a token.
const TOKEN_BYTES: usize = 24;

/// What earlier versions signed begins with this, so that the key signs nothing else.
const PURPOSE: &str = "skyblast link to a report 1";

/// A link to a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// What to put into the link.
    pub token: String,
    /// When it stops working.
    pub expires: Timestamp,
}

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shared {
    job: JobId,
    pub(super) expires: Timestamp,
}

impl Pipeline {
    /// Makes a link to a job's report that is valid for `lifetime` from `now`, at most [`MAX_SHARE`].
    /// The report need not be there yet.
    pub async fn share(&self, id: JobId, lifetime: Duration, now: Timestamp) -> Result<Share> {
        self.ledger.job(id).await?;
        let seconds = now.as_second().saturating_add(lifetime.min(MAX_SHARE).as_secs() as i64);
        let expires = Timestamp::from_second(seconds).map_err(|e| Error::Internal(e.to_string()))?;
        let mut random = [0; TOKEN_BYTES];
        getrandom::fill(&mut random).map_err(|e| Error::Internal(e.to_string()))?;
        let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        self.ledger.put_shared(&digest(&token), &Shared { job: id, expires }).await?;
        Ok(Share { token, expires })
    }

    /// The job that a link leads to, as of `now`.
    pub async fn shared(&self, token: &str, now: Timestamp) -> Result<JobId> {
        let shared = match signed(token) {
            Some((job, seconds, signature)) => {
                let key = self.ledger.share_secret().await?.ok_or(Error::InvalidShare)?;
                let key = key.as_ref().try_into().map_err(|_| Error::InvalidShare)?;
                // Digests are compared in constant time.
                if sign(key, job, seconds) != signature {
                    return Err(Error::InvalidShare);
                }
                let expires = Timestamp::from_second(seconds).map_err(|_| Error::InvalidShare)?;
                Shared { job, expires }
            }
            None => self.ledger.shared(&digest(token)).await?.ok_or(Error::InvalidShare)?,
        };
        if now >= shared.expires {
            return Err(Error::ExpiredShare);
        }
        Ok(shared.job)
    }

    /// Keeps the key of links of earlier versions from expiring with the jobs that it lies among, and
    /// removes links that have expired some days ago: until then they are told so.
    pub(super) async fn tend_shares(&self, now: Timestamp) -> Result<()> {
        self.ledger.touch_share_secret().await?;
        self.ledger.delete_shared(now.saturating_sub(TOLD).map_err(|e| Error::Internal(e.to_string()))?).await
    }
}

/// How long a link that has expired is told from one that never was.
const TOLD: SignedDuration = SignedDuration::from_hours(30 * 24);

fn digest(token: &str) -> blake3::Hash {
    blake3::hash(token.as_bytes())
}

fn sign(key: &[u8; 32], id: JobId, seconds: i64) -> blake3::Hash {
    blake3::keyed_hash(key, format!("{PURPOSE}\n{id}\n{seconds}").as_bytes())
}

/// The parts of a token of an earlier version.
fn signed(token: &str) -> Option<(JobId, i64, blake3::Hash)> {
    let (id, rest) = token.split_once('.')?;
    let (seconds, signature) = rest.split_once('.')?;
    Some((id.parse().ok()?, seconds.parse().ok()?, blake3::Hash::from_hex(signature).ok()?))
}
