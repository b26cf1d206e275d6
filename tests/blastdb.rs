//! BLAST databases: what NCBI's programs read from a database is what skyblast reads, whether it
//! searches the database or imports it; what cannot be read is named.
//!
//! The databases in `tests/golden/blastdb` are made by makeblastdb 2.12.0; the README beside them
//! says how.

// A helper that cannot prepare its own files has nothing better to do than to panic.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Parser;
use flate2::read::GzDecoder;
use proptest::prelude::*;
use skyblast::cli::Cli;
use skyblast::database::blastdb::{BlastDb, BlastDbError};
use skyblast::database::{Database, Manifest};
use skyblast::engine::{DatabaseTotals, Subjects};
use skyblast::sequence::alphabet::decode;
use skyblast::sequence::names::SubjectNames;
use tempfile::TempDir;

mod common;

use common::in_process::assert_same_report;
use common::made_alike::made_alike;

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/blastdb").join(file)
}

fn open(database: &Path) -> Result<BlastDb, BlastDbError> {
    BlastDb::open(database.to_str().unwrap(), &[])
}

fn error_of(database: &Path) -> String {
    open(database).unwrap_err().to_string()
}

fn run(arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> anyhow::Result<()> {
    let line = arguments.iter().map(|argument| argument.as_ref().to_owned());
    Cli::try_parse_from(std::iter::once("skyblast".into()).chain(line))?.run()
}

/// The report of a search of the edge database's sequences, as `make` searches.
fn search(database: &Path) -> anyhow::Result<String> {
    let directory = TempDir::new()?;
    let out = directory.path().join("report.tsv");
    let query = golden("../edge/edge_db.fa");
    let columns = "6 std sseqid sacc stitle salltitles";
    run(&[
        &"search",
        &"--query",
        &query,
        &"--db",
        &database,
        &"--out",
        &out,
        &"--evalue",
        &"1e-3",
        &"--comp-based-stats",
        &"0",
        &"--outfmt",
        &columns,
    ])?;
    Ok(fs::read_to_string(out)?)
}

fn import(database: &Path, out: &Path) -> Manifest {
    run(&[&"makedb", &"--from-blastdb", &database, &"--out", &out]).unwrap();
    Database::open(out).unwrap().manifest().clone()
}

fn assert_same_lines(found: &str, expected: &str, what: &str) {
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{what}: line {}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{what}: number of lines");
}

/// Copies the files of a database, so that a test can damage them.
///
/// The base name that it returns is free of links, as those in errors are.
fn copy(base: &str, directory: &Path) -> PathBuf {
    let directory = directory.canonicalize().unwrap();
    for extension in ["pin", "phr", "psq"] {
        let name = format!("{base}.{extension}");
        fs::copy(golden(&name), directory.join(name)).unwrap();
    }
    directory.join(base)
}

// What is read

/// What `blastdbcmd -outfmt "%o %i %g %t %l %s"` prints of a database, a line per name.
fn entries(database: &BlastDb) -> String {
    let mut text = String::new();
    let sequences = database.volumes().iter().flat_map(|volume| (0..volume.len()).map(move |i| (volume, i)));
    for (ordinal, (volume, index)) in sequences.enumerate() {
        let defline = volume.defline(index).into_owned();
        let residues: String = volume.residues(index).iter().map(|code| char::from(decode(*code))).collect();
        let names = SubjectNames::of(&defline);
        for name in names.names() {
            let id = String::from_utf8(name.id.to_vec()).unwrap();
            let (gi, id) = match id.strip_prefix("gi|").filter(|_| names.is_parted()) {
                Some(rest) => match rest.split_once('|') {
                    Some((gi, id)) => (gi.to_owned(), id.to_owned()),
                    None => (rest.to_owned(), id.clone()),
                },
                None => ("N/A".to_owned(), id),
            };
            let id = if names.is_parted() { id } else { format!("gnl|BL_ORD_ID|{ordinal}") };
            let title = std::str::from_utf8(&name.title).unwrap();
            text += &format!("{ordinal}\t{id}\t{gi}\t{title}\t{}\t{residues}\n", residues.len());
        }
    }
    text
}

#[test]
fn every_sequence_and_name_is_what_blastdbcmd_prints() {
    for database in ["whole.v4", "whole.v5", "parsed.v4", "parsed.v5", "parts.v4", "parts.v5"] {
        let expected = fs::read_to_string(golden(&format!("{database}.entries.tsv"))).unwrap();
        assert_same_lines(&entries(&open(&golden(database)).unwrap()), &expected, database);
    }
}

#[test]
fn searches_print_what_blastp_prints() {
    for database in ["whole.v4", "whole.v5", "parsed.v4", "parts.v4", "parts.v5", "nested/twins", "stated"] {
        let base = database.rsplit('/').next().unwrap();
        let expected = fs::read_to_string(golden(&format!("{base}.report.tsv"))).unwrap();
        assert_same_lines(&search(&golden(database)).unwrap(), &expected, database);
    }
}

#[test]
fn an_imported_database_gives_the_same_report() {
    for database in ["parsed.v4", "whole.v4", "parts.v5"] {
        let directory = TempDir::new().unwrap();
        let imported = directory.path().join("imported");
        import(&golden(database), &imported);
        let expected = search(&golden(database)).unwrap();
        assert!(!expected.is_empty());
        assert_same_lines(&search(&imported).unwrap(), &expected, database);
    }
}

/// One alias file names a volume that another names too: NCBI's programs count it twice for E-values
/// and search it once.
#[test]
fn a_volume_of_two_alias_files_is_counted_twice_and_searched_once() {
    let twins = open(&golden("nested/twins")).unwrap();
    assert_eq!((twins.totals().sequences, twins.content().sequences), (24, 18));
    // The same volume by way of another path.
    let directory = TempDir::new().unwrap();
    copy("twin.a", directory.path());
    fs::create_dir(directory.path().join("folder")).unwrap();
    fs::write(directory.path().join("db.pal"), "DBLIST twin.a folder/../twin.a\n").unwrap();
    assert_eq!(open(&directory.path().join("db")).unwrap().totals().sequences, 6);
}

#[test]
fn a_fasta_file_is_searched_as_the_database_made_of_it() {
    let expected = search(&golden("parts.v5")).unwrap();
    assert_same_lines(&search(&golden("../edge/edge_db.fa")).unwrap(), &expected, "edge_db.fa");
}

#[test]
fn importing_gives_the_volumes_that_the_fasta_file_gives() {
    let directory = TempDir::new().unwrap();
    let from_fasta = directory.path().join("fasta");
    // The BLAST databases were made without taxids, although some titles state them.
    run(&[&"makedb", &"--ignore-ox", &"--in", &golden("../edge/edge_db.fa"), &"--out", &from_fasta]).unwrap();
    let expected = Database::open(&from_fasta).unwrap().manifest().volumes.clone();
    for database in ["parts.v4", "parts.v5", "parts.v5"] {
        let imported = import(&golden(database), &directory.path().join("imported"));
        assert_eq!(imported.volumes, expected, "{database}");
        assert_eq!((&*imported.title, &imported.sources[..]), ("Parts", &[database.to_owned()][..]));
    }
}

// Names and totals

#[test]
fn totals_are_what_alias_files_state_or_else_what_volumes_hold() {
    let held = |database: &str| open(&golden(database)).unwrap().content();
    let whole = open(&golden("parts.v4")).unwrap();
    assert_eq!(whole.totals(), DatabaseTotals { sequences: 60, residues: 14_187 });
    assert_eq!(whole.totals(), whole.content());
    let stated = open(&golden("stated")).unwrap();
    assert_eq!(stated.totals(), DatabaseTotals { sequences: 100_000, residues: 30_000_000 });
    assert_eq!(stated.content().sequences, held("twin.a").sequences + held("twin.b").sequences);
}

#[test]
fn statistics_of_an_alias_file_go_before_its_counts() {
    let directory = TempDir::new().unwrap();
    copy("twin.a", directory.path());
    let counts = "NSEQ 10\nLENGTH 2000\nSTATS_NSEQ 30\nSTATS_TOTLEN 4000\n";
    fs::write(directory.path().join("db.pal"), format!("DBLIST twin.a\n{counts}")).unwrap();
    let totals = open(&directory.path().join("db")).unwrap().totals();
    assert_eq!(totals, DatabaseTotals { sequences: 30, residues: 4000 });
}

#[test]
fn titles_are_those_of_alias_files_or_else_of_all_parts() {
    let title = |database: &str| open(&golden(database)).unwrap().title().to_owned();
    assert_eq!(title("whole.v5"), "Whole lines");
    assert_eq!(title("parts.v5"), "Parts");
    assert_eq!(title("nested/twins"), "The twins");
    let several = format!("{} {}", golden("twin.b").display(), golden("twin.a").display());
    let several = BlastDb::open(&several, &[]).unwrap();
    assert_eq!(several.title(), "Twin b; Twin a");
    assert_eq!(several.content().sequences, 12);
}

#[test]
fn a_name_is_looked_for_in_the_search_path_in_order() {
    let directory = TempDir::new().unwrap();
    let search_path = [directory.path().to_owned(), golden("")];
    assert_eq!(BlastDb::open("twin.c", &search_path).unwrap().title(), "Twin c");
    fs::write(directory.path().join("twin.c.pal"), "TITLE Mine\nDBLIST twin.a\n").unwrap();
    assert_eq!(BlastDb::open("twin.c", &search_path).unwrap().title(), "Mine");
}

#[test]
fn an_alias_file_may_have_the_name_of_its_volume_and_blanks_in_names() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("a folder");
    fs::create_dir(&folder).unwrap();
    copy("twin.a", &folder);
    fs::write(folder.join("twin.a.pal"), "TITLE Over\nDBLIST twin.a\n").unwrap();
    let outer = directory.path().join("outer");
    fs::write(outer.with_extension("pal"), "DBLIST \"a folder/twin.a\"\n").unwrap();
    assert_eq!(open(&folder.join("twin.a")).unwrap().title(), "Over");
    assert_eq!(open(&outer).unwrap().content().sequences, 6);
}

// What cannot be read

#[test]
fn alias_files_that_cannot_be_followed_are_named() {
    let directory = TempDir::new().unwrap();
    copy("twin.a", directory.path());
    let base = directory.path().join("db");
    let alias = base.with_extension("pal");
    let shown = alias.display();
    for (text, expected) in [
        ("DBLIST twin.a gone\n", format!("{shown} names gone, which is missing: looked for ")),
        ("TITLE nothing\n", format!("{shown}: it names no database (DBLIST)")),
        ("DBLIST ../x\n", format!("{shown} names ../x, which is missing: looked for ")),
        ("DBLIST ./db\n", format!("{shown} names ./db, which is missing: looked for ")),
        (
            "DBLIST twin.a\nGILIST some.gil\n",
            format!("{shown} selects sequences with GILIST, which skyblast"),
        ),
        ("DBLIST twin.a\nTAXIDLIST 9606.til\n", format!("{shown} selects sequences with TAXIDLIST, which")),
    ] {
        fs::write(&alias, text).unwrap();
        let error = error_of(&base);
        assert!(error.starts_with(&expected), "{text:?}: {error}");
    }
    // Through `..` every turn of the loop has a new name.
    let folder = directory.path().file_name().unwrap().to_str().unwrap();
    fs::write(&alias, format!("DBLIST ../{folder}/db\n")).unwrap();
    assert!(error_of(&base).ends_with("it names itself, directly or through other alias files"));
    fs::write(&alias, "DBLIST other\n").unwrap();
    fs::write(directory.path().join("other.pal"), "DBLIST db\n").unwrap();
    assert!(error_of(&base).ends_with("it names itself, directly or through other alias files"));
}

#[test]
fn other_databases_are_told_apart() {
    let error = error_of(&golden("nucleotide"));
    assert!(error.contains("nucleotide.nin belongs to a nucleotide database"), "{error}");
    let error = search(&golden("nothing")).unwrap_err().to_string();
    for looked_for in ["nothing/manifest.json", "nothing.pal", "nothing.pin", "a FASTA file"] {
        assert!(error.contains(looked_for), "{error}");
    }
    let error = search(&golden("twin.a.pin")).unwrap_err().to_string();
    assert!(error.contains("is one file of a BLAST database; name the database: "), "{error}");
    let error = search(&golden("")).unwrap_err().to_string();
    assert!(error.contains("is not a skyblast database"), "{error}");

    let directory = TempDir::new().unwrap();
    fs::copy(golden("nucleotide.nin"), directory.path().join("db.pin")).unwrap();
    let error = error_of(&directory.path().join("db"));
    assert!(error.contains("db.pin belongs to a nucleotide database"), "{error}");
    fs::write(directory.path().join("db.pin"), [0, 0, 0, 3, 0, 0, 0, 1]).unwrap();
    assert!(matches!(open(&directory.path().join("db")), Err(BlastDbError::UnknownVersion { found: 3, .. })));
}

#[test]
fn a_lost_file_is_named() {
    for extension in ["phr", "psq"] {
        let directory = TempDir::new().unwrap();
        let base = copy("twin.a", directory.path());
        let file = PathBuf::from(format!("{}.{extension}", base.display()));
        fs::remove_file(&file).unwrap();
        let error = error_of(&base);
        assert!(error.starts_with(&format!("could not read {}: ", file.display())), "{error}");
    }
}

#[test]
fn a_file_cut_anywhere_is_called_truncated() {
    for extension in ["pin", "phr", "psq"] {
        let directory = TempDir::new().unwrap();
        let base = copy("parsed.v5", directory.path());
        let file = PathBuf::from(format!("{}.{extension}", base.display()));
        let whole = fs::read(&file).unwrap();
        for length in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
            fs::write(&file, &whole[..length]).unwrap();
            match open(&base) {
                Err(BlastDbError::Truncated { file: named, .. }) => assert_eq!(named, file),
                other => panic!("{extension} cut to {length} bytes: {other:?}"),
            }
        }
    }
}

#[test]
fn damaged_residues_and_headers_are_named_with_their_sequence() {
    let directory = TempDir::new().unwrap();
    let base = copy("twin.a", directory.path());
    let damage = |extension: &str, place: usize, byte: u8| {
        copy("twin.a", directory.path());
        let file = directory.path().join(format!("twin.a.{extension}"));
        let mut bytes = fs::read(&file).unwrap();
        bytes[place] = byte;
        fs::write(&file, bytes).unwrap();
        error_of(&base)
    };
    // The first sequence has 140 residues: a sentinel at either end, none and no other code between.
    for (place, byte) in [(0, 5), (141, 5), (70, 0), (70, 28)] {
        let error = damage("psq", place, byte);
        assert!(error.contains("twin.a.psq is damaged: sequence 0 does not lie between zeros"), "{error}");
    }
    let error = damage("phr", 0, 0x31);
    assert!(
        error.contains("the header of sequence 0 cannot be read: it lacks a set of definition lines"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_damage_makes_it_panic(extension in 0usize..3, place: prop::sample::Index, byte: u8) {
        let directory = TempDir::new().unwrap();
        let base = copy("parsed.v4", directory.path());
        let file = directory.path().join(format!("parsed.v4.{}", ["pin", "phr", "psq"][extension]));
        let mut bytes = fs::read(&file).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        fs::write(&file, bytes).unwrap();
        // Where it opens, everything in it can be read.
        if let Ok(database) = open(&base) {
            entries_of_any(&database);
        }
    }
}

fn entries_of_any(database: &BlastDb) {
    for volume in database.volumes() {
        for index in 0..volume.len() {
            assert!(!volume.residues(index).contains(&0));
            let line = volume.defline(index).into_owned();
            SubjectNames::of(&line).accession_version();
        }
    }
}

// Reports on several names

/// Searches the database of several names per sequence and compares the report with blastp's.
fn check_names(report: &str, arguments: &[&str]) {
    let directory = TempDir::new().unwrap();
    let out = directory.path().join("report");
    let (query, list) = (golden("../edge/edge_db.fa"), golden("few.txt"));
    let mut line: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"search", &"--query", &query, &"--out", &out];
    for argument in arguments {
        match *argument {
            "LIST" => line.push(&list),
            _ => line.push(argument),
        }
    }
    // Reports repeat the name of the database, so it is named as blastp was told.
    let database = golden("names");
    line.extend([&"--db" as &dyn AsRef<std::ffi::OsStr>, &database]);
    run(&line).unwrap();
    let ours = fs::read(out).unwrap();
    let named = String::from_utf8(ours).unwrap().replace(database.to_str().unwrap(), "names");
    let mut expected = Vec::new();
    GzDecoder::new(fs::File::open(golden(report)).unwrap()).read_to_end(&mut expected).unwrap();
    // The index says when the database was made.
    let posted = |text: &str| text.lines().find(|line| line.contains("Posted date:")).map(str::to_owned);
    assert_eq!(posted(&named), posted(&String::from_utf8_lossy(&expected)));
    assert_same_report(report, &made_alike(named.as_bytes()), &made_alike(&expected));
}

#[test]
fn all_names_of_a_sequence_are_reported() {
    for format in ["0", "5", "15", "16"] {
        let report = format!("names.report.{format}.gz");
        check_names(&report, &["--evalue", "1", "--outfmt", format]);
    }
}

#[test]
fn any_name_of_a_sequence_may_be_listed() {
    for (report, option) in [("names.few.7.gz", "--seqidlist"), ("names.others.7.gz", "--negative-seqidlist")]
    {
        check_names(report, &["--evalue", "1000", "--outfmt", "7", option, "LIST"]);
    }
}
