//! The files that a run reads, which its output must not replace.

use std::fs::{self, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::searched::blast_database_files;
use crate::database::{MANIFEST_FILE, VOLUMES_DIRECTORY};
use crate::sequence::input::STDIN;

/// Files that are read.
#[derive(Debug, Default)]
pub(super) struct Inputs(Vec<Input>);

#[derive(Debug)]
struct Input {
    /// What it is to the run, such as `the query`.
    role: &'static str,
    path: PathBuf,
    /// Device and inode: the same for all names of a file.
    identity: (u64, u64),
}

impl Inputs {
    /// Adds the file `path`, or standard input for `-`.
    pub(super) fn add(&mut self, role: &'static str, path: &Path) {
        let metadata = if path.as_os_str() == STDIN {
            io::stdin().as_fd().try_clone_to_owned().map(fs::File::from).and_then(|file| file.metadata())
        } else {
            fs::metadata(path)
        };
        // One that is not there is missed when it is opened. A device may well be read and written.
        if let Some(metadata) = metadata.ok().filter(Metadata::is_file) {
            self.0.push(Input { role, path: path.to_owned(), identity: identity(&metadata) });
        }
    }

    /// Adds what a database consists of, whatever kind of database it is.
    pub(super) fn add_database(&mut self, path: &Path) {
        const ROLE: &str = "a file of the database";
        self.add(ROLE, path);
        for file in skyblast_database_files(path).into_iter().chain(blast_database_files(path)) {
            self.add(ROLE, &file);
        }
    }

    /// Refuses an output to a file that is among the inputs.
    pub(super) fn refuse(&self, output: &str, metadata: &Metadata) -> anyhow::Result<()> {
        let same = |input: &&Input| metadata.is_file() && input.identity == identity(metadata);
        match self.0.iter().find(same) {
            None => Ok(()),
            Some(Input { role, path, .. }) => Err(Exit::WrongCommandLine.because(format_args!(
                "{output} is {role}, {}, which would be overwritten; name another file for the report",
                path.display()
            ))),
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// The files of a skyblast database, or none if it is not one.
fn skyblast_database_files(directory: &Path) -> Vec<PathBuf> {
    let manifest = directory.join(MANIFEST_FILE);
    if !manifest.is_file() {
        return Vec::new();
    }
    let volumes = fs::read_dir(directory.join(VOLUMES_DIRECTORY)).into_iter().flatten().flatten();
    volumes.map(|entry| entry.path()).chain([manifest]).collect()
}
