//! Options that say which taxa are searched.

use std::path::PathBuf;

use super::list::{read_taxid_list, read_taxids};
use crate::cli::id_list::Purpose;
use crate::cli::inputs::Inputs;
use crate::cli::listed::{ListContent, Listed};
use crate::cli::searched::find_list;

/// The sequences of some taxa, or of all but these. At most one of them is given.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::cli) struct TaxaFlags {
    /// Search only sequences of these taxa: taxids, or names such as "Homo sapiens", with commas between
    /// them. A taxon stands for itself alone, not for those below it
    #[arg(long, value_name = "TAXA", allow_negative_numbers = true, conflicts_with_all = ["subject", "seqidlist", "negative_seqidlist"])]
    taxids: Option<String>,

    /// Search all sequences but those of these taxa
    #[arg(long, value_name = "TAXA", allow_negative_numbers = true,
        conflicts_with_all = ["subject", "seqidlist", "negative_seqidlist", "taxids"])]
    negative_taxids: Option<String>,

    /// Search only sequences of the taxa that this file lists, one a line
    #[arg(long, value_name = "FILE",
        conflicts_with_all = ["subject", "seqidlist", "negative_seqidlist", "taxids", "negative_taxids"])]
    taxidlist: Option<PathBuf>,

    /// Search all sequences but those of the taxa that this file lists
    #[arg(long, value_name = "FILE", conflicts_with_all =
        ["subject", "seqidlist", "negative_seqidlist", "taxids", "negative_taxids", "taxidlist"])]
    negative_taxidlist: Option<PathBuf>,
}

impl TaxaFlags {
    /// The list that is given.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(in crate::cli) fn listed(&self) -> anyhow::Result<Option<Listed>> {
        for (option, value, purpose) in [
            ("--taxids", &self.taxids, Purpose::Include),
            ("--negative-taxids", &self.negative_taxids, Purpose::Exclude),
        ] {
            if let Some(value) = value {
                let content = ListContent::Taxids(read_taxids(option, value)?);
                return Ok(Some(Listed { source: option.to_owned(), content, purpose }));
            }
        }
        for (path, purpose) in
            [(&self.taxidlist, Purpose::Include), (&self.negative_taxidlist, Purpose::Exclude)]
        {
            if let Some(path) = path {
                let path = find_list(path);
                let content = ListContent::Taxids(read_taxid_list(&path)?);
                return Ok(Some(Listed { source: path.display().to_string(), content, purpose }));
            }
        }
        Ok(None)
    }

    /// Adds the files that are read.
    pub(in crate::cli) fn add_to(&self, inputs: &mut Inputs) {
        for path in self.taxidlist.iter().chain(&self.negative_taxidlist) {
            inputs.add("the list of taxids", path);
        }
    }
}
