//! Tabular reports, formats 6 and 7 of BLAST+ (`objtools/align_format/tabular.cpp`).

use std::io::{self, Write};

use super::number;
use super::outfmt::{Column, OutputFormat};
use crate::engine::{Edit, Hit, Hsp};
use crate::sequence::alphabet::decode;
use crate::sequence::defline;
use crate::sequence::names::SubjectNames;

/// What a report says of a query.
#[derive(Clone, Copy, Debug)]
pub struct QueryText<'a> {
    /// The query's number in its file, from 1; names a query without an id.
    pub number: u64,
    /// Its whole definition line, without `>`.
    pub defline: &'a [u8],
    /// Its residue codes.
    pub residues: &'a [u8],
}

/// The name that comment lines give the program: the results are those of this blastp.
const PROGRAM: &str = concat!("BLASTP 2.12.0+ (skyblast ", env!("CARGO_PKG_VERSION"), ")");

/// Writes a tabular report, query by query.
///
/// The text of a query depends on nothing but the query and its hits, so a report can be put
/// together from pieces.
#[derive(Debug)]
pub struct TabularWriter<'a> {
    format: &'a OutputFormat,
    database: &'a str,
}

impl<'a> TabularWriter<'a> {
    /// A writer of `format`; comment lines name `database`.
    pub fn new(format: &'a OutputFormat, database: &'a str) -> Self {
        Self { format, database }
    }

    /// Writes what stands for one query: its rows and, in format 7, the comments before them.
    pub fn write_query(&self, out: &mut impl Write, query: QueryText<'_>, hits: &[Hit]) -> io::Result<()> {
        if matches!(self.format, OutputFormat::TabularWithComments(_)) {
            self.write_comments(out, query, hits.iter().map(|hit| hit.hsps.len()).sum())?;
        }
        for hit in hits {
            let coverage = percent_covered(hit, query.residues.len());
            for hsp in &hit.hsps {
                let row = Row { query, hit, hsp, coverage };
                for (place, &column) in self.format.columns().iter().enumerate() {
                    if place > 0 {
                        out.write_all(b"\t")?;
                    }
                    row.write(out, column)?;
                }
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Writes the last line of a report on `queries` queries; nothing in format 6.
    pub fn write_end(&self, out: &mut impl Write, queries: u64) -> io::Result<()> {
        match self.format {
            OutputFormat::Tabular(_) => Ok(()),
            OutputFormat::TabularWithComments(_) => writeln!(out, "# BLAST processed {queries} queries"),
        }
    }

    fn write_comments(&self, out: &mut impl Write, query: QueryText<'_>, rows: usize) -> io::Result<()> {
        writeln!(out, "# {PROGRAM}")?;
        out.write_all(b"# Query: ")?;
        out.write_all(defline::title(query.defline))?;
        writeln!(out, "\n# Database: {}", self.database)?;
        if rows > 0 {
            let titles: Vec<_> = self.format.columns().iter().map(|column| column.title()).collect();
            writeln!(out, "# Fields: {}", titles.join(", "))?;
        }
        writeln!(out, "# {rows} hits found")
    }
}

struct Row<'a> {
    query: QueryText<'a>,
    hit: &'a Hit,
    hsp: &'a Hsp,
    coverage: u64,
}

impl Row<'_> {
    fn write(&self, out: &mut impl Write, column: Column) -> io::Result<()> {
        let Self { query, hit, hsp, .. } = self;
        match column {
            Column::Qseqid | Column::Qacc | Column::Qaccver => match defline::id(query.defline) {
                b"" => write!(out, "Query_{}", query.number),
                id => out.write_all(id),
            },
            Column::Sseqid => out.write_all(SubjectNames::of(&hit.defline).seqid()),
            Column::Saccver => out.write_all(&SubjectNames::of(&hit.defline).accession_version()),
            Column::Sacc => out.write_all(&SubjectNames::of(&hit.defline).accession()),
            Column::Stitle => match SubjectNames::of(&hit.defline).title() {
                b"" => out.write_all(b"N/A"),
                title => out.write_all(title),
            },
            Column::Salltitles => out.write_all(&SubjectNames::of(&hit.defline).all_titles()),
            Column::Qlen => write!(out, "{}", query.residues.len()),
            Column::Slen => write!(out, "{}", hit.subject_length),
            Column::Qstart => write!(out, "{}", hsp.query.start + 1),
            Column::Qend => write!(out, "{}", hsp.query.end),
            Column::Sstart => write!(out, "{}", hsp.subject.start + 1),
            Column::Send => write!(out, "{}", hsp.subject.end),
            Column::Qseq => out.write_all(&self.columns().map(|(q, _)| q).collect::<Vec<_>>()),
            Column::Sseq => out.write_all(&self.columns().map(|(_, s)| s).collect::<Vec<_>>()),
            Column::Evalue => out.write_all(number::evalue(hsp.evalue).as_bytes()),
            Column::Bitscore => out.write_all(number::bit_score(hsp.bit_score).as_bytes()),
            Column::Score => write!(out, "{}", hsp.score),
            Column::Length => write!(out, "{}", hsp.alignment_length()),
            Column::Pident => write!(out, "{:.3}", percentage(hsp.identities, hsp)),
            Column::Nident => write!(out, "{}", hsp.identities),
            Column::Mismatch => write!(out, "{}", hsp.mismatches()),
            Column::Positive => write!(out, "{}", hsp.positives),
            Column::Gapopen => write!(out, "{}", hsp.gap_openings()),
            Column::Gaps => write!(out, "{}", hsp.gaps()),
            Column::Ppos => write!(out, "{:.2}", percentage(hsp.positives, hsp)),
            Column::Frames => out.write_all(b"1/1"),
            Column::Qframe | Column::Sframe => out.write_all(b"1"),
            Column::Btop => out.write_all(&self.btop()),
            Column::Qcovs => write!(out, "{}", self.coverage),
            Column::Qcovhsp => {
                let aligned = u64::from(hsp.query.end - hsp.query.start);
                write!(out, "{}", percent_of(aligned, query.residues.len()))
            }
        }
    }

    /// The letters of query and subject, column by column.
    fn columns(&self) -> impl Iterator<Item = (u8, u8)> {
        let range = self.hsp.query.start as usize..self.hsp.query.end as usize;
        let mut query = self.query.residues[range].iter().copied().map(decode);
        let mut subject = self.hsp.subject_residues.iter().copied().map(decode);
        let kinds = self.hsp.edits.iter().flat_map(|run| std::iter::repeat_n(run.edit, run.length as usize));
        kinds.map(move |edit| {
            let next = |gap: bool, side: &mut dyn Iterator<Item = u8>| {
                if gap { b'-' } else { side.next().unwrap_or(b'?') }
            };
            (next(edit == Edit::QueryGap, &mut query), next(edit == Edit::SubjectGap, &mut subject))
        })
    }

    /// BLAST trace-back operations: lengths of matches, and the two letters of other columns.
    fn btop(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut matches = 0u32;
        for (q, s) in self.columns() {
            if q == s {
                matches += 1;
                continue;
            }
            if matches > 0 {
                text.extend(matches.to_string().bytes());
                matches = 0;
            }
            text.extend([q, s]);
        }
        if matches > 0 {
            text.extend(matches.to_string().bytes());
        }
        text
    }
}

fn percentage(columns: u32, hsp: &Hsp) -> f64 {
    // In this order, which decides how ties are rounded.
    f64::from(columns) / f64::from(hsp.alignment_length()) * 100.0
}

/// Percentage of a query of `length` residues, rounded, but 100 only for all of it.
fn percent_of(residues: u64, length: usize) -> u64 {
    let length = length.max(1) as u64;
    if residues >= length { 100 } else { ((200 * residues + length) / (2 * length)).min(99) }
}

/// Percentage of the query that lies under at least one HSP of the subject.
fn percent_covered(hit: &Hit, query_length: usize) -> u64 {
    let mut ranges: Vec<_> = hit.hsps.iter().map(|hsp| (hsp.query.start, hsp.query.end)).collect();
    ranges.sort_unstable();
    let (mut covered, mut reached) = (0u64, 0);
    for (start, end) in ranges {
        let start = start.max(reached);
        covered += u64::from(end.saturating_sub(start));
        reached = reached.max(end);
    }
    percent_of(covered, query_length)
}
