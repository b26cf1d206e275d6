//! Exit statuses: what a script learns of how the program ended.

use std::fmt::{Display, Write};
use std::process::ExitCode;

use crate::engine::OptionError;
use crate::jobs;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done, all of it.
    Done = 0,
    /// It could not be done.
    Failed = 1,
    /// The command line itself is wrong; also the status of errors that clap reports.
    WrongCommandLine = 2,
    /// The report lacks shards.
    Incomplete = 3,
    /// The job has ended without a report.
    NoReport = 4,
}

impl Exit {
    /// Every status, in order.
    pub const ALL: [Self; 5] =
        [Self::Done, Self::Failed, Self::WrongCommandLine, Self::Incomplete, Self::NoReport];

    /// What it says, as README and help have it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, and complete",
            Self::Failed => "could not be done: input, storage, network or server; the error says which",
            Self::WrongCommandLine => {
                "the command line is wrong: an unknown option, a bad value, options that exclude each other"
            }
            Self::Incomplete => {
                "the report lacks shards: nothing is written unless --partial is given, and then still 3"
            }
            Self::NoReport => "the job has ended without a report: failed or cancelled",
        }
    }

    /// The status that an error ends the program with.
    pub fn of(error: &anyhow::Error) -> Self {
        let says = |cause: &(dyn std::error::Error + 'static)| {
            if let Some(ending) = cause.downcast_ref::<Ending>() {
                return Some(ending.exit);
            }
            let wrong_option = cause.is::<OptionError>()
                || matches!(
                    cause.downcast_ref(),
                    Some(jobs::Error::Options(_) | jobs::Error::InvalidDatabaseName(_))
                );
            wrong_option.then_some(Self::WrongCommandLine)
        };
        error.chain().find_map(says).unwrap_or(Self::Failed)
    }

    /// An error that ends the program with this status.
    pub(super) fn because(self, reason: impl Display) -> anyhow::Error {
        Ending { exit: self, reason: reason.to_string() }.into()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why the program ends with another status than [`Exit::Failed`].
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Ending {
    exit: Exit,
    reason: String,
}

/// The table of statuses for `--help`.
pub(super) fn table() -> String {
    let mut table = "Exit status:".to_owned();
    for exit in Exit::ALL {
        // A string takes everything that is written.
        let _ = write!(table, "\n  {}  {}", exit as u8, exit.meaning());
    }
    table
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn an_error_keeps_its_status_whatever_is_said_around_it() {
        let error = Err::<(), _>(Exit::Incomplete.because("it lacks shards")).context("while fetching");
        assert_eq!(Exit::of(&error.expect_err("an error")), Exit::Incomplete);
        assert_eq!(Exit::of(&anyhow::anyhow!("no route to host")), Exit::Failed);
    }

    #[test]
    fn options_that_the_engine_refuses_are_a_wrong_command_line() {
        let choices = crate::engine::OptionChoices { gapopen: Some(1), ..Default::default() };
        let refused = choices.resolve().expect_err("no such gap costs");
        assert_eq!(Exit::of(&refused.into()), Exit::WrongCommandLine);
    }

    #[test]
    fn the_readme_has_the_same_table_as_the_help() {
        let readme = include_str!("../../README.md");
        for exit in Exit::ALL {
            let row = format!("| {} | {} |", exit as u8, exit.meaning());
            assert!(readme.contains(&row), "README.md lacks {row}");
        }
    }
}
