//! Who calls, and what they may see.

use axum::http::{HeaderMap, StatusCode};

use super::kind::Kind;
use super::problem::Problem;
use super::services::App;
use crate::jobs::{self, JobId, Trace};

/// The header in which App Service authentication says who is signed in. It removes what a client sends
/// under this name, so it means something only where that authentication is on.
const PRINCIPAL_ID: &str = "x-ms-client-principal-id";

impl App {
    /// Who is signed in; `None` where nobody signs in.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Option<String>, Problem> {
        let Some(sign_in) = &self.limits.sign_in else { return Ok(None) };
        let principal = headers.get(PRINCIPAL_ID).and_then(|value| value.to_str().ok()).map(str::trim);
        if let Some(principal) = principal.filter(|principal| !principal.is_empty()) {
            return Ok(Some(principal.to_owned()));
        }
        let detail = "sign in first: the skyblast command does so with the login of az (az login)";
        let challenge = match &sign_in.audience {
            Some(audience) => format!("Bearer resource_id=\"{audience}\""),
            None => "Bearer".to_owned(),
        };
        Err(Problem::new(StatusCode::UNAUTHORIZED, Kind::SignInRequired, detail).challenge(challenge))
    }

    /// Lets pass who may see and end a search: its owner, or anybody if it has none. To anybody else
    /// it does not exist.
    pub(super) async fn admit(&self, headers: &HeaderMap, id: JobId) -> Result<(), Problem> {
        let Some(caller) = self.caller(headers)? else { return Ok(()) };
        match self.pipeline()?.owner(id).await? {
            Some(owner) if owner != caller => Err(jobs::Error::UnknownJob(id).into()),
            _ => Ok(()),
        }
    }
}

/// The trace that a request belongs to, if it says so.
pub(super) fn trace_of(headers: &HeaderMap) -> Option<Trace> {
    headers.get("traceparent")?.to_str().ok()?.trim().parse().ok()
}
