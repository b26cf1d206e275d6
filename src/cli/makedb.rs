//! `skyblast makedb`: FASTA files, or a BLAST database, to a database.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use bytesize::ByteSize;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::exit::Exit;
use super::searched::open_blast_database;
use super::standard::require_input;
use super::taxids::{TaxidFlags, TaxidSource};
use crate::database::blastdb::BlastDbError;
use crate::database::{BuildOptions, Builder, Manifest, VolumeLimit};
use crate::engine::Subjects;
use crate::sequence::counted;
use crate::sequence::fasta::{Reader, Record};
use crate::sequence::input::{Consumed, Input};
use crate::sequence::nucleotide::looks_like_nucleotides;

/// Warnings that are printed; the rest are counted.
const WARNINGS_SHOWN: usize = 10;

/// Largest volume unless asked otherwise: a minute or so of work for a chunk of queries, and little
/// enough memory for the smallest cloud instances.
pub(super) const DEFAULT_VOLUME_SIZE: ByteSize = ByteSize::mib(128);

const EXAMPLES: &str = "\
Examples:
  skyblast makedb --in proteins.fa --out proteins.db
  skyblast makedb --in a.fa.gz --in b.fa.zst --out all.db --title 'A and B'
  zcat nr.gz | skyblast makedb --in - --out nr.db --volume-size 256MiB
  skyblast makedb --from-blastdb swissprot --out swissprot.db
  skyblast makedb --in mine.fa --taxid-map taxids.txt --out mine.db

A command line of makeblastdb works with only the program's name changed:
  makeblastdb     -in proteins.fa -dbtype prot -title 'My proteins' -out proteins.db
  skyblast makedb -in proteins.fa -dbtype prot -title 'My proteins' -out proteins.db

Input may be plain, gzip or zstd, of any size. Running the command again over a database
replaces it when the new one is complete; equal input gives equal volumes.";

/// Make a database from protein sequences in FASTA, or from a BLAST database
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct MakedbArgs {
    /// FASTA file of proteins: plain, gzip or zstd; `-` for standard input; may be repeated
    #[arg(long = "in", value_name = "FASTA", required_unless_present = "from_blastdb")]
    inputs: Vec<PathBuf>,

    /// BLAST database of proteins, version 4 or 5: its name without extension, looked for in
    /// $BLASTDB too
    #[arg(long, value_name = "DB", conflicts_with_all = ["inputs", "taxid", "taxid_map", "ignore_ox"])]
    from_blastdb: Option<PathBuf>,

    /// Directory of the database; created, or must be empty or hold a skyblast database
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Largest volume, the unit that one worker searches at a time
    #[arg(long, value_name = "SIZE", default_value_t = DEFAULT_VOLUME_SIZE, value_parser = parse_size)]
    volume_size: ByteSize,

    /// Name of the database in reports [default: name of DIR without its extension, or what the
    /// BLAST database is called]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    #[command(flatten)]
    taxids: TaxidFlags,
}

/// Reads a number of bytes such as `128MiB`.
pub(super) fn parse_size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| format!("{text:?} is no size; write it like 500KB, 128MiB or 1GB"))
}

/// Makes the database and says what to do with it.
pub(super) fn run(args: &MakedbArgs) -> anyhow::Result<()> {
    if args.out.is_file() {
        return Err(Exit::WrongCommandLine.because(format_args!(
            "--out {} is a file; name a directory for the database",
            args.out.display()
        )));
    }
    let started = Instant::now();
    let manifest = match &args.from_blastdb {
        Some(database) => import(database, args)?,
        None => {
            let title = args.title.clone().unwrap_or_else(|| default_title(&args.out));
            make(&args.inputs, &args.out, title, args.volume_size, &args.taxids)?
        }
    };
    Ok(print_summary(&args.out, &manifest, started)?)
}

/// Makes a database from FASTA files, with a progress bar and warnings.
pub(super) fn make(
    inputs: &[PathBuf],
    out: &Path,
    title: String,
    volume_size: ByteSize,
    taxids: &TaxidFlags,
) -> anyhow::Result<Manifest> {
    let sources = inputs.iter().map(|path| source_name(path)).collect();
    let options = build_options(title, volume_size, sources)?;
    inputs.iter().try_for_each(|path| require_input(path))?;
    let opened = inputs.iter().map(|path| Input::open(path)).collect::<Result<Vec<_>, _>>()?;
    let taxids = taxids.open()?;
    let builder = Builder::create(out, options)?;
    let mut warnings = Warnings::default();
    let built = build(builder, opened, taxids, &mut warnings);
    warnings.print();
    built.with_context(|| format!("could not make the database in {}", out.display()))
}

fn build_options(title: String, volume_size: ByteSize, sources: Vec<String>) -> anyhow::Result<BuildOptions> {
    if volume_size.as_u64() == 0 {
        return Err(Exit::WrongCommandLine.because("--volume-size must be more than 0"));
    }
    Ok(BuildOptions {
        title,
        volume_limit: VolumeLimit::Bytes(volume_size.as_u64()),
        sources,
        created: Timestamp::now(),
    })
}

fn build(
    mut builder: Builder,
    inputs: Vec<Input>,
    mut taxids: TaxidSource,
    warnings: &mut Warnings,
) -> anyhow::Result<Manifest> {
    let progress = Progress::new(&inputs);
    for input in inputs {
        read_sequences(input, warnings, |defline, residues| {
            progress.update();
            Ok(builder.push(&taxids.label(defline), residues)?)
        })?;
    }
    taxids.finish()?;
    Ok(builder.finish()?)
}

/// Reads the sequences of a database from FASTA: `push` gets the definition line and the residue
/// codes of each that has residues.
pub(super) fn read_sequences(
    input: Input,
    warnings: &mut Warnings,
    mut push: impl FnMut(&[u8], &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let name = input.name().to_owned();
    for record in Reader::new(&name, input) {
        let record = record?;
        if record.lacks_defline() {
            bail!(
                "{name}: line {}: residues before the first '>' line; \
                 a database sequence needs a line with '>' and a name",
                record.line
            );
        }
        warnings.note(&name, &record);
        if !record.residues.is_empty() {
            push(&record.defline, &record.residues)?;
        }
    }
    Ok(())
}

/// Makes a database with the sequences and the names of a BLAST database.
fn import(source: &Path, args: &MakedbArgs) -> anyhow::Result<Manifest> {
    let database = open_blast_database(source).map_err(|error| match error {
        BlastDbError::NotFound { .. } if source.is_file() => Exit::WrongCommandLine.because(format_args!(
            "{} is a file, not the name of a BLAST database; FASTA is given with --in",
            source.display()
        )),
        other => other.into(),
    })?;
    let title = match (&args.title, database.title()) {
        (Some(title), _) => title.clone(),
        (None, "") => default_title(&args.out),
        (None, title) => title.to_owned(),
    };
    let options = build_options(title, args.volume_size, vec![source_name(source)])?;
    let (stated, content) = (database.totals(), database.content());
    if stated != content {
        errln!(
            "warning: the alias files of {} state {} sequences and {} residues, but there are {} and {}; \
             E-values will refer to the latter",
            source.display(),
            stated.sequences,
            stated.residues,
            content.sequences,
            content.residues,
        );
    }
    let mut builder = Builder::create(&args.out, options)?;
    let mut empty = 0_u64;
    for volume in database.volumes() {
        for index in 0..volume.len() {
            match volume.residues(index) {
                [] => empty += 1,
                residues => builder.push(&volume.defline(index), residues)?,
            }
        }
    }
    if empty > 0 {
        let (empty, are) = (counted(empty, "sequence"), if empty == 1 { "is" } else { "are" });
        errln!("warning: {empty} without residues {are} left out of the database");
    }
    builder.finish().with_context(|| format!("could not make the database in {}", args.out.display()))
}

fn print_summary(directory: &Path, manifest: &Manifest, started: Instant) -> io::Result<()> {
    let bytes: u64 = manifest.volumes.iter().map(|volume| volume.bytes).sum();
    let directory = directory.display();
    outln!("{}: database in {directory}", manifest.title)?;
    outln!("  sequences  {}", HumanCount(manifest.sequences))?;
    outln!(
        "  residues   {} ({} to {} per sequence)",
        HumanCount(manifest.residues),
        HumanCount(manifest.shortest),
        HumanCount(manifest.longest)
    )?;
    outln!("  volumes    {} ({})", HumanCount(manifest.volumes.len() as u64), ByteSize(bytes))?;
    outln!("  version    {}", manifest.version)?;
    outln!("  time       {:.1} s", started.elapsed().as_secs_f64())?;
    outln!("Next: skyblast search --query QUERIES.fa --db {directory}")
}

/// Name of a file without its directory, which says more about the machine than about the data.
fn source_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Name of the directory without its extension.
fn default_title(directory: &Path) -> String {
    // `.` and `..` have a name only when they are resolved.
    let resolved = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    resolved.file_stem().map_or_else(|| "database".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// The bar on standard error; invisible if that is not a terminal.
struct Progress {
    bar: ProgressBar,
    consumed: Vec<Consumed>,
}

impl Progress {
    fn new(inputs: &[Input]) -> Self {
        let total: Option<u64> = inputs.iter().map(Input::size).sum();
        let (bar, template) = match total {
            Some(total) => (
                ProgressBar::new(total),
                "{bar:40} {binary_bytes} of {binary_total_bytes} read, {binary_bytes_per_sec}, {eta} left",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {binary_bytes} read, {binary_bytes_per_sec}"),
        };
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        Self { bar, consumed: inputs.iter().map(Input::consumed).collect() }
    }

    fn update(&self) {
        self.bar.set_position(self.consumed.iter().map(Consumed::bytes).sum());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What was odd in the input: the first few, and how many.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    shown: Vec<String>,
    count: usize,
}

impl Warnings {
    pub(super) fn note(&mut self, input: &str, record: &Record) {
        let left_out = if record.residues.is_empty() { "; left out of the database" } else { "" };
        for note in &record.notes {
            self.add(|| format!("{input}: {}: {note}{left_out}", record.label()));
        }
        if looks_like_nucleotides(&record.residues) {
            self.add(|| format!("{input}: {}: looks like nucleotides, not protein", record.label()));
        }
    }

    fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.shown.len() < WARNINGS_SHOWN {
            self.shown.push(text());
        }
    }

    pub(super) fn print(&self) {
        for warning in &self.shown {
            errln!("warning: {warning}");
        }
        if self.count > self.shown.len() {
            errln!("warning: … and {} more like these", self.count - self.shown.len());
        }
    }
}
