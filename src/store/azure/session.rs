//! What all clients of one account share: endpoints, credential, connections, patience.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport, Url};
use azure_core::time::Duration as AzureDuration;
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};

use super::connection::{Authentication, Connection, Identity, IdentitySource};
use super::errors::Fault;
use super::shared_key::SharedKeyPolicy;
use super::{Error, ErrorKind, Result};
use crate::store::{http_client, is_local};

/// How long to wait for the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte of an answer.
    pub idle: Duration,
    /// For one request with all its retries; of a long transfer, for each piece of at most 8 MiB.
    pub call: Duration,
    /// Further tries after a failed one. The service's `Retry-After` is honoured within `call`.
    pub retries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(15),
            call: Duration::from_secs(45),
            retries: 4,
        }
    }
}

/// One account.
pub(super) struct Session {
    connection: Connection,
    credential: Option<Arc<dyn TokenCredential>>,
    options: ClientOptions,
    patience: Patience,
}

impl Session {
    pub(super) fn new(connection: Connection, patience: Patience) -> Result<Self> {
        let fail = |reason: String| {
            Error::new(ErrorKind::Permanent, "use", format!("the storage account {connection}"), reason)
        };
        // Decompression would break ranged reads, and no storage service redirects.
        let mut transport = http_client()
            .connect_timeout(patience.connect)
            .read_timeout(patience.idle)
            .redirect(reqwest::redirect::Policy::none())
            .no_gzip()
            .no_deflate();
        if is_local(&connection.blob_endpoint) {
            transport = transport.no_proxy();
        }
        let transport = transport.build().map_err(|e| fail(format!("cannot set up connections: {e}")))?;
        let mut options = ClientOptions {
            transport: Some(Transport::new(Arc::new(transport))),
            retry: RetryOptions::exponential(ExponentialRetryOptions {
                initial_delay: AzureDuration::milliseconds(100),
                max_retries: patience.retries,
                max_total_elapsed: AzureDuration::try_from(patience.call / 2).unwrap_or(AzureDuration::MAX),
                max_delay: AzureDuration::seconds(5),
            }),
            ..ClientOptions::default()
        };
        let credential = match &connection.authentication {
            Authentication::Identity(identity) => {
                Some(credential(identity, &options).map_err(|e| fail(format!("no identity: {e}")))?)
            }
            Authentication::SharedKey { account, key } => {
                let policy = SharedKeyPolicy { account: account.clone(), key: key.clone() };
                options.per_try_policies.push(Arc::new(policy));
                None
            }
            Authentication::Signature(_) => None,
        };
        Ok(Self { connection, credential, options, patience })
    }

    /// URL, credential and options for the client of a container.
    pub(super) fn container(&self, name: &str) -> (Url, Option<Arc<dyn TokenCredential>>, ClientOptions) {
        self.parts(&self.connection.blob_endpoint, name)
    }

    /// The account as it is connected to.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// A client of the account's blob service.
    pub(super) fn blob_service(&self) -> azure_core::Result<BlobServiceClient> {
        let client_options = self.options.clone();
        let options = BlobServiceClientOptions { client_options, ..BlobServiceClientOptions::default() };
        BlobServiceClient::new(self.connection.blob_endpoint.clone(), self.credential.clone(), Some(options))
    }

    /// URL, credential and options for the client of a queue.
    pub(super) fn queue(&self, name: &str) -> (Url, Option<Arc<dyn TokenCredential>>, ClientOptions) {
        self.parts(&self.connection.queue_endpoint, name)
    }

    fn parts(&self, endpoint: &Url, name: &str) -> (Url, Option<Arc<dyn TokenCredential>>, ClientOptions) {
        let mut url = endpoint.clone();
        url.set_path(&format!("{}/{name}", endpoint.path().trim_end_matches('/')));
        if let Authentication::Signature(query) = &self.connection.authentication {
            url.set_query(Some(query.secret()));
        }
        (url, self.credential.clone(), self.options.clone())
    }

    /// Sends a request, for as long as patience lasts.
    pub(super) async fn call<T>(
        &self,
        request: impl Future<Output = azure_core::Result<T>>,
    ) -> std::result::Result<T, Fault> {
        match tokio::time::timeout(self.patience.call, request).await {
            Ok(answer) => answer.map_err(Fault::from),
            Err(_) => Err(Fault::timeout(self.patience.call)),
        }
    }

    /// Further tries after a failed one.
    pub(super) fn retries(&self) -> u32 {
        self.patience.retries
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// The source of tokens for `identity`. Nothing is sent before the first token is needed.
fn credential(identity: &Identity, options: &ClientOptions) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let client_id = identity.client_id.clone();
    Ok(match identity.source {
        IdentitySource::Managed => ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.map(UserAssignedId::ClientId),
            client_options: options.clone(),
        }))?,
        IdentitySource::Workload => {
            WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                client_id,
                ..WorkloadIdentityCredentialOptions::default()
            }))?
        }
        IdentitySource::DeveloperTools => DeveloperToolsCredential::new(None)?,
    })
}
