//! Who may use whom: the modules of the crate form layers, and none looks up.
//!
//! ```text
//! sequence → scoring → engine → database → taxonomy → report
//! store → jobs → functions → cli
//! ```
//!
//! A module may use those to its left in its own line; the second line may use the first (but for
//! `store`, which uses nothing), never the other way round. The first line is pure computation, so it does
//! without the crates of the second.
//!
//! The rooms and files of `engine` are in a line of their own ([`ENGINE`]), and none of them reads a file, a
//! clock or the environment.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Each module and the modules that it may use.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("sequence", &[]),
    ("scoring", &["sequence"]),
    ("engine", &["sequence", "scoring"]),
    ("database", &["sequence", "scoring", "engine"]),
    ("taxonomy", &["sequence", "engine", "database"]),
    ("report", &["sequence", "scoring", "engine", "database", "taxonomy"]),
    ("store", &[]),
    ("jobs", &["sequence", "scoring", "engine", "database", "taxonomy", "report", "store"]),
    ("functions", &["sequence", "scoring", "engine", "database", "taxonomy", "report", "store", "jobs"]),
    (
        "cli",
        &["sequence", "scoring", "engine", "database", "taxonomy", "report", "store", "jobs", "functions"],
    ),
];

/// The modules of the first line.
const PURE: [&str; 6] = ["sequence", "scoring", "engine", "database", "taxonomy", "report"];

/// Crates that the first line does without; a `*` stands for any ending.
const IMPURE_CRATES: [&str; 6] = ["tokio*", "axum", "azure*", "reqwest", "tower*", "serde_json"];

/// The rooms and files of `engine`; each may use those before it.
const ENGINE: [&str; 17] = [
    "seg", "subjects", "blocks", "watch", "options", "kernel", "pieces", "query", "align", "batch", "select",
    "rank", "stitch", "rest", "search", "late", "stages",
];

/// Parts of the standard library that `engine` does without, since its results follow from its input alone.
const WORLD: [&str; 6] = ["fs", "env", "time", "net", "process", "io"];

/// What breaks the line of [`ENGINE`] in the text of a file below its folder, at `path` from there.
fn engine_violations(path: &str, text: &str) -> Vec<String> {
    let code = without_comments(text);
    let mut found: Vec<String> = WORLD
        .iter()
        .filter(|part| uses_std(&code, part))
        .map(|part| format!("engine uses std::{part}"))
        .collect();
    let first = path.split('/').next().unwrap_or_default();
    let room = first.strip_suffix(".rs").unwrap_or(first);
    if room == "mod" {
        return found;
    }
    let Some(place) = ENGINE.iter().position(|name| *name == room) else {
        found.push(format!("{room} has no place in the engine; add it to tests/layering.rs"));
        return found;
    };
    // Tests may compare with a twin in another room.
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let own = if path.contains('/') { "crate::engine::" } else { "super::" };
    let is_later = |name: &&str| !ENGINE[..=place].contains(name);
    let names = |prefix: &str| names_after(code, prefix);
    let used: BTreeSet<String> = names(own).into_iter().chain(names("crate::engine::")).collect();
    let used = used.iter().map(String::as_str).filter(|name| name.starts_with(char::is_lowercase));
    found.extend(used.filter(is_later).map(|name| format!("{room} uses {name}, which comes after it")));
    found
}

/// Whether code names `std::part`.
fn uses_std(code: &str, part: &str) -> bool {
    names_after(code, "std::").iter().any(|name| name == part)
}

/// What breaks the layers in the text of a file of `module`.
fn violations(module: &str, text: &str) -> Vec<String> {
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
        return vec![format!("the module {module} belongs to no layer; add it to tests/layering.rs")];
    };
    let code = without_comments(text);
    let modules = used_modules(&code).into_iter().filter(|used| used != module);
    let mut found: Vec<String> = modules
        .filter(|used| !allowed.contains(&used.as_str()))
        .map(|used| format!("{module} uses {used}"))
        .collect();
    if PURE.contains(&module) {
        found.extend(used_crates(&code).map(|name| format!("{module} uses the crate {name}")));
        // The manifest of a database is JSON.
        found.retain(|violation| violation != "database uses the crate serde_json");
    }
    found
}

/// The code without line comments; documentation may speak of any module.
fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    code.collect::<Vec<_>>().join("\n")
}

/// The modules named by `crate::x` and `crate::{x, y::z}`.
fn used_modules(code: &str) -> BTreeSet<String> {
    names_after(code, "crate::")
}

/// What is named by `prefix` and `x`, or `{x, y::z}`.
fn names_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, path) in code.match_indices(prefix) {
        if code[..at].ends_with(is_identifier) {
            continue;
        }
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(first_names_of_group(group)),
            None => used.extend([first_name(rest)]),
        }
    }
    used
}

/// The first segments of the paths of a `{…}` group, given what follows its opening brace.
fn first_names_of_group(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, byte) in group.char_indices() {
        match byte {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(first_name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(first_name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The crates of [`IMPURE_CRATES`] that the code names, as `name::` or `use name`.
fn used_crates(code: &str) -> impl Iterator<Item = String> {
    let words: BTreeSet<&str> = code
        .match_indices("::")
        .map(|(at, _)| code[..at].rsplit(|c| !is_identifier(c)).next().unwrap_or_default())
        .chain(
            code.split("use ")
                .skip(1)
                .map(|rest| rest.split(|c| !is_identifier(c)).next().unwrap_or_default()),
        )
        .collect();
    let impure = |word: &&str| {
        IMPURE_CRATES.iter().any(|name| match name.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == name,
        })
    };
    words.into_iter().filter(impure).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn first_name(path: &str) -> String {
    path.trim_start().chars().take_while(|c| is_identifier(*c)).collect()
}

fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// All violations below `folder`, as `file: violation`, and how many files were read.
fn walk(folder: &Path, module: &str, found: &mut Vec<String>) -> usize {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += walk(&path, module, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files += 1;
            let text = fs::read_to_string(&path).unwrap();
            let mut here = violations(module, &text);
            if let Ok(inside) = path.strip_prefix(&engine) {
                here.extend(engine_violations(&inside.to_string_lossy(), &text));
            }
            found.extend(here.into_iter().map(|v| format!("{}: {v}", path.display())));
        }
    }
    files
}

#[test]
fn no_module_uses_one_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut files) = (Vec::new(), 0);
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files += walk(&path, &module, &mut found);
        } else {
            // What is not a folder wires the crate together, and may name everything.
            assert!(["lib", "main"].contains(&module.as_str()), "{} is in no layer", path.display());
        }
    }
    assert!(files > 50, "only {files} files were read");
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_seeded_violation_is_found() {
    let seeded = [
        ("sequence", "use crate::engine::Hit;", "sequence uses engine"),
        ("engine", "fn f() { crate::database::open() }", "engine uses database"),
        ("scoring", "use crate::{sequence::alphabet, report::{self, Column}};", "scoring uses report"),
        ("report", "use crate::{\n    engine::Hit,\n    jobs::JobId,\n};", "report uses jobs"),
        ("store", "pub(crate) use crate::sequence::input;", "store uses sequence"),
        ("jobs", "let router = crate::functions::router();", "jobs uses functions"),
        ("engine", "use tokio::task;", "engine uses the crate tokio"),
        ("report", "let json = serde_json::to_string(&hit);", "report uses the crate serde_json"),
        ("database", "use azure_storage_blob as blob;", "database uses the crate azure_storage_blob"),
        ("web", "", "the module web belongs to no layer; add it to tests/layering.rs"),
    ];
    for (module, text, violation) in seeded {
        assert_eq!(violations(module, text), [violation], "{text}");
    }
}

#[test]
fn a_seeded_violation_inside_the_engine_is_found() {
    let seeded = [
        (
            "kernel/wide.rs",
            "use crate::engine::align::gapped::Trace;",
            "kernel uses align, which comes after it",
        ),
        ("batch.rs", "use super::select::words::WordTable;", "batch uses select, which comes after it"),
        (
            "align/hsp.rs",
            "use crate::engine::{kernel::Gaps, rank::hit::Hit};",
            "align uses rank, which comes after it",
        ),
        ("rank/hit.rs", "let now = std::time::Instant::now();", "engine uses std::time"),
        ("mod.rs", "use std::{fs::File, ops::Range};", "engine uses std::fs"),
        ("attic/old.rs", "", "attic has no place in the engine; add it to tests/layering.rs"),
    ];
    for (path, text, violation) in seeded {
        assert_eq!(engine_violations(path, text), [violation], "{text}");
    }
    for (path, text) in [
        ("align/gapped.rs", "use super::hsp::Hsp;\nuse crate::engine::kernel::Gaps;\nuse std::ops::Range;"),
        ("kernel/wide.rs", "#[cfg(test)]\nmod tests {\n    use crate::engine::align::gapped::Extender;\n}"),
        ("search.rs", "use super::select::words::Neighbourhoods;"),
    ] {
        assert_eq!(engine_violations(path, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_is_allowed_is_no_violation() {
    for (module, text) in [
        ("engine", "use crate::scoring::{Matrix, GapCosts};\nuse crate::engine::Hit;"),
        ("jobs", "use crate::{database::Volume, store::{self, BlobStore}};\nuse tokio::sync::Mutex;"),
        ("sequence", "/// Read by [`crate::engine`] and [`tokio::fs`].\nuse std::io;"),
        ("database", "use serde_json::Value;"),
        ("store", "use reqwest::Client;"),
    ] {
        assert_eq!(violations(module, text), Vec::<String>::new(), "{text}");
    }
}
