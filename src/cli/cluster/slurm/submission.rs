//! What sbatch is told: an array of jobs, each of which is a worker.

use std::num::NonZeroU64;
use std::time::Duration;

use super::program::{Program, Variable, quoted};

/// Where workers of a node keep volumes unless the user says where, as its shell reads it.
const USUAL_CACHE: &str = r#""${TMPDIR:-/tmp}/skyblast-$(id -un)""#;

/// An array of workers of any number.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) job_name: String,
    /// Cores of each worker.
    pub(super) threads: NonZeroU64,
    pub(super) start: Start,
    pub(super) storage: Option<Variable>,
    /// The user's own options.
    pub(super) further: Vec<String>,
}

/// How a job starts its worker.
#[derive(Debug)]
pub(super) enum Start {
    /// A script of the user's does.
    Script(String),
    /// It is this program.
    Worker {
        /// The program's path on the nodes.
        program: String,
        /// A folder for volumes, if it is not the usual one, and the most that they may take in it, bytes; `None`
        /// if none are kept.
        cache: Option<(Option<String>, u64)>,
        leave_after: Duration,
    },
}

impl Submission {
    /// sbatch for so many workers.
    pub(super) fn program(&self, workers: u64) -> Program {
        let mut arguments = vec!["--parsable".to_owned()];
        let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        option("--job-name", self.job_name.clone());
        option("--array", format!("1-{workers}"));
        option("--cpus-per-task", self.threads.to_string());
        option("--export", "ALL".to_owned());
        if let Start::Worker { program, cache, leave_after } = &self.start {
            option("--mem-per-cpu", "2G".to_owned());
            // Before its time is over, so that the shard under way is put aside.
            option("--signal", "TERM@60".to_owned());
            option("--output", format!("{}-%A_%a.log", self.job_name));
            option("--open-mode", "append".to_owned());
            option("--wrap", self.wrapped(program, cache.as_ref(), *leave_after));
            // A job that is preempted starts again; what it was at is done by others meanwhile.
            arguments.push("--requeue".to_owned());
        }
        // Of two options of a kind the later one counts.
        arguments.extend(self.further.iter().cloned());
        if let Start::Script(script) = &self.start {
            arguments.push(script.clone());
        }
        Program { name: "sbatch", arguments, variable: self.storage.clone() }
    }

    /// What the shell of a job runs. As a step, which it is by srun, the worker gets signals itself; srun does not
    /// take over how many cores the job has for each task.
    fn wrapped(&self, program: &str, cache: Option<&(Option<String>, u64)>, leave_after: Duration) -> String {
        let threads = self.threads.to_string();
        let leave_after = format!("{}s", leave_after.as_secs());
        let srun = ["exec", "srun", "--ntasks", "1", "--cpus-per-task", &threads];
        let worker = [program, "worker", "--threads", &threads, "--leave-after", &leave_after];
        let mut line = quoted(srun.into_iter().chain(worker));
        if let Some((folder, size)) = cache {
            let folder = folder.as_deref().map_or(USUAL_CACHE.to_owned(), |folder| quoted([folder]));
            line.push_str(&format!(" --cache {folder} --cache-size {size}"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(start: Start) -> Submission {
        let storage = Variable {
            name: "SKYBLAST_STORAGE",
            value: "AccountKey=abc".to_owned(),
            shown: "account x".to_owned(),
        };
        Submission {
            job_name: "lab".to_owned(),
            threads: NonZeroU64::new(4).expect("not zero"),
            start,
            storage: Some(storage),
            further: vec!["--comment=two words".to_owned()],
        }
    }

    fn worker(cache: Option<(Option<String>, u64)>) -> Start {
        Start::Worker { program: "/opt/sky blast".to_owned(), cache, leave_after: Duration::from_secs(90) }
    }

    #[test]
    fn what_is_shown_is_what_a_shell_takes_without_secrets() {
        let submission = submission(worker(Some((None, 7))));
        let shown = submission.program(3).to_string();
        assert!(shown.starts_with("SKYBLAST_STORAGE='account x' sbatch --parsable "), "{shown}");
        assert!(!shown.contains("abc"), "{shown}");
        let words = shlex::split(&shown).expect("words");
        assert_eq!(words[2..], submission.program(3).arguments);
        assert_eq!(words.last().map(String::as_str), Some("--comment=two words"));
    }

    #[test]
    fn a_job_runs_one_worker_with_all_of_its_cores() {
        let line = |cache| {
            let program = submission(worker(cache)).program(3);
            let place = program.arguments.iter().position(|argument| argument == "--wrap");
            program.arguments[place.expect("a script") + 1].clone()
        };
        let start =
            "exec srun --ntasks 1 --cpus-per-task 4 '/opt/sky blast' worker --threads 4 --leave-after 90s";
        assert_eq!(line(None), start);
        let usual = format!("{start} --cache \"${{TMPDIR:-/tmp}}/skyblast-$(id -un)\" --cache-size 7");
        assert_eq!(line(Some((None, 7))), usual);
        assert_eq!(
            line(Some((Some("/a $b".to_owned()), 7))),
            format!("{start} --cache '/a $b' --cache-size 7")
        );
    }

    #[test]
    fn a_script_has_its_own_options_and_comes_last() {
        let program = submission(Start::Script("site.sh".to_owned())).program(2);
        let arguments = "--parsable --job-name lab --array 1-2 --cpus-per-task 4 --export ALL";
        let arguments: Vec<_> = arguments.split(' ').chain(["--comment=two words", "site.sh"]).collect();
        assert_eq!(program.arguments, arguments);
    }
}
