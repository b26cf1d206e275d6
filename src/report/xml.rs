//! Format 5: XML of the document type `NCBI_BlastOutput`.

use std::fmt::Display;
use std::io::{self, Write};

use super::columns::{Columns, Mark, Plus};
use super::context::{PROGRAM, QueryText, REFERENCE, ReportContext, SubjectLabel};
use super::escape;
use super::number::{exact_evalue, general};
use super::query_hits::QueryHits;
use crate::engine::{DatabaseTotals, Hit, Hsp, SearchedQuery};
use crate::scoring::KarlinParameters;

/// Writes what comes before the first query, which is described in it.
pub(super) fn begin(
    out: &mut impl Write,
    context: &ReportContext,
    first: Option<QueryText<'_>>,
) -> io::Result<()> {
    out.write_all(
        b"<?xml version=\"1.0\"?>\n\
          <!DOCTYPE BlastOutput PUBLIC \"-//NCBI//NCBI BlastOutput/EN\" \
          \"http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd\">\n\
          <BlastOutput>\n",
    )?;
    element(out, 2, "BlastOutput_program", "blastp")?;
    element(out, 2, "BlastOutput_version", PROGRAM)?;
    element(out, 2, "BlastOutput_reference", REFERENCE)?;
    let database = &context.database;
    element(out, 2, "BlastOutput_db", if database.is_given { "" } else { &database.name })?;
    if let Some(query) = first {
        describe(out, context, "BlastOutput", query)?;
    }
    out.write_all(b"  <BlastOutput_param>\n    <Parameters>\n")?;
    element(out, 6, "Parameters_matrix", context.matrix.name())?;
    element(out, 6, "Parameters_expect", general(context.options.evalue, 15))?;
    element(out, 6, "Parameters_gap-open", context.gaps.open)?;
    element(out, 6, "Parameters_gap-extend", context.gaps.extend)?;
    element(out, 6, "Parameters_filter", context.options.masking)?;
    out.write_all(b"    </Parameters>\n  </BlastOutput_param>\n<BlastOutput_iterations>\n")
}

/// Writes what stands for one query.
pub(super) fn query(
    out: &mut impl Write,
    context: &ReportContext,
    query: QueryText<'_>,
    hits: &dyn QueryHits,
) -> io::Result<()> {
    out.write_all(b"<Iteration>\n")?;
    element(out, 2, "Iteration_iter-num", query.place)?;
    describe(out, context, "Iteration", query)?;
    out.write_all(b"<Iteration_hits>\n")?;
    let searched = context.searched(query);
    let mut number = 0;
    hits.visit_all(&mut |hit| {
        number += 1;
        write_hit(out, context, query, &searched, number, hit)
    })?;
    out.write_all(b"</Iteration_hits>\n  <Iteration_stat>\n    <Statistics>\n")?;
    let statistics = context.statistics(query);
    let space = statistics.map(|statistics| statistics.space).unwrap_or_default();
    let parameter = |of: fn(KarlinParameters) -> f64| {
        general(statistics.map_or(-1.0, |statistics| of(statistics.used)), 15)
    };
    let DatabaseTotals { sequences, residues } = context.database.totals;
    let (sequences, residues) = if context.database.is_given { (0, 0) } else { (sequences, residues) };
    element(out, 6, "Statistics_db-num", sequences)?;
    element(out, 6, "Statistics_db-len", residues)?;
    element(out, 6, "Statistics_hsp-len", space.length_adjustment)?;
    element(out, 6, "Statistics_eff-space", space.effective)?;
    element(out, 6, "Statistics_kappa", parameter(|karlin| karlin.k))?;
    element(out, 6, "Statistics_lambda", parameter(|karlin| karlin.lambda))?;
    element(out, 6, "Statistics_entropy", parameter(|karlin| karlin.h))?;
    out.write_all(b"    </Statistics>\n  </Iteration_stat>\n")?;
    if let Some(message) = query.message(context, statistics.is_some(), hits.hits() > 0) {
        element(out, 2, "Iteration_message", message)?;
    }
    out.write_all(b"</Iteration>\n")
}

/// Writes what comes after the last query.
pub(super) fn end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"</BlastOutput_iterations>\n</BlastOutput>\n\n")
}

/// Writes the three elements that describe a query.
fn describe(
    out: &mut impl Write,
    context: &ReportContext,
    parent: &str,
    query: QueryText<'_>,
) -> io::Result<()> {
    element(out, 2, &format!("{parent}_query-ID"), query.id())?;
    element(out, 2, &format!("{parent}_query-def"), title_or_none(&query.tidy_title()))?;
    element(out, 2, &format!("{parent}_query-len"), context.searched(query).shown.len())
}

fn write_hit(
    out: &mut impl Write,
    context: &ReportContext,
    query: QueryText<'_>,
    searched: &SearchedQuery<'_>,
    number: u64,
    hit: &Hit,
) -> io::Result<()> {
    let SubjectLabel { id, accession, title, .. } = SubjectLabel::of(hit, context);
    out.write_all(b"<Hit>\n")?;
    element(out, 2, "Hit_num", number)?;
    element(out, 2, "Hit_id", id)?;
    element(out, 2, "Hit_def", title_or_none(&title))?;
    element(out, 2, "Hit_accession", accession)?;
    element(out, 2, "Hit_len", hit.subject_length)?;
    out.write_all(b"  <Hit_hsps>\n")?;
    for (number, hsp) in (1u64..).zip(&hit.hsps) {
        write_hsp(out, context, query, searched, number, hsp)?;
    }
    out.write_all(b"  </Hit_hsps>\n</Hit>\n")
}

fn write_hsp(
    out: &mut impl Write,
    context: &ReportContext,
    query: QueryText<'_>,
    searched: &SearchedQuery<'_>,
    number: u64,
    hsp: &Hsp,
) -> io::Result<()> {
    let mut columns = Columns::new(query.sequence.residues, hsp, &context.matrix, Plus::LikeDisplay);
    columns.mark_masked(hsp.query.start, searched, Mark::XInside);
    out.write_all(b"    <Hsp>\n")?;
    element(out, 6, "Hsp_num", number)?;
    element(out, 6, "Hsp_bit-score", general(hsp.bit_score, 6))?;
    element(out, 6, "Hsp_score", hsp.score)?;
    element(out, 6, "Hsp_evalue", exact_evalue(hsp.evalue))?;
    element(out, 6, "Hsp_query-from", hsp.query.start + 1)?;
    element(out, 6, "Hsp_query-to", hsp.query.end)?;
    element(out, 6, "Hsp_hit-from", hsp.subject.start + 1)?;
    element(out, 6, "Hsp_hit-to", hsp.subject.end)?;
    element(out, 6, "Hsp_query-frame", 0)?;
    element(out, 6, "Hsp_hit-frame", 0)?;
    element(out, 6, "Hsp_identity", hsp.identities)?;
    element(out, 6, "Hsp_positive", columns.positives())?;
    element(out, 6, "Hsp_gaps", hsp.gaps())?;
    element(out, 6, "Hsp_align-len", hsp.alignment_length())?;
    element(out, 6, "Hsp_qseq", String::from_utf8_lossy(&columns.query))?;
    element(out, 6, "Hsp_hseq", String::from_utf8_lossy(&columns.subject))?;
    element(out, 6, "Hsp_midline", String::from_utf8_lossy(&columns.midline))?;
    out.write_all(b"    </Hsp>\n")
}

/// A title, or that there is none.
fn title_or_none(title: &str) -> &str {
    if title.is_empty() { "No definition line" } else { title }
}

/// Writes an element that holds only text, on a line of its own.
fn element(out: &mut impl Write, indent: usize, name: &str, text: impl Display) -> io::Result<()> {
    writeln!(out, "{:indent$}<{name}>{}</{name}>", "", escape::xml(&text.to_string()))
}
