//! Options of a search as they are sent: in the address, in a form or in JSON.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::Query;
use axum::http::Uri;
use serde_json::json;

use super::kind::Kind;
use super::problem::Problem;
use super::upload::upload_id;
use crate::engine::{OptionChoices, OptionError, Spelled, Switch};
use crate::jobs::{AskedTaxa, JobId, Label, Place, Placement, QueryTotals, Request};
use crate::report::{LimitError, ListLimits, OutputFormat, PairwiseChoices};
use crate::taxonomy::Purpose;

/// Most subjects per query that a request may ask for.
const MAX_TARGETS: usize = 1_000_000;

/// Options beside those of the engine, and what they may be. A name may also be written with
/// hyphens; `db` means `database`.
const OWN_RANGES: &[(&str, &str)] = &[
    ("database", "a name of GET /api/databases, or name@version"),
    (
        "outfmt",
        "0, 5, 6, 7, 10, 15, 16, 17, arrow or parquet; 6, 7, 10, arrow and parquet optionally with columns, as in \"6 std qlen\"",
    ),
    ("max_target_seqs", "1 to 1000000"),
    ("num_descriptions", "0 to 1000000, with outfmt 0"),
    ("num_alignments", "0 to 1000000, from 1 and instead of max_target_seqs unless outfmt is 0"),
    ("line_length", "1 or more, with outfmt 0"),
    ("sorthits", "0 to 4, with outfmt 0"),
    ("sorthsps", "0 to 4, with outfmt 0"),
    ("program", "blastp"),
    (
        "taxids",
        "taxids or names of taxa, with commas or line ends between them: only their sequences are searched",
    ),
    (
        "negative_taxids",
        "taxids or names of taxa, with commas or line ends between them: all other sequences are searched",
    ),
    ("upload", "the id of an upload, from POST /api/uploads; the body is empty then"),
    ("partial", "true or false, of a report: whether it may lack shards that failed"),
    ("purge", "true or false, of DELETE: whether a search that has ended is removed"),
    ("label", "one line that the search is called by, of at most 200 letters"),
    ("parts", "the number of parts in which it was sent, if it was"),
    (
        "place",
        "own, cloud or burst: whether own workers, the app in the cloud, or both are told of its shards",
    ),
    ("deadline", "1 to 31536000, with place=burst: seconds in which it is to be done"),
    (
        "burst_after",
        "0 to 31536000, with place=burst: what own workers will not have done in so many seconds goes to the cloud; 600 without it and deadline",
    ),
    (
        "budget",
        "0 to 1000000, with place=burst: the most that the cloud may cost, in the currency of the table of prices",
    ),
    (
        "dry_run",
        "true or false: whether to say only what the search will take; the queries are at most 1 MiB then",
    ),
    (
        "of_queries",
        "with dry_run, the number of queries of which those sent are the beginning, together with of_residues",
    ),
    ("of_residues", "with dry_run, the number of their residues"),
    ("workers", "1 to 100000, with dry_run: the number of own workers to reckon with"),
];

/// Every option and what it may be.
pub(super) fn ranges() -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_own = |name| OWN_RANGES.iter().any(|(own, _)| *own == name);
    let others = OptionChoices::RANGES.iter().copied().filter(move |(name, _)| !is_own(*name));
    OWN_RANGES.iter().copied().chain(others)
}

/// Keys of the Functions host, which it forwards with the address; not for us.
const HOST_KEYS: [&str; 2] = ["code", "clientId"];

/// Options that a search in both places alone has.
const BURST: [&str; 3] = ["deadline", "burst_after", "budget"];
/// A year.
const LONGEST_SECONDS: u64 = 31_536_000;
const LARGEST_BUDGET: f64 = 1e6;

/// Options that an estimate alone has.
const DRY_RUN: [&str; 3] = ["of_queries", "of_residues", "workers"];
/// More queries and residues than anybody has.
const MOST_COUNTED: u64 = 1_000_000_000_000_000;
const MOST_WORKERS: u64 = 100_000;

/// An estimate that is wanted instead of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DryRun {
    /// Of what the queries are the beginning, if they are.
    pub(super) whole: Option<QueryTotals>,
    /// Number of own workers.
    pub(super) workers: u64,
}

/// Options by name, not yet read.
#[derive(Debug, Default)]
pub(super) struct Options(BTreeMap<&'static str, String>);

impl Options {
    /// The options in an address.
    pub(super) fn of(uri: &Uri) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Problem::bad_request(Kind::InvalidAddress, error.body_text()))?;
        let mut options = Self::default();
        for (name, value) in pairs {
            if !HOST_KEYS.contains(&name.as_str()) {
                options.add(&name, value)?;
            }
        }
        Ok(options)
    }

    /// Adds an option; it must be known and new.
    pub(super) fn add(&mut self, name: &str, value: String) -> Result<(), Problem> {
        let canonical = match name.replace('-', "_").as_str() {
            "db" => Some("database"),
            written => ranges().map(|(known, _)| known).find(|known| *known == written),
        };
        let Some(canonical) = canonical else {
            let names = ranges().map(|(known, _)| known).collect::<Vec<_>>().join(", ");
            let detail = format!("there is no option {:?}; the options are {names}", shorten(name));
            return Err(Problem::bad_request(Kind::UnknownOption, detail)
                .with("option", json!({ "name": shorten(name), "value": shorten(&value) })));
        };
        if let Some(first) = self.0.get(canonical) {
            let reason = format!("is given twice: {:?} and {:?}", shorten(first), shorten(&value));
            return Err(invalid(canonical, &value, reason));
        }
        self.0.insert(canonical, value);
        Ok(())
    }

    /// Takes the output format out, if there is one.
    pub(super) fn take_outfmt(&mut self) -> Result<Option<OutputFormat>, Problem> {
        let Some(text) = self.0.remove("outfmt") else { return Ok(None) };
        let format: OutputFormat = text.parse().map_err(|error| invalid("outfmt", &text, error))?;
        match format.in_one_file() {
            None => Ok(Some(format)),
            Some(single) => {
                let reason = format!("asks for several files; {} has the same in one", single.name());
                Err(invalid("outfmt", &text, reason))
            }
        }
    }

    /// Takes out whether a report may lack shards; if nothing is said it may not.
    pub(super) fn take_partial(&mut self) -> Result<bool, Problem> {
        Ok(self.take_parsed::<Switch>("partial")?.is_some_and(|partial| partial.0))
    }

    /// Takes out whether a search is to be removed; if nothing is said it is not.
    pub(super) fn take_purge(&mut self) -> Result<bool, Problem> {
        Ok(self.take_parsed::<Switch>("purge")?.is_some_and(|purge| purge.0))
    }

    /// Takes out what the search is to be called, if anything.
    pub(super) fn take_label(&mut self) -> Result<Option<Label>, Problem> {
        self.0.remove("label").map(|text| super::label::parse(&text)).transpose()
    }

    /// Takes out where the search is to be compared, if it matters.
    pub(super) fn take_placement(&mut self) -> Result<Option<Placement>, Problem> {
        let place = self.take_parsed::<Place>("place")?;
        if place != Some(Place::Burst) {
            return match BURST.iter().find_map(|name| self.0.get_key_value(name)) {
                None => Ok(place.map(|place| Placement { place, ..Placement::default() })),
                Some((name, value)) => {
                    Err(invalid(name, value, "has a meaning together with place=burst only"))
                }
            };
        }
        let deadline = self.take_in_range("deadline", 1, LONGEST_SECONDS)?;
        let burst_after = self.take_in_range("burst_after", 0, LONGEST_SECONDS)?;
        let budget = match self.0.remove("budget") {
            None => None,
            Some(text) => {
                let amount =
                    text.trim().parse().ok().filter(|amount| (0.0..=LARGEST_BUDGET).contains(amount));
                Some(amount.ok_or_else(|| out_of_range("budget", &text))?)
            }
        };
        Ok(Some(Placement { place: Place::Burst, deadline, burst_after, budget }))
    }

    /// Takes out a whole number from `least` to `most`, if there is one.
    fn take_in_range(&mut self, name: &'static str, least: u64, most: u64) -> Result<Option<u64>, Problem> {
        let Some(text) = self.0.remove(name) else { return Ok(None) };
        let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| out_of_range(name, &text))
    }

    /// Takes out whether only an estimate is wanted, and of what.
    pub(super) fn take_dry_run(&mut self) -> Result<Option<DryRun>, Problem> {
        let is_wanted = self.take_parsed::<Switch>("dry_run")?.is_some_and(|wanted| wanted.0);
        if !is_wanted {
            return match DRY_RUN.iter().find_map(|name| self.0.get_key_value(name)) {
                None => Ok(None),
                Some((name, value)) => {
                    Err(invalid(name, value, "has a meaning together with dry_run=true only"))
                }
            };
        }
        let [queries, residues] =
            [self.take_parsed::<u64>("of_queries")?, self.take_parsed::<u64>("of_residues")?];
        let whole = match (queries, residues) {
            (Some(queries), Some(residues)) if queries <= MOST_COUNTED && residues <= MOST_COUNTED => {
                Some(QueryTotals { queries, residues })
            }
            (None, None) => None,
            (Some(queries), _) => {
                let reason = "goes with of_residues, and both are below 1e15";
                return Err(invalid("of_queries", &queries.to_string(), reason));
            }
            (None, Some(residues)) => {
                return Err(invalid("of_residues", &residues.to_string(), "goes with of_queries"));
            }
        };
        let workers = self.take_in_range("workers", 1, MOST_WORKERS)?;
        Ok(Some(DryRun { whole, workers: workers.unwrap_or(1) }))
    }

    /// Takes out a number of subjects, if there is one.
    fn take_count(&mut self, name: &'static str, least: usize) -> Result<Option<usize>, Problem> {
        let Some(text) = self.0.remove(name) else { return Ok(None) };
        let count = usize::read(text.trim()).ok().filter(|count| (least..=MAX_TARGETS).contains(count));
        count.map(Some).ok_or_else(|| out_of_range(name, &text))
    }

    /// Takes out a value, if there is one.
    fn take_parsed<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>, Problem> {
        let Some(text) = self.0.remove(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| out_of_range(name, &text))
    }

    /// Takes out the format and the limits on subjects, which depend on each other.
    fn take_format(&mut self) -> Result<(OutputFormat, usize), Problem> {
        let mut format = self.take_outfmt()?.unwrap_or_default();
        let limits = ListLimits {
            max_target_seqs: self.take_count("max_target_seqs", 1)?,
            descriptions: self.take_count("num_descriptions", 0)?,
            alignments: self.take_count("num_alignments", 0)?,
        };
        if limits.ignored_by(&format) {
            let reason = "has a meaning for outfmt 0 only; max_target_seqs limits the others";
            return Err(invalid("num_descriptions", &format.to_string(), reason));
        }
        let style = PairwiseChoices {
            line_length: self.take_parsed("line_length")?,
            hit_order: self.take_parsed("sorthits")?,
            hsp_order: self.take_parsed("sorthsps")?,
        };
        if let Some(name) = style.ignored_by(&format) {
            return Err(invalid(name, &format.to_string(), "has a meaning for outfmt 0 only"));
        }
        style.apply(&mut format);
        match limits.settle(&mut format) {
            Ok(targets) if targets <= MAX_TARGETS => Ok((format, targets)),
            Ok(targets) => Err(out_of_range("max_target_seqs", &targets.to_string())),
            Err(error @ LimitError::NothingFound) => Err(invalid("num_alignments", "0", error)),
            Err(error) => Err(invalid("outfmt", &format.to_string(), error)),
        }
    }

    /// Takes out the upload that holds the queries, and its number of parts, if they come so.
    pub(super) fn take_upload(&mut self) -> Result<Option<(JobId, Option<u32>)>, Problem> {
        let (id, parts) = (self.0.remove("upload"), self.0.remove("parts"));
        let parts = parts.map(|text| text.parse().map_err(|_| out_of_range("parts", &text))).transpose()?;
        match (id, parts) {
            (Some(id), parts) => Ok(Some((upload_id(&id)?, parts))),
            (None, None) => Ok(None),
            (None, Some(parts)) => {
                Err(invalid("parts", &parts.to_string(), "has a meaning together with upload only"))
            }
        }
    }

    /// Takes out the taxa that are searched, or left out, if not all are searched.
    fn take_taxa(&mut self) -> Result<Option<AskedTaxa>, Problem> {
        let (include, exclude) = (self.0.remove("taxids"), self.0.remove("negative_taxids"));
        match (include, exclude) {
            (None, None) => Ok(None),
            (Some(words), None) => Ok(Some(AskedTaxa { words, purpose: Purpose::Include })),
            (None, Some(words)) => Ok(Some(AskedTaxa { words, purpose: Purpose::Exclude })),
            (Some(_), Some(words)) => {
                Err(invalid("negative_taxids", &words, "cannot be given together with taxids"))
            }
        }
    }

    /// Refuses options that are left.
    pub(super) fn none_left(&self) -> Result<(), Problem> {
        match self.0.first_key_value() {
            None => Ok(()),
            Some((name, value)) => {
                let detail = format!(
                    "the option {name:?} has no meaning here; results have outfmt and partial, DELETE has purge"
                );
                Err(Problem::bad_request(Kind::UnknownOption, detail)
                    .with("option", json!({ "name": name, "value": shorten(value) })))
            }
        }
    }

    /// Reads all options.
    pub(super) fn into_request(mut self) -> Result<Request, Problem> {
        for (name, place) in
            [("partial", "results"), ("purge", "DELETE"), ("dry_run", "queries that are sent")]
        {
            if let Some(text) = self.0.remove(name) {
                return Err(invalid(name, &text, format!("has a meaning for {place} only")));
            }
        }
        if let Some(text) = self.0.remove("program").filter(|text| text != "blastp") {
            return Err(out_of_range("program", &text));
        }
        let (outfmt, max_target_seqs) = self.take_format()?;
        let database = self.0.remove("database").ok_or_else(|| {
            let detail = "the option \"database\" is missing; GET /api/databases lists what can be searched";
            Problem::bad_request(Kind::InvalidOption, detail)
                .with("option", json!({ "name": "database", "range": range("database") }))
        })?;
        let taxa = self.take_taxa()?;
        let mut choices = OptionChoices::default();
        for (name, text) in &self.0 {
            choices.set(name, text).map_err(|_| out_of_range(name, text))?;
        }
        choices.max_target_seqs = Some(max_target_seqs);
        let options = choices.resolve().map_err(|error| impossible(&error))?;
        Ok(Request { database, options, outfmt, taxa })
    }
}

fn impossible(error: &OptionError) -> Problem {
    Problem::bad_request(Kind::InvalidOption, error.to_string())
        .with("option", json!({ "name": error.option, "value": error.value, "range": error.range }))
}

fn out_of_range(name: &'static str, value: &str) -> Problem {
    invalid(name, value, format!("is {:?}, but must be {}", shorten(value), range(name)))
}

fn invalid(name: &'static str, value: &str, reason: impl Display) -> Problem {
    Problem::bad_request(Kind::InvalidOption, format!("the option {name:?}: {reason}"))
        .with("option", json!({ "name": name, "value": shorten(value), "range": range(name) }))
}

/// What an option may be.
pub(super) fn range(name: &str) -> &'static str {
    ranges().find(|(known, _)| *known == name).map_or("", |(_, range)| range)
}

/// Enough of a text from outside to recognise it.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{CompositionMode, SearchOptions};

    fn options(query: &'static str) -> Result<Request, Problem> {
        let uri = format!("/api/searches?{query}").parse().expect("an address");
        Options::of(&uri)?.into_request()
    }

    #[test]
    fn options_are_read_in_either_spelling() {
        let expected = Request {
            database: "sp".to_owned(),
            options: SearchOptions {
                evalue: 1e-3,
                max_target_seqs: 5,
                composition: CompositionMode::Off,
                ..SearchOptions::default()
            },
            outfmt: "7 std qlen".parse().expect("a format"),
            taxa: None,
        };
        for query in [
            "database=sp&evalue=1e-3&max_target_seqs=5&outfmt=7+std+qlen&comp_based_stats=0&program=blastp",
            "max-target-seqs=5&db=sp&outfmt=7%20std%20qlen&evalue=0.001&comp-based-stats=F&task=blastp&code=secret",
        ] {
            assert_eq!(options(query).expect("a request"), expected, "{query}");
        }
    }

    #[test]
    fn masks_and_parts_of_queries_are_read() {
        let query =
            "database=sp&seg=10+1.8+2.1&soft-masking=true&lcase_masking=1&query_loc=10-60&searchsp=1000";
        let SearchOptions { masking, query_location, search_space, .. } =
            options(query).expect("a request").options;
        assert_eq!(masking.to_string(), "S 10 1.8 2.1;m;");
        assert!(masking.lower_case);
        assert_eq!(query_location.map(|part| part.to_string()).as_deref(), Some("10-60"));
        assert_eq!(search_space, Some(1_000));
        for query in [
            "database=sp&seg=maybe",
            "database=sp&query_loc=9-3",
            "database=sp&lcase_masking=perhaps",
            "database=sp&ungapped=true",
        ] {
            assert!(options(query).is_err(), "{query}");
        }
    }

    #[test]
    fn alignments_are_subjects_unless_the_report_is_pairwise() {
        let targets = |query| options(query).map(|request| request.options.max_target_seqs);
        for outfmt in ["5", "6", "7+std", "15", "17"] {
            let query: &'static str = format!("database=sp&outfmt={outfmt}&num_alignments=0x3").leak();
            assert_eq!(targets(query).expect("a request"), 3, "{query}");
        }
        assert_eq!(targets("database=sp&outfmt=0&num_alignments=3").expect("a request"), 500);
        for query in [
            "database=sp&outfmt=6&num_alignments=0",
            "database=sp&outfmt=6&num_descriptions=3",
            "database=sp&outfmt=6&num_alignments=3&max_target_seqs=3",
            "database=sp&max_target_seqs=1000001",
        ] {
            assert!(options(query).is_err(), "{query}");
        }
    }

    #[test]
    fn taxa_are_searched_or_left_out() {
        let taxa = |query| options(query).map(|request| request.taxa);
        let asked = |words: &str, purpose| Some(AskedTaxa { words: words.to_owned(), purpose });
        let human = taxa("database=sp&taxids=9606,Mus+musculus").expect("a request");
        assert_eq!(human, asked("9606,Mus musculus", Purpose::Include));
        let others = taxa("database=sp&negative-taxids=9606").expect("a request");
        assert_eq!(others, asked("9606", Purpose::Exclude));
        assert!(taxa("database=sp&negative_taxids=9606&taxids=562").is_err());
    }

    #[test]
    fn an_unknown_composition_mode_is_refused() {
        for query in ["database=sp&comp_based_stats=2u", "database=sp&comp_based_stats=tU"] {
            assert!(options(query).is_err(), "{query}");
        }
    }

    #[test]
    fn defaults_are_those_of_blastp() {
        let request = options("database=sp").expect("a request");
        assert_eq!(request.options, SearchOptions::default());
        assert_eq!(request.outfmt, OutputFormat::default());
    }
}
