//! Alias files, `.pal`: a database that consists of other databases.
//!
//! A line is a key, blanks and a value; `#` starts a comment line, unknown keys are ignored.
//!
//! | key | value |
//! |---|---|
//! | `DBLIST` | base names, separated by blanks, in double quotes if they hold blanks; relative to the alias file's directory |
//! | `TITLE` | name of the database, instead of its parts' |
//! | `NSEQ`, `LENGTH` | sequences and residues, instead of the sums |
//! | `STATS_NSEQ`, `STATS_TOTLEN` | the same for statistics alone |
//!
//! Keys that select sequences are refused: a search that ignored them would be wrong.
//! Source: NCBI C++ Toolkit, `objtools/blast/seqdb_reader/alias_files.txt` and `seqdbalias.cpp`.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::BlastDbError;

/// Keys that leave sequences out.
const SELECTIONS: [&str; 9] = [
    "GILIST",
    "TILIST",
    "SEQIDLIST",
    "TAXIDLIST",
    "OIDLIST",
    "MEMB_BIT",
    "FIRST_OID",
    "LAST_OID",
    "IPG_IDLIST",
];

/// What an alias file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Alias {
    /// Base names of the parts, as written.
    pub(super) parts: Vec<String>,
    pub(super) title: Option<String>,
    pub(super) sequences: Option<u64>,
    pub(super) residues: Option<u64>,
    pub(super) sequences_for_statistics: Option<u64>,
    pub(super) residues_for_statistics: Option<u64>,
}

impl Alias {
    /// Reads the alias file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, BlastDbError> {
        let bytes = fs::read(path).map_err(BlastDbError::read(path))?;
        let alias = Self::parse(path, &String::from_utf8_lossy(&bytes))?;
        if alias.parts.is_empty() {
            return Err(bad(path, "it names no database (DBLIST)".to_owned()));
        }
        Ok(alias)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, BlastDbError> {
        let mut alias = Self::default();
        for line in text.lines().map(str::trim) {
            let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            let value = value.trim();
            let number = || match value.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(bad(path, format!("{key} is {value:?}, not a number"))),
            };
            match key {
                "DBLIST" => alias.parts = split_quoted(value),
                "TITLE" => alias.title = Some(value.replace('\t', " ")),
                "NSEQ" => alias.sequences = number()?,
                "LENGTH" => alias.residues = number()?,
                "STATS_NSEQ" => alias.sequences_for_statistics = number()?,
                "STATS_TOTLEN" => alias.residues_for_statistics = number()?,
                _ if SELECTIONS.contains(&key) => {
                    return Err(BlastDbError::Selection { alias: path.to_owned(), key: key.to_owned() });
                }
                _ => {}
            }
        }
        Ok(alias)
    }
}

/// An error of an alias file.
pub(super) fn bad(alias: &Path, reason: String) -> BlastDbError {
    BlastDbError::BadAlias { alias: PathBuf::from(alias), reason }
}

/// Names separated by blanks, each in double quotes or not.
pub(super) fn split_quoted(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    // What stands between quotes is every second piece.
    for (number, piece) in list.split('"').enumerate() {
        if number % 2 == 1 {
            names.push(piece.to_owned());
        } else {
            names.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Alias, BlastDbError> {
        Alias::parse(Path::new("x.pal"), text)
    }

    #[test]
    fn comments_blanks_and_unknown_keys_are_passed_over() {
        let alias = parse(
            "#\n# Alias file\n\n TITLE  Two  parts \nDBLIST \"a b\" ../c \"/d/e.00\" \nMAXOID 4\nNSEQ 7\nLENGTH 123\r\n",
        );
        let expected = Alias {
            parts: vec!["a b".to_owned(), "../c".to_owned(), "/d/e.00".to_owned()],
            title: Some("Two  parts".to_owned()),
            sequences: Some(7),
            residues: Some(123),
            ..Alias::default()
        };
        assert_eq!(alias.unwrap(), expected);
    }

    #[test]
    fn every_key_that_selects_sequences_is_refused_by_name() {
        for key in SELECTIONS {
            let error = parse(&format!("DBLIST a\n{key} some.file\n")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("x.pal selects sequences with {key}, which")), "{error}");
        }
    }

    #[test]
    fn a_count_that_is_no_number_is_refused() {
        let error = parse("DBLIST a\nNSEQ many\n").unwrap_err().to_string();
        assert_eq!(error, "x.pal: NSEQ is \"many\", not a number");
    }
}
