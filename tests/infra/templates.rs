//! The project's own templates, read and judged.

use std::path::{Path, PathBuf};

use crate::bicep::Source;
use crate::hardening;

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

    /// What the grammar does not understand and what is not safe, as `file: problem`.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        for source in self.all() {
            let here = source.errors.iter().cloned().chain(hardening::problems(source));
            let file = source.path.file_name().unwrap().to_str().unwrap();
            found.extend(here.map(|problem| format!("{file}: {problem}")));
        }
        found
    }
}
