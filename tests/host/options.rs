//! What a test can choose about its host.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skyblast::store::Queue;
use tempfile::TempDir;

use super::config::Settings;
use super::faults::Faults;
use super::script_root::ScriptRoot;

/// How to run a [`FunctionsHost`](super::FunctionsHost).
///
/// ```ignore
/// let options = HostOptions::for_project(env!("CARGO_BIN_EXE_skyblast"))?
///     .setting("AzureWebJobsStorage", connection_string)
///     .host_json("extensions__queues__visibilityTimeout", "00:00:01")
///     .queues(queues)
///     .instances(3);
/// let host = FunctionsHost::start(options).await?;
/// ```
#[derive(Debug)]
pub(crate) struct HostOptions {
    pub(super) root: ScriptRoot,
    pub(super) settings: Settings,
    pub(super) queues: BTreeMap<String, Arc<dyn Queue>>,
    pub(super) instances: usize,
    pub(super) only: Option<Vec<String>>,
    pub(super) lease: Duration,
    pub(super) function_key: Option<String>,
    pub(super) faults: Faults,
}

impl HostOptions {
    /// The project's own host.json and functions, with `binary` as the handler.
    pub(crate) fn for_project(binary: impl Into<PathBuf>) -> anyhow::Result<Self> {
        Ok(Self::new(ScriptRoot::of_project(&binary.into())?))
    }

    /// The app folder that packaging has made in `folder`.
    pub(crate) fn for_package(folder: TempDir) -> Self {
        Self::new(ScriptRoot::of_package(folder))
    }

    /// Any script root: one instance, the host's own lease of ten minutes, no misfortunes.
    pub(crate) fn new(root: ScriptRoot) -> Self {
        Self {
            root,
            settings: Settings::new(),
            queues: BTreeMap::new(),
            instances: 1,
            only: None,
            lease: Duration::from_secs(600),
            function_key: None,
            faults: Faults::default(),
        }
    }

    /// Adds an app setting; the handler finds it in its environment.
    pub(crate) fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// Overrides the host.json value at `path` (members joined by `__`), by way of an app setting.
    pub(crate) fn host_json(self, path: &str, value: &str) -> Self {
        self.setting(&format!("AzureFunctionsJobHost__{path}"), value)
    }

    /// The queues that functions listen to, and their poison queues, found by their names.
    pub(crate) fn queues(mut self, queues: impl IntoIterator<Item = Arc<dyn Queue>>) -> Self {
        self.queues.extend(queues.into_iter().map(|queue| (queue.name().to_owned(), queue)));
        self
    }

    /// Number of instances, each with its own handler and listeners.
    pub(crate) fn instances(mut self, count: usize) -> Self {
        self.instances = count;
        self
    }

    /// Runs only these functions, as an instance of a plan that scales each function by itself.
    pub(crate) fn only<'a>(mut self, functions: impl IntoIterator<Item = &'a str>) -> Self {
        self.only = Some(functions.into_iter().map(str::to_owned).collect());
        self
    }

    /// How long a received message is hidden; renewed at half of it. Azure counts whole seconds.
    pub(crate) fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The key that non-anonymous HTTP functions ask for. Without it none is asked for.
    pub(crate) fn function_key(mut self, key: &str) -> Self {
        self.function_key = Some(key.to_owned());
        self
    }

    /// Misfortunes to bring.
    pub(crate) fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }
}
