//! Reports: hits as text, in the formats of BLAST+.

mod number;
mod outfmt;
mod tabular;

pub use outfmt::{Column, OutputFormat, ParseFormatError};
pub use tabular::{QueryText, TabularWriter};
