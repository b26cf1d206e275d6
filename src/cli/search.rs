//! `skyblast search`: the whole pipeline in one process, without storage: chunks of queries ×
//! volumes, compared and merged by the same functions that Azure Functions call.

use std::path::PathBuf;
use std::sync::Arc;

use bytesize::ByteSize;

use super::exit::Exit;
use super::id_list::IdList;
use super::inputs::Inputs;
use super::listed::{ListContent, Listed};
use super::options::{SearchFlags, ThreadFlags};
use super::output::ReportOutput;
use super::progress::ComparisonBar;
use super::searched::{SearchedDatabase, find_list};
use super::standard::require_input;
use super::taxids::{TaxaFlags, taxonomy_for};
use super::whole_file::Target;
use crate::engine::{QueryLocation, Search};
use crate::jobs::{ChunkLimits, Chunker, Merger, ROOM, SubmitError, Warning, search_row};
use crate::report::{DatabaseText, ReportContext};
use crate::sequence::fasta::Reader;
use crate::sequence::input::{Consumed, Input};
use crate::taxonomy::Purpose;

const EXAMPLES: &str = "\
Examples:
  skyblast search --query q.fa --db proteins.db
  skyblast search --query q.fa.gz --db proteins.db --evalue 1e-5 --out hits.tsv
  skyblast search --query q.fa --db proteins.db --outfmt '6 qseqid sseqid evalue qseq sseq'
  skyblast search --query q.fa --db proteins.db --outfmt 0 --max-target-seqs 50 --out report.txt
  zcat many.fa.gz | skyblast search --query - --db proteins.db --outfmt 7
  skyblast search --query q.fa --db swissprot            (a BLAST database, in $BLASTDB too)
  skyblast search --query q.fa --db few_proteins.fa
  skyblast search --query q.fa --subject few_proteins.fa --outfmt 0
  skyblast search --query q.fa --db proteins.db --seqidlist chosen.txt
  skyblast search --query q.fa --db proteins.db --taxids 9606,10090
  skyblast search --query q.fa --db proteins.db --outfmt '17 SQ' --out hits.sam

A command line of blastp works with only the program's name changed:
  blastp          -query q.fa -db swissprot -evalue 1e-5 -outfmt '6 std qlen' -num_threads 4
  skyblast search -query q.fa -db swissprot -evalue 1e-5 -outfmt '6 std qlen' -num_threads 4
Options with one hyphen are blastp's; then so are the query (standard input) and the format (0) if
they are not named. An option of blastp that is not available is refused by name. `skyblast blastp` is the same command.

The report is that of blastp 2.12, byte for byte but for the program's version and the database's
date. --threads and the number of volumes change the speed, never the report. BLAST databases of
versions 4 and 5 are searched where they lie; FASTA is read into memory. skyblast makedb makes a
database for the other commands.";

/// Search a database on this machine
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SearchArgs {
    /// FASTA file of queries: plain, gzip or zstd; `-` for standard input
    #[arg(long, value_name = "FASTA")]
    query: PathBuf,

    /// Database: a directory made with `skyblast makedb`, a BLAST database (looked for in
    /// $BLASTDB too), or a FASTA file
    #[arg(long, value_name = "DB", required_unless_present = "subject")]
    db: Option<PathBuf>,

    /// FASTA file to search instead of a database, reported as blastp -subject does
    #[arg(long, value_name = "FASTA", conflicts_with_all = [
        "db", "seqidlist", "negative_seqidlist", "taxids", "negative_taxids", "taxidlist", "negative_taxidlist"
    ])]
    subject: Option<PathBuf>,

    /// Search this part of every subject of --subject, as in 10-250; positions stay those of the whole
    #[arg(long, value_name = "START-STOP", requires = "subject", conflicts_with = "db")]
    subject_loc: Option<QueryLocation>,

    /// Search only the sequences of the database whose identifiers this file lists, as text or in the form
    /// that blastdb_aliastool writes
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "negative_seqidlist", "taxids", "negative_taxids", "taxidlist", "negative_taxidlist"
    ])]
    seqidlist: Option<PathBuf>,

    /// Search all sequences of the database but those whose identifiers this file lists
    #[arg(long, value_name = "FILE",
        conflicts_with_all = ["taxids", "negative_taxids", "taxidlist", "negative_taxidlist"])]
    negative_seqidlist: Option<PathBuf>,

    #[command(flatten)]
    taxa: TaxaFlags,

    /// File for the report [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    flags: SearchFlags,

    #[command(flatten)]
    threads: ThreadFlags,

    /// Residues of queries per chunk, instead of what the volumes suggest; changes no result
    #[arg(long, value_name = "N", hide = true)]
    chunk_residues: Option<u64>,

    /// Memory that hits may take in one place before they go to a temporary file; changes no result
    #[arg(long, value_name = "SIZE", env = "SKYBLAST_ROOM", hide = true)]
    room: Option<ByteSize>,
}

pub(super) fn run(args: &SearchArgs) -> anyhow::Result<()> {
    let (options, format) = args.flags.settle()?;
    require_input(&args.query)?;
    let inputs = inputs(args);
    let target = Target::new(args.out.as_deref(), &inputs)?.takes(Some(&format))?;
    let database = open(args, options.masking.lower_case)?;
    let input = Input::open(&args.query)?;

    let described = DatabaseText {
        name: database.name.clone(),
        title: database.title.clone(),
        version: database.version.clone(),
        posted: database.posted,
        totals: database.totals,
        searched: database.searched,
        parts: database.parts.clone(),
        is_given: database.is_given,
    };
    let taxonomy = taxonomy_for(&format)?.map(Arc::new);
    let context = ReportContext::new(described, options)?.naming_taxa(taxonomy);
    let mut out = ReportOutput::open(&target, &inputs, &format, &context)?;
    let room = args.room.map_or(ROOM, |room| usize::try_from(room.as_u64()).unwrap_or(usize::MAX));
    let mut search = Search::new(options, database.searched)?.on_threads(args.threads.count()).within(room);
    if let Some(residues) = database.shortest {
        search = search.in_given_subjects(residues);
    }
    let subjects: u64 = database.volumes.iter().map(|volume| volume.subjects.len() as u64).sum();
    let largest = database.volumes.iter().map(|volume| volume.residues).max().unwrap_or(0);
    let mut limits = ChunkLimits::for_volumes_of(largest, options.mode);
    limits.residues = args.chunk_residues.unwrap_or(limits.residues);
    let bar = ComparisonBar::new();
    let estimate = Estimate { size: input.size(), consumed: input.consumed() };

    let mut chunks = Chunker::new(Reader::new(args.query.display().to_string(), input), limits, options);
    let mut queries = 0;
    while let Some(chunk) = chunks.next().transpose()? {
        queries += chunk.queries.len() as u64;
        bar.set_total(estimate.total(queries) * subjects);
        let origins = database.origins.clone();
        let mut merger =
            Merger::new(options, database.searched, &chunk, room)?.restoring(move |hit| origins.restore(hit));
        let volumes = database.volumes.iter().map(|volume| (volume.first_ordinal, &volume.subjects));
        search_row(&search, &mut merger, &chunk, volumes, &|compared| bar.add(compared))?;
        merger.finish(args.threads.count(), |query, hits| out.write(&chunk, query, hits))?;
    }
    if let (0, Some(location)) = (queries, options.query_location) {
        return Err(SubmitError::OutOfRange(location).into());
    }
    out.finish()?;
    drop(bar);
    let (warnings, further) = chunks.warnings();
    print_warnings(warnings, further);
    if queries == 0 {
        errln!("warning: {} holds no sequence, so there was nothing to search", args.query.display());
    }
    Ok(())
}

/// What the search reads.
fn inputs(args: &SearchArgs) -> Inputs {
    let mut inputs = Inputs::default();
    inputs.add("the query", &args.query);
    for (role, path) in [
        ("the subject", &args.subject),
        ("the list of identifiers", &args.seqidlist),
        ("the list of identifiers", &args.negative_seqidlist),
    ] {
        path.iter().for_each(|path| inputs.add(role, path));
    }
    args.taxa.add_to(&mut inputs);
    args.db.iter().for_each(|path| inputs.add_database(path));
    inputs
}

/// Opens what is searched.
fn open(args: &SearchArgs, masked_lower_case: bool) -> anyhow::Result<SearchedDatabase> {
    let database = match (&args.subject, &args.db) {
        (Some(subjects), _) => {
            return SearchedDatabase::read_subjects(subjects, args.subject_loc, masked_lower_case);
        }
        (None, Some(database)) => SearchedDatabase::open(database)?,
        (None, None) => {
            return Err(Exit::WrongCommandLine.because("there is nothing to search: give --db or --subject"));
        }
    };
    match listed(args)? {
        Some(list) => database.restrict(&list),
        None => Ok(database),
    }
}

/// What is searched, or left out, of the database.
fn listed(args: &SearchArgs) -> anyhow::Result<Option<Listed>> {
    let (path, purpose) = match (&args.seqidlist, &args.negative_seqidlist) {
        (Some(path), _) => (path, Purpose::Include),
        (None, Some(path)) => (path, Purpose::Exclude),
        (None, None) => return args.taxa.listed(),
    };
    let path = find_list(path);
    let content = ListContent::Ids(IdList::read(&path)?, purpose);
    Ok(Some(Listed { source: path.display().to_string(), content }))
}

/// How many queries there will be, judged by how much of the input has been read.
struct Estimate {
    size: Option<u64>,
    consumed: Consumed,
}

impl Estimate {
    fn total(&self, queries: u64) -> u64 {
        match (self.size, self.consumed.bytes()) {
            (Some(size), consumed @ 1..) if consumed < size => {
                (queries as f64 * size as f64 / consumed as f64) as u64
            }
            _ => queries,
        }
    }
}

/// Most lines of warnings.
const WARNING_LINES: usize = 10;
/// Most records that a line names.
const RECORDS_NAMED: usize = 3;

/// Prints what was odd about the queries, all records with the same oddity in one line.
pub(super) fn print_warnings(warnings: &[Warning], further: u64) {
    for line in warning_lines(warnings, further) {
        errln!("warning: {line}");
    }
}

fn warning_lines(warnings: &[Warning], further: u64) -> Vec<String> {
    let mut kinds: Vec<(&str, Vec<&Warning>)> = Vec::new();
    for warning in warnings {
        match kinds.iter_mut().find(|(message, _)| *message == warning.message) {
            Some((_, same)) => same.push(warning),
            None => kinds.push((&warning.message, vec![warning])),
        }
    }
    let line = |(message, same): &(&str, Vec<&Warning>)| {
        let label = |Warning { record, id, .. }: &Warning| match &id[..] {
            "" => record.to_string(),
            id => format!("{record} ({id})"),
        };
        let named: Vec<_> = same.iter().take(RECORDS_NAMED).map(|warning| label(warning)).collect();
        let more = match same.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let records = if same.len() == 1 { "record" } else { "records" };
        format!("{records} {}{more}: {message}", named.join(", "))
    };
    let mut lines: Vec<_> = kinds.iter().take(WARNING_LINES).map(line).collect();
    let unshown: usize = kinds.iter().skip(WARNING_LINES).map(|(_, same)| same.len()).sum();
    match unshown as u64 + further {
        0 => {}
        1 => lines.push("1 more warning is not shown".to_owned()),
        more => lines.push(format!("{more} more warnings are not shown")),
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_one_kind_share_a_line_and_the_rest_are_counted() {
        let warning = |record, id: &str, message: &str| Warning {
            record,
            id: id.to_owned(),
            message: message.to_owned(),
        };
        let mut warnings: Vec<_> = (1..=40).map(|record| warning(record, "q", "looks odd")).collect();
        warnings.insert(1, warning(7, "", "is empty"));
        let expected = ["records 1 (q), 2 (q), 3 (q) and 37 more: looks odd", "record 7: is empty"];
        assert_eq!(warning_lines(&warnings, 0), expected);
        warnings.extend((0..9).map(|kind| warning(50, "z", &format!("kind {kind}"))));
        let lines = warning_lines(&warnings, 4);
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[10], "5 more warnings are not shown");
        assert_eq!(warning_lines(&[], 1), ["1 more warning is not shown"]);
        assert_eq!(warning_lines(&[], 0), [""; 0]);
    }
}
