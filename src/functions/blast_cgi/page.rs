//! Pages, and the comments in them that clients read.
//!
//! Some clients take the first text that looks like an answer wherever it stands, so what a comment says comes
//! before all text from outside and is said once.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use crate::functions::drain::Refused;

/// What everything that looks like HTML is sent with: reports hold text from outside, and some clients want it
/// as it is, so nothing in it may run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
    sandbox allow-forms allow-downloads";
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// Where a search stands, in the four words that clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Waiting,
    Ready,
    Failed,
    Unknown,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Ready => "READY",
            Self::Failed => "FAILED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The lines of a comment that says it.
    pub(super) fn lines(self) -> String {
        block(&format!("Status={}", self.word()))
    }
}

fn block(line: &str) -> String {
    format!("QBlastInfoBegin\n\t{line}\nQBlastInfoEnd\n")
}

/// What begins a page, before its body.
pub(super) fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n</head>\n<body>\n",
        escaped(title)
    )
}

/// What ends a page.
pub(super) const FOOT: &str = "</body>\n</html>\n";

/// The answer to an accepted search.
pub(super) fn accepted(rid: &str, rtoe: u64, remark: Option<&str>) -> Response {
    let mut page = head("skyblast: search accepted");
    page.push_str(&form(rid));
    page.push_str(&submitted(rid, &rtoe.to_string()));
    page.push_str("<p>Your search has been accepted. Its report comes when it is completed.</p>\n");
    if let Some(remark) = remark {
        page.push_str(&paragraph(remark));
    }
    sent(StatusCode::OK, page + FOOT)
}

/// The answer to a search that was not.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let mut page = head("skyblast: search not accepted");
    page.push_str(&submitted("", ""));
    let Refusal { number, reason } = refusal;
    let reason = escaped(&reason.split_whitespace().collect::<Vec<_>>().join(" "));
    page.push_str(&format!("<p class=\"error\">Message ID#{number} Error: {reason}</p>\n"));
    let mut response = sent(StatusCode::OK, page + FOOT);
    response.extensions_mut().insert(Refused);
    response
}

/// Where a search stands, whether it has hits if that is known, and what else there is to say.
pub(super) fn standing(standing: Standing, has_hits: Option<bool>, remark: &str) -> Response {
    let mut page = head("skyblast: search status");
    page.push_str(&format!("<!--\n{}-->\n", standing.lines()));
    if let Some(has_hits) = has_hits {
        let word = if has_hits { "yes" } else { "no" };
        page.push_str(&format!("<!--\n{}-->\n", block(&format!("ThereAreHits={word}"))));
    }
    page.push_str(&paragraph(remark));
    sent(StatusCode::OK, page + FOOT)
}

/// A page of text.
pub(super) fn text(title: &str, paragraphs: &[&str]) -> Response {
    let body: String = paragraphs.iter().map(|text| paragraph(text)).collect();
    sent(StatusCode::OK, head(title) + &body + FOOT)
}

/// A page for somebody who has come with a browser.
pub(super) fn welcome() -> Response {
    let body = "<p>This server answers as the URL API of NCBI BLAST does, for blastp: CMD=Put with PROGRAM, DATABASE \
        and QUERY submits a search, CMD=Get with its RID says how it is or gives its report.</p>\n";
    let ask = "<form method=\"get\"><input type=\"hidden\" name=\"CMD\" value=\"Get\">\
        <label>Request id <input name=\"RID\" size=\"30\"></label> <input type=\"submit\" value=\"View report\"></form>\n";
    sent(StatusCode::OK, head("skyblast: NCBI's URL API") + body + ask + FOOT)
}

/// An error that ends a client: a status of HTTP and a line of text.
pub(super) fn error(status: StatusCode, reason: &str) -> Response {
    let reason = without_marks(reason) + "\n";
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (status, headers, reason).into_response()
}

/// Text in which no client finds what it takes for a status.
pub(super) fn without_marks(text: &str) -> String {
    text.replace("Status=", "Status: ").replace("<!DOCTYPE", "<! DOCTYPE").replace("RID =", "RID:")
}

/// Text as HTML has it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Headers of everything that looks like HTML.
pub(super) fn guard(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The address of a report is what opens it.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn sent(status: StatusCode, page: String) -> Response {
    let mut response = (status, [(CONTENT_TYPE, HTML), (CACHE_CONTROL, "no-store")], page).into_response();
    guard(&mut response);
    response
}

fn paragraph(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("<p>{}</p>\n", escaped(&without_marks(text))),
    }
}

/// The form that some clients read the RID from.
fn form(rid: &str) -> String {
    format!(
        "<form method=\"get\"><input type=\"hidden\" name=\"CMD\" value=\"Get\">\
         <input name=\"RID\" value=\"{rid}\" id=\"rid\"> <input type=\"submit\" value=\"View report\"></form>\n"
    )
}

/// The comment that others read it from: clients look for its blanks, and one counts its letters. Where there is
/// nothing to say no blank follows, which BioPerl would take for an answer.
fn submitted(rid: &str, rtoe: &str) -> String {
    let line = |name: &str, value: &str| format!("    {name} = {value}").trim_end().to_owned();
    format!("<!--QBlastInfoBegin\n{}\n{}\nQBlastInfoEnd\n-->\n", line("RID", rid), line("RTOE", rtoe))
}
