//! Tidied titles.
//!
//! NCBI's toolkit tidies the titles of subjects in the list of descriptions of a pairwise report, and
//! those of queries in XML and JSON (`objmgr/util/create_defline.cpp`). Everywhere else titles stand
//! as they were given.

use super::entities::decoded;

/// Tidies a title: entities of HTML decoded, no punctuation at its end, no runs of blanks, blanks only behind commas and
/// semicolons and only outside of brackets, and no comma or full stop before an organism in square
/// brackets.
pub(super) fn tidy(title: &str) -> String {
    let title = decoded(title);
    let kept = title.trim_end_matches(['.', ',', ';', '~', ' ']);
    let title = if kept.is_empty() { title.as_str().trim_end_matches([',', ';', '~', ' ']) } else { kept };
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
    use super::tidy;

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
}
