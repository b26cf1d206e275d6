//! The HTTP front: routes, forwarding and its losses.

use std::convert::Infallible;

use reqwest::redirect::Policy;
use reqwest::{Body, Client};
use serde_json::Value;

use crate::bench::Bench;
use crate::host::journal::Outcome;
use crate::host::route::Template;

fn client() -> Client {
    Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}

#[tokio::test]
async fn a_wrong_method_and_an_unknown_path_are_not_found() {
    let bench = Bench::start(|options| options).await;
    let url = bench.host.url();
    for request in [
        client().patch(format!("{url}/api/echo/200")),
        client().get(format!("{url}/echo/200")),
        client().get(format!("{url}/api/echo")),
        client().get(format!("{url}/api/echo/200/more")),
        client().post(format!("{url}/work")),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 404);
    }
    assert!(bench.host.history().invocations.is_empty());
}

#[tokio::test]
async fn the_first_function_by_name_wins_even_over_a_literal_route() {
    let bench = Bench::start(|options| options).await;
    let url = format!("{}/api/echo/299", bench.host.url());
    assert_eq!(client().put(url).send().await.unwrap().status(), 299);
    assert_eq!(bench.host.history().invocations[0].function, "a_tree");
}

#[test]
fn templates_know_parameters_options_and_catch_alls() {
    let matches = |route, path| Template::parse("api", route).unwrap().matches(path);
    assert!(matches("a/{id}/b", "/API/A/7/b/"));
    assert!(!matches("a/{id}/b", "/api/a/7"));
    assert!(!matches("a/{id}", "/api/a"));
    assert!(matches("a/{id?}", "/api/a"));
    assert!(matches("{*rest}", "/api/a/b/c"));
    assert!(matches("{nothing:maxlength(0)?}", "/api/"));
    assert!(!matches("{nothing:maxlength(0)?}", "/api/a"));
    assert!(!matches("a", "/a"));
    for refused in ["admin/x", "Runtime", "a/{id:int}", "a-{id}", "{*rest}/a"] {
        assert!(Template::parse("api", refused).is_err(), "{refused}");
    }
}

#[tokio::test]
async fn a_request_is_forwarded_with_its_path_and_the_hosts_losses() {
    let bench = Bench::start(|options| options).await;
    let request = client()
        .post(format!("{}/api/echo/201?a=1&b=x%20y&A=2&c=%C3%A4", bench.host.url()))
        .header("User-Agent", "me/1")
        .header("Content-Type", "text/x-fasta")
        .header("Content-Language", "en")
        .header("Content-Encoding", "gzip")
        .header("X-Own", "kept")
        .body(">q\nMKV\n");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-fake"], "yes");
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["uri"], "/api/echo/201?a=1,2&b=x%20y&c=%C3%A4");
    assert_eq!(seen["body"], ">q\nMKV\n");
    let headers = &seen["headers"];
    assert_eq!(headers["content-type"], "text/x-fasta");
    assert_eq!(headers["content-length"], "7");
    assert_eq!(headers["x-own"], "kept");
    assert_eq!(headers["user-agent"], "me/1 Azure-Functions-Host/4.1046.100.25610");
    assert_eq!(headers["host"], bench.host.url().trim_start_matches("http://"));
    assert!(headers["x-azure-functions-invocationid"].is_string());
    assert_eq!(headers.get("content-language"), None);
    assert_eq!(headers.get("content-encoding"), None);
}

#[tokio::test]
async fn an_error_or_redirect_of_the_handler_is_passed_on_and_is_no_failed_call() {
    let bench = Bench::start(|options| options).await;
    for status in [500, 307] {
        let answer = client().get(format!("{}/api/echo/{status}", bench.host.url())).send().await.unwrap();
        assert_eq!(bench.host.history().invocations.last().unwrap().outcome, Outcome::Answered(status));
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["location"], "/elsewhere");
        assert!(answer.json::<Value>().await.is_ok(), "the body comes too");
    }
}

#[tokio::test]
async fn a_handler_that_dies_answers_the_client_with_an_empty_500() {
    let bench = Bench::start(|options| options).await;
    let answer = client().get(format!("{}/api/echo/418", bench.host.url())).send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text().await.unwrap(), "");
    assert!(matches!(bench.host.history().invocations[0].outcome, Outcome::Failed(_)));
}

#[tokio::test]
async fn a_chunked_upload_is_refused() {
    let bench = Bench::start(|options| options).await;
    let pieces = futures::stream::iter([Ok::<_, Infallible>(">q\n"), Ok("MKV\n")]);
    let request = client().post(format!("{}/api/echo/200", bench.host.url()));
    let answer = request.body(Body::wrap_stream(pieces)).send().await.unwrap();
    assert_eq!(answer.status(), 500);
}

#[tokio::test]
async fn a_body_over_the_limit_is_an_empty_500_and_one_below_it_takes_memory() {
    let bench = Bench::start(|options| options.setting("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "1000")).await;
    for (length, expected) in [(1000, 200), (1001, 500)] {
        let request = client().post(format!("{}/api/echo/200", bench.host.url()));
        let answer = request.body(vec![b'A'; length]).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{length}");
    }
    assert_eq!(bench.host.history().invocations.len(), 1, "the handler is not asked");
    let idle = Bench::start(|options| options).await.host.most_memory();
    assert_eq!(bench.host.most_memory(), idle + 6_000);
}

#[tokio::test]
async fn a_content_type_that_is_none_is_an_empty_500() {
    let bench = Bench::start(|options| options).await;
    for (media_type, expected) in [("text/plain; charset=utf-8", 200), ("fasta", 500), ("a/b/c", 500)] {
        let request = client().post(format!("{}/api/echo/200", bench.host.url()));
        let answer = request.header("Content-Type", media_type).body("x").send().await.unwrap();
        assert_eq!(answer.status(), expected, "{media_type}");
    }
}

#[tokio::test]
async fn a_path_is_decoded_twice_and_a_zero_byte_is_refused() {
    let bench = Bench::start(|options| options).await;
    let put = async |path: &str| {
        let request = client().put(format!("{}/api/echo/{path}", bench.host.url()));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(put("%253299").await, 299);
    assert_eq!(put("x%2500").await, 400);
}

#[tokio::test]
async fn a_function_key_is_asked_for_unless_the_function_is_anonymous() {
    let bench = Bench::start(|options| options.function_key("secret")).await;
    let echo = format!("{}/api/echo/201", bench.host.url());
    for (request, expected) in [
        (client().get(&echo), 401),
        (client().get(&echo).header("x-functions-key", "wrong"), 401),
        (client().get(&echo).header("x-functions-key", "secret"), 201),
        (client().get(format!("{echo}?code=secret")), 201),
        (client().get(format!("{echo}?code=secret")).header("x-functions-key", "wrong"), 401),
        (client().delete(&echo), 201),
    ] {
        assert_eq!(request.send().await.unwrap().status(), expected);
    }
}

#[tokio::test]
async fn instances_take_turns() {
    let bench = Bench::start(|options| options.instances(2)).await;
    for _ in 0..4 {
        client().get(format!("{}/api/echo/200", bench.host.url())).send().await.unwrap();
    }
    let instances: Vec<_> = bench.host.history().invocations.iter().map(|call| call.instance).collect();
    assert_eq!(instances, [0, 1, 0, 1]);
}
