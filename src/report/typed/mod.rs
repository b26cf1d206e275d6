//! The columns of a table with types, for programs that compute with them: as a stream of Apache Arrow, which is
//! written query by query, and as a file of Apache Parquet, which is made from such a stream.
//!
//! Ids and titles are dictionaries of texts, aligned residues texts, counts and positions integers of 64 bits,
//! E-values, bit scores and percentages floating-point numbers with all their digits. What tables call `N/A`
//! is null.

mod arrow;
mod batch;
mod parquet;
mod schema;

pub(super) use arrow::ArrowStream;
pub use parquet::ParquetFile;
