//! Blobs and queues: the two services every skyblast function needs, as traits.
//!
//! [`BlobStore`] is one container of immutable or swappable byte strings, [`Queue`] one
//! at-least-once message queue. There are two implementations of each: a local folder
//! ([`local`]) and Azure Storage ([`azure`]). What both must do is written down as tests, in `tests/store`:
//! the promises, which run on each implementation. [`Location`] opens either from what a
//! user says.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;

pub mod azure;
mod body;
mod error;
pub mod local;
mod location;
mod name;

use body::check_body;
pub use body::{MAX_MESSAGE, sent_text};
pub use error::{Error, ErrorKind};
pub use location::{Location, LocationError, Store};
pub use name::BlobName;

/// Result of a storage operation.
pub type Result<T> = std::result::Result<T, Error>;

/// What is known of a blob without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// Full name inside its container.
    pub name: BlobName,
    /// Length in bytes.
    pub length: u64,
    /// When its content was last written.
    pub modified: Timestamp,
    /// Version tag of the content, for [`BlobStore::put_if_match`].
    pub etag: ETag,
    /// The number that it was written with, for [`BlobStore::put_noted_if_absent`].
    pub note: Option<u64>,
}

/// Opaque version tag of a blob's content; changes with every write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(pub String);

/// Outcome of a create-if-absent write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The blob did not exist and now holds these bytes.
    Created,
    /// A blob of that name was there already and is unchanged.
    AlreadyExists,
}

/// What becomes of a blob that is there when one of the same name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It stays, and nothing is written.
    Stays,
    /// It is replaced.
    Goes,
}

/// A piece of a file on its way into storage, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// So many bytes were sent.
    Sent(u64),
    /// So many bytes were there already.
    Present(u64),
}

/// Hears of the pieces of a transfer.
pub type OnTransfer<'a> = &'a (dyn Fn(Transfer) + Sync);

/// What an address made by [`BlobStore::grant`] is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading; clients are told to keep the content in a file of this name.
    Read {
        /// A name of letters, digits, `-`, `_` and `.`.
        file_name: String,
    },
    /// Creating and writing.
    Write,
}

/// An address that lets its holder use one blob for a while. It is a secret; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The address, signature and all.
    pub url: String,
    /// When it stops working.
    pub expires: Timestamp,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// One container of blobs.
///
/// Writes are atomic: a reader sees the whole of a blob or none of it, also after the writer was
/// killed. A finished write survives the death of the process.
#[async_trait]
pub trait BlobStore: fmt::Debug + Send + Sync {
    /// Writes `content`, replacing what was there.
    async fn put(&self, name: &BlobName, content: Bytes) -> Result<ETag>;

    /// Writes `content` unless the blob exists. Of several concurrent writers exactly one gets
    /// [`Written::Created`], also when its first try had succeeded unnoticed and was repeated
    /// inside this call. A caller that was killed and starts over gets [`Written::AlreadyExists`]
    /// for its own bytes.
    async fn put_if_absent(&self, name: &BlobName, content: Bytes) -> Result<Written>;

    /// Like [`put_if_absent`](Self::put_if_absent), with a number beside the content that listings show as
    /// [`BlobInfo::note`] until the content is replaced.
    async fn put_noted_if_absent(&self, name: &BlobName, content: Bytes, note: u64) -> Result<Written>;

    /// Writes what `pieces` yield, of any size, holding only a bounded part in memory; what becomes of a blob
    /// that is there says `standing`. If `pieces` yields an error, nothing is written and the error returned.
    async fn put_pieces(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
        standing: Standing,
    ) -> Result<Written>;

    /// Replaces the blob only if its content still has `etag`; [`ErrorKind::Conflict`] if not,
    /// or if the blob is gone. Of several concurrent calls with the same tag one succeeds.
    async fn put_if_match(&self, name: &BlobName, content: Bytes, etag: &ETag) -> Result<ETag>;

    /// Uploads a file of any size unless the blob exists, holding only a bounded part in memory.
    /// A long upload that was broken off is taken up where it stopped, if the store can; pieces are
    /// recognised by their content. `on_transfer` hears of each piece, also of those that were there.
    async fn put_file_if_absent(
        &self,
        name: &BlobName,
        file: &Path,
        on_transfer: OnTransfer<'_>,
    ) -> Result<Written>;

    /// Gives the blob a new tag and time of modification, with the same content; `false` if there is
    /// none.
    async fn touch(&self, name: &BlobName) -> Result<bool>;

    /// Whole content and its tag; [`ErrorKind::NotFound`] if there is none.
    async fn get_tagged(&self, name: &BlobName) -> Result<(Bytes, ETag)>;

    /// Whole content; [`ErrorKind::NotFound`] if there is none.
    async fn get(&self, name: &BlobName) -> Result<Bytes> {
        Ok(self.get_tagged(name).await?.0)
    }

    /// Content as a stream of pieces of at most 8 MiB; [`ErrorKind::NotFound`] if there is none.
    /// If the blob is replaced meanwhile, the stream goes on with the old content or fails with
    /// [`ErrorKind::Conflict`].
    async fn read(&self, name: &BlobName) -> Result<BoxStream<'static, Result<Bytes>>> {
        self.read_from(name, 0).await
    }

    /// The same without the first `start` bytes, which are fewer than the blob has unless they are none.
    async fn read_from(&self, name: &BlobName, start: u64) -> Result<BoxStream<'static, Result<Bytes>>>;

    /// What is known of the blob, or `None` if it does not exist.
    async fn info(&self, name: &BlobName) -> Result<Option<BlobInfo>>;

    /// All blobs whose name starts with `prefix` (a plain string prefix; "" lists everything), in
    /// ascending order of name (by bytes).
    fn list(&self, prefix: &str) -> BoxStream<'static, Result<BlobInfo>>;

    /// Path of a file that holds the blob's content as it is, if the store keeps blobs so; the
    /// blob may not exist. Meant for immutable blobs that are worth mapping into memory.
    fn as_file(&self, _name: &BlobName) -> Option<PathBuf> {
        None
    }

    /// Whether the container exists. One that does not is created by the first write.
    async fn container_exists(&self) -> Result<bool>;

    /// Creates the container; that it exists is fine.
    async fn create_container(&self) -> Result<()>;

    /// An address at which whoever has it can read or write this one blob for `lifetime`, without
    /// going through this process; `None` if the store has no such addresses. The blob need not exist.
    async fn grant(&self, _name: &BlobName, _access: Access, _lifetime: Duration) -> Result<Option<Grant>> {
        Ok(None)
    }

    /// Deletes the blob; `false` if there was none.
    async fn delete(&self, name: &BlobName) -> Result<bool>;

    /// Deletes the blob only if it still has `etag`; `false` if it has another or is gone.
    async fn delete_if_match(&self, name: &BlobName, etag: &ETag) -> Result<bool>;

    /// Creates `name` from `before`, the contents of `parts` in order, and `after`, unless it
    /// exists. Memory is bounded whatever the size. A missing part is [`ErrorKind::NotFound`], and
    /// nothing is created then; if the blob exists already, the parts need not.
    async fn compose_if_absent(
        &self,
        name: &BlobName,
        before: Bytes,
        parts: &[BlobName],
        after: Bytes,
    ) -> Result<Written>;
}

/// One delivery of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message's id, the same in every delivery.
    pub id: String,
    /// Proof of this delivery; renewed by [`Queue::renew`].
    pub receipt: String,
    /// How often the message has been delivered, this time included; from 1.
    pub dequeue_count: u32,
    /// The text that was sent.
    pub body: String,
}

/// An at-least-once queue of short texts (at most [`MAX_MESSAGE`] bytes).
///
/// A received message is invisible for a while and comes back unless it is deleted.
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync {
    /// The queue's name.
    fn name(&self) -> &str;

    /// Whether the queue exists. One that does not is created by the first use.
    async fn exists(&self) -> Result<bool>;

    /// Creates the queue; that it exists is fine.
    async fn create(&self) -> Result<()>;

    /// Adds a message that becomes visible after `delay` and stays until it is deleted.
    /// [`ErrorKind::Permanent`] if it is too long. A failed call may have added it all the same.
    async fn send(&self, body: &str, delay: Duration) -> Result<()>;

    /// Takes up to `max` (1 to 32) visible messages and hides them for `visibility`.
    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>>;

    /// Hides the message for `visibility` from now (zero gives it back) and puts the new receipt
    /// into `delivery`. [`ErrorKind::Conflict`] or [`ErrorKind::NotFound`] if the delivery is no
    /// longer ours.
    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()>;

    /// Deletes the message. [`ErrorKind::Conflict`] or [`ErrorKind::NotFound`] if the delivery is
    /// no longer ours.
    async fn delete(&self, delivery: &Delivery) -> Result<()>;

    /// Since when the message that has waited longest for a receiver has been in the queue, or visible
    /// again, by the clock of the service; `None` if no message is visible.
    async fn waiting_since(&self) -> Result<Option<Timestamp>>;

    /// About how many messages there are, hidden ones included.
    async fn approximate_count(&self) -> Result<u64>;
}

/// The beginning of every HTTP client: with the cryptography that TLS needs, which the program chooses once
/// (ring, as it compiles in a fifth of the time of the other).
pub fn http_client() -> reqwest::ClientBuilder {
    // Another choice of the process, made before, is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

/// Whether an address leads to this machine, where no proxy belongs in between.
pub(crate) fn is_local(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
