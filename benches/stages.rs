//! Times the stages of a comparison on random proteins: `cargo bench`.
//!
//! The kernels are measured beside the code that they stand in for, in the same run.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use skyblast::engine::stages::{By, Stages};
use skyblast::engine::{DatabaseTotals, OptionChoices};

/// Residue codes of the twenty amino acids.
const AMINO_ACIDS: [u8; 20] = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22];

/// Random residues; the same for the same seed.
fn protein(length: usize, mut seed: u64) -> Vec<u8> {
    let mut next = || {
        // xorshift64 (Marsaglia, Journal of Statistical Software 8:14, 2003).
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        AMINO_ACIDS[(seed % 20) as usize]
    };
    (0..length).map(|_| next()).collect()
}

/// A relative of `query`: three residues in five are others.
fn relative(query: &[u8], seed: u64) -> Vec<u8> {
    let others = protein(query.len(), seed);
    let pairs = query.iter().zip(others).enumerate();
    pairs.map(|(place, (&same, other))| if [0, 2].contains(&(place % 5)) { same } else { other }).collect()
}

fn stages(criterion: &mut Criterion) {
    let (query, subject) = (protein(400, 1), protein(400, 2));
    let options = OptionChoices::default().resolve().expect("the defaults are valid");
    let totals = DatabaseTotals { sequences: 100_000, residues: 40_000_000 };
    let prepared = Stages::new(&query, options, totals).expect("there are statistics");
    let mut stages = prepared.expect("the query can be searched");
    let related = relative(&query, 3);
    let start = (200, 200);

    let mut group = criterion.benchmark_group("pair");
    group.throughput(Throughput::Elements((query.len() * subject.len()) as u64));
    for (name, by) in [("portable", By::Twin), ("kernel", By::Kernel)] {
        group.bench_function(format!("words and ungapped, {name}"), |b| {
            b.iter(|| stages.scan(black_box(&subject), by));
        });
    }
    for (name, by) in [("portable", By::Twin), ("kernel", By::Kernel)] {
        group.bench_function(format!("gapped score, {name}"), |b| {
            b.iter(|| stages.gapped_score(black_box(&related), start, by));
        });
        group.bench_function(format!("alignment, {name}"), |b| {
            b.iter(|| stages.aligned(black_box(&related), start, by));
        });
    }
    for (name, by) in [("portable", By::Twin), ("kernel", By::Kernel)] {
        group.bench_function(format!("unrelated, gapped score, {name}"), |b| {
            b.iter(|| stages.gapped_score(black_box(&subject), start, by));
        });
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
