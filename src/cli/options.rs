//! Options that several commands share.

use std::num::NonZeroUsize;

use anyhow::ensure;

use crate::engine::SearchOptions;
use crate::report::OutputFormat;

/// Options that change what is found and how it is written; named as blastp names them.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct SearchFlags {
    /// Largest E-value that is reported
    #[arg(long, value_name = "E", default_value_t = 10.0, allow_negative_numbers = true)]
    evalue: f64,

    /// Subjects reported per query at most
    #[arg(long, value_name = "N", default_value = "500")]
    max_target_seqs: NonZeroUsize,

    /// Report format: 6 (rows) or 7 (rows and comments), optionally with columns, as in
    /// "6 qseqid sseqid pident evalue"; `std` stands for the twelve usual columns
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
        let SearchOptions { max_target_seqs, .. } = SearchOptions::default();
        Self {
            evalue,
            max_target_seqs: NonZeroUsize::new(max_target_seqs).unwrap_or(NonZeroUsize::MIN),
            outfmt: OutputFormat::default(),
            comp_based_stats: 0,
        }
    }

    /// The options of the engine.
    pub(super) fn search_options(&self) -> anyhow::Result<SearchOptions> {
        ensure!(
            self.evalue > 0.0 && self.evalue.is_finite(),
            "--evalue must be a number above 0, not {}",
            self.evalue
        );
        Ok(SearchOptions { evalue: self.evalue, max_target_seqs: self.max_target_seqs.get() })
    }

    /// The format of the report.
    pub(super) fn format(&self) -> &OutputFormat {
        &self.outfmt
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
