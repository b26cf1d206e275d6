//! Which species a report has hits of: how many, in how many queries, and how often theirs is the best.

use std::collections::{BTreeMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::source::{Browsed, Source};
use crate::jobs::chunk::QueryChunk;
use crate::jobs::edition::Edition;
use crate::jobs::error::{Error, Result};
use crate::jobs::id::JobId;
use crate::jobs::pipeline::Pipeline;
use crate::report::{HitSummary, ReportContext, renamed_species};

/// Most species of a page.
pub const MAX_SPECIES: usize = 1_000;
/// Species that are counted one by one, as many as memory has room for wherever this runs; hits of further ones
/// are counted together. The hits of a search in all of NCBI's proteins rarely have as many.
const COUNTED_SPECIES: usize = 100_000;
/// Chunks whose species are fetched at the same time.
const READ_AHEAD: usize = 16;

/// What was found of a species.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Found {
    /// Hits.
    pub hits: u64,
    /// Queries whose first hit is of it.
    pub best_hits: u64,
    /// Queries with a hit of it.
    pub queries: u64,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.best_hits += other.best_hits;
        self.queries += other.queries;
    }
}

/// A species and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SpeciesFound {
    /// What it is called.
    pub species: String,
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
}

/// The species of some hits; stored as they are for each chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::jobs) struct SpeciesTally {
    species: BTreeMap<String, Found>,
    /// Hits of further species; a query may be counted for each of these.
    others: Found,
    /// Hits of no known species.
    without: Found,
}

impl SpeciesTally {
    fn entry(&mut self, species: &str) -> &mut Found {
        // A look first, so that what is there needs no copy of the name.
        if self.species.contains_key(species) || self.species.len() < COUNTED_SPECIES {
            return self.species.entry(species.to_owned()).or_default();
        }
        &mut self.others
    }

    fn join(&mut self, other: Self) {
        for (species, found) in other.species {
            self.entry(&species).add(found);
        }
        self.others.add(other.others);
        self.without.add(other.without);
    }
}

impl SpeciesTally {
    /// The same under other names, some of which may be equal.
    fn renamed(self, name: impl Fn(String) -> String) -> Self {
        let mut renamed = Self { species: BTreeMap::new(), ..self };
        for (species, found) in self.species {
            renamed.entry(&name(species)).add(found);
        }
        renamed
    }
}

/// Takes the hits of a chunk, which come by query.
#[derive(Debug, Default)]
pub(super) struct SpeciesCounter {
    tally: SpeciesTally,
    /// The query that hits come of, and the species that it has hits of; `None` is what is not known.
    query: Option<u32>,
    seen: HashSet<Option<String>>,
}

impl SpeciesCounter {
    /// Adds a hit of a query.
    pub(super) fn add(&mut self, query: u32, hit: &HitSummary) {
        let is_best = self.query != Some(query);
        if is_best {
            self.query = Some(query);
            self.seen.clear();
        }
        let is_new = self.seen.insert(hit.species.clone());
        let found = match &hit.species {
            Some(species) => self.tally.entry(species),
            None => &mut self.tally.without,
        };
        found.add(Found { hits: 1, best_hits: u64::from(is_best), queries: u64::from(is_new) });
    }

    pub(super) fn finish(self) -> SpeciesTally {
        self.tally
    }
}

/// Some species of a report, those with the most hits first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SpeciesPage {
    /// Number of species that are counted one by one.
    pub total: u64,
    /// The species.
    pub species: Vec<SpeciesFound>,
    /// What was found of those that are not, together.
    pub other_species: Found,
    /// What was found of which the species is not known.
    pub without_species: Found,
}

impl SpeciesPage {
    fn of(tally: SpeciesTally, from: usize, limit: usize) -> Self {
        let total = tally.species.len() as u64;
        let found = tally.species.into_iter().map(|(species, found)| SpeciesFound { species, found });
        let mut species = Vec::from_iter(found);
        // Equals stay in alphabetical order.
        species.sort_by_key(|species| std::cmp::Reverse(species.found.hits));
        let species = species.into_iter().skip(from).take(limit).collect();
        Self { total, species, other_species: tally.others, without_species: tally.without }
    }
}

/// The species of the hits of a chunk.
pub(super) fn tally(
    context: &ReportContext,
    chunk: &QueryChunk,
    hits: impl Iterator<Item = Result<(u32, crate::engine::Hit)>>,
) -> Result<SpeciesTally> {
    let mut counter = SpeciesCounter::default();
    for item in hits {
        let (number, hit) = item?;
        let query = chunk.queries.get(number as usize).ok_or_else(|| Error::Damaged {
            object: format!("the part of the chunk that begins with query {}", chunk.first_place),
            reason: format!("it has hits of query {number}, of {}", chunk.queries.len()),
        })?;
        let place = chunk.first_place + u64::from(number);
        if let Some(hit) = HitSummary::of(context, query.text(place), &hit) {
            counter.add(number, &hit);
        }
    }
    Ok(counter.finish())
}

impl Pipeline {
    /// Lists species of the hits of a job that has a report, from this one on.
    pub async fn browse_species(&self, id: JobId, from: usize, limit: usize) -> Result<Browsed<SpeciesPage>> {
        let source = match self.source(id).await? {
            Ok(source) => source,
            Err(state) => return Ok(Browsed::NotReady(state)),
        };
        let chunks = 0..source.job.chunks.len() as u32;
        let mut tallies = stream::iter(chunks).map(|chunk| self.species(&source, chunk)).buffered(READ_AHEAD);
        let mut joined = SpeciesTally::default();
        while let Some(tally) = tallies.try_next().await? {
            joined.join(tally);
        }
        // They were counted without names of taxa.
        let named = joined.renamed(|species| renamed_species(&source.context, species));
        Ok(Browsed::Ready(SpeciesPage::of(named, from, limit.min(MAX_SPECIES))))
    }

    /// The species of a chunk, counted if that is not written down.
    async fn species(&self, source: &Source, chunk: u32) -> Result<SpeciesTally> {
        let (id, edition) = (source.job.id, source.plan.edition_of(source.job.id, chunk));
        match self.ledger.species(edition, chunk).await {
            Ok(Some(tally)) => return Ok(tally),
            Ok(None) => {}
            Err(error @ Error::Damaged { .. }) => {
                tracing::warn!(job = %id, chunk, %error, "counting the species again");
            }
            Err(error) => return Err(error),
        }
        let context = source.context.clone();
        let counted = self.read_chunk(source, chunk, move |queries, _, hits| tally(&context, queries, hits));
        let counted = counted.await?;
        self.keep_species(edition, chunk, &counted).await;
        Ok(counted)
    }

    /// Writes the species of a chunk. They can be had again, so an error is only told.
    pub(super) async fn keep_species(&self, edition: Edition, chunk: u32, tally: &SpeciesTally) {
        if let Err(error) = self.ledger.put_species(edition, chunk, tally).await {
            tracing::warn!(job = %edition.job, chunk, %error, "could not keep the species of hits; they will be counted again");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hit(species: Option<&str>) -> HitSummary {
        HitSummary {
            ordinal: 0,
            subject: String::new(),
            title: String::new(),
            species: species.map(str::to_owned),
            taxid: None,
            length: 1,
            hsps: 1,
            evalue: 0.0,
            evalue_text: String::new(),
            bit_score: 1.0,
            bit_score_text: String::new(),
            total_bits: 1.0,
            identity: 100.0,
            coverage: 100,
            places: Vec::new(),
        }
    }

    fn counted(hits: &[(u32, Option<&str>)]) -> SpeciesTally {
        let mut counter = SpeciesCounter::default();
        for (query, species) in hits {
            counter.add(*query, &hit(*species));
        }
        counter.finish()
    }

    #[test]
    fn hits_queries_and_first_hits_are_counted_and_the_most_frequent_come_first() {
        let (mouse, yeast) = (Some("Mus musculus"), Some("Saccharomyces"));
        let tally = counted(&[(0, yeast), (0, mouse), (0, mouse), (2, None), (2, mouse), (5, mouse)]);
        let page = SpeciesPage::of(tally, 0, 10);
        let found = |species: &SpeciesFound| {
            let Found { hits, best_hits, queries } = species.found;
            (species.species.clone(), hits, best_hits, queries)
        };
        let expected = [("Mus musculus".to_owned(), 4, 1, 3), ("Saccharomyces".to_owned(), 1, 1, 1)];
        assert_eq!(page.species.iter().map(found).collect::<Vec<_>>(), expected);
        assert_eq!((page.total, page.other_species), (2, Found::default()));
        assert_eq!(page.without_species, Found { hits: 1, best_hits: 1, queries: 1 });
    }

    #[test]
    fn what_is_beyond_memory_is_counted_together() {
        let mut tally = SpeciesTally::default();
        for number in 0..COUNTED_SPECIES + 3 {
            tally.entry(&number.to_string()).add(Found { hits: 2, best_hits: 0, queries: 1 });
        }
        tally.entry("7").add(Found { hits: 1, best_hits: 1, queries: 1 });
        let page = SpeciesPage::of(tally, 0, 1);
        assert_eq!(page.total, COUNTED_SPECIES as u64);
        assert_eq!(page.other_species, Found { hits: 6, best_hits: 0, queries: 3 });
        assert_eq!((&*page.species[0].species, page.species[0].found.hits), ("7", 3));
    }

    proptest! {
        /// However queries are cut into chunks, the sum is the same.
        #[test]
        fn chunks_join_to_the_whole(
            mut hits in prop::collection::vec((0u32..6, prop::option::of("[ab]{1,2}")), 0..40),
            cut in 0u32..6,
        ) {
            hits.sort_by_key(|(query, _)| *query);
            let hits: Vec<_> = hits.iter().map(|(query, species)| (*query, species.as_deref())).collect();
            let (before, behind) = hits.split_at(hits.partition_point(|(query, _)| *query < cut));
            let mut joined = counted(before);
            joined.join(counted(behind));
            prop_assert_eq!(joined, counted(&hits));
        }
    }
}
