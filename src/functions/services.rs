//! What every function is given: the pipeline, if there is one, and limits.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::Mutex;

use super::blast_cgi::UrlApi;
use super::body::{Arrivals, Pace};
use super::cross_origin::Site;
use super::health::Probe;
use super::kind::Kind;
use super::metrics::Requests;
use super::problem::Problem;
use crate::jobs::Pipeline;

/// The pipeline that the functions work on.
#[derive(Clone, Debug)]
pub enum Services {
    /// The pipeline. Its storage may still be out of reach.
    Ready(Arc<Pipeline>),
    /// There is none, for example because storage is not configured; the text says what to do.
    ///
    /// The functions answer all the same, so that whoever calls them learns why.
    Unavailable(String),
}

/// What requests are held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest body of a request, bytes as sent (compressed, if it is).
    pub body_bytes: u64,
    /// Most bodies that arrive at the same time.
    pub bodies: usize,
    /// Memory that they have together, bytes.
    pub bodies_memory: u64,
    /// How fast each has to arrive.
    pub pace: Pace,
    /// Names that requests may be for, beside this machine's own; `None` if they may be for any.
    pub host_names: Option<Vec<String>>,
    /// Sites whose pages may call the API.
    pub trusted_sites: Vec<Site>,
    /// Reports of this length and more are fetched straight from storage, if it allows that.
    pub redirect_bytes: u64,
    /// Whether anybody may list the searches that nobody owns: where none but this machine can reach the
    /// server.
    pub anybody_lists: bool,
    /// How users sign in; `None` if they do not, and whoever knows a search's id may see it.
    pub sign_in: Option<SignIn>,
    /// Who may use NCBI's URL API.
    pub url_api: UrlApi,
}

/// Users are signed in by what stands in front of the functions: App Service authentication with
/// Microsoft Entra, which says in headers of its own who calls, and lets nobody else send those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SignIn {
    /// What tokens must be for, such as `api://<client id>`.
    pub audience: Option<String>,
}

impl Default for Limits {
    /// Bodies up to 100 MB: a little less than the Functions host takes (104,857,600 bytes), so that
    /// the refusal is ours, which says what to do; a thousand at a time, in 256 MiB. Reports up to 32 MiB.
    fn default() -> Self {
        Self {
            body_bytes: 100_000_000,
            bodies: 1_000,
            bodies_memory: 256 << 20,
            pace: Pace::default(),
            host_names: None,
            trusted_sites: Vec::new(),
            redirect_bytes: 32 << 20,
            anybody_lists: false,
            sign_in: None,
            url_api: UrlApi::default(),
        }
    }
}

/// State of the router.
#[derive(Debug)]
pub(super) struct App {
    services: Services,
    pub(super) limits: Limits,
    pub(super) arrivals: Arrivals,
    /// Those that were answered.
    pub(super) requests: Requests,
    /// How storage was found last.
    pub(super) probed: Mutex<Option<Probe>>,
    /// Held while a shard is compared: one shard keeps all cores busy, and two would need twice
    /// the memory.
    pub(super) comparing: Mutex<()>,
}

impl App {
    pub(super) fn new(services: Services, limits: Limits) -> Self {
        Self {
            arrivals: Arrivals::new(&limits),
            requests: Requests::default(),
            probed: Mutex::default(),
            services,
            limits,
            comparing: Mutex::default(),
        }
    }

    /// The pipeline, or why there is none.
    pub(super) fn pipeline(&self) -> Result<&Arc<Pipeline>, Unavailable<'_>> {
        match &self.services {
            Services::Ready(pipeline) => Ok(pipeline),
            Services::Unavailable(reason) => Err(Unavailable(reason)),
        }
    }
}

/// Why there is no pipeline.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("storage is not set up: {0}")]
pub(super) struct Unavailable<'a>(&'a str);

impl From<Unavailable<'_>> for Problem {
    fn from(unavailable: Unavailable<'_>) -> Self {
        Self::unavailable(Kind::StorageNotSetUp, unavailable.to_string())
    }
}
