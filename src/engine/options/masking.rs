//! Which parts of queries are masked, and which part is searched: the options and their texts.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::spelling::Spelled;
use crate::engine::seg::Seg;

/// How queries are masked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Masking {
    /// Masks stretches of low complexity (`-seg`).
    pub seg: Option<Seg>,
    /// Masks what is written in lower case (`-lcase_masking`).
    pub lower_case: bool,
    /// Masked residues start no alignment, but count in those that reach them (`-soft_masking`);
    /// otherwise they are compared as X.
    pub soft: bool,
}

impl fmt::Display for Masking {
    /// As reports have it (`core/blast_filter.c:BlastFilteringOptionsToString`): `F` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seg {
            Some(Seg::QUERY) => f.write_str("L;")?,
            Some(Seg { window, low, high }) => write!(f, "S {window} {low:.1} {high:.1};")?,
            None if !self.soft => f.write_str("F")?,
            None => {}
        }
        f.write_str(if self.soft { "m;" } else { "" })
    }
}

/// A text that is no value of an option of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a possible value")]
pub struct NotPossible;

/// What `-seg` may be: a filter or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegChoice(pub Option<Seg>);

impl FromStr for SegChoice {
    type Err = NotPossible;

    /// Reads `yes`, `no`, or window, low and high cut with blanks between.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_ascii_whitespace().collect::<Vec<_>>()[..] {
            ["no"] => Ok(Self(None)),
            ["yes"] => Ok(Self(Some(Seg::QUERY))),
            [window, low, high] => {
                let bits = |text: &str| f64::read(text).ok().filter(|bits| bits.is_finite());
                let window = window.parse().ok().filter(|window| (1..=i32::MAX as usize).contains(window));
                let (window, low) = window.zip(bits(low)).ok_or(NotPossible)?;
                Ok(Self(Some(Seg { window, low, high: bits(high).ok_or(NotPossible)? })))
            }
            _ => Err(NotPossible),
        }
    }
}

impl fmt::Display for SegChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("no"),
            Some(Seg::QUERY) => f.write_str("yes"),
            Some(Seg { window, low, high }) => write!(f, "{window} {low} {high}"),
        }
    }
}

/// An option that is on or off, in any of the spellings that blastp takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch(pub bool);

impl FromStr for Switch {
    type Err = NotPossible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => Ok(Self(true)),
            "false" | "f" | "no" | "n" | "0" => Ok(Self(false)),
            _ => Err(NotPossible),
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The part of every query that is searched (`-query_loc`); never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryLocation {
    start: u32,
    end: u32,
}

impl QueryLocation {
    /// The part of a query of `length` residues; empty if the query ends before it.
    pub fn within(self, length: usize) -> Range<usize> {
        (self.start as usize).min(length)..(self.end as usize).min(length)
    }

    /// Whether a query of `length` residues is left out because it ends before the part. Like blastp,
    /// keeps one that ends just there, with nothing to search.
    pub fn leaves_out(self, length: usize) -> bool {
        self.start as usize > length
    }

    /// Residues before the part.
    pub fn skipped(self) -> u32 {
        self.start
    }

    /// Residues of the part of a query that is long enough.
    pub fn length(self) -> u32 {
        self.end - self.start
    }
}

impl FromStr for QueryLocation {
    type Err = NotPossible;

    /// Reads `start-stop`, both from 1 and included. Like blastp, refuses a part of one residue.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (start, stop) = text.split_once('-').ok_or(NotPossible)?;
        let position = |text: &str| text.parse::<u32>().map_err(|_| NotPossible);
        let (start, end) = (position(start)?, position(stop)?);
        if start >= 1 && start < end { Ok(Self { start: start - 1, end }) } else { Err(NotPossible) }
    }
}

impl fmt::Display for QueryLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start + 1, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_named_as_blastp_names_them() {
        let seg = |text: &str| text.parse::<SegChoice>().expect("a filter").0;
        for (choice, soft, text) in [
            ("no", false, "F"),
            ("no", true, "m;"),
            ("yes", false, "L;"),
            ("yes", true, "L;m;"),
            ("12 2.2 2.5", false, "L;"),
            ("10 1.8 2.1", true, "S 10 1.8 2.1;m;"),
            ("12 100 -1", false, "S 12 100.0 -1.0;"),
        ] {
            let masking = Masking { seg: seg(choice), lower_case: soft, soft };
            assert_eq!(masking.to_string(), text);
        }
    }

    #[test]
    fn choices_read_back_and_nonsense_is_refused() {
        for text in ["no", "yes", "10 1.8 2.1"] {
            assert_eq!(text.parse::<SegChoice>().expect("a choice").to_string(), text);
        }
        for text in ["", "Yes", "10 1.8", "10.5 1.8 2.1", "0 1 2", "10 x 2", "10 NaN 2", "1 2 3 4"] {
            assert_eq!(text.parse::<SegChoice>(), Err(NotPossible), "{text}");
        }
        for (text, on) in [("true", true), ("T", true), ("yes", true), ("FALSE", false), ("0", false)] {
            assert_eq!(text.parse(), Ok(Switch(on)));
        }
        assert_eq!("on".parse::<Switch>(), Err(NotPossible));
        assert_eq!("10-25".parse::<QueryLocation>().expect("a location").to_string(), "10-25");
        let location: QueryLocation = "5-9".parse().expect("a location");
        assert_eq!([3, 4, 5].map(|length| location.leaves_out(length)), [true, false, false]);
        assert_eq!([4, 5, 9, 12].map(|length| location.within(length).len()), [0, 1, 5, 5]);
        for text in ["", "5", "5-", "-3", "5-2", "5-5", "0-5", "a-b", "1-2-3"] {
            assert_eq!(text.parse::<QueryLocation>(), Err(NotPossible), "{text}");
        }
    }
}
