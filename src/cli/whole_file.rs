//! Outputs that appear when they are whole: written beside their target and renamed at the end, so that a
//! run that fails or is interrupted leaves what was there. Standard output, pipes and devices are written
//! as it goes.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::{NamedTempFile, TempDir};

use super::exit::Exit;
use super::inputs::Inputs;
use super::interrupt::Temporary;
use super::standard::require_output;
use crate::report::OutputFormat;

/// How names of files that are not whole yet begin.
const UNFINISHED: &str = ".skyblast-";
/// The path that means standard output.
const STDOUT: &str = "-";
/// Links that are followed before they are taken for a loop, as the system does.
const MOST_LINKS: u32 = 40;

/// Where an output goes; found out, and found possible, before any work is done.
#[derive(Clone, Debug)]
pub(super) struct Target {
    place: Place,
    /// The path as it was given, or what stands for it in messages.
    given: PathBuf,
}

#[derive(Clone, Debug)]
enum Place {
    StandardOutput,
    /// A pipe, a device or an open file, by its path.
    Stream(PathBuf),
    /// A file, by its path without links, and what is known of the one that is there.
    File {
        path: PathBuf,
        replaced: Option<Metadata>,
    },
}

impl Target {
    /// The file `path`, or without it standard output. Refuses a file that is among `inputs`, a
    /// directory, and what cannot be written.
    pub(super) fn new(path: Option<&Path>, inputs: &Inputs) -> anyhow::Result<Self> {
        let Some(path) = path.filter(|path| path.as_os_str() != STDOUT) else {
            const NAME: &str = "standard output";
            require_output()?;
            if let Ok(metadata) = standard_output().and_then(|file| file.metadata()) {
                inputs.refuse(NAME, &metadata)?;
            }
            return Ok(Self { place: Place::StandardOutput, given: NAME.into() });
        };
        let name = path.display();
        let failed = || format!("could not create {name}");
        if path.as_os_str().as_bytes().ends_with(b"/") || path.is_dir() {
            let text = format!("--out {name} is a directory; name a file in it");
            return Err(Exit::WrongCommandLine.because(text));
        }
        if let Ok(metadata) = fs::metadata(path) {
            inputs.refuse(&format!("--out {name}"), &metadata)?;
        }
        let place = Place::of(path).with_context(failed)?;
        if place.is_standard_output() {
            require_output()?;
        }
        if let Place::File { path: file, replaced } = &place {
            if replaced.is_some() {
                // Not to be replaced if it is not to be written.
                File::options().write(true).open(file).with_context(|| format!("could not write {name}"))?;
            }
            drop(place.scratch().with_context(failed)?);
        }
        Ok(Self { place, given: path.to_owned() })
    }

    /// Refuses to show what is no text on a terminal.
    pub(super) fn takes(self, format: Option<&OutputFormat>) -> anyhow::Result<Self> {
        let Some(format) = format.filter(|format| format.is_binary()) else { return Ok(self) };
        if self.place.is_standard_output() && io::stdout().is_terminal() {
            let text = format!(
                "a report in the format {} is no text for a terminal; give --out FILE",
                format.name()
            );
            return Err(Exit::WrongCommandLine.because(text));
        }
        Ok(self)
    }

    /// Its name, if it is a file.
    pub(super) fn file_name(&self) -> Option<&OsStr> {
        self.given.file_name().filter(|_| matches!(self.place, Place::File { .. }))
    }

    /// Starts the output.
    pub(super) fn create(&self) -> anyhow::Result<Output> {
        let create = || -> io::Result<Sink> {
            Ok(match &self.place {
                Place::StandardOutput => Sink::Direct(BufWriter::new(standard_output()?)),
                Place::Stream(path) => Sink::Direct(BufWriter::new(open_stream(path)?)),
                Place::File { .. } => {
                    let mut builder = tempfile::Builder::new();
                    // As far as the umask allows; the default is for secrets.
                    builder.prefix(UNFINISHED).permissions(Permissions::from_mode(0o666));
                    let make = || self.place.beside(|folder| builder.tempfile_in(folder));
                    let (file, _temporary) = Temporary::make(make)?;
                    Sink::Staged { file: BufWriter::new(file), _temporary }
                }
            })
        };
        let sink = create().with_context(|| format!("could not create {}", self.given.display()))?;
        Ok(Output { target: self.clone(), sink })
    }

    /// A nameless file for what has to wait until the output can be written.
    pub(super) fn scratch(&self) -> anyhow::Result<File> {
        let failed = || format!("could not create a temporary file for {}", self.given.display());
        self.place.scratch().with_context(failed)
    }

    /// Starts a set of outputs beside this one, which is a file.
    pub(super) fn siblings(&self) -> anyhow::Result<Siblings> {
        let name = self.given.display();
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        let make = || self.place.beside(|folder| builder.tempdir_in(folder));
        let failed = || format!("could not create a folder beside {name}");
        let (staging, _temporary) = Temporary::make(make).with_context(failed)?;
        Ok(Siblings { folder: parent(&self.given).to_owned(), staging, names: Vec::new(), _temporary })
    }

    /// Puts a finished file in its place.
    fn take(&self, finished: &Path) -> io::Result<()> {
        let Place::File { path, replaced } = &self.place else {
            return self.take_copy(finished);
        };
        if let Some(replaced) = replaced {
            let file = File::open(finished)?;
            // Who may not give a file away keeps it.
            let _ = fchown(&file, Some(replaced.uid()), Some(replaced.gid()));
            file.set_permissions(replaced.permissions())?;
            // The name must not outlive what it stood for, should the power fail.
            file.sync_all()?;
        }
        match fs::rename(finished, path) {
            // The folder takes no new files, or the file is mounted by itself.
            Err(_) if replaced.is_some() => self.take_copy(finished),
            Err(e) if e.kind() == io::ErrorKind::CrossesDevices => self.take_copy(finished),
            renamed => renamed,
        }
    }

    fn take_copy(&self, finished: &Path) -> io::Result<()> {
        let mut source = File::open(finished)?;
        let mut target = match &self.place {
            Place::StandardOutput => standard_output()?,
            Place::Stream(path) => open_stream(path)?,
            Place::File { path, .. } => File::create(path)?,
        };
        io::copy(&mut source, &mut target).map(|_| ())
    }
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let folder = parent(&path).canonicalize()?;
            let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
            if folder.starts_with("/proc") {
                return Ok(Self::Stream(path));
            }
            path = folder.join(name);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_symlink() => path = folder.join(fs::read_link(&path)?),
                Ok(metadata) if metadata.is_file() => {
                    return Ok(Self::File { path, replaced: Some(metadata) });
                }
                Ok(_) => return Ok(Self::Stream(path)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::File { path, replaced: None });
                }
                Err(e) => return Err(e),
            }
        }
        Err(io::Error::other("too many links"))
    }

    /// Whether it is standard output, by whatever name.
    fn is_standard_output(&self) -> bool {
        match self {
            Self::StandardOutput => true,
            Self::Stream(path) => is_descriptor(path, 1),
            Self::File { .. } => false,
        }
    }

    /// Makes something beside the file; if its folder takes no new files but the file is there to be
    /// written, among temporary files.
    fn beside<T>(&self, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::File { path, replaced } => match make(parent(path)) {
                Err(e) if replaced.is_some() => make(&std::env::temp_dir()).map_err(|_| e),
                made => made,
            },
            Self::StandardOutput | Self::Stream(_) => make(&std::env::temp_dir()),
        }
    }

    fn scratch(&self) -> io::Result<File> {
        self.beside(|folder| tempfile::tempfile_in(folder))
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Standard output by itself, which unlike [`io::stdout`] says when it cannot be written.
fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Whether a path leads to an open file by its number.
fn is_descriptor(path: &Path, number: u32) -> bool {
    path.starts_with("/proc") && path.ends_with(format!("fd/{number}"))
}

/// Opens a pipe, a device or an open file.
fn open_stream(path: &Path) -> io::Result<File> {
    // An open file goes on where it is; opened again it would begin at its start.
    match path {
        _ if is_descriptor(path, 1) => standard_output(),
        _ if is_descriptor(path, 2) => Ok(io::stderr().as_fd().try_clone_to_owned()?.into()),
        _ => File::options().append(true).open(path),
    }
}

/// An output under way. Dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub(super) struct Output {
    target: Target,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Direct(BufWriter<File>),
    Staged { file: BufWriter<NamedTempFile>, _temporary: Temporary },
}

impl Output {
    /// Writes what is left, and lets the output appear.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.flush()?;
        if let Sink::Staged { file, .. } = &self.sink {
            self.target.take(file.get_ref().path()).map_err(|e| self.explain(e))?;
        }
        Ok(())
    }

    fn explain(&self, error: io::Error) -> io::Error {
        explained(&self.target.given, error)
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.sink {
            Sink::Direct(file) => file,
            Sink::Staged { file, .. } => file,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes).map_err(|e| self.explain(e))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush().map_err(|e| self.explain(e))
    }
}

/// An error of the same kind that says what could not be written.
fn explained(given: &Path, error: io::Error) -> io::Error {
    match error.kind() {
        // Is tried again.
        io::ErrorKind::Interrupted => error,
        kind => io::Error::new(kind, format!("could not write {}: {error}", given.display())),
    }
}

/// Several outputs that appear together. Dropped before they are finished, they leave nothing.
#[derive(Debug)]
pub(super) struct Siblings {
    /// Where they will lie.
    folder: PathBuf,
    /// Where they wait.
    staging: TempDir,
    names: Vec<OsString>,
    _temporary: Temporary,
}

impl Siblings {
    /// Starts the output `name`. Refuses one that is among `inputs`.
    pub(super) fn create(
        &mut self,
        name: impl AsRef<OsStr>,
        inputs: &Inputs,
    ) -> anyhow::Result<BufWriter<File>> {
        let name = name.as_ref();
        let target = Target::new(Some(&self.folder.join(name)), inputs)?;
        let file = File::create(self.staging.path().join(name));
        self.names.push(name.to_owned());
        Ok(BufWriter::new(file.with_context(|| format!("could not create {}", target.given.display()))?))
    }

    /// Lets all outputs appear, in order.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        for name in &self.names {
            let target = Target::new(Some(&self.folder.join(name)), &Inputs::default())?;
            target.take(&self.staging.path().join(name)).map_err(|e| explained(&target.given, e))?;
        }
        Ok(())
    }
}
