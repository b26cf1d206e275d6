//! The list of subjects of a pairwise report, a line each (`objtools/align_format/showdefline.cpp`).

use std::io::{self, Write};

use super::context::{ReportContext, described};
use super::coverage::covered;
use super::number::{bit_score, short_evalue};
use super::order::total_bits;
use super::pairwise::percentage;
use super::query_hits::QueryHits;
use crate::engine::Hit;

/// Width of the text of a description.
const WIDTH: usize = 68;
/// Names of the columns in two lines; the upper ones stand one column to the right.
const TITLE: &str = "Sequences producing significant alignments:";

/// Writes one line per subject, up to `count`, with its best bit score and E-value.
pub(super) fn write(
    out: &mut impl Write,
    context: &ReportContext,
    hits: &dyn QueryHits,
    count: usize,
) -> io::Result<()> {
    let best = |hit: &Hit| {
        let best = hit.hsps.first()?;
        Some([bit_score(best.bit_score), short_evalue(best.evalue)])
    };
    let (mut bits, mut evalue) = (Width::of("(Bits)"), Width::of("Value"));
    hits.visit_first(count, &mut |hit| {
        if let Some([score, value]) = best(hit) {
            bits.fit(&score);
            evalue.fit(&value);
        }
        Ok(())
    })?;
    let (Width(bits), Width(evalue)) = (bits, evalue);
    writeln!(out, "{:WIDTH$}  {:bits$}    E", "", "Score")?;
    writeln!(out, "{TITLE:WIDTH$} {:bits$}  Value\n", "(Bits)")?;
    hits.visit_first(count, &mut |hit| {
        let Some([score, value]) = best(hit) else { return Ok(()) };
        let text = description(&described(hit, context));
        writeln!(out, "{text}  {score:bits$}  {value:evalue$}")
    })
}

/// Writes one line per subject, up to `count`, with what subjects can be sorted by; the whole query has
/// `length` residues.
pub(super) fn write_sortable(
    out: &mut impl Write,
    context: &ReportContext,
    hits: &dyn QueryHits,
    count: usize,
    length: usize,
) -> io::Result<()> {
    let best = |hit: &Hit| {
        let bits = hit.hsps.iter().map(|hsp| hsp.bit_score).fold(0.0, f64::max);
        let evalue = hit.hsps.iter().map(|hsp| hsp.evalue).fold(f64::INFINITY, f64::min);
        [bit_score(bits), short_evalue(evalue)]
    };
    let (mut bits, mut evalue) = (Width::of("(Bits)"), Width::of("Value"));
    hits.visit_first(count, &mut |hit| {
        let [score, value] = best(hit);
        bits.fit(&score);
        evalue.fit(&value);
        Ok(())
    })?;
    let (Width(bits), Width(evalue)) = (bits, evalue);
    writeln!(out, "{:WIDTH$}  {:bits$}  Total  Query  {:evalue$}   Max", "", "Score", "  E")?;
    writeln!(out, "{TITLE:WIDTH$} {:bits$}   Score  cover   {:evalue$}  Ident\n", "(Bits)", "Value")?;
    hits.visit_first(count, &mut |hit| {
        let [score, value] = best(hit);
        let (text, total) = (description(&described(hit, context)), bit_score(total_bits(hit)));
        let cover = format!("{}%", 100 * covered(hit) / length.max(1) as u64);
        let identity = format!("{}%", identity_of_best(hit));
        writeln!(out, "{text}  {score:bits$}   {total:5}  {cover:5}  {value:evalue$}  {identity:10}")
    })
}

/// Width of a column: that of its name, or of the widest text in it.
struct Width(usize);

impl Width {
    fn of(name: &str) -> Self {
        Self(name.len())
    }

    fn fit(&mut self, text: &str) {
        self.0 = self.0.max(text.len());
    }
}

/// The percentage of identical columns in the HSP with the best score, although the column is called
/// "Max Ident".
fn identity_of_best(hit: &Hit) -> u32 {
    hit.hsps.first().map_or(0, |hsp| percentage(hsp.identities, hsp.alignment_length()))
}

/// A text, cut or filled up to the width of a description.
fn description(title: &str) -> String {
    match title.len() {
        // blastp measures bytes.
        length @ ..=WIDTH => format!("{title}{:1$}", "", WIDTH - length),
        _ => {
            let whole = (0..=WIDTH - 3).rev().find(|end| title.is_char_boundary(*end));
            let cut = &title[..whole.unwrap_or(0)];
            format!("{cut}...{:1$}", "", WIDTH - 3 - cut.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_descriptions_are_cut_and_short_ones_filled_up() {
        assert_eq!(description(&"x".repeat(68)).len(), 68);
        assert!(description(&"x".repeat(69)).ends_with("xx..."));
        assert_eq!(description(&"x".repeat(69)).len(), 68);
        assert_eq!(description(&"é".repeat(69)), format!("{}... ", "é".repeat(32)));
        assert_eq!(description("é").len(), 68);
    }
}
