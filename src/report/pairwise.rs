//! Format 0: alignments for people to read (`objtools/align_format/showdefline.cpp`,
//! `showalign.cpp`, `algo/blast/format/blast_format.cpp`).

use std::io::{self, Write};

use jiff::Timestamp;

use super::columns::{Columns, Mark, Plus};
use super::context::{DatabasePart, DatabaseText, NO_HITS, PROGRAM, QueryText, ReportContext, described};
use super::descriptions;
use super::number::{bit_score, general, padded_general, short_evalue, with_commas};
use super::order::{ordered, shown_hsps};
use super::outfmt::PairwiseStyle;
use super::query_hits::QueryHits;
use super::wrap;
use crate::engine::{Adjustment, DatabaseTotals, Hit, Hsp, SearchedQuery};
use crate::sequence::defline;
use crate::sequence::names::SubjectNames;

/// The publications, broken into lines as blastp has them. It names the second one whatever the
/// mode of composition-based statistics.
const REFERENCES: &str = "\
Reference: Stephen F. Altschul, Thomas L. Madden, Alejandro A.
Schaffer, Jinghui Zhang, Zheng Zhang, Webb Miller, and David J.
Lipman (1997), \"Gapped BLAST and PSI-BLAST: a new generation of
protein database search programs\", Nucleic Acids Res. 25:3389-3402.


Reference for composition-based statistics: Alejandro A. Schaffer,
L. Aravind, Thomas L. Madden, Sergei Shavirin, John L. Spouge, Yuri
I. Wolf, Eugene V. Koonin, and Stephen F. Altschul (2001),
\"Improving the accuracy of PSI-BLAST protein database searches with
composition-based statistics and other refinements\", Nucleic Acids
Res. 29:2994-3005.
";

/// Writes what comes before the first query.
pub(super) fn begin(out: &mut impl Write, context: &ReportContext) -> io::Result<()> {
    write!(out, "{PROGRAM}\n\n\n{REFERENCES}\n\n\n")?;
    write_wrapped(out, "Database: ", context.database.title.as_bytes())?;
    let totals = context.database.totals;
    let (sequences, residues) = (with_commas(totals.sequences), with_commas(totals.residues));
    writeln!(out, "           {sequences} sequences; {residues} total letters\n")?;
    match context.is_partial() {
        Some(partial) => writeln!(out, "\n***** {partial} *****"),
        None => Ok(()),
    }
}

/// Writes what stands for one query.
pub(super) fn query(
    out: &mut impl Write,
    context: &ReportContext,
    style: &PairwiseStyle,
    query: QueryText<'_>,
    hits: &dyn QueryHits,
) -> io::Result<()> {
    out.write_all(b"\n\n")?;
    write_wrapped(out, "Query= ", defline::title(query.defline))?;
    writeln!(out, "\nLength={}", query.sequence.residues.len())?;
    let count = hits.hits();
    let remark = query.missing.remark(count > 0);
    if let Some(remark) = remark.or_else(|| (count == 0).then(|| NO_HITS.to_owned())) {
        writeln!(out, "\n\n***** {remark} *****")?;
    }
    if count > 0 {
        let limits = style.limits.unwrap_or_default();
        let ordered = ordered(hits, style)?;
        let hits = ordered.as_deref().unwrap_or(hits);
        let searched = context.searched(query);
        match style.hit_order {
            _ if limits.descriptions == 0 => {}
            None => descriptions::write(out, context, hits, limits.descriptions)?,
            Some(_) => {
                let length = query.sequence.residues.len();
                descriptions::write_sortable(out, context, hits, limits.descriptions, length)?;
            }
        }
        hits.visit_first(limits.alignments, &mut |hit| {
            write_subject(out, context, style, query, &searched, hit, &shown_hsps(hit, count, style))
        })?;
    }
    write_statistics(out, context, query)
}

/// Writes what comes after the last query.
pub(super) fn end(out: &mut impl Write, context: &ReportContext) -> io::Result<()> {
    out.write_all(b"\n")?;
    let DatabaseText { title, posted, totals, parts, .. } = &context.database;
    if parts.is_empty() {
        write_database(out, title, *posted, *totals)?;
    }
    for DatabasePart { title, posted, totals } in parts {
        write_database(out, title, *posted, *totals)?;
    }
    write!(out, "\n\n\nMatrix: {}\n", context.matrix.name())?;
    if !context.options.ungapped {
        writeln!(out, "Gap Penalties: Existence: {}, Extension: {}", context.gaps.open, context.gaps.extend)?;
    }
    writeln!(out, "Neighboring words threshold: {}", general(context.options.words.threshold, 6))?;
    match context.options.words.window {
        0 => Ok(()),
        window => writeln!(out, "Window for multiple hits: {window}"),
    }
}

/// Writes what the end of a report says of a database.
fn write_database(
    out: &mut impl Write,
    title: &str,
    posted: Option<Timestamp>,
    totals: DatabaseTotals,
) -> io::Result<()> {
    out.write_all(b"\n")?;
    write_wrapped(out, "  Database: ", title.as_bytes())?;
    let posted = posted
        .map_or_else(|| "Unknown".to_owned(), |time| time.strftime("%b %-d, %Y  %-I:%M %p").to_string());
    writeln!(out, "    Posted date:  {posted}")?;
    writeln!(out, "  Number of letters in database: {}", with_commas(totals.residues))?;
    writeln!(out, "  Number of sequences in database:  {}", with_commas(totals.sequences))
}

/// Writes a long text after its name; without a text the line stays open.
fn write_wrapped(out: &mut impl Write, name: &str, text: &[u8]) -> io::Result<()> {
    out.write_all(name.as_bytes())?;
    for line in wrap::lines(text) {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes a subject and its alignments.
fn write_subject(
    out: &mut impl Write,
    context: &ReportContext,
    style: &PairwiseStyle,
    query: QueryText<'_>,
    searched: &SearchedQuery<'_>,
    hit: &Hit,
    hsps: &[&Hsp],
) -> io::Result<()> {
    out.write_all(b"\n\n>")?;
    write_names(out, context, hit)?;
    writeln!(out, "Length={}", hit.subject_length)?;
    for (place, hsp) in hsps.iter().enumerate() {
        if place > 0 {
            out.write_all(b"\n")?;
        }
        write_summary(out, hsp)?;
        let mut columns = Columns::new(query.sequence.residues, hsp, &context.matrix, Plus::LikeSearch);
        columns.mark_masked(hsp.query.start, searched, Mark::LowerCase);
        write_alignment(out, hsp, &columns, style.line_length.get())?;
    }
    Ok(())
}

/// Writes all names of a subject, each on lines of its own.
fn write_names(out: &mut impl Write, context: &ReportContext, hit: &Hit) -> io::Result<()> {
    if context.database.is_given {
        out.write_all(b" ")?;
        return write_lines(out, &described(hit, context));
    }
    let names = SubjectNames::of(&hit.defline);
    for (place, name) in names.names().iter().enumerate() {
        if place > 0 {
            out.write_all(b" ")?;
        }
        // Only what follows the identifier is measured.
        if names.is_parted() {
            out.write_all(&names.heading_of(name))?;
            out.write_all(b" ")?;
        }
        write_lines(out, &String::from_utf8_lossy(&names.title_of(name)))?;
    }
    Ok(())
}

fn write_lines(out: &mut impl Write, title: &str) -> io::Result<()> {
    for line in wrap::subject_lines(title.as_bytes()) {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes the scores of an alignment and how alike its rows are.
fn write_summary(out: &mut impl Write, hsp: &Hsp) -> io::Result<()> {
    let (bits, evalue) = (bit_score(hsp.bit_score), short_evalue(hsp.evalue));
    let method = method(hsp.adjustment);
    let of_method = if method.is_empty() { "" } else { ", Method: " };
    writeln!(out, "\n Score = {bits} bits ({}),  Expect = {evalue}{of_method}{method}", hsp.score)?;
    let length = hsp.alignment_length();
    let share = |count: u32| format!("{count}/{length} ({}%)", percentage(count, length));
    let (identities, positives) = (share(hsp.identities), share(hsp.positives));
    writeln!(out, " Identities = {identities}, Positives = {positives}, Gaps = {}", share(hsp.gaps()))
}

/// How scores were adjusted to the composition, in blastp's words.
pub(super) fn method(adjustment: Adjustment) -> &'static str {
    match adjustment {
        Adjustment::None => "",
        Adjustment::Scaled => "Composition-based stats.",
        Adjustment::Optimised => "Compositional matrix adjust.",
    }
}

/// Rounded, but 100 only for all.
pub(super) fn percentage(count: u32, of: u32) -> u32 {
    let rounded = (0.5 + 100.0 * f64::from(count) / f64::from(of)) as u32;
    if count == of { 100 } else { rounded.min(99) }
}

/// Writes the rows of an alignment, a block of columns at a time.
fn write_alignment(out: &mut impl Write, hsp: &Hsp, columns: &Columns, line_length: usize) -> io::Result<()> {
    // blastp measures the last position counted from 0.
    let width = (hsp.query.end.max(hsp.subject.end) - 1).to_string().len();
    let (mut query, mut subject) = (hsp.query.start, hsp.subject.start);
    for start in (0..columns.query.len()).step_by(line_length) {
        let block = start..start.saturating_add(line_length).min(columns.query.len());
        out.write_all(b"\n")?;
        write_row(out, "Query", &mut query, &columns.query[block.clone()], width)?;
        write!(out, "{:1$}", "", "Query".len() + 2 + width + 2)?;
        out.write_all(&columns.midline[block.clone()])?;
        out.write_all(b"\n")?;
        write_row(out, "Sbjct", &mut subject, &columns.subject[block], width)?;
    }
    Ok(())
}

/// Writes one row of a block and moves `before`, the number of residues before it, to its end. A
/// row of gaps has no numbers, nor has one of the first residue alone.
fn write_row(
    out: &mut impl Write,
    name: &str,
    before: &mut u32,
    letters: &[u8],
    width: usize,
) -> io::Result<()> {
    let residues = letters.iter().filter(|letter| **letter != b'-').count() as u32;
    let (first, last) = match (*before, residues) {
        (_, 0) | (0, 1) => (String::new(), String::new()),
        _ => ((*before + 1).to_string(), (*before + residues).to_string()),
    };
    *before += residues;
    // A number that is wider than the column takes from the gap behind it.
    write!(out, "{name}  {first:0$}", width + 2)?;
    out.write_all(letters)?;
    writeln!(out, "  {last}")
}

/// Writes the statistical parameters of a query.
fn write_statistics(out: &mut impl Write, context: &ReportContext, query: QueryText<'_>) -> io::Result<()> {
    let Some(statistics) = context.statistics(query) else {
        return out.write_all(b"\n\n\n\n\nEffective search space used: 0\n");
    };
    let row = |values: &[f64]| -> String {
        values.iter().map(|value| format!("{:>8} ", padded_general(*value, 3))).collect()
    };
    // Only the correction for the ends of sequences needs more than λ, K and H.
    let finite_size = !context.options.ungapped && context.options.search_space.is_none();
    let shown = if finite_size { 6 } else { 3 };
    let header = |columns: usize| {
        let columns = columns.min(shown);
        ["Lambda  ", "    K   ", "     H   ", "     a   ", "      alpha", "    sigma"][..columns].concat()
    };
    let (own, ungapped, gapped) = (statistics.ungapped, &context.ungapped, &context.gapped);
    let values = [own.lambda, own.k, own.h, ungapped.a, ungapped.alpha];
    writeln!(out, "\n\n\n{}", header(5).trim_end())?;
    writeln!(out, "{}", row(&values[..shown.min(5)]))?;
    if context.options.ungapped {
        out.write_all(b"\n")?;
    } else {
        let karlin = gapped.karlin;
        let values = [karlin.lambda, karlin.k, karlin.h, gapped.a, gapped.alpha, gapped.sigma];
        writeln!(out, "\nGapped\n{}", header(6).trim_end())?;
        writeln!(out, "{}", row(&values[..shown]))?;
    }
    writeln!(out, "\nEffective search space used: {}", statistics.space.effective)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_columns_are_one_hundred_percent() {
        assert_eq!(percentage(999, 1_000), 99);
        assert_eq!(percentage(1_000, 1_000), 100);
        assert_eq!(percentage(1, 2), 50);
        assert_eq!(percentage(1, 200), 1);
    }
}
