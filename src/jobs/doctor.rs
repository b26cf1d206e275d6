//! Examining a storage: whether everything that the pipeline needs is there and allowed.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::JobId;
use super::messages::Stage;
use super::names;
use super::pipeline::Pipeline;
use crate::store::{self, BlobName, BlobStore, ErrorKind, Written};

/// The queue that is tried out; functions do not listen to it.
pub(super) const QUEUE: &str = "doctor";
/// The message that is sent to it.
const BODY: &str = "{}";

/// Clocks that differ by more make signatures and tokens invalid now and then.
pub const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(120);

/// One thing that was examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Check {
    /// What was examined.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    /// Something that is as it should be.
    pub fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), ok: true, found: found.into(), advice: None }
    }

    /// Something that is wrong, and what to do.
    pub fn wrong(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, found: found.into(), advice: Some(advice.into()) }
    }

    /// Whether two clocks agree; `theirs` was read at `ours`.
    pub fn clock(name: &str, theirs: Timestamp, ours: Timestamp) -> Self {
        let skew = theirs.duration_since(ours);
        let found = format!("its clock and this machine's differ by {} s", skew.as_secs().abs());
        if skew.abs() <= MAX_CLOCK_SKEW {
            return Self::ok(name, found);
        }
        Self::wrong(name, found, "set this machine's clock (timedatectl set-ntp true)")
    }
}

const MISSING: &str = "skyblast doctor --storage … --fix creates it, if the identity may; deploying \
                       infra/main.bicep does so too";

impl Pipeline {
    /// Whether storage answers and takes what is written, by one cheap call of each kind.
    pub async fn probe(&self) -> Result<()> {
        self.ledger.probe().await?;
        match self.queue(Stage::Plan).approximate_count().await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Examines containers, queues, rights, clock and databases of the storage. With `fix` missing
    /// containers and queues are created first. What it writes for this it deletes again, but for the
    /// queue `doctor`.
    pub async fn examine(&self, fix: bool) -> Vec<Check> {
        let mut checks = Vec::new();
        for (name, blobs) in [(names::JOBS, self.ledger.blobs()), (names::DATABASES, &*self.catalog.blobs)] {
            let (look, create) = (blobs.container_exists(), blobs.create_container());
            checks.push(exists(&format!("container {name}"), fix, look, create).await);
            // What cannot be reached will not be reached by the other checks either, and each takes its time.
            if let Err(error) = blobs.container_exists().await
                && error.kind() == ErrorKind::Transient
            {
                return checks;
            }
            checks.push(judge(&format!("blobs in {name}"), try_blobs(blobs).await, blob_advice));
        }
        for name in Stage::queues() {
            let queue = &self.queues[name];
            checks.push(exists(&format!("queue {name}"), fix, queue.exists(), queue.create()).await);
        }
        checks.push(judge("messages", self.try_messages().await, queue_advice));
        checks.push(self.examine_poison().await);
        checks.push(self.examine_clock().await);
        checks.push(self.examine_databases().await);
        checks
    }

    /// Sends, receives, hides and deletes a message.
    async fn try_messages(&self) -> Result<String> {
        let queue = &self.queues[QUEUE];
        let hidden = Duration::from_secs(30);
        queue.send(BODY, Duration::ZERO).await?;
        // Others may be examining too; any message will do.
        for _ in 0..10 {
            if let Some(mut delivery) = queue.receive(1, hidden).await?.pop() {
                if delivery.body != BODY {
                    let (name, body) = (queue.name(), &delivery.body);
                    return Err(Error::Internal(format!("the queue {name} gives {body:?} for {BODY:?}")));
                }
                queue.renew(&mut delivery, hidden).await?;
                queue.delete(&delivery).await?;
                return Ok("sent, received, renewed and deleted one".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Err(Error::Internal(format!("a message sent to the queue {QUEUE} does not arrive")))
    }

    async fn examine_poison(&self) -> Check {
        const NAME: &str = "poison queues";
        let mut full = Vec::new();
        for stage in Stage::ALL {
            let queue = self.poison_queue(stage);
            // Counting would create it.
            let count = match queue.exists().await {
                Ok(false) => continue,
                Ok(true) => queue.approximate_count().await,
                Err(error) => Err(error),
            };
            match count {
                Ok(0) => {}
                Ok(count) => full.push(format!("{count} in {}", queue.name())),
                Err(error) => return Check::wrong(NAME, error.to_string(), queue_advice(error.kind())),
            }
        }
        if full.is_empty() {
            return Check::ok(NAME, "empty");
        }
        let advice = "functions or a worker empty these queues and record the failure with the job; if the \
                      messages stay, none is running, or its log says what it fails at";
        Check::wrong(NAME, format!("messages that were given up: {}", full.join(", ")), advice)
    }

    /// Compares the storage's clock with this machine's.
    async fn examine_clock(&self) -> Check {
        const NAME: &str = "storage clock";
        let look = async {
            let blob = scratch()?;
            self.ledger.blobs().put(&blob, Bytes::new()).await?;
            let written = Timestamp::now();
            let info = self.ledger.blobs().info(&blob).await?;
            self.ledger.blobs().delete(&blob).await?;
            Ok::<_, Error>((info.map_or(written, |info| info.modified), written))
        };
        match look.await {
            Ok((theirs, ours)) => Check::clock(NAME, theirs, ours),
            Err(error) => Check::wrong(NAME, error.to_string(), "see the checks above"),
        }
    }

    /// Whether there are databases, and the volumes that they list.
    async fn examine_databases(&self) -> Check {
        const NAME: &str = "databases";
        let again = "add the database again: skyblast databases add";
        let look = async {
            let listed: BTreeSet<_> =
                self.catalog.blobs.list(names::VOLUMES).map_ok(|blob| blob.name).try_collect().await?;
            let (mut found, mut lacking) = (Vec::new(), Vec::new());
            for database in self.catalog.versions(None).await? {
                let manifest = self.catalog.manifest(&database).await?;
                let missing = manifest
                    .volumes
                    .iter()
                    .filter(|volume| {
                        names::volume(&volume.digest.to_string()).is_ok_and(|name| !listed.contains(&name))
                    })
                    .count();
                if missing > 0 {
                    lacking.push(format!("{database} lacks {missing} of {} volumes", manifest.volumes.len()));
                }
                found.push(database);
            }
            Ok::<_, Error>((found.len(), lacking))
        };
        match look.await {
            Ok((_, lacking)) if !lacking.is_empty() => Check::wrong(NAME, lacking.join(", "), again),
            Ok((0, _)) => Check::wrong(NAME, "there are none", "add one: skyblast databases add"),
            Ok((count, _)) => Check::ok(NAME, format!("{count} with all their volumes")),
            Err(error) => Check::wrong(NAME, error.to_string(), again),
        }
    }
}

/// A name that nobody else uses, beside the databases and jobs.
fn scratch() -> Result<BlobName> {
    let random = JobId::random().map_err(|e| Error::Internal(e.to_string()))?;
    Ok(BlobName::parse(format!("doctor/{random}"))?)
}

/// Creates, refuses to create again, replaces under a condition, reads, lists and deletes a blob.
async fn try_blobs(blobs: &dyn BlobStore) -> Result<String> {
    let name = scratch()?;
    let unexpected = |what: &str| Error::Internal(format!("storage does not keep its word: {what}"));
    if blobs.put_if_absent(&name, "1".into()).await? != Written::Created
        || blobs.put_if_absent(&name, "2".into()).await? != Written::AlreadyExists
    {
        return Err(unexpected("a blob was not created exactly once"));
    }
    let (content, tag) = blobs.get_tagged(&name).await?;
    blobs.put_if_match(&name, "3".into(), &tag).await?;
    if content != "1" || blobs.get(&name).await? != "3" {
        return Err(unexpected("a blob reads back differently"));
    }
    let listed: Vec<_> = blobs.list(name.as_str()).try_collect().await?;
    if listed.len() != 1 || !blobs.delete(&name).await? {
        return Err(unexpected("a blob is not listed, or cannot be deleted"));
    }
    Ok("created, read, replaced, listed and deleted one".to_owned())
}

fn judge(name: &str, tried: Result<String>, advice: fn(ErrorKind) -> &'static str) -> Check {
    match tried {
        Ok(found) => Check::ok(name, found),
        Err(Error::Store(error)) => Check::wrong(name, error.to_string(), advice(error.kind())),
        Err(error) => Check::wrong(name, error.to_string(), "report this with the log"),
    }
}

/// Whether something is there, creating it if it is not and that is wanted.
async fn exists(
    name: &str,
    fix: bool,
    look: impl Future<Output = store::Result<bool>>,
    create: impl Future<Output = store::Result<()>>,
) -> Check {
    match look.await {
        Ok(true) => Check::ok(name, "exists"),
        Ok(false) if fix => match create.await {
            Ok(()) => Check::ok(name, "was missing and has been created"),
            Err(error) => Check::wrong(name, error.to_string(), queue_advice(error.kind())),
        },
        Ok(false) => Check::wrong(name, "does not exist", MISSING),
        Err(error) => Check::wrong(name, error.to_string(), queue_advice(error.kind())),
    }
}

fn blob_advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Denied => {
            "give the identity the role Storage Blob Data Contributor on the account, or use a valid key"
        }
        kind => other_advice(kind),
    }
}

fn queue_advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Denied => {
            "give the identity the roles Storage Queue Data Contributor and Storage Blob Data Contributor on the \
             account (they take some minutes to work), or use a valid key"
        }
        kind => other_advice(kind),
    }
}

fn other_advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Transient => {
            "check the address of the account and whether its firewall lets this machine in"
        }
        ErrorKind::Throttled => "the account is busy; try again in a minute",
        ErrorKind::NoSpace => "make room on the disk",
        _ => "check the address of the account",
    }
}
