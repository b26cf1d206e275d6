//! Options that several commands share.

use std::num::NonZeroUsize;

use super::exit::Exit;
use crate::engine::{
    CompositionMode, Mode, OptionChoices, QueryLocation, SearchOptions, SegChoice, Switch, Task, spelled,
};
use crate::report::{HitOrder, HspOrder, ListLimits, OutputFormat, PairwiseChoices};
use crate::scoring::MatrixName;

/// Options that change what is found and how it is written; named as blastp names them.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct SearchFlags {
    /// Largest E-value that is reported [default: 10]
    #[arg(long, value_parser = spelled::<f64>, value_name = "E", allow_negative_numbers = true)]
    evalue: Option<f64>,

    /// Subjects reported per query at most [default: 500]
    #[arg(long, value_parser = spelled::<usize>, value_name = "N")]
    max_target_seqs: Option<usize>,

    /// One-line descriptions per query in format 0 [default: 500]
    #[arg(long, value_parser = spelled::<usize>, value_name = "N")]
    num_descriptions: Option<usize>,

    /// Subjects per query whose alignments format 0 shows [default: 250]; for other formats the same as
    /// --max-target-seqs
    #[arg(long, value_parser = spelled::<usize>, value_name = "N")]
    num_alignments: Option<usize>,

    /// Columns of an alignment per line in format 0 [default: 60]
    #[arg(long, value_parser = spelled::<NonZeroUsize>, value_name = "N")]
    line_length: Option<NonZeroUsize>,

    /// Order of subjects in format 0: 0 (E-value), 1 (bit score), 2 (total score), 3 (percent
    /// identity) or 4 (query coverage); the list of subjects then has these columns
    #[arg(long, value_name = "N")]
    sorthits: Option<HitOrder>,

    /// Order of a subject's HSPs in format 0: 0 (E-value), 1 (score), 2 (query start), 3 (percent
    /// identity) or 4 (subject start)
    #[arg(long, value_name = "N")]
    sorthsps: Option<HspOrder>,

    /// Report format: 0 (pairwise), 5 (XML), 6 (rows), 7 (rows and comments), 10 (comma-separated
    /// rows), 13 and 15 (JSON, a file per query or one), 14 and 16 (XML2, likewise), 17 (SAM),
    /// parquet and arrow (typed columns for pandas, polars, DuckDB). 6, 7, 10, parquet and arrow take columns, as in "6 qseqid sseqid pident evalue"; `std` stands for the twelve usual
    /// ones and `delim=X` before them changes what separates them. "17 SQ" writes sequences too
    #[arg(long, value_name = "FORMAT", default_value_t)]
    outfmt: OutputFormat,

    /// How much may be lost for speed: exact (nothing), seeded or fast, whose rows are all blastp's, but some are
    /// lost, weak ones first. Or thorough: slower, with what blastp's words miss besides [default: exact]
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,

    /// Defaults for a kind of query: blastp, blastp-fast (longer words) or blastp-short (under 30
    /// residues)
    #[arg(long, value_name = "NAME")]
    task: Option<Task>,

    /// Composition-based statistics: 0 or F (none), 1 (scale the matrix for every pair), 2, T or D
    /// (make it anew or scale it, as the pair demands), 3 (always make it anew); as in blastp, only the
    /// first letter counts, and any other is none [default: 2]
    #[arg(long, value_name = "MODE")]
    comp_based_stats: Option<CompositionMode>,

    /// HSPs reported per subject at most
    #[arg(long, value_parser = spelled::<usize>, value_name = "N", allow_negative_numbers = true, help_heading = SCORING)]
    max_hsps: Option<usize>,

    /// Smallest percentage of the query that an HSP must span
    #[arg(long, value_parser = spelled::<f64>, value_name = "PERCENT", allow_negative_numbers = true, help_heading = SCORING)]
    qcov_hsp_perc: Option<f64>,

    /// Drop hits whose region of the query this many better ones cover
    #[arg(long, value_parser = spelled::<usize>, value_name = "N", allow_negative_numbers = true, help_heading = SCORING)]
    culling_limit: Option<usize>,

    /// Drop hits whose region of the query a clearly better one spans, which reaches this share of its
    /// length beyond its ends [default with --best-hit-score-edge: 0.1]
    #[arg(long, value_parser = spelled::<f64>, value_name = "SHARE", allow_negative_numbers = true, help_heading = SCORING)]
    best_hit_overhang: Option<f64>,

    /// Drop hits likewise, if their score per residue is this share below [default with
    /// --best-hit-overhang: 0.1]
    #[arg(long, value_parser = spelled::<f64>, value_name = "SHARE", allow_negative_numbers = true, help_heading = SCORING)]
    best_hit_score_edge: Option<f64>,

    /// Drop HSPs whose region of the query a better one of the same subject spans
    #[arg(long, help_heading = SCORING)]
    subject_besthit: bool,

    /// Make final alignments by Smith and Waterman's method: locally optimal, and slower
    #[arg(long, help_heading = SCORING)]
    use_sw_tback: bool,

    /// Scoring matrix: BLOSUM45, 50, 62, 80, 90, PAM30, PAM70, PAM250 or IDENTITY [default: the
    /// task's]
    #[arg(long, value_name = "NAME", help_heading = SCORING)]
    matrix: Option<MatrixName>,

    /// Cost of opening a gap [default: the matrix's]
    #[arg(long, value_parser = spelled::<i32>, value_name = "N", allow_negative_numbers = true, help_heading = SCORING)]
    gapopen: Option<i32>,

    /// Cost of each residue of a gap [default: the matrix's]
    #[arg(long, value_parser = spelled::<i32>, value_name = "N", allow_negative_numbers = true, help_heading = SCORING)]
    gapextend: Option<i32>,

    /// Residues of the words that seed alignments, 2 to 7 [default: the task's]
    #[arg(long, value_parser = spelled::<usize>, value_name = "N", allow_negative_numbers = true, help_heading = SCORING)]
    word_size: Option<usize>,

    /// Score from which a word is a neighbour [default: the task's or matrix's]
    #[arg(long, value_parser = spelled::<f64>, value_name = "SCORE", allow_negative_numbers = true, help_heading = SCORING)]
    threshold: Option<f64>,

    /// Residues within which two word hits must lie; 0 asks for one hit only [default: the task's or
    /// matrix's]
    #[arg(long, value_parser = spelled::<u32>, value_name = "N", allow_negative_numbers = true, help_heading = SCORING)]
    window_size: Option<u32>,

    /// Drop-off of ungapped extensions, bits [default: 7]
    #[arg(long, value_parser = spelled::<f64>, value_name = "BITS", allow_negative_numbers = true, help_heading = SCORING)]
    xdrop_ungap: Option<f64>,

    /// Drop-off of preliminary gapped extensions, bits [default: 15]
    #[arg(long, value_parser = spelled::<f64>, value_name = "BITS", allow_negative_numbers = true, help_heading = SCORING)]
    xdrop_gap: Option<f64>,

    /// Drop-off of final gapped extensions, bits [default: 25]
    #[arg(long, value_parser = spelled::<f64>, value_name = "BITS", allow_negative_numbers = true, help_heading = SCORING)]
    xdrop_gap_final: Option<f64>,

    /// Residues of the database that E-values assume [default, and with 0: those of the database]
    #[arg(long, value_parser = spelled::<i64>, value_name = "N", allow_negative_numbers = true, help_heading = SCORING)]
    dbsize: Option<i64>,

    /// Search space that E-values assume, instead of what follows from the lengths of query, subject
    /// and database; with 0 it follows from them, but E-values are not corrected for the ends of
    /// sequences
    #[arg(long, value_parser = spelled::<u64>, value_name = "N", allow_negative_numbers = true, help_heading = SCORING)]
    searchsp: Option<u64>,

    /// Report alignments without gaps only; needs --comp-based-stats 0
    #[arg(long, help_heading = SCORING)]
    ungapped: bool,

    /// Mask stretches of low complexity in queries: yes, no, or window, low and high cut, as in
    /// "12 2.2 2.5" [default: no]
    #[arg(long, value_name = "SEG", help_heading = MASKING)]
    seg: Option<SegChoice>,

    /// Let masked residues start no alignment, but count in those that reach them [default: false]
    #[arg(long, value_name = "BOOLEAN", help_heading = MASKING)]
    soft_masking: Option<Switch>,

    /// Mask what queries have in lower case
    #[arg(long, help_heading = MASKING)]
    lcase_masking: bool,

    /// Search with this part of every query, as in 10-250; positions stay those of the whole
    #[arg(long, value_name = "START-STOP", help_heading = MASKING)]
    query_loc: Option<QueryLocation>,
}

const SCORING: &str = "Options of the search";
const MASKING: &str = "Parts of queries";

impl SearchFlags {
    /// Usual options, but for the largest E-value.
    pub(super) fn up_to(evalue: f64) -> Self {
        Self { evalue: Some(evalue), ..Self::default() }
    }

    /// What is asked for.
    pub(super) fn choices(&self) -> OptionChoices {
        OptionChoices {
            task: self.task,
            evalue: self.evalue,
            max_target_seqs: self.max_target_seqs,
            comp_based_stats: self.comp_based_stats,
            matrix: self.matrix,
            gapopen: self.gapopen,
            gapextend: self.gapextend,
            word_size: self.word_size,
            threshold: self.threshold,
            window_size: self.window_size,
            xdrop_ungap: self.xdrop_ungap,
            xdrop_gap: self.xdrop_gap,
            xdrop_gap_final: self.xdrop_gap_final,
            max_hsps: self.max_hsps,
            qcov_hsp_perc: self.qcov_hsp_perc,
            dbsize: self.dbsize,
            searchsp: self.searchsp,
            ungapped: self.ungapped.then_some(Switch(true)),
            seg: self.seg,
            soft_masking: self.soft_masking,
            lcase_masking: self.lcase_masking.then_some(Switch(true)),
            query_loc: self.query_loc,
            culling_limit: self.culling_limit,
            best_hit_overhang: self.best_hit_overhang,
            best_hit_score_edge: self.best_hit_score_edge,
            subject_besthit: self.subject_besthit.then_some(Switch(true)),
            use_sw_tback: self.use_sw_tback.then_some(Switch(true)),
            mode: self.mode,
        }
    }

    /// Subjects per query that were asked for.
    pub(super) fn max_target_seqs(&self) -> Option<usize> {
        self.max_target_seqs
    }

    /// The options of the engine and the format of the report, which depend on each other.
    pub(super) fn settle(&self) -> anyhow::Result<(SearchOptions, OutputFormat)> {
        let mut format = self.outfmt.clone();
        let limits = ListLimits {
            max_target_seqs: self.max_target_seqs,
            descriptions: self.num_descriptions,
            alignments: self.num_alignments,
        };
        if limits.ignored_by(&format) {
            errln!(
                "warning: --num-descriptions is ignored: only format 0 has descriptions; --max-target-seqs limits the \
                 others"
            );
        }
        let style = PairwiseChoices {
            line_length: self.line_length,
            hit_order: self.sorthits,
            hsp_order: self.sorthsps,
        };
        if let Some(name) = style.ignored_by(&format) {
            errln!("warning: --{} is ignored: only format 0 uses it", name.replace('_', "-"));
        }
        style.apply(&mut format);
        let mut options = self.choices().resolve()?;
        let targets = limits.settle(&mut format);
        options.max_target_seqs = targets.map_err(|error| Exit::WrongCommandLine.because(error))?;
        Ok((options, format))
    }
}

/// How many threads to use.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ThreadFlags {
    /// Threads that compare [default: one per core]
    #[arg(long, value_parser = spelled::<NonZeroUsize>, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl ThreadFlags {
    pub(super) fn count(self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(cores)
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    /// What a command line asks for.
    fn settled(more: &[&str]) -> Option<(SearchOptions, OutputFormat)> {
        let command = SearchFlags::augment_args(clap::Command::new("search"));
        let line = ["search"].iter().chain(more);
        let matches = command.try_get_matches_from(line).ok()?;
        SearchFlags::from_arg_matches(&matches).ok()?.settle().ok()
    }

    #[test]
    fn to_ask_for_the_default_that_help_states_changes_nothing() {
        let command = SearchFlags::augment_args(clap::Command::new("search"));
        let mut numbers = 0;
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let Some((_, stated)) = help.split_once("[default: ") else { continue };
            let value = stated.split(']').next().unwrap_or_default();
            // Others are those of the task or the matrix, or of what format 0 shows.
            if !value.starts_with("the ") && !help.contains("format 0") {
                let name = format!("--{}", arg.get_long().unwrap_or_default());
                let asked = settled(&[&name, value]);
                assert!(asked.is_some() && asked == settled(&[]), "{name} {value}: {asked:?}");
                numbers += 1;
            }
        }
        assert!(numbers >= 8, "only {numbers}");
    }
}
