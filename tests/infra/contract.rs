//! One thing is said in several places: functions, queues, containers, roles, log lines. Here they are compared.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use skyblast::functions::{Limits, Services, host_router};
use skyblast::jobs::{OWN_SHARDS, Stage};
use tower::ServiceExt;

use crate::bicep::{Expr, Kind};
use crate::templates::Templates;

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(project().join(path)).unwrap()).unwrap()
}

/// Name and bindings of every function.
pub(crate) fn functions() -> Vec<(String, Vec<Value>)> {
    let folders = std::fs::read_dir(project().join("functions")).unwrap();
    folders
        .map(|folder| {
            let name = folder.unwrap().file_name().into_string().unwrap();
            let bindings = json(format!("functions/{name}/function.json"))["bindings"].clone();
            (name, bindings.as_array().unwrap().clone())
        })
        .collect()
}

#[tokio::test]
async fn every_function_is_a_route_of_the_program() {
    let router = host_router(Services::Unavailable("a test".into()), Limits::default());
    for (name, bindings) in functions() {
        let (methods, path) = match bindings[0]["route"].as_str() {
            Some(route) => {
                let methods = bindings[0]["methods"].as_array().unwrap();
                (methods.iter().map(|m| m.as_str().unwrap().to_uppercase()).collect(), format!("/{route}"))
            }
            None => (vec!["POST".to_owned()], format!("/{name}")),
        };
        for method in methods {
            let path = path.replace("{id}", "00000000000000000000000000000000").replace("{number}", "0");
            let path = path.replace("/{token?}", "?token=x").replace("{ignored:maxlength(0)?}", "");
            let path = path.replace("{key}", "x").replace("{place}", "1").replace("{file}", "app.js");
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
    assert_eq!(listened, used);
    // No function listens here: own workers do, and what they give up goes where all shards go.
    let (own, made): (BTreeSet<&str>, BTreeSet<&str>) =
        made.into_iter().partition(|queue| *queue == OWN_SHARDS);
    assert_eq!((own.len(), &made), (1, &used));
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
    assert_eq!(rules[0].at(days), Some(&Expr::Symbol("blobRetentionDays".into())));
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
fn only_what_is_open_to_anyone_is_open_when_people_must_sign_in() {
    let templates = Templates::read();
    let configs = templates.module("app").of_type("Microsoft.Web/sites/config");
    let auth = configs.iter().find(|body| body.get("name").and_then(Expr::text) == Some("authsettingsV2"));
    let excluded = auth.unwrap().at("properties.globalValidation.excludedPaths").unwrap().texts();
    let open: BTreeSet<String> = functions()
        .into_iter()
        // The program asks for a key of its own there; where people sign in, for their token as well.
        .filter(|(name, _)| !name.starts_with("blast_cgi"))
        .flat_map(|(_, bindings)| bindings)
        .filter(|binding| binding["authLevel"] == "anonymous")
        .flat_map(|binding| {
            let route = binding["route"].as_str().unwrap();
            if let Some(folder) = route.strip_suffix("/{token?}") {
                return vec![format!("/{folder}"), format!("/{folder}/*")];
            }
            vec![format!("/{}", route.replace("{file}", "*").replace("{ignored:maxlength(0)?}", ""))]
        })
        .collect();
    assert_eq!(excluded.iter().map(ToString::to_string).collect::<BTreeSet<_>>(), open);
}

#[test]
fn alerts_and_workbook_ask_for_what_the_program_logs_and_what_functions_are_called() {
    let sources = |file: &str| std::fs::read_to_string(project().join(file)).unwrap();
    let logging = [
        "src/cli/handler.rs",
        "src/functions/queue.rs",
        "src/functions/sweep.rs",
        "src/jobs/cost.rs",
        "src/jobs/search.rs",
    ];
    let logged: String = logging.iter().map(|file| sources(file)).collect();
    let workbook = sources("infra/workbook.json").replace("\\\"", "\"");
    let questions = sources("infra/modules/alerts.bicep") + &workbook;
    let messages: BTreeSet<&str> = ["Message has \"", "has \"", "log.message) == \""]
        .iter()
        .flat_map(|start| questions.split(start).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(messages.len() >= 7, "{messages:?}");
    for message in messages {
        assert!(logged.contains(&format!("\"{message}\"")), "nothing logs {message:?}");
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
fn the_lines_that_the_runbook_explains_are_logged() {
    let runbook = std::fs::read_to_string(project().join("docs/operations.md")).unwrap();
    let table = runbook.split("| line | says |").nth(1).unwrap().split("\n\n").next().unwrap();
    let cells = table.lines().filter_map(|row| row.split('|').nth(1));
    let lines: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(lines.len() >= 8, "{lines:?}");
    let sources: String = ["src/cli", "src/functions", "src/jobs"]
        .iter()
        .map(|folder| texts_below(&project().join(folder)))
        .collect();
    for line in lines {
        assert!(sources.contains(&format!("\"{line}\"")), "nothing logs {line:?}");
    }
}

/// The texts of all files below a folder.
fn texts_below(folder: &Path) -> String {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { texts_below(&path) } else { std::fs::read_to_string(path).unwrap() })
        .collect()
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
