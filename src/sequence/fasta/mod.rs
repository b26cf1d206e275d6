//! FASTA, read as a stream, with the meaning that BLAST+ gives it.
//!
//! ```text
//! >sp|P69905|HBA_HUMAN Hemoglobin subunit alpha      definition line: '>' id blank description
//! MVLSPADKTNVKAAWGKVGAHAGEYGAEALERMFLSFPTTKTYFPHF    residues, any number of lines
//! ```
//!
//! What BLAST+ 2.12 accepts is accepted with the same meaning:
//!
//! | in the input | is read as |
//! |---|---|
//! | LF, CR LF, CR; no line end at the end | line ends |
//! | blank lines; lines with `;`, `#` or `!` first, also inside a sequence | nothing |
//! | the rest of a sequence line after `;` | nothing |
//! | lower case | upper case; [`Record::lower_case`] says where |
//! | `*` and all 26 letters | residues |
//! | white space inside a sequence | nothing |
//! | digits, `-`, `.`, NUL and all else inside a sequence | nothing, with a [`Note::Dropped`] |
//! | a line `>?10` or `>?unk100` inside a sequence | that many `X`; one for `>?0` |
//! | `>` alone, or residues before any `>` | a record with an empty definition line |
//! | a record without residues | an empty record: it keeps its number |
//! | blanks, TAB, NUL, Ctrl-A in a definition line | see [`defline`](super::defline) |
//! | a first sequence line that hardly resembles one | [`FastaError::NotSequence`] |
//!
//! Where BLAST+ stumbles, skyblast does better:
//!
//! | in the input | BLAST+ 2.12 | here |
//! |---|---|---|
//! | UTF-8 byte-order mark | becomes part of a first, nameless sequence | skipped |
//! | blanks before `>` | definition line is read as residues | a definition line |
//! | `>?name` inside a sequence | becomes an `X`, and what follows is read on as part of the sequence | a definition line |
//! | CR alone in a file that starts with other line ends | the line after it is read as part of the one before | a line end |
//! | non-ASCII definition line | makeblastdb refuses the file | kept as it is |
//! | `-` inside a sequence | left out of queries, kept as a gap in databases | left out |
//! | columns in warnings | count from the first non-blank | count from the start of the line |
//! | gzip, zstd | refused | see [`input`](super::input) |
//!
//! A record is the only thing held in memory; [`Limits`] bound its size.

mod error;
mod line;
mod lines;
mod reader;
mod record;
mod write;

pub use error::{FastaError, Place, Total};
pub use reader::{Limits, Reader};
pub use record::{Note, Record};
pub use write::write_record;
