//! `GET /api/databases`: what can be searched.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::problem::Problem;
use super::services::App;
use crate::jobs::Error;

/// Manifests that are read at the same time.
const READS_IN_FLIGHT: usize = 8;

/// A database as the list shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DatabaseEntry)]
pub(super) struct Entry {
    name: String,
    version: String,
    title: String,
    sequences: u64,
    residues: u64,
    volumes: usize,
    created: Timestamp,
}

#[utoipa::path(
    get,
    path = "/api/databases",
    operation_id = "list_databases",
    tag = "server",
    summary = "Lists what can be searched",
    responses((status = 200, description = "The databases", body = Vec<Entry>)),
)]
pub(super) async fn databases(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Vec<Entry>>, Problem> {
    app.caller(&headers)?;
    let catalog = app.pipeline()?.catalog();
    let entries = stream::iter(catalog.names().await?)
        .map(|name| async move {
            let (database, manifest) = match catalog.resolve(&name).await {
                Ok(found) => found,
                // The others can still be searched.
                Err(error @ (Error::Manifest(_) | Error::Damaged { .. } | Error::UnknownDatabase { .. })) => {
                    tracing::error!(database = name, %error, "left out of the list");
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            Ok(Some(Entry {
                name: database.name,
                version: database.version,
                title: manifest.title,
                sequences: manifest.sequences,
                residues: manifest.residues,
                volumes: manifest.volumes.len(),
                created: manifest.created,
            }))
        })
        .buffered(READS_IN_FLIGHT)
        .try_filter_map(|entry| async move { Ok(entry) })
        .try_collect()
        .await?;
    Ok(Json(entries))
}
