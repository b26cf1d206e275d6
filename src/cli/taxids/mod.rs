//! Taxids as the user gives them, of the sequences that a database is made from.

mod map;
mod source;

pub(super) use source::{TaxidFlags, TaxidSource};
