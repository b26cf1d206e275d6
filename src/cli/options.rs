//! Options that several commands share.

use std::num::NonZeroUsize;

use anyhow::ensure;

use crate::engine::SearchOptions;
use crate::report::{ListLimits, OutputFormat};

/// Options that change what is found and how it is written; named as blastp names them.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct SearchFlags {
    /// Largest E-value that is reported
    #[arg(long, value_name = "E", default_value_t = 10.0)]
    evalue: f64,

    /// Subjects reported per query at most [default: 500]
    #[arg(long, value_name = "N")]
    max_target_seqs: Option<NonZeroUsize>,

    /// One-line descriptions per query in format 0 [default: 500]
    #[arg(long, value_name = "N")]
    num_descriptions: Option<usize>,

    /// Subjects per query whose alignments format 0 shows [default: 250]
    #[arg(long, value_name = "N")]
    num_alignments: Option<usize>,

    /// Report format: 0 (pairwise), 5 (XML), 6 (rows), 7 (rows and comments), 10 (comma-separated
    /// rows), 13 and 15 (JSON, a file per query or one), 14 and 16 (XML2, likewise). 6, 7 and 10
    /// take columns, as in "6 qseqid sseqid pident evalue"; `std` stands for the twelve usual ones
    /// and `delim=X` before them changes what separates them
    #[arg(long, value_name = "FORMAT", default_value = "6")]
    outfmt: OutputFormat,

    /// Composition-based statistics: only 0 (none) so far. blastp's own default is 2, so compare
    /// with `blastp -comp_based_stats 0`
    #[arg(long, value_name = "MODE", default_value = "0", value_parser = comp_based_stats)]
    comp_based_stats: u8,
}

fn comp_based_stats(mode: &str) -> Result<u8, String> {
    match mode {
        "0" | "F" | "f" => Ok(0),
        "1" | "2" | "3" | "D" | "d" | "T" | "t" => Err(
            "composition-based statistics are not available yet; use 0, which is blastp -comp_based_stats 0"
                .into(),
        ),
        _ => Err("give 0".into()),
    }
}

impl SearchFlags {
    /// Usual options, but for the largest E-value.
    pub(super) fn up_to(evalue: f64) -> Self {
        Self {
            evalue,
            max_target_seqs: None,
            num_descriptions: None,
            num_alignments: None,
            outfmt: OutputFormat::default(),
            comp_based_stats: 0,
        }
    }

    /// The options of the engine and the format of the report, which depend on each other.
    pub(super) fn settle(&self) -> anyhow::Result<(SearchOptions, OutputFormat)> {
        ensure!(
            self.evalue > 0.0 && self.evalue.is_finite(),
            "--evalue must be a number above 0, not {}",
            self.evalue
        );
        let mut format = self.outfmt.clone();
        let limits = ListLimits {
            max_target_seqs: self.max_target_seqs.map(NonZeroUsize::get),
            descriptions: self.num_descriptions,
            alignments: self.num_alignments,
        };
        if limits.ignored_by(&format) {
            eprintln!(
                "warning: --num-descriptions and --num-alignments are ignored: only format 0 uses them; \
                 --max-target-seqs limits the others"
            );
        }
        let max_target_seqs = limits.settle(&mut format)?;
        let options = SearchOptions { evalue: self.evalue, max_target_seqs, ..SearchOptions::default() };
        Ok((options, format))
    }

    /// The mode of composition-based statistics.
    pub(super) fn composition_mode(&self) -> u8 {
        self.comp_based_stats
    }
}

/// How many threads to use.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ThreadFlags {
    /// Threads that compare [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl ThreadFlags {
    pub(super) fn count(self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(cores)
    }
}
