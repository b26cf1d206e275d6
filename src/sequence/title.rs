//! Titles as NCBI's generator of definition lines writes them (`objmgr/util/create_defline.cpp`).
//!
//! The list of descriptions of a pairwise report has them, and XML and JSON for queries; and whatever
//! names a sequence without a parsed identifier does so by the first word of one. Everywhere else titles
//! stand as they were given.

use std::borrow::Cow;

use super::entities::decoded;

/// What stands for an empty title.
pub const UNNAMED: &str = "unnamed protein product";

/// Marks of how a sequence came about, which are taken off the start of titles in any case of letters:
/// each once, in this order.
const MARKS: [&str; 12] = [
    "MAG ",
    "MAG:",
    "TPA:",
    "TPA_exp:",
    "TPA_inf:",
    "TPA_reasm:",
    "TPA_asm:",
    "TSA:",
    "UNVERIFIED_ORG:",
    "UNVERIFIED_ASMBLY:",
    "UNVERIFIED_CONTAM:",
    "UNVERIFIED:",
];

/// Tidies a title: without marks at its start or punctuation at its end, entities of HTML decoded, no runs
/// of blanks, blanks only behind commas and semicolons and only outside of brackets, and no comma or full
/// stop before an organism in square brackets. May leave nothing.
pub fn tidy(title: &str) -> String {
    if title.is_empty() {
        return UNNAMED.to_owned();
    }
    let title = without_marks(without_end(title, &['.', ',', ';', '~', ' ']));
    let title = decoded(title);
    compressed(without_end(&title, &[',', ';', '~', ' ']))
}

/// The first word of a title once it is tidied; empty if that leaves nothing.
pub fn first_word(title: &[u8]) -> Cow<'_, [u8]> {
    let end = title.iter().position(|byte| *byte == b' ').unwrap_or(title.len());
    let (word, rest) = title.split_at(end);
    let stays = |byte: &u8| byte.is_ascii_alphanumeric() || b"_|-.:/+=@*".contains(byte) || *byte >= 0x80;
    let ends_well = word.last().is_some_and(|last| !b".:".contains(last));
    let followed_well = rest.iter().find(|byte| **byte != b' ').is_none_or(|next| !b",;)".contains(next));
    if ends_well && followed_well && word.iter().all(stays) && mark(title).is_none() {
        return Cow::Borrowed(word);
    }
    let tidied = tidy(&String::from_utf8_lossy(title));
    let word = tidied.split(' ').next().unwrap_or_default();
    Cow::Owned(word.as_bytes().to_vec())
}

/// A text without letters of a kind at its end, unless it has no others.
fn without_end<'a>(text: &'a str, letters: &[char]) -> &'a str {
    match text.trim_end_matches(letters) {
        "" => text,
        kept => kept,
    }
}

/// The first of the marks that a title starts with.
fn mark(title: &[u8]) -> Option<&'static str> {
    let starts = |mark: &&str| {
        let start = title.get(..mark.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
    };
    MARKS.into_iter().find(starts)
}

fn without_marks(title: &str) -> &str {
    MARKS.iter().fold(title, |title, mark| match title.get(..mark.len()) {
        Some(start) if start.eq_ignore_ascii_case(mark) => title[mark.len()..].trim_start_matches(' '),
        _ => title,
    })
}

/// Punctuation and blanks put in order.
fn compressed(title: &str) -> String {
    let mut letters = title.trim_matches(' ').chars();
    let mut tidied = String::with_capacity(title.len());
    let Some(mut current) = letters.next() else { return tidied };
    // What the next letter is judged by; a comma that became a blank still counts as a comma.
    let mut previous = current;
    while let Some(mut next) = letters.next() {
        let pair = (previous, next);
        previous = next;
        match pair {
            (',', ',') => {
                tidied.push(current);
                next = ' ';
            }
            (' ', ' ' | ')') => {}
            ('(', ' ') => {
                next = current;
                previous = current;
            }
            (' ', ',' | ';') => {
                tidied.push(next);
                next = current;
                previous = current;
            }
            (',' | ';', ' ') => {
                tidied.push(current);
                tidied.push(' ');
                while next == ' ' || next == pair.0 {
                    next = letters.next().unwrap_or('\0');
                }
                previous = next;
            }
            _ => tidied.push(current),
        }
        current = next;
    }
    if current != ' ' && current != '\0' {
        tidied.push(current);
    }
    tidied.replace(". [", " [").replace(", [", " [")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Titles and what blastp 2.12 listed.
    #[test]
    fn titles_are_tidied_as_by_blastp() {
        for (title, expected) in [
            ("t0 hypothetical protein.", "t0 hypothetical protein"),
            ("t3 a.b.c...", "t3 a.b.c"),
            ("t7 tra ,;~. ", "t7 tra"),
            ("t8 x ; y", "t8 x; y"),
            ("t11 x ,y", "t11 x, y"),
            ("t12 x ,, y", "t12 x,, y"),
            ("t13 x , , y", "t13 x,, y"),
            ("t15 x,,y", "t15 x, y"),
            ("t17 x ;; y", "t17 x;; y"),
            ("t18 x ( a ) y", "t18 x (a) y"),
            ("t36 foo  [Homo   sapiens]", "t36 foo [Homo sapiens]"),
            ("t46 ; ;", "t46"),
            ("w49 coli, [foo] a. [bar]", "w49 coli [foo] a [bar]"),
            ("t60 x.;,   ,a;~z", "t60 x.;, a;~z"),
            ("t61 x.b;~. ;a ;(z", "t61 x.b;~.; a; (z"),
            (" q1 space after the sign", "q1 space after the sign"),
            ("w57 Escherichia - ,, Escherichia", "w57 Escherichia -,, Escherichia"),
        ] {
            assert_eq!(tidy(title), expected);
        }
    }

    /// Titles and what blastp 2.12 listed.
    #[test]
    fn punctuation_goes_before_entities_are_decoded() {
        for (title, expected) in [
            ("a&amp;", "a&amp"),
            ("b x&gt;.", "b x&gt"),
            ("a14&#32;;", "a14&#32"),
            ("a21&amp;amp; x", "a21&amp; x"),
            ("...", "..."),
            (";;; x", ";;; x"),
        ] {
            assert_eq!(tidy(title), expected);
        }
    }

    /// Titles and what blastp 2.12 listed.
    #[test]
    fn marks_go_once_and_in_their_own_order() {
        for (title, expected) in [
            ("MAG w0 x.", "w0 x"),
            ("MULTISPECIES:w2 x.", "MULTISPECIES:w2 x"),
            ("TPA_assembly:w9 x.", "TPA_assembly:w9 x"),
            ("MAG: TSA: TPA: w15 x.", "TPA: w15 x"),
            ("TPA: MAG: w16 x.", "MAG: w16 x"),
            ("MAG TPA: w17 x.", "w17 x"),
            ("MAG:TLS: TSA:w18 x.", "TLS: TSA:w18 x"),
            ("TSA: UNVERIFIED: w19 x.", "w19 x"),
            ("tPa_ExP:w21 x.", "w21 x"),
            ("TPA  :w22 x.", "TPA :w22 x"),
            ("TSA TSA: w23 x.", "TSA TSA: w23 x"),
            ("MAG: MAG w25 x.", "MAG w25 x"),
            ("TPA: ", ""),
            ("MAG:\u{e9}", "\u{e9}"),
        ] {
            assert_eq!(tidy(title), expected);
        }
    }

    /// Titles and what blastp 2.12 printed as `sseqid` with a database made without `-parse_seqids`.
    #[test]
    fn the_first_word_is_that_of_the_tidied_title() {
        for (title, expected) in [
            ("g1.", "g1"),
            ("g2,", "g2"),
            ("g5.;", "g5"),
            ("g6. titled", "g6."),
            ("g7:", "g7:"),
            ("a&#45;b x", "a-b"),
            ("a&#32;c y", "a"),
            ("a7,,b foo", "a7,"),
            ("a8;b ;c", "a8;b;"),
            ("a11, [foo]", "a11"),
            ("a32 , x", "a32,"),
            ("(a9 x", "(a9"),
            ("TPA: foo", "foo"),
            ("sp|P12345|N x", "sp|P12345|N"),
            (" a27 lead", "a27"),
            ("x )", "x)"),
            ("", "unnamed"),
            (" ", ""),
            ("TPA: ", ""),
        ] {
            assert_eq!(&*first_word(title.as_bytes()), expected.as_bytes(), "{title}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_to_the_first_word_is_the_long_one(title in "[aA.,;:~ ()&|_M\\[-]{0,9}") {
            let tidied = tidy(&title);
            let expected = tidied.split(' ').next().expect("a split has a first piece");
            prop_assert_eq!(&*first_word(title.as_bytes()), expected.as_bytes());
        }
    }
}
