//! Composition-based statistics: scores that take account of what a pair of sequences is made of.
//!
//! Two proteins rich in the same residues score well without being related. Each pair therefore
//! gets a matrix of its own, either the usual one scaled (Schäffer et al., Nucleic Acids Res.
//! 29:2994, 2001) or one made for the pair's compositions (Altschul et al., FEBS J. 272:5101, 2005),
//! and is aligned anew with it:
//!
//! 1. the subject's stretches of low complexity are masked, unless the pair is nearly identical
//!    (`near_identical`);
//! 2. compositions are taken (`counts`) and decide between the two kinds of matrix (`adjust`);
//! 3. target frequencies are found by Newton's method (`optimize`), and scores follow (`matrix`);
//! 4. alignments through the preliminary start pairs replace the preliminary ones (`redo`).
//!
//! Sources: `core/blast_kappa.c` and `composition_adjustment/` of NCBI's C++ Toolkit 2.12.

mod adjust;
mod counts;
mod logarithm;
mod matrix;
mod near_identical;
mod optimize;
mod redo;

pub(super) use adjust::Adjuster;
pub(super) use redo::{RedoWorkspace, Redoer};
