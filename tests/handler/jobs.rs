//! Jobs in good and in disorderly weather.

use reqwest::Method;
use serde_json::json;

use crate::bench::{Account, all_but, eventually};
use crate::common::command::run;
use crate::common::examples::{self, CHUNKS, DATABASE, SHARDS, VOLUMES};
use crate::common::in_process::assert_same_report;
use crate::host::faults::Faults;

#[tokio::test(flavor = "multi_thread")]
async fn one_handler_gives_the_report_of_a_search() {
    let bench = Account::with_database().host(|options| options).await;
    let id = bench.submit_examples().await;
    bench.completes(&id, examples::report()).await;
    let history = bench.host.history();
    for (function, calls) in [("plan", 1), ("search", SHARDS), ("merge", CHUNKS), ("finish", 1)] {
        assert!(history.of(function).len() as u64 >= calls, "{function}");
    }
    assert!(history.invocations.iter().all(|call| call.outcome.is_success()), "{history:#?}");
    assert_eq!(bench.host.poison_count(), 0);
    let errors: Vec<_> =
        bench.host.console(0).into_iter().filter(|line| line.text.contains("\"level\":\"ERROR\"")).collect();
    assert_eq!(errors, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_handlers_with_every_message_twice_and_shuffled_give_the_same_report() {
    let faults = Faults { duplicate: 1.0, shuffle: Some(11), ..Faults::default() };
    let bench = Account::with_database().host(|options| options.instances(3).faults(faults)).await;
    for instance in 0..3 {
        bench.host.ready(instance).await.unwrap();
    }
    let id = bench.submit_examples().await;
    bench.completes(&id, examples::report()).await;
    let history = bench.host.history();
    let calls = history.of("search");
    assert!(calls.len() as u64 > SHARDS, "{} calls", calls.len());
    assert!((0..3).all(|instance| calls.iter().any(|call| call.instance == instance)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_are_divided_into_the_same_grid_as_asked_for() {
    let bench = Account::with_database().host(|options| options.only(all_but(&["search"]))).await;
    let id = bench.submit_examples().await;
    bench.account.wait_for_messages("shards", SHARDS).await;
    let status = bench.get(&format!("searches/{id}")).await.json();
    assert_eq!(status["state"], "queued");
    assert_eq!(status["shards"], json!({ "total": SHARDS, "done": 0, "failed": 0 }));
    assert_eq!(status["chunks"]["total"], CHUNKS);
    assert_eq!(SHARDS, CHUNKS * VOLUMES);
    let results = bench.get(&format!("searches/{id}/results")).await;
    assert!(results.problem(409, "no-results").contains("queued"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_can_be_had_in_another_format() {
    let bench = Account::with_database().host(|options| options).await;
    let id = bench.submit_examples().await;
    bench.ended(&id).await;
    for format in
        ["7", "17", "6 qseqid sseqid pident qstart qend sstart send evalue bitscore qseq sseq stitle"]
    {
        let request = bench.request(Method::GET, &format!("searches/{id}/results"));
        let answer = bench.send(request.query(&[("outfmt", format)])).await;
        let expected = examples::search(&examples::queries(), &["--outfmt", format]);
        assert_same_report(format, &answer.body, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_works_through_the_host_and_its_key() {
    let bench = Account::with_database().host(|options| options.function_key("secret")).await;
    let (query, server) = (examples::queries(), bench.host.url());
    let submit = ["submit", "--query", query.to_str().unwrap(), "--database", DATABASE, "--server", &server];
    let (refused, accepted) = tokio::task::block_in_place(|| {
        (run(submit), run(submit.iter().chain(&["--key", "secret", "--wait", "--outfmt", "7"])))
    });
    assert!(refused.failed(1).contains("the server wants a function key; give --key or set SKYBLAST_KEY"));
    let expected = examples::search(&examples::queries(), &["--outfmt", "7"]);
    assert_same_report("submit --wait", &accepted.ok(), &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_at_the_root_of_the_app_and_what_it_shows_needs_the_key() {
    let bench = Account::with_database().host(|options| options.function_key("secret")).await;
    let client = reqwest::Client::new();
    let get = async |path: &str, accept: &str| {
        let request = client.get(format!("{}{path}", bench.host.url())).header("accept", accept);
        bench.send(request).await
    };
    let page = get("/", "text/html,*/*;q=0.8").await;
    assert_eq!((page.status.as_u16(), &*page.headers["content-type"]), (200, "text/html; charset=utf-8"));
    assert!(page.headers["content-security-policy"].contains("default-src 'none'"));
    assert_eq!(get("/", "*/*").await.json()["name"], "skyblast");
    assert_eq!(get("/page/app.js", "*/*").await.status, 200);
    for path in ["/api/searches", "/api/databases"] {
        assert_eq!(get(path, "application/json").await.status, 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_read_query_by_query_through_the_host() {
    let bench = Account::with_database().host(|options| options).await;
    let id = bench.submit_examples().await;
    bench.completes(&id, examples::report()).await;
    let queries = bench.get(&format!("searches/{id}/queries?limit=1000")).await.json();
    let rows = examples::report().iter().filter(|byte| **byte == b'\n').count() as u64;
    let counted = queries["queries"].as_array().unwrap().iter().map(|query| query["hsps"].as_u64().unwrap());
    assert_eq!(counted.sum::<u64>(), rows);
    let hits = bench.get(&format!("searches/{id}/queries/1/hits?sort=length&plots=true")).await.json();
    let ordinal = &hits["hits"][0]["ordinal"];
    let path = format!("searches/{id}/queries/1/alignments?subjects={ordinal}");
    assert_eq!(bench.get(&path).await.json()["hits"][0]["ordinal"], *ordinal);
    let fasta = bench.get(&format!("searches/{id}/sequences?query=1&subjects={ordinal}")).await;
    let species = bench.get(&format!("searches/{id}/species")).await.json();
    assert!(species["without_species"]["hits"].is_u64(), "{species}");
    let records = fasta.body.iter().filter(|&&byte| byte == b'>').count();
    assert!(fasta.body.starts_with(b">") && records == 1, "{}", fasta.body.escape_ascii());
    let label = bench.request(Method::PATCH, &format!("searches/{id}")).body(r#"{"label":"mine"}"#);
    assert_eq!(bench.send(label.header("content-type", "application/json")).await.status, 200);
    assert_eq!(bench.get(&format!("searches/{id}")).await.json()["label"], "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_stops_and_what_waits_for_it_is_dropped() {
    let account = Account::with_database();
    let bench = account.host(|options| options.only(all_but(&["search"]))).await;
    let id = bench.submit_examples().await;
    account.wait_for_messages("shards", SHARDS).await;
    let cancelled = bench.send(bench.request(Method::DELETE, &format!("searches/{id}"))).await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["state"]), (200, &json!("cancelled")));
    let status = bench.ended(&id).await;
    assert_eq!(status["state"], "cancelled");
    let results = bench.get(&format!("searches/{id}/results")).await;
    assert!(results.problem(409, "no-results").contains("cancelled"));

    let searching = account.host(|options| options.only(["search"])).await;
    account.wait_for_messages("shards", 0).await;
    assert!(searching.host.history().invocations.iter().all(|call| call.outcome.is_success()));
    assert_eq!(bench.get(&format!("searches/{id}")).await.json()["shards"]["done"], 0);
    let again = bench.send(bench.request(Method::DELETE, &format!("searches/{id}"))).await;
    assert_eq!(again.json()["state"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_side_by_side_do_not_mix() {
    let bench = Account::with_database().host(|options| options.instances(2)).await;
    let all = String::from_utf8(std::fs::read(examples::queries()).unwrap()).unwrap();
    let middle = all[all.len() / 2..].find("\n>").unwrap() + all.len() / 2 + 1;
    let folder = tempfile::tempdir().unwrap();
    let mut jobs = Vec::new();
    for half in [&all[..middle], &all[middle..]] {
        let file = folder.path().join(jobs.len().to_string());
        std::fs::write(&file, half).unwrap();
        jobs.push((bench.submit(half.into()).await, examples::search(&file, &[])));
    }
    for (id, expected) in &jobs {
        bench.completes(id, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_with_the_limit_and_the_way_to_submit_more() {
    let bench = Account::with_database().host(|options| options.setting("SKYBLAST_BODY_LIMIT", "5000")).await;
    let answer = bench.post(examples::many_queries(1)).await;
    let detail = answer.problem(413, "body-too-large");
    assert!(detail.contains("5000 bytes") && detail.contains("split the FASTA"), "{detail}");
    assert_eq!(answer.json()["limit_bytes"], 5000);
    // Nothing of it is left behind.
    // But for what sweep remembers of its own.
    let nothing = async || bench.account.blobs_named("jobs").await.iter().all(|name| name == "retained.json");
    eventually("no job", nothing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_database_is_answered_with_the_known_ones() {
    let bench = Account::with_database().host(|options| options).await;
    let answer = bench.send(bench.request(Method::POST, "searches?database=nr").body(">q\nMKV\n")).await;
    assert!(answer.problem(404, "unknown-database").contains(DATABASE));
    assert_eq!(answer.json()["known_databases"], json!([DATABASE]));
}
