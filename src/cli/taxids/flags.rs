//! Options that say which taxa are searched.

use std::path::PathBuf;

use super::list::{read_taxid_list, read_taxids, words_of_list};
use crate::cli::exit::Exit;
use crate::cli::inputs::Inputs;
use crate::cli::listed::{ListContent, Listed};
use crate::cli::searched::find_list;
use crate::taxonomy::{Purpose, TaxaChoice};

/// The sequences of some taxa, or of all but these. At most one of them is given.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::cli) struct TaxaFlags {
    /// Search only sequences of these taxa: taxids, or names such as "Homo sapiens", with commas between
    /// them. A taxon stands for itself alone, not for those below it
    #[arg(long, value_name = "TAXA", allow_negative_numbers = true,
        conflicts_with_all = ["negative_taxids", "taxidlist", "negative_taxidlist"])]
    taxids: Option<String>,

    /// Search all sequences but those of these taxa
    #[arg(long, value_name = "TAXA", allow_negative_numbers = true,
        conflicts_with_all = ["taxidlist", "negative_taxidlist"])]
    negative_taxids: Option<String>,

    /// Search only sequences of the taxa that this file lists, one a line
    #[arg(long, value_name = "FILE", conflicts_with = "negative_taxidlist")]
    taxidlist: Option<PathBuf>,

    /// Search all sequences but those of the taxa that this file lists
    #[arg(long, value_name = "FILE")]
    negative_taxidlist: Option<PathBuf>,
}

/// Longest list that is sent in an address, bytes: hosts take addresses of some 8,000.
const LONGEST_SENT: usize = 6_000;

/// A list of taxa as it was given.
enum Given<'a> {
    /// The value of this option.
    Value(&'static str, &'a str),
    /// What this file has.
    File(PathBuf),
}

impl TaxaFlags {
    /// The option that is given.
    fn given(&self) -> Option<(Given<'_>, Purpose)> {
        if let Some(value) = &self.taxids {
            return Some((Given::Value("--taxids", value), Purpose::Include));
        }
        if let Some(value) = &self.negative_taxids {
            return Some((Given::Value("--negative-taxids", value), Purpose::Exclude));
        }
        let (path, purpose) = match (&self.taxidlist, &self.negative_taxidlist) {
            (Some(path), _) => (path, Purpose::Include),
            (None, Some(path)) => (path, Purpose::Exclude),
            (None, None) => return None,
        };
        Some((Given::File(find_list(path)), purpose))
    }

    /// The list that is given.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(in crate::cli) fn listed(&self) -> anyhow::Result<Option<Listed>> {
        let Some((given, purpose)) = self.given() else { return Ok(None) };
        let (source, taxids) = match given {
            Given::Value(option, value) => (option.to_owned(), read_taxids(option, value)?),
            Given::File(path) => (path.display().to_string(), read_taxid_list(&path)?),
        };
        Ok(Some(Listed { source, content: ListContent::Taxa(TaxaChoice { taxids, purpose }) }))
    }

    /// The list as an option for a server, which knows the names of taxa or does not.
    ///
    /// # Errors
    /// If it cannot be read, or is too long to be sent.
    pub(in crate::cli) fn for_server(&self) -> anyhow::Result<Option<(&'static str, String)>> {
        let Some((given, purpose)) = self.given() else { return Ok(None) };
        let value = match given {
            Given::Value(_, value) => value.to_owned(),
            Given::File(path) => words_of_list(&path)?.join(","),
        };
        if value.len() > LONGEST_SENT {
            return Err(Exit::WrongCommandLine.because(format_args!(
                "the list of taxids has {} bytes, but a command sends up to {LONGEST_SENT}; send longer ones as a field of \
                 a form: curl -F query=@q.fa -F database=NAME -F 'taxids=<FILE' SERVER/api/searches",
                value.len()
            )));
        }
        Ok(Some((purpose.option(), value)))
    }

    /// Adds the files that are read.
    pub(in crate::cli) fn add_to(&self, inputs: &mut Inputs) {
        for path in self.taxidlist.iter().chain(&self.negative_taxidlist) {
            inputs.add("the list of taxids", path);
        }
    }
}
