//! The questions of the workbook and the alerts, put to the log of real jobs: every line and every
//! member that they ask for is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::bench::eventually;
use crate::damage::damaged_account;
use crate::host::console::Level;

/// Lines that none of these jobs can write; others may.
const NOT_HERE: [&str; 2] = ["storage is not usable", "could not sweep"];

/// The queries of workbook.json and of alerts.bicep.
fn queries() -> Vec<String> {
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra");
    let workbook: Value =
        serde_json::from_slice(&std::fs::read(infra.join("workbook.json")).unwrap()).unwrap();
    let items = workbook["items"].as_array().unwrap().iter();
    let mut queries: Vec<String> =
        items.filter_map(|item| item["content"]["query"].as_str().map(str::to_owned)).collect();
    let alerts = std::fs::read_to_string(infra.join("modules/alerts.bicep")).unwrap();
    let of_alerts = alerts.split("query: '").skip(1).map(|rest| rest.split('\'').next().unwrap().to_owned());
    queries.extend(of_alerts);
    queries
}

/// What queries ask for: members by the text of the line.
fn asked() -> BTreeMap<String, BTreeSet<String>> {
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for query in queries().iter().filter(|query| query.starts_with("AppTraces")) {
        for rest in query.split("Message has \"").skip(1) {
            let members = asked.entry(rest.split('"').next().unwrap().to_owned()).or_default();
            for rest in query.split("log.").skip(1) {
                members.insert(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
            }
        }
    }
    asked
}

/// The names of a line's members as they come, repeated ones included.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a line of the log")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_that_workbook_and_alerts_ask_for_is_logged_with_its_members() {
    let bench = damaged_account().await.host(|options| options).await;
    let cancelled = bench.submit_examples().await;
    bench.host.fire_timer().await.unwrap();
    bench.send(bench.request(Method::DELETE, &format!("searches/{cancelled}"))).await;
    let damaged = bench.submit_examples().await;
    assert_eq!(bench.ended(&damaged).await["state"], "completed_with_failed_shards");
    bench.account.queue("plans").send("no message", Duration::ZERO).await.unwrap();
    let lines = || -> Vec<Value> {
        let console = bench.host.consoles();
        console.iter().filter_map(|(_, line)| serde_json::from_str(&line.text).ok()).collect()
    };
    // A status is there before the line that says so.
    eventually("a message that fails, and two jobs that end", async || {
        let count = |message| lines().iter().filter(|line| line["message"] == message).count();
        count("a message failed") > 0 && count("a job has ended") > 1
    })
    .await;

    for (_, line) in bench.host.consoles() {
        let level = serde_json::from_str::<Value>(&line.text).expect(&line.text)["level"].clone();
        let severity = match level.as_str() {
            Some("ERROR") => Level::Error,
            Some("WARN") => Level::Warning,
            _ => Level::Information,
        };
        assert_eq!(line.level, severity, "{}", line.text);
        let Names(names) = serde_json::from_str(&line.text).expect(&line.text);
        let once: BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len(), "a member is there twice: {}", line.text);
    }
    let (lines, asked) = (lines(), asked());
    assert!(asked.len() >= 7, "{asked:#?}");
    for (text, members) in asked.iter().filter(|(text, _)| !NOT_HERE.contains(&text.as_str())) {
        let found: Vec<_> = lines.iter().filter(|line| line["message"] == **text).collect();
        assert!(!found.is_empty(), "nothing has logged {text:?}");
        for member in members {
            assert!(found.iter().any(|line| !line[member].is_null()), "{member} is not in {found:#?}");
        }
    }
    assert!(bench.host.consoles().iter().any(|(_, line)| line.level == Level::Error));
    let ended = lines.iter().filter(|line| line["message"] == "a job has ended");
    let states: BTreeSet<_> = ended.map(|line| line["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["cancelled", "completed with failed shards"].into());
}
