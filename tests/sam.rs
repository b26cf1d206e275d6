//! Reports as SAM, format 17: the rows of format 6, whatever sequences are called and however the search is
//! cut.
//!
//! blastp refuses SAM, so rows are compared with those of format 6, which `golden.rs` compares with blastp's.
//! `clients.rs` reads the format with pysam.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;

mod common;

use common::command::{end, skyblast};
use common::in_process::{OpenDatabase, assert_same_report, build_database, chunks, chunks_of, project_file};

/// Files of the edge cases with odd letters and odd names.
const ODD: [&str; 16] = [
    "ambig",
    "stops",
    "short",
    "pipes",
    "dup_ids",
    "ctrl_a",
    "tab_in_header",
    "long_id",
    "commas",
    "gt_in_title",
    "gt_space_id",
    "no_header",
    "spaces",
    "semicolon",
    "nul_header",
    "nonascii_utf8",
];

/// Rows of format 6 that say what a line of SAM does.
const ROWS: &str =
    "6 qaccver saccver qlen slen qstart qend sstart send score nident gaps length evalue qseq sseq";

struct Setting {
    folder: tempfile::TempDir,
    queries: PathBuf,
    database: Vec<PathBuf>,
}

impl Setting {
    fn new(queries: &[PathBuf], database: &[PathBuf]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let joined = folder.path().join("queries.fa");
        let text: Vec<u8> = queries.iter().flat_map(|file| fs::read(file).unwrap()).collect();
        fs::write(&joined, text).unwrap();
        Self { folder, queries: joined, database: database.to_vec() }
    }

    fn all() -> Vec<Self> {
        let odd = ODD.map(|name| project_file(&format!("tests/golden/edge/{name}.fa")));
        let plain = [project_file("tests/golden/edge/edge_db.fa")];
        let letters = ["odd_letters_queries", "odd_letters"]
            .map(|name| project_file(&format!("tests/golden/blastp/{name}.fa")));
        vec![
            Self::new(&[project_file("examples/queries.fa")], &[project_file("examples/database.fa.gz")]),
            Self::new(&odd, &plain),
            Self::new(&plain, &odd),
            Self::new(&letters[..1], &letters[1..]),
        ]
    }

    /// The report of a search in chunks of so many residues and volumes of so many sequences.
    fn report(&self, format: &str, residues: u64, sequences: u64) -> Vec<u8> {
        let directory = self.folder.path().join(format!("db{sequences}"));
        let database = build_database(&directory, &self.database, VolumeLimit::Sequences(sequences));
        let report = OpenDatabase::new(&database).report(
            &chunks(&self.queries, chunks_of(residues)),
            SearchOptions { evalue: 100.0, ..SearchOptions::default() },
            &format.parse().unwrap(),
            2,
            &mut |order| order,
        );
        fs::remove_dir_all(&directory).unwrap();
        report
    }
}

/// One line of an alignment section.
struct Line {
    fields: Vec<String>,
    tags: BTreeMap<String, String>,
}

impl Line {
    fn parse(text: &str) -> Self {
        let mut fields: Vec<String> = text.split('\t').map(str::to_owned).collect();
        let tags = fields.split_off(11);
        let tag = |text: String| {
            let (name, value) = text.split_at(5);
            (name[..2].to_owned(), value.to_owned())
        };
        Self { fields, tags: tags.into_iter().map(tag).collect() }
    }

    /// The parts of the CIGAR.
    fn operations(&self) -> Vec<(usize, char)> {
        let mut operations = Vec::new();
        let mut number = 0;
        for letter in self.fields[5].chars() {
            match letter.to_digit(10) {
                Some(digit) => number = 10 * number + digit as usize,
                None => operations.push((std::mem::take(&mut number), letter)),
            }
        }
        operations
    }

    /// Both rows of the alignment, made of CIGAR, SEQ and MD.
    fn rows(&self) -> (String, String) {
        let mut letters = self.fields[9].chars();
        // Equal columns as '=', others as the subject's letter.
        let mut subject = Vec::new();
        let mut number = 0usize;
        for letter in self.tags["MD"].chars().chain(['^']) {
            match letter.to_digit(10) {
                Some(digit) => number = 10 * number + digit as usize,
                None => {
                    subject.extend(std::iter::repeat_n('=', std::mem::take(&mut number)));
                    subject.extend(Some(letter).filter(|letter| *letter != '^'));
                }
            }
        }
        let mut subject = subject.into_iter();
        let mut rows = (String::new(), String::new());
        for (length, operation) in self.operations() {
            for _ in 0..if operation == 'H' { 0 } else { length } {
                let (q, s) = match operation {
                    'M' => (letters.next().unwrap(), subject.next().unwrap()),
                    'I' => (letters.next().unwrap(), '-'),
                    'D' => ('-', subject.next().unwrap()),
                    other => panic!("{other} is no operation"),
                };
                rows.0.push(q);
                rows.1.push(if s == '=' { q } else { s });
            }
        }
        assert_eq!((letters.next(), subject.next()), (None, None));
        rows
    }
}

fn lines(report: &[u8]) -> (Vec<String>, Vec<Line>) {
    let text = String::from_utf8(report.to_vec()).unwrap();
    let (head, body): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('@'));
    (head.into_iter().map(str::to_owned).collect(), body.into_iter().map(Line::parse).collect())
}

/// The lengths of the references that a head lists.
fn references(head: &[String]) -> BTreeMap<String, u64> {
    let mut references = BTreeMap::new();
    for line in head.iter().filter(|line| line.starts_with("@SQ")) {
        let (name, length) = line.strip_prefix("@SQ\tSN:").unwrap().split_once("\tLN:").unwrap();
        assert_eq!(
            references.insert(name.to_owned(), length.parse().unwrap()),
            None,
            "{name} is listed twice"
        );
    }
    references
}

fn is_reference_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\,\"`'()[]{}<>".contains(&byte))
        && !name.starts_with(['*', '='])
}

#[test]
fn lines_tell_what_rows_of_format_6_tell() {
    for setting in Setting::all() {
        let (head, found) = lines(&setting.report("17 SQ", u64::MAX, u64::MAX));
        let references = references(&head);
        let rows = setting.report(ROWS, u64::MAX, u64::MAX);
        let rows: Vec<Vec<String>> = rows
            .split_inclusive(|byte| *byte == b'\n')
            .map(|row| String::from_utf8_lossy(row).trim_end().split('\t').map(str::to_owned).collect())
            .collect();
        assert!(!rows.is_empty());
        assert_eq!(found.len(), rows.len());
        for (line, row) in found.iter().zip(&rows) {
            let number = |column: usize| row[column].parse::<usize>().unwrap();
            let (query, subject) = (&line.fields[0], &line.fields[2]);
            assert!(query.len() <= 254 && query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@'));
            assert!(is_reference_name(subject), "{subject}");
            if row[0].is_ascii() && row[0].len() <= 254 {
                assert_eq!(*query, row[0]);
            }
            if is_reference_name(&row[1]) {
                assert_eq!(*subject, row[1]);
            }
            assert_eq!(line.fields[1], "0");
            assert_eq!(line.fields[3], row[6]);
            assert_eq!(line.fields[4], "255");
            assert_eq!(line.fields[6..9], ["*", "0", "0"]);
            assert_eq!(line.fields[10], "*");

            let operations = line.operations();
            let sum = |kinds: &str| -> usize {
                operations.iter().filter(|(_, kind)| kinds.contains(*kind)).map(|(length, _)| length).sum()
            };
            let clip =
                |place: Option<&(usize, char)>| place.filter(|(_, kind)| *kind == 'H').map_or(0, |o| o.0);
            assert_eq!(clip(operations.first()), number(4) - 1);
            assert_eq!(clip(operations.last()), number(2) - number(5));
            assert_eq!(sum("HMI"), number(2));
            assert_eq!(sum("MD"), number(7) - number(6) + 1);
            assert_eq!(sum("ID"), number(10));
            assert!(references[subject] >= row[3].parse().unwrap());

            let tag = |name: &str| line.tags[name].as_str();
            assert_eq!((tag("AS"), tag("ZR")), (&*row[8], &*row[8]));
            assert_eq!((tag("ZL"), tag("ZS"), tag("ZE")), (&*row[3], &*row[4], &*row[12]));
            assert_eq!(tag("NM").parse::<usize>().unwrap(), number(11) - number(9));
            assert_eq!(tag("ZI").parse::<usize>().unwrap(), 100 * number(9) / number(11));
            assert_eq!((tag("PI") == "100.00"), number(9) == number(11) - number(10), "{}", tag("PI"));
            assert_eq!(line.rows(), (row[13].replace('*', "X"), row[14].replace('*', "X")));
        }
        assert!(references.keys().all(|name| found.iter().any(|line| line.fields[2] == **name)));
    }
}

#[test]
fn a_report_is_the_same_however_the_search_is_cut() {
    for setting in Setting::all() {
        let whole = setting.report("17", u64::MAX, u64::MAX);
        let cut = setting.report("17 SR", 1_000, 20);
        assert_same_report("small chunks and volumes", &cut, &whole);
    }
}

#[test]
fn sequences_are_written_if_they_are_asked_for() {
    let setting = &Setting::all()[0];
    let (_, with) = lines(&setting.report("17 SR SQ", u64::MAX, u64::MAX));
    let (_, without) = lines(&setting.report("17", u64::MAX, u64::MAX));
    assert!(with.iter().all(|line| line.fields[9] != "*"));
    for (mut with, without) in with.into_iter().zip(without) {
        with.fields[9] = "*".to_owned();
        assert_eq!((with.fields, with.tags), (without.fields, without.tags));
    }
}

/// A head comes first, although it is known last; what waits for it leaves nothing behind.
#[test]
fn the_command_writes_to_a_file_what_it_writes_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let edge = |name: &str| project_file(&format!("tests/golden/edge/{name}.fa")).display().to_string();
    let search = |format: &str, more: &[&str]| {
        let (query, database) = (edge("lower"), edge("edge_db"));
        let arguments = ["search", "--query", &query, "--db", &database, "--outfmt", format];
        end(skyblast(arguments.iter().chain(more)).current_dir(folder.path())).ok()
    };
    let printed = search("17", &[]);
    assert!(printed.starts_with(b"@HD\tVN:1.2\tGO:query\n@SQ\tSN:"), "{}", printed.escape_ascii());
    assert!(search("17", &["--out", "report.sam"]).is_empty());
    assert_eq!(fs::read(folder.path().join("report.sam")).unwrap(), printed);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // Without hits there are no references, but a head all the same.
    let none = String::from_utf8(search("17", &["--evalue", "1e-300"])).unwrap();
    assert!(none.lines().all(|line| line.starts_with('@') && !line.starts_with("@SQ")), "{none}");
    assert!(none.contains("@PG\tID:0\tVN:2.12.0+ (skyblast "), "{none}");
}
