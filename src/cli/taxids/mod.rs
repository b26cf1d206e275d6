//! Taxids as the user gives them: of the sequences that a database is made from, and of those that are searched.

mod flags;
mod list;
mod map;
mod names;
mod source;

pub(super) use flags::TaxaFlags;
pub(super) use names::taxonomy_for;
pub(super) use source::{TaxidFlags, TaxidSource};
