//! Breaking of long lines, in the two ways of BLAST+'s pairwise reports.

/// Width of definition lines and database titles.
const WIDTH: usize = 68;
/// Letters after which a subject's definition line is broken at the next blank.
const SUBJECT_WIDTH: usize = 60;

/// How good a place is for a break; later is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Break {
    Forced,
    Hyphen,
    Comma,
    Blank,
}

/// Breaks a text into lines of [`WIDTH`] bytes at most: at the last blank that fits, else after
/// the last comma, else after the last hyphen, else anywhere
/// (`corelib/ncbistr.cpp:NStr::Wrap`, style "flat file").
///
/// The blank of a break goes, and all that follow it; blanks before it stay.
pub(super) fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.len() > WIDTH {
        let (mut kind, mut end) = (Break::Forced, WIDTH);
        for (place, byte) in rest.iter().enumerate().take(WIDTH + 1) {
            // A comma or hyphen stays on its line and therefore has to fit.
            let fits = place < WIDTH && place + 1 < rest.len();
            let found = match byte {
                b' ' => (Break::Blank, place),
                b',' if fits => (Break::Comma, place + 1),
                b'-' if fits => (Break::Hyphen, place + 1),
                _ => continue,
            };
            if found.0 >= kind && found.1 > 0 {
                (kind, end) = found;
            }
        }
        lines.push(&rest[..end]);
        rest = &rest[end..];
        if kind == Break::Blank {
            rest = rest.trim_ascii_start();
        }
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Breaks a subject's definition line after the first blank at or behind every multiple of
/// [`SUBJECT_WIDTH`] (`objtools/align_format/showalign.cpp`). The blank stays.
pub(super) fn subject_lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let (mut start, mut due) = (0, false);
    for (place, byte) in text.iter().enumerate() {
        due |= place > 0 && place % SUBJECT_WIDTH == 0;
        if due && byte.is_ascii_whitespace() {
            lines.push(&text[start..=place]);
            (start, due) = (place + 1, false);
        }
    }
    lines.push(&text[start..]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&[u8]]) -> Vec<String> {
        lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    /// The lines are those of blastp 2.12.
    #[test]
    fn query_lines_break_at_blanks_then_commas_then_hyphens() {
        let text = b"w0 [foo] , long-hyphenated-word-that-goes-on ,, ,    , -- double  space GN=abc";
        let expected = ["w0 [foo] , long-hyphenated-word-that-goes-on ,, ,    , -- double ", "space GN=abc"];
        assert_eq!(texts(&lines(text)), expected);
        let word = [b"x".repeat(40), b",".to_vec(), b"y".repeat(20), b"-".to_vec(), b"z".repeat(30)].concat();
        assert_eq!(lines(&word).iter().map(|line| line.len()).collect::<Vec<_>>(), [41, 51]);
        assert_eq!(lines(&[b'x'; 150]).iter().map(|line| line.len()).collect::<Vec<_>>(), [68, 68, 14]);
        assert_eq!(lines(b""), Vec::<&[u8]>::new());
    }

    #[test]
    fn subject_lines_run_on_to_the_next_blank() {
        let text = b"A0LIK3 GO:0006412 GO:0003723 GO:0003735 GO:0008270 GO:0019843 GO:0046872";
        let expected = ["A0LIK3 GO:0006412 GO:0003723 GO:0003735 GO:0008270 GO:0019843 ", "GO:0046872"];
        assert_eq!(texts(&subject_lines(text)), expected);
        assert_eq!(subject_lines(&[b'i'; 300]).len(), 1);
    }
}
