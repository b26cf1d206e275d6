//! The kinds of problems: what a program can tell errors apart by.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal: $meaning:literal,)*) => {
        /// What is wrong, for programs; a [`Problem`](super::problem::Problem) says the rest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind {
            /// Nothing that the status does not say.
            Plain,
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All kinds that have a type of their own.
            pub(super) const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The last part of its type; empty if it has none.
            pub(super) fn name(self) -> &'static str {
                match self {
                    Self::Plain => "",
                    $(Self::$kind => $name,)*
                }
            }

            /// What has happened, in half a sentence.
            pub(super) fn meaning(self) -> &'static str {
                match self {
                    Self::Plain => "what the status says",
                    $(Self::$kind => $meaning,)*
                }
            }
        }
    };
}

kinds! {
    /// An option is something that it cannot be; the member `option` names it, with what it may be.
    InvalidOption = "invalid-option": "an option is something that it cannot be; the member `option` names it, with what it may be",
    /// There is no such option, or not here.
    UnknownOption = "unknown-option": "there is no such option, or not here",
    /// What follows the ? of the address cannot be decoded.
    InvalidAddress = "invalid-address": "what follows the ? of the address cannot be decoded",
    /// The body is not the form that its Content-Type says.
    InvalidForm = "invalid-form": "the body is not the form that its Content-Type says",
    /// The body is not the JSON that is wanted.
    InvalidJson = "invalid-json": "the body is not the JSON that is wanted",
    /// The Idempotency-Key is too short, too long, or has letters that it may not have.
    InvalidKey = "invalid-key": "the Idempotency-Key is too short, too long, or has letters that it may not have",
    /// The Idempotency-Key was sent before, with another search.
    KeyReused = "key-reused": "the Idempotency-Key was sent before, with another search",
    /// The queries are not FASTA of proteins; the member `record` says where.
    InvalidFasta = "invalid-fasta": "the queries are not FASTA of proteins; the member `record` says where",
    /// There are no queries, or none with residues.
    NoQueries = "no-queries": "there are no queries, or none with residues",
    /// There is no query, in a request of NCBI's URL API.
    NoQuery = "no-query": "there is no query, in a request of NCBI's URL API",
    /// The queries of a search are more than the server takes.
    QueriesTooLarge = "queries-too-large": "the queries of a search are more than the server takes",
    /// The body is longer than the member `limit_bytes`.
    BodyTooLarge = "body-too-large": "the body is longer than the member `limit_bytes`",
    /// The body broke off, or came too slowly.
    BodyIncomplete = "body-incomplete": "the body broke off, or came too slowly",
    /// Too many bodies are arriving at the moment.
    Busy = "busy": "too many bodies are arriving at the moment",
    /// Users sign in here; WWW-Authenticate says for whom a token must be.
    SignInRequired = "sign-in-required": "users sign in here; WWW-Authenticate says for whom a token must be",
    /// NCBI's URL API wants a key here.
    KeyRequired = "key-required": "NCBI's URL API wants a key here",
    /// NCBI's URL API is closed here.
    Closed = "closed": "NCBI's URL API is closed here",
    /// A page of a site that is not trusted asks for this.
    CrossSite = "cross-site": "a page of a site that is not trusted asks for this",
    /// The server does not go by the name in Host.
    UnknownHost = "unknown-host": "the server does not go by the name in Host",
    /// Searches are not listed here: whoever knows the id of one may see it.
    NoList = "no-list": "searches are not listed here: whoever knows the id of one may see it",
    /// There is no such search, or it is somebody else's.
    UnknownSearch = "unknown-search": "there is no such search, or it is somebody else's",
    /// The report has no such query.
    UnknownQuery = "unknown-query": "the report has no such query",
    /// There is no such database; the member `known_databases` lists those that there are.
    UnknownDatabase = "unknown-database": "there is no such database; the member `known_databases` lists those that there are",
    /// The link leads nowhere, or no longer.
    UnknownLink = "unknown-link": "the link leads nowhere, or no longer",
    /// There is no such upload, or it is somebody else's.
    UnknownUpload = "unknown-upload": "there is no such upload, or it is somebody else's",
    /// What was uploaded cannot be what is submitted.
    InvalidUpload = "invalid-upload": "what was uploaded cannot be what is submitted",
    /// The search has no report, or none yet; the member `state` says where it stands.
    NoResults = "no-results": "the search has no report, or none yet; the member `state` says where it stands",
    /// The report lacks shards that failed, and `partial=true` was not given.
    IncompleteReport = "incomplete-report": "the report lacks shards that failed, and `partial=true` was not given",
    /// The report has none of the bytes that Range asks for.
    NoSuchRange = "no-such-range": "the report has none of the bytes that Range asks for",
    /// A search that has not ended cannot be removed.
    NotEnded = "not-ended": "a search that has not ended cannot be removed",
    /// The search has ended, and there is nothing to try again; the member `state` says how.
    NothingToRetry = "nothing-to-retry": "the search has ended, and there is nothing to try again; the member `state` says how",
    /// The request is not HTTP/1.1.
    UnreadableRequest = "unreadable-request": "the request is not HTTP/1.1",
    /// The address is too long.
    AddressTooLong = "address-too-long": "the address is too long",
    /// The headers are too many or too long.
    HeadTooLarge = "head-too-large": "the headers are too many or too long",
    /// The server has no storage; the detail says what to set.
    StorageNotSetUp = "storage-not-set-up": "the server has no storage; the detail says what to set",
    /// Storage does not answer at the moment.
    StorageUnavailable = "storage-unavailable": "storage does not answer at the moment",
    /// Storage does not let the server in.
    StorageDenied = "storage-denied": "storage does not let the server in",
    /// Storage has no room.
    StorageFull = "storage-full": "storage has no room",
    /// A bug of the server, or damage in its storage; its log says more.
    Internal = "internal": "a bug of the server, or damage in its storage; its log says more",
}

impl Kind {
    /// The type of a problem of this kind.
    pub(super) fn uri(self) -> String {
        match self {
            Self::Plain => "about:blank".to_owned(),
            kind => format!("urn:skyblast:problem:{}", kind.name()),
        }
    }
}
