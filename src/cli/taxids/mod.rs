//! Taxids as the user gives them, of the sequences that a database is made from, and where their names are.

mod map;
mod names;
mod source;

pub(super) use names::taxonomy_for;
pub(super) use source::{TaxidFlags, TaxidSource};
