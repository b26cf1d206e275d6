//! Why an input could not be read as FASTA, and where.

use std::fmt;
use std::io;

use crate::sequence::input::InputError;

/// A place in a FASTA input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the input: a path, or what stands for one.
    pub input: String,
    /// Number of the record that was being read, from 1.
    pub record: u64,
    /// Number of the line that was being read, from 1.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: record {}, line {}", self.input, self.record, self.line)
    }
}

/// An input that is not FASTA, or could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FastaError {
    /// Reading failed; a truncated or damaged compressed file ends here too.
    #[error("{at}: {source}")]
    Read {
        /// Where reading stopped.
        at: Place,
        /// What the reader said.
        source: io::Error,
    },
    /// The first line of a sequence is not made of residues.
    #[error(
        "{at}: not a protein sequence: \"{excerpt}\" (expected FASTA: a line with '>' and a name, \
         then lines of residue letters)"
    )]
    NotSequence {
        /// Where.
        at: Place,
        /// Start of the line, escaped to ASCII.
        excerpt: String,
    },
    /// A definition line is longer than the limit.
    #[error("{at}: the definition line is longer than {limit} bytes; shorten it")]
    DeflineTooLong {
        /// Where.
        at: Place,
        /// Most bytes accepted.
        limit: usize,
    },
    /// A sequence is longer than the limit.
    #[error("{at}: the sequence is longer than {limit} residues; is it a protein?")]
    SequenceTooLong {
        /// Where.
        at: Place,
        /// Most residues accepted.
        limit: usize,
    },
    /// The input as a whole is larger than the limit.
    #[error("{at}: more than {limit} {what} in one input; split it")]
    TooMuch {
        /// Where the limit was passed.
        at: Place,
        /// What there is too much of.
        what: Total,
        /// How much is accepted.
        limit: u64,
    },
}

/// What an input as a whole has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Bytes, decompressed.
    Bytes,
    /// Records, those without residues included.
    Records,
    /// Residues of all records.
    Residues,
}

impl Total {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Records => "records",
            Self::Residues => "residues",
        }
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes (decompressed)",
            other => other.name(),
        })
    }
}

impl FastaError {
    /// The input `name`, of which not even the first bytes can be used.
    pub fn unreadable(name: &str, error: InputError) -> Self {
        let source = match error {
            InputError::Open { source, .. } | InputError::Read { source, .. } => source,
            other => io::Error::other(other),
        };
        Self::Read { at: Place { input: name.to_owned(), record: 1, line: 1 }, source }
    }

    /// Where the input went wrong.
    pub fn place(&self) -> &Place {
        match self {
            Self::Read { at, .. }
            | Self::NotSequence { at, .. }
            | Self::DeflineTooLong { at, .. }
            | Self::SequenceTooLong { at, .. }
            | Self::TooMuch { at, .. } => at,
        }
    }
}
