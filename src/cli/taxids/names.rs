//! Where the names of taxa are, as blastp looks for them.

use std::path::PathBuf;

use crate::cli::searched::blast_directories;
use crate::report::OutputFormat;
use crate::taxonomy::{Taxonomy, TaxonomyError};

/// What is said where names of taxa are wanted and there are none.
pub(super) const NO_TAXONOMY: &str = "neither the current directory nor one in $BLASTDB has taxdb.bti and taxdb.btd; \
    `skyblast taxonomy import taxdump.tar.gz --out DIR` makes them of NCBI's taxdump";

/// Reads the names of taxa in the current directory, or else in the first directory in `BLASTDB` that has them.
pub(super) fn find_taxonomy() -> Result<Option<Taxonomy>, TaxonomyError> {
    let directories = std::iter::once(PathBuf::from(".")).chain(blast_directories());
    for directory in directories {
        if let Some(taxonomy) = Taxonomy::read(&directory)? {
            return Ok(Some(taxonomy));
        }
    }
    Ok(None)
}

/// The names of taxa, if a report in this format shows them; says so if it shall and there are none.
pub(in crate::cli) fn taxonomy_for(format: &OutputFormat) -> Result<Option<Taxonomy>, TaxonomyError> {
    if !format.names_taxa() {
        return Ok(None);
    }
    let found = find_taxonomy()?;
    if found.is_none() && format.columns().is_some() {
        errln!("warning: columns with names of taxa are N/A: {NO_TAXONOMY}");
    }
    Ok(found)
}
