//! `CMD=Put`: accepts a search.

use std::sync::Arc;

use axum::response::Response;

use super::fields::Fields;
use super::page;
use super::parameters::{is_not_done, shorten};
use super::refusal::Refusal;
use super::rid::rid_of;
use super::translation::{is_translated, options};
use super::view::{OF_VIEWS, View};
use crate::functions::kind::Kind;
use crate::functions::problem::Problem;
use crate::functions::queries::Queries;
use crate::functions::services::App;
use crate::jobs::{Job, Submitter, Trace};

/// Longest time that a client is told to wait before it looks for the first time, seconds.
const LONGEST_RTOE: u64 = 600;

/// Parameters that are known and change no hit of this server.
const IDLE: &[&str] = &[
    "API_KEY",
    "AUTO_FORMAT",
    "CLIENT",
    "CMD",
    "CODE",
    "CLIENTID",
    "DATABASE_SORT",
    "DB_GENETIC_CODE",
    "DISPLAY_SORT",
    "EMAIL",
    "ENTREZ_LINKS_NEW_WINDOW",
    "FORMAT_OBJECT",
    "GENETIC_CODE",
    "I_THRESH",
    "LAYOUT",
    "MEGABLAST",
    "NCBI_GI",
    "NEW_VIEW",
    "NUCL_PENALTY",
    "NUCL_REWARD",
    "NUM_THREADS",
    "PAGE",
    "QUERY_BELIEVE_DEFLINE",
    "RESULTS_FILE",
    "RID",
    "SHOW_OVERVIEW",
    "TEMPLATE_LENGTH",
    "TEMPLATE_TYPE",
    "TOOL",
];

/// Submits the search, on a task of its own: should the client go away, what has been written is still removed.
pub(super) async fn put(
    app: Arc<App>,
    owner: Option<String>,
    trace: Option<Trace>,
    fields: Fields,
) -> Result<Response, Problem> {
    let submitting = tokio::spawn(async move { submit(&app, owner, trace, fields).await });
    let submitted = submitting.await.map_err(|e| Problem::internal(e.to_string()))?;
    match submitted {
        Ok((job, rtoe, remark)) => Ok(page::accepted(&rid_of(job.id), rtoe, remark.as_deref())),
        Err(problem) => Ok(page::refused(&Refusal::of(problem)?)),
    }
}

async fn submit(
    app: &App,
    owner: Option<String>,
    trace: Option<Trace>,
    fields: Fields,
) -> Result<(Job, u64, Option<String>), Problem> {
    let Fields { parameters, queries } = fields;
    let view = View::of(&parameters)?;
    let request = options(&parameters, &view)?.into_request()?;
    let missing = || Problem::bad_request(Kind::NoQuery, "the parameter QUERY is missing");
    let queries = queries.ok_or_else(missing)?;
    if let Queries::Held(text) = &queries {
        if text.trim_ascii().is_empty() {
            return Err(missing());
        }
        refuse_accessions(text)?;
    }
    let kept = Some(parameters.query_of(OF_VIEWS)).filter(|view| !view.is_empty());
    let submitter = Submitter { owner, trace, view: kept, ..Submitter::default() };
    let pipeline = app.pipeline()?;
    let job = queries.submit(pipeline, &submitter, &request).await?;
    // It is accepted, whatever the queue answers.
    let estimate = pipeline.time_to_end(&job).await.map_or(LONGEST_RTOE, |time| time.as_secs());
    let unknown = parameters.names().filter(|name| !is_known(name)).collect::<Vec<_>>();
    let remark =
        (!unknown.is_empty()).then(|| format!("Not known here, and not used: {}", unknown.join(", ")));
    Ok((job, estimate.clamp(1, LONGEST_RTOE), remark))
}

/// Whether a parameter is used, is refused unless it asks for nothing, or is known to change nothing.
fn is_known(name: &str) -> bool {
    is_translated(name) || is_not_done(name) || OF_VIEWS.contains(&name) || IDLE.contains(&name)
}

/// Refuses a text that names a sequence instead of being one.
fn refuse_accessions(text: &[u8]) -> Result<(), Problem> {
    let mut lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let Some(first) = lines.find(|line| !line.is_empty()) else { return Ok(()) };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._|:-".contains(byte);
    let is_no_residue = |byte: &u8| byte.is_ascii_digit() || b"_|:".contains(byte);
    if !(first.iter().all(is_name) && first.iter().any(is_no_residue)) {
        return Ok(());
    }
    let detail = format!(
        "QUERY is {:?}, which looks like the accession of a sequence; accessions are not looked up here, send FASTA",
        shorten(&String::from_utf8_lossy(first))
    );
    Err(Problem::bad_request(Kind::InvalidFasta, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accessions_are_told_from_sequences() {
        for text in ["P12345", "\n NP_000509.1\r\n", "15718680", "sp|P12345|X_Y", "1ABC_A\n2ABC_B\n"] {
            assert!(refuse_accessions(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["MKTAYIAK", ">P12345\nMKT", "mkt*ayi-ak", "1 MKTAYIAK 10", "", ">a", "; comment\nMKT"] {
            assert!(refuse_accessions(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_clients_send_by_themselves_is_known() {
        for name in
            ["ENTREZ_QUERY", "TOOL", "EMAIL", "FORMAT_OBJECT", "GAPCOSTS", "ALIGNMENT_VIEW", "QUERY_TO"]
        {
            assert!(is_known(name), "{name}");
        }
        assert!(!is_known("EXPCET"));
    }
}
