//! Tabular reports, formats 6, 7 and 10 of BLAST+ (`objtools/align_format/tabular.cpp`).

use std::borrow::Cow;
use std::io::{self, Write};

use super::column::Column;
use super::columns::pairs;
use super::context::{PROGRAM, QueryText, ReportContext, given_id, given_number};
use super::coverage::{covered, percent_of};
use super::number;
use super::outfmt::{Table, TableStyle};
use super::query_hits::QueryHits;
use super::taxa::SubjectTaxa;
use crate::engine::{Hit, Hsp, Mode};
use crate::sequence::alphabet::decode;
use crate::sequence::defline;
use crate::sequence::names::SubjectNames;
use crate::taxonomy::Taxonomy;

/// Writes a tabular report, query by query.
#[derive(Debug)]
pub(super) struct TabularWriter<'a> {
    table: &'a Table,
    context: &'a ReportContext,
}

impl<'a> TabularWriter<'a> {
    /// A writer of `table`.
    pub(super) fn new(table: &'a Table, context: &'a ReportContext) -> Self {
        Self { table, context }
    }

    /// Writes what stands for one query: its rows and, in format 7, the comments before them.
    pub(super) fn write_query(
        &self,
        out: &mut impl Write,
        query: QueryText<'_>,
        hits: &dyn QueryHits,
    ) -> io::Result<()> {
        if self.table.style == TableStyle::Commented {
            self.write_comments(out, query, hits.hsps())?;
        }
        each_row((self.context, &self.table.columns), query, hits, |row| {
            for (place, &column) in self.table.columns.iter().enumerate() {
                if place > 0 {
                    out.write_all(self.table.delimiter().as_bytes())?;
                }
                row.write(out, column)?;
            }
            out.write_all(b"\n")
        })
    }

    /// Writes the last line of a report on `queries` queries; nothing without comment lines.
    pub(super) fn write_end(&self, out: &mut impl Write, queries: u64) -> io::Result<()> {
        match self.table.style {
            TableStyle::Commented => writeln!(out, "# BLAST processed {queries} queries"),
            TableStyle::Rows | TableStyle::Commas => Ok(()),
        }
    }

    fn write_comments(&self, out: &mut impl Write, query: QueryText<'_>, rows: usize) -> io::Result<()> {
        writeln!(out, "# {PROGRAM}")?;
        out.write_all(b"# Query: ")?;
        out.write_all(defline::title(query.defline))?;
        writeln!(out, "\n# Database: {}", self.context.database.name)?;
        if self.context.options.mode != Mode::Exact {
            writeln!(out, "# Mode: {}", self.context.options.mode)?;
        }
        if let Some(partial) = self.context.is_partial() {
            writeln!(out, "# {partial}")?;
        }
        if let Some(remark) = query.missing.remark(rows > 0) {
            writeln!(out, "# {remark}")?;
        }
        if query.missing.is_all() {
            return Ok(());
        }
        if rows > 0 {
            let titles: Vec<_> = self.table.columns.iter().map(|column| column.title()).collect();
            writeln!(out, "# Fields: {}", titles.join(", "))?;
        }
        writeln!(out, "# {rows} hits found")
    }
}

/// Shows `show` a row per HSP of a query, in a table with these columns.
pub(super) fn each_row(
    (context, shown): (&ReportContext, &[Column]),
    query: QueryText<'_>,
    hits: &dyn QueryHits,
    mut show: impl FnMut(&Row<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let length = query.sequence.residues.len();
    // blastp takes the length of a part of the query from what was asked for, even if the query
    // ends before that, but not where it measures single HSPs.
    let stated = context.options.query_location.map_or(length, |part| part.length() as usize);
    let searched = context.options.searched_range(length).len();
    hits.visit_all(&mut |hit| {
        let coverage = percent_of(covered(hit), stated);
        for hsp in &hit.hsps {
            show(&Row {
                query,
                lengths: Lengths { stated, searched },
                hit,
                hsp,
                coverage,
                is_given: context.database.is_given,
                taxonomy: context.taxonomy(),
                shown,
            })?;
        }
        Ok(())
    })
}

/// Lengths of a query, in residues.
#[derive(Clone, Copy)]
struct Lengths {
    /// What the report states.
    stated: usize,
    /// What was searched.
    searched: usize,
}

/// What names the query in a row (`qaccver`): the first word of its definition line, or its number.
pub(super) fn query_accession(query: QueryText<'_>) -> Cow<'_, [u8]> {
    match defline::id(query.defline) {
        b"" => format!("Query_{}", query.number).into_bytes().into(),
        id => id.into(),
    }
}

/// What names the subject in a row (`saccver`), which may have been given with the queries.
pub(super) fn subject_accession(hit: &Hit, is_given: bool) -> Cow<'_, [u8]> {
    if is_given {
        return given_id(&hit.defline).into();
    }
    let names = SubjectNames::of(&hit.defline);
    if is_nameless(&names) {
        return format!("BL_ORD_ID:{}", hit.ordinal()).into_bytes().into();
    }
    names.accession_version().into_owned().into()
}

/// Whether nothing is left of the title of a subject once it is tidied, so that it has no id; it then goes by
/// its ordinal.
fn is_nameless(names: &SubjectNames<'_>) -> bool {
    !names.is_parted() && names.seqid().is_empty()
}

/// What a table says of an HSP.
pub(super) struct Row<'a> {
    query: QueryText<'a>,
    lengths: Lengths,
    hit: &'a Hit,
    hsp: &'a Hsp,
    coverage: u64,
    /// Whether the subject was given with the queries.
    is_given: bool,
    taxonomy: Option<&'a Taxonomy>,
    /// All columns of the table.
    shown: &'a [Column],
}

impl Row<'_> {
    /// The number in a column, as exactly as it is known; `None` unless the column has such.
    pub(super) fn measure(&self, column: Column) -> Option<f64> {
        let hsp = self.hsp;
        match column {
            Column::Evalue => Some(hsp.evalue),
            Column::Bitscore => Some(hsp.bit_score),
            Column::Pident => Some(percentage(hsp.identities, hsp)),
            Column::Ppos => Some(percentage(hsp.positives, hsp)),
            _ => None,
        }
    }

    /// Writes what stands in a column.
    pub(super) fn write(&self, out: &mut impl Write, column: Column) -> io::Result<()> {
        let Self { query, hit, hsp, .. } = self;
        match column {
            Column::Qseqid | Column::Qacc | Column::Qaccver => out.write_all(&query_accession(*query)),
            Column::Sallseqid | Column::Sallacc if self.is_given && defline::id(&hit.defline).is_empty() => {
                out.write_all(given_number(hit.ordinal()).as_bytes())
            }
            Column::Sseqid | Column::Sallseqid | Column::Saccver | Column::Sacc | Column::Sallacc
                if self.is_given =>
            {
                out.write_all(given_id(&hit.defline))
            }
            Column::Stitle | Column::Salltitles | Column::Staxids if self.is_given => out.write_all(b"N/A"),
            Column::Sseqid => self.write_subject(out, "gnl|BL_ORD_ID|", |names| names.seqid().to_vec()),
            Column::Sallseqid => self.write_subject(out, "gnl|BL_ORD_ID|", |names| names.all_seqids()),
            Column::Saccver => out.write_all(&subject_accession(hit, false)),
            Column::Sacc => self.write_subject(out, "BL_ORD_ID:", |names| names.accession().to_vec()),
            Column::Sallacc => self.write_subject(out, "BL_ORD_ID:", |names| names.all_accessions()),
            Column::Sgi => out.write_all(SubjectNames::of(&hit.defline).gi()),
            Column::Sallgi => out.write_all(&SubjectNames::of(&hit.defline).all_gis()),
            Column::Qgi => out.write_all(b"0"),
            Column::Staxid
            | Column::Staxids
            | Column::Ssciname
            | Column::Scomname
            | Column::Sblastname
            | Column::Sskingdom
            | Column::Sscinames
            | Column::Scomnames
            | Column::Sblastnames
            | Column::Sskingdoms => {
                let names = SubjectNames::of(&hit.defline);
                let taxa = SubjectTaxa::new(&names, self.taxonomy, self.shown);
                out.write_all(taxa.text(column).unwrap_or_default().as_bytes())
            }
            Column::Sstrand | Column::Qcovus => out.write_all(b"N/A"),
            Column::Stitle => match SubjectNames::of(&hit.defline).title() {
                b"" => out.write_all(b"N/A"),
                title => out.write_all(title),
            },
            Column::Salltitles => out.write_all(&SubjectNames::of(&hit.defline).all_titles()),
            Column::Qlen => write!(out, "{}", self.lengths.stated),
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
                write!(out, "{}", percent_of(aligned, self.lengths.searched))
            }
        }
    }

    /// Writes what names the subject; `prefix` and its ordinal if its title does not start with an id.
    fn write_subject(
        &self,
        out: &mut impl Write,
        prefix: &str,
        name: impl Fn(&SubjectNames<'_>) -> Vec<u8>,
    ) -> io::Result<()> {
        let names = SubjectNames::of(&self.hit.defline);
        if is_nameless(&names) {
            write!(out, "{prefix}{}", self.hit.ordinal())
        } else {
            out.write_all(&name(&names))
        }
    }

    /// The letters of query and subject, column by column.
    fn columns(&self) -> impl Iterator<Item = (u8, u8)> {
        let letter = |residue: Option<u8>| residue.map_or(b'-', decode);
        pairs(self.query.sequence.residues, self.hsp)
            .map(move |(query, subject)| (letter(query), letter(subject)))
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
