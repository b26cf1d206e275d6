//! `skyblast cluster slurm` with programs of Slurm that only write down what they are told. The real ones are in
//! tests/slurm.rs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use skyblast::jobs::{OWN_SHARDS, Stage};
use skyblast::store::Location;
use tempfile::TempDir;

use crate::common::command::{Ended, end, skyblast};
use crate::common::process::{Process, wait_for};

/// A storage folder, and a PATH with nothing but Slurm's programs.
struct Site {
    folder: TempDir,
}

/// Writes a script that is a program of Slurm.
fn install(programs: &Path, name: &str, script: &str) {
    let file = programs.join(name);
    // Whoever runs it meanwhile finds the old one or the new one.
    let new = programs.join(format!("{name}.new"));
    fs::write(&new, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, file).unwrap();
}

impl Site {
    /// With so many shards for own workers and for the app, and workers in these states.
    async fn new(own: usize, cloud: usize, workers: &[&str]) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        let store = Location::Folder(site.storage().into()).open().unwrap();
        for (name, count) in [(OWN_SHARDS, own), (Stage::Search.queue(), cloud)] {
            let queue = store.queue(name).unwrap();
            queue.create().await.unwrap();
            for _ in 0..count {
                queue.send("{}", Duration::ZERO).await.unwrap();
            }
        }
        fs::create_dir(site.programs()).unwrap();
        site.install(
            "squeue",
            &format!("echo \"squeue $*\" >> {}\nprintf '%s' '{}'", site.said_at(), {
                workers.iter().map(|state| format!("{state}\n")).collect::<String>()
            }),
        );
        site.install(
            "sbatch",
            &format!("echo \"$SKYBLAST_STORAGE sbatch $*\" >> {}\necho '4711;lab'", site.said_at()),
        );
        site
    }

    fn storage(&self) -> String {
        self.folder.path().join("storage").to_str().unwrap().to_owned()
    }

    fn programs(&self) -> std::path::PathBuf {
        self.folder.path().join("programs")
    }

    fn said_at(&self) -> String {
        self.folder.path().join("said").to_str().unwrap().to_owned()
    }

    fn install(&self, name: &str, script: &str) {
        install(&self.programs(), name, script);
    }

    /// What Slurm's programs were told, a line each.
    fn said(&self) -> String {
        fs::read_to_string(self.said_at()).unwrap_or_default()
    }

    fn command(&self, more: &[&str]) -> Command {
        let storage = self.storage();
        let arguments = ["cluster", "slurm", "--storage", &storage, "--max", "5"];
        let mut command = skyblast(arguments.iter().chain(more));
        command.env("PATH", self.programs()).env_remove("SKYBLAST").current_dir(self.folder.path());
        command
    }

    fn run(&self, more: &[&str]) -> Ended {
        end(&mut self.command(more))
    }
}

fn text(ended: Ended) -> String {
    String::from_utf8(ended.ok()).unwrap()
}

#[tokio::test]
async fn as_many_workers_are_submitted_as_the_shards_warrant_and_are_not_there() {
    let site = Site::new(15, 3, &["RUNNING", "PENDING"]).await;
    let said = text(site.run(&["--threads", "4", "--", "--partition=spot"]));
    assert_eq!(
        said,
        "18 shards to compare; 2 of 5 workers there, 1 of them waiting for a node; 3 more submitted as job \
         4711;lab\n"
    );
    let told = site.said();
    let (asked, submitted) = told.split_once('\n').unwrap();
    assert!(asked.starts_with("squeue --me ") && asked.ends_with(" --name skyblast-worker"), "{told}");
    let storage = fs::canonicalize(site.storage()).unwrap();
    assert!(submitted.starts_with(&format!("{} sbatch ", storage.display())), "{told}");
    assert!(submitted.contains(" --array 1-3 --cpus-per-task 4 "), "{told}");
    assert!(submitted.contains(&format!("{} worker --threads 4 ", env!("CARGO_BIN_EXE_skyblast"))), "{told}");
    assert!(submitted.trim_end().ends_with(" --partition=spot"), "{told}");
}

#[tokio::test]
async fn nothing_is_submitted_where_there_is_no_work_or_enough_workers() {
    let site = Site::new(0, 0, &[]).await;
    assert!(text(site.run(&[])).contains("; no more are warranted"));
    let site = Site::new(500, 0, &["RUNNING"; 5]).await;
    assert!(text(site.run(&[])).contains("5 of 5 workers there"));
    assert!(!site.said().contains("sbatch"), "{}", site.said());
}

#[tokio::test]
async fn a_dry_run_shows_the_commands_and_submits_nothing() {
    let site = Site::new(3, 0, &[]).await;
    let shown = text(site.run(&["--dry-run", "--shards-per-worker", "1", "--job-name", "lab"]));
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("squeue --me ") && lines[0].ends_with(" --name lab"), "{shown}");
    assert!(lines[1].starts_with("SKYBLAST_STORAGE=") && lines[1].contains(" --array 1-3 "), "{shown}");
    assert!(lines[2].ends_with("3 more would be submitted"), "{shown}");
    assert!(!site.said().contains("sbatch"), "{}", site.said());
}

#[tokio::test]
async fn where_slurm_is_missing_or_fails_it_is_said_why() {
    let site = Site::new(1, 0, &[]).await;
    site.install("sbatch", "echo 'sbatch: error: invalid partition' >&2; exit 1");
    let error = site.run(&[]).failed(1);
    assert!(error.contains("sbatch failed (exit status: 1): sbatch: error: invalid partition"), "{error}");
    site.install("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
    let error = site.run(&["--every", "1m"]).failed(1);
    assert!(error.contains("Unable to contact slurm controller"), "{error}");
    fs::remove_file(site.programs().join("squeue")).unwrap();
    let error = site.run(&[]).failed(1);
    assert!(error.contains("there is no squeue on the PATH: run this where jobs of Slurm"), "{error}");
}

#[tokio::test]
async fn values_that_cannot_be_are_refused() {
    let site = Site::new(1, 0, &[]).await;
    for (more, reason) in [
        (&["--max", "0"][..], "0 is not in 1..=100000"),
        (&["--every", "0s"], "the shortest pause is 1s"),
        (&["--every", "1m", "--dry-run"], "cannot be used with"),
        (&["--job-name", "a,b"], "a name has letters"),
        (&["--script", "site.sh", "--cache", "/scratch"], "cannot be used with"),
    ] {
        let storage = site.storage();
        let arguments = ["cluster", "slurm", "--storage", &storage];
        let max: &[&str] = if more[0] == "--max" { &[] } else { &["--max", "5"] };
        let error = end(&mut skyblast(arguments.iter().chain(max).chain(more))).failed(2);
        assert!(error.contains(reason), "{more:?}: {error}");
    }
    assert_eq!(site.said(), "");
}

#[tokio::test]
async fn a_service_outlives_failures_and_stops_when_it_is_told_to() {
    let site = Site::new(9, 0, &[]).await;
    let mut service = Process::start(&mut site.command(&["--every", "1s"]));
    wait_for("a submission", || service.stdout().contains("2 more submitted").then_some(()));
    site.install("squeue", "echo 'slurm is away' >&2; exit 1");
    wait_for("a failure", || service.stderr().contains("slurm is away").then_some(()));
    site.install("squeue", "echo RUNNING");
    wait_for("another", || service.stdout().contains("1 more submitted").then_some(()));
    service.terminate();
    assert_eq!(service.wait().code(), Some(0), "{}", service.stderr());
}
