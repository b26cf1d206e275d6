//! Numbers as BLAST+ prints them in tabular reports
//! (`objtools/align_format/align_format_util.cpp:GetScoreString`).

/// An E-value: three digits at most, scientific below 0.0009, `0.0` below 1e-180.
pub(super) fn evalue(value: f64) -> String {
    if value < 1e-180 {
        "0.0".to_owned()
    } else if value < 0.0009 {
        scientific(value, 2)
    } else if value < 0.1 {
        format!("{value:.3}")
    } else if value < 1.0 {
        format!("{value:.2}")
    } else if value < 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// A bit score: one decimal below 100, truncated to an integer above. BLAST+ pads it to four
/// characters, so that one below 10 starts with a blank, even in tabular reports.
pub(super) fn bit_score(value: f64) -> String {
    if value > 99_999.0 {
        scientific(value, 3)
    } else if value > 99.9 {
        format!("{}", value as i64)
    } else {
        format!("{value:4.1}")
    }
}

/// C's `%.{digits}e`: an exponent has a sign and at least two digits.
fn scientific(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{mantissa}e-{exponent:0>2}"),
            None => format!("{mantissa}e+{exponent:0>2}"),
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evalues_have_the_digits_of_blast() {
        let texts = [0.0, 9e-181, 2.5e-116, 0.00089994, 0.0009, 0.0999, 0.1, 0.996, 1.0, 9.96, 10.4, 123.0];
        let expected = [
            "0.0",
            "0.0",
            "2.50e-116",
            "9.00e-04",
            "0.001",
            "0.100",
            "0.10",
            "1.00",
            "1.0",
            "10.0",
            "10",
            "123",
        ];
        assert_eq!(texts.map(evalue), expected);
    }

    #[test]
    fn bit_scores_are_truncated_above_one_hundred() {
        let texts = [9.23, 16.24, 99.9, 99.94, 708.9, 123_456.0];
        assert_eq!(texts.map(bit_score), [" 9.2", "16.2", "99.9", "99", "708", "1.235e+05"]);
    }
}
