//! A report of several files as one archive: the file that names the others, then a file per query.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};

use super::error::{Error, Result};
use super::hits;
use super::id::JobId;
use super::ledger::{Pieces, reader};
use super::merge::{Look, each_query, first_of_each};
use super::pipeline::Pipeline;
use super::produce::produced;
use super::results::{Report, Wanted};
use crate::report::{OutputFormat, ReportWriter, Zip};

/// An archive that is written a chunk at a time, by one thread after the other.
type Shared = Arc<Mutex<Zip>>;

impl Pipeline {
    /// A job's report in a format of several files, piece by piece as a ZIP archive; their names begin with
    /// `stem`. Its first file names the others, which are numbered as the queries are.
    ///
    /// The content ends with an error if that are more files, or longer ones, than
    /// [ZIP holds](crate::report::MOST_ZIPPED).
    pub async fn archived(
        self: &Arc<Self>,
        id: JobId,
        format: &OutputFormat,
        wanted: &Wanted,
        stem: &str,
    ) -> Result<Report> {
        let (job, plan, missing) = match self.reported(id, wanted.partial).await? {
            Ok(reported) => reported,
            Err(none) => return Ok(none),
        };
        let edition = plan.remade.edition;
        let context = Arc::new(self.context_for(&job, format).await?);
        let look = Look { format: format.clone(), context, most: wanted.most };
        let name = {
            let (stem, extension) = (stem.to_owned(), format.extension());
            Arc::new(move |number: u64| match number {
                0 => format!("{stem}.{extension}"),
                _ => format!("{stem}_{number}.{extension}"),
            })
        };
        let archive = Shared::default();
        let (queries, chunks) = (job.queries(), job.chunks.len() as u32);

        let (zip, index, names) = (archive.clone(), look.clone(), name.clone());
        let begin = produced(move |out| {
            let files: Vec<String> = (1..=queries).map(|number| names(number)).collect();
            let writer = ReportWriter::new(&index.format, &index.context);
            add(&zip, out, &names(0), &mut |mut out| writer.index(&mut out, &files))
        });

        let (pipeline, zip, grid) = (self.clone(), archive.clone(), Arc::new((job, plan)));
        let files = stream::iter(0..chunks).then(move |chunk| {
            let (pipeline, grid, zip) = (pipeline.clone(), grid.clone(), zip.clone());
            let (look, name) = (look.clone(), name.clone());
            async move {
                let (job, plan) = &*grid;
                let queries = pipeline.ledger.chunk(job.id, chunk).await?;
                let part = pipeline.part(job, plan, chunk, &queries).await?;
                let (of, missing) = (part.name().to_owned(), part.head.missing_of(plan));
                let input = reader(pipeline.ledger.read_part(&part).await?);
                let room = pipeline.settings.room;
                Ok::<Pieces, Error>(produced(move |out| {
                    let (_, hits) = hits::read_part(&of, input)?;
                    let writer = ReportWriter::new(&look.format, &look.context);
                    let hits = first_of_each(hits, look.most);
                    each_query(&queries, missing, hits, room, |query, hits| {
                        let content = &mut |mut out: &mut dyn Write| writer.query(&mut out, query, hits);
                        add(&zip, out, &name(query.place), content)
                    })
                }))
            }
        });
        // Not before the others are written.
        let end = stream::once(async move {
            produced(move |out| {
                let zip = std::mem::take(&mut *archive.lock().unwrap_or_else(PoisonError::into_inner));
                zip.finish(out).map_err(told)
            })
        });
        let content = begin.chain(files.try_flatten()).chain(end.flatten()).boxed();
        Ok(Report::Ready { format: format.clone(), content, stored: None, missing, edition, so_far: None })
    }
}

fn add(
    zip: &Shared,
    out: &mut dyn Write,
    name: &str,
    content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    zip.lock().unwrap_or_else(PoisonError::into_inner).add(out, name, content).map_err(told)
}

/// An archive that is too large is no trouble with a temporary file.
fn told(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return Error::Internal(
            "the report does not fit into a ZIP archive; ask for it in one file".to_owned(),
        );
    }
    error.into()
}
