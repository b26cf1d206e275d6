//! Numbers as BLAST+ prints them (`objtools/align_format/align_format_util.cpp:GetScoreString`) and
//! as C's `printf` does.

/// An E-value in a table: three digits at most, scientific below 0.0009, `0.0` below 1e-180.
pub(super) fn evalue(value: f64) -> String {
    evalue_with_digits(value, 2)
}

/// An E-value in a pairwise report: as in a table, but with one digit where it is scientific.
pub(super) fn short_evalue(value: f64) -> String {
    evalue_with_digits(value, 0)
}

fn evalue_with_digits(value: f64, digits: usize) -> String {
    if value < SMALLEST_EVALUE {
        "0.0".to_owned()
    } else if value < 0.0009 {
        scientific(value, digits)
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

/// An E-value in XML and JSON: `%g`, and `0` below 1e-180.
pub(super) fn exact_evalue(value: f64) -> String {
    general(if value < SMALLEST_EVALUE { 0.0 } else { value }, 6)
}

/// E-values below this are stored as 0.
const SMALLEST_EVALUE: f64 = 1e-180;

/// A bit score: one decimal up to 99.9, truncated to an integer above. BLAST+ pads it to four and three
/// characters, so that one below 10, and 99, start with a blank, even in tabular reports.
pub(super) fn bit_score(value: f64) -> String {
    if value > 99_999.0 {
        scientific(value, 3)
    } else if value > 99.9 {
        format!("{:3}", value as i64)
    } else {
        format!("{value:4.1}")
    }
}

/// C's `%.{digits}g`: as many significant digits, without zeros at the end.
pub(super) fn general(value: f64, digits: usize) -> String {
    let text = padded_general(value, digits);
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, format!("e{exponent}")),
        None => (text.as_str(), String::new()),
    };
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    format!("{mantissa}{exponent}")
}

/// C's `%#.{digits}g`: zeros at the end are kept.
pub(super) fn padded_general(value: f64, digits: usize) -> String {
    let text = scientific(value, digits - 1);
    let exponent = text.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    let decimals = digits as i32 - 1 - exponent;
    match decimals {
        _ if exponent < -4 || decimals < 0 => text,
        0 => format!("{value:.0}."),
        decimals => format!("{value:.*}", decimals as usize),
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

/// A count with commas between thousands.
pub(super) fn with_commas(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evalues_have_the_digits_of_blast() {
        let values = [0.0, 9e-181, 2.5e-116, 0.00089994, 0.0009, 0.0999, 0.1, 0.996, 1.0, 9.96, 10.4, 123.0];
        let expected = [
            ("0.0", "0.0"),
            ("0.0", "0.0"),
            ("2.50e-116", "3e-116"),
            ("9.00e-04", "9e-04"),
            ("0.001", "0.001"),
            ("0.100", "0.100"),
            ("0.10", "0.10"),
            ("1.00", "1.00"),
            ("1.0", "1.0"),
            ("10.0", "10.0"),
            ("10", "10"),
            ("123", "123"),
        ];
        assert_eq!(values.map(evalue), expected.map(|(long, _)| long));
        assert_eq!(values.map(short_evalue), expected.map(|(_, short)| short));
    }

    #[test]
    fn bit_scores_are_truncated_above_one_hundred() {
        let texts = [9.23, 16.24, 99.9, 99.94, 708.9, 123_456.0];
        assert_eq!(texts.map(bit_score), [" 9.2", "16.2", "99.9", " 99", "708", "1.235e+05"]);
    }

    /// What `printf` of the GNU C library prints.
    #[test]
    fn general_numbers_are_those_of_printf() {
        let values = [0.0, -1.0, 0.041, 2.181_129e-29, 94.744_86, 10_264.71, 123_456.7, 1_234_567.0, 0.000_1];
        let expected =
            ["0", "-1", "0.041", "2.18113e-29", "94.7449", "10264.7", "123457", "1.23457e+06", "0.0001"];
        assert_eq!(values.map(|value| general(value, 6)), expected);
        let limits = [0.123_456_789, 1e-5, 12_345_678.0, 999_999.5, 1e100];
        let expected = ["0.123456789", "1e-05", "12345678", "999999.5", "1e+100"];
        assert_eq!(limits.map(|value| general(value, 15)), expected);
        let values = [0.041, 1.9, 42.6028, 0.317_5, 1e-7, 4_321.0, -1.0];
        let expected = ["0.0410", "1.90", "42.6", "0.318", "1.00e-07", "4.32e+03", "-1.00"];
        assert_eq!(values.map(|value| padded_general(value, 3)), expected);
    }

    #[test]
    fn thousands_are_set_apart() {
        let counts = [0, 999, 1_000, 574_078, 7_556_337];
        assert_eq!(counts.map(with_commas), ["0", "999", "1,000", "574,078", "7,556,337"]);
    }
}
