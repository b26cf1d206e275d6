//! Protein sequences: residue codes, FASTA and the files it comes in.

pub mod alphabet;
mod counted;
pub mod defline;
mod entities;
pub mod fasta;
pub mod input;
pub mod names;
pub mod nucleotide;
pub mod taxids;
pub mod title;

pub use counted::counted;
