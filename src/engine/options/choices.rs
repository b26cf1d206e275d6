//! From what a user asks for to the options of a search: blastp's defaults and which of them
//! depend on which (`api/blast_prot_options.cpp`, `api/blast_advprot_options.cpp`,
//! `core/blast_options.c:BLAST_GetSuggestedThreshold`, `blastinput/blast_args.cpp`).

use std::fmt;
use std::str::FromStr;

use super::contest::Contest;
use super::error::OptionError;
use super::masking::{Masking, QueryLocation, SegChoice, Switch};
use super::mode::Mode;
use super::search_options::{CompositionMode, DropOffs, GROUPED_SIZE, SearchOptions, WordOptions};
use super::spelling::Spelled;
use crate::scoring::{GapCosts, MatrixName};

/// A set of defaults for a kind of query (`-task`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Task {
    /// Usual queries.
    #[default]
    Blastp,
    /// Longer words of similar residues: faster, and finds fewer distant relatives.
    BlastpFast,
    /// Queries of fewer than about 30 residues.
    BlastpShort,
}

impl Task {
    /// All tasks.
    pub const ALL: [Self; 3] = [Self::Blastp, Self::BlastpFast, Self::BlastpShort];

    /// The name as blastp has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blastp => "blastp",
            Self::BlastpFast => "blastp-fast",
            Self::BlastpShort => "blastp-short",
        }
    }

    fn matrix(self) -> MatrixName {
        match self {
            Self::Blastp | Self::BlastpFast => MatrixName::Blosum62,
            Self::BlastpShort => MatrixName::Pam30,
        }
    }

    fn words(self) -> WordOptions {
        match self {
            Self::Blastp => WordOptions { size: 3, threshold: DEFAULT_THRESHOLD, window: 40 },
            Self::BlastpFast => WordOptions { size: 6, threshold: 21.0, window: 40 },
            Self::BlastpShort => WordOptions { size: 2, threshold: 16.0, window: 15 },
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Task {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = Self::ALL.map(Self::as_str).join(" or ");
        let found = Self::ALL.into_iter().find(|task| task.as_str() == text);
        found.ok_or_else(|| OptionError::new("task", format!("{text:?}"), names))
    }
}

/// Threshold of blastp, which a matrix replaces by its own if nobody asked for another.
const DEFAULT_THRESHOLD: f64 = 11.0;

/// Overhang and score edge of best hits if only one of them is given.
const DEFAULT_SHARE: f64 = 0.1;

/// Lowest threshold for words of groups of residues.
const LOWEST_GROUPED_THRESHOLD: f64 = 16.0;

macro_rules! choices {
    ($($name:ident: $type:ty = $range:literal;)*) => {
        /// What a user asks for; everything else follows from the task and the matrix.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct OptionChoices {
            $(
                #[doc = concat!("`-", stringify!($name), "`: ", $range, ".")]
                pub $name: Option<$type>,
            )*
        }

        impl OptionChoices {
            /// Names of all options, as blastp spells them without the hyphen, and what each may be.
            pub const RANGES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), $range),)*];

            /// Sets an option by name from text; what is out of range shows in
            /// [`resolve`](Self::resolve).
            ///
            /// # Errors
            /// If there is no such option, or the text is no value of it.
            pub fn set(&mut self, name: &str, text: &str) -> Result<(), OptionError> {
                match name {
                    $(stringify!($name) => {
                        let error = |_| OptionError::new(stringify!($name), quoted(text), $range);
                        self.$name = Some(Spelled::read(text.trim()).map_err(error)?);
                    })*
                    _ => {
                        let names: Vec<_> = Self::RANGES.iter().map(|(name, _)| *name).collect();
                        return Err(OptionError::new("option", quoted(name), names.join(", ")));
                    }
                }
                Ok(())
            }

            /// The options that are set, as [`set`](Self::set) takes them.
            pub fn pairs(&self) -> Vec<(&'static str, String)> {
                let pairs = [$(self.$name.map(|value| (stringify!($name), value.to_string())),)*];
                pairs.into_iter().flatten().collect()
            }
        }
    };
}

choices! {
    task: Task = "blastp, blastp-fast or blastp-short";
    evalue: f64 = "a finite number above 0";
    max_target_seqs: usize = "1 or more";
    comp_based_stats: CompositionMode = "0, 1, 2 or 3";
    matrix: MatrixName =
        "BLOSUM45, BLOSUM50, BLOSUM62, BLOSUM80, BLOSUM90, PAM30, PAM70, PAM250 or IDENTITY";
    gapopen: i32 = "a number that goes with the matrix and gapextend";
    gapextend: i32 = "a number that goes with the matrix and gapopen";
    word_size: usize = "2 to 7";
    threshold: f64 = "a finite number above 0";
    window_size: u32 = "0 or more";
    xdrop_ungap: f64 = "a finite number above 0";
    xdrop_gap: f64 = "a finite number";
    xdrop_gap_final: f64 = "a finite number";
    max_hsps: usize = "1 or more";
    qcov_hsp_perc: f64 = "a percentage from 0 to 100";
    dbsize: i64 = "a whole number, 0 for the size of the database";
    searchsp: u64 = "0 (what follows from the lengths) or more";
    ungapped: Switch = "true or false";
    seg: SegChoice = "no, yes, or window, low and high cut, as in \"12 2.2 2.5\"";
    soft_masking: Switch = "true or false";
    lcase_masking: Switch = "true or false";
    query_loc: QueryLocation = "start-stop, from 1, with start below stop";
    culling_limit: usize = "0 (none) or more";
    best_hit_overhang: f64 = "a number above 0 and below 0.5";
    best_hit_score_edge: f64 = "a number above 0 and below 0.5";
    subject_besthit: Switch = "true or false";
    use_sw_tback: Switch = "true or false";
    mode: Mode = "thorough, exact, seeded or fast";
}

/// A text from outside, short enough for a message.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(80).collect::<String>())
}

impl OptionChoices {
    /// The options of the search; names the first choice that cannot be had.
    pub fn resolve(&self) -> Result<SearchOptions, OptionError> {
        let task = self.task.unwrap_or_default();
        let matrix = self.matrix.unwrap_or(task.matrix());
        let default = SearchOptions::default();
        let evalue = above_zero("evalue", self.evalue.unwrap_or(default.evalue))?;
        let composition = self.comp_based_stats.unwrap_or(default.composition);
        if matrix == MatrixName::Identity && composition != CompositionMode::Off {
            let range = "0 with the matrix IDENTITY, which has no frequencies to adjust";
            return Err(OptionError::new("comp_based_stats", composition, range));
        }
        let ungapped = self.ungapped.is_some_and(|choice| choice.0);
        if ungapped && composition != CompositionMode::Off {
            let range = "0 with ungapped, since adjusted scores are for gapped alignments";
            return Err(OptionError::new("comp_based_stats", composition, range));
        }
        let locally_optimal = self.use_sw_tback.is_some_and(|choice| choice.0);
        if ungapped && locally_optimal {
            let range = "left out with ungapped: there is nothing to align anew";
            return Err(OptionError::new("use_sw_tback", true, range));
        }
        let mode = self.mode.unwrap_or_default();
        if ungapped && mode == Mode::Thorough {
            let range = "another one with ungapped: this one looks for the best alignment with gaps";
            return Err(OptionError::new("mode", mode, range));
        }
        Ok(SearchOptions {
            evalue,
            max_target_seqs: at_least_one("max_target_seqs", self.max_target_seqs)?
                .unwrap_or(default.max_target_seqs),
            composition,
            matrix,
            gaps: self.gaps(matrix)?,
            words: self.words(task, matrix)?,
            drop_off: DropOffs {
                ungapped: above_zero("xdrop_ungap", self.xdrop_ungap.unwrap_or(default.drop_off.ungapped))?,
                gapped: finite("xdrop_gap", self.xdrop_gap.unwrap_or(default.drop_off.gapped))?,
                last: finite("xdrop_gap_final", self.xdrop_gap_final.unwrap_or(default.drop_off.last))?,
            },
            max_hsps: at_least_one("max_hsps", self.max_hsps)?,
            min_query_cover: percentage(
                "qcov_hsp_perc",
                self.qcov_hsp_perc.unwrap_or(default.min_query_cover),
            )?,
            database_residues: self.dbsize.filter(|&residues| residues != 0),
            search_space: self.searchsp,
            ungapped,
            masking: Masking {
                seg: self.seg.and_then(|choice| choice.0),
                lower_case: self.lcase_masking.is_some_and(|choice| choice.0),
                soft: self.soft_masking.is_some_and(|choice| choice.0),
            },
            query_location: self.query_loc,
            contest: self.contest()?,
            subject_best_hit: self.subject_besthit.is_some_and(|choice| choice.0),
            locally_optimal,
            mode,
        })
    }

    /// Each of the two numbers of best hits brings the other's default.
    fn contest(&self) -> Result<Option<Contest>, OptionError> {
        let overhang = share("best_hit_overhang", self.best_hit_overhang)?;
        let score_edge = share("best_hit_score_edge", self.best_hit_score_edge)?;
        match (self.culling_limit, overhang.or(score_edge)) {
            (Some(limit), Some(_)) => {
                let range = "left out with best_hit_overhang or best_hit_score_edge";
                Err(OptionError::new("culling_limit", limit, range))
            }
            (None | Some(0), None) => Ok(None),
            (Some(limit), None) => Ok(Some(Contest::Culling(limit))),
            (None, Some(_)) => Ok(Some(Contest::BestHit {
                overhang: overhang.unwrap_or(DEFAULT_SHARE),
                score_edge: score_edge.unwrap_or(DEFAULT_SHARE),
            })),
        }
    }

    fn gaps(&self, matrix: MatrixName) -> Result<GapCosts, OptionError> {
        let default = matrix.default_gaps();
        let gaps = GapCosts {
            open: self.gapopen.unwrap_or(default.open),
            extend: self.gapextend.unwrap_or(default.extend),
        };
        let known = matrix.gap_costs().any(|known| known == gaps);
        if known { Ok(gaps) } else { Err(OptionError::gap_costs(matrix, gaps)) }
    }

    fn words(&self, task: Task, matrix: MatrixName) -> Result<WordOptions, OptionError> {
        let default = task.words();
        let size = self.word_size.unwrap_or(default.size);
        if !(2..=7).contains(&size) {
            return Err(OptionError::new("word_size", size, "2 to 7"));
        }
        if size >= GROUPED_SIZE && matrix == MatrixName::Identity {
            let range = "2 to 5 with the matrix IDENTITY, which has no frequencies to group residues by";
            return Err(OptionError::new("word_size", size, range));
        }
        let changed = self.matrix.is_some() || self.word_size.is_some();
        let suggested = changed && default.threshold == DEFAULT_THRESHOLD;
        let threshold = match self.threshold {
            Some(threshold) => above_zero("threshold", threshold)?,
            None if suggested => suggested_threshold(matrix),
            None => default.threshold,
        };
        let window = match self.window_size {
            Some(window) => window,
            None if self.matrix.is_some() => suggested_window(matrix),
            None => default.window,
        };
        if size >= GROUPED_SIZE && threshold < LOWEST_GROUPED_THRESHOLD {
            // The table would take gigabytes, as it does in blastp.
            let least = LOWEST_GROUPED_THRESHOLD;
            return Err(if self.threshold.is_some() {
                OptionError::new("threshold", threshold, format!("{least} or more with word_size {size}"))
            } else {
                let range = format!(
                    "2 to {} unless threshold is given too, {least} or more; the task blastp-fast has word_size 6 \
                     and threshold 21",
                    GROUPED_SIZE - 1
                );
                OptionError::new("word_size", size, range)
            });
        }
        Ok(WordOptions { size, threshold, window })
    }
}

impl Default for SearchOptions {
    /// Those of blastp: E-value 10, 500 subjects, BLOSUM62 with gaps 11/1, conditional composition
    /// adjustment.
    fn default() -> Self {
        let matrix = MatrixName::Blosum62;
        Self {
            evalue: 10.0,
            max_target_seqs: 500,
            composition: CompositionMode::default(),
            matrix,
            gaps: matrix.default_gaps(),
            words: Task::Blastp.words(),
            drop_off: DropOffs { ungapped: 7.0, gapped: 15.0, last: 25.0 },
            max_hsps: None,
            min_query_cover: 0.0,
            database_residues: None,
            search_space: None,
            ungapped: false,
            masking: Masking::default(),
            query_location: None,
            contest: None,
            subject_best_hit: false,
            locally_optimal: false,
            mode: Mode::default(),
        }
    }
}

/// `BLAST_GetSuggestedThreshold`.
fn suggested_threshold(matrix: MatrixName) -> f64 {
    match matrix {
        MatrixName::Blosum45 | MatrixName::Pam70 => 14.0,
        MatrixName::Blosum80 => 12.0,
        MatrixName::Pam30 => 16.0,
        MatrixName::Identity => 27.0,
        _ => DEFAULT_THRESHOLD,
    }
}

/// `BLAST_GetSuggestedWindowSize`.
fn suggested_window(matrix: MatrixName) -> u32 {
    match matrix {
        MatrixName::Blosum45 => 60,
        MatrixName::Blosum80 => 25,
        MatrixName::Pam30 => 15,
        MatrixName::Pam70 => 20,
        _ => 40,
    }
}

fn above_zero(option: &'static str, value: f64) -> Result<f64, OptionError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(OptionError::new(option, value, "a finite number above 0"))
    }
}

fn finite(option: &'static str, value: f64) -> Result<f64, OptionError> {
    if value.is_finite() { Ok(value) } else { Err(OptionError::new(option, value, "a finite number")) }
}

fn percentage(option: &'static str, value: f64) -> Result<f64, OptionError> {
    if (0.0..=100.0).contains(&value) {
        Ok(value)
    } else {
        Err(OptionError::new(option, value, "a percentage from 0 to 100"))
    }
}

fn share(option: &'static str, value: Option<f64>) -> Result<Option<f64>, OptionError> {
    match value {
        Some(share) if !(share > 0.0 && share < 0.5) => {
            Err(OptionError::new(option, share, "a number above 0 and below 0.5"))
        }
        other => Ok(other),
    }
}

fn at_least_one(option: &'static str, value: Option<usize>) -> Result<Option<usize>, OptionError> {
    match value {
        Some(0) => Err(OptionError::new(option, 0, "1 or more")),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_for_means_the_default() {
        assert_eq!(OptionChoices::default().resolve(), Ok(SearchOptions::default()));
    }

    #[test]
    fn a_matrix_brings_its_gap_costs_threshold_and_window() {
        let choices = OptionChoices { matrix: Some(MatrixName::Blosum45), ..OptionChoices::default() };
        let options = choices.resolve().expect("possible options");
        assert_eq!(options.gaps, GapCosts { open: 14, extend: 2 });
        assert_eq!(options.words, WordOptions { size: 3, threshold: 14.0, window: 60 });
    }

    #[test]
    fn a_task_for_short_queries_brings_its_own() {
        let choices = OptionChoices { task: Some(Task::BlastpShort), ..OptionChoices::default() };
        let options = choices.resolve().expect("possible options");
        assert_eq!(options.matrix, MatrixName::Pam30);
        assert_eq!(options.gaps, GapCosts { open: 9, extend: 1 });
        assert_eq!(options.words, WordOptions { size: 2, threshold: 16.0, window: 15 });
    }

    #[test]
    fn choices_read_back_from_text() {
        let mut choices = OptionChoices::default();
        let pairs =
            [("task", "blastp-fast"), ("evalue", "0.001"), ("comp_based_stats", "1"), ("matrix", "PAM70")];
        for (name, text) in pairs {
            choices.set(name, text).expect("an option");
        }
        assert_eq!(choices.pairs(), pairs.map(|(name, text)| (name, text.to_owned())));
        for (name, text, part) in [
            ("evalue", "x", "evalue \"x\""),
            ("eval", "1", "option \"eval\""),
            ("task", "blastn", "blastp-fast"),
        ] {
            let message = choices.set(name, text).expect_err("a refusal").to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn impossible_choices_are_named_with_what_is_possible() {
        let nothing = OptionChoices::default;
        let refused = [
            (
                OptionChoices { gapopen: Some(5), gapextend: Some(5), ..nothing() },
                "gapopen/gapextend 5/5",
                "11/1",
            ),
            (OptionChoices { evalue: Some(0.0), ..nothing() }, "evalue 0", "above 0"),
            (OptionChoices { evalue: Some(f64::NAN), ..nothing() }, "evalue NaN", "above 0"),
            (OptionChoices { word_size: Some(1), ..nothing() }, "word_size 1", "2 to 7"),
            (OptionChoices { max_target_seqs: Some(0), ..nothing() }, "max_target_seqs 0", "1 or more"),
            (OptionChoices { qcov_hsp_perc: Some(101.0), ..nothing() }, "qcov_hsp_perc 101", "0 to 100"),
        ];
        for (choices, what, range) in refused {
            let message = choices.resolve().expect_err("impossible").to_string();
            assert!(message.starts_with(what) && message.contains(range), "{message}");
        }
    }
}
