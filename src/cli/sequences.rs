//! `skyblast sequences`: sequences of a database as FASTA.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, BufReader};
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, ensure};

use super::exit::Exit;
use super::id_list::IdList;
use super::inputs::Inputs;
use super::searched::SearchedDatabase;
use super::standard::require_input;
use super::whole_file::Target;
use crate::sequence::counted;
use crate::sequence::fasta::write_record;
use crate::sequence::input::Input;
use crate::sequence::names::SubjectNames;
use crate::taxonomy::Purpose;

const EXAMPLES: &str = "\
Examples:
  skyblast sequences --db proteins.db P69905 sp|P68871|HBB_HUMAN:1-50
  cut -f2 hits.tsv | sort -u | skyblast sequences --db proteins.db --ids -         the subjects of hits
  cut -f2,9,10 hits.tsv | skyblast sequences --db proteins.db --ids -              what is aligned of them
  skyblast sequences --db proteins.db --out all.fa                                 all of them

What an identifier means is what it means to --seqidlist. Sequences come in the order of the database.";

/// Print sequences of a database as FASTA
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SequencesArgs {
    /// Database: a directory made by makedb, a BLAST database, or a FASTA file
    #[arg(long, value_name = "DB")]
    db: PathBuf,

    /// Identifiers, each with a range of residues or without: ID or ID:FROM-TO [default: all sequences]
    #[arg(value_name = "ID")]
    entries: Vec<Entry>,

    /// File with an identifier per line, and a range behind it or none: ID, ID FROM-TO or ID FROM TO; `-` for
    /// standard input
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,

    /// File for the sequences [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is wanted of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: String,
    /// Its first residue and its last, from 1; all without it.
    range: Option<(usize, usize)>,
}

impl FromStr for Entry {
    type Err = String;

    /// Reads `ID` or `ID:FROM-TO`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.rsplit_once(':').map(|(id, range)| (id, range_of(range))) {
            Some((id, Some(range))) if !id.is_empty() => Self::new(id, Some(range)),
            _ => Self::new(text, None),
        }
    }
}

impl Entry {
    fn new(id: &str, range: Option<(usize, usize)>) -> Result<Self, String> {
        match range {
            Some((from, to)) if from == 0 || from > to => Err(format!(
                "{id}: {from}-{to} is no range; it goes from the first residue, 1 or more, to the last"
            )),
            _ => Ok(Self { id: id.to_owned(), range }),
        }
    }

    /// Reads a line of a list.
    fn of_line(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let range = match words[1..] {
            [] => None,
            [range] => Some(range_of(range)),
            [from, to] => Some(from.parse().ok().zip(to.parse().ok())),
            _ => Some(None),
        };
        match range {
            None => Self::new(words[0], None),
            Some(Some(range)) => Self::new(words[0], Some(range)),
            Some(None) => Err(format!("{line:?} is not ID, ID FROM-TO or ID FROM TO")),
        }
    }

    /// The part that is wanted of a sequence of `length` residues.
    fn part(&self, length: usize) -> Result<Range<usize>, String> {
        match self.range {
            None => Ok(0..length),
            Some((from, to)) if to <= length => Ok(from - 1..to),
            Some((from, to)) => {
                Err(format!("{} has {length} residues, so {from}-{to} is not in it", self.id))
            }
        }
    }
}

fn range_of(text: &str) -> Option<(usize, usize)> {
    let (from, to) = text.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

pub(super) fn run(args: &SequencesArgs) -> anyhow::Result<()> {
    let mut inputs = Inputs::default();
    if let Some(ids) = &args.ids {
        require_input(ids)?;
        inputs.add("--ids", ids);
    }
    let target = Target::new(args.out.as_deref(), &inputs)?;
    let mut entries = args.entries.clone();
    if let Some(file) = &args.ids {
        let input = Input::open(file)?;
        let name = input.name().to_owned();
        for (number, line) in (1..).zip(BufReader::new(input).lines()) {
            let line = line.with_context(|| format!("could not read {name}"))?;
            if line.trim().is_empty() {
                continue;
            }
            let entry = Entry::of_line(&line)
                .map_err(|reason| Exit::Failed.because(format_args!("{name}, line {number}: {reason}")))?;
            entries.push(entry);
        }
        ensure!(!entries.is_empty(), "{name} holds no identifier");
    }
    let database = SearchedDatabase::open(&args.db)?;
    let mut out = target.create()?;
    if entries.is_empty() {
        write_all(&database, &mut out)?;
        return out.finish();
    }
    let missing = write_chosen(&database, &entries, &mut out)?;
    out.finish()?;
    match &missing[..] {
        [] => Ok(()),
        [first, ..] => Err(Exit::Failed.because(format_args!(
            "{} not in {}, such as {first:?}",
            counted_are(missing.len()),
            database.name
        ))),
    }
}

fn counted_are(count: usize) -> String {
    format!("{} {}", counted(count as u64, "identifier"), if count == 1 { "is" } else { "are" })
}

fn write_all(database: &SearchedDatabase, out: &mut impl io::Write) -> io::Result<()> {
    for volume in &database.volumes {
        for index in 0..volume.subjects.len() {
            let heading = SubjectNames::of(&volume.subjects.defline(index)).heading();
            write_record(out, &heading, volume.subjects.residues(index))?;
        }
    }
    Ok(())
}

/// Writes what entries name; those that name nothing.
fn write_chosen<'a>(
    database: &SearchedDatabase,
    entries: &'a [Entry],
    out: &mut impl io::Write,
) -> anyhow::Result<Vec<&'a str>> {
    let list = IdList::of_words(entries.iter().map(|entry| entry.id.as_bytes()));
    let mut wanted: HashMap<Vec<u8>, Vec<&Entry>> = HashMap::new();
    for entry in entries {
        wanted.entry(IdList::meaning(entry.id.as_bytes())).or_default().push(entry);
    }
    let mut found: HashSet<&[u8]> = HashSet::new();
    for volume in &database.volumes {
        for index in 0..volume.subjects.len() {
            let line = volume.subjects.defline(index);
            let names = SubjectNames::of(&line);
            let matching = names
                .names()
                .iter()
                .flat_map(|name| list.matching(name, names.is_parted(), Purpose::Include));
            let mut of_this: Vec<&[u8]> = matching.collect();
            of_this.sort_unstable();
            of_this.dedup();
            if of_this.is_empty() {
                continue;
            }
            let residues = volume.subjects.residues(index);
            for id in of_this {
                for entry in wanted.get(id).into_iter().flatten() {
                    let part = entry.part(residues.len()).map_err(anyhow::Error::msg)?;
                    let heading = match entry.range {
                        None => names.heading(),
                        Some(_) => names.heading_of_part(&part),
                    };
                    write_record(out, &heading, &residues[part])?;
                }
                found.insert(id);
            }
        }
    }
    let is_missing = |entry: &&Entry| !found.contains(&*IdList::meaning(entry.id.as_bytes()));
    Ok(entries.iter().filter(is_missing).map(|entry| entry.id.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_ranges_or_none() {
        let entry = |id: &str, range| Entry { id: id.to_owned(), range };
        for (text, expected) in [
            ("P69905", entry("P69905", None)),
            ("sp|P69905|HBA_HUMAN:2-30", entry("sp|P69905|HBA_HUMAN", Some((2, 30)))),
            ("gnl:odd:1-x", entry("gnl:odd:1-x", None)),
            (":3-4", entry(":3-4", None)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for (line, expected) in [
            ("a", entry("a", None)),
            ("a\t3\t40", entry("a", Some((3, 40)))),
            (" a 3-40 ", entry("a", Some((3, 40)))),
        ] {
            assert_eq!(Entry::of_line(line), Ok(expected), "{line}");
        }
        for line in ["a 0-4", "a 5 4", "a b", "a 1 2 plus"] {
            assert!(Entry::of_line(line).is_err(), "{line}");
        }
        assert!("a:7-3".parse::<Entry>().is_err());
    }
}
