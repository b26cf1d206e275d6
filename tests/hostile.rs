//! Damaged and hostile files: whatever the bytes, an answer or an error that names the input, never a panic.
//!
//! Volumes and frames have their own (`tests/volume.rs`, `jobs::frame`), as have NCBI's databases
//! (`database::blastdb`); requests and messages are in `tests/http/hostile.rs`. `PROPTEST_CASES=100000` looks longer.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::io::{Read, Write};

use proptest::prelude::*;
use skyblast::database::{BuildOptions, Builder, Manifest, VolumeLimit};
use skyblast::sequence::fasta::{Limits, Reader};
use skyblast::sequence::input::Input;
use tempfile::TempDir;

use mangled::mangled;

#[path = "common/mangled.rs"]
#[allow(dead_code, reason = "texts are for requests")]
mod mangled;

const FASTA: &[u8] = b"; a comment\n>sp|P1|A_B first\x01gi|2 second\nMKTAYIAKQR\r\nqisfvk*-x\n\n>two\n>three\nACDEFGHIKLMNPQRSTVWYBZUOJ\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn manifest() -> Vec<u8> {
    let directory = TempDir::new().unwrap();
    let options = BuildOptions {
        title: "Three \"proteins\"".to_owned(),
        volume_limit: VolumeLimit::Sequences(1),
        sources: vec!["a.fa".to_owned()],
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    let mut builder = Builder::create(directory.path(), options).unwrap();
    for residues in [&[1_u8, 2, 3][..], &[4; 20], &[5]] {
        builder.push(b"x", residues).unwrap();
    }
    builder.finish().unwrap();
    std::fs::read(directory.path().join("manifest.json")).unwrap()
}

proptest! {
    #[test]
    fn damaged_fasta_gives_records_of_residues_or_an_error_that_names_it(bytes in mangled(FASTA)) {
        let limits = Limits { defline: 200, sequence: 100, ..Limits::default() };
        let longest = bytes.len();
        let mut ended = false;
        for record in Reader::with_limits("odd.fa", bytes.as_slice(), limits) {
            prop_assert!(!ended, "nothing comes after an error");
            match record {
                Ok(record) => {
                    prop_assert!(record.residues.len() <= longest.min(limits.sequence));
                    prop_assert!(record.residues.iter().all(|code| (1..28).contains(code)));
                    prop_assert!(record.lower_case.iter().all(|range| range.end as usize <= record.residues.len()));
                }
                Err(error) => {
                    ended = true;
                    prop_assert!(error.to_string().contains("odd.fa"), "{}", error);
                }
            }
        }
    }

    #[test]
    fn damaged_compressed_input_reads_or_fails_in_bounds(
        bytes in prop_oneof![mangled(&gzip(FASTA)), mangled(&zstd::encode_all(FASTA, 1).unwrap())]
    ) {
        if let Ok(input) = Input::from_bytes("odd.gz", bytes) {
            let mut plain = Vec::new();
            // A stream of some hundred bytes that expands to megabytes is another test's affair.
            let _ = input.take(1 << 20).read_to_end(&mut plain);
            prop_assert!(plain.len() <= 1 << 20);
        }
    }

    #[test]
    fn a_damaged_manifest_is_refused_or_agrees_with_itself(bytes in mangled(&manifest())) {
        match Manifest::from_json("odd.json", &bytes) {
            Err(error) => prop_assert!(error.to_string().contains("odd.json"), "{}", error),
            Ok(manifest) => {
                let sequences: u64 = manifest.volumes.iter().map(|volume| volume.sequences).sum();
                prop_assert_eq!(sequences, manifest.sequences);
                prop_assert_eq!(Manifest::version_of(&manifest.volumes), manifest.version);
            }
        }
    }
}
