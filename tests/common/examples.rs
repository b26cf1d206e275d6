//! The bundled proteins as a database, and what a search in it must print.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::command::run;
use super::in_process::project_file;

/// Name of the database, in storage and in reports.
pub(crate) const DATABASE: &str = "examples";
/// Number of its volumes.
pub(crate) const VOLUMES: u64 = 6;
/// Residues of a chunk with which [`queries`] make several.
pub(crate) const CHUNK_RESIDUES: u64 = 2_000;
/// Chunks that there are then.
pub(crate) const CHUNKS: u64 = 6;
/// Shards that there are then.
pub(crate) const SHARDS: u64 = CHUNKS * VOLUMES;

/// The bundled queries.
pub(crate) fn queries() -> PathBuf {
    project_file("examples/queries.fa")
}

/// The bundled queries, `copies` times.
pub(crate) fn many_queries(copies: usize) -> Vec<u8> {
    std::fs::read(queries()).unwrap().repeat(copies)
}

/// Directory of the database, made by `skyblast makedb` in several volumes.
pub(crate) fn database() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| make_database("examples", "120KiB"))
}

/// The same database in one volume.
pub(crate) fn one_volume() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| make_database("one-volume", "100MiB"))
}

fn make_database(name: &str, volume_size: &str) -> PathBuf {
    // Each test program has its own, made anew in each run.
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", env!("CARGO_CRATE_NAME")));
    let _ = std::fs::remove_dir_all(&directory);
    let fasta = project_file("examples/database.fa.gz");
    let (fasta, out) = (fasta.to_str().unwrap(), directory.to_str().unwrap());
    run(["makedb", "--in", fasta, "--out", out, "--volume-size", volume_size, "--title", DATABASE]).ok();
    directory
}

/// What `skyblast search` prints for `queries`, with `more` options.
pub(crate) fn search(queries: &Path, more: &[&str]) -> Vec<u8> {
    let (query, db) = (queries.to_str().unwrap(), one_volume().to_str().unwrap());
    run(["search", "--query", query, "--db", db].iter().chain(more)).ok()
}

/// What `skyblast search` prints for [`many_queries`].
pub(crate) fn search_many(copies: usize) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), many_queries(copies)).unwrap();
    search(file.path(), &[])
}

/// The report on the bundled queries with usual options.
pub(crate) fn report() -> &'static [u8] {
    static REPORT: OnceLock<Vec<u8>> = OnceLock::new();
    REPORT.get_or_init(|| search(&queries(), &[]))
}

/// Puts a database into the storage at `storage` under the name [`DATABASE`].
pub(crate) fn publish(database: &Path, storage: &str) {
    let database = database.to_str().unwrap();
    run(["databases", "add", DATABASE, "--from", database, "--storage", storage]).ok();
}
