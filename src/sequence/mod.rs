//! Protein sequences: residue codes, FASTA and the files it comes in.

pub mod alphabet;
