//! Volumes: the bytes are the documented ones, what goes in comes out, and damage is named.

// A helper that cannot prepare its own files has nothing better to do than to panic.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use proptest::prelude::*;
use skyblast::database::{Digest, Volume, VolumeWriter, WriteError};
use skyblast::engine::Subjects;
use tempfile::TempDir;

use sequences::{Sequence, contents, example, sequences};

#[path = "common/sequences.rs"]
mod sequences;

fn write_volume(directory: &Path, sequences: &[Sequence]) -> (PathBuf, Digest) {
    let mut writer = VolumeWriter::create(directory).unwrap();
    for (defline, residues) in sequences {
        writer.push(defline, residues).unwrap();
    }
    let digest = writer.finish().unwrap();
    (directory.join(digest.to_string()), digest)
}

proptest! {
    #[test]
    fn a_volume_gives_back_what_was_written(sequences in sequences()) {
        let directory = TempDir::new().unwrap();
        let (path, digest) = write_volume(directory.path(), &sequences);
        let mapped = Volume::open(&path, Some(&digest)).unwrap();
        prop_assert_eq!(&contents(&mapped), &sequences);
        prop_assert_eq!(mapped.byte_length(), fs::metadata(&path).unwrap().len());
        prop_assert_eq!(mapped.total_residues(), sequences.iter().map(|s| s.1.len() as u64).sum::<u64>());
        let read = Volume::read(&path, Some(&digest)).unwrap();
        prop_assert_eq!(&contents(&read), &sequences);
        prop_assert_eq!(read.all_residues(), mapped.all_residues());
        let held = Volume::from_bytes("held", fs::read(&path).unwrap(), Some(&digest)).unwrap();
        prop_assert_eq!(&contents(&held), &sequences);
    }

    #[test]
    fn sentinels_stand_before_between_and_after_sequences(sequences in sequences()) {
        let directory = TempDir::new().unwrap();
        let volume = Volume::open(&write_volume(directory.path(), &sequences).0, None).unwrap();
        let mut expected = vec![0];
        for (_, residues) in &sequences {
            expected.extend(residues);
            expected.push(0);
        }
        prop_assert_eq!(volume.all_residues(), &expected);
        for (index, (_, residues)) in sequences.iter().enumerate() {
            prop_assert_eq!(&volume.all_residues()[volume.residue_range(index)], residues);
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Volume::from_bytes("noise", bytes, None).is_err());
    }

    #[test]
    fn a_changed_volume_is_refused_or_reads_without_panic(
        sequences in sequences(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let directory = TempDir::new().unwrap();
        let mut bytes = fs::read(write_volume(directory.path(), &sequences).0).unwrap();
        for (index, value) in changes {
            let place = index.index(bytes.len());
            bytes[place] = value;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        if let Ok(volume) = Volume::from_bytes("changed", bytes, None) {
            let residues: usize = contents(&volume).iter().map(|sequence| sequence.1.len()).sum();
            prop_assert_eq!(residues as u64, volume.total_residues());
            prop_assert!(contents(&volume).iter().all(|s| s.1.iter().all(|code| (1..28).contains(code))));
        }
    }
}

#[test]
fn the_bytes_of_a_volume_are_those_of_the_documented_format() {
    let directory = TempDir::new().unwrap();
    let sequences = [(b"ab".to_vec(), vec![3, 4]), (b"c".to_vec(), vec![5])];
    let bytes = fs::read(write_volume(directory.path(), &sequences).0).unwrap();
    let mut expected = b"skyblast".to_vec();
    expected.extend(1_u32.to_le_bytes());
    expected.extend(1_u32.to_le_bytes());
    for word in [2_u64, 3, 3, 80, 86, 96, 120, 144] {
        expected.extend(word.to_le_bytes());
    }
    expected.extend([0, 3, 4, 0, 5, 0]);
    expected.extend(b"abc");
    expected.extend([0; 7]);
    for word in [1_u64, 4, 6, 0, 2, 3] {
        expected.extend(word.to_le_bytes());
    }
    assert_eq!(bytes, expected);
}

#[test]
fn a_writer_refuses_what_cannot_be_searched() {
    let directory = TempDir::new().unwrap();
    let mut writer = VolumeWriter::create(directory.path()).unwrap();
    writer.push(b"good", &[1]).unwrap();
    assert!(matches!(writer.push(b"empty", &[]), Err(WriteError::NoResidues { index: 1 })));
    for code in [0, 28, 255] {
        let refused = writer.push(b"bad", &[1, code]);
        assert!(matches!(refused, Err(WriteError::InvalidResidue { index: 1, code: c }) if c == code));
    }
    assert!(matches!(writer.push(b"\nx\nbad", &[1]), Err(WriteError::InvalidTaxids { index: 1 })));
    drop(writer);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "an abandoned volume leaves nothing");
}

/// A volume without taxids is what it was before there were any, so programs of that time read it.
#[test]
fn only_a_volume_with_taxids_is_of_the_newer_format() {
    let directory = TempDir::new().unwrap();
    let version = |sequences: &[Sequence]| fs::read(write_volume(directory.path(), sequences).0).unwrap()[8];
    let sequence = |line: &[u8]| (line.to_vec(), vec![1]);
    assert_eq!(version(&[sequence(b"a b"), sequence(b"lcl|a\nb")]), 1);
    assert_eq!(version(&[sequence(b"a b"), sequence(b"\n9606\na b"), sequence(b"c")]), 2);
    let labelled = [sequence(b"\n9606 0,5\na\nb\nc\nd"), sequence(b"a b")];
    let (path, _) = write_volume(directory.path(), &labelled);
    assert_eq!(contents(&Volume::open(&path, None).unwrap()), labelled);
    let bytes = fs::read(&path).unwrap();
    let place = bytes.windows(4).position(|window| window == b"9606").unwrap();
    for (place, byte) in [(place, b'x'), (place + 7, b' ')] {
        let mut damaged = bytes.clone();
        damaged[place] = byte;
        let error = Volume::from_bytes("v", damaged, None).unwrap_err().to_string();
        let reason = "the taxids of sequence 0 are no numbers";
        assert_eq!(error, format!("volume v is damaged: {reason}; rebuild the database"));
    }
}

#[test]
fn an_empty_volume_can_be_written_and_opened() {
    let directory = TempDir::new().unwrap();
    let (path, digest) = write_volume(directory.path(), &[]);
    assert!(Volume::open(&path, Some(&digest)).unwrap().is_empty());
}

#[test]
fn what_is_wrong_with_a_volume_is_said() {
    let directory = TempDir::new().unwrap();
    let good = fs::read(write_volume(directory.path(), &example()).0).unwrap();
    let refused = |change: &dyn Fn(&mut Vec<u8>)| -> String {
        let mut bytes = good.clone();
        change(&mut bytes);
        Volume::from_bytes("v", bytes, None).unwrap_err().to_string()
    };
    let damaged = |reason: &str| format!("volume v is damaged: {reason}; rebuild the database");
    assert_eq!(refused(&|v| v[0] = b'S'), "v is not a skyblast volume");
    assert_eq!(
        refused(&|v| v[8] = 3),
        "volume v has format version 3, but this program reads only up to version 2; \
         update skyblast or rebuild the database"
    );
    assert_eq!(refused(&|v| v[8] = 0), damaged("its format version is 0"));
    assert_eq!(refused(&|v| v[12] = 2), damaged("its alphabet is unknown"));
    let disagree = "the offsets in its header do not agree with its counts";
    assert_eq!(refused(&|v| v[16] += 1), damaged(disagree));
    assert_eq!(refused(&|v| v[16..40].fill(0xFF)), damaged(disagree));
    assert_eq!(refused(&|v| v.push(0)), damaged("1 bytes follow its end"));
    assert_eq!(refused(&|v| v[81] = 28), damaged("it holds 28, which is no residue code"));
    assert_eq!(refused(&|v| v[81] = 0), damaged("it holds 6 sentinels for 4 sequences"));
    let tables = good.len() - 2 * 5 * 8;
    assert_eq!(refused(&|v| v[tables - 1] = 1), damaged("the padding before its tables is not zero"));
    assert_eq!(refused(&|v| v[tables] = 2), damaged("entry 0 of its residue table is wrong"));
    assert_eq!(refused(&|v| v[tables + 8] += 1), damaged("entry 1 of its residue table is wrong"));
    assert_eq!(refused(&|v| v[tables + 15] = 0xFF), damaged("entry 1 of its residue table is wrong"));
    assert_eq!(refused(&|v| v[tables + 40] = 1), damaged("entry 0 of its definition line table is wrong"));
    assert_eq!(refused(&|v| v[tables + 48] = 200), damaged("entry 1 of its definition line table is wrong"));
    let short = damaged("one of its tables does not cover its section");
    assert_eq!(refused(&|v| v[tables + 72] -= 1), short);
    assert!(Volume::from_bytes("v", Bytes::from(good.clone()), None).is_ok());
}
