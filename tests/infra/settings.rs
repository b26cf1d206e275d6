//! App settings against what reads them: the program, the host, the functions.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use skyblast::jobs::ROOM;

use crate::bicep::{Expr, Kind};
use crate::contract::{functions, project};
use crate::templates::Templates;

/// What the Functions host reads; the program does not.
const HOST_SETTINGS: [&str; 6] = [
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsDisableHomepage",
    "AzureWebJobsFeatureFlags",
    "AzureWebJobsStorage__credential",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
];

/// Variables that the program reads and that the templates do not set, with the reason.
const NOT_SET: [(&str, &str); 22] = [
    ("SKYBLAST_BODIES", "the host takes as many requests at a time as its concurrency says"),
    ("SKYBLAST_HOST_NAMES", "of the server"),
    ("SKYBLAST_KERNELS", "for tests and comparisons; the best are chosen without it"),
    ("SKYBLAST_PLACE", "has a default, the app; own workers are the operator's to have"),
    ("SKYBLAST_PRICES", "has a default; other regions and contracts are the operator's to know"),
    ("SKYBLAST_QUERY_BYTES", "has a default"),
    ("SKYBLAST_QUERY_RECORDS", "has a default"),
    ("SKYBLAST_QUERY_RESIDUES", "has a default"),
    ("SKYBLAST_REDIRECT_BYTES", "the default suits every size"),
    ("AZURE_FEDERATED_TOKEN_FILE", "tells a Kubernetes pod from a Functions instance"),
    ("AzureWebJobsStorage", "a connection string with a key; for local runs"),
    ("AzureWebJobsStorage__accountName", "the endpoints say the same, and work in every cloud"),
    ("BLASTDB", "of the search command"),
    ("FUNCTIONS_APP_ROOT_PATH", "set by the host"),
    ("FUNCTIONS_CUSTOMHANDLER_PORT", "set by the host"),
    ("IDENTITY_ENDPOINT", "set by the platform"),
    ("SKYBLAST_KEY", "of the client"),
    ("SKYBLAST_SERVER", "of the client"),
    ("SKYBLAST_SHARD_SECONDS", "has a default, which suits the time that the host gives a call"),
    ("SKYBLAST_STALL_SECONDS", "has a default"),
    ("SKYBLAST_STORAGE", "would win over the endpoints; for local runs"),
    ("SKYBLAST_TRUSTED_SITES", "no site is trusted unless the operator says so"),
];

/// Names and values.
type Settings = Vec<(String, Expr)>;

/// The app settings that every size has, and those of each size.
fn settings() -> (Settings, Vec<(String, Settings)>) {
    let templates = Templates::read();
    let Some(Expr::Object(common)) = templates.module("app").var("settings").cloned() else {
        panic!("settings")
    };
    let Some(Expr::Object(sizes)) = templates.main.var("sizes").cloned() else { panic!("sizes") };
    let of_size = sizes.into_iter().map(|(size, value)| match value.get("settings") {
        Some(Expr::Object(settings)) => (size, settings.clone()),
        other => panic!("{size}: {other:?}"),
    });
    (common, of_size.collect())
}

fn names(settings: &[(String, Expr)]) -> impl Iterator<Item = String> {
    settings.iter().map(|(name, _)| name.clone())
}

#[test]
fn every_connection_and_setting_that_a_function_names_is_an_app_setting() {
    let (common, _) = settings();
    for (function, bindings) in functions() {
        for binding in bindings {
            if let Some(connection) = binding["connection"].as_str() {
                for part in ["blobServiceUri", "queueServiceUri", "credential", "clientId"] {
                    let name = format!("{connection}__{part}");
                    assert!(common.iter().any(|(setting, _)| *setting == name), "{function}: {name}");
                }
            }
            let text = binding.to_string();
            let named = text.split('%').skip(1).step_by(2);
            for name in named {
                assert!(common.iter().any(|(setting, _)| setting == name), "{function}: %{name}%");
            }
        }
    }
}

/// Every text in the sources that is the name of a variable of the environment.
fn variables_in_sources() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if !path.file_stem().unwrap().to_str().unwrap().ends_with("_tests") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                found.extend(code.split('"').filter(|word| is_variable(word)).map(str::to_owned));
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&project().join("src"), &mut found);
    found
}

fn is_variable(word: &str) -> bool {
    let prefix = [
        "SKYBLAST_",
        "AZURE_",
        "FUNCTIONS_",
        "IDENTITY_",
        "AzureWebJobs",
        "WEBSITE_",
        "APPLICATIONINSIGHTS_",
    ];
    let letters = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    letters && (word == "BLASTDB" || prefix.iter().any(|prefix| word.starts_with(prefix)))
}

#[test]
fn every_variable_that_the_program_reads_is_set_or_has_a_reason_not_to_be() {
    let (common, sizes) = settings();
    let templates = Templates::read();
    let Some(Expr::Object(of_bodies)) = templates.main.var("bodySettings") else { panic!("bodySettings") };
    let of_size = sizes.iter().flat_map(|(_, settings)| names(settings));
    let set: BTreeSet<String> = names(&common).chain(of_size).chain(names(of_bodies)).collect();
    let read = variables_in_sources();
    assert!(read.len() > 15, "{read:?}");
    for name in &read {
        let excused = NOT_SET.iter().any(|(excused, _)| excused == name);
        assert!(set.contains(name) || excused, "{name} is read but neither set nor excused");
    }
    for (name, reason) in NOT_SET {
        assert!(read.contains(name), "{name} ({reason}) is not read any more");
    }
    for name in set {
        let known = read.contains(&name) || HOST_SETTINGS.contains(&name.as_str());
        assert!(known, "{name} is set but nobody reads it");
    }
}

#[test]
fn every_size_has_settings_that_the_program_accepts() {
    let templates = Templates::read();
    let (_, sizes) = settings();
    let memory = templates.main.find("instanceMemoryMB").unwrap();
    let Some([Expr::Array(allowed)]) = memory.decorator("allowed") else { panic!("allowed") };
    let allowed: Vec<String> = allowed
        .iter()
        .map(|size| match size {
            Expr::Number(size) => size.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(allowed, sizes.iter().map(|(size, _)| size.clone()).collect::<Vec<_>>());
    for (size, settings) in sizes {
        let storage = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut handler = Command::new(env!("CARGO_BIN_EXE_skyblast"))
            .arg("handler")
            .env("SKYBLAST_STORAGE", storage.path())
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .envs(settings.iter().map(|(name, value)| (name, value.text().unwrap())))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let answer = first_answer(port, Duration::from_secs(30));
        handler.kill().unwrap();
        handler.wait().unwrap();
        assert!(answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 200")), "{size}: {settings:?}");
    }
}

fn first_answer(port: u16, patience: Duration) -> Option<String> {
    let started = Instant::now();
    while started.elapsed() < patience {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let mut answer = String::new();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: skyblast\r\nConnection: close\r\n\r\n").ok()?;
            stream.read_to_string(&mut answer).ok()?;
            return Some(answer);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// The host takes 5.5 bytes of memory for each byte of a body (measured), and as many bodies at a time as
/// its concurrency says. A body that it refuses gets an answer that does not say what to do instead.
#[test]
fn as_many_bodies_as_are_taken_fit_into_every_instance_and_the_program_refuses_longer_ones() {
    let templates = Templates::read();
    let number = |value: &Expr| match value {
        Expr::Number(number) => *number as u64,
        other => panic!("{other:?}"),
    };
    let parameter = templates.main.find("httpPerInstanceConcurrency").unwrap();
    let Kind::Param { default: Some(concurrency), .. } = &parameter.kind else { panic!("{parameter:?}") };
    let concurrency = number(concurrency);
    let Some(Expr::Object(sizes)) = templates.main.var("sizes") else { panic!("sizes") };
    let expected = [("512", 4_000_000), ("2048", 16_000_000), ("4096", 32_000_000)];
    assert_eq!(sizes.len(), expected.len());
    for ((size, value), (expected_size, expected_limit)) in sizes.iter().zip(expected) {
        let bodies = number(value.get("bodies").unwrap());
        assert_eq!((size.as_str(), bodies / concurrency), (expected_size, expected_limit));
        let memory = size.parse::<u64>().unwrap() * 1_000_000;
        assert!(bodies * 11 / 2 <= memory * 3 / 4, "{size}: {bodies}");
    }
    // How the settings follow from that.
    let text = std::fs::read_to_string(project().join("infra/main.bicep")).unwrap();
    for line in [
        "var bodyLimit = min(100000000, size.bodies / httpPerInstanceConcurrency)",
        "  SKYBLAST_BODY_LIMIT: string(bodyLimit)",
        "  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(bodyLimit + bodyLimit / 20)",
        "    sizeSettings: union(size.settings, bodySettings)",
    ] {
        assert!(text.lines().any(|written| written == line), "{line}");
    }
}

/// Bytes of `64MiB` or `1GiB`.
fn bytes(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 3);
    number.parse::<u64>().unwrap()
        << match unit {
            "MiB" => 20,
            "GiB" => 30,
            other => panic!("{other}"),
        }
}

#[test]
fn volumes_and_their_cache_fit_into_every_instance() {
    let templates = Templates::read();
    let Some(Expr::Object(sizes)) = templates.main.var("sizes") else { panic!("sizes") };
    for (size, value) in sizes {
        let volume = bytes(value.get("volumeSize").and_then(Expr::text).unwrap());
        let cache = bytes(value.at("settings.SKYBLAST_VOLUME_CACHE").and_then(Expr::text).unwrap());
        let memory = size.parse::<u64>().unwrap() << 20;
        assert!(cache >= volume, "{size}: a cache smaller than a volume holds one all the same");
        // One more volume may be on its way while the cache is full; the rest is for chunk, hits and threads.
        assert!(cache + volume <= memory / 2, "{size}: {volume} and {cache} are too much");
        let program = bytes(value.at("settings.SKYBLAST_MEMORY").and_then(Expr::text).unwrap());
        assert!(volume * 2 + (96 << 20) <= program && program < memory, "{size}: {program}");
        let room = value.at("settings.SKYBLAST_ROOM").and_then(Expr::text).map_or(ROOM as u64, bytes);
        assert!(cache + volume + 4 * room <= memory / 2, "{size}: hits get too much");
    }
}
