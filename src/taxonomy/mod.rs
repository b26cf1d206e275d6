//! Names of taxa: what reports call the organism that a taxid stands for, and the taxid that a name means.
//!
//! ```text
//! names.dmp nodes.dmp     NCBI's taxdump, as it is published     taxdump
//! taxdb.bti taxdb.btd     what is kept of it, in NCBI's format   taxdb
//! ```
//!
//! [`Taxonomy`] is read from files of NCBI (`taxdb.tar.gz`) as from those that an import wrote, which blastp can
//! read too. Four names of each taxon are in it and nothing of the tree: a taxid means itself, as it does to
//! blastp (`docs/adr/0022-a-taxid-means-itself.md`). A [`TaxaChoice`] says which sequences are searched by it, and a
//! [`Census`] how many these are.
//!
//! ```
//! use skyblast::taxonomy::{Taxon, Taxonomy};
//!
//! let human = Taxon {
//!     taxid: 9606,
//!     scientific: "Homo sapiens".into(),
//!     common: "human".into(),
//!     blast: "primates".into(),
//!     superkingdom: "Eukaryota".into(),
//! };
//! let taxonomy = Taxonomy::of([human.clone()])?;
//! assert_eq!(taxonomy.taxon(9606), Some(human));
//! assert_eq!(taxonomy.find("homo sapiens"), [9606]);
//! assert_eq!(taxonomy.nearest("Homo sapien", 1)[0].taxid, 9606);
//! # Ok::<(), skyblast::taxonomy::TaxonomyError>(())
//! ```

mod census;
mod choice;
mod search;
mod spelling;
mod taxdb;
mod taxdump;

pub use census::{Census, Counted};
pub use choice::{Purpose, TaxaChoice, standing_for};
pub use spelling::{SpelledTaxon, SpellingError};
pub use taxdb::{INDEX_FILE, NAMES_FILE, Taxon, Taxonomy, TaxonomyError};
pub use taxdump::{TaxdumpError, read_taxdump};
