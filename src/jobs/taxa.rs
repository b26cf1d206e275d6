//! The taxa that a job searches: found once, when it is accepted, from the censuses of the volumes, and written down
//! with it.
//!
//! A census follows from its volume and lies beside it (`taxa/<digest>`). It is written when the database is added,
//! and made again where it is missing, as for databases of earlier versions.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::error::{Error, Result};
use super::frame::{self, Kind};
use super::job::DatabaseRef;
use super::names;
use super::pipeline::Pipeline;
use crate::database::{Digest, Volume, VolumeInfo};
use crate::engine::DatabaseTotals;
use crate::sequence::counted;
use crate::sequence::taxids::Taxid;
use crate::taxonomy::{Census, Counted, Purpose, SpelledTaxon, TaxaChoice};

/// Censuses that are fetched at the same time.
const READ_AHEAD: usize = 8;

/// Taxa as a request names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedTaxa {
    /// Taxids and names of taxa, with commas or line ends between them.
    pub words: String,
    /// What is done with their sequences.
    pub purpose: Purpose,
}

impl AskedTaxa {
    /// The option of a request that says so.
    pub fn option(&self) -> &'static str {
        self.purpose.option()
    }
}

/// What a job searches of its database, if that is not all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// By which taxa.
    #[serde(flatten)]
    pub choice: TaxaChoice,
    /// What is searched of each of the job's volumes; of no volume is it nothing.
    pub volumes: Vec<Counted>,
    /// Taxids of the choice that the database does not have.
    #[serde(default)]
    pub absent: Vec<Taxid>,
}

impl Chosen {
    /// Size of what is searched, which statistics refer to.
    pub fn totals(&self) -> DatabaseTotals {
        let Counted { sequences, residues, .. } = self.all();
        DatabaseTotals { sequences, residues }
    }

    /// Length of the shortest sequence that is searched.
    pub fn shortest(&self) -> u64 {
        self.all().shortest
    }

    fn all(&self) -> Counted {
        self.volumes.iter().fold(Counted::NONE, |sum, volume| sum.and(*volume))
    }

    /// The option of a request, and its value, that mean the same.
    pub(super) fn as_option(&self) -> (&'static str, String) {
        let taxids: Vec<_> = self.choice.taxids.iter().map(Taxid::to_string).collect();
        (self.choice.purpose.option(), taxids.join(","))
    }
}

impl Pipeline {
    /// What is searched of a database, and which of its volumes, if that is not all. Names are those of the
    /// taxonomy with the digest `taxonomy`.
    ///
    /// # Errors
    /// For words that mean no taxon, and if the choice means nothing in this database or leaves nothing of it.
    pub(super) async fn choose(
        &self,
        database: &DatabaseRef,
        volumes: &[VolumeInfo],
        asked: &AskedTaxa,
        taxonomy: Option<Digest>,
    ) -> Result<(Vec<VolumeInfo>, Chosen)> {
        let refuse = |reason: String| Error::Taxa {
            option: asked.option(),
            value: asked.words.chars().take(80).collect(),
            reason,
        };
        let choice = self.choice(asked, taxonomy, &refuse).await?;
        let (catalog, of) = (self.catalog.clone(), database.clone());
        let census = move |volume: VolumeInfo| {
            let (catalog, of) = (catalog.clone(), of.clone());
            async move { catalog.census(&of, &volume).await }
        };
        let censuses = stream::iter(volumes.to_vec()).map(census).buffered(READ_AHEAD);
        let censuses: Vec<Census> = censuses.try_collect().await?;
        let is_there = |taxid: &Taxid| censuses.iter().any(|census| census.has(*taxid));
        let absent: Vec<_> = choice.taxids.iter().filter(|taxid| !is_there(taxid)).copied().collect();
        if absent.len() == choice.taxids.len() {
            let listed = counted(choice.taxids.len() as u64, "taxid");
            return Err(refuse(if censuses.iter().any(Census::knows_any) {
                format!(
                    "none of its {listed} is in {database}; a taxid stands for itself alone, so name species, or \
                     what the database has below them"
                )
            } else {
                format!(
                    "{database} has no taxids; add it again from a BLAST database with taxids, from UniProt's FASTA, \
                     or with --taxid-map"
                )
            }));
        }
        let counted = volumes.iter().zip(&censuses).map(|(volume, census)| (volume, census.chosen(&choice)));
        let (volumes, counted): (Vec<_>, Vec<_>) = counted
            .filter(|(_, counted)| counted.sequences > 0)
            .map(|(volume, counted)| (volume.clone(), counted))
            .unzip();
        if volumes.is_empty() {
            return Err(refuse(format!("leaves no sequence of {database} to search")));
        }
        Ok((volumes, Chosen { choice, volumes: counted, absent }))
    }

    /// The taxids that are asked for.
    async fn choice(
        &self,
        asked: &AskedTaxa,
        taxonomy: Option<Digest>,
        refuse: &(dyn Fn(String) -> Error + Sync),
    ) -> Result<TaxaChoice> {
        let words = asked.words.split([',', '\n', '\r']).map(str::trim).filter(|word| !word.is_empty());
        let spelled: Vec<_> = words
            .map(SpelledTaxon::parse)
            .collect::<Result<_, _>>()
            .map_err(|error| refuse(error.to_string()))?;
        let mut names = None;
        if let Some(name) = spelled.iter().find_map(|taxon| match taxon {
            SpelledTaxon::Name(name) => Some(name),
            SpelledTaxon::Taxid(_) => None,
        }) {
            let Some(digest) = taxonomy else {
                return Err(refuse(format!(
                    "{name:?} is no number, and this server knows no names of taxa; `skyblast taxonomy import \
                     taxdump.tar.gz --storage …` makes them known"
                )));
            };
            names = Some(self.catalog.taxonomy(digest).await?);
        }
        let mut taxids = BTreeSet::new();
        for taxon in spelled {
            taxids.insert(match (taxon, &names) {
                (SpelledTaxon::Taxid(taxid), _) => taxid,
                (SpelledTaxon::Name(name), Some(names)) => {
                    names.resolve(&name).map_err(|error| refuse(error.to_string()))?
                }
                (SpelledTaxon::Name(name), None) => {
                    return Err(Error::Internal(format!("no names for {name}")));
                }
            });
        }
        if taxids.is_empty() {
            return Err(refuse("names no taxid".to_owned()));
        }
        Ok(TaxaChoice { taxids, purpose: asked.purpose })
    }
}

impl Catalog {
    /// The census of a volume, made and kept if it is missing or damaged.
    async fn census(&self, database: &DatabaseRef, info: &VolumeInfo) -> Result<Census> {
        let blob = names::taxa(&info.digest.to_string())?;
        match self.blobs.get(&blob).await {
            Ok(frame) => {
                match frame::open_whole(Kind::Census, blob.as_str(), &frame).and_then(|frame| frame.value()) {
                    Ok(census) => return Ok(census),
                    Err(error) => tracing::warn!(%error, "counting the taxa again"),
                }
            }
            Err(error) if names::absent(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let volume = self.volume(database, info).await?;
        let (census, frame) = counted_taxa(move || Ok(volume)).await?;
        self.blobs.put(&blob, frame).await?;
        Ok(census)
    }

    /// Writes the census of a volume that is being added, unless it is there.
    pub(super) async fn put_census(
        &self,
        digest: &Digest,
        open: impl FnOnce() -> Result<Volume> + Send + 'static,
    ) -> Result<()> {
        let blob = names::taxa(&digest.to_string())?;
        if self.blobs.info(&blob).await?.is_none() {
            let (_, frame) = counted_taxa(move || open().map(Arc::new)).await?;
            self.blobs.put(&blob, frame).await?;
        }
        Ok(())
    }
}

/// The census of a volume, and how it is stored.
async fn counted_taxa(
    open: impl FnOnce() -> Result<Arc<Volume>> + Send + 'static,
) -> Result<(Census, Bytes)> {
    Pipeline::compute(move || {
        let census = Census::of(&*open()?);
        let frame = frame::encode(Kind::Census, &census)?;
        Ok((census, frame))
    })
    .await
}
