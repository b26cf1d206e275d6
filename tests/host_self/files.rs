//! What the host refuses in its files, one by one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::host::config::{Function, HostConfig, Settings};
use crate::host::timespan;

fn host_json() -> Value {
    json!({
        "version": "2.0",
        "customHandler": {
            "description": { "defaultExecutablePath": "fake" },
            "enableForwardingHttpRequest": true,
        },
    })
}

/// The error of a host.json in which the value at `pointer` is `value`.
fn refusal(pointer: &[&str], value: Value) -> String {
    let mut json = host_json();
    let mut place = &mut json;
    for name in pointer {
        place = &mut place[name];
    }
    *place = value;
    format!("{:#}", HostConfig::parse(json, &Settings::new()).unwrap_err())
}

#[test]
fn absent_values_have_the_hosts_defaults() {
    let config = HostConfig::parse(host_json(), &Settings::new()).unwrap();
    assert_eq!(config.route_prefix, "api");
    assert_eq!(config.initialization_timeout, Duration::from_secs(30));
    assert_eq!((config.queues.batch_size, config.queues.new_batch_threshold), (16, 8));
    assert_eq!(config.queues.max_dequeue_count, 5);
    assert_eq!(config.queues.visibility_timeout, Duration::ZERO);
    assert_eq!(config.queues.max_polling_interval, Duration::from_secs(60));
}

#[test]
fn a_wrong_host_json_is_refused_with_the_value_that_is_wrong() {
    let queues = ["extensions", "queues"];
    for (pointer, value, expected) in [
        (&["version"][..], json!("1.0"), "version"),
        (&["customHandler", "enableForwardingHttpRequest"], json!(false), "enableForwardingHttpRequest"),
        (&["customHandler", "description"], json!({}), "defaultExecutablePath"),
        (&["functionTimeout"], json!("soon"), "\"soon\""),
        (&[queues[0], queues[1], "batchSize"], json!(33), "33"),
        (&[queues[0], queues[1], "batchSize"], json!(0), "batchSize 0"),
        (&[queues[0], queues[1], "messageEncoding"], json!("rot13"), "\"rot13\""),
        (&[queues[0], queues[1], "visibilityTimeout"], json!("-1"), "-1"),
    ] {
        let error = refusal(pointer, value);
        assert!(error.contains(expected), "{pointer:?}: {error}");
    }
}

#[test]
fn a_function_without_a_setting_for_its_connection_or_with_unknown_bindings_is_refused() {
    let queue = json!({ "bindings": [{ "type": "queueTrigger", "name": "message", "queueName": "q" }] });
    let output = json!({ "bindings": [queue["bindings"][0], { "type": "queue", "name": "next" }] });
    let one = Settings::from([("AzureWebJobsStorage".to_owned(), String::new())]);
    let several = Settings::from([("AzureWebJobsStorage__accountName".to_owned(), String::new())]);
    let other = Settings::from([("AzureWebJobsStorageAccount".to_owned(), String::new())]);
    assert!(Function::parse("f", &queue, "api", &one).is_ok());
    assert!(Function::parse("f", &queue, "api", &several).is_ok());
    let error = Function::parse("f", &queue, "api", &other).unwrap_err().to_string();
    assert!(error.contains("AzureWebJobsStorage"), "{error}");
    let error = Function::parse("f", &output, "api", &one).unwrap_err().to_string();
    assert!(error.contains("queueTrigger") && error.contains("\"queue\""), "{error}");
}

#[test]
fn time_spans_are_dotnets() {
    for (text, expected) in [
        ("00:00:10", Some(Duration::from_secs(10))),
        ("00:00:00.25", Some(Duration::from_millis(250))),
        ("1.02:03:04", Some(Duration::from_secs(93_784))),
        ("-1", None),
    ] {
        assert_eq!(timespan::parse(text).unwrap(), expected, "{text}");
    }
    for wrong in ["", "10", "00:10", "00:00:60", "00:60:00", "24:00:00", "00:00:-1", "a:b:c", "0:0:0:0"] {
        assert!(timespan::parse(wrong).is_err(), "{wrong}");
    }
}
