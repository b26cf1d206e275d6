//! Format 0: alignments for people to read (`objtools/align_format/showdefline.cpp`,
//! `showalign.cpp`, `algo/blast/format/blast_format.cpp`).

use std::io::{self, Write};

use super::columns::{Columns, Mark, Plus};
use super::context::{PROGRAM, QueryText, ReportContext, UNNAMED, subject_title};
use super::number::{bit_score, padded_general, short_evalue, with_commas};
use super::outfmt::PairwiseLimits;
use super::title::tidy;
use super::wrap;
use crate::engine::{Adjustment, Hit, Hsp, SearchedQuery};
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

/// Width of the text of a description.
const DESCRIPTION_WIDTH: usize = 68;
/// Columns of an alignment per line.
const BLOCK: usize = 60;

/// Writes what comes before the first query.
pub(super) fn begin(out: &mut impl Write, context: &ReportContext) -> io::Result<()> {
    write!(out, "{PROGRAM}\n\n\n{REFERENCES}\n\n\n")?;
    write_wrapped(out, "Database: ", context.database.title.as_bytes())?;
    let totals = context.database.totals;
    let (sequences, residues) = (with_commas(totals.sequences), with_commas(totals.residues));
    writeln!(out, "           {sequences} sequences; {residues} total letters\n")
}

/// Writes what stands for one query.
pub(super) fn query(
    out: &mut impl Write,
    context: &ReportContext,
    limits: PairwiseLimits,
    query: QueryText<'_>,
    hits: &[Hit],
) -> io::Result<()> {
    out.write_all(b"\n\n")?;
    write_wrapped(out, "Query= ", defline::title(query.defline))?;
    writeln!(out, "\nLength={}", query.sequence.residues.len())?;
    if hits.is_empty() {
        out.write_all(b"\n\n***** No hits found *****\n")?;
    } else {
        if limits.descriptions > 0 {
            write_descriptions(out, &hits[..limits.descriptions.min(hits.len())])?;
        }
        let searched = context.searched(query);
        for hit in hits.iter().take(limits.alignments) {
            write_subject(out, context, query, &searched, hit)?;
        }
    }
    write_statistics(out, context, query)
}

/// Writes what comes after the last query.
pub(super) fn end(out: &mut impl Write, context: &ReportContext) -> io::Result<()> {
    out.write_all(b"\n\n")?;
    write_wrapped(out, "  Database: ", context.database.title.as_bytes())?;
    let posted = context
        .database
        .posted
        .map_or_else(|| "Unknown".to_owned(), |time| time.strftime("%b %-d, %Y  %-I:%M %p").to_string());
    writeln!(out, "    Posted date:  {posted}")?;
    let totals = context.database.totals;
    writeln!(out, "  Number of letters in database: {}", with_commas(totals.residues))?;
    writeln!(out, "  Number of sequences in database:  {}", with_commas(totals.sequences))?;
    write!(out, "\n\n\nMatrix: {}\n", context.matrix.name())?;
    if !context.options.ungapped {
        writeln!(out, "Gap Penalties: Existence: {}, Extension: {}", context.gaps.open, context.gaps.extend)?;
    }
    writeln!(out, "Neighboring words threshold: {}", context.options.words.threshold as i32)?;
    writeln!(out, "Window for multiple hits: {}", context.options.words.window)
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

/// Writes one line per subject, with its best bit score and E-value.
fn write_descriptions(out: &mut impl Write, hits: &[Hit]) -> io::Result<()> {
    let rows: Vec<[String; 3]> = hits
        .iter()
        .filter_map(|hit| {
            let best = hit.hsps.first()?;
            Some([description(&hit.defline), bit_score(best.bit_score), short_evalue(best.evalue)])
        })
        .collect();
    let widest = |column: usize, name: &str| {
        rows.iter().map(|row| row[column].len()).chain([name.len()]).max().unwrap_or(0)
    };
    let (bits, evalue) = (widest(1, "(Bits)"), widest(2, "Value"));
    let text = DESCRIPTION_WIDTH;
    writeln!(out, "{:text$}  {:bits$}    E", "", "Score")?;
    writeln!(out, "{:text$} {:bits$}  Value\n", "Sequences producing significant alignments:", "(Bits)")?;
    for row in &rows {
        writeln!(out, "{:text$}  {:bits$}  {:evalue$}", row[0], row[1], row[2])?;
    }
    Ok(())
}

/// A definition line, cut to the width of a description.
fn description(defline: &[u8]) -> String {
    let title = subject_title(defline);
    if title.is_empty() {
        return UNNAMED.to_owned();
    }
    let title = tidy(&title);
    if title.chars().count() <= DESCRIPTION_WIDTH {
        title
    } else {
        title.chars().take(DESCRIPTION_WIDTH - 3).chain("...".chars()).collect()
    }
}

/// Writes a subject and its alignments.
fn write_subject(
    out: &mut impl Write,
    context: &ReportContext,
    query: QueryText<'_>,
    searched: &SearchedQuery<'_>,
    hit: &Hit,
) -> io::Result<()> {
    let names = SubjectNames::of(&hit.defline);
    let mut title = subject_title(&hit.defline);
    out.write_all(b"\n\n>")?;
    if names.is_parted() {
        // Only what follows the identifier is measured.
        out.write_all(&names.accession_version())?;
        title = String::from_utf8_lossy(names.title()).into_owned();
    } else if title.is_empty() {
        title = UNNAMED.to_owned();
    }
    if names.is_parted() || context.database.is_given {
        out.write_all(b" ")?;
    }
    for line in wrap::subject_lines(title.as_bytes()) {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    writeln!(out, "Length={}", hit.subject_length)?;
    for (place, hsp) in hit.hsps.iter().enumerate() {
        if place > 0 {
            out.write_all(b"\n")?;
        }
        write_summary(out, hsp)?;
        let mut columns = Columns::new(query.sequence.residues, hsp, &context.matrix, Plus::LikeSearch);
        columns.mark_masked(hsp.query.start, searched, Mark::LowerCase);
        write_alignment(out, hsp, &columns)?;
    }
    Ok(())
}

/// Writes the scores of an alignment and how alike its rows are.
fn write_summary(out: &mut impl Write, hsp: &Hsp) -> io::Result<()> {
    let (bits, evalue) = (bit_score(hsp.bit_score), short_evalue(hsp.evalue));
    let method = match hsp.adjustment {
        Adjustment::None => "",
        Adjustment::Scaled => ", Method: Composition-based stats.",
        Adjustment::Optimised => ", Method: Compositional matrix adjust.",
    };
    writeln!(out, "\n Score = {bits} bits ({}),  Expect = {evalue}{method}", hsp.score)?;
    let length = hsp.alignment_length();
    let share = |count: u32| format!("{count}/{length} ({}%)", percentage(count, length));
    let (identities, positives) = (share(hsp.identities), share(hsp.positives));
    writeln!(out, " Identities = {identities}, Positives = {positives}, Gaps = {}", share(hsp.gaps()))
}

/// Rounded, but 100 only for all.
fn percentage(count: u32, of: u32) -> u32 {
    let rounded = (0.5 + 100.0 * f64::from(count) / f64::from(of)) as u32;
    if count == of { 100 } else { rounded.min(99) }
}

/// Writes the rows of an alignment, a block of columns at a time.
fn write_alignment(out: &mut impl Write, hsp: &Hsp, columns: &Columns) -> io::Result<()> {
    // blastp measures the last position counted from 0.
    let width = (hsp.query.end.max(hsp.subject.end) - 1).to_string().len();
    let (mut query, mut subject) = (hsp.query.start, hsp.subject.start);
    for start in (0..columns.query.len()).step_by(BLOCK) {
        let block = start..(start + BLOCK).min(columns.query.len());
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
/// row of gaps has no numbers.
fn write_row(
    out: &mut impl Write,
    name: &str,
    before: &mut u32,
    letters: &[u8],
    width: usize,
) -> io::Result<()> {
    let residues = letters.iter().filter(|letter| **letter != b'-').count() as u32;
    let (first, last) = match residues {
        0 => (String::new(), String::new()),
        _ => ((*before + 1).to_string(), (*before + residues).to_string()),
    };
    *before += residues;
    write!(out, "{name}  {first:width$}  ")?;
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

    #[test]
    fn long_descriptions_are_cut_and_empty_ones_named() {
        assert_eq!(description(&[b'x'; 68]).len(), 68);
        assert!(description(&[b'x'; 69]).ends_with("xx..."));
        assert_eq!(description(&[b'x'; 69]).len(), 68);
        assert_eq!(description("é".repeat(69).as_bytes()).chars().count(), 68);
        assert_eq!(description(b""), "unnamed protein product");
    }
}
