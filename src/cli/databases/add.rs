//! `skyblast databases add`: makes a database and sends it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use bytesize::ByteSize;
use clap::ArgGroup;
use indicatif::HumanCount;

use crate::cli::exit::Exit;
use crate::cli::interrupt::Temporary;
use crate::cli::makedb;
use crate::cli::progress::ByteBar;
use crate::cli::storage::{StorageFlags, open_or_make_pipeline, open_pipeline};
use crate::cli::taxids::TaxidFlags;
use crate::database::Database;
use crate::jobs::{Published, Settings, check_database_name};
use crate::store::Transfer;

const EXAMPLES: &str = "\
Examples:
  skyblast databases add swissprot --in swissprot.fa.gz
  skyblast databases add swissprot --dir swissprot.db --storage 'AccountName=…;AccountKey=…'

Adding a database again under the same name makes the name mean the new version; searches under way
go on with the old one, and name@version means it for ever. Only what is missing is sent, volume by
volume and within a long volume piece by piece: repeat an interrupted command, and it goes on.";

/// Add a database to a storage, for servers and workers on that storage
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("source").required(true))]
pub(in crate::cli) struct AddArgs {
    /// Name that searches will use
    name: String,

    /// Directory of a database made with `skyblast makedb`
    #[arg(long, visible_alias = "from", value_name = "DIR", group = "source",
        conflicts_with_all = ["taxid", "taxid_map", "ignore_ox"])]
    dir: Option<PathBuf>,

    /// FASTA file to make the database from: plain, gzip or zstd; may be repeated
    #[arg(long = "in", value_name = "FASTA", conflicts_with = "dir", group = "source")]
    inputs: Vec<PathBuf>,

    /// Largest volume of a database made from FASTA
    #[arg(long, value_name = "SIZE", default_value_t = makedb::DEFAULT_VOLUME_SIZE, value_parser = makedb::parse_size,
        conflicts_with = "dir")]
    volume_size: ByteSize,

    #[command(flatten)]
    taxids: TaxidFlags,

    #[command(flatten)]
    storage: StorageFlags,
}

pub(super) async fn run(args: &AddArgs) -> anyhow::Result<()> {
    check_database_name(&args.name)?;
    let location = args.storage.location_or_usual()?;
    // Whether it can be used is known before a long database is made; a new one waits until that is.
    let there = location.exists().then(|| open_pipeline(&location, Settings::default())).transpose()?;
    // Made next to nothing of the user's, and gone when it has been sent.
    let made = Temporary::make(tempfile::tempdir);
    let (scratch, _temporary) = made.context("could not make a temporary directory")?;
    let directory = match &args.dir {
        Some(file) if file.is_file() => {
            return Err(Exit::WrongCommandLine.because(format_args!(
                "--dir {} is a file, not the directory of a database; FASTA is given with --in",
                file.display()
            )));
        }
        Some(directory) => directory.clone(),
        None => {
            let directory = scratch.path().join(&args.name);
            makedb::make(&args.inputs, &directory, args.name.clone(), args.volume_size, &args.taxids)?;
            directory
        }
    };
    let database = Database::open(&directory)?;
    let pipeline = there.map_or_else(|| open_or_make_pipeline(&location, Settings::default()), Ok)?;
    let progress = Progress::new(database.manifest().volumes.iter().map(|volume| volume.bytes).sum());
    let added = pipeline.catalog().publish(&args.name, &database, &|step| progress.note(step)).await?;
    let summary = progress.summary();
    drop(progress);
    errln!("{summary}");
    outln!("{added}")?;
    Ok(())
}

/// A bar on a terminal, and a line per volume.
struct Progress {
    bar: ByteBar,
    sent: AtomicU64,
    present: AtomicU64,
}

impl Progress {
    fn new(bytes: u64) -> Self {
        Self { bar: ByteBar::new(bytes), sent: AtomicU64::new(0), present: AtomicU64::new(0) }
    }

    fn note(&self, step: Published<'_>) {
        let say = |line: String| self.bar.say(&line);
        match step {
            Published::Piece(piece) => {
                let (count, bytes) = match piece {
                    Transfer::Sent(bytes) => (&self.sent, bytes),
                    Transfer::Present(bytes) => (&self.present, bytes),
                };
                count.fetch_add(bytes, Ordering::Relaxed);
                self.bar.add(bytes);
            }
            Published::Sent(volume) => {
                say(format!("sent volume {} ({} residues)", volume.digest, HumanCount(volume.residues)));
            }
            Published::Present(volume) => say(format!("volume {} is there already", volume.digest)),
            Published::Damaged(volume) => {
                say(format!("volume {} is damaged in storage; sending it again", volume.digest));
            }
        }
    }

    fn summary(&self) -> String {
        let size = |count: &AtomicU64| ByteSize(count.load(Ordering::Relaxed));
        format!("sent {}; {} was there already", size(&self.sent), size(&self.present))
    }
}
