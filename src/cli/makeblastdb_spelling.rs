//! makeblastdb's spelling of options, with one hyphen: an existing command line works as `skyblast makedb`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::{Error, ErrorKind};

use super::blastp_spelling::{assigned, names};

/// What is done with an option of makeblastdb.
#[derive(Clone, Copy)]
enum Known {
    /// Takes a value; the option of `skyblast makedb` that it stands for.
    Value(&'static str),
    /// Takes names of inputs with blanks between them.
    Inputs,
    /// Takes the kind of the inputs.
    InputKind,
    /// Takes the kind of the sequences.
    SequenceKind,
    /// Takes no value, and asks for parsed identifiers.
    ParsedIds,
    /// Takes a value that has no meaning here.
    Ignored,
    /// Takes no value and has no meaning here.
    IgnoredFlag,
    /// Is not there; why.
    Refused(&'static str),
    /// Asks for help.
    Help,
}

use Known::{Help, Ignored, IgnoredFlag, InputKind, Inputs, ParsedIds, Refused, SequenceKind, Value};

const NO_MASKS: &str = "databases have no masks; mask queries, with --seg or --lcase-masking";

/// Every option that `makeblastdb -help` lists.
const OPTIONS: [(&str, Known); 22] = [
    ("h", Help),
    ("help", Help),
    ("version", IgnoredFlag),
    ("in", Inputs),
    ("input_type", InputKind),
    ("dbtype", SequenceKind),
    ("title", Value("--title")),
    ("parse_seqids", ParsedIds),
    ("hash_index", IgnoredFlag),
    ("mask_data", Refused(NO_MASKS)),
    ("mask_id", Refused(NO_MASKS)),
    ("mask_desc", Refused(NO_MASKS)),
    ("gi_mask", Refused(NO_MASKS)),
    ("gi_mask_name", Refused(NO_MASKS)),
    ("out", Value("--out")),
    ("blastdb_version", Ignored),
    ("max_file_sz", Ignored),
    ("metadata_output_prefix", Ignored),
    ("logfile", Ignored),
    ("taxid", Value("--taxid")),
    ("taxid_map", Value("--taxid-map")),
    ("oid_masks", Refused(NO_MASKS)),
];

/// Gives the arguments of `skyblast makedb` two hyphens where they are spelled as makeblastdb's.
///
/// # Errors
/// For what makeblastdb does and skyblast does not.
pub(super) fn translated(arguments: Vec<OsString>) -> Result<Vec<OsString>, Error> {
    let mut arguments = arguments.into_iter();
    let mut translated: Vec<OsString> = arguments.by_ref().take(1).collect();
    arguments.next();
    translated.push("makedb".into());
    let (mut inputs, mut from_database) = (Vec::new(), false);
    while let Some(argument) = arguments.next() {
        let Some((name, known, joined)) = known(&argument) else {
            translated.push(argument);
            continue;
        };
        let mut value = || {
            let text = || format!("the option -{name} needs a value\n");
            joined.clone().or_else(|| arguments.next()).ok_or_else(|| refused(text()))
        };
        match known {
            Help => return Ok(["skyblast", "makedb", "--help"].map(OsString::from).to_vec()),
            Value(long) => translated.push(assigned(long, &value()?)),
            Inputs => inputs.extend(separate(value()?)),
            InputKind => match value()?.to_str() {
                Some("fasta") => {}
                Some("blastdb") => from_database = true,
                other => {
                    let kind = other.unwrap_or_default();
                    return Err(refused(format!("-input_type {kind}: input is fasta or blastdb\n")));
                }
            },
            SequenceKind => match value()?.to_str() {
                Some("prot") => {}
                other => {
                    let kind = other.unwrap_or_default();
                    return Err(refused(format!(
                        "-dbtype {kind}: skyblast searches proteins only, so databases are of -dbtype prot; \
                         translate nucleotides first\n"
                    )));
                }
            },
            ParsedIds => errln!(
                "warning: -parse_seqids changes nothing: identifiers are shown as they are written; for parsed ones \
                 make a BLAST database and search it as it is, or with makedb --from-blastdb"
            ),
            Ignored => drop(value()?),
            IgnoredFlag => {}
            Refused(reason) => {
                let text = format!("the option -{name} of makeblastdb is not available: {reason}\n");
                return Err(Error::raw(ErrorKind::UnknownArgument, text));
            }
        }
    }
    let long = if from_database { "--from-blastdb" } else { "--in" };
    let has_out = translated.iter().any(|argument| names(argument, "--out"));
    if let ([only], false) = (&inputs[..], has_out) {
        // makeblastdb puts the files beside the input; here it is a directory, which needs a name of its own.
        let mut out = only.clone();
        out.push(".db");
        translated.push(assigned("--out", &out));
    }
    translated.extend(inputs.iter().map(|input| assigned(long, input)));
    if !inputs.is_empty() && !from_database {
        // makeblastdb knows no taxids but those that it is told.
        translated.push("--ignore-ox".into());
    }
    Ok(translated)
}

/// The option of makeblastdb that an argument names, and the value after its `=`.
fn known(argument: &OsStr) -> Option<(&'static str, Known, Option<OsString>)> {
    let text = argument.to_str()?.strip_prefix('-')?;
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let (name, known) = OPTIONS.into_iter().find(|(known, _)| *known == name)?;
    Some((name, known, value.map(OsString::from)))
}

/// The names in a list with blanks between them, unless the whole is the name of a file.
fn separate(list: OsString) -> Vec<OsString> {
    match list.to_str() {
        Some(text) if !Path::new(text).exists() => text.split_whitespace().map(OsString::from).collect(),
        _ => vec![list],
    }
}

fn refused(text: String) -> Error {
    Error::raw(ErrorKind::InvalidValue, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translate(line: &[&str]) -> Result<String, String> {
        let arguments = ["skyblast"].iter().chain(line).map(OsString::from).collect();
        let words = translated(arguments).map_err(|error| error.to_string())?;
        Ok(words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn makeblastdbs_spelling_becomes_our_own() {
        for (line, expected) in [
            (
                &["makedb", "-dbtype", "prot", "-in", "a.fa b.fa", "-out", "x", "-title", "A and B"][..],
                "skyblast makedb --out=x --title=A and B --in=a.fa --in=b.fa --ignore-ox",
            ),
            (
                &["makeblastdb", "-in=a.fa", "-input_type", "fasta", "-blastdb_version", "5", "-hash_index"],
                "skyblast makedb --out=a.fa.db --in=a.fa --ignore-ox",
            ),
            (
                &["makeblastdb", "-in", "a.fa", "-out", "x", "-taxid_map", "map.txt"],
                "skyblast makedb --out=x --taxid-map=map.txt --in=a.fa --ignore-ox",
            ),
            (
                &["makeblastdb", "-in", "nr", "-input_type", "blastdb", "-out", "x"],
                "skyblast makedb --out=x --from-blastdb=nr",
            ),
            (&["makedb", "--in", "a.fa", "--out", "x"], "skyblast makedb --in a.fa --out x"),
            (&["makedb", "-h"], "skyblast makedb --help"),
        ] {
            assert_eq!(translate(line), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn what_makeblastdb_does_and_skyblast_does_not_is_refused_by_name() {
        for (line, text) in [
            (
                &["makedb", "-in", "a.fa", "-dbtype", "nucl"][..],
                "-dbtype nucl: skyblast searches proteins only",
            ),
            (
                &["makedb", "-in", "a.fa", "-mask_data", "m"],
                "option -mask_data of makeblastdb is not available",
            ),
            (&["makedb", "-in", "a.fa", "-input_type", "asn1_bin"], "input is fasta or blastdb"),
            (&["makedb", "-in"], "option -in needs a value"),
        ] {
            let refused = translate(line).expect_err("a refusal");
            assert!(refused.contains(text), "{refused}");
        }
    }
}
