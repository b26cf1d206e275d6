//! Why a search was not accepted, as clients of NCBI's API read it: a number that never changes, and a line.

use axum::http::StatusCode;

use super::translation::parameter_of;
use crate::functions::kind::Kind;
use crate::functions::problem::Problem;

/// The query cannot be read, or is of another kind of molecule.
const UNREADABLE: u16 = 24;
/// No query, or no RID.
pub(super) const MISSING: u16 = 29;
/// The query has no residues.
const EMPTY: u16 = 32;
/// No database, or an unknown one.
const DATABASE: u16 = 56;
/// A parameter is not known, or cannot have this value.
const UNSUPPORTED: u16 = 901;
/// The queries are too large.
const TOO_LARGE: u16 = 902;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) number: u16,
    pub(super) reason: String,
}

impl Refusal {
    /// The refusal that a problem is, if it is about what was sent. What is about the server, or about who asks,
    /// stays a problem.
    pub(super) fn of(problem: Problem) -> Result<Self, Problem> {
        let about_the_search = [
            StatusCode::BAD_REQUEST,
            StatusCode::NOT_FOUND,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ];
        if !about_the_search.contains(&problem.status()) {
            return Err(problem);
        }
        let option = problem.option().unwrap_or_default();
        let number = match problem.kind() {
            Kind::UnknownDatabase => DATABASE,
            Kind::InvalidOption if ["database", "DATABASE"].contains(&option) => DATABASE,
            Kind::InvalidFasta => UNREADABLE,
            Kind::NoQuery => MISSING,
            Kind::NoQueries => EMPTY,
            Kind::QueriesTooLarge | Kind::BodyTooLarge => TOO_LARGE,
            _ => UNSUPPORTED,
        };
        Ok(Self { number, reason: in_their_words(problem.detail(), option) })
    }
}

/// What is said of an option, said of the parameter that it comes from.
fn in_their_words(detail: &str, option: &str) -> String {
    let Some(parameter) = parameter_of(option) else { return detail.to_owned() };
    let ours = format!("the option \"{option}\"");
    if detail.contains(&ours) {
        return detail.replacen(&ours, &format!("the parameter {parameter}"), 1);
    }
    format!("the parameter {parameter}: {detail}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(number: u16, reason: &str) -> Refusal {
        Refusal { number, reason: reason.to_owned() }
    }

    #[test]
    fn problems_with_what_was_sent_have_numbers_and_name_the_parameter() {
        for (kind, number) in [
            (Kind::UnknownDatabase, 56),
            (Kind::InvalidFasta, 24),
            (Kind::NoQuery, 29),
            (Kind::NoQueries, 32),
            (Kind::BodyTooLarge, 902),
            (Kind::InvalidForm, 901),
        ] {
            let found = Refusal::of(Problem::bad_request(kind, "a reason")).expect("a refusal");
            assert_eq!(found, refusal(number, "a reason"), "{kind:?}");
        }
        let about = |option: &str, detail: &str| {
            let problem = Problem::bad_request(Kind::InvalidOption, detail);
            Refusal::of(problem.with("option", json!({ "name": option }))).expect("a refusal")
        };
        let found = about("evalue", "the option \"evalue\": is \"x\"");
        assert_eq!(found, refusal(901, "the parameter EXPECT: is \"x\""));
        assert_eq!(about("gapopen", "no such costs").reason, "the parameter GAPCOSTS: no such costs");
        assert_eq!(about("database", "missing").number, 56);
    }

    #[test]
    fn what_is_about_the_server_stays_a_problem() {
        let problem =
            Refusal::of(Problem::unavailable(Kind::StorageUnavailable, "x")).expect_err("a problem");
        assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
