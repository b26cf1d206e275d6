//! Where `skyblast search` writes its report: a stream, or a file per query and one that names them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::engine::Hit;
use crate::jobs::QueryChunk;
use crate::report::{OutputFormat, ReportContext, ReportWriter};

/// A report that is being written.
pub(super) struct ReportOutput<'a> {
    writer: ReportWriter<'a>,
    sink: Sink,
    queries: u64,
}

enum Sink {
    Stream(Box<dyn Write>),
    Files(Files),
}

/// The files of a report of several files.
struct Files {
    /// The file that names the others.
    index: PathBuf,
    /// How the names of the others begin.
    stem: String,
    extension: &'static str,
    names: Vec<String>,
}

impl<'a> ReportOutput<'a> {
    /// A report in `format` to the file `path`, or to standard output.
    pub(super) fn open(
        path: Option<&Path>,
        format: &'a OutputFormat,
        context: &'a ReportContext,
    ) -> anyhow::Result<Self> {
        let sink = match (format.in_one_file(), path) {
            (None, None) => Sink::Stream(Box::new(BufWriter::new(io::stdout()))),
            (None, Some(path)) => Sink::Stream(Box::new(create(path)?)),
            (Some(_), Some(path)) => Sink::Files(Files::new(path, format.extension())?),
            (Some(single), None) => anyhow::bail!(
                "output format {} writes a file per query: give --out, or use {} for one report",
                format.number(),
                single.number()
            ),
        };
        Ok(Self { writer: ReportWriter::new(format, context), sink, queries: 0 })
    }

    /// Writes the queries of a chunk.
    pub(super) fn write_chunk(&mut self, chunk: &QueryChunk, hits: &[Vec<Hit>]) -> anyhow::Result<()> {
        for ((query, hits), place) in chunk.queries.iter().zip(hits).zip(chunk.first_place..) {
            let query = query.text(place);
            match &mut self.sink {
                Sink::Stream(out) => {
                    if self.queries == 0 {
                        self.writer.begin(out, Some(query))?;
                    }
                    self.writer.query(out, query, hits)?;
                }
                Sink::Files(files) => {
                    let mut out = files.next(place)?;
                    self.writer.query(&mut out, query, hits)?;
                    out.flush()?;
                }
            }
            self.queries += 1;
        }
        Ok(())
    }

    /// Writes the end. A report on no queries is empty, like blastp's.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self.sink {
            Sink::Stream(mut out) => {
                if self.queries > 0 {
                    self.writer.end(&mut out, self.queries)?;
                }
                out.flush()?;
            }
            Sink::Files(files) => {
                let mut out = create(&files.index)?;
                self.writer.index(&mut out, &files.names)?;
                out.flush()?;
            }
        }
        Ok(())
    }
}

impl Files {
    /// Files beside `index` that are called like it, with a number. An ending that says the format
    /// stays at the end.
    fn new(index: &Path, extension: &'static str) -> anyhow::Result<Self> {
        let name = index.file_name().with_context(|| format!("{} is no name of a file", index.display()))?;
        let name = name.to_string_lossy();
        let stem = name.strip_suffix(&format!(".{extension}")).unwrap_or(&name).to_owned();
        Ok(Self { index: index.to_owned(), stem, extension, names: Vec::new() })
    }

    /// Creates the file of query `number`.
    fn next(&mut self, number: u64) -> anyhow::Result<BufWriter<File>> {
        let name = format!("{}_{number}.{}", self.stem, self.extension);
        let out = create(&self.index.with_file_name(&name))?;
        self.names.push(name);
        Ok(out)
    }
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("could not create {}", path.display()))?;
    Ok(BufWriter::new(file))
}
