//! How blastp's command line spells the values of options (`corelib/ncbiargs.cpp`,
//! `corelib/ncbistr.cpp`).
//!
//! A whole number is decimal with a sign or without, or hexadecimal after `0x`. A real number is what
//! C's `strtod` reads, as in `0x1p-3`, and may end with an `e` that no exponent follows. Neither has
//! blanks around it or commas in it. A number of things is an `int`.

use std::num::NonZeroUsize;
use std::str::FromStr;

use super::choices::Task;
use super::masking::{NotPossible, QueryLocation, SegChoice, Switch};
use super::mode::Mode;
use super::search_options::CompositionMode;
use crate::scoring::MatrixName;

/// A value of an option, read from a text as blastp reads it.
pub trait Spelled: Sized {
    /// What a text has to be.
    const EXPECTED: &str;

    /// The value that `text` spells.
    ///
    /// # Errors
    /// If it spells none.
    fn read(text: &str) -> Result<Self, NotPossible>;
}

/// The value that `text` spells, for parsers of command lines.
///
/// # Errors
/// What is expected instead, if it spells none.
pub fn spelled<T: Spelled>(text: &str) -> Result<T, String> {
    T::read(text).map_err(|NotPossible| format!("expected {}", T::EXPECTED))
}

impl Spelled for i64 {
    const EXPECTED: &str = "a whole number";

    fn read(text: &str) -> Result<Self, NotPossible> {
        let digits = match text.as_bytes() {
            [b'0', b'x' | b'X', ..] => Some(&text[2..]),
            _ => None,
        };
        match digits {
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                Self::from_str_radix(digits, 16).map_err(|_| NotPossible)
            }
            Some(_) => Err(NotPossible),
            None => text.parse().map_err(|_| NotPossible),
        }
    }
}

impl Spelled for i32 {
    const EXPECTED: &str = "a whole number";

    fn read(text: &str) -> Result<Self, NotPossible> {
        i64::read(text)?.try_into().map_err(|_| NotPossible)
    }
}

impl Spelled for u64 {
    const EXPECTED: &str = "a whole number, 0 or more";

    fn read(text: &str) -> Result<Self, NotPossible> {
        i64::read(text)?.try_into().map_err(|_| NotPossible)
    }
}

impl Spelled for u32 {
    const EXPECTED: &str = "a whole number from 0 to 2147483647";

    fn read(text: &str) -> Result<Self, NotPossible> {
        i32::read(text)?.try_into().map_err(|_| NotPossible)
    }
}

impl Spelled for usize {
    const EXPECTED: &str = "a whole number from 0 to 2147483647";

    fn read(text: &str) -> Result<Self, NotPossible> {
        i32::read(text)?.try_into().map_err(|_| NotPossible)
    }
}

impl Spelled for NonZeroUsize {
    const EXPECTED: &str = "a whole number from 1 to 2147483647";

    fn read(text: &str) -> Result<Self, NotPossible> {
        Self::new(usize::read(text)?).ok_or(NotPossible)
    }
}

impl Spelled for f64 {
    const EXPECTED: &str = "a number";

    /// May be infinite: `1e999` is more than any other number.
    fn read(text: &str) -> Result<Self, NotPossible> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return Err(NotPossible);
        }
        if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
            let size = hexadecimal(digits)?;
            return Ok(if text.starts_with('-') { -size } else { size });
        }
        let number = text.strip_suffix(['e', 'E']).unwrap_or(text);
        number.parse().map_err(|_| NotPossible)
    }
}

/// A hexadecimal real number without sign and `0x`: digits with a point or without, and a power of two
/// after `p`.
fn hexadecimal(text: &str) -> Result<f64, NotPossible> {
    let (digits, power) = match text.split_once(['p', 'P']) {
        Some((digits, power)) => (digits, power.parse().map_err(|_| NotPossible)?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(NotPossible);
    }
    let mut size = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        size = size * 16.0 + f64::from(digit.to_digit(16).ok_or(NotPossible)?);
    }
    let power: i32 = power;
    Ok(size * f64::powi(2.0, power.saturating_sub(4 * fraction.len() as i32)))
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Spelled for $type {
            const EXPECTED: &str = "one of its names";

            fn read(text: &str) -> Result<Self, NotPossible> {
                Self::from_str(text).map_err(|_| NotPossible)
            }
        }
    )*};
}

as_text!(CompositionMode, MatrixName, Mode, QueryLocation, SegChoice, Switch, Task);

#[cfg(test)]
mod tests {
    use super::*;

    /// As blastp 2.12 takes `-searchsp` and `-max_target_seqs`.
    #[test]
    fn whole_numbers_are_decimal_or_hexadecimal() {
        for (text, number) in [("10", 10), ("+10", 10), ("-3", -3), ("0010", 10), ("0x1F", 31), ("0Xa", 10)] {
            assert_eq!(i64::read(text), Ok(number), "{text}");
        }
        for text in
            ["", " 1", "1 ", "1,000", "1e3", "1.0", "x10", "0x-1", "-0x1", "0xg", "9223372036854775808"]
        {
            assert_eq!(i64::read(text), Err(NotPossible), "{text}");
        }
        assert_eq!(usize::read("2147483647"), Ok(2_147_483_647));
        assert_eq!(usize::read("2147483648"), Err(NotPossible));
        assert_eq!(usize::read("-1"), Err(NotPossible));
        assert_eq!(NonZeroUsize::read("0"), Err(NotPossible));
    }

    /// As blastp 2.12 takes `-evalue`.
    #[test]
    fn real_numbers_are_those_of_c() {
        for (text, number) in [
            ("1e-5", 1e-5),
            ("1E2", 100.0),
            ("+5", 5.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e", 1.0),
            ("-2e+1", -20.0),
            ("0x10", 16.0),
            ("0X1.8p1", 3.0),
            ("0x1p-3", 0.125),
            ("-0x.8", -0.5),
        ] {
            assert_eq!(f64::read(text), Ok(number), "{text}");
        }
        assert_eq!(f64::read("1e999"), Ok(f64::INFINITY));
        for text in
            ["", "-", " 5", "5 ", "inf", "nan", "1d5", "1,000", "1_0", "1e2x", "1e+", "0x", "0x.", "0x1p"]
        {
            assert_eq!(f64::read(text), Err(NotPossible), "{text}");
        }
    }
}
