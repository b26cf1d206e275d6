//! A search without queues and blobs: the library's own functions, called one after the other.

#![allow(clippy::result_large_err, reason = "the library's own error")]

use std::collections::BTreeSet;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use skyblast::database::{BuildOptions, Builder, Database, Volume, VolumeLimit};
use skyblast::engine::{DatabaseTotals, Hit, Processor, Search, SearchOptions, to_the_end};
use skyblast::jobs::{
    Candidates, ChunkLimits, Chunker, Merger, QueryChunk, ROOM, Shelf, compare, render, render_end,
    render_head, search_row,
};
use skyblast::report::{
    DatabaseText, ListedSubjects, MissingVolumes, OutputFormat, QueryHits, ReportContext,
};
use skyblast::sequence::fasta::Reader;
use skyblast::sequence::input::Input;

/// A file of the project.
pub(crate) fn project_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Makes a database of all records with residues of `inputs`, as `skyblast makedb` does.
pub(crate) fn build_database(directory: &Path, inputs: &[PathBuf], limit: VolumeLimit) -> Database {
    let options = BuildOptions {
        title: "database".to_owned(),
        volume_limit: limit,
        sources: Vec::new(),
        created: Timestamp::UNIX_EPOCH,
    };
    let mut builder = Builder::create(directory, options).unwrap();
    for input in inputs {
        for record in Reader::new("database", Input::open(input).unwrap()) {
            let record = record.unwrap();
            if !record.residues.is_empty() {
                builder.push(&record.defline, &record.residues).unwrap();
            }
        }
    }
    builder.finish().unwrap();
    Database::open(directory).unwrap()
}

/// The records of a FASTA file as chunks.
pub(crate) fn chunks(queries: &Path, limits: ChunkLimits) -> Vec<QueryChunk> {
    chunks_for(queries, limits, SearchOptions::default())
}

/// The records of a FASTA file as chunks for a search with `options`.
pub(crate) fn chunks_for(queries: &Path, limits: ChunkLimits, options: SearchOptions) -> Vec<QueryChunk> {
    let input = BufReader::new(Input::open(queries).unwrap());
    Chunker::new(Reader::new("queries", input), limits, options).collect::<Result<_, _>>().unwrap()
}

/// Limits that put up to `residues` residues into a chunk.
pub(crate) fn chunks_of(residues: u64) -> ChunkLimits {
    ChunkLimits { residues, queries: 500 }
}

/// A database with all its volumes open.
pub(crate) struct OpenDatabase {
    volumes: Vec<(u64, Volume)>,
    totals: DatabaseTotals,
}

/// Has the engine use the kernels that `SKYBLAST_KERNELS` names, as the program does; fails if they are missing.
fn use_kernels_asked_for() {
    if let Ok(asked) = std::env::var("SKYBLAST_KERNELS") {
        asked.parse::<Processor>().unwrap().use_kernels().unwrap();
    }
}

impl OpenDatabase {
    pub(crate) fn new(database: &Database) -> Self {
        use_kernels_asked_for();
        let manifest = database.manifest();
        let volume = |index: usize| (manifest.volumes[index].first_ordinal, database.volume(index).unwrap());
        Self {
            volumes: (0..manifest.volumes.len()).map(volume).collect(),
            totals: DatabaseTotals { sequences: manifest.sequences, residues: manifest.residues },
        }
    }

    pub(crate) fn volumes(&self) -> usize {
        self.volumes.len()
    }

    /// The hits of one chunk with one volume.
    pub(crate) fn shard(
        &self,
        chunk: &QueryChunk,
        volume: usize,
        options: SearchOptions,
        threads: usize,
    ) -> Vec<Vec<Hit>> {
        let mut found = Candidates::new(&options, ROOM);
        self.compare(chunk, volume, options, threads, ROOM, &mut |list, hit| found.add(list, hit));
        let mut lists = vec![Vec::new(); chunk.queries.iter().map(|query| query.sequence().lists()).sum()];
        for item in found.finish().unwrap() {
            let (list, hit) = item.unwrap();
            lists[list as usize].push(hit);
        }
        lists
    }

    fn compare(
        &self,
        chunk: &QueryChunk,
        volume: usize,
        options: SearchOptions,
        threads: usize,
        room: usize,
        found: &mut dyn FnMut(usize, Hit) -> skyblast::jobs::Result<()>,
    ) {
        let (first_ordinal, volume) = &self.volumes[volume];
        let threads = NonZeroUsize::new(threads).unwrap();
        let search = Search::new(options, self.totals).unwrap().on_threads(threads).within(room);
        compare(&search, chunk, volume, *first_ordinal, None, &to_the_end, found).unwrap();
    }

    /// The whole report of `chunks` in this database, which it calls "database".
    ///
    /// The shards of each chunk are joined in the order that `order` makes of their volumes; it may
    /// repeat some.
    pub(crate) fn report(
        &self,
        chunks: &[QueryChunk],
        options: SearchOptions,
        format: &OutputFormat,
        threads: usize,
        order: &mut dyn FnMut(Vec<usize>) -> Vec<usize>,
    ) -> Vec<u8> {
        self.report_within(ROOM, chunks, options, format, threads, order)
    }

    /// The same with so many bytes of memory for hits in each place.
    pub(crate) fn report_within(
        &self,
        room: usize,
        chunks: &[QueryChunk],
        options: SearchOptions,
        format: &OutputFormat,
        threads: usize,
        order: &mut dyn FnMut(Vec<usize>) -> Vec<usize>,
    ) -> Vec<u8> {
        let database = DatabaseText {
            name: "database".to_owned(),
            title: "database.fa".to_owned(),
            version: None,
            posted: None,
            totals: self.totals,
            searched: self.totals,
            parts: Vec::new(),
            is_given: false,
        };
        let context = ReportContext::new(database, options).unwrap();
        let search = Search::new(options, self.totals).unwrap();
        let mut report = Vec::new();
        let mut subjects = ListedSubjects::default();
        for chunk in chunks {
            let mut merger = Merger::new(options, self.totals, chunk, room).unwrap();
            let order = order((0..self.volumes.len()).collect());
            let joined: BTreeSet<_> = order.iter().copied().collect();
            let of = self.volumes.len() as u32;
            let missing = MissingVolumes { missing: of - joined.len() as u32, of };
            let volumes = order.into_iter().map(|volume| (self.volumes[volume].0, &self.volumes[volume].1));
            search_row(&search, &mut merger, chunk, volumes, &|_| ()).unwrap();
            let mut hits = Vec::new();
            let threads = NonZeroUsize::new(threads).unwrap();
            let merged = merger.finish(threads, |query, shelf: &Shelf| {
                shelf.visit_all(&mut |hit| {
                    subjects.add(&context, hit);
                    hits.push(Ok((query as u32, hit.clone())));
                    Ok(())
                })?;
                Ok::<_, skyblast::jobs::Error>(())
            });
            merged.unwrap();
            if missing.missing > 0 {
                subjects.lack(chunk.queries.len() as u64);
            }
            render(format, &context, chunk, missing, hits.into_iter(), room, &mut report).unwrap();
        }
        let queries = chunks.iter().map(|chunk| chunk.queries.len() as u64).sum();
        report.extend(render_end(format, &context, queries).unwrap());
        [render_head(format, &context, &subjects).unwrap(), report].concat()
    }
}

/// Fails with the first line in which two reports differ.
#[track_caller]
pub(crate) fn assert_same_report(name: &str, ours: &[u8], expected: &[u8]) {
    if ours == expected {
        return;
    }
    let lines = |report: &[u8]| -> Vec<String> {
        report.split_inclusive(|&byte| byte == b'\n').map(|line| line.escape_ascii().to_string()).collect()
    };
    let (ours, expected) = (lines(ours), lines(expected));
    let first =
        ours.iter().zip(&expected).position(|(a, b)| a != b).unwrap_or(ours.len().min(expected.len()));
    let line = |lines: &[String]| lines.get(first).cloned().unwrap_or_else(|| "(end)".to_owned());
    let differing = ours.iter().zip(&expected).filter(|(a, b)| a != b).count();
    panic!(
        "{name}: line {} differs ({differing} lines do; {} lines, expected {})\n    ours: {}\nexpected: {}",
        first + 1,
        ours.len(),
        expected.len(),
        line(&ours),
        line(&expected),
    );
}
