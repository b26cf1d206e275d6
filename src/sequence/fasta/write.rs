//! Records as text.

use std::io::{self, Write};

use crate::sequence::alphabet::decode;

/// Residues per line, as `blastdbcmd` has them.
const LINE: usize = 80;

/// Writes a record: `>`, its heading, and its residues, which are given as codes, in lines of 80.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_record(out: &mut dyn Write, heading: &[u8], residues: &[u8]) -> io::Result<()> {
    out.write_all(b">")?;
    out.write_all(heading)?;
    out.write_all(b"\n")?;
    let mut text = [b'\n'; LINE + 1];
    for line in residues.chunks(LINE) {
        for (letter, &residue) in text.iter_mut().zip(line) {
            *letter = decode(residue);
        }
        text[line.len()] = b'\n';
        out.write_all(&text[..=line.len()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::alphabet::encode;

    #[test]
    fn lines_are_full_but_for_the_last() {
        for (length, lines) in
            [(0, vec![]), (1, vec![1]), (80, vec![80]), (81, vec![80, 1]), (160, vec![80, 80])]
        {
            let residues = vec![encode(b'M').expect("a residue"); length];
            let mut text = Vec::new();
            write_record(&mut text, b"x of y", &residues).expect("memory");
            let text = String::from_utf8(text).expect("letters");
            let (heading, rest) = text.split_once('\n').expect("a heading");
            assert_eq!(heading, ">x of y");
            assert!(rest.is_empty() || rest.ends_with('\n'));
            assert_eq!(rest.lines().map(str::len).collect::<Vec<_>>(), lines);
        }
    }
}
