//! Submissions that can be repeated: the client gives each a key, and the same key with the same request is
//! the same search.
//!
//! A job gets an id of its own, and its chunks, before it claims its key; who finds the key taken removes
//! what it has written and answers with the other's job. A claim whose job was never accepted, or has been
//! removed, can be taken over. Who has been accepted writes that into the claim, so that nobody takes it over who
//! has looked for the job before it was there; who cannot, withdraws.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::JobId;
use super::job::Job;
use super::pipeline::Pipeline;
use super::submit::{Request, Submitter};

/// What a client makes up for a submission: 16 to 200 visible characters of ASCII. A shorter one might be
/// hit upon by somebody else.
#[derive(Clone, PartialEq, Eq)]
pub struct SubmissionKey(String);

/// A text that cannot be the key of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of a submission has 16 to 200 visible characters of ASCII, such as a random UUID")]
pub struct InvalidKey;

impl FromStr for SubmissionKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let fits = (16..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidKey) }
    }
}

impl fmt::Debug for SubmissionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubmissionKey(…)")
    }
}

/// What a key stands for; `keys/<digest of owner and key>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) job: JobId,
    /// Digest of the request.
    request: String,
    /// Whether the job has been accepted, and is the one that stands.
    #[serde(default)]
    stands: bool,
}

/// The name under which a submitter's key is filed.
pub(super) fn claim_name(submitter: &Submitter) -> Option<String> {
    let SubmissionKey(key) = submitter.key.as_ref()?;
    let owner = submitter.owner.as_deref();
    let owner = owner.map_or_else(|| "nobody".to_owned(), |owner| format!("owner {}", owner.len()) + owner);
    Some(blake3::hash(format!("{owner}\n{key}").as_bytes()).to_hex()[..32].to_owned())
}

impl Pipeline {
    /// Lets the key stand for a job whose chunks are stored and which is about to be accepted. If it stands
    /// for another that has been accepted, returns that; [`Error::KeyReused`] if for another request.
    pub(super) async fn claim(&self, name: &str, claim: &Claim) -> Result<Option<Job>> {
        loop {
            let taken = match self.ledger.claim(name).await? {
                None => self.ledger.put_claim(name, claim).await?,
                Some((found, _)) if found.request != claim.request => return Err(Error::KeyReused),
                Some((found, tag)) if found.job == claim.job => {
                    found.stands || !claim.stands || self.ledger.replace_claim(name, claim, &tag).await?
                }
                Some((found, tag)) => match self.ledger.job(found.job).await {
                    Err(Error::UnknownJob(_)) => self.ledger.replace_claim(name, claim, &tag).await?,
                    // Before it is told of, it has to stand: another might be about to take its claim over.
                    job => {
                        let job = job?;
                        let standing = Claim { stands: true, ..found.clone() };
                        if found.stands || self.ledger.replace_claim(name, &standing, &tag).await? {
                            return Ok(Some(job));
                        }
                        false
                    }
                },
            };
            if taken {
                return Ok(None);
            }
        }
    }

    /// Lets the key stand for good for a job that has been accepted. If it has come to stand for another meanwhile,
    /// withdraws the job and returns the other.
    pub(super) async fn confirm(&self, name: &str, claim: Claim, job: Job) -> Result<Job> {
        match self.claim(name, &Claim { stands: true, ..claim }).await {
            Ok(None) => Ok(job),
            Ok(Some(other)) => {
                self.withdraw(&job).await?;
                Ok(other)
            }
            Err(error) => {
                if !error.is_retryable() {
                    self.withdraw(&job).await?;
                }
                Err(error)
            }
        }
    }

    /// Submits the queries that have been stored in `parts` parts as the upload `id` and have this digest. If the
    /// submission's key stands for another job, that is returned, and the upload not touched.
    ///
    /// # Errors
    /// As [`Self::submit_upload`]; [`Error::KeyReused`] if the key stands for another request.
    pub async fn submit_stored(
        &self,
        submitter: &Submitter,
        (id, parts, content): (JobId, u32, blake3::Hash),
        request: &Request,
    ) -> Result<Job> {
        let Some(name) = claim_name(submitter) else {
            return self.submit_upload(submitter, id, Some(parts), request).await;
        };
        let Request { database, options, outfmt, taxa } = request;
        let mut text = format!("stored\n{database}\n{options:?}\n{outfmt}\n{content}");
        text.extend(taxa.iter().map(|taxa| format!("\n{taxa:?}")));
        let request_digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        let claim = Claim { job: id, request: request_digest, stands: false };
        if let Some(earlier) = self.claim(&name, &claim).await? {
            return Ok(earlier);
        }
        let job = self.submit_upload(submitter, id, Some(parts), request).await?;
        self.confirm(&name, claim, job).await
    }

    /// What a request says, in a digest: its options, and the queries that are stored in so many chunks.
    pub(super) async fn claim_of(&self, id: JobId, request: &Request, chunks: u32) -> Result<Claim> {
        let Request { database, options, outfmt, taxa } = request;
        let mut digest = blake3::Hasher::new();
        digest.update(format!("{database}\n{options:?}\n{outfmt}\n").as_bytes());
        if let Some(taxa) = taxa {
            digest.update(format!("{taxa:?}\n").as_bytes());
        }
        for chunk in 0..chunks {
            // Query by query: how they are cut may change with the database.
            for query in self.ledger.chunk(id, chunk).await?.queries {
                let query = postcard::to_stdvec(&query).map_err(|e| Error::Internal(e.to_string()))?;
                digest.update(&(query.len() as u64).to_le_bytes()).update(&query);
            }
        }
        Ok(Claim { job: id, request: digest.finalize().to_hex().to_string(), stands: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_others_might_hit_upon_are_refused() {
        for bad in
            ["", "1", "fifteen letters", "0123456789abcde", "with a blank 0123456789", &"x".repeat(201)]
        {
            assert_eq!(bad.parse::<SubmissionKey>(), Err(InvalidKey), "{bad}");
        }
        let key: SubmissionKey = "0123456789abcdef".parse().expect("a key");
        assert!(!format!("{key:?}").contains("0123"), "a key is a secret");
    }

    #[test]
    fn the_same_key_of_two_owners_is_two_keys() {
        let of = |owner: Option<&str>| {
            let key = "0123456789abcdef".parse().ok();
            claim_name(&Submitter {
                owner: owner.map(str::to_owned),
                trace: None,
                key,
                ..Submitter::default()
            })
        };
        assert!(of(None).is_some());
        assert_ne!(of(None), of(Some("ada")));
        assert_ne!(of(Some("ada")), of(Some("eve")));
        assert_eq!(of(Some("ada")), of(Some("ada")));
    }
}
