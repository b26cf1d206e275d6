//! The files of an archive, found by its index.

use std::io::Read;

use flate2::read::DeflateDecoder;

fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Names and texts, in order.
pub(crate) fn files(archive: &[u8]) -> Vec<(String, String)> {
    let end = archive.len() - 22;
    assert_eq!(&archive[end..end + 4], b"PK\x05\x06");
    let mut entry = number(archive, end + 16, 4);
    let mut files = Vec::new();
    for _ in 0..number(archive, end + 10, 2) {
        assert_eq!(&archive[entry..entry + 4], b"PK\x01\x02");
        let (compressed, length) = (number(archive, entry + 20, 4), number(archive, entry + 24, 4));
        let (name_length, begins) = (number(archive, entry + 28, 2), number(archive, entry + 42, 4));
        let name = String::from_utf8(archive[entry + 46..entry + 46 + name_length].to_vec()).unwrap();
        let content = begins + 30 + name_length;
        let mut text = String::new();
        DeflateDecoder::new(&archive[content..content + compressed]).read_to_string(&mut text).unwrap();
        assert_eq!(text.len(), length, "{name}");
        files.push((name, text));
        entry += 46 + name_length;
    }
    assert_eq!(entry, end);
    files
}
