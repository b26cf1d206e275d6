//! A Slurm of the test's own: a controller and a node, which is this machine, with all they need in a folder.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::command::end;
use crate::common::in_process::project_file;
use crate::common::process::{Process, wait_for};

/// Processors that the node says it has, however many there are.
const PROCESSORS: usize = 4;
/// A partition whose jobs give way to those of [`URGENT`], and start again.
pub(crate) const SPARE: &str = "spare";
pub(crate) const URGENT: &str = "urgent";

/// A running cluster of one node. Dropping it ends its jobs, then itself.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: TempDir,
    installed: Installed,
    /// The controller and the node's daemon.
    daemons: Vec<Process>,
}

/// Where Slurm is: in the system, or what `tests/run` has unpacked.
#[derive(Debug)]
struct Installed {
    programs: Vec<PathBuf>,
    libraries: Vec<PathBuf>,
    /// Folder of its plugins, unless it is where Slurm itself looks.
    plugins: Option<PathBuf>,
}

impl Installed {
    fn find() -> Self {
        let unpacked = project_file(".cache/slurm/usr");
        let mut libraries = Vec::new();
        if let Ok(folders) = fs::read_dir(unpacked.join("lib")) {
            libraries.extend(folders.map(|folder| folder.unwrap().path()).filter(|path| path.is_dir()));
        }
        let plugins = libraries.iter().map(|folder| folder.join("slurm-wlm")).find(|path| path.is_dir());
        libraries.extend(plugins.clone());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut programs = vec![unpacked.join("bin"), unpacked.join("sbin")];
        programs.extend(std::env::split_paths(&path));
        programs.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
        Self { programs, libraries, plugins }
    }

    /// The path of a program, which Debian names with an ending.
    fn program(&self, name: &str) -> PathBuf {
        let names = [name.to_owned(), format!("{name}-wlm")];
        let mut paths = self.programs.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
        paths.find(|path| path.is_file()).unwrap_or_else(|| {
            panic!(
                "Slurm is not installed (no {name}): run `tests/run`, which unpacks it where there is apt-get, or \
                 install slurmctld, slurmd and Slurm's commands"
            )
        })
    }

    /// What the environment must say for Slurm's programs, and for jobs, to be found.
    fn prepare<'a>(&self, command: &'a mut Command, configuration: &Path) -> &'a mut Command {
        let libraries = std::env::join_paths(&self.libraries).unwrap();
        if !libraries.is_empty() {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command.env("PATH", std::env::join_paths(&self.programs).unwrap()).env("SLURM_CONF", configuration)
    }
}

/// What a program prints, without blanks around it.
fn printed(command: &mut Command) -> String {
    String::from_utf8(end(command).ok()).unwrap().trim().to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Cluster {
    /// Starts a controller and a node, and waits until it takes jobs.
    pub(crate) fn start() -> Self {
        let (folder, installed) = (tempfile::tempdir().unwrap(), Installed::find());
        let (controller, node, step) =
            (installed.program("slurmctld"), installed.program("slurmd"), installed.program("slurmstepd"));
        for name in ["state", "spool"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let configuration = folder.path().join("slurm.conf");
        fs::write(&configuration, configured(folder.path(), installed.plugins.as_deref())).unwrap();
        let mut cluster = Self { folder, installed, daemons: Vec::new() };
        cluster.start_daemon(Command::new(controller).arg("-D"));
        cluster.start_daemon(Command::new(node).arg("-D").arg("-d").arg(step));
        wait_for("a node that takes jobs", || {
            let asked =
                end(&mut cluster.command("sinfo", &["--noheader", "--format=%T", "--partition", URGENT]));
            String::from_utf8_lossy(&asked.stdout).starts_with("idle").then_some(())
        });
        cluster
    }

    fn start_daemon(&mut self, command: &mut Command) {
        // Jobs are not to be ended with the test's own group of processes, nor it with theirs.
        self.prepare(command).process_group(0).current_dir(self.folder.path());
        self.daemons.push(Process::start(command));
    }

    /// Lets a command find this cluster.
    pub(crate) fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        self.installed.prepare(command, &self.folder.path().join("slurm.conf"))
    }

    /// One of Slurm's commands.
    pub(crate) fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.installed.program(name));
        self.prepare(&mut command).args(arguments).current_dir(self.folder.path());
        command
    }

    /// What one of Slurm's commands prints.
    pub(crate) fn ask(&self, name: &str, arguments: &[&str]) -> String {
        printed(&mut self.command(name, arguments))
    }

    /// Where jobs are submitted from, and leave what they print.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether no job is left, running or waiting.
    pub(crate) fn is_empty(&self) -> bool {
        self.ask("squeue", &["--noheader"]).is_empty()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What jobs have started belongs to neither daemon.
        let _ = self.command("scancel", &["--me", "--signal=KILL", "--full"]).output();
        let _ = self.command("scancel", &["--me"]).output();
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut left = self.command("squeue", &["--noheader"]);
        while Instant::now() < deadline
            && left.output().is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
        {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A configuration for one node without cgroups, accounts or a daemon for authentication, run by whoever tests.
fn configured(folder: &Path, plugins: Option<&Path>) -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let host = host.trim().split('.').next().unwrap();
    let user = printed(Command::new("id").arg("-un"));
    let (at, controller, node) = (folder.display(), free_port(), free_port());
    let plugins = plugins.map_or_else(String::new, |folder| format!("PluginDir={}", folder.display()));
    format!(
        "ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
{plugins}
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={at}/state
SlurmdSpoolDir={at}/spool
SlurmctldPidFile={at}/slurmctld.pid
SlurmdPidFile={at}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=batch_sched_delay=0,bf_interval=1
SlurmdParameters=config_overrides
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs={PROCESSORS} RealMemory=64000
PartitionName={SPARE} Nodes=ALL PriorityTier=1 Default=YES
PartitionName={URGENT} Nodes=ALL PriorityTier=2 PreemptMode=OFF
"
    )
}
