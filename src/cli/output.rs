//! Where `skyblast search` writes its report: a stream, or a file per query and one that names them. A
//! report with a head waits in a temporary file until all hits are known.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::exit::Exit;
use crate::engine::Hit;
use crate::jobs::QueryChunk;
use crate::report::{ListedSubjects, OutputFormat, ReportContext, ReportWriter};

/// A report that is being written.
pub(super) struct ReportOutput<'a> {
    writer: ReportWriter<'a>,
    context: &'a ReportContext,
    sink: Sink,
    queries: u64,
}

enum Sink {
    Stream(Box<dyn Write>),
    Files(Files),
    Waiting(Waiting),
}

/// A report whose head is written last.
struct Waiting {
    out: Box<dyn Write>,
    /// All but the head.
    body: BufWriter<File>,
    subjects: ListedSubjects,
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
            (None, _) if format.lists_subjects() => Sink::Waiting(Waiting::open(path)?),
            (None, _) => Sink::Stream(open(path)?),
            (Some(_), Some(path)) => Sink::Files(Files::new(path, format.extension())?),
            (Some(single), None) => {
                let (asked, single) = (format.number(), single.number());
                return Err(Exit::WrongCommandLine.because(format_args!(
                    "output format {asked} writes a file per query: give --out, or use {single} for one report"
                )));
            }
        };
        Ok(Self { writer: ReportWriter::new(format, context), context, sink, queries: 0 })
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
                Sink::Waiting(Waiting { body, subjects, .. }) => {
                    subjects.add(self.context, hits);
                    self.writer.query(body, query, hits)?;
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
            Sink::Waiting(Waiting { mut out, body, subjects }) => {
                let mut body = body.into_inner().map_err(io::IntoInnerError::into_error)?;
                body.rewind()?;
                if self.queries > 0 {
                    self.writer.head(&mut out, &subjects)?;
                    io::copy(&mut body, &mut out)?;
                }
                out.flush()?;
            }
        }
        Ok(())
    }
}

impl Waiting {
    /// Waits beside the file `path`, where there is room for it, or among temporary files.
    fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let out = open(path)?;
        let folder = match path.and_then(Path::parent) {
            None => std::env::temp_dir(),
            Some(folder) if folder.as_os_str().is_empty() => Path::new(".").to_owned(),
            Some(folder) => folder.to_owned(),
        };
        let body = tempfile::tempfile_in(&folder)
            .with_context(|| format!("could not create a temporary file in {}", folder.display()))?;
        Ok(Self { out, body: BufWriter::new(body), subjects: ListedSubjects::default() })
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

/// The file `path`, or standard output.
fn open(path: Option<&Path>) -> anyhow::Result<Box<dyn Write>> {
    Ok(match path {
        None => Box::new(BufWriter::new(io::stdout())),
        Some(path) => Box::new(create(path)?),
    })
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("could not create {}", path.display()))?;
    Ok(BufWriter::new(file))
}
