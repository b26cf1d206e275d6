//! Submitting queries of any size: in the request itself if they fit, else straight to storage, else in
//! parts.

use std::io;
use std::path::Path;

use anyhow::{Context, ensure};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use reqwest::{Body, Response, StatusCode};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt};
use tokio::sync::Mutex;

use super::api::{Accepted, Ticket, new_key};
use super::client::{Client, Refused};
use super::options::SearchFlags;
use super::progress::ByteBar;
use crate::jobs::JobId;

/// Longer queries are not sent in the request, whatever the server takes: it would have to have them
/// all before the connection is given up.
const LONGEST_REQUEST: u64 = 64 << 20;
/// Before longer ones are sent the server is asked how much it takes: it may hang up on a body that is
/// too long before it has said so.
const WORTH_ASKING: u64 = 64 << 10;
/// Length of the blocks that go straight to storage.
const BLOCK: u64 = 8 << 20;
/// Pieces under way at the same time.
const PIECES_AT_ONCE: usize = 4;
/// Version of the storage protocol, that of the signature.
const STORAGE_VERSION: &str = "2022-11-02";

/// Queries on this machine.
struct Queries {
    file: File,
    length: u64,
}

impl Queries {
    /// The file `path`, or with `-` what standard input holds.
    async fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Self::collect(tokio::io::stdin()).await.context("could not read standard input");
        }
        let open = || format!("could not open {}", path.display());
        let file = File::open(path).await.with_context(open)?;
        let metadata = file.metadata().await.with_context(open)?;
        ensure!(!metadata.is_dir(), "{} is a directory; name a file", path.display());
        if metadata.is_file() {
            return Ok(Self { length: metadata.len(), file });
        }
        // A pipe has no length, and can be read only once.
        Self::collect(file).await.with_context(|| format!("could not read {}", path.display()))
    }

    /// What comes from `source`, in a temporary file, which has no name, so that nothing stays behind.
    async fn collect(mut source: impl AsyncRead + Unpin) -> anyhow::Result<Self> {
        let mut file = File::from_std(tempfile::tempfile()?);
        let length = tokio::io::copy(&mut source, &mut file).await?;
        file.rewind().await?;
        Ok(Self { length, file })
    }

    /// The content in pieces of `length` bytes; the last may be shorter.
    fn pieces(file: File, length: u64) -> impl Stream<Item = io::Result<Bytes>> {
        stream::try_unfold(file, move |mut file| async move {
            let mut piece = BytesMut::with_capacity(length as usize);
            while (piece.len() as u64) < length {
                let mut rest = (&mut file).take(length - piece.len() as u64);
                if rest.read_buf(&mut piece).await? == 0 {
                    break;
                }
            }
            Ok((!piece.is_empty()).then(|| (piece.freeze(), file)))
        })
    }
}

impl Client {
    /// Submits the FASTA in `path` (`-` for standard input), with `further` options beside those of `flags`.
    pub(super) async fn submit(
        &self,
        path: &Path,
        database: &str,
        flags: &SearchFlags,
        further: &[(&'static str, String)],
    ) -> anyhow::Result<Accepted> {
        let queries = Queries::open(path).await?;
        let key = new_key()?;
        let submission = || self.submission(database, flags, further, &key);
        let limit = match queries.length {
            ..=WORTH_ASKING => None,
            _ => self.health().await?.body_limit,
        };
        if queries.length <= limit.unwrap_or(LONGEST_REQUEST).min(LONGEST_REQUEST) {
            let send = async || {
                let mut file = queries.file.try_clone().await?;
                file.rewind().await?;
                // The Functions host does not take bodies of unknown length.
                let request = submission()?.header("content-length", queries.length);
                self.json_once(request.body(Body::from(file))).await
            };
            match self.patience.repeat(send).await {
                Err(error) if is_too_large(&error) => {}
                answer => return answer,
            }
        }
        let ticket = self.upload(None).await?;
        let id = ticket.id;
        let parts = self.send_upload(ticket, queries).await?;
        // An upload is one search however often it is submitted.
        let request = submission()?.header("content-length", 0).query(&[("upload", id.to_string())]);
        self.json(match parts {
            Some(parts) => request.query(&[("parts", parts)]),
            None => request,
        })
        .await
    }

    /// Sends what a ticket is for; returns the number of parts, if it was sent in parts.
    async fn send_upload(&self, ticket: Ticket, mut queries: Queries) -> anyhow::Result<Option<usize>> {
        // The request that was refused may have read some of it.
        queries.file.rewind().await?;
        let bar = ByteBar::new(queries.length);
        let bar = &bar;
        let Some(url) = ticket.url else {
            let parts = Queries::pieces(queries.file, ticket.part_bytes).enumerate().map(
                |(number, part)| async move {
                    let part = part?;
                    let sent = part.len() as u64;
                    self.upload_part(ticket.id, number, part).await?;
                    bar.add(sent);
                    anyhow::Ok(())
                },
            );
            let parts: Vec<()> = parts.buffered(PIECES_AT_ONCE).try_collect().await?;
            return Ok(Some(parts.len()));
        };
        let url = Mutex::new(url);
        let url = &url;
        let blocks = Queries::pieces(queries.file, BLOCK).enumerate().map(|(number, block)| async move {
            let block = block?;
            // All ids have the same length, and letters that need no encoding.
            let block_id = format!("{number:08}");
            let query = format!("comp=block&blockid={block_id}");
            self.patience
                .repeat(async || self.put_to_storage(ticket.id, url, &query, block.clone()).await)
                .await?;
            bar.add(block.len() as u64);
            anyhow::Ok(block_id)
        });
        let ids: Vec<String> = blocks.buffered(PIECES_AT_ONCE).try_collect().await?;
        let list: String = ids.iter().map(|id| format!("<Latest>{id}</Latest>")).collect();
        let list =
            Bytes::from(format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{list}</BlockList>"));
        self.patience
            .repeat(async || self.put_to_storage(ticket.id, url, "comp=blocklist", list.clone()).await)
            .await?;
        Ok(None)
    }

    /// Sends a request to the address of an upload; gets another address if that has expired.
    async fn put_to_storage(
        &self,
        id: JobId,
        url: &Mutex<String>,
        query: &str,
        body: Bytes,
    ) -> anyhow::Result<()> {
        let mut response = self.put(&url.lock().await.clone(), query, &body).await?;
        if response.status() == StatusCode::FORBIDDEN
            && let Some(renewed) = self.upload(Some(id)).await?.url
        {
            url.lock().await.clone_from(&renewed);
            response = self.put(&renewed, query, &body).await?;
        }
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let code = response.headers().get("x-ms-error-code").and_then(|code| code.to_str().ok());
        Err(Refused::by_storage(status, code.unwrap_or_default()).into())
    }

    async fn put(&self, address: &str, query: &str, body: &Bytes) -> anyhow::Result<Response> {
        let request = self.http.put(format!("{address}&{query}")).header("x-ms-version", STORAGE_VERSION);
        let sent = request.header("content-length", body.len()).body(body.clone()).send().await;
        // The address is a secret.
        sent.map_err(reqwest::Error::without_url).context("could not reach storage")
    }
}

fn is_too_large(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == StatusCode::PAYLOAD_TOO_LARGE)
}
