//! NCBI's taxonomy as it is published, `taxdump.tar.gz`, to the names that reports show.
//!
//! | file | columns, with tabs and a bar between | what is read |
//! |---|---|---|
//! | `names.dmp` | taxid, name, unique name, class of the name | classes `scientific name`, `genbank common name`, `common name`, `blast name` |
//! | `nodes.dmp` | taxid, parent, rank, and more | the parent, and which ranks are superkingdoms |
//!
//! The common name is GenBank's, or else the first other one, or else the scientific name. The group and the
//! superkingdom are those of the nearest taxon above that has one, or of the taxon itself. Superkingdoms have
//! been called domains, and viruses an acellular root, since 2025. Source: `readme.txt` in the archive.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::taxdb::{Taxon, Taxonomy, TaxonomyError};
use crate::sequence::input::{Input, InputError};
use crate::sequence::taxids::{Taxid, parse_taxid};

const NAMES: &str = "names.dmp";
const NODES: &str = "nodes.dmp";

/// Ranks that reports call superkingdoms.
const SUPERKINGDOMS: [&str; 3] = ["superkingdom", "domain", "acellular root"];

/// What stands for a name that a taxon does not have.
const UNKNOWN: &str = "N/A";

/// Longest line, in bytes; the longest names have some hundreds.
const LONGEST_LINE: u64 = 1 << 16;

/// More steps than any taxon is away from the root.
const DEEPEST: usize = 1000;

/// A taxdump that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaxdumpError {
    /// There is no such file or folder, or it is not what its name says.
    #[error(transparent)]
    Open(#[from] InputError),
    /// A file cannot be read.
    #[error("could not read {file}: {source}")]
    Read {
        /// The file, or the archive.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the dump is missing.
    #[error("{place} has no {file}: is it NCBI's taxdump?")]
    Missing {
        /// The archive or folder.
        place: String,
        /// What is missing.
        file: &'static str,
    },
    /// A line is not what it should be.
    #[error("{place}: {file}: line {line}: {reason}")]
    Line {
        /// The archive or folder.
        place: String,
        /// The file in it.
        file: &'static str,
        /// Its line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A taxon is above itself.
    #[error("{place}: {NODES}: what is above taxid {taxid} goes round in a circle")]
    Circle {
        /// The archive or folder.
        place: String,
        /// The taxon.
        taxid: Taxid,
    },
    /// The names have no room.
    #[error(transparent)]
    Taxonomy(#[from] TaxonomyError),
}

/// Reads a taxdump: the archive, compressed or not, or a folder with its files. It holds all names in memory, for
/// NCBI's whole taxonomy about 1 GB.
///
/// # Errors
/// If a file is missing, or a line of it makes no sense.
pub fn read_taxdump(path: &Path) -> Result<Taxonomy, TaxdumpError> {
    let mut dump = Dump { place: path.display().to_string(), ..Dump::default() };
    if path.is_dir() {
        dump.read_folder(path)?
    } else {
        dump.read_archive(Input::open(path)?)?
    }
    for (file, is_missing) in [(NAMES, dump.names.is_empty()), (NODES, dump.nodes.is_empty())] {
        if is_missing {
            return Err(TaxdumpError::Missing { place: dump.place, file });
        }
    }
    dump.taxonomy()
}

/// What has been read.
#[derive(Default)]
struct Dump {
    /// The archive or folder.
    place: String,
    names: HashMap<Taxid, Names>,
    nodes: HashMap<Taxid, Node>,
}

/// The names of a taxon, as far as they have been read.
#[derive(Default)]
struct Names {
    scientific: Option<Box<str>>,
    genbank_common: Option<Box<str>>,
    common: Option<Box<str>>,
    blast: Option<Box<str>>,
}

struct Node {
    parent: Taxid,
    is_superkingdom: bool,
}

impl Dump {
    fn read_folder(&mut self, folder: &Path) -> Result<(), TaxdumpError> {
        for file in [NAMES, NODES] {
            let path = folder.join(file);
            match fs::File::open(&path) {
                Ok(opened) => self.read(file, BufReader::new(opened))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(TaxdumpError::Read { file: path.display().to_string(), source }),
            }
        }
        Ok(())
    }

    fn read_archive(&mut self, input: Input) -> Result<(), TaxdumpError> {
        let place = self.place.clone();
        let failed = |source| TaxdumpError::Read { file: place.clone(), source };
        for entry in tar::Archive::new(input).entries().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path().map_err(failed)?.into_owned();
            let file =
                [NAMES, NODES].into_iter().find(|file| path.file_name().is_some_and(|name| name == *file));
            if let Some(file) = file {
                self.read(file, BufReader::new(entry))?;
            }
        }
        Ok(())
    }

    /// Reads one of the files.
    fn read(&mut self, file: &'static str, mut text: impl BufRead) -> Result<(), TaxdumpError> {
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            let read = text.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            let read = read
                .map_err(|source| TaxdumpError::Read { file: format!("{}: {file}", self.place), source })?;
            if read == 0 {
                return Ok(());
            }
            number += 1;
            let added = match line.strip_suffix(b"\n") {
                None if read as u64 == LONGEST_LINE => Err("is longer than 64 KiB".to_owned()),
                whole => self.add(file, &String::from_utf8_lossy(whole.unwrap_or(&line))),
            };
            let place = || self.place.clone();
            added.map_err(|reason| TaxdumpError::Line { place: place(), file, line: number, reason })?;
        }
    }

    fn add(&mut self, file: &str, line: &str) -> Result<(), String> {
        let columns: Vec<_> = line.trim_end_matches(['\r', '|', '\t']).split('|').map(str::trim).collect();
        let taxid = |text: &str| match parse_taxid(text.as_bytes()) {
            Some(taxid) if taxid > 0 => Ok(taxid),
            _ => Err(format!("{text:?} is no taxid")),
        };
        match (file, &columns[..]) {
            (NAMES, [number, name, _, class, ..]) => self.add_name(taxid(number)?, name, class),
            (NODES, [number, parent, rank, ..]) => {
                let node = Node { parent: taxid(parent)?, is_superkingdom: SUPERKINGDOMS.contains(rank) };
                self.nodes.insert(taxid(number)?, node);
            }
            _ => return Err(format!("has {} columns, too few", columns.len())),
        }
        Ok(())
    }

    fn add_name(&mut self, taxid: Taxid, name: &str, class: &str) {
        let place: fn(&mut Names) -> &mut Option<Box<str>> = match class {
            "scientific name" => |names| &mut names.scientific,
            "genbank common name" => |names| &mut names.genbank_common,
            "common name" => |names| &mut names.common,
            "blast name" => |names| &mut names.blast,
            _ => return,
        };
        // A tab stands between names in what is written.
        place(self.names.entry(taxid).or_default()).get_or_insert_with(|| name.replace('\t', " ").into());
    }

    /// The names that reports show, of all taxa that have a scientific one.
    fn taxonomy(&self) -> Result<Taxonomy, TaxdumpError> {
        let taxa = self.names.iter().filter_map(|(&taxid, names)| {
            let scientific = names.scientific.as_deref()?;
            let common = names.genbank_common.as_deref().or(names.common.as_deref()).unwrap_or(scientific);
            Some(self.above(taxid).map(|(blast, superkingdom)| Taxon {
                taxid,
                scientific: scientific.into(),
                common: common.into(),
                blast: blast.unwrap_or(UNKNOWN).into(),
                superkingdom: superkingdom.unwrap_or(UNKNOWN).into(),
            }))
        });
        Ok(Taxonomy::of(taxa.collect::<Result<Vec<_>, _>>()?)?)
    }

    /// The group and the superkingdom that a taxon belongs to.
    fn above(&self, taxid: Taxid) -> Result<(Option<&str>, Option<&str>), TaxdumpError> {
        let (mut blast, mut superkingdom) = (None, None);
        let mut at = taxid;
        for _ in 0..DEEPEST {
            let names = self.names.get(&at);
            let node = self.nodes.get(&at);
            blast = blast.or_else(|| names?.blast.as_deref());
            if node.is_some_and(|node| node.is_superkingdom) {
                superkingdom = superkingdom.or_else(|| names?.scientific.as_deref());
            }
            match node {
                // The root is its own parent.
                Some(node) if node.parent != at => at = node.parent,
                _ => return Ok((blast, superkingdom)),
            }
        }
        Err(TaxdumpError::Circle { place: self.place.clone(), taxid })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    const SOME_NAMES: &str = "1\t|\troot\t|\t\t|\tscientific name\t|
2\t|\tBacteria\t|\tBacteria <bacteria>\t|\tscientific name\t|
2\t|\teubacteria\t|\t\t|\tgenbank common name\t|
2\t|\teubacteria\t|\teubacteria <blast2>\t|\tblast name\t|
562\t|\tEscherichia coli\t|\t\t|\tscientific name\t|
562\t|\tE. coli\t|\t\t|\tcommon name\t|
562\t|\tBacillus coli\t|\t\t|\tsynonym\t|
83333\t|\tEscherichia coli K-12\t|\t\t|\tscientific name\t|
10239\t|\tViruses\t|\t\t|\tscientific name\t|
";
    const SOME_NODES: &str = "1\t|\t1\t|\tno rank\t|\t\t|
2\t|\t1\t|\tsuperkingdom\t|\t\t|
562\t|\t2\t|\tspecies\t|\tEC\t|
83333\t|\t562\t|\tstrain\t|\t\t|
10239\t|\t1\t|\tacellular root\t|\t\t|
";

    fn folder(names: &str, nodes: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAMES), names).unwrap();
        fs::write(folder.path().join(NODES), nodes).unwrap();
        folder
    }

    fn refusal(names: &str, nodes: &str) -> String {
        let folder = folder(names, nodes);
        let error = read_taxdump(folder.path()).unwrap_err().to_string();
        error.replace(&folder.path().display().to_string(), "dump")
    }

    fn text(taxonomy: &Taxonomy) -> String {
        let line = |taxon: Taxon<'_>| {
            let Taxon { taxid, scientific, common, blast, superkingdom } = taxon;
            format!("{taxid} {scientific}/{common}/{blast}/{superkingdom}\n")
        };
        taxonomy.taxa().map(line).collect()
    }

    const EXPECTED: &str = "1 root/root/N/A/N/A
2 Bacteria/eubacteria/eubacteria/Bacteria
562 Escherichia coli/E. coli/eubacteria/Bacteria
10239 Viruses/Viruses/N/A/Viruses
83333 Escherichia coli K-12/Escherichia coli K-12/eubacteria/Bacteria
";

    #[test]
    fn group_and_superkingdom_are_those_of_the_nearest_taxon_above() {
        let folder = folder(SOME_NAMES, SOME_NODES);
        assert_eq!(text(&read_taxdump(folder.path()).unwrap()), EXPECTED);
    }

    #[test]
    fn an_archive_is_read_as_the_folder_that_it_holds() {
        let archive = tempfile::NamedTempFile::new().unwrap();
        let mut packed = tar::Builder::new(GzEncoder::new(archive.as_file(), Compression::fast()));
        for (name, text) in [("nodes.dmp", SOME_NODES), ("readme.txt", "x"), ("./names.dmp", SOME_NAMES)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            packed.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        packed.into_inner().unwrap().finish().unwrap();
        assert_eq!(text(&read_taxdump(archive.path()).unwrap()), EXPECTED);
        let mut cut = fs::read(archive.path()).unwrap();
        cut.truncate(cut.len() / 2);
        let mut damaged = tempfile::NamedTempFile::new().unwrap();
        damaged.write_all(&cut).unwrap();
        assert!(matches!(read_taxdump(damaged.path()), Err(TaxdumpError::Read { .. })));
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_named() {
        let line = |file: &str, line: u64, reason: &str| format!("dump: {file}: line {line}: {reason}");
        assert_eq!(refusal("", SOME_NODES), "dump has no names.dmp: is it NCBI's taxdump?");
        assert_eq!(refusal(SOME_NAMES, ""), "dump has no nodes.dmp: is it NCBI's taxdump?");
        assert_eq!(
            refusal("x\t|\troot\t|\t\t|\tscientific name\t|\n", SOME_NODES),
            line("names.dmp", 1, "\"x\" is no taxid")
        );
        assert_eq!(refusal(SOME_NAMES, "1\t|\n"), line("nodes.dmp", 1, "has 1 columns, too few"));
        assert_eq!(refusal(SOME_NAMES, "2\t|\t0\t|\tx\t|\n"), line("nodes.dmp", 1, "\"0\" is no taxid"));
        assert_eq!(refusal(&"1".repeat(70_000), SOME_NODES), line("names.dmp", 1, "is longer than 64 KiB"));
        assert_eq!(
            refusal(SOME_NAMES, "2\t|\t562\t|\tx\t|\n562\t|\t2\t|\tx\t|\n")
                .replace("562", "2")
                .replace("83333", "2"),
            "dump: nodes.dmp: what is above taxid 2 goes round in a circle"
        );
        let nowhere = read_taxdump(Path::new("/nowhere/taxdump.tar.gz")).unwrap_err();
        assert!(nowhere.to_string().contains("/nowhere/taxdump.tar.gz"), "{nowhere}");
        let mut noise = tempfile::NamedTempFile::new().unwrap();
        noise.write_all(&[b'x'; 2000]).unwrap();
        assert!(read_taxdump(noise.path()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(names in "[0-9|\t\na-c ]{0,200}", nodes in "[0-9|\t\n ]{0,200}") {
            let folder = folder(&names, &nodes);
            let _ = read_taxdump(folder.path());
        }
    }
}
