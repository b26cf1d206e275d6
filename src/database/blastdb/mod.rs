//! Protein databases of NCBI's BLAST+, versions 4 and 5, as `makeblastdb` and NCBI's servers write
//! them.
//!
//! ```text
//! NAME.pal                      alias file: a database made of others       alias, open
//! NAME.pin NAME.00.pin …        index of a volume                           index
//! NAME.phr                      names of its sequences, ASN.1 in BER        header, seqid, ber
//! NAME.psq                      its residues                                volume
//! ```
//!
//! [`BlastDb`] opens a database, [`BlastVolume`] is searched where it lies: the residues are stored
//! in the same codes and between the same sentinels as in skyblast's own volumes. Other files
//! (accession look-up, taxonomy, masks) are not needed.

mod alias;
mod ber;
mod error;
mod file;
mod header;
mod index;
mod open;
mod seqid;
mod volume;

pub use error::BlastDbError;
pub use open::{BlastDb, BlastDbPart};
pub use volume::BlastVolume;
