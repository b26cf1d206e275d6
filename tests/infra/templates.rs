//! The project's own templates, read and judged.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use crate::bicep::Source;
use crate::schema::Schemas;
use crate::{hardening, symbols, types};

/// Shared, because reading the type data takes its time.
static SCHEMAS: LazyLock<Mutex<Schemas>> = LazyLock::new(|| Mutex::new(Schemas::new()));

/// main.bicep and its modules.
#[derive(Clone, Debug)]
pub(crate) struct Templates {
    pub(crate) main: Source,
    pub(crate) modules: Vec<Source>,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("infra")
}

impl Templates {
    /// The templates as they are.
    pub(crate) fn read() -> Self {
        Self::with(|_, text| text)
    }

    /// The templates after `change`, which is given every file's name and text.
    pub(crate) fn with(change: impl Fn(&str, String) -> String) -> Self {
        let parse = |path: &Path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            Source::parse(path, change(name, std::fs::read_to_string(path).unwrap()))
        };
        let mut modules: Vec<PathBuf> =
            std::fs::read_dir(folder().join("modules")).unwrap().map(|e| e.unwrap().path()).collect();
        modules.sort();
        Self {
            main: parse(&folder().join("main.bicep")),
            modules: modules.iter().map(|path| parse(path)).collect(),
        }
    }

    /// The module in the file `name`.
    pub(crate) fn module(&self, name: &str) -> &Source {
        let name = format!("{name}.bicep");
        self.modules.iter().find(|source| source.path.ends_with(&name)).unwrap()
    }

    /// All files.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Source> {
        std::iter::once(&self.main).chain(&self.modules)
    }

    /// What the checks of syntax, names, types and hardening find, as `file: problem`.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut schemas = SCHEMAS.lock().unwrap();
        let mut found = Vec::new();
        for source in self.all() {
            let mut here = symbols::problems(source, &self.modules);
            here.extend(types::problems(source, &mut schemas));
            here.extend(hardening::problems(source));
            let file = source.path.file_name().unwrap().to_str().unwrap();
            found.extend(here.into_iter().map(|problem| format!("{file}: {problem}")));
        }
        let outputs = symbols::missing_outputs(&self.main, &self.modules);
        found.extend(outputs.into_iter().map(|problem| format!("main.bicep: {problem}")));
        found
    }
}
