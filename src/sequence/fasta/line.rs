//! What one line of a FASTA file is.

/// A line by its role; text is without the blanks around it, but for titles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing but blanks, or a comment: `;`, `#` or `!` first.
    Ignored,
    /// `>` and the definition line that follows it.
    Defline(&'a [u8]),
    /// `>?N`: a gap of that many unknown residues inside a sequence.
    Gap(u64),
    /// Anything else: residues, the first of them in `column` (from 1).
    Residues { text: &'a [u8], column: u64 },
}

/// Length of the shortest gap, which `>?0` stands for too.
const SHORTEST_GAP: u64 = 1;

/// Length of a gap written `>?unk100`.
const UNKNOWN_GAP: u64 = 100;

/// Reads the role of a line.
pub(super) fn classify(line: &[u8]) -> Line<'_> {
    let Some(start) = line.iter().position(|byte| !is_blank(*byte)) else { return Line::Ignored };
    match line[start] {
        b';' | b'#' | b'!' => Line::Ignored,
        b'>' => {
            let defline = &line[start + 1..];
            gap_length(defline).map_or(Line::Defline(defline), Line::Gap)
        }
        _ => Line::Residues { text: line[start..].trim_ascii_end(), column: start as u64 + 1 },
    }
}

/// Whether a byte is white space as C's `isspace` has it, vertical tab included.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Length of the gap that a definition line stands for, if it does.
fn gap_length(defline: &[u8]) -> Option<u64> {
    let length = std::str::from_utf8(defline.strip_prefix(b"?")?.trim_ascii_end()).ok()?;
    match length {
        "unk100" => Some(UNKNOWN_GAP),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().map(|length: u64| length.max(SHORTEST_GAP))
        }
        _ => None,
    }
}

/// Whether the first line of a sequence resembles one.
///
/// NCBI's measure (`CFastaReader::CheckDataLine`): among the first 70 bytes up to a `;`, letters
/// and `*` speak for it, blanks and digits are neutral, the rest speaks against. Few bad
/// characters pass, and so does a line of up to three characters with as many good as bad.
pub(super) fn is_plausible(text: &[u8]) -> bool {
    const JUDGED: usize = 70;
    let (mut good, mut bad) = (0, 0);
    for byte in text.iter().take(JUDGED).take_while(|byte| **byte != b';') {
        match *byte {
            b'*' => good += 1,
            letter if letter.is_ascii_alphabetic() => good += 1,
            neutral if is_blank(neutral) || neutral.is_ascii_digit() => {}
            _ => bad += 1,
        }
    }
    bad < good / 3 || (text.len() <= 3 && good > 0 && bad <= good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_character_that_is_no_blank_decides() {
        assert_eq!(classify(b""), Line::Ignored);
        assert_eq!(classify(b" \t\x0b"), Line::Ignored);
        assert_eq!(classify(b";comment"), Line::Ignored);
        assert_eq!(classify(b" #comment"), Line::Ignored);
        assert_eq!(classify(b"!comment"), Line::Ignored);
        assert_eq!(classify(b">q1 x "), Line::Defline(b"q1 x "));
        assert_eq!(classify(b" >q1"), Line::Defline(b"q1"));
        assert_eq!(classify(b">"), Line::Defline(b""));
        assert_eq!(classify(b"  MKT "), Line::Residues { text: b"MKT", column: 3 });
    }

    #[test]
    fn gaps_are_numbers_only() {
        assert_eq!(classify(b">?10"), Line::Gap(10));
        assert_eq!(classify(b">?0"), Line::Gap(1));
        assert_eq!(classify(b">?unk100 "), Line::Gap(100));
        for other in ["?", "?x", "?10x", "?-1", "?99999999999999999999"] {
            let line = format!(">{other}");
            let expected = if other == "?" { Line::Defline(b"?") } else { Line::Defline(other.as_bytes()) };
            assert_eq!(classify(line.as_bytes()), expected);
        }
    }

    /// Accepted or refused by blastp 2.12.0 as the first line of a sequence.
    #[test]
    fn plausibility_is_judged_as_blastp_does() {
        for accepted in ["AA!", "A!", "A1!", "-A", "AAA123", "M", "***", "1 MKTAY", "MKT;@@@@@"] {
            assert!(is_plausible(accepted.as_bytes()), "{accepted}");
        }
        let refused = ["AAA!", "AAA!!", "AAAA!", "AAAAAA!!", "AAAAAAA!!", "12", "---", "A---", "~", "A ~~ A"];
        for refused in refused {
            assert!(!is_plausible(refused.as_bytes()), "{refused}");
        }
        assert!(!is_plausible(b"\x80"));
    }
}
