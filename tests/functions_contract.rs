//! host.json and functions/: what the Functions host will make of them.
//!
//! The files are read as plain JSON, so that a value the host would silently ignore is seen.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod host;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use host::config::{Encoding, Function, HostConfig, Settings, Trigger, read_json};
use host::http::choose;
use host::script_root::is_function_name;
use reqwest::Method;
use serde_json::{Value, json};

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn host_json() -> Value {
    read_json(&project().join("host.json")).unwrap()
}

/// Every function's file, by its folder's name.
fn function_files() -> BTreeMap<String, PathBuf> {
    std::fs::read_dir(project().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|folder| (folder.file_name().into_string().unwrap(), folder.path().join("function.json")))
        .collect()
}

/// The bindings of every function, by its name.
fn bindings() -> BTreeMap<String, Vec<Value>> {
    let parse = |(name, file): (String, PathBuf)| {
        let bindings = read_json(&file).unwrap()["bindings"].as_array().unwrap().clone();
        (name, bindings)
    };
    function_files().into_iter().map(parse).collect()
}

/// Functions that have a binding of this type, with that binding.
fn with_binding(kind: &str) -> BTreeMap<String, Value> {
    let find = |(name, bindings): (String, Vec<Value>)| {
        Some((name, bindings.into_iter().find(|binding| binding["type"] == kind)?))
    };
    bindings().into_iter().filter_map(find).collect()
}

/// The queue that each queue function listens to.
fn queues() -> BTreeMap<String, String> {
    let name =
        |(function, binding): (String, Value)| (function, binding["queueName"].as_str().unwrap().into());
    with_binding("queueTrigger").into_iter().map(name).collect()
}

/// The functions as the host reads them, in its order.
fn functions() -> Vec<Function> {
    let settings =
        Settings::from([("AzureWebJobsStorage".to_owned(), "UseDevelopmentStorage=true".to_owned())]);
    let parse = |(name, file): (String, PathBuf)| {
        Function::parse(&name, &read_json(&file).unwrap(), "", &settings).unwrap()
    };
    function_files().into_iter().map(parse).collect()
}

#[test]
fn a_function_folder_has_a_name_that_the_host_accepts_and_nothing_but_its_bindings() {
    for (name, file) in function_files() {
        assert!(is_function_name(&name), "{name}");
        assert_eq!(name, name.to_lowercase(), "one spelling for folder, path and setting");
        let folder: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().collect();
        assert_eq!(folder.len(), 1, "{name}");
        let json = read_json(&file).unwrap();
        let members: Vec<_> = json.as_object().unwrap().keys().collect();
        assert_eq!(members, ["bindings"], "{name}: nothing is disabled, no retry policy on queues");
    }
}

#[test]
fn function_name_rules_are_those_of_the_host() {
    for good in ["a", "Plan", "plan_poison", "x-1", &"a".repeat(128)] {
        assert!(is_function_name(good), "{good}");
    }
    for bad in ["", "1a", "_a", "a.b", "a b", "ä", "host", "HOST", &"a".repeat(129)] {
        assert!(!is_function_name(bad), "{bad}");
    }
}

#[test]
fn every_http_function_is_a_trigger_and_an_answer_so_that_it_is_forwarded() {
    for name in with_binding("httpTrigger").keys() {
        let bindings = &bindings()[name];
        let shape = |i: usize| (&bindings[i]["type"], &bindings[i]["direction"]);
        assert_eq!(bindings.len(), 2, "{name}");
        assert_eq!(shape(0), (&json!("httpTrigger"), &json!("in")), "{name}");
        assert_eq!(shape(1), (&json!("http"), &json!("out")), "{name}");
    }
}

#[test]
fn only_what_asks_for_a_permission_of_its_own_or_tells_nothing_is_open_to_anyone() {
    for (name, trigger) in with_binding("httpTrigger") {
        // A link carries its permission; clients of NCBI's URL API cannot send a key of the host's, nor can a
        // browser that opens the page.
        let open =
            ["blast_cgi", "blast_cgi_by_key", "docs", "health", "openapi", "page", "page_file", "shared"]
                .contains(&name.as_str());
        let expected = if open { "anonymous" } else { "function" };
        assert_eq!(trigger["authLevel"], expected, "{name}");
    }
}

#[test]
fn every_request_finds_its_function() {
    let functions = functions();
    for (method, path, expected) in [
        (Method::POST, "/api/searches", Some("submit")),
        (Method::GET, "/api/searches/7", Some("status")),
        (Method::GET, "/API/Searches/7", Some("status")),
        (Method::GET, "/api/searches/7/results", Some("results")),
        (Method::DELETE, "/api/searches/7", Some("cancel")),
        (Method::POST, "/api/searches/7/retry", Some("retry")),
        (Method::POST, "/api/searches/7/shares", Some("share")),
        (Method::GET, "/api/shared", Some("shared")),
        (Method::GET, "/api/shared/7.8.9", Some("shared")),
        (Method::POST, "/api/uploads", Some("upload")),
        (Method::PUT, "/api/uploads/7/parts/8", Some("part")),
        (Method::GET, "/api/doctor", Some("doctor")),
        (Method::GET, "/api/databases", Some("databases")),
        (Method::GET, "/api/health", Some("health")),
        (Method::GET, "/api/openapi.json", Some("openapi")),
        (Method::HEAD, "/api/docs", Some("docs")),
        (Method::GET, "/api/searches", Some("list")),
        (Method::POST, "/Blast.cgi", Some("blast_cgi")),
        (Method::GET, "/blast.cgi", Some("blast_cgi")),
        (Method::PUT, "/Blast.cgi", Some("blast_cgi")),
        (Method::POST, "/blast/Blast.cgi", Some("blast_cgi_by_key")),
        (Method::GET, "/cgi-bin/blast.cgi", Some("blast_cgi_by_key")),
        (Method::DELETE, "/Blast.cgi", None),
        (Method::PATCH, "/api/searches/7", Some("label")),
        (Method::GET, "/api/searches/7/sequences", Some("sequences")),
        (Method::GET, "/api/searches/7/species", Some("species")),
        (Method::GET, "/api/searches/7/queries", Some("queries")),
        (Method::GET, "/api/searches/7/queries/8/hits", Some("hits")),
        (Method::GET, "/api/searches/7/queries/8/alignments", Some("alignments")),
        (Method::GET, "/", Some("page")),
        (Method::HEAD, "/", Some("page")),
        (Method::POST, "/", None),
        (Method::GET, "/page/app.js", Some("page_file")),
        (Method::GET, "/page", None),
        (Method::GET, "/page/old/app.js", None),
        (Method::DELETE, "/api/searches", None),
        (Method::PUT, "/api/searches/7", None),
        (Method::GET, "/api/searches/7/results/8", None),
        (Method::GET, "/searches/7", None),
        (Method::POST, "/api/plan", None),
    ] {
        let found = choose(&functions, &method, path).map(|function| function.name.as_str());
        assert_eq!(found, expected, "{method} {path}");
    }
}

/// All that the program answers, as it describes itself, is forwarded by the host; but the numbers of one process
/// of many, which nobody can ask for.
#[test]
fn every_operation_of_the_program_has_its_function() {
    let functions = functions();
    let document: Value = serde_json::from_str(skyblast::functions::openapi_document()).unwrap();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let example = path.replace(['{', '}'], "");
        for method in operations.as_object().unwrap().keys().filter(|name| *name != "parameters") {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let found = choose(&functions, &method, &example).is_some();
            assert_eq!(found, path != "/metrics", "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 25, "{asked}");
}

#[test]
fn what_is_read_by_get_is_read_by_head() {
    for function in functions() {
        if let Trigger::Http { methods, .. } = &function.trigger {
            let has = |method: &str| methods.iter().any(|known| known.eq_ignore_ascii_case(method));
            assert_eq!(has("get"), has("head"), "{}", function.name);
        }
    }
}

#[test]
fn no_route_hides_another() {
    let functions = functions();
    for function in &functions {
        if let Trigger::Http { methods, route, .. } = &function.trigger {
            let path = route.example("searches");
            for method in methods {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                assert_eq!(
                    choose(&functions, &method, &path).unwrap().name,
                    function.name,
                    "{method} {path}"
                );
            }
        }
    }
}

#[test]
fn a_queue_function_has_one_trigger_and_writes_through_the_storage_api() {
    for (name, trigger) in with_binding("queueTrigger") {
        assert_eq!(bindings()[&name].len(), 1, "{name}");
        assert_eq!(trigger["direction"], "in", "{name}");
        assert_eq!(trigger["name"], "message", "{name}");
        assert_eq!(trigger["connection"], "AzureWebJobsStorage", "{name}");
        assert_eq!(trigger.get("dataType"), None, "{name}: text is delivered in two layers of quotes");
    }
}

#[test]
fn every_queue_has_a_poison_queue_with_its_own_function() {
    let queues = queues();
    for (name, queue) in &queues {
        if let Some(twin) = name.strip_suffix("_poison") {
            assert_eq!(*queue, format!("{}-poison", queues[twin]));
        } else {
            assert_eq!(queues[&format!("{name}_poison")], format!("{queue}-poison"));
        }
    }
    let expected = [("finish", "finishes"), ("merge", "merges"), ("plan", "plans"), ("search", "shards")];
    let stages: Vec<_> = queues.iter().filter(|(name, _)| !name.ends_with("_poison")).collect();
    assert_eq!(stages.iter().map(|(n, q)| (n.as_str(), q.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn every_queue_has_a_name_that_storage_accepts_and_one_function() {
    let queues = queues();
    for queue in queues.values() {
        assert!((3..=63).contains(&queue.len()), "{queue}");
        let letters = queue.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(
            letters && !queue.starts_with('-') && !queue.ends_with('-') && !queue.contains("--"),
            "{queue}"
        );
    }
    assert_eq!(queues.values().collect::<BTreeSet<_>>().len(), queues.len());
}

#[test]
fn the_sweep_runs_every_minute_by_a_timer_of_its_own() {
    let timers = with_binding("timerTrigger");
    assert_eq!(timers.keys().collect::<Vec<_>>(), ["sweep"]);
    assert_eq!(bindings()["sweep"].len(), 1);
    let timer = &timers["sweep"];
    assert_eq!((&timer["name"], &timer["direction"]), (&json!("timer"), &json!("in")));
    assert_eq!(timer["schedule"], "*/30 * * * * *", "seconds first");
    assert_eq!(timer.get("runOnStartup"), None, "each new instance would sweep");
}

#[test]
fn every_binding_is_of_a_kind_that_the_project_uses() {
    for (name, bindings) in bindings() {
        for binding in bindings {
            let kind = binding["type"].as_str().unwrap();
            let known: &[&str] = match kind {
                "httpTrigger" => &["authLevel", "direction", "methods", "name", "route", "type"],
                "http" => &["direction", "name", "type"],
                "queueTrigger" => &["connection", "direction", "name", "queueName", "type"],
                "timerTrigger" => &["direction", "name", "schedule", "type"],
                _ => panic!("{name}: {kind}"),
            };
            let mut members: Vec<_> = binding.as_object().unwrap().keys().collect();
            members.sort();
            assert_eq!(members, known, "{name}");
        }
    }
}

#[test]
fn the_host_starts_the_binary_that_cargo_builds() {
    let handler = &host_json()["customHandler"];
    let binary = Path::new(env!("CARGO_BIN_EXE_skyblast")).file_name().unwrap().to_str().unwrap();
    assert_eq!(handler["description"], json!({ "defaultExecutablePath": binary, "arguments": ["handler"] }));
    assert_eq!(handler["enableForwardingHttpRequest"], true);
    assert_eq!(handler.get("enableProxyingHttpRequest"), None, "it would win over forwarding");
    assert_eq!(handler.get("http"), None, "cannot be mixed with function.json files");
}

#[test]
fn host_json_declares_the_version_and_the_bundle_with_the_queue_bindings() {
    let host_json = host_json();
    assert_eq!(host_json["version"], "2.0");
    assert_eq!(
        host_json["extensionBundle"],
        json!({ "id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)" })
    );
}

#[test]
fn neither_a_failure_nor_a_line_of_the_program_is_lost_to_sampling_or_levels() {
    let logging = &host_json()["logging"];
    let excluded = logging["applicationInsights"]["samplingSettings"]["excludedTypes"].as_str().unwrap();
    let excluded: BTreeSet<&str> = excluded.split(';').collect();
    assert!(excluded.is_superset(&["Request", "Exception", "Trace"].into()), "{excluded:?}");
    for (category, level) in logging["logLevel"].as_object().unwrap() {
        // Lines of the program come as Host.Function.Console, results of calls as Host.Results.
        let needed = ["default", "Host.Function.Console", "Host.Results"].contains(&category.as_str());
        let allowed: &[&str] = match category.as_str() {
            // The timer's lock makes it warn each minute that a container exists.
            "Azure.Core" => &["Error"],
            _ if needed => &["Information"],
            _ => &["Information", "Warning"],
        };
        assert!(allowed.contains(&level.as_str().unwrap()), "{category}");
        assert!(needed || !"Host.Function.Console".starts_with(category.as_str()), "{category}");
        assert!(needed || !"Host.Results".starts_with(category.as_str()), "{category}");
    }
}

#[test]
fn queue_settings_are_all_written_down_and_in_range() {
    let written = host_json()["extensions"]["queues"].clone();
    let mut members: Vec<_> = written.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(
        members,
        [
            "batchSize",
            "maxDequeueCount",
            "maxPollingInterval",
            "messageEncoding",
            "newBatchThreshold",
            "visibilityTimeout"
        ]
    );
    let config = HostConfig::parse(host_json(), &Settings::new()).unwrap();
    assert_eq!(config.queues.batch_size, 1, "a shard uses every core, so one runs at a time");
    assert_eq!(config.queues.new_batch_threshold, 0, "and none waits behind it");
    assert_eq!(config.queues.encoding, Encoding::None, "what is not base64 would be given up unread");
    assert!(config.queues.max_dequeue_count > 1, "one try is none for a killed worker");
    assert!(!config.queues.visibility_timeout.is_zero(), "a failed message must not spin");
    assert!(config.queues.max_polling_interval.as_millis() >= 100);
    assert_eq!(config.function_timeout.unwrap().as_secs(), 1800);
    assert_eq!(config.route_prefix, "", "the page is at /, which no prefix would let it be");
}

#[test]
fn app_settings_override_host_json() {
    let settings = Settings::from([
        ("AzureFunctionsJobHost__functionTimeout".to_owned(), "00:00:01.5".to_owned()),
        ("AzureFunctionsJobHost__extensions__queues__batchSize".to_owned(), "4".to_owned()),
    ]);
    let config = HostConfig::parse(host_json(), &settings).unwrap();
    assert_eq!(config.function_timeout.unwrap().as_millis(), 1500);
    assert_eq!(config.queues.batch_size, 4);
}
