//! Parameters of NCBI's API as options of a search. What an option may be is said where it is read.

use super::entrez_query::{ENTREZ_QUERY, taxa};
use super::parameters::{Parameters, refused, shorten};
use super::view::View;
use crate::functions::kind::Kind;
use crate::functions::options::Options;
use crate::functions::problem::Problem;

/// Subjects per query that are kept unless asked otherwise.
const HITLIST_SIZE: &str = "100";
/// Words of this many residues and more are of groups of residues, and need a higher threshold than the matrix
/// suggests: that of the task blastp-fast.
const GROUPED_WORDS: usize = 6;
const GROUPED_THRESHOLD: &str = "21";

/// Options that mean the same as a parameter, with its name.
const SAME: &[(&str, &str)] = &[
    ("database", "DATABASE"),
    ("evalue", "EXPECT"),
    ("matrix", "MATRIX_NAME"),
    ("word_size", "WORD_SIZE"),
    ("threshold", "THRESHOLD"),
    ("searchsp", "SEARCHSP_EFF"),
];

/// Options that follow from a parameter, with its name.
const FOLLOWING: &[(&str, &str)] = &[
    ("program", "PROGRAM"),
    ("max_target_seqs", "HITLIST_SIZE"),
    ("gapopen", "GAPCOSTS"),
    ("gapextend", "GAPCOSTS"),
    ("gapopen/gapextend", "GAPCOSTS"),
    ("seg", "FILTER"),
    ("soft_masking", "FILTER"),
    ("lcase_masking", "LCASE_MASK"),
    ("comp_based_stats", "COMPOSITION_BASED_STATISTICS"),
    ("query_loc", "QUERY_FROM, QUERY_TO"),
    ("ungapped", "UNGAPPED_ALIGNMENT"),
    ("outfmt", "FORMAT_TYPE"),
    ("taxids", ENTREZ_QUERY),
    ("negative_taxids", ENTREZ_QUERY),
];

/// The parameter that an option comes from.
pub(super) fn parameter_of(option: &str) -> Option<&'static str> {
    SAME.iter().chain(FOLLOWING).find(|(known, _)| *known == option).map(|(_, name)| *name)
}

/// Whether options are made of a parameter.
pub(super) fn is_translated(name: &str) -> bool {
    SAME.iter().chain(FOLLOWING).any(|(_, names)| names.split(", ").any(|known| known == name))
}

/// The options that parameters ask for.
pub(super) fn options(parameters: &Parameters, view: &View) -> Result<Options, Problem> {
    parameters.refuse_what_is_not_done()?;
    let mut options = Options::default();
    let mut add = |name: &str, value: &str| options.add(name, value.to_owned());
    for (option, name) in SAME {
        if let Some(value) = parameters.get(name) {
            add(option, value)?;
        }
    }
    let program = parameters.word("PROGRAM").ok_or_else(|| {
        Problem::bad_request(Kind::InvalidOption, "the parameter PROGRAM is missing; it must be blastp")
    })?;
    add("program", &program)?;
    add("outfmt", &view.kept().to_string())?;
    add("max_target_seqs", parameters.get("HITLIST_SIZE").unwrap_or(HITLIST_SIZE))?;
    if let Some([open, extend]) = gap_costs(parameters)? {
        add("gapopen", open)?;
        add("gapextend", extend)?;
    }
    let grouped = parameters.count("WORD_SIZE", 0)?.is_some_and(|size| size >= GROUPED_WORDS);
    if grouped && parameters.get("THRESHOLD").is_none() {
        add("threshold", GROUPED_THRESHOLD)?;
    }
    for (option, value) in masks(parameters)? {
        add(option, value)?;
    }
    if let Some((option, value)) = taxa(parameters)? {
        add(option, &value)?;
    }
    if let Some(on) = parameters.switch("LCASE_MASK")? {
        add("lcase_masking", &on.to_string())?;
    }
    if let Some(mode) = composition(parameters)? {
        add("comp_based_stats", mode)?;
    }
    if let Some(part) = query_part(parameters)? {
        add("query_loc", &part)?;
    }
    if parameters.switch("UNGAPPED_ALIGNMENT")?.unwrap_or_default() {
        add("ungapped", "true")?;
    }
    Ok(options)
}

/// The costs to open and to extend a gap; some clients write them with a fraction of 0.
fn gap_costs(parameters: &Parameters) -> Result<Option<[&str; 2]>, Problem> {
    let Some(text) = parameters.get("GAPCOSTS") else { return Ok(None) };
    let costs: Vec<&str> = text
        .split([' ', '\t', ','])
        .filter(|cost| !cost.is_empty())
        .map(|cost| match cost.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
            _ => cost,
        })
        .collect();
    <[&str; 2]>::try_from(costs).map(Some).map_err(|_| {
        let reason =
            format!("is {:?}, but must be the costs to open and to extend, as in 11 1", shorten(text));
        refused("GAPCOSTS", text, &reason)
    })
}

/// What is masked, and whether for lookup only.
fn masks(parameters: &Parameters) -> Result<Vec<(&'static str, &'static str)>, Problem> {
    let mut masks = Vec::new();
    let Some(text) = parameters.word("FILTER") else { return Ok(masks) };
    let (mut low, mut soft) = (false, false);
    for letter in text.replace("none", "").chars() {
        match letter {
            't' | 'l' => low = true,
            'm' => soft = true,
            'f' | ' ' | ';' | ',' => {}
            _ => {
                let reason = format!("is {:?}, but must be F, T, L, m or mL", shorten(&text));
                return Err(refused("FILTER", &text, &reason));
            }
        }
    }
    if low {
        masks.push(("seg", "yes"));
    }
    if soft {
        masks.push(("soft_masking", "true"));
    }
    Ok(masks)
}

fn composition(parameters: &Parameters) -> Result<Option<&'static str>, Problem> {
    const NAME: &str = "COMPOSITION_BASED_STATISTICS";
    let Some(word) = parameters.word(NAME) else { return Ok(None) };
    match word.as_str() {
        "0" | "off" | "no" | "f" | "false" => Ok(Some("0")),
        "1" => Ok(Some("1")),
        "2" | "on" | "yes" | "t" | "true" => Ok(Some("2")),
        "3" => Ok(Some("3")),
        _ => Err(refused(NAME, &word, &format!("is {:?}, but must be 0 to 3, on or off", shorten(&word)))),
    }
}

/// The part of the query that is searched; to its end if nothing else is said.
fn query_part(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let (from, to) = (parameters.count("QUERY_FROM", 1)?, parameters.count("QUERY_TO", 1)?);
    Ok(match (from, to) {
        (None, None) => None,
        (from, to) => Some(format!("{}-{}", from.unwrap_or(1), to.unwrap_or(u32::MAX as usize))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{CompositionMode, SearchOptions};
    use crate::jobs::Request;

    fn request(query: &str) -> Result<Request, Problem> {
        let all = format!("PROGRAM=blastp&DATABASE=sp&{query}");
        let parameters = Parameters::of_query(all.as_bytes()).expect("parameters");
        options(&parameters, &View::of(&parameters)?)?.into_request()
    }

    #[test]
    fn defaults_are_those_of_the_url_api() {
        let found = request("").expect("a request");
        assert_eq!(found.options, SearchOptions { max_target_seqs: 100, ..SearchOptions::default() });
        assert_eq!(found.database, "sp");
    }

    #[test]
    fn parameters_become_the_options_that_blastp_has() {
        for (query, same) in [
            ("EXPECT=1e-3&HITLIST_SIZE=7", "evalue=0.001&max_target_seqs=7"),
            (
                "MATRIX_NAME=BLOSUM45&GAPCOSTS=15.0+2.0",
                "matrix=BLOSUM45&gapopen=15&gapextend=2&max_target_seqs=100",
            ),
            ("FILTER=L", "seg=yes&max_target_seqs=100"),
            ("FILTER=m+L", "seg=yes&soft_masking=true&max_target_seqs=100"),
            ("FILTER=mL", "seg=yes&soft_masking=true&max_target_seqs=100"),
            ("FILTER=none", "max_target_seqs=100"),
            ("FILTER=F", "max_target_seqs=100"),
            ("LCASE_MASK=yes&THRESHOLD=13", "lcase_masking=true&threshold=13&max_target_seqs=100"),
            ("COMPOSITION_BASED_STATISTICS=off", "comp_based_stats=0&max_target_seqs=100"),
            ("WORD_SIZE=6", "word_size=6&threshold=21&max_target_seqs=100"),
            ("WORD_SIZE=2", "word_size=2&max_target_seqs=100"),
            ("QUERY_FROM=5&QUERY_TO=60", "query_loc=5-60&max_target_seqs=100"),
            ("QUERY_FROM=5", "query_loc=5-4294967295&max_target_seqs=100"),
            ("SEARCHSP_EFF=1000000", "searchsp=1000000&max_target_seqs=100"),
            (
                "ENTREZ_QUERY=txid9606[ORGN]+OR+Mus+musculus[ORGN]",
                "taxids=9606,Mus+musculus&max_target_seqs=100",
            ),
            ("ENTREZ_QUERY=all[filter]+NOT+txid9606[ORGN]", "negative_taxids=9606&max_target_seqs=100"),
            ("ENTREZ_QUERY=(none)", "max_target_seqs=100"),
            (
                "UNGAPPED_ALIGNMENT=yes&COMPOSITION_BASED_STATISTICS=0",
                "ungapped=true&comp_based_stats=0&max_target_seqs=100",
            ),
        ] {
            let uri = format!("/api/searches?database=sp&{same}").parse().expect("an address");
            let expected = Options::of(&uri).expect("options").into_request().expect("a request");
            let found = request(query).expect(query);
            assert_eq!((found.options, found.taxa), (expected.options, expected.taxa), "{query}");
        }
    }

    #[test]
    fn all_modes_of_composition_are_known() {
        for (text, mode) in [
            ("no", CompositionMode::Off),
            ("1", CompositionMode::Scale),
            ("on", CompositionMode::Conditional),
        ] {
            let found = request(&format!("COMPOSITION_BASED_STATISTICS={text}")).expect("a request");
            assert_eq!(found.options.composition, mode, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        for query in [
            "EXPECT=few",
            "EXPECT=0",
            "HITLIST_SIZE=0",
            "GAPCOSTS=11",
            "GAPCOSTS=99+99",
            "GAPCOSTS=11.5+1",
            "FILTER=R",
            "MATRIX_NAME=BLOSUM63",
            "COMPOSITION_BASED_STATISTICS=5",
            "WORD_SIZE=28",
            "QUERY_FROM=60&QUERY_TO=5",
            "SERVICE=psi",
            "ENTREZ_QUERY=biomol_mrna[PROP]",
        ] {
            assert!(request(query).is_err(), "{query}");
        }
    }

    #[test]
    fn every_option_that_is_set_is_named_by_a_parameter() {
        for option in ["evalue", "query_loc", "gapopen", "outfmt", "max_target_seqs"] {
            assert!(parameter_of(option).is_some(), "{option}");
        }
    }
}
