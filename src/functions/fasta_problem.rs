//! Why queries were refused, as a problem that names the offending record.

use axum::http::StatusCode;
use serde_json::json;

use super::kind::Kind;
use super::problem::Problem;
use crate::jobs::SubmitError;
use crate::sequence::fasta::FastaError;

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let detail = error.to_string();
        match error {
            SubmitError::Fasta(FastaError::TooMuch { what, limit, .. }) => {
                let hint =
                    "a deployment says how much it takes: SKYBLAST_QUERY_BYTES, _RECORDS and _RESIDUES";
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, Kind::QueriesTooLarge, detail)
                    .with("limit", json!({ "of": what.name(), "value": limit }))
                    .hint(hint)
            }
            SubmitError::Fasta(error) => {
                let place = error.place();
                Self::bad_request(Kind::InvalidFasta, detail)
                    .with("record", json!({ "number": place.record, "line": place.line }))
            }
            SubmitError::NoQueries | SubmitError::OutOfRange(_) => Self::bad_request(Kind::NoQueries, detail),
            SubmitError::OnlyEmptyQueries { first, .. } => {
                Self::bad_request(Kind::NoQueries, detail).with("record", json!({ "number": 1, "id": first }))
            }
            SubmitError::Pipeline(error) => error.into(),
        }
    }
}
