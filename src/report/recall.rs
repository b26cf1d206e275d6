//! What share of one report's pairs another one has, by E-value.

use std::collections::HashMap;
use std::io::{self, BufRead};

use thiserror::Error;

/// Upper ends of the bands of E-values; behind the last is one more without an end.
const BANDS: [f64; 6] = [1e-30, 1e-10, 1e-3, 0.1, 1.0, 10.0];

/// What keeps a report from being compared.
#[derive(Debug, Error)]
pub enum RecallError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A line is no row of the usual columns.
    #[error(
        "line {line} is no row of formats 6 or 7 with the usual columns: there is no E-value in the eleventh column"
    )]
    NoRow {
        /// Number of the line, from 1.
        line: usize,
    },
}

/// The pairs of a query and a subject that a report has rows for, each with its best E-value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportedPairs(HashMap<Vec<u8>, f64>);

impl ReportedPairs {
    /// Reads a report in format 6 or 7 whose rows begin with the usual columns.
    ///
    /// # Errors
    /// If it cannot be read or has other rows.
    pub fn read(report: impl BufRead) -> Result<Self, RecallError> {
        let mut pairs = HashMap::new();
        for (number, line) in (1..).zip(report.split(b'\n')) {
            let line = line?;
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let mut fields = line.split(|&byte| byte == b'\t');
            let pair: Vec<&[u8]> = fields.by_ref().take(2).collect();
            let evalue = fields.nth(8).and_then(|field| std::str::from_utf8(field).ok()?.parse::<f64>().ok());
            let evalue = evalue.ok_or(RecallError::NoRow { line: number })?;
            let best = pairs.entry(pair.join(&b'\t')).or_insert(evalue);
            *best = best.min(evalue);
        }
        Ok(Self(pairs))
    }

    /// How many of these pairs, of each band of E-values, `other` has, too.
    pub fn found_in(&self, other: &Self) -> Recall {
        let mut bands: Vec<Band> = BANDS
            .into_iter()
            .chain([f64::INFINITY])
            .map(|up_to| Band { up_to, pairs: 0, found: 0 })
            .collect();
        for (pair, &evalue) in &self.0 {
            if let Some(band) = bands.iter_mut().find(|band| evalue <= band.up_to) {
                band.pairs += 1;
                band.found += u64::from(other.0.contains_key(pair));
            }
        }
        let further = other.0.keys().filter(|pair| !self.0.contains_key(*pair)).count() as u64;
        Recall { bands, further }
    }
}

/// How many pairs of a report another one has.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    /// By E-value, the best first; bands do not overlap.
    pub bands: Vec<Band>,
    /// Pairs of the other report that the first has not.
    pub further: u64,
}

/// Pairs with similar E-values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The largest E-value.
    pub up_to: f64,
    /// How many pairs there are.
    pub pairs: u64,
    /// How many of them were found.
    pub found: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(rows: &[(&str, &str, &str)]) -> ReportedPairs {
        let row = |(query, subject, evalue): &(&str, &str, &str)| {
            format!("{query}\t{subject}\t99.0\t10\t0\t0\t1\t10\t1\t10\t{evalue}\t55.5\n")
        };
        let text: String = rows.iter().map(row).collect();
        ReportedPairs::read(format!("# BLASTP\n{text}\n# BLAST processed 1 queries\n").as_bytes())
            .expect("rows")
    }

    #[test]
    fn pairs_are_counted_in_the_band_of_their_best_evalue() {
        let all = pairs(&[
            ("q", "a", "1e-40"),
            ("q", "b", "2e-4"),
            ("q", "b", "1e-31"),
            ("q", "c", "1e-3"),
            ("r", "a", "0.0"),
            ("r", "b", "50"),
        ]);
        let some = pairs(&[("q", "b", "2e-4"), ("r", "a", "0.0"), ("r", "x", "3"), ("q", "c", "9.9")]);
        let recall = all.found_in(&some);
        let counts: Vec<_> = recall.bands.iter().map(|band| (band.pairs, band.found)).collect();
        assert_eq!(counts, [(3, 2), (0, 0), (1, 1), (0, 0), (0, 0), (0, 0), (1, 0)]);
        assert_eq!(recall.further, 1);
    }

    #[test]
    fn what_is_no_row_is_named_by_its_line() {
        for text in ["# a comment\nq\ts\t5\n", "\n<?xml version=\"1.0\"?>\n"] {
            let error = ReportedPairs::read(text.as_bytes()).expect_err("no rows");
            assert!(error.to_string().starts_with("line 2 is no row"), "{error}");
        }
    }
}
