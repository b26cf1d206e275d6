//! The log of a job: lines that a program can read, in one trace across all functions.

use reqwest::Method;
use serde_json::Value;

use crate::bench::{Account, eventually};
use crate::common::examples::{self, CHUNKS, DATABASE, SHARDS};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(flavor = "multi_thread")]
async fn every_line_about_a_job_is_json_in_one_trace_and_its_cost_is_there() {
    let bench = Account::with_database().host(|options| options.instances(2)).await;
    let request = bench.request(Method::POST, &format!("searches?database={DATABASE}"));
    let request = request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let accepted = bench.send(request.body(std::fs::read(examples::queries()).unwrap())).await;
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    bench.completes(&id, examples::report()).await;
    // The step that ends a job has things to do when the job has ended.
    let handled = |line: &str| line.contains("handled a message") && line.contains("\"function\":\"finish\"");
    eventually("the last step is done", async || {
        bench.host.consoles().iter().any(|(_, line)| handled(&line.text))
    })
    .await;

    let console = bench.host.consoles();
    let lines: Vec<Value> =
        console.iter().map(|(_, line)| serde_json::from_str(&line.text).expect(&line.text)).collect();
    let of_job: Vec<&Value> =
        lines.iter().filter(|line| line["job"] == id || line["span"]["job"] == id).collect();
    // The one line of a shard names the job alone, whose trace the others say.
    let shards: Vec<_> = of_job.iter().filter(|line| line["message"] == "compared").collect();
    assert!(shards.len() as u64 >= SHARDS);
    for line in shards {
        for member in ["seconds", "comparisons", "chunk", "volume"] {
            assert!(line[member].is_number(), "{member} in {line}");
        }
    }
    for line in of_job.iter().filter(|line| line["message"] != "compared") {
        let trace =
            [&line["trace_id"], &line["span"]["trace_id"]].into_iter().find(|trace| trace.is_string());
        assert_eq!(trace.unwrap(), TRACE, "{line}");
    }
    for function in ["plan", "merge", "finish"] {
        let count = of_job.iter().filter(|line| line["span"]["function"] == function).count() as u64;
        let least = if function == "merge" { CHUNKS } else { 1 };
        assert!(count >= least, "{function}: {count} lines");
    }
    let mut of_whole = of_job.iter().filter(|line| line["metric"] == "job");
    let job = of_whole.next().expect("a line about the whole job");
    assert_eq!((&job["comparisons"], &job["state"]), (&32_780.into(), &"completed".into()), "{job}");
    assert!(job["instance_seconds"].as_f64().unwrap() > 0.0, "{job}");
}
