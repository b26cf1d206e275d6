//! blastp's spelling of options, with one hyphen: an existing command line works as `skyblast search`, or
//! `skyblast blastp`. That of makeblastdb is read by [`makeblastdb_spelling`](super::makeblastdb_spelling).

use std::ffi::{OsStr, OsString};

use clap::error::{Error, ErrorKind};

use super::makeblastdb_spelling;
use crate::engine::Spelled;
use crate::report::Column;

/// Programs of BLAST+ that search with or in nucleotides, or with profiles.
const OTHER_PROGRAMS: [&str; 9] = [
    "blastn",
    "blastx",
    "tblastn",
    "tblastx",
    "psiblast",
    "rpsblast",
    "rpstblastn",
    "deltablast",
    "magicblast",
];

/// What is done with an option of blastp.
#[derive(Clone, Copy)]
enum Known {
    /// Takes a value; the option of `skyblast search` that it stands for.
    Value(&'static str),
    /// Takes no value.
    Flag(&'static str),
    /// Takes 0 or 1, which changes no result here, and goes with a number of threads.
    ThreadMode,
    /// Takes no value and changes no result here.
    IgnoredFlag,
    /// Is not there; why.
    Refused(&'static str),
    /// Asks for help.
    Help,
    /// Asks for the version.
    Version,
}

use Known::{Flag, Help, IgnoredFlag, Refused, ThreadMode, Value, Version};

const NO_LISTS: &str = "identifiers of this kind are not in databases; -seqidlist takes accessions";
const NO_DATABASE_MASKS: &str = "databases have no masks";
const NO_STRATEGY: &str = "there are no search strategy files; give the options themselves";

/// Every option that `blastp -help` lists.
const OPTIONS: [(&str, Known); 62] = [
    ("h", Help),
    ("help", Help),
    ("version", Version),
    ("query", Value("--query")),
    ("query_loc", Value("--query-loc")),
    ("task", Value("--task")),
    ("db", Value("--db")),
    ("out", Value("--out")),
    ("evalue", Value("--evalue")),
    ("word_size", Value("--word-size")),
    ("gapopen", Value("--gapopen")),
    ("gapextend", Value("--gapextend")),
    ("matrix", Value("--matrix")),
    ("threshold", Value("--threshold")),
    ("comp_based_stats", Value("--comp-based-stats")),
    ("subject", Value("--subject")),
    ("subject_loc", Value("--subject-loc")),
    ("outfmt", Value("--outfmt")),
    ("show_gis", IgnoredFlag),
    ("num_descriptions", Value("--num-descriptions")),
    ("num_alignments", Value("--num-alignments")),
    ("line_length", Value("--line-length")),
    ("html", Refused("reports are not written as HTML; formats 5, 15 and 16 are easily converted")),
    ("sorthits", Value("--sorthits")),
    ("sorthsps", Value("--sorthsps")),
    ("seg", Value("--seg")),
    ("soft_masking", Value("--soft-masking")),
    ("lcase_masking", Flag("--lcase-masking")),
    ("gilist", Refused(NO_LISTS)),
    ("seqidlist", Value("--seqidlist")),
    ("negative_gilist", Refused(NO_LISTS)),
    ("negative_seqidlist", Value("--negative-seqidlist")),
    ("taxids", Value("--taxids")),
    ("negative_taxids", Value("--negative-taxids")),
    ("taxidlist", Value("--taxidlist")),
    ("negative_taxidlist", Value("--negative-taxidlist")),
    ("ipglist", Refused(NO_LISTS)),
    ("negative_ipglist", Refused(NO_LISTS)),
    ("entrez_query", Refused("it needs NCBI's servers")),
    ("db_soft_mask", Refused(NO_DATABASE_MASKS)),
    ("db_hard_mask", Refused(NO_DATABASE_MASKS)),
    ("qcov_hsp_perc", Value("--qcov-hsp-perc")),
    ("max_hsps", Value("--max-hsps")),
    ("culling_limit", Value("--culling-limit")),
    ("best_hit_overhang", Value("--best-hit-overhang")),
    ("best_hit_score_edge", Value("--best-hit-score-edge")),
    ("subject_besthit", Flag("--subject-besthit")),
    ("max_target_seqs", Value("--max-target-seqs")),
    ("dbsize", Value("--dbsize")),
    ("searchsp", Value("--searchsp")),
    ("import_search_strategy", Refused(NO_STRATEGY)),
    ("export_search_strategy", Refused(NO_STRATEGY)),
    ("xdrop_ungap", Value("--xdrop-ungap")),
    ("xdrop_gap", Value("--xdrop-gap")),
    ("xdrop_gap_final", Value("--xdrop-gap-final")),
    ("window_size", Value("--window-size")),
    ("ungapped", Flag("--ungapped")),
    (
        "parse_deflines",
        Refused("identifiers are shown as they are written, without NCBI's rules for accessions"),
    ),
    ("num_threads", Value("--threads")),
    ("mt_mode", ThreadMode),
    ("remote", Refused("searches run on this machine; `skyblast submit` uses a server")),
    ("use_sw_tback", Flag("--use-sw-tback")),
];

/// The version as blastp states it: of the program whose results these are.
pub(super) const VERSION: &str = concat!("blastp: 2.12.0+\n Package: skyblast ", env!("CARGO_PKG_VERSION"));

/// What a command line is, once blastp's spelling is gone from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CommandLine {
    /// Arguments in our spelling.
    Arguments(Vec<OsString>),
    /// A question for the [`VERSION`].
    Version,
}

/// Gives the arguments of a command two hyphens where they are spelled as those of the program of BLAST+
/// that it stands for.
///
/// # Errors
/// For a program or an option that BLAST+ has and skyblast lacks.
pub(super) fn translated(arguments: Vec<OsString>) -> Result<CommandLine, Error> {
    match arguments.get(1).and_then(|command| command.to_str()) {
        Some("search") => search(arguments, false),
        Some("blastp") => search(arguments, true),
        Some("makedb" | "makeblastdb") => {
            makeblastdb_spelling::translated(arguments).map(CommandLine::Arguments)
        }
        Some(program) if OTHER_PROGRAMS.contains(&program) => {
            let text = format!(
                "skyblast compares proteins with proteins, as blastp does, and has no {program}; `skyblast search \
                 --help` shows how\n"
            );
            Err(Error::raw(ErrorKind::InvalidSubcommand, text))
        }
        _ => Ok(CommandLine::Arguments(arguments)),
    }
}

/// `skyblast search`. With blastp's spelling, or name, the query and the format are blastp's too unless they
/// are named: standard input and 0.
fn search(arguments: Vec<OsString>, named_so: bool) -> Result<CommandLine, Error> {
    let mut arguments = arguments.into_iter();
    let mut translated: Vec<OsString> = arguments.by_ref().take(1).collect();
    arguments.next();
    translated.push("search".into());
    let mut spelled_so = named_so;
    let mut has_thread_mode = false;
    while let Some(argument) = arguments.next() {
        let Some((name, known, joined)) = known(&argument) else {
            if let Some(mistake) = mistake(&argument, &translated) {
                return Err(Error::raw(ErrorKind::UnknownArgument, mistake));
            }
            translated.push(argument);
            continue;
        };
        let mut value = || {
            joined.clone().or_else(|| arguments.next()).ok_or_else(|| {
                Error::raw(ErrorKind::InvalidValue, format!("the option -{name} needs a value\n"))
            })
        };
        match known {
            Help => {
                let help = ["skyblast", "search", "--help"].map(OsString::from);
                return Ok(CommandLine::Arguments(help.to_vec()));
            }
            Version => return Ok(CommandLine::Version),
            Flag(long) => translated.push(long.into()),
            ThreadMode => {
                let mode = value()?;
                let valid = mode.to_str().is_some_and(|mode| matches!(i32::read(mode), Ok(0 | 1)));
                if !valid {
                    let text = format!("the option -mt_mode is {mode:?}, but must be 0 or 1\n");
                    return Err(Error::raw(ErrorKind::InvalidValue, text));
                }
                has_thread_mode = true;
            }
            IgnoredFlag => {}
            Value("--out") => {
                let value = value()?;
                if value != "-" {
                    translated.push(assigned("--out", &value));
                }
            }
            Value(long) => translated.push(assigned(long, &value()?)),
            Refused(reason) => {
                let text = format!("the option -{name} of blastp is not available: {reason}\n");
                return Err(Error::raw(ErrorKind::UnknownArgument, text));
            }
        }
        spelled_so = true;
    }
    if has_thread_mode && !translated.iter().any(|argument| names(argument, "--threads")) {
        let text = "the option -mt_mode says how threads share the work, so it needs -num_threads too\n";
        return Err(Error::raw(ErrorKind::MissingRequiredArgument, text));
    }
    if spelled_so {
        for (long, default) in [("--query", "-"), ("--outfmt", "0")] {
            if !translated.iter().any(|argument| names(argument, long)) {
                translated.push(assigned(long, OsStr::new(default)));
            }
        }
    }
    Ok(CommandLine::Arguments(translated))
}

/// The option of blastp that an argument names, and the value after its `=`.
fn known(argument: &OsStr) -> Option<(&'static str, Known, Option<OsString>)> {
    let text = argument.to_str()?.strip_prefix('-')?;
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let (name, known) = OPTIONS.into_iter().find(|(known, _)| *known == name)?;
    Some((name, known, value.map(OsString::from)))
}

/// What is wrong with an argument that follows `before` and is no option of blastp, if it is known better
/// than by a general rule: an option of another program, or columns that the format has lost.
fn mistake(argument: &OsStr, before: &[OsString]) -> Option<String> {
    let text = argument.to_str()?;
    let name = text.strip_prefix('-').unwrap_or_default().split('=').next().unwrap_or_default();
    if name.len() > 1 && name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Some(format!(
            "blastp has no option -{name}; `skyblast search --help` lists what there is, with two hyphens\n"
        ));
    }
    let format = match before {
        [.., last] if names(last, "--outfmt") => last.to_str()?.split_once('=')?.1,
        [.., option, last] if option == "--outfmt" => last.to_str()?,
        _ => return None,
    };
    let is_column = text == "std" || Column::ALL.iter().any(|column| column.name() == text);
    is_column.then(|| {
        format!("the columns belong to the format, as one argument: --outfmt \"{format} {text} ...\"\n")
    })
}

/// `--long=value`, so that a value may start with a hyphen.
pub(super) fn assigned(long: &str, value: &OsStr) -> OsString {
    let mut argument = OsString::from(long);
    argument.push("=");
    argument.push(value);
    argument
}

/// Whether an argument is the option `long`, with its value or without.
pub(super) fn names(argument: &OsStr, long: &str) -> bool {
    let rest = argument.to_str().and_then(|text| text.strip_prefix(long));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translate(line: &[&str]) -> Result<String, String> {
        let arguments = ["skyblast"].iter().chain(line).map(OsString::from).collect();
        let CommandLine::Arguments(words) = translated(arguments).map_err(|error| error.to_string())? else {
            return Ok(VERSION.to_owned());
        };
        Ok(words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn blastps_spelling_becomes_our_own() {
        for (line, expected) in [
            (
                &["search", "-query", "q.fa", "-db", "x", "-outfmt", "6 std qlen", "-num_threads", "2"][..],
                "skyblast search --query=q.fa --db=x --outfmt=6 std qlen --threads=2",
            ),
            (
                &["search", "-db=x", "-lcase_masking", "-show_gis", "-out", "-"],
                "skyblast search --db=x --lcase-masking --query=- --outfmt=0",
            ),
            (
                &["search", "-db=x", "--query=q", "-mt_mode", "1", "-num_threads", "2"],
                "skyblast search --db=x --query=q --threads=2 --outfmt=0",
            ),
            (&["blastp", "--db", "x"], "skyblast search --db x --query=- --outfmt=0"),
            (
                &["search", "--query", "-", "-db", "-x-", "--outfmt", "7", "-sorthits", "0"],
                "skyblast search --query - --db=-x- --outfmt 7 --sorthits=0",
            ),
            (&["search", "--query", "q", "--db", "x"], "skyblast search --query q --db x"),
            (&["search", "-v", "-1", "-"], "skyblast search -v -1 -"),
            (&["search", "-db", "x", "-h"], "skyblast search --help"),
            (&["serve", "-db", "x"], "skyblast serve -db x"),
        ] {
            assert_eq!(translate(line), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn what_is_not_there_is_refused_by_name_with_a_reason() {
        for (line, text) in [
            (&["search", "-remote"][..], "option -remote of blastp is not available: searches run"),
            (&["search", "-gilist", "x"], "option -gilist of blastp is not available: identifiers"),
            (&["search", "-db"], "option -db needs a value"),
            (&["search", "-db", "x", "-mt_mode", "1"], "needs -num_threads too"),
            (&["search", "-db", "x", "-mt_mode", "2"], "-mt_mode is \"2\", but must be 0 or 1"),
            (&["blastn", "-db", "x"], "has no blastn; `skyblast search --help`"),
            (&["search", "-db", "x", "-dust", "yes"], "blastp has no option -dust;"),
            (&["search", "-perc_identity=90"], "blastp has no option -perc_identity;"),
            (&["search", "-outfmt", "6", "qseqid", "sseqid"], "one argument: --outfmt \"6 qseqid ...\""),
            (&["search", "--outfmt", "7", "std"], "one argument: --outfmt \"7 std ...\""),
        ] {
            let refused = translate(line).expect_err("a refusal");
            assert!(refused.contains(text), "{refused}");
        }
        assert_eq!(translate(&["search", "-version"]), Ok(VERSION.to_owned()));
    }

    #[test]
    fn no_option_is_listed_twice() {
        let names: std::collections::BTreeSet<_> = OPTIONS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), OPTIONS.len());
    }
}
