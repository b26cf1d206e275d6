//! Databases: what goes in comes out, however it is cut; damage is found and named; a build that
//! fails leaves what was there.

// A helper that cannot prepare its own files has nothing better to do than to panic.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Parser;
use jiff::Timestamp;
use proptest::prelude::*;
use skyblast::cli::Cli;
use skyblast::database::{
    BuildError, BuildOptions, Builder, Database, DatabaseError, Manifest, Volume, VolumeError, VolumeLimit,
};
use skyblast::engine::Subjects;
use tempfile::TempDir;

use sequences::{Sequence, contents, example, sequences};

#[path = "common/sequences.rs"]
mod sequences;

fn options(volume_limit: VolumeLimit) -> BuildOptions {
    BuildOptions {
        title: "test".to_owned(),
        volume_limit,
        sources: vec!["test.fa".to_owned()],
        created: Timestamp::UNIX_EPOCH,
    }
}

fn build(directory: &Path, sequences: &[Sequence], limit: VolumeLimit) -> Manifest {
    let mut builder = Builder::create(directory, options(limit)).unwrap();
    for (defline, residues) in sequences {
        builder.push(defline, residues).unwrap();
    }
    builder.finish().unwrap()
}

/// A database of two volumes and the path of the second.
fn two_volumes(directory: &Path) -> (Database, PathBuf) {
    let manifest = build(directory, &example(), VolumeLimit::Sequences(2));
    let database = Database::open(directory).unwrap();
    let path = database.volume_path(&manifest.volumes[1]);
    (database, path)
}

fn volume_error(result: Result<Volume, DatabaseError>) -> VolumeError {
    match result {
        Err(DatabaseError::Volume { index: 1, source, .. }) => source,
        other => panic!("expected an error of volume 1, got {other:?}"),
    }
}

fn makedb(inputs: &[&Path], out: &Path, more: &[&str]) -> anyhow::Result<()> {
    let mut line = vec!["skyblast".into(), "makedb".into(), "--out".into(), out.as_os_str().to_owned()];
    for input in inputs {
        line.extend(["--in".into(), input.as_os_str().to_owned()]);
    }
    line.extend(more.iter().map(Into::into));
    Cli::try_parse_from(line)?.run()
}

fn edge(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/edge").join(file)
}

// Damage

#[test]
fn a_flipped_bit_in_any_byte_is_found_by_the_digest() {
    let directory = TempDir::new().unwrap();
    let (database, path) = two_volumes(directory.path());
    let good = fs::read(&path).unwrap();
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1 << (place % 8);
        fs::write(&path, &bad).unwrap();
        let error = volume_error(database.volume(1));
        assert!(matches!(error, VolumeError::DigestMismatch { .. }), "byte {place}: {error}");
        assert!(error.to_string().contains(path.to_str().unwrap()));
        assert!(database.verify().is_err());
    }
    fs::write(&path, &good).unwrap();
    database.verify().unwrap();
}

#[test]
fn a_volume_cut_anywhere_is_named_truncated() {
    let directory = TempDir::new().unwrap();
    let (database, path) = two_volumes(directory.path());
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        let error = volume_error(database.volume(1)).to_string();
        let lengths = format!("is truncated: expected {} bytes, found {length}", good.len());
        assert_eq!(error, format!("volume {} {lengths}", path.display()));
        // Without a manifest the header tells, as long as it is there.
        let error = Volume::open(&path, None).unwrap_err();
        assert!(matches!(error, VolumeError::Truncated { found, .. } if found == length as u64), "{error}");
    }
}

#[test]
fn missing_and_exchanged_volumes_are_named() {
    let directory = TempDir::new().unwrap();
    let (database, path) = two_volumes(directory.path());
    let first = database.volume_path(&database.manifest().volumes[0]);
    let second = fs::read(&path).unwrap();
    fs::write(&path, [fs::read(&first).unwrap(), vec![0; 1000]].concat()).unwrap();
    assert!(matches!(volume_error(database.volume(1)), VolumeError::DigestMismatch { .. }));
    fs::write(&path, [&second[..], b"more"].concat()).unwrap();
    assert!(matches!(volume_error(database.volume(1)), VolumeError::DigestMismatch { .. }));
    fs::remove_file(&path).unwrap();
    let error = volume_error(database.volume(1)).to_string();
    assert!(error.starts_with(&format!("could not read volume {}: ", path.display())), "{error}");
    assert!(database.volume(0).is_ok());
}

#[test]
fn a_manifest_that_contradicts_a_volume_is_found() {
    let directory = TempDir::new().unwrap();
    let mut manifest = build(directory.path(), &example(), VolumeLimit::Sequences(2));
    manifest.volumes[1].residues += 1;
    manifest.residues += 1;
    manifest.version = Manifest::version_of(&manifest.volumes);
    fs::write(directory.path().join("manifest.json"), manifest.to_json()).unwrap();
    let error = volume_error(Database::open(directory.path()).unwrap().volume(1)).to_string();
    assert!(
        error.contains("it holds 2 sequences and 67 residues, but the manifest says 2 and 68"),
        "{error}"
    );
}

#[test]
fn a_directory_without_a_database_is_named() {
    let directory = TempDir::new().unwrap();
    let error = Database::open(directory.path()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{} is not a skyblast database", directory.path().display())));
    fs::write(directory.path().join("manifest.json"), "{").unwrap();
    let error = Database::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("manifest.json is not a skyblast manifest: "), "{error}");
}

// Building

proptest! {
    #[test]
    fn however_it_is_cut_a_database_is_its_input(
        sequences in sequences(),
        limit in prop_oneof![
            (1_u64..3000).prop_map(VolumeLimit::Bytes),
            (0_u64..30).prop_map(VolumeLimit::Sequences),
        ],
    ) {
        let directory = TempDir::new().unwrap();
        let manifest = build(directory.path(), &sequences, limit);
        let database = Database::open(directory.path()).unwrap();
        prop_assert_eq!(database.manifest(), &manifest);
        let mut found = Vec::new();
        for (index, info) in manifest.volumes.iter().enumerate() {
            prop_assert_eq!(info.first_ordinal, found.len() as u64);
            let volume = database.volume(index).unwrap();
            prop_assert_eq!(info.bytes, volume.byte_length());
            prop_assert_eq!(info.sequences, volume.len() as u64);
            match limit {
                VolumeLimit::Bytes(most) => prop_assert!(info.bytes <= most || info.sequences == 1),
                VolumeLimit::Sequences(most) => prop_assert!(info.sequences <= most.max(1)),
            }
            found.extend(contents(&volume));
        }
        prop_assert_eq!(manifest.sequences, sequences.len() as u64);
        prop_assert_eq!(manifest.shortest, sequences.iter().map(|s| s.1.len() as u64).min().unwrap());
        prop_assert_eq!(manifest.longest, sequences.iter().map(|s| s.1.len() as u64).max().unwrap());
        prop_assert_eq!(found, sequences);
    }
}

#[test]
fn volumes_are_filled_up_to_the_limit() {
    let directory = TempDir::new().unwrap();
    let whole = build(directory.path(), &example(), VolumeLimit::Bytes(u64::MAX)).volumes[0].bytes;
    assert_eq!(build(directory.path(), &example(), VolumeLimit::Bytes(whole)).volumes.len(), 1);
    assert_eq!(build(directory.path(), &example(), VolumeLimit::Bytes(whole - 1)).volumes.len(), 2);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = build(one.path(), &example(), VolumeLimit::Sequences(3));
    let second = build(two.path(), &example(), VolumeLimit::Sequences(3));
    assert_eq!(first, second);
    for info in &first.volumes {
        let file = format!("volumes/{}", info.digest);
        assert_eq!(fs::read(one.path().join(&file)).unwrap(), fs::read(two.path().join(&file)).unwrap());
    }
}

#[test]
fn equal_volumes_are_one_file() {
    let directory = TempDir::new().unwrap();
    let twice = [example()[0].clone(), example()[0].clone()];
    let manifest = build(directory.path(), &twice, VolumeLimit::Sequences(1));
    assert_eq!(manifest.volumes.len(), 2);
    assert_eq!(fs::read_dir(directory.path().join("volumes")).unwrap().count(), 1);
    Database::open(directory.path()).unwrap().verify().unwrap();
}

#[test]
fn an_abandoned_build_leaves_no_database_and_can_be_repeated() {
    let directory = TempDir::new().unwrap();
    let mut builder = Builder::create(directory.path(), options(VolumeLimit::Sequences(1))).unwrap();
    for (defline, residues) in example() {
        builder.push(&defline, &residues).unwrap();
    }
    drop(builder);
    // What a killed process may leave besides.
    fs::write(directory.path().join("volumes/.unfinished-abc"), "x").unwrap();
    fs::write(directory.path().join(".unfinished-abc"), "x").unwrap();
    assert!(matches!(Database::open(directory.path()), Err(DatabaseError::NotADatabase { .. })));

    build(directory.path(), &example(), VolumeLimit::Sequences(10));
    let volumes: Vec<_> = fs::read_dir(directory.path().join("volumes")).unwrap().collect();
    assert_eq!(volumes.len(), 1, "leftovers are gone");
    assert!(!directory.path().join(".unfinished-abc").exists());
}

/// Run by [`a_killed_build_leaves_no_database_and_no_lock`] in a process of its own.
#[test]
#[ignore = "the child of another test"]
fn child_that_never_finishes_its_database() {
    let directory = std::env::var_os("SKYBLAST_TEST_DIRECTORY").unwrap();
    let mut builder = Builder::create(directory.as_ref(), options(VolumeLimit::Sequences(3))).unwrap();
    for (defline, residues) in example() {
        builder.push(&defline, &residues).unwrap();
    }
    eprintln!("half way");
    std::thread::sleep(std::time::Duration::from_secs(60));
    drop(builder);
}

#[test]
fn a_killed_build_leaves_no_database_and_no_lock() {
    let directory = TempDir::new().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "child_that_never_finishes_its_database"])
        .env("SKYBLAST_TEST_DIRECTORY", directory.path())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "half way"));
    child.kill().unwrap();
    child.wait().unwrap();

    let files = || fs::read_dir(directory.path().join("volumes")).unwrap().count();
    assert_eq!(files(), 2, "one volume is finished, one is not");
    assert!(matches!(Database::open(directory.path()), Err(DatabaseError::NotADatabase { .. })));
    build(directory.path(), &example(), VolumeLimit::Sequences(10));
    assert_eq!(files(), 1);
    Database::open(directory.path()).unwrap().verify().unwrap();
}

#[test]
fn a_database_stays_whole_until_its_successor_is() {
    let directory = TempDir::new().unwrap();
    let (old, _) = two_volumes(directory.path());
    let mut builder = Builder::create(directory.path(), options(VolumeLimit::Sequences(10))).unwrap();
    builder.push(b"new", &[1, 2, 3]).unwrap();
    old.verify().unwrap();
    assert_eq!(Database::open(directory.path()).unwrap().manifest(), old.manifest());
    fs::write(directory.path().join("volumes/notes.txt"), "not ours").unwrap();
    let new = builder.finish().unwrap();
    assert_eq!(Database::open(directory.path()).unwrap().manifest(), &new);
    assert!(old.verify().is_err(), "the old volumes are gone");
    assert!(directory.path().join("volumes/notes.txt").exists(), "what is not ours stays");
}

#[test]
fn two_builds_at_a_time_are_refused() {
    let directory = TempDir::new().unwrap();
    let first = Builder::create(directory.path(), options(VolumeLimit::Sequences(1))).unwrap();
    let second = Builder::create(directory.path(), options(VolumeLimit::Sequences(1)));
    assert!(matches!(second, Err(BuildError::Busy { .. })));
    drop(first);
    assert!(Builder::create(directory.path(), options(VolumeLimit::Sequences(1))).is_ok());
}

#[test]
fn foreign_directories_are_left_alone() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("thesis.tex"), "years of work").unwrap();
    let error = Builder::create(directory.path(), options(VolumeLimit::Sequences(1))).unwrap_err();
    assert!(matches!(&error, BuildError::Occupied { found, .. } if found == "thesis.tex"), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("manifest.json"), "{\"name\": \"a web app\"}").unwrap();
    let error = Builder::create(directory.path(), options(VolumeLimit::Sequences(1))).unwrap_err();
    assert!(matches!(error, BuildError::UnreadableManifest { .. }), "{error}");

    let file = directory.path().join("manifest.json");
    assert!(matches!(Builder::create(&file, options(VolumeLimit::Sequences(1))), Err(BuildError::Io { .. })));
}

// The command

#[test]
fn makedb_takes_what_makeblastdb_takes() {
    let expected = fs::read_to_string(edge("expected.tsv")).unwrap();
    let mut databases = 0;
    for entry in fs::read_dir(edge("")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if !file.contains(".fa") {
            continue;
        }
        let prefix = format!("{file}\tdatabase\t0\t");
        let theirs = expected.lines().filter(|line| line.starts_with(&prefix)).count() as u64;
        let out = TempDir::new().unwrap();
        match makedb(&[&edge(&file)], out.path(), &[]) {
            Ok(()) => {
                let database = Database::open(out.path()).unwrap();
                database.verify().unwrap();
                // The files that makeblastdb refuses without need hold one sequence.
                assert_eq!(database.manifest().sequences, theirs.max(1), "{file}");
                databases += 1;
            }
            Err(error) => {
                assert_eq!(theirs, 0, "{file}: {error:#}");
                let reason = match file.as_str() {
                    "no_header.fa" => "line 1: residues before the first '>' line",
                    _ => "no sequences: a database needs at least one",
                };
                assert!(format!("{error:#}").contains(reason), "{file}: {error:#}");
            }
        }
    }
    assert_eq!(databases, 39);
}

#[test]
fn several_inputs_in_any_compression_make_one_database() {
    let scratch = TempDir::new().unwrap();
    let text = fs::read(edge("edge_db.fa")).unwrap();
    let zst = scratch.path().join("copy.fa.zst");
    fs::write(&zst, zstd::encode_all(&text[..], 1).unwrap()).unwrap();
    let out = scratch.path().join("proteins.v1.skydb");
    makedb(&[&edge("edge_db.fa"), &edge("query.fa.gz"), &zst], &out, &["--volume-size", "8KiB"]).unwrap();
    let manifest = Database::open(&out).unwrap().manifest().clone();
    assert_eq!(manifest.sequences, 121);
    assert!(manifest.volumes.len() > 3 && manifest.volumes.iter().all(|volume| volume.bytes <= 8192));
    assert_eq!(manifest.title, "proteins.v1");
    assert_eq!(manifest.sources, ["edge_db.fa", "query.fa.gz", "copy.fa.zst"]);

    let titled = scratch.path().join("titled");
    makedb(&[&edge("edge_db.fa")], &titled, &["--title", "Sixty proteins"]).unwrap();
    assert_eq!(Database::open(&titled).unwrap().manifest().title, "Sixty proteins");
}

#[test]
fn makedb_names_what_it_cannot_do() {
    let scratch = TempDir::new().unwrap();
    let out = scratch.path().join("out");
    let message = |input: &Path, more: &[&str]| format!("{:#}", makedb(&[input], &out, more).unwrap_err());
    assert!(message(Path::new("missing.fa"), &[]).starts_with("could not open missing.fa: "));
    assert!(message(&edge("wide.fa"), &["--volume-size", "0"]).contains("--volume-size must be more than 0"));
    assert!(message(&edge("wide.fa"), &["--volume-size", "much"]).contains("--volume-size"));
    assert!(!out.exists(), "nothing is created before the input is known to be there");
    let cut = scratch.path().join("cut.fa.gz");
    let whole = fs::read(edge("long.fa.gz")).unwrap();
    fs::write(&cut, &whole[..1000]).unwrap();
    let error = message(&cut, &[]);
    assert!(error.contains("cut.fa.gz: record 1, line "), "{error}");
    assert!(error.ends_with("the gzip data ends too early; the file is truncated"), "{error}");
    assert!(!out.join("manifest.json").exists());
}

/// Residues in the input of the memory test.
const LARGE: usize = 64 << 20;

/// Highest memory allowed for it: buffers, the tables of one volume, and the program itself.
#[cfg(target_os = "linux")]
const MEMORY_BOUND: u64 = 24 << 20;

/// Run by [`memory_does_not_grow_with_the_input`] in a process of its own.
#[test]
#[ignore = "the child of another test"]
fn child_that_makes_a_large_database() {
    let scratch = TempDir::new().unwrap();
    let input = scratch.path().join("large.fa");
    {
        use std::io::Write;
        let mut file = std::io::BufWriter::new(fs::File::create(&input).unwrap());
        let lines = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV\n".repeat(6);
        for number in 0..LARGE / 420 {
            write!(file, ">s{number}\n{lines}").unwrap();
        }
    }
    makedb(&[&input], &scratch.path().join("db"), &[]).unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    eprintln!("peak {}", peak.split_whitespace().nth(1).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_input() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "child_that_makes_a_large_database"])
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(child.status.success(), "{output}");
    let peak = output.lines().find_map(|line| line.strip_prefix("peak ")).unwrap();
    let peak = peak.parse::<u64>().unwrap() << 10;
    assert!(peak < MEMORY_BOUND, "{} MiB of memory for {} MiB of input", peak >> 20, LARGE >> 20);
}
