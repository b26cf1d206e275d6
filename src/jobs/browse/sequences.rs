//! The subjects of hits as FASTA: whole, each once and in the order of the database, or what is aligned of them,
//! in the order of the report.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::filter::HitFilter;
use crate::engine::{Hit, Subjects};
use crate::jobs::chunk::QueryChunk;
use crate::jobs::error::{Error, Result};
use crate::jobs::hits::{self, ListedHits};
use crate::jobs::id::JobId;
use crate::jobs::job::{Job, Plan};
use crate::jobs::ledger::reader;
use crate::jobs::pipeline::Pipeline;
use crate::jobs::produce::produced;
use crate::jobs::results::{MissingShards, Report};
use crate::report::{HitSummary, ReportContext};
use crate::sequence::fasta::write_record;
use crate::sequence::names::SubjectNames;

/// How much of a subject is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectPart {
    /// All of it.
    #[default]
    Whole,
    /// What each HSP aligns, with its range in the heading.
    Aligned,
}

/// Which subjects are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SequencesWanted {
    /// How much of them.
    pub part: SubjectPart,
    /// The query whose hits they are, by its place in the report from 1, unless those of all are wanted.
    pub query: Option<u64>,
    /// Their positions in the database, unless all are wanted.
    pub subjects: Option<BTreeSet<u64>>,
    /// What their hits must be like.
    pub filter: HitFilter,
    /// Whether the report may lack shards.
    pub partial: bool,
}

/// Sequences of a report.
pub struct Sequences {
    /// FASTA, piece by piece.
    pub content: BoxStream<'static, Result<Bytes>>,
    /// What the report lacks.
    pub missing: Option<MissingShards>,
}

impl std::fmt::Debug for Sequences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequences").field("missing", &self.missing).finish_non_exhaustive()
    }
}

/// What is read for it.
struct Asked {
    job: Job,
    plan: Plan,
    context: ReportContext,
    wanted: SequencesWanted,
}

impl Asked {
    /// The chunks with wanted queries.
    fn chunks(&self) -> Vec<u32> {
        let mut before = 1;
        let mut chunks = Vec::new();
        for (chunk, info) in (0..).zip(&self.job.chunks) {
            if self.wanted.query.is_none_or(|place| (before..before + info.queries).contains(&place)) {
                chunks.push(chunk);
            }
            before += info.queries;
        }
        chunks
    }

    /// Shows `show` the wanted hits of a chunk.
    fn each(
        &self,
        queries: &QueryChunk,
        hits: ListedHits,
        mut show: impl FnMut(&Hit) -> Result<()>,
    ) -> Result<()> {
        let SequencesWanted { query, subjects, filter, .. } = &self.wanted;
        for item in hits {
            let (number, hit) = item?;
            let place = queries.first_place + u64::from(number);
            let is_wanted = query.is_none_or(|wanted| wanted == place)
                && subjects.as_ref().is_none_or(|subjects| subjects.contains(&hit.ordinal()));
            if !is_wanted {
                continue;
            }
            let Some(text) = queries.queries.get(number as usize) else {
                return Err(Error::Internal(format!("a hit of query {number} of a chunk that has fewer")));
            };
            let summary = HitSummary::of(&self.context, text.text(place), &hit);
            if summary.is_some_and(|summary| filter.admits(&summary)) {
                show(&hit)?;
            }
        }
        Ok(())
    }
}

impl Pipeline {
    /// The subjects of a job's report as FASTA, or why there is none. A query that the report has not has no
    /// subjects.
    ///
    /// # Errors
    /// If something cannot be read. The content ends with an error as well, as if a volume of the database has
    /// been removed since.
    pub async fn browse_sequences(
        self: &Arc<Self>,
        id: JobId,
        mut wanted: SequencesWanted,
    ) -> Result<std::result::Result<Sequences, Report>> {
        let (job, plan, missing) = match self.reported(id, wanted.partial).await? {
            Ok(reported) => reported,
            Err(none) => return Ok(Err(none)),
        };
        wanted.filter = wanted.filter.prepared();
        let context = self.naming_context(&job).await?;
        let part = wanted.part;
        let asked = Arc::new(Asked { job, plan, context, wanted });
        let content = match part {
            SubjectPart::Aligned => self.aligned_parts(asked),
            SubjectPart::Whole => self.whole_subjects(asked).await?,
        };
        Ok(Ok(Sequences { content, missing }))
    }

    fn aligned_parts(self: &Arc<Self>, asked: Arc<Asked>) -> BoxStream<'static, Result<Bytes>> {
        let pipeline = self.clone();
        let texts = stream::iter(asked.chunks()).then(move |chunk| {
            let (pipeline, asked) = (pipeline.clone(), asked.clone());
            async move {
                let (queries, name, input) = pipeline.open_chunk(&asked, chunk).await?;
                Ok::<_, Error>(produced(move |out| {
                    let (_, hits) = hits::read_part(&name, input)?;
                    asked.each(&queries, hits, |hit| write_aligned(out, hit))
                }))
            }
        });
        texts.try_flatten().boxed()
    }

    async fn whole_subjects(
        self: &Arc<Self>,
        asked: Arc<Asked>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        // A bit for each sequence of the database: memory does not depend on how many hits there are.
        let mut chosen = vec![0_u64; (asked.job.totals.sequences as usize).div_ceil(64)];
        for chunk in asked.chunks() {
            let (queries, name, input) = self.open_chunk(&asked, chunk).await?;
            let asked = asked.clone();
            chosen = Self::compute(move || {
                let (_, hits) = hits::read_part(&name, input)?;
                asked.each(&queries, hits, |hit| {
                    if let Some(word) = chosen.get_mut((hit.ordinal() / 64) as usize) {
                        *word |= 1 << (hit.ordinal() % 64);
                    }
                    Ok(())
                })?;
                Ok(chosen)
            })
            .await?;
        }
        let (pipeline, chosen) = (self.clone(), Arc::new(chosen));
        let volumes = asked.plan.volumes.clone();
        let texts = stream::iter(volumes).then(move |info| {
            let (pipeline, chosen, asked) = (pipeline.clone(), chosen.clone(), asked.clone());
            async move {
                let is_chosen = move |ordinal: u64| {
                    let word = chosen.get((ordinal / 64) as usize);
                    word.is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
                };
                let ordinals = info.first_ordinal..info.first_ordinal + info.sequences;
                if !ordinals.clone().any(&is_chosen) {
                    return Ok(stream::empty().boxed());
                }
                let volume = pipeline.catalog().volume(&asked.job.database, &info).await?;
                Ok::<_, Error>(produced(move |out| {
                    for (index, _) in ordinals.enumerate().filter(|(_, ordinal)| is_chosen(*ordinal)) {
                        let heading = SubjectNames::of(&volume.defline(index)).heading();
                        write_record(out, &heading, volume.residues(index))?;
                    }
                    Ok(())
                }))
            }
        });
        Ok(texts.try_flatten().boxed())
    }

    /// A chunk's queries, and where its merged hits are read.
    async fn open_chunk(
        &self,
        asked: &Asked,
        chunk: u32,
    ) -> Result<(Arc<QueryChunk>, String, impl std::io::Read + Send + 'static)> {
        let queries = self.queries(asked.job.id, chunk).await?;
        let part = self.part(&asked.job, &asked.plan, chunk, &queries).await?;
        let input = reader(self.ledger.read_part(&part).await?);
        Ok((queries, part.name().to_owned(), input))
    }
}

/// Writes what the HSPs of a hit align of its subject.
fn write_aligned(out: &mut dyn Write, hit: &Hit) -> Result<()> {
    let names = SubjectNames::of(&hit.defline);
    for hsp in &hit.hsps {
        let part = hsp.subject.start as usize..hsp.subject.end as usize;
        write_record(out, &names.heading_of_part(&part), &hsp.subject_residues)?;
    }
    Ok(())
}
