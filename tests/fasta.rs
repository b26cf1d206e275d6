//! FASTA is read with BLAST+'s meaning: every edge case against NCBI's own output, bad inputs one by
//! one, and the same records however the bytes arrive.

// A helper that cannot read its own fixture has nothing better to do than to panic.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use skyblast::sequence::alphabet::decode;
use skyblast::sequence::defline;
use skyblast::sequence::fasta::{FastaError, Limits, Note, Reader, Record};
use skyblast::sequence::input::Input;
use skyblast::sequence::nucleotide::looks_like_nucleotides;

fn edge(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/edge").join(file)
}

fn read_file(file: &str) -> Vec<Record> {
    let input = Input::open(&edge(file)).unwrap();
    Reader::new(file, input).collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
}

fn read(text: &[u8]) -> Result<Vec<Record>, FastaError> {
    Reader::new("test.fa", text).collect()
}

fn letters(record: &Record) -> Vec<u8> {
    record.residues.iter().map(|code| decode(*code)).collect()
}

fn crc32(bytes: &[u8]) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    format!("{:08x}", crc.sum())
}

/// What a record should be: title (escaped), length, CRC-32 of its letters (`-` if not known).
type Expected = (String, usize, String);

/// NCBI's view of every file: exit status and records, by role.
fn expected(role: &str) -> BTreeMap<String, (i32, Vec<Expected>)> {
    let mut files: BTreeMap<String, (i32, Vec<Expected>)> = BTreeMap::new();
    let table = fs::read_to_string(edge("expected.tsv")).unwrap();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields[1] != role {
            continue;
        }
        let file = files.entry(fields[0].to_owned()).or_insert((fields[2].parse().unwrap(), Vec::new()));
        if fields[3] != "-" {
            assert_eq!(fields[3].parse::<usize>().unwrap(), file.1.len() + 1, "{line}");
            file.1.push((fields[6].to_owned(), fields[4].parse().unwrap(), fields[5].to_owned()));
        }
    }
    files
}

/// CRC-32 of the protein in `one_line.fa` and most other files, by NCBI.
const PLAIN_PROTEIN: &str = "94a31691";

/// Files that BLAST+ refuses or misreads, and what they hold: title, length, CRC-32.
const READ_BETTER: [(&str, &str, usize, &str); 7] = [
    ("bom.fa", "q1 starts with a byte-order mark", 363, PLAIN_PROTEIN),
    ("leading_space_line.fa", "q1 space before the sign", 363, PLAIN_PROTEIN),
    ("no_header.fa", "", 363, PLAIN_PROTEIN),
    (
        "nonascii_utf8.fa",
        "prot\\xc3\\xa9ine_\\xce\\xb1 h\\xc3\\xa9moglobine \\xe2\\x80\\x94 \
         \\xe6\\x97\\xa5\\xe6\\x9c\\xac\\xe8\\xaa\\x9e \\xf0\\x9f\\xa7\\xac",
        363,
        PLAIN_PROTEIN,
    ),
    ("only_gt.fa", "", 0, "00000000"),
    ("only_gt_no_newline.fa", "", 0, "00000000"),
    ("only_header.fa", "just_a_header and a description", 0, "00000000"),
];

fn is_read_better(file: &str) -> bool {
    READ_BETTER.iter().any(|(better, ..)| *better == file)
}

#[test]
fn every_edge_file_has_its_expectation() {
    let queries = expected("query");
    let databases = expected("database");
    let mut files = 0;
    for entry in fs::read_dir(edge("")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if file.contains(".fa") {
            assert!(queries.contains_key(&file) && databases.contains_key(&file), "{file}");
            files += 1;
        }
    }
    assert_eq!(files, 44);
    assert_eq!(queries.len(), files);
}

#[test]
fn queries_have_the_titles_and_lengths_that_blastp_prints() {
    for (file, (_, expected)) in expected("query").iter().filter(|(file, _)| !is_read_better(file)) {
        let found: Vec<Expected> = read_file(file)
            .iter()
            .map(|record| {
                let title = defline::title(&record.defline).escape_ascii().to_string();
                (title, record.residues.len(), "-".to_owned())
            })
            .collect();
        assert_eq!(&found, expected, "{file}");
    }
}

#[test]
fn sequences_have_the_titles_and_residues_that_blastdbcmd_prints() {
    for (file, (status, expected)) in expected("database") {
        if is_read_better(&file) || file == "gapchars.fa" {
            continue;
        }
        let found: Vec<Expected> = read_file(&file)
            .iter()
            .filter(|record| !record.residues.is_empty())
            .map(|record| {
                let mut title = defline::database_title(&record.defline).into_owned();
                // BLAST+ prints `#` for the letters outside ASCII that are kept here.
                title.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'#');
                let letters = letters(record);
                (title.escape_ascii().to_string(), letters.len(), crc32(&letters))
            })
            .collect();
        assert_eq!(found, expected, "{file}");
        assert_eq!(status, i32::from(expected.is_empty()), "{file}");
    }
}

#[test]
fn gap_characters_are_left_out_of_databases_too() {
    // makeblastdb keeps `-` as a gap inside the sequence; blastp drops it from queries, as we do.
    let [dashes, dots] = &read_file("gapchars.fa")[..] else { panic!("two records") };
    assert_eq!((dashes.residues.len(), crc32(&letters(dashes)).as_str()), (363, PLAIN_PROTEIN));
    assert_eq!(expected("database")["gapchars.fa"].1[0].1, 367);
    assert_eq!(crc32(&letters(dots)), expected("database")["gapchars.fa"].1[1].2);
}

#[test]
fn what_blast_misreads_is_read_as_it_was_meant() {
    for (file, title, length, crc) in READ_BETTER {
        let [record] = &read_file(file)[..] else { panic!("{file}: one record") };
        assert_eq!(defline::title(&record.defline).escape_ascii().to_string(), title, "{file}");
        assert_eq!((record.residues.len(), crc32(&letters(record)).as_str()), (length, crc), "{file}");
    }
}

#[test]
fn what_was_dropped_is_noted_with_line_and_columns() {
    let notes = |file: &str| -> Vec<String> {
        let records = read_file(file);
        records.iter().flat_map(|r| r.notes.iter().map(|n| format!("{}: {n}", r.label()))).collect()
    };
    let dropped = |line, count, columns| {
        let s = if count == 1 { "" } else { "s" };
        format!("line {line}: ignored {count} non-residue character{s} in column{s} {columns}")
    };
    assert_eq!(notes("badchars.fa"), [format!("record 1 (digits_punct): {}", dropped(2, 5, "41-45"))]);
    assert_eq!(notes("nul.fa"), [format!("record 1 (q1): {}", dropped(2, 1, "41"))]);
    assert_eq!(notes("nonascii_seq.fa"), [format!("record 1 (q1): {}", dropped(2, 2, "51-52"))]);
    assert_eq!(
        notes("gapchars.fa"),
        [
            format!("record 1 (dashes): {}", dropped(2, 3, "31-33")),
            format!("record 1 (dashes): {}", dropped(3, 1, "14")),
            format!("record 2 (dots): {}", dropped(10, 3, "31-33")),
        ]
    );
    let numbered = notes("spaces.fa");
    assert_eq!(numbered.len(), 7);
    assert_eq!(numbered[1], format!("record 1 (q1): {}", dropped(3, 2, "8-9")));
    assert_eq!(
        notes("empty_record.fa"),
        ["record 2 (empty_one): no residues", "record 4 (empty_last): no residues"]
    );
    assert_eq!(notes("no_header.fa"), ["record 1: no '>' line before the first residues"]);
    for quiet in ["crlf.fa", "lower.fa", "stops.fa", "ambig.fa", "bom.fa", "semicolon.fa", "many_tiny.fa"] {
        assert_eq!(notes(quiet), [""; 0], "{quiet}");
    }
}

#[test]
fn records_without_residues_keep_their_number() {
    let found: Vec<(u64, u64, usize)> =
        read_file("empty_record.fa").iter().map(|r| (r.number, r.line, r.residues.len())).collect();
    assert_eq!(found, [(1, 1, 363), (2, 9, 0), (3, 10, 168), (4, 14, 0)]);
}

#[test]
fn of_all_edge_files_only_the_dna_looks_like_nucleotides() {
    for file in expected("query").keys() {
        let nucleotides = read_file(file).iter().any(|record| looks_like_nucleotides(&record.residues));
        assert_eq!(nucleotides, file == "nucleotide.fa", "{file}");
    }
}

#[test]
fn a_gap_line_stands_for_unknown_residues() {
    let records = read(b">a\nMKV\n>?3\nMKV\n>?unk100\n>b\nM\n").unwrap();
    assert_eq!(letters(&records[0]), [&b"MKVXXXMKV"[..], &[b'X'; 100]].concat());
    assert_eq!(records.len(), 2);
}

/// Titles and lengths that blastp 2.12.0 prints for these queries (`Query=`, `Length=`).
#[test]
fn rare_forms_mean_what_they_mean_to_blastp() {
    type Case<'a> = (&'a [u8], &'a [(&'a str, usize)]);
    let cases: [Case<'_>; 10] = [
        (b">a\nMKTAY;IAKQRQISF\nVKSH\n", &[("a", 9)]),
        (b";c\n>a\nMKTAY\n;x >y\nMKTAY\n", &[("a", 10)]),
        (b"#c\n!d\n>a\nMKTAY\n#x\nMKTAY\n ;z\nMKTAY\n", &[("a", 15)]),
        (b">a\nMKTAYIAKQRQI>SFVKSH\n", &[("a", 18)]),
        (b">a\r\r\nMKTAY\r\n\r>b\rMKTAY\n>c\nMKTAY\r\n", &[("a", 5), ("b", 5), ("c", 5)]),
        (b">a\x0cb c\nMKTAY\x0bMKTAY\x0c\n", &[("a", 10)]),
        (b"MKTAY\n>a\nMKTAY\n", &[("", 5), ("a", 5)]),
        (b">\n\n>\nMKTAY\n>b\nMKTAY\n", &[("", 0), ("", 5), ("b", 5)]),
        (b">a\nMKTAYIAKQ\n@@@@@@@@@@@\nMKTAYIAKQ\n//\n", &[("a", 18)]),
        (b">a\nM\n>b\n#\n", &[("a", 1), ("b", 0)]),
    ];
    for (text, expected) in cases {
        let records = read(text).unwrap();
        let found: Vec<(&str, usize)> = records
            .iter()
            .map(|r| (str::from_utf8(defline::title(&r.defline)).unwrap(), r.residues.len()))
            .collect();
        assert_eq!(found, expected, "{}", text.escape_ascii());
    }
}

#[test]
fn inputs_without_records_have_none() {
    for text in [&b""[..], b"\n\r\n  \t\n", b";comment\n#another\n", b"\xEF\xBB\xBF"] {
        assert_eq!(read(text).unwrap(), []);
    }
}

#[test]
fn what_is_not_fasta_is_refused_with_place_and_excerpt() {
    let cases: [(&[u8], u64, u64, &str); 9] = [
        (b"\x7fELF\x02\x01\x01\0\0\0\0", 1, 1, "\\x7fELF\\x02\\x01\\x01\\x00"),
        (b"\x89PNG\r\n\x1a\n", 1, 1, "\\x89PNG"),
        (b"<!DOCTYPE html>\n<html>", 1, 1, "<!DOCTYPE html>"),
        (b"{\"sequences\": []}", 1, 1, "{\\\"sequences\\\": []}"),
        (b"@read1/1\nACGT\n+\nIIII\n", 1, 1, "@read1/1"),
        (b">a\nMKV\n>b\n\n@@@@@@\nMKV\n", 2, 5, "@@@@@@"),
        (b">a\n12345\n", 1, 2, "12345"),
        (b">a\n---\n", 1, 2, "---"),
        (b"\xFF\xFE>\0a\0\n\0", 1, 1, "\\xff\\xfe>\\x00a\\x00"),
    ];
    for (text, record, line, excerpt) in cases {
        let error = read(text).unwrap_err();
        let message = error.to_string();
        let start = format!("test.fa: record {record}, line {line}: not a protein sequence: \"{excerpt}");
        assert!(message.starts_with(&start), "{message}");
        assert_eq!((error.place().record, error.place().line), (record, line));
    }
}

#[test]
fn records_before_an_error_are_delivered_and_none_after_it() {
    let mut reader = Reader::new("test.fa", &b">a\nMKV\n>b\n@@@@@@\n>c\nMKV\n"[..]);
    assert_eq!(reader.next().unwrap().unwrap().id(), b"a");
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
}

#[test]
fn records_over_the_limits_are_refused_and_at_the_limits_accepted() {
    let limits = Limits { defline: 8, sequence: 10, ..Limits::default() };
    let read = |text: &[u8]| -> Result<Vec<Record>, FastaError> {
        Reader::with_limits("test.fa", text, limits).collect()
    };
    assert_eq!(read(b">12345678\nMKVMK\nVMKVM\n").unwrap()[0].residues.len(), 10);
    let message = |text: &[u8]| read(text).unwrap_err().to_string();
    let defline = "the definition line is longer than 8 bytes; shorten it";
    assert_eq!(message(b">a\nM\n>123456789\nM\n"), format!("test.fa: record 2, line 3: {defline}"));
    assert_eq!(message(b">a 123456789012345\nM\n"), format!("test.fa: record 1, line 1: {defline}"));
    let sequence = "the sequence is longer than 10 residues; is it a protein?";
    assert_eq!(message(b">a\nMKVMK\nVMKVMK\n"), format!("test.fa: record 1, line 3: {sequence}"));
    assert_eq!(message(b">a\nMKVMKVMKVMKVMKV\n"), format!("test.fa: record 1, line 2: {sequence}"));
    assert_eq!(message(b">a\nMKV\n>?8\n"), format!("test.fa: record 1, line 3: {sequence}"));
    assert_eq!(message(b">a\n>?999999\n"), format!("test.fa: record 1, line 2: {sequence}"));
}

#[test]
fn inputs_over_the_limits_are_refused_and_at_the_limits_accepted() {
    let text = b">a\nMKV\n\n>b\n>?5\nMK\n";
    let exact = Limits { bytes: text.len() as u64, records: 2, residues: 10, ..Limits::default() };
    let read = |limits| -> Result<Vec<Record>, FastaError> {
        Reader::with_limits("test.fa", &text[..], limits).collect()
    };
    assert_eq!(read(exact).unwrap().len(), 2);
    let message = |limits| read(limits).unwrap_err().to_string();
    let fewer = Limits { bytes: exact.bytes - 1, ..exact };
    assert_eq!(
        message(fewer),
        "test.fa: record 2, line 6: more than 17 bytes (decompressed) in one input; split it"
    );
    let fewer = Limits { records: 1, ..exact };
    assert_eq!(message(fewer), "test.fa: record 2, line 4: more than 1 records in one input; split it");
    let fewer = Limits { residues: 9, ..exact };
    assert_eq!(message(fewer), "test.fa: record 2, line 6: more than 9 residues in one input; split it");
    let fewer = Limits { residues: 4, ..exact };
    assert_eq!(message(fewer), "test.fa: record 2, line 5: more than 4 residues in one input; split it");
}

#[test]
fn a_truncated_gzip_file_is_named_where_it_ends() {
    let whole = fs::read(edge("long.fa.gz")).unwrap();
    let mut file = tempfile::NamedTempFile::with_suffix(".fa.gz").unwrap();
    file.write_all(&whole[..whole.len() / 2]).unwrap();
    let name = file.path().display().to_string();
    let error =
        Reader::new(&name, Input::open(file.path()).unwrap()).find_map(Result::err).unwrap().to_string();
    assert!(error.starts_with(&format!("{name}: record 1, line ")), "{error}");
    assert!(error.ends_with("the gzip data ends too early; the file is truncated"), "{error}");
}

/// Gives its bytes in pieces of prescribed lengths.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.lengths.next().unwrap().min(buffer.len()).min(self.bytes.len());
        let (piece, rest) = self.bytes.split_at(length);
        buffer[..length].copy_from_slice(piece);
        self.bytes = rest;
        Ok(length)
    }
}

fn read_in_pieces(bytes: &[u8], lengths: Vec<usize>) -> Result<Vec<Record>, String> {
    let pieces = Pieces { bytes, lengths: lengths.into_iter().cycle() };
    Reader::new("test.fa", BufReader::new(pieces)).collect::<Result<_, _>>().map_err(|e| e.to_string())
}

#[test]
fn edge_files_read_the_same_byte_by_byte() {
    for file in expected("query").keys() {
        let mut text = Vec::new();
        Input::open(&edge(file)).unwrap().read_to_end(&mut text).unwrap();
        assert_eq!(read_in_pieces(&text, vec![1]).unwrap(), read_file(file), "{file}");
    }
}

/// Bytes that mean something in FASTA, and some that do not.
fn fasta_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[A-Za-z*]{1,12}".prop_map(String::into_bytes),
        3 => prop::sample::select(vec!["\n", "\r", "\r\n"]).prop_map(|s| s.as_bytes().to_vec()),
        2 => prop::sample::select(vec![">", "\n>", ">?12", ";", " ", "\t", "-", "\n#", "\u{feff}"])
            .prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Lines of well-formed records, with what they should be read as.
fn records() -> impl Strategy<Value = Vec<(String, Vec<String>)>> {
    let defline = "[A-Za-z0-9_|.]{1,10}( [ -~]{0,20})?";
    prop::collection::vec((defline, prop::collection::vec("[A-Z*]{1,20}", 0..5)), 0..12)
}

proptest! {
    #[test]
    fn any_bytes_give_well_formed_records_or_an_error(bytes in fasta_like()) {
        let mut last_line = 0;
        for (number, record) in (1..).zip(Reader::new("test.fa", &bytes[..]).map_while(Result::ok)) {
            prop_assert_eq!(record.number, number);
            prop_assert!(record.line > last_line);
            last_line = record.line;
            prop_assert!(record.residues.iter().all(|code| (1..28).contains(code)));
            prop_assert_eq!(record.residues.is_empty(), record.notes.contains(&Note::NoResidues));
        }
    }

    #[test]
    fn how_the_bytes_arrive_changes_nothing(
        bytes in fasta_like(),
        lengths in prop::collection::vec(1_usize..9, 1..8),
    ) {
        prop_assert_eq!(read_in_pieces(&bytes, lengths), read(&bytes).map_err(|error| error.to_string()));
    }

    #[test]
    fn line_ends_change_nothing(records in records()) {
        let text = |end: &str| -> String {
            let lines = records.iter().flat_map(|(defline, lines)| {
                std::iter::once(format!(">{defline}{end}")).chain(lines.iter().map(move |l| format!("{l}{end}")))
            });
            lines.collect()
        };
        let found = read(text("\n").as_bytes()).unwrap();
        prop_assert_eq!(found.len(), records.len());
        for (record, (defline, lines)) in found.iter().zip(&records) {
            prop_assert_eq!(&record.defline, defline.as_bytes());
            prop_assert_eq!(letters(record), lines.concat().into_bytes());
        }
        prop_assert_eq!(&read(text("\r\n").as_bytes()).unwrap(), &found);
        prop_assert_eq!(&read(text("\r").as_bytes()).unwrap(), &found);
    }
}
