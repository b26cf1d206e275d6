//! One thing is said in several places: functions, queues, containers, settings. Here they are compared.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use skyblast::functions::{Limits, Services, host_router};
use skyblast::jobs::Stage;
use tower::ServiceExt;

use crate::bicep::{Expr, Kind};
use crate::templates::Templates;

/// What the Functions host reads; the program does not.
const HOST_SETTINGS: [&str; 4] = [
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__credential",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
];

/// Variables that the program reads and that the templates do not set, with the reason.
const NOT_SET: [(&str, &str); 10] = [
    ("AZURE_FEDERATED_TOKEN_FILE", "tells a Kubernetes pod from a Functions instance"),
    ("AzureWebJobsStorage", "a connection string with a key; for local runs"),
    ("AzureWebJobsStorage__accountName", "the endpoints say the same, and work in every cloud"),
    ("BLASTDB", "of the search command"),
    ("FUNCTIONS_CUSTOMHANDLER_PORT", "set by the host"),
    ("IDENTITY_ENDPOINT", "set by the platform"),
    ("SKYBLAST_KEY", "of the client"),
    ("SKYBLAST_SERVER", "of the client"),
    ("SKYBLAST_STALL_SECONDS", "has a default"),
    ("SKYBLAST_STORAGE", "would win over the endpoints; for local runs"),
];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(project().join(path)).unwrap()).unwrap()
}

/// Name and bindings of every function.
fn functions() -> Vec<(String, Vec<Value>)> {
    let folders = std::fs::read_dir(project().join("functions")).unwrap();
    folders
        .map(|folder| {
            let name = folder.unwrap().file_name().into_string().unwrap();
            let bindings = json(format!("functions/{name}/function.json"))["bindings"].clone();
            (name, bindings.as_array().unwrap().clone())
        })
        .collect()
}

/// The app settings that every size has, and those of each size.
fn settings() -> (Vec<(String, Expr)>, Vec<(String, Vec<(String, Expr)>)>) {
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

#[tokio::test]
async fn every_function_is_a_route_of_the_program() {
    let router = host_router(Services::Unavailable("a test".into()), Limits::default());
    for (name, bindings) in functions() {
        let (methods, path) = match bindings[0]["route"].as_str() {
            Some(route) => {
                let methods = bindings[0]["methods"].as_array().unwrap();
                (
                    methods.iter().map(|m| m.as_str().unwrap().to_uppercase()).collect(),
                    format!("/api/{route}"),
                )
            }
            None => (vec!["POST".to_owned()], format!("/{name}")),
        };
        for method in methods {
            let path = path.replace("{id}", "00000000000000000000000000000000");
            let request = Request::builder().method(method.as_str()).uri(&path).body(Body::empty()).unwrap();
            let status = router.clone().oneshot(request).await.unwrap().status().as_u16();
            assert!(![404, 405].contains(&status), "{name}: {method} {path} gives {status}");
        }
    }
}

#[test]
fn every_queue_of_a_function_and_of_the_program_is_made_with_its_poison_queue() {
    let templates = Templates::read();
    let made: BTreeSet<&str> =
        templates.module("storage").var("queues").unwrap().texts().into_iter().collect();
    let listened: Vec<Value> = functions().into_iter().flat_map(|(_, bindings)| bindings).collect();
    let listened: BTreeSet<&str> =
        listened.iter().filter_map(|binding| binding["queueName"].as_str()).collect();
    let used: BTreeSet<&str> =
        Stage::ALL.iter().flat_map(|stage| [stage.queue(), stage.poison_queue()]).collect();
    assert_eq!(made, listened);
    assert_eq!(made, used);
    let poison =
        made.iter().filter(|queue| !queue.ends_with("-poison")).map(|queue| format!("{queue}-poison"));
    assert!(poison.clone().all(|queue| made.contains(queue.as_str())), "{made:?}");
    assert_eq!(poison.count() * 2, made.len());
}

#[test]
fn every_container_of_the_program_is_made_and_job_blobs_expire() {
    let templates = Templates::read();
    let storage = templates.module("storage");
    let made = storage.var("containers").unwrap().texts();
    // The app takes its package from the first.
    assert_eq!(made, ["app-package", "databases", "jobs"]);
    let names = std::fs::read_to_string(project().join("src/jobs/names.rs")).unwrap();
    for container in &made[1..] {
        assert!(names.contains(&format!("&str = \"{container}\";")), "{container}");
    }
    let policies = storage.of_type("Microsoft.Storage/storageAccounts/managementPolicies");
    let Some(Expr::Array(rules)) = policies[0].at("properties.policy.rules") else { panic!("rules") };
    assert_eq!(rules[0].at("definition.filters.prefixMatch").unwrap().texts(), ["jobs/"]);
    let days = "definition.actions.baseBlob.delete.daysAfterModificationGreaterThan";
    assert_eq!(rules[0].at(days), Some(&Expr::Symbol("jobRetentionDays".into())));
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
    let set: BTreeSet<String> =
        names(&common).chain(sizes.iter().flat_map(|(_, settings)| names(settings))).collect();
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
    }
}

#[test]
fn the_app_gets_exactly_the_roles_that_it_needs() {
    let templates = Templates::read();
    let access = templates.module("access");
    let roles = |name| match access.var(name) {
        Some(Expr::Array(roles)) => roles.clone(),
        other => panic!("{other:?}"),
    };
    let named =
        |names: &[&str]| names.iter().map(|name| Expr::Symbol((*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(
        roles("appStorageRoles"),
        named(&["storageBlobDataOwner", "storageBlobDelegator", "storageQueueDataContributor"])
    );
    assert_eq!(
        roles("operatorStorageRoles"),
        named(&["storageBlobDataContributor", "storageQueueDataContributor"])
    );
    let declared: BTreeSet<&str> = crate::hardening::ROLES.iter().map(|(name, _)| *name).collect();
    let ids = access.declarations.iter().filter(
        |declaration| matches!(&declaration.kind, Kind::Var { value: Expr::Text(id) } if id.len() == 36),
    );
    assert_eq!(ids.map(|declaration| declaration.name.as_str()).collect::<BTreeSet<_>>(), declared);
}

#[test]
fn only_app_health_is_open_when_people_must_sign_in() {
    let templates = Templates::read();
    let configs = templates.module("app").of_type("Microsoft.Web/sites/config");
    let auth = configs.iter().find(|body| body.get("name").and_then(Expr::text) == Some("authsettingsV2"));
    let excluded = auth.unwrap().at("properties.globalValidation.excludedPaths").unwrap().texts();
    let open: Vec<String> = functions()
        .into_iter()
        .flat_map(|(_, bindings)| bindings)
        .filter(|binding| binding["authLevel"] == "anonymous")
        .map(|binding| format!("/api/{}", binding["route"].as_str().unwrap()))
        .collect();
    assert_eq!(excluded, open);
}

#[test]
fn alerts_and_workbook_ask_for_what_the_program_logs_and_what_functions_are_called() {
    let sources = |file: &str| std::fs::read_to_string(project().join(file)).unwrap();
    let logged = sources("src/jobs/search.rs")
        + &sources("src/functions/sweep.rs")
        + &sources("src/jobs/finish.rs")
        + &sources("src/cli/handler.rs")
        + &sources("src/jobs/submit.rs")
        + &sources("src/functions/queue.rs");
    let questions = sources("infra/modules/alerts.bicep") + &sources("infra/workbook.json");
    for message in [
        "compared a shard",
        "swept",
        "could not sweep",
        "storage is not usable",
        "closed a job",
        "a message failed",
    ] {
        assert!(logged.contains(&format!("\"{message}\"")), "the program does not log {message:?} any more");
        assert!(questions.contains(message), "nobody asks for {message:?}");
    }
    for field in questions.split("log.").skip(1) {
        let field: String = field.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        assert!(logged.contains(&field), "nothing logs the field {field}");
    }
    for (name, bindings) in functions() {
        let poison = bindings[0]["queueName"].as_str().is_some_and(|queue| queue.ends_with("-poison"));
        assert_eq!(name.ends_with("_poison"), poison, "{name}: the alert goes by the ending");
    }
}

#[test]
fn the_workbook_is_a_workbook() {
    let workbook = json("infra/workbook.json");
    assert_eq!(workbook["version"], "Notebook/1.0");
    let queries: Vec<&str> = workbook["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["content"]["query"].as_str())
        .collect();
    assert!(queries.len() >= 6, "{}", queries.len());
    for query in queries {
        assert!(
            query.starts_with("AppTraces\n")
                || query.starts_with("AppRequests\n")
                || query.starts_with("Usage\n"),
            "{query}"
        );
        assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
    }
}
