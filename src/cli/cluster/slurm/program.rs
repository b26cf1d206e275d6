//! Slurm's own programs: run, or shown as a shell would take them.

use std::fmt;
use std::io::ErrorKind;
use std::process::Stdio;

use anyhow::{Context, anyhow, bail};
use tokio::process::Command;

/// Jobs that run or will; those that are about to end take no more shards.
const THERE: &str = "PENDING,CONFIGURING,RUNNING,SUSPENDED";

/// A variable of a program's environment.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// The value without what is secret of it.
    pub(super) shown: String,
}

/// One of Slurm's programs with its arguments.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<String>,
    pub(super) variable: Option<Variable>,
}

impl Program {
    /// Asks for the states of the user's jobs of this name, one a line.
    pub(super) fn squeue(job_name: &str) -> Self {
        // Each job of an array on a line of its own.
        let lines = ["--me", "--noheader", "--array", "--format", "%T"];
        let arguments = lines.into_iter().chain(["--states", THERE, "--name", job_name]);
        Self { name: "squeue", arguments: arguments.map(str::to_owned).collect(), variable: None }
    }

    /// Runs it to its end and gives what it printed.
    pub(super) async fn output(&self) -> anyhow::Result<String> {
        let mut command = Command::new(self.name);
        command.args(&self.arguments).stdin(Stdio::null()).kill_on_drop(true);
        command.envs(self.variable.iter().map(|variable| (variable.name, &variable.value)));
        let output = command.output().await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => anyhow!(
                "there is no {} on the PATH: run this where jobs of Slurm are submitted (perhaps after \
                 `module load slurm`)",
                self.name
            ),
            _ => anyhow!(error).context(format!("could not run {}", self.name)),
        })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{} failed ({}): {}; the command was: {self}", self.name, output.status, said.trim());
        }
        String::from_utf8(output.stdout).with_context(|| format!("{} printed what is no text", self.name))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variable) = &self.variable {
            write!(f, "{}={} ", variable.name, quoted([variable.shown.as_str()]))?;
        }
        write!(f, "{} {}", self.name, quoted(self.arguments.iter().map(String::as_str)))
    }
}

/// Words as a shell reads them.
pub(super) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    shlex::Quoter::new().allow_nul(true).join(words).expect("NUL is allowed")
}
