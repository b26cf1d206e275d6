//! What a job leaves in the logs, where bytes are paid for and many can read.

use reqwest::Method;
use serde_json::Value;

use crate::bench::Account;
use crate::common::azurite::KEY;
use crate::common::examples::{self, DATABASE, SHARDS};
use crate::host::telemetry;

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_writes_one_line_which_with_its_request_takes_at_most_3_kilobytes() {
    let bench = Account::with_database().host(|options| options).await;
    let id = bench.submit_examples().await;
    bench.completes(&id, examples::report()).await;
    let lines: Vec<String> = bench.host.consoles().into_iter().map(|(_, line)| line.text).collect();
    let parsed = lines.iter().map(|line| (line, serde_json::from_str::<Value>(line).expect(line)));
    let (mut shards, mut others) = (0, Vec::new());
    for (text, line) in parsed {
        if line["message"] == "compared" {
            shards += 1;
            assert!(telemetry::bytes([text.as_str()]) <= 3_000, "{text}");
        } else if line["span"]["function"] == "search" || text.contains("/search\"") {
            others.push(text);
        }
    }
    assert_eq!((shards, others), (SHARDS, Vec::<&String>::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_token_or_signature_is_stored_however_talkative_the_log_is() {
    const FUNCTION_KEY: &str = "FUNCKEYfunckeyFUNCKEYfunckey0000000000001";
    let adapt = |options: crate::host::HostOptions| {
        options
            .function_key(FUNCTION_KEY)
            .setting("SKYBLAST_LOG", "trace")
            .setting("SKYBLAST_REDIRECT_BYTES", "1")
    };
    let bench = Account::with_database().host(adapt).await;
    let with_key =
        |method: Method, path: &str| bench.request(method, path).header("x-functions-key", FUNCTION_KEY);
    let submit = with_key(Method::POST, &format!("searches?database={DATABASE}"));
    let accepted = bench.send(submit.body(std::fs::read(examples::queries()).unwrap())).await.json();
    let id = accepted["id"].as_str().unwrap().to_owned();
    crate::bench::eventually("the end of the job", async || {
        bench.get(&format!("searches/{id}?code={FUNCTION_KEY}")).await.json()["finished"].is_string()
    })
    .await;
    let ticket = bench.send(with_key(Method::POST, "uploads")).await.json();
    let signed = ticket["url"].as_str().unwrap().to_owned();
    let report = bench.get(&format!("searches/{id}/results?code={FUNCTION_KEY}")).await;
    assert_eq!(report.status, 200, "the client has followed the signed address");
    let share = bench.send(with_key(Method::POST, &format!("searches/{id}/shares?seconds=600"))).await.json();
    let link = share["link"].as_str().unwrap().to_owned();
    assert_eq!(bench.get(link.trim_start_matches("/api/")).await.status, 200);

    let signature = signed.split("sig=").nth(1).unwrap().split('&').next().unwrap();
    let texts = bench.host.stored_texts();
    assert!(texts.len() > 100, "{}", texts.len());
    // What stands in a path is stored; a token belongs into the query, which is cut off.
    let token = link.split_once("token=").map(|(_, token)| token);
    for secret in [FUNCTION_KEY, KEY, signature, "sig="].into_iter().chain(token) {
        let found = texts.iter().find(|text| text.contains(secret));
        assert!(found.is_none(), "{secret} is in {found:?}");
    }
}
