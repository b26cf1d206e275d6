//! Names of taxa in storage, for the reports of all who work on it.
//!
//! Each import is a blob of its own that never changes (`taxonomies/<digest>`), and `taxonomy.json` says which one
//! jobs take that are accepted from now on. A job notes the one it took: so its report is the same whenever it is
//! made again. Imports are kept: reports of any age refer to them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::error::{Error, Result};
use super::job::Job;
use super::merge::report_context;
use super::names;
use super::pipeline::Pipeline;
use crate::database::Digest;
use crate::report::{OutputFormat, ReportContext};
use crate::taxonomy::Taxonomy;

/// Level of compression: an import is written once.
const LEVEL: i32 = 9;

/// The names that new jobs take; `taxonomy.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentTaxonomy {
    /// Digest of the import.
    pub digest: Digest,
    /// Number of taxa.
    pub taxa: u64,
    /// When they were imported.
    pub imported: Timestamp,
}

impl Catalog {
    /// Writes names of taxa into storage and lets jobs take them that are accepted from now on.
    pub async fn put_taxonomy(&self, taxonomy: Taxonomy) -> Result<CurrentTaxonomy> {
        let taxa = taxonomy.len() as u64;
        let (digest, packed) = Pipeline::compute(move || {
            let plain = taxonomy.to_bytes();
            Ok((Digest::of(&plain), zstd::encode_all(plain.as_slice(), LEVEL)?))
        })
        .await?;
        // Over what may be damaged: the same names are the same bytes.
        self.blobs.put(&names::taxonomy(&digest.to_string())?, packed.into()).await?;
        let current = CurrentTaxonomy { digest, taxa, imported: Timestamp::now() };
        let json = serde_json::to_vec(&current).map_err(|e| Error::Internal(e.to_string()))?;
        self.blobs.put(&names::current_taxonomy()?, json.into()).await?;
        Ok(current)
    }

    /// The names that new jobs take, if any have been imported.
    pub async fn current_taxonomy(&self) -> Result<Option<CurrentTaxonomy>> {
        let blob = names::current_taxonomy()?;
        let json = match self.blobs.get(&blob).await {
            Err(error) if names::absent(&error) => return Ok(None),
            other => other?,
        };
        let current = serde_json::from_slice(&json);
        current.map(Some).map_err(|e| Error::Damaged { object: blob.to_string(), reason: e.to_string() })
    }

    /// Names of taxa by the digest of their import; the last ones are kept in memory.
    pub(super) async fn taxonomy(&self, digest: Digest) -> Result<Arc<Taxonomy>> {
        // Held while they are fetched: others want the same ones.
        let mut last = self.names_of_taxa.lock().await;
        if let Some((kept, taxonomy)) = &*last
            && *kept == digest
        {
            return Ok(taxonomy.clone());
        }
        let blob = names::taxonomy(&digest.to_string())?;
        let packed = self.blobs.get(&blob).await.map_err(|error| {
            if names::absent(&error) {
                let reason = "it is missing; import the same names of taxa again".to_owned();
                Error::Damaged { object: blob.to_string(), reason }
            } else {
                error.into()
            }
        })?;
        let name = blob.to_string();
        let taxonomy = Pipeline::compute(move || {
            let damaged = |reason: String| Error::Damaged { object: name.clone(), reason };
            let plain = zstd::decode_all(&*packed).map_err(|e| damaged(e.to_string()))?;
            if Digest::of(&plain) != digest {
                return Err(damaged(
                    "it does not match its digest; import the same names of taxa again".to_owned(),
                ));
            }
            Taxonomy::from_bytes(&name, &plain.into()).map_err(|e| damaged(e.to_string()))
        })
        .await?;
        let taxonomy = Arc::new(taxonomy);
        *last = Some((digest, taxonomy.clone()));
        Ok(taxonomy)
    }
}

impl Pipeline {
    /// What a job's report says beside its hits, with the names of taxa that the job took.
    pub(super) async fn naming_context(&self, job: &Job) -> Result<ReportContext> {
        let names = match job.taxonomy {
            Some(digest) => Some(self.catalog.taxonomy(digest).await?),
            None => None,
        };
        Ok(report_context(job)?.naming_taxa(names))
    }

    /// The same for a report in this format, which may not show them.
    pub(super) async fn context_for(&self, job: &Job, format: &OutputFormat) -> Result<ReportContext> {
        if format.names_taxa() { self.naming_context(job).await } else { report_context(job) }
    }
}
