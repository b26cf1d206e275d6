//! Where `skyblast search` writes its report: a stream, or a file per query and one that names them. A
//! report with a head waits in a temporary file until all hits are known.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};

use super::exit::Exit;
use super::inputs::Inputs;
use super::whole_file::{Output, Siblings, Target};
use crate::jobs::{QueryChunk, Shelf};
use crate::report::{
    ListedSubjects, OutputFormat, ParquetFile, QueryHits, QueryText, ReportContext, ReportWriter,
};

/// A report that is being written.
pub(super) struct ReportOutput<'a> {
    format: &'a OutputFormat,
    writer: ReportWriter<'a>,
    context: &'a ReportContext,
    sink: Sink<'a>,
    queries: u64,
}

enum Sink<'a> {
    Stream(Output),
    Parquet(Box<ParquetFile<Output>>),
    Files(Files<'a>),
    Waiting(Waiting),
}

/// A report whose head is written last.
struct Waiting {
    out: Output,
    /// All but the head.
    body: BufWriter<File>,
    subjects: ListedSubjects,
}

/// The files of a report of several files.
struct Files<'a> {
    /// Name of the file that names the others.
    index: OsString,
    /// How the names of the others begin.
    stem: String,
    extension: &'static str,
    names: Vec<String>,
    siblings: Siblings,
    /// What they must not replace.
    inputs: &'a Inputs,
}

impl<'a> ReportOutput<'a> {
    /// A report in `format` to `target`, and to files beside it that must not be among `inputs`.
    pub(super) fn open(
        target: &Target,
        inputs: &'a Inputs,
        format: &'a OutputFormat,
        context: &'a ReportContext,
    ) -> anyhow::Result<Self> {
        let sink = match (format.in_one_file(), target.file_name()) {
            (None, _) if format.lists_subjects() => Sink::Waiting(Waiting::open(target)?),
            (None, _) if matches!(format, OutputFormat::Parquet(_)) => {
                Sink::Parquet(Box::new(ParquetFile::new(target.create()?)))
            }
            (None, _) => Sink::Stream(target.create()?),
            (Some(_), Some(index)) => Sink::Files(Files::new(index, target, format.extension(), inputs)?),
            (Some(single), None) => {
                let (asked, single) = (format.name(), single.name());
                return Err(Exit::WrongCommandLine.because(format_args!(
                    "output format {asked} writes a file per query: give --out, or use {single} for one report"
                )));
            }
        };
        Ok(Self { format, writer: ReportWriter::new(format, context), context, sink, queries: 0 })
    }

    /// Writes a query of a chunk; queries come in their order.
    pub(super) fn write(&mut self, chunk: &QueryChunk, query: usize, hits: &Shelf) -> anyhow::Result<()> {
        let place = chunk.first_place + query as u64;
        let query = chunk.queries[query].text(place);
        match &mut self.sink {
            Sink::Stream(out) => write(self.writer, self.queries == 0, out, query, hits)?,
            Sink::Parquet(out) => write(self.writer, self.queries == 0, out, query, hits)?,
            Sink::Files(files) => {
                let mut out = files.next(place)?;
                self.writer.query(&mut out, query, hits)?;
                out.flush()?;
            }
            Sink::Waiting(Waiting { body, subjects, .. }) => {
                hits.visit_all(&mut |hit| {
                    subjects.add(self.context, hit);
                    Ok(())
                })?;
                self.writer.query(body, query, hits)?;
            }
        }
        self.queries += 1;
        Ok(())
    }

    /// Writes the end. A report on no queries is empty, like blastp's; one that programs read is a table of no
    /// rows.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self.sink {
            Sink::Stream(mut out) => {
                end(self.writer, self.format, &mut out, self.queries)?;
                out.finish()
            }
            Sink::Parquet(mut out) => {
                end(self.writer, self.format, &mut out, self.queries)?;
                out.finish()?.finish()
            }
            Sink::Files(Files { index, names, mut siblings, inputs, .. }) => {
                let mut out = siblings.create(index, inputs)?;
                self.writer.index(&mut out, &names)?;
                out.flush()?;
                siblings.finish()
            }
            Sink::Waiting(Waiting { mut out, body, subjects }) => {
                let mut body = body.into_inner().map_err(io::IntoInnerError::into_error)?;
                body.rewind()?;
                if self.queries > 0 {
                    self.writer.head(&mut out, &subjects)?;
                    io::copy(&mut body, &mut out)?;
                }
                out.finish()
            }
        }
    }
}

/// Writes a query of a stream, and before the first one its beginning.
fn write(
    writer: ReportWriter<'_>,
    is_first: bool,
    out: &mut impl Write,
    query: QueryText<'_>,
    hits: &Shelf,
) -> io::Result<()> {
    if is_first {
        writer.begin(out, Some(query))?;
    }
    writer.query(out, query, hits)
}

/// Writes the end of a stream of so many queries.
fn end(
    writer: ReportWriter<'_>,
    format: &OutputFormat,
    out: &mut impl Write,
    queries: u64,
) -> io::Result<()> {
    if queries == 0 {
        if !format.is_binary() {
            return Ok(());
        }
        writer.begin(out, None)?;
    }
    writer.end(out, queries)
}

impl Waiting {
    /// Waits where there is room for the report.
    fn open(target: &Target) -> anyhow::Result<Self> {
        let body = BufWriter::new(target.scratch()?);
        Ok(Self { out: target.create()?, body, subjects: ListedSubjects::default() })
    }
}

impl<'a> Files<'a> {
    /// Files beside `index` that are called like it, with a number. An ending that says the format
    /// stays at the end.
    fn new(
        index: &OsStr,
        target: &Target,
        extension: &'static str,
        inputs: &'a Inputs,
    ) -> anyhow::Result<Self> {
        let name = index.to_string_lossy();
        let stem = name.strip_suffix(&format!(".{extension}")).unwrap_or(&name).to_owned();
        let (index, siblings) = (index.to_owned(), target.siblings()?);
        Ok(Self { index, stem, extension, names: Vec::new(), siblings, inputs })
    }

    /// Starts the file of query `number`.
    fn next(&mut self, number: u64) -> anyhow::Result<BufWriter<File>> {
        let name = format!("{}_{number}.{}", self.stem, self.extension);
        let out = self.siblings.create(&name, self.inputs)?;
        self.names.push(name);
        Ok(out)
    }
}
