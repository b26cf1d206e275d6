//! The comparison engine: pure functions from queries, subjects and options to hits.

mod subjects;

pub use subjects::Subjects;
