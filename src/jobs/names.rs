//! Where everything lies: the names of blobs.
//!
//! Container `jobs`:
//!
//! ```text
//! active/<job>                        the job is not closed yet (what sweep looks at); `<job>.<edition>` after a retry
//! <job>/intake.json                   the request as accepted, if its queries were uploaded; immutable
//! <job>/job.json                      the request with what its queries are; immutable
//! <job>/queries/<chunk>               a chunk's queries; immutable
//! <job>/plan.json                     the grid of chunks and volumes; immutable
//!                                     (earlier versions called it manifest.json)
//! <job>/begun                         a shard has been taken up
//! <job>/announced/<shard>.json        the slice of shards from this on that somebody announces, and whether that is done
//! <job>/hits/<chunk>/<volume>         a shard's hits, noted with the milliseconds it took to get them; immutable.
//!                                     Empty as long as somebody waits for them, who then looks at the row
//!                                     (`<volume>-<ms>` in earlier versions)
//! <job>/hits/<chunk>/<volume>.failed  that it was given up, so that one listing tells whether a row is settled;
//!                                     `.failed.<edition>` after a retry
//! <job>/failed/<chunk>/<volume>.json  why a shard was given up
//! <job>/parts/<chunk>                 a chunk's merged hits; immutable
//! <job>/counts/<chunk>                how many hits its queries have; follows from the part
//! <job>/species/<chunk>               which species they are of; follows from the part
//! <job>/missing/<chunk>.json          which volumes a part lacks, if any; follows from the part
//! <job>/text/<chunk>                  a part as text of the report; follows from the part
//! <job>/report.<extension>            the report
//! <job>/label.json                    what somebody calls the job
//! <job>/done.json                     how the job ended; the first writer wins
//! <job>/cancelled                     its presence cancels the job
//! <job>/swept.json                    when lost messages were last announced again
//! <job>/hedged.json                   which shards have been announced once more as they were late
//! <job>/burst.json                    how much of a job in both places the cloud has been told of
//! <job>/spent/<chunk>/<volume>.<mark>-<ms>     that so many milliseconds were spent on a shard without
//!                                     getting its hits; the mark keeps equal times apart
//! <job>/taken/<chunk>/<volume>        somebody compares the shard, or has done so until a moment ago; with `.cloud`
//!                                     behind it if it was taken up there
//! <job>/turns/<chunk>/<volume>/<n>    what is left to do of a shard that takes long, put aside for the n-th
//!                                     time; the first writer wins
//! <job>/turns/<chunk>/<volume>/<n>-<mark>      the hits that it had found when it did so
//! <job>/trouble/<step>.json           what the last delivery of a message met with, for who gives it up
//! <job>/retries/<edition>.json        which chunks a retry merges anew; the first writer wins
//! <job>/editions/<edition>/…          what a retry makes: announced, failed, parts, counts, species, missing, text,
//!                                     trouble, report, done.json, cancelled and swept.json, as above
//! <job>/upload/input                  queries that were sent straight to storage
//! <job>/upload/parts/<part>           or in parts through the server
//! index/<owner>/<age>-<job>           a job of this owner (a digest; `_` for nobody), the newest first
//! keys/<key>                          what a repeated submission is recognised by, and its job
//! removing/<job>                      the job is being removed; names its entry in the index
//! sharers/<queue>.json                the jobs that have more shards to announce in a queue; follows from them
//! rates.json                          how fast the latest jobs were compared; follows from them
//! indexed.json                        how far sweep has looked for jobs of versions without an index
//! retained.json                       when jobs whose time is over were last looked for
//! uploads/<job>                       the upload has not been submitted yet
//! clock                               written by sweep to see what the store's clock shows
//! shares/<digest of its token>        what a link to a report leads to, and until when
//! doctor/probe                        that something can be written
//! secrets/shares                      what links of earlier versions are signed with; touched daily, as
//!                                     blobs of this container expire
//! ```
//!
//! Container `databases`:
//!
//! ```text
//! volumes/<digest>                    a volume; immutable, shared between versions
//! damaged/<digest>                    a search found the volume damaged; adding its database again looks at it
//! taxa/<digest>                       how many sequences of which taxa a volume has; follows from the volume
//! taxonomies/<digest>                 an import of names of taxa; immutable
//! taxonomy.json                       which of them new jobs take
//! <name>/<version>/manifest.json      a version of a database; immutable
//! <name>/current.json                 which version the bare name means
//! collected.json                      when sweep last collected garbage
//! ```
//!
//! Numbers have leading zeros, so that listings are in numerical order.

use jiff::Timestamp;

use crate::store::{self, BlobName};

use super::edition::Edition;
use super::error::{Error, Result};
use super::id::JobId;
use super::job::Job;
use super::messages::ShardPlanned;

/// Container of job blobs.
pub const JOBS: &str = "jobs";
/// Container of databases.
pub const DATABASES: &str = "databases";

fn name(text: String) -> Result<BlobName> {
    BlobName::parse(text).map_err(Error::Store)
}

/// Prefix of the markers of jobs that are not closed.
pub(super) const ACTIVE: &str = "active/";

pub(super) fn active(edition: Edition) -> Result<BlobName> {
    let Edition { job, number } = edition;
    name(if number == 0 { active_of(job) } else { format!("{}.{number}", active_of(job)) })
}

/// Prefix of the markers of all editions of a job.
pub(super) fn active_of(job: JobId) -> String {
    format!("{ACTIVE}{job}")
}

/// The edition that a marker below [`ACTIVE`] is about.
pub(super) fn active_edition(marker: &BlobName) -> Option<Edition> {
    let text = marker.as_str().strip_prefix(ACTIVE)?;
    let (job, number) = match text.split_once('.') {
        Some((job, number)) => (job, number.parse().ok().filter(|&number| number > 0)?),
        None => (text, 0),
    };
    Some(Edition { job: job.parse().ok()?, number })
}

/// Where what an edition makes lies: beside what is no edition's for the first, as versions without retries have it.
fn home(edition: Edition) -> String {
    let Edition { job, number } = edition;
    if number == 0 { job.to_string() } else { format!("{job}/editions/{number:06}") }
}

/// Prefix of what retries make again.
pub(super) fn retries(job: JobId) -> String {
    format!("{job}/retries/")
}

/// What the retry that makes an edition makes again.
pub(super) fn retry(edition: Edition) -> Result<BlobName> {
    name(format!("{}{:06}.json", retries(edition.job), edition.number))
}

/// The edition of a [`retry`].
pub(super) fn number_of_retry(blob: &BlobName) -> Option<u32> {
    blob.as_str().rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

/// The request with what its queries are.
pub(super) const JOB: &str = "job.json";
/// The request as accepted, if its queries were uploaded.
pub(super) const INTAKE: &str = "intake.json";
/// The grid.
pub(super) const PLAN: &str = "plan.json";
/// The grid, as earlier versions called it.
pub(super) const EARLIER_PLAN: &str = "manifest.json";
/// How the job ended.
pub(super) const OUTCOME: &str = "done.json";
/// Its presence says that a shard has been taken up.
pub(super) const BEGUN: &str = "begun";
/// Its presence cancels the job.
pub(super) const CANCELLED: &str = "cancelled";
/// What somebody calls the job.
pub(super) const LABEL: &str = "label.json";
/// What sweep remembers of the job.
pub(super) const SWEPT: &str = "swept.json";

/// Which shards of the job have been announced once more.
pub(super) const HEDGED: &str = "hedged.json";

/// How much of the job the cloud has been told of.
pub(super) const BURST: &str = "burst.json";

/// Kinds of blobs of shards.
pub(super) const ANNOUNCED: &str = "announced";
pub(super) const HITS: &str = "hits";
pub(super) const FAILED: &str = "failed";
pub(super) const SPENT: &str = "spent";
pub(super) const TURNS: &str = "turns";
pub(super) const TAKEN: &str = "taken";
/// Kinds of blobs of chunks.
pub(super) const MISSING: &str = "missing";
pub(super) const TEXT: &str = "text";
/// Kinds of blobs of uploads.
pub(super) const UPLOAD: &str = "upload";
pub(super) const UPLOAD_PARTS: &str = "upload/parts";

/// Prefix of the index of jobs.
pub(super) const INDEX: &str = "index/";

/// What the index files the jobs of an owner under.
pub(super) fn owner_key(owner: Option<&str>) -> String {
    match owner {
        Some(owner) => blake3::hash(owner.as_bytes()).to_hex()[..32].to_owned(),
        None => "_".to_owned(),
    }
}

/// Milliseconds since 1970 of a time beyond all others; entries are numbered back from it.
const LAST: i64 = 99_999_999_999_999;

/// Where a job stands in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexEntry {
    owner: String,
    /// When the job was accepted, to the millisecond.
    pub(super) submitted: Timestamp,
    /// The job.
    pub(super) job: JobId,
}

impl IndexEntry {
    pub(super) fn of(job: &Job) -> Self {
        Self { owner: owner_key(job.owner.as_deref()), submitted: job.submitted, job: job.id }
    }

    /// The entry that a blob is.
    pub(super) fn parse(blob: &BlobName) -> Option<Self> {
        let (owner, place) = blob.as_str().strip_prefix(INDEX)?.split_once('/')?;
        let (age, job) = place.split_once('-')?;
        let submitted = Timestamp::from_millisecond(LAST - age.parse::<i64>().ok()?).ok()?;
        Some(Self { owner: owner.to_owned(), submitted, job: job.parse().ok()? })
    }

    /// Its place among the entries of its owner.
    pub(super) fn place(&self) -> String {
        format!("{:014}-{}", LAST - self.submitted.as_millisecond(), self.job)
    }

    pub(super) fn name(&self) -> String {
        format!("{INDEX}{}/{}", self.owner, self.place())
    }

    pub(super) fn blob(&self) -> Result<BlobName> {
        name(self.name())
    }
}

/// The entry of an owner at a place that a client has named.
pub(super) fn place(owner: &str, place: &str) -> Result<BlobName> {
    let blob = BlobName::parse(format!("{INDEX}{owner}/{place}")).ok();
    let blob = blob.filter(|blob| IndexEntry::parse(blob).is_some());
    blob.ok_or_else(|| Error::InvalidPlace(place.chars().take(80).collect()))
}

/// What a key of a submission stands for.
pub(super) fn key(key: &str) -> Result<BlobName> {
    name(format!("keys/{key}"))
}

/// Prefix of the markers of jobs that are being removed.
pub(super) const REMOVING: &str = "removing/";

pub(super) fn removing(job: JobId) -> Result<BlobName> {
    name(format!("{REMOVING}{job}"))
}

/// The job that a marker below [`REMOVING`] is about.
pub(super) fn removed_job(marker: &BlobName) -> Option<JobId> {
    marker.as_str().strip_prefix(REMOVING)?.parse().ok()
}

/// When jobs whose time is over were last looked for.
pub(super) fn retained() -> Result<BlobName> {
    name("retained.json".to_owned())
}

/// How far sweep has looked for jobs of versions without an index.
pub(super) fn indexed() -> Result<BlobName> {
    name("indexed.json".to_owned())
}

/// What the latest jobs have shown of the speed of instances.
pub(super) fn rates() -> Result<BlobName> {
    name("rates.json".to_owned())
}

/// Prefix of the jobs whose id begins with this byte.
pub(super) fn beginning(byte: u32) -> String {
    format!("{byte:02x}")
}

/// The job whose request, in either form, a blob is.
pub(super) fn requested(blob: &BlobName) -> Option<JobId> {
    let (job, leaf) = blob.as_str().split_once('/')?;
    [JOB, INTAKE].contains(&leaf).then(|| job.parse().ok()).flatten()
}

/// A blob of an edition that is not numbered.
pub(super) fn of_edition(edition: Edition, leaf: &str) -> Result<BlobName> {
    name(format!("{}/{leaf}", home(edition)))
}

/// A blob of a job that is not numbered and no edition's.
pub(super) fn of_job(job: JobId, leaf: &str) -> Result<BlobName> {
    name(format!("{job}/{leaf}"))
}

pub(super) fn queries(job: JobId, chunk: u32) -> Result<BlobName> {
    name(format!("{job}/queries/{chunk:06}"))
}

/// A shard's hits. Earlier versions added `-` and the milliseconds that it took to get them.
pub(super) fn hits(shard: ShardPlanned) -> Result<BlobName> {
    name(hits_of(shard))
}

/// Prefix of all that says how a shard stands.
pub(super) fn hits_of(shard: ShardPlanned) -> String {
    let ShardPlanned { job, chunk, volume, .. } = shard;
    format!("{job}/{HITS}/{chunk:06}/{volume:05}")
}

/// Beside the hits: that the shard was given up in its edition.
pub(super) fn given_up(shard: ShardPlanned) -> Result<BlobName> {
    let hits = hits_of(shard);
    name(match shard.edition {
        0 => format!("{hits}{GIVEN_UP}"),
        edition => format!("{hits}{GIVEN_UP}.{edition}"),
    })
}

/// What the names of shards that were given up have after the volume.
const GIVEN_UP: &str = ".failed";

/// The edition in which the shard of a blob below `hits` was given up; `None` if the blob does not say that it was.
pub(super) fn given_up_in(blob: &BlobName) -> Option<u32> {
    let (_, edition) = blob.as_str().rsplit('/').next()?.split_once(GIVEN_UP)?;
    if edition.is_empty() { Some(0) } else { edition.strip_prefix('.')?.parse().ok() }
}

/// The slice of shards that begins with this one.
pub(super) fn slice(edition: Edition, first_shard: u64) -> Result<BlobName> {
    name(format!("{}/{ANNOUNCED}/{first_shard:010}.json", home(edition)))
}

/// The first shard of a [`slice`].
pub(super) fn first_of_slice(blob: &BlobName) -> Option<u64> {
    blob.as_str().rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

/// The jobs that have more shards to announce in a queue.
pub(super) fn sharers(queue: &str) -> Result<BlobName> {
    name(format!("sharers/{queue}.json"))
}

/// What the last delivery of the message of a step met with; `step` is the name of its function and what it
/// is about.
pub(super) fn trouble(edition: Edition, step: &str) -> Result<BlobName> {
    name(format!("{}/trouble/{step}.json", home(edition)))
}

pub(super) fn failed(shard: ShardPlanned) -> Result<BlobName> {
    let ShardPlanned { chunk, volume, .. } = shard;
    name(format!("{}/{FAILED}/{chunk:06}/{volume:05}.json", home(shard.in_edition())))
}

pub(super) fn part(edition: Edition, chunk: u32) -> Result<BlobName> {
    name(format!("{}/parts/{chunk:06}", home(edition)))
}

/// How many hits the queries of a chunk have.
pub(super) fn counts(edition: Edition, chunk: u32) -> Result<BlobName> {
    name(format!("{}/counts/{chunk:06}", home(edition)))
}

/// Which species the hits of a chunk are of.
pub(super) fn species(edition: Edition, chunk: u32) -> Result<BlobName> {
    name(format!("{}/species/{chunk:06}", home(edition)))
}

pub(super) fn missing(edition: Edition, chunk: u32) -> Result<BlobName> {
    name(format!("{}/{MISSING}/{chunk:06}.json", home(edition)))
}

pub(super) fn text(edition: Edition, chunk: u32) -> Result<BlobName> {
    name(format!("{}/{TEXT}/{chunk:06}", home(edition)))
}

/// Number of the chunks that [`texts_around`] has in common.
pub(super) const AROUND: u32 = 1_000;

/// Prefix of the texts of the chunks whose numbers differ from this one's in the last three digits only, and maybe of
/// others.
pub(super) fn texts_around(edition: Edition, chunk: u32) -> String {
    format!("{}/{TEXT}/{:03}", home(edition), chunk / AROUND)
}

/// The report in a format whose files have this extension.
pub(super) fn report(edition: Edition, extension: &str) -> Result<BlobName> {
    of_edition(edition, &format!("report.{extension}"))
}

/// A record of time spent on a shard without getting its hits; the mark tells it from others of the same time.
pub(super) fn spent(shard: ShardPlanned, mark: u32, milliseconds: u64) -> Result<BlobName> {
    let ShardPlanned { job, chunk, volume, .. } = shard;
    name(format!("{job}/{SPENT}/{chunk:06}/{volume:05}.{mark:08x}-{milliseconds}"))
}

/// That somebody compares a shard.
pub(super) fn taken(shard: ShardPlanned, in_cloud: bool) -> Result<BlobName> {
    let ShardPlanned { job, chunk, volume, .. } = shard;
    let place = if in_cloud { IN_CLOUD } else { "" };
    name(format!("{job}/{TAKEN}/{chunk:06}/{volume:05}{place}"))
}

/// Ending of the names of shards that were taken up in the cloud.
const IN_CLOUD: &str = ".cloud";

/// Whether a [`taken`] shard was taken up in the cloud.
pub(super) fn is_in_cloud(blob: &BlobName) -> bool {
    blob.as_str().ends_with(IN_CLOUD)
}

/// Prefix of what is put aside of a shard.
pub(super) fn turns_of(shard: ShardPlanned) -> String {
    let ShardPlanned { job, chunk, volume, .. } = shard;
    format!("{job}/{TURNS}/{chunk:06}/{volume:05}/")
}

/// What is left to do of a shard, put aside for the `number`-th time.
pub(super) fn turn(shard: ShardPlanned, number: u32) -> Result<BlobName> {
    name(format!("{}{number:06}", turns_of(shard)))
}

/// The number of a [`turn`]; `None` for hits.
pub(super) fn number_of_turn(blob: &BlobName) -> Option<u32> {
    blob.as_str().rsplit('/').next()?.parse().ok()
}

/// Chunk and volume of what is put aside.
pub(super) fn shard_of_turn(blob: &BlobName) -> Option<(u32, u32)> {
    let mut segments = blob.as_str().rsplit('/').skip(1);
    let volume = segments.next()?.parse().ok()?;
    Some((segments.next()?.parse().ok()?, volume))
}

/// The hits that were put aside with a [`turn`].
pub(super) fn hits_of_run(shard: ShardPlanned, number: u32, mark: u64) -> Result<BlobName> {
    name(format!("{}{number:06}-{mark:016x}", turns_of(shard)))
}

/// The time in the name of a `spent` blob, and of the `hits` of earlier versions.
pub(super) fn milliseconds_of(blob: &BlobName) -> Option<u64> {
    blob.as_str().rsplit_once('-')?.1.parse().ok()
}

/// What is written to see when that was.
pub(super) fn clock() -> Result<BlobName> {
    name("clock".to_owned())
}

/// Prefix of everything of a kind in an edition of a job. What is no edition's lies where the first one's does.
pub(super) fn all(edition: Edition, kind: &str) -> String {
    format!("{}/{kind}/", home(edition))
}

/// Prefix of the blobs of a kind that belong to the shards of one chunk.
pub(super) fn row(edition: Edition, kind: &str, chunk: u32) -> String {
    format!("{}/{kind}/{chunk:06}/", home(edition))
}

/// Chunk and volume of a `hits` or `failed` blob.
pub(super) fn shard_of(blob: &BlobName) -> Option<(u32, u32)> {
    let mut segments = blob.as_str().rsplit('/');
    let volume = segments.next()?.split(['-', '.']).next()?.parse().ok()?;
    Some((segments.next()?.parse().ok()?, volume))
}

/// Chunk of a `parts`, `missing` or `text` blob.
pub(super) fn chunk_of(blob: &BlobName) -> Option<u32> {
    blob.as_str().rsplit('/').next()?.trim_end_matches(".json").parse().ok()
}

/// Prefix of all volumes.
pub(super) const VOLUMES: &str = "volumes/";

/// Prefix of the tickets of uploads that are not jobs yet.
pub(super) const UPLOADS: &str = "uploads/";

/// The ticket of an upload.
pub(super) fn ticket(upload: JobId) -> Result<BlobName> {
    name(format!("{UPLOADS}{upload}"))
}

/// The upload that a ticket is about.
pub(super) fn upload_of(ticket: &BlobName) -> Option<JobId> {
    ticket.as_str().strip_prefix(UPLOADS)?.parse().ok()
}

/// Queries that were sent straight to storage.
pub(super) fn input(upload: JobId) -> Result<BlobName> {
    name(format!("{upload}/{UPLOAD}/input"))
}

/// A part of queries that were sent through the server.
pub(super) fn upload_part(upload: JobId, part: u32) -> Result<BlobName> {
    name(format!("{upload}/{UPLOAD_PARTS}/{part:06}"))
}

/// Prefix of what links to reports lead to.
pub(super) const SHARES: &str = "shares/";

/// What the link whose token has this digest leads to.
pub(super) fn shared(token: &blake3::Hash) -> Result<BlobName> {
    name(format!("{SHARES}{token}"))
}

/// What links of earlier versions are signed with.
pub(super) fn share_secret() -> Result<BlobName> {
    name("secrets/shares".to_owned())
}

/// What is written to see whether anything can be.
pub(super) fn probe() -> Result<BlobName> {
    name("doctor/probe".to_owned())
}

pub(super) fn volume(digest: &str) -> Result<BlobName> {
    name(format!("{VOLUMES}{digest}"))
}

/// That a volume was found damaged.
pub(super) fn damaged(digest: &str) -> Result<BlobName> {
    name(format!("damaged/{digest}"))
}

/// The census of a volume.
pub(super) fn taxa(digest: &str) -> Result<BlobName> {
    name(format!("taxa/{digest}"))
}

/// An import of names of taxa.
pub(super) fn taxonomy(digest: &str) -> Result<BlobName> {
    name(format!("taxonomies/{digest}"))
}

/// Which names of taxa new jobs take.
pub(super) fn current_taxonomy() -> Result<BlobName> {
    name("taxonomy.json".to_owned())
}

/// Last segment of the blobs that say what a version of a database consists of.
pub(super) const MANIFEST: &str = "manifest.json";

pub(super) fn manifest(database: &str, version: &str) -> Result<BlobName> {
    name(format!("{database}/{version}/{MANIFEST}"))
}

/// Beside the databases: when garbage was last collected.
pub(super) fn collected() -> Result<BlobName> {
    name("collected.json".to_owned())
}

/// Last segment of the blobs that say which version a database's name means.
pub(super) const CURRENT: &str = "current.json";

pub(super) fn current(database: &str) -> Result<BlobName> {
    name(format!("{database}/{CURRENT}"))
}

/// Whether `error` says that the blob does not exist.
pub(super) fn absent(error: &store::Error) -> bool {
    error.kind() == store::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_has_the_newest_job_first() {
        let job = JobId::random().expect("randomness");
        let entry = |second| {
            let submitted = Timestamp::from_second(second).expect("a time");
            IndexEntry { owner: owner_key(Some("ada")), submitted, job }
        };
        let names: Vec<_> =
            [2_000_000_000, 1_700_000_001, 1_700_000_000, 5].map(|s| entry(s).name()).to_vec();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(entry(5).blob().ok().and_then(|blob| IndexEntry::parse(&blob)), Some(entry(5)));
        let owner = owner_key(None);
        assert!(place(&owner, &entry(5).place()).is_ok());
        for bad in ["", "../x", "x", "00000000001-x", "00000000001-../../x"] {
            assert!(matches!(place(&owner, bad), Err(Error::InvalidPlace(_))), "{bad}");
        }
    }

    #[test]
    fn numbered_names_read_back() {
        let job = JobId::random().expect("randomness");
        let shard = |chunk, volume| ShardPlanned { job, edition: 0, chunk, volume };
        let named = hits(shard(12, 345)).expect("a name");
        assert_eq!((shard_of(&named), milliseconds_of(&named)), (Some((12, 345)), None));
        let earlier = name(format!("{named}-678")).expect("a name");
        assert_eq!((shard_of(&earlier), milliseconds_of(&earlier)), (Some((12, 345)), Some(678)));
        let given_up = given_up(shard(12, 345)).expect("a name");
        assert_eq!((given_up_in(&given_up), shard_of(&given_up)), (Some(0), Some((12, 345))));
        let again = self::given_up(ShardPlanned { edition: 7, ..shard(12, 345) }).expect("a name");
        assert_eq!((given_up_in(&again), shard_of(&again)), (Some(7), Some((12, 345))));
        assert_eq!((given_up_in(&named), milliseconds_of(&again)), (None, None));
        assert_eq!(failed(shard(1_234_567, 0)).ok().and_then(|n| shard_of(&n)), Some((1_234_567, 0)));
        let first = Edition::first(job);
        assert_eq!(missing(first, 7).ok().and_then(|n| chunk_of(&n)), Some(7));
        assert_eq!(part(first, 7).ok().and_then(|n| chunk_of(&n)), Some(7));
        for edition in [first, first.next(), first.next().next()] {
            assert_eq!(active(edition).ok().and_then(|n| active_edition(&n)), Some(edition));
            assert_eq!(retry(edition).ok().and_then(|n| number_of_retry(&n)), Some(edition.number));
            assert_eq!(part(edition, 7).ok().and_then(|n| chunk_of(&n)), Some(7));
        }
    }
}
