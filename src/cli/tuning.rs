//! Settings of a deployment that are rarely touched: when and in which pieces work is done. None of
//! them changes a report.

use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;

use super::duration::parse_duration;
use super::memory;
use super::options::ThreadFlags;
use super::prices::parse_prices;
use crate::functions::{ApiKey, Limits, SignIn, Site, UrlApi};
use crate::jobs::{Instances, Pipeline, Place, Prices, Settings};
use crate::sequence::fasta;

/// Hidden from the help: the defaults are right, but for tests and odd deployments.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TuningFlags {
    /// Residues of queries per chunk, instead of what the volumes suggest
    #[arg(long, value_name = "N", env = "SKYBLAST_CHUNK_RESIDUES", hide = true)]
    chunk_residues: Option<u64>,

    /// How long jobs are kept after their end, such as 14d, or `forever`
    #[arg(long, value_name = "TIME", env = "SKYBLAST_KEEP_JOBS", default_value = "14d")]
    keep_jobs: Keep,

    /// How long a job may stand still before sweep announces its missing steps again
    #[arg(long, value_name = "SECONDS", env = "SKYBLAST_STALL_SECONDS", hide = true)]
    stall_seconds: Option<u64>,

    /// Seconds that a shard is compared at a time; then it puts aside what it has found and queues again
    #[arg(long, value_name = "SECONDS", env = "SKYBLAST_SHARD_SECONDS", hide = true)]
    shard_seconds: Option<u64>,

    /// Memory for volumes that are kept open; the one in use is kept whatever its size
    #[arg(long, value_name = "SIZE", env = "SKYBLAST_VOLUME_CACHE", hide = true)]
    volume_cache: Option<ByteSize>,

    /// Memory that the program may use [default: what the machine or container has]; a volume that does
    /// not fit is refused
    #[arg(long, value_name = "SIZE", env = "SKYBLAST_MEMORY", hide = true)]
    memory: Option<ByteSize>,

    /// Memory that hits may take in one place before they go to a temporary file
    #[arg(long, value_name = "SIZE", env = "SKYBLAST_ROOM", hide = true)]
    room: Option<ByteSize>,

    /// Longest body of a request, in bytes as sent
    #[arg(long, value_name = "BYTES", env = "SKYBLAST_BODY_LIMIT", hide = true)]
    body_limit: Option<u64>,

    /// Most bodies of requests that arrive at the same time; more are told to come back
    #[arg(long, value_name = "N", env = "SKYBLAST_BODIES", hide = true)]
    bodies: Option<usize>,

    /// Most bytes that the queries of a search may be, decompressed
    #[arg(long, value_name = "BYTES", env = "SKYBLAST_QUERY_BYTES", hide = true)]
    query_bytes: Option<u64>,

    /// Most records that the queries of a search may be
    #[arg(long, value_name = "N", env = "SKYBLAST_QUERY_RECORDS", hide = true)]
    query_records: Option<u64>,

    /// Most residues that the queries of a search may be
    #[arg(long, value_name = "N", env = "SKYBLAST_QUERY_RESIDUES", hide = true)]
    query_residues: Option<u64>,

    /// Table of prices for estimates, as JSON or a file of it, instead of the one that is built in
    #[arg(long, value_name = "FILE", env = "SKYBLAST_PRICES", value_parser = parse_prices, hide = true)]
    prices: Option<Prices>,

    /// Memory of an instance in the cloud, megabytes, for estimates
    #[arg(long, value_name = "MB", env = "SKYBLAST_INSTANCE_MB", default_value_t = Instances::default().megabytes, hide = true)]
    instance_mb: u64,

    /// Most instances in the cloud that compare at the same time, for estimates
    #[arg(long, value_name = "N", env = "SKYBLAST_INSTANCES", default_value_t = Instances::default().most, hide = true)]
    instances: u64,

    /// Where searches are compared that do not say: own (workers alone), cloud, or burst (workers first)
    #[arg(long, value_name = "PLACE", env = "SKYBLAST_PLACE", default_value_t, hide = true)]
    place: Place,

    /// Site whose pages may call the API from browsers (CORS), such as https://lab.example; may be repeated
    #[arg(
        long = "trusted-site",
        value_name = "ORIGIN",
        env = "SKYBLAST_TRUSTED_SITES",
        value_delimiter = ','
    )]
    trusted_sites: Vec<Site>,

    /// Reports of this many bytes and more are fetched straight from storage
    #[arg(long, value_name = "BYTES", env = "SKYBLAST_REDIRECT_BYTES", hide = true)]
    redirect_bytes: Option<u64>,

    /// Who says who calls: `entra` where App Service authentication stands in front, else `off`
    #[arg(long, value_name = "WHO", env = "SKYBLAST_SIGN_IN", default_value = "off", hide = true)]
    sign_in: SignInMode,

    /// What tokens of signed-in users are for, such as api://CLIENT_ID; told to clients
    #[arg(long, value_name = "AUDIENCE", env = "SKYBLAST_AUDIENCE", hide = true)]
    audience: Option<String>,

    /// Key of NCBI's URL API, at least 16 characters; clients send it as the password of the user blast.
    /// Without it the API is open on a server, and closed in the cloud
    #[arg(long, value_name = "KEY", env = "SKYBLAST_URL_API_KEY", hide = true, hide_env_values = true)]
    url_api_key: Option<String>,
}

/// How long something is kept; `None` for ever.
#[derive(Clone, Copy, Debug)]
struct Keep(Option<Duration>);

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(if text == "forever" { None } else { Some(parse_duration(text)?) }))
    }
}

/// Who says who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SignInMode {
    /// Nobody; whoever knows a search's id may see it.
    Off,
    /// App Service authentication with Microsoft Entra.
    Entra,
}

impl TuningFlags {
    /// The pipeline's settings.
    pub(super) fn settings(&self, threads: ThreadFlags) -> Settings {
        let default = Settings::default();
        Settings {
            threads: threads.count(),
            volume_cache_bytes: self.volume_cache.map_or(default.volume_cache_bytes, |size| size.as_u64()),
            memory: self.memory.map(|size| size.as_u64()).or_else(memory::of_machine),
            room: self.room.map_or(default.room, |room| usize::try_from(room.as_u64()).unwrap_or(usize::MAX)),
            chunk_residues: self.chunk_residues,
            keep_jobs: self.keep_jobs.0,
            queries: fasta::Limits {
                bytes: self.query_bytes.unwrap_or(default.queries.bytes),
                records: self.query_records.unwrap_or(default.queries.records),
                residues: self.query_residues.unwrap_or(default.queries.residues),
                ..default.queries
            },
            turn: self.shard_seconds.map_or(default.turn, Duration::from_secs),
            instances: Instances { megabytes: self.instance_mb, most: self.instances },
            place: self.place,
            stall: self.stall_seconds.map_or(default.stall, Duration::from_secs),
            ..default
        }
    }

    /// A pipeline that reckons with the prices of this deployment.
    pub(super) fn priced(&self, pipeline: Pipeline) -> Pipeline {
        match &self.prices {
            Some(prices) => pipeline.with_prices(prices.clone()),
            None => pipeline,
        }
    }

    /// What requests are held to. NCBI's URL API is as it is `without_key` unless it has one.
    pub(super) fn limits(&self, without_key: UrlApi) -> Limits {
        let default = Limits::default();
        let audience = self.audience.clone().filter(|audience| !audience.trim().is_empty());
        Limits {
            body_bytes: self.body_limit.unwrap_or(default.body_bytes),
            bodies: self.bodies.unwrap_or(default.bodies),
            trusted_sites: self.trusted_sites.clone(),
            redirect_bytes: self.redirect_bytes.unwrap_or(default.redirect_bytes),
            sign_in: (self.sign_in == SignInMode::Entra).then_some(SignIn { audience }),
            url_api: self.url_api(without_key),
            ..default
        }
    }

    fn url_api(&self, without_key: UrlApi) -> UrlApi {
        let Some(text) = self.url_api_key.as_ref().filter(|text| !text.trim().is_empty()) else {
            return without_key;
        };
        // The program starts all the same: only so can it say what is wrong.
        ApiKey::new(text).map_or_else(
            || {
                tracing::error!(
                    shortest = ApiKey::SHORTEST,
                    "SKYBLAST_URL_API_KEY is too short, so that API is closed"
                );
                UrlApi::Closed
            },
            UrlApi::Keyed,
        )
    }
}
