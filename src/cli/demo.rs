//! `skyblast demo`: a whole job on bundled proteins, through API, queues, shards and merge.

use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use bytesize::ByteSize;
use indicatif::HumanCount;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::inputs::Inputs;
use super::options::{SearchFlags, ThreadFlags};
use super::results::{Choice, download};
use super::serve::Serving;
use super::status::{ending, print_failures, summary};
use super::storage::open_or_make_pipeline;
use super::taxids::TaxidFlags;
use super::whole_file::Target;
use super::{logging, makedb, serve};
use crate::database::Database;
use crate::jobs::Settings;
use crate::store::Location;

const DATABASE: &[u8] = include_bytes!("../../examples/database.fa.gz");
const QUERIES: &[u8] = include_bytes!("../../examples/queries.fa");

/// Size of a volume: small, so that the little database has several.
const VOLUME_SIZE: ByteSize = ByteSize::kib(100);
/// Residues of a chunk: small, so that the few queries make several.
const CHUNK_RESIDUES: u64 = 2_500;
/// Rows with larger E-values are left out, to show hits that mean something.
const EVALUE: f64 = 1e-5;
/// Rows of the report that are shown.
const ROWS_SHOWN: usize = 10;

/// Run a whole search on bundled proteins, in one process and one folder
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  skyblast demo --dir /tmp/skyblast-demo")]
pub(super) struct DemoArgs {
    /// Folder for everything that the demo makes
    #[arg(long, value_name = "DIR", default_value = "skyblast-demo")]
    dir: PathBuf,

    #[command(flatten)]
    threads: ThreadFlags,
}

pub(super) async fn run(args: &DemoArgs) -> anyhow::Result<()> {
    logging::for_people(tracing::Level::WARN);
    let dir = &args.dir;
    let (fasta, queries) = (dir.join("database.fa.gz"), dir.join("queries.fa"));
    ensure!(!dir.is_file(), "{} is a file; name a folder with --dir", dir.display());
    let is_used = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    // The first file that a demo makes.
    let is_ours = || fs::read(&queries).is_ok_and(|content| content == QUERIES);
    ensure!(
        !is_used || is_ours(),
        "{} holds other things, which the demo could overwrite; give --dir an empty or a new folder",
        dir.display()
    );
    fs::create_dir_all(dir).with_context(|| format!("could not write into {}", dir.display()))?;
    write(&queries, QUERIES)?;
    write(&fasta, DATABASE)?;

    outln!("1. Making a database from {} (Swiss-Prot proteins)", fasta.display())?;
    let made = dir.join("database");
    makedb::make(&[fasta], &made, "demo".to_owned(), VOLUME_SIZE, &TaxidFlags::default())?;
    let database = Database::open(&made)?;
    let manifest = database.manifest();
    outln!(
        "   {} sequences, {} residues, {} volumes",
        HumanCount(manifest.sequences),
        HumanCount(manifest.residues),
        manifest.volumes.len()
    )?;

    outln!("2. Starting a server on the folder {}", dir.join("storage").display())?;
    let settings = Settings {
        threads: args.threads.count(),
        chunk_residues: Some(CHUNK_RESIDUES),
        ..Settings::default()
    };
    let location = Location::Folder(dir.join("storage"));
    let pipeline = Arc::new(open_or_make_pipeline(&location, settings)?);
    pipeline.catalog().publish("demo", &database, &|_| ()).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let server = format!("http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve::serve(pipeline, Serving::default(), listener, stop.clone()));
    outln!("   {server}: page, API, queues and workers in this process")?;

    outln!("3. Submitting {} by POST {server}/api/searches", queries.display())?;
    let client = Client::of(server)?;
    let accepted = client.submit(&queries, "demo", &SearchFlags::up_to(EVALUE), &[]).await?;
    outln!("   {accepted}")?;

    outln!("4. Comparing: one queue message per shard (chunk of queries × volume), then merging")?;
    let status = client.watch(accepted.id).await?;
    outln!("   {}", summary(&status))?;
    print_failures(&status);
    if !status.state.has_report() {
        return ending(&status);
    }
    let report = dir.join("report.tsv");
    let out = Target::new(Some(&report), &Inputs::default())?;
    download(&client, accepted.id, Choice::default(), &out).await?;
    stop.cancel();
    serving.await??;

    outln!("5. The top of the report, the same bytes as blastp -evalue 1e-5 -outfmt 6 prints:")?;
    let text = fs::read(&report)?;
    let text = String::from_utf8_lossy(&text);
    for row in text.lines().take(ROWS_SHOWN) {
        outln!("   {row}")?;
    }
    outln!("   … {} rows in all: {}", HumanCount(text.lines().count() as u64), report.display())?;
    outln!("")?;
    outln!("Try next:")?;
    outln!(
        "  skyblast search --query {} --db {}   the same without a server",
        queries.display(),
        made.display()
    )?;
    outln!("  skyblast makedb --in YOUR.fa --out your.db   a database of your own")?;
    outln!("  skyblast serve --help                        a server for your lab")?;
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut out = Target::new(Some(path), &Inputs::default())?.create()?;
    out.write_all(content)?;
    out.finish()
}
