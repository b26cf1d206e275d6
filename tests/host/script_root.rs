//! The script root: host.json, one folder per function directly below it, and the handler's binary.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::config::{Function, HostConfig, Settings, read_json};

/// A temporary script root; deleted when dropped.
#[derive(Debug)]
pub(crate) struct ScriptRoot {
    path: PathBuf,
    /// What is deleted.
    _folder: TempDir,
}

impl ScriptRoot {
    /// Assembles the project's own host.json and functions, as packaging does, with `binary` as
    /// the handler.
    pub(crate) fn of_project(binary: &Path) -> anyhow::Result<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut functions = Vec::new();
        for entry in fs::read_dir(project.join("functions"))? {
            let folder = entry?;
            let name = folder.file_name().to_string_lossy().into_owned();
            functions.push((name, read_json(&folder.path().join("function.json"))?));
        }
        Self::assemble(&read_json(&project.join("host.json"))?, &functions, binary)
    }

    /// Assembles a script root from parts. The binary is linked, not copied, since debug builds
    /// are large.
    pub(crate) fn assemble(
        host_json: &Value,
        functions: &[(String, Value)],
        binary: &Path,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("script-root-").tempdir()?;
        let root = folder.path();
        fs::write(root.join("host.json"), host_json.to_string())?;
        for (name, function_json) in functions {
            fs::create_dir(root.join(name))?;
            fs::write(root.join(name).join("function.json"), function_json.to_string())?;
        }
        let executable = host_json["customHandler"]["description"]["defaultExecutablePath"]
            .as_str()
            .context("host.json: defaultExecutablePath is missing")?;
        ensure!(binary.is_file(), "the handler's binary {} does not exist", binary.display());
        symlink(binary, root.join(executable))?;
        Ok(Self { path: root.to_owned(), _folder: folder })
    }

    /// The app folder that packaging has made in `folder`.
    pub(crate) fn of_package(folder: TempDir) -> Self {
        Self { path: folder.path().join("app"), _folder: folder }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads host.json, with the overrides in `settings`.
    pub(crate) fn config(&self, settings: &Settings) -> anyhow::Result<HostConfig> {
        HostConfig::parse(read_json(&self.path().join("host.json"))?, settings)
    }

    /// Reads the functions in name order; folders without function.json are none.
    pub(crate) fn functions(&self, prefix: &str, settings: &Settings) -> anyhow::Result<Vec<Function>> {
        let mut functions = Vec::new();
        for entry in fs::read_dir(self.path())? {
            let folder = entry?;
            let file = folder.path().join("function.json");
            if file.is_file() {
                let name = folder.file_name().to_string_lossy().into_owned();
                ensure!(is_function_name(&name), "{name:?} is not a function name");
                functions.push(Function::parse(&name, &read_json(&file)?, prefix, settings)?);
            }
        }
        functions.sort_by_key(|function| function.name.to_lowercase());
        Ok(functions)
    }
}

/// Whether the host accepts a folder's name as a function's: `^[a-z][a-z0-9_-]{0,127}$` in any
/// case, and not `host`.
pub(crate) fn is_function_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && !name.eq_ignore_ascii_case("host")
}
