//! `GET /api/searches/{id}/sequences`: the subjects of hits as FASTA.
//!
//! ```text
//! GET /api/searches/{id}/sequences?part=&query=&subjects=&evalue=&identity=&coverage=&text=&species=&partial=
//! ```
//!
//! `part` is `whole` (each subject once, in the order of the database) or `aligned` (what each HSP aligns, in the
//! order of the report).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::browse::hit_filter;
use super::links::search_id;
use super::problem::Problem;
use super::results::{none_of, say_missing};
use super::services::App;
use super::wishes::{Wishes, out_of_range};
use crate::jobs::{Sequences, SequencesWanted, SubjectPart};

/// Most subjects that are named; whoever wants more asks for those of a query, or for all.
const MAX_NAMED: usize = 1_000;

#[utoipa::path(
    get,
    path = "/api/searches/{id}/sequences",
    operation_id = "search_sequences",
    tag = "results",
    summary = "Gives the subjects of hits as FASTA",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("part" = Option<String>, Query, description = "whole: each subject once; aligned: what each HSP aligns"), ("query" = Option<u64>, Query, description = "Only those of the query in this place of the report, from 1"), ("subjects" = Option<String>, Query, description = "Only those at these positions in the database, up to 1000, with commas between them"), ("evalue" = Option<f64>, Query, description = "Largest E-value"), ("identity" = Option<f64>, Query, description = "Least identity, per cent"), ("coverage" = Option<f64>, Query, description = "Least coverage of the query, per cent"), ("text" = Option<String>, Query, description = "What identifier or title must have"), ("species" = Option<String>, Query, description = "Only those of this species"), ("partial" = Option<bool>, Query, description = "Whether the report may lack shards that failed")),
    responses((status = 200, description = "The sequences", content((String = "text/x-fasta")))),
)]
pub(super) async fn sequences(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    let wanted = wanted(&uri)?;
    app.admit(&headers, id).await?;
    let Sequences { mut content, missing } = match app.pipeline()?.browse_sequences(id, wanted).await? {
        Ok(sequences) => sequences,
        Err(none) => return Err(none_of(id, &none)),
    };
    // What cannot be read at all is an error; what cannot be read to its end breaks the connection.
    let first = content.try_next().await?;
    let rest = content.inspect_err(move |error| tracing::error!(job = %id, %error, "sequences broke off"));
    let body = Body::from_stream(stream::iter(first.map(Ok)).chain(rest));
    let disposition = format!("attachment; filename=\"{id}.fa\"");
    let headers =
        [(CONTENT_TYPE, "text/x-fasta; charset=utf-8"), (CONTENT_DISPOSITION, disposition.as_str())];
    say_missing((headers, body).into_response(), missing)
}

fn wanted(uri: &Uri) -> Result<SequencesWanted, Problem> {
    let known = ["part", "query", "subjects", "evalue", "identity", "coverage", "text", "species", "partial"];
    let mut wishes = Wishes::of(uri, &known)?;
    let part = match wishes.text("part").as_deref() {
        None | Some("whole") => SubjectPart::Whole,
        Some("aligned") => SubjectPart::Aligned,
        Some(other) => return Err(out_of_range("part", other, "whole or aligned")),
    };
    let subjects = wishes.text("subjects").map(|text| {
        let subjects: Option<BTreeSet<u64>> = text.split(',').map(|number| number.parse().ok()).collect();
        subjects.filter(|subjects| subjects.len() <= MAX_NAMED).ok_or_else(|| {
            let range =
                format!("1 to {MAX_NAMED} positions of subjects in the database, with commas between them");
            out_of_range("subjects", &text, &range)
        })
    });
    Ok(SequencesWanted {
        part,
        query: wishes.value("query", "the place of a query in the report, from 1", |place| *place > 0)?,
        subjects: subjects.transpose()?,
        filter: hit_filter(&mut wishes)?,
        partial: wishes.switch("partial")?.unwrap_or(false),
    })
}
