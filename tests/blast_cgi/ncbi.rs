//! How scripts talk to NCBI's server.

use axum::body::Body;
use axum::http::Request;

use crate::lab::{Answer, Lab};

pub(crate) const URL_ENCODED: &str = "application/x-www-form-urlencoded";

/// Parameters as the query of an address, or a form, has them.
pub(crate) fn encoded(parameters: &[(&str, &str)]) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02x}"),
    };
    let text = |text: &str| text.bytes().map(letter).collect::<String>();
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", text(name), text(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Posts parameters as a form.
pub(crate) async fn post(lab: &Lab, parameters: &[(&str, &str)]) -> Answer {
    send(lab, "POST", "/Blast.cgi", URL_ENCODED, encoded(parameters)).await
}

/// Asks for an address with parameters.
pub(crate) async fn get(lab: &Lab, parameters: &[(&str, &str)]) -> Answer {
    lab.get(&format!("/Blast.cgi?{}", encoded(parameters))).await
}

pub(crate) async fn send(
    lab: &Lab,
    method: &str,
    address: &str,
    media_type: &str,
    body: impl Into<Body>,
) -> Answer {
    let request = Request::builder().method(method).uri(address).header("content-type", media_type);
    lab.send(request.body(body.into()).unwrap()).await
}

/// Submits a search and returns its RID.
pub(crate) async fn put(lab: &Lab, query: &str, more: &[(&str, &str)]) -> String {
    let usual = [("CMD", "Put"), ("PROGRAM", "blastp"), ("DATABASE", "edge"), ("QUERY", query)];
    let answer = post(lab, &[&usual, more].concat()).await;
    rid(&answer)
}

/// Submits a search, lets it be done and returns its RID.
pub(crate) async fn done(lab: &Lab, query: &str, more: &[(&str, &str)]) -> String {
    let rid = put(lab, query, more).await;
    assert_eq!(lab.complete(&job(&rid)).await, "completed");
    rid
}

/// The RID as Biopython takes it: after the first `RID =`, to the end of the line.
#[track_caller]
pub(crate) fn rid(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let rid = after(answer.text(), "RID =");
    assert_eq!(rid.len(), 26, "{}", answer.text());
    rid.to_owned()
}

/// What follows the first `mark`, to the end of the line.
#[track_caller]
pub(crate) fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    let (_, rest) = text.split_once(mark).unwrap_or_else(|| panic!("there is no {mark} in {text}"));
    rest.split_once('\n').unwrap_or_else(|| panic!("{mark} is not followed by a line end")).0.trim()
}

/// The id of the job behind a RID: the same bits in another base.
pub(crate) fn job(rid: &str) -> String {
    let bits = rid.bytes().fold(0_u128, |bits, letter| {
        let digit = if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' };
        bits << 5 | u128::from(digit)
    });
    format!("{bits:032x}")
}

/// The report of a RID.
pub(crate) async fn report(lab: &Lab, rid: &str, more: &[(&str, &str)]) -> Answer {
    let answer = get(lab, &[&[("CMD", "Get"), ("RID", rid)], more].concat()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

/// Where a RID stands.
pub(crate) async fn info(lab: &Lab, rid: &str) -> Answer {
    let answer = get(lab, &[("CMD", "Get"), ("FORMAT_OBJECT", "SearchInfo"), ("RID", rid)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}
