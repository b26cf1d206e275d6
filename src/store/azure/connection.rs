//! Where a storage account is and how to prove the right to use it.

use std::collections::BTreeMap;
use std::fmt;

use azure_core::base64;
use azure_core::credentials::Secret;
use azure_core::http::Url;

/// The emulator's account. Its name and key are public, and the same everywhere
/// (learn.microsoft.com, "Use the Azurite emulator").
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const EMULATOR_BLOB_PORT: u16 = 10000;
const EMULATOR_QUEUE_PORT: u16 = 10001;

const PUBLIC_CLOUD: &str = "core.windows.net";

/// A storage account: endpoints and the means to authenticate.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) blob_endpoint: Url,
    pub(super) queue_endpoint: Url,
    pub(super) authentication: Authentication,
}

/// How requests prove that they are allowed. Debug output shows no secret.
#[derive(Clone, Debug)]
pub(super) enum Authentication {
    SharedKey {
        account: String,
        key: Secret,
    },
    /// A shared access signature: the query string that goes with each request.
    Signature(Secret),
    Identity(Identity),
}

/// A Microsoft Entra identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Client id of a user-assigned identity; `None` for the system's own.
    pub client_id: Option<String>,
    /// Where its tokens come from.
    pub source: IdentitySource,
}

/// Where tokens come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// The platform that runs the process (Functions, App Service).
    Managed,
    /// A federated token file (Kubernetes).
    Workload,
    /// The login of `az` or `azd`.
    DeveloperTools,
}

impl IdentitySource {
    /// Chooses by the variables that each platform sets; `lookup` gives a variable's value.
    pub fn detect(lookup: impl Fn(&str) -> Option<String>) -> Self {
        if lookup("IDENTITY_ENDPOINT").is_some() {
            Self::Managed
        } else if lookup("AZURE_FEDERATED_TOKEN_FILE").is_some() {
            Self::Workload
        } else {
            Self::DeveloperTools
        }
    }
}

/// Why a connection string or an endpoint cannot be used. Shows no value that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// A part is not `Name=value`.
    #[error("part {position} of the connection string is not of the form Name=value")]
    Malformed {
        /// Which of the parts between `;`, from 1.
        position: usize,
    },
    /// A name that no storage connection string has.
    #[error(
        "{field:?} is not a field of a storage connection string; known are AccountName, AccountKey, \
         EndpointSuffix, BlobEndpoint, QueueEndpoint, SharedAccessSignature and ClientId"
    )]
    UnknownField {
        /// The name as written.
        field: String,
    },
    /// Something needed is not there.
    #[error("{field} is missing: give {instead}")]
    Missing {
        /// The missing field.
        field: &'static str,
        /// What would be enough.
        instead: &'static str,
    },
    /// A value that is not what its name says.
    #[error("{field} is not {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// Tokens must not travel unencrypted.
    #[error("{field} must start with https:// when an identity is used")]
    InsecureIdentity {
        /// The field with the `http:` address.
        field: &'static str,
    },
}

use ConnectionError::{Invalid, Missing};

impl Connection {
    /// Whether `text` is meant as a connection string rather than a path.
    pub fn looks_like_one(text: &str) -> bool {
        text.split_once('=').is_some_and(|(field, _)| is_known(&field.trim().to_ascii_lowercase()))
    }

    /// Parses a connection string: a key, a shared access signature, `UseDevelopmentStorage=true`,
    /// or neither key nor signature, which means an identity whose tokens come from `source`.
    pub fn parse(text: &str, source: IdentitySource) -> Result<Self, ConnectionError> {
        let fields = Fields::parse(text)?;
        if let Some(value) = fields.get("usedevelopmentstorage") {
            if !value.eq_ignore_ascii_case("true") {
                return Err(Invalid { field: "UseDevelopmentStorage", expected: "true" });
            }
            return Self::emulator(fields.get("developmentstorageproxyuri"));
        }
        let authentication = fields.authentication(source)?;
        let blob_endpoint = fields.endpoint("blobendpoint", "BlobEndpoint", "blob")?;
        let queue_endpoint = fields.endpoint("queueendpoint", "QueueEndpoint", "queue")?;
        Self::new(blob_endpoint, queue_endpoint, authentication)
    }

    /// An account whose two endpoints are known, used by an identity.
    pub fn with_identity(blob: &str, queue: &str, identity: Identity) -> Result<Self, ConnectionError> {
        let blob = parse_endpoint(blob, "the blob endpoint")?;
        let queue = parse_endpoint(queue, "the queue endpoint")?;
        Self::new(blob, queue, Authentication::Identity(identity))
    }

    /// An account of the public cloud known by name, used by an identity.
    pub fn with_account(account: &str, identity: Identity) -> Result<Self, ConnectionError> {
        check_account(account)?;
        let blob = service_url("https", account, "blob", PUBLIC_CLOUD)?;
        let queue = service_url("https", account, "queue", PUBLIC_CLOUD)?;
        Self::new(blob, queue, Authentication::Identity(identity))
    }

    fn new(
        blob_endpoint: Url,
        queue_endpoint: Url,
        authentication: Authentication,
    ) -> Result<Self, ConnectionError> {
        if matches!(authentication, Authentication::Identity(_)) {
            for (field, url) in
                [("the blob endpoint", &blob_endpoint), ("the queue endpoint", &queue_endpoint)]
            {
                if url.scheme() != "https" {
                    return Err(ConnectionError::InsecureIdentity { field });
                }
            }
        }
        Ok(Self { blob_endpoint, queue_endpoint, authentication })
    }

    fn emulator(proxy: Option<&str>) -> Result<Self, ConnectionError> {
        let proxy = parse_endpoint(proxy.unwrap_or("http://127.0.0.1"), "DevelopmentStorageProxyUri")?;
        let at_port = |port| {
            let mut url = proxy.clone();
            // Neither can fail: the scheme is http or https.
            let _ = url.set_port(Some(port));
            url.set_path(EMULATOR_ACCOUNT);
            url
        };
        let key = Authentication::SharedKey { account: EMULATOR_ACCOUNT.into(), key: EMULATOR_KEY.into() };
        Self::new(at_port(EMULATOR_BLOB_PORT), at_port(EMULATOR_QUEUE_PORT), key)
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.blob_endpoint)
    }
}

/// The fields of a connection string by lower-case name.
struct Fields<'a>(BTreeMap<String, &'a str>);

impl<'a> Fields<'a> {
    fn parse(text: &'a str) -> Result<Self, ConnectionError> {
        let mut fields = BTreeMap::new();
        for (i, part) in text.split(';').enumerate().filter(|(_, part)| !part.trim().is_empty()) {
            // Only the first `=` separates: keys and signatures contain more.
            let (field, value) =
                part.split_once('=').ok_or(ConnectionError::Malformed { position: i + 1 })?;
            let lower = field.trim().to_ascii_lowercase();
            if !is_known(&lower) {
                return Err(ConnectionError::UnknownField { field: field.trim().to_owned() });
            }
            if !value.trim().is_empty() {
                fields.insert(lower, value.trim());
            }
        }
        Ok(Self(fields))
    }

    fn get(&self, field: &str) -> Option<&'a str> {
        self.0.get(field).copied()
    }

    fn account(&self) -> Result<Option<&'a str>, ConnectionError> {
        self.get("accountname").map(|account| check_account(account).map(|()| account)).transpose()
    }

    fn authentication(&self, source: IdentitySource) -> Result<Authentication, ConnectionError> {
        if let Some(key) = self.get("accountkey") {
            let account = self
                .account()?
                .ok_or(Missing { field: "AccountName", instead: "the account that AccountKey belongs to" })?;
            base64::decode(key)
                .map_err(|_| Invalid { field: "AccountKey", expected: "base64: copy the whole key" })?;
            return Ok(Authentication::SharedKey { account: account.into(), key: key.to_owned().into() });
        }
        if let Some(signature) = self.get("sharedaccesssignature") {
            let query = signature.trim_start_matches('?');
            if !query.split('&').any(|pair| pair.starts_with("sig=")) {
                let expected = "a query string with sig=: copy the whole token";
                return Err(Invalid { field: "SharedAccessSignature", expected });
            }
            return Ok(Authentication::Signature(query.to_owned().into()));
        }
        let client_id = self.get("clientid").map(str::to_owned);
        Ok(Authentication::Identity(Identity { client_id, source }))
    }

    fn endpoint(
        &self,
        field: &str,
        label: &'static str,
        service: &'static str,
    ) -> Result<Url, ConnectionError> {
        if let Some(endpoint) = self.get(field) {
            return parse_endpoint(endpoint, label);
        }
        let account = self.account()?.ok_or(Missing { field: label, instead: "it, or AccountName" })?;
        let scheme = self.get("defaultendpointsprotocol").unwrap_or("https").to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(Invalid { field: "DefaultEndpointsProtocol", expected: "http or https" });
        }
        service_url(&scheme, account, service, self.get("endpointsuffix").unwrap_or(PUBLIC_CLOUD))
    }
}

fn is_known(field: &str) -> bool {
    matches!(
        field,
        "usedevelopmentstorage"
            | "developmentstorageproxyuri"
            | "defaultendpointsprotocol"
            | "accountname"
            | "accountkey"
            | "endpointsuffix"
            | "sharedaccesssignature"
            | "clientid"
    ) || matches!(
        field.trim_end_matches("endpoint").trim_end_matches("secondary"),
        "blob" | "queue" | "file" | "table" | "dfs"
    ) && field.ends_with("endpoint")
}

fn check_account(account: &str) -> Result<(), ConnectionError> {
    let well_formed = (3..=24).contains(&account.len())
        && account.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let expected = "the name of a storage account (3 to 24 lower-case letters and digits)";
    if well_formed { Ok(()) } else { Err(Invalid { field: "AccountName", expected }) }
}

fn service_url(scheme: &str, account: &str, service: &str, suffix: &str) -> Result<Url, ConnectionError> {
    Url::parse(&format!("{scheme}://{account}.{service}.{suffix}"))
        .map_err(|_| Invalid { field: "EndpointSuffix", expected: "a domain such as core.windows.net" })
}

fn parse_endpoint(text: &str, field: &'static str) -> Result<Url, ConnectionError> {
    let expected = "an address such as https://account.blob.core.windows.net, without query";
    // A slash at the end would become an empty path segment before the container.
    let url = Url::parse(text.trim_end_matches('/')).map_err(|_| Invalid { field, expected })?;
    let usable = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if usable { Ok(url) } else { Err(Invalid { field, expected }) }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
