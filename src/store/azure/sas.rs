//! Addresses that let their holder use one blob for a while: shared access signatures, signed with the
//! account's key, or with a key that the service lends to an identity (learn.microsoft.com, "Create a
//! service SAS" and "Create a user delegation SAS").

use azure_core::base64;
use azure_core::credentials::Secret;
use azure_core::hmac::hmac_sha256;
use azure_core::http::Url;
use azure_core::time::{Duration, OffsetDateTime};
use azure_storage_blob::models::KeyInfo;
use jiff::Timestamp;

use super::connection::{Authentication, Connection};
use super::errors::Fault;
use super::session::Session;
use crate::store::{Access, BlobName};

/// Version of the signature, which says what is signed in which order.
const VERSION: &str = "2022-11-02";
/// The lent key is valid from a little earlier, for the clocks differ.
const SKEW: Duration = Duration::minutes(5);

/// A key that the service lends to an identity, with the fields that a signature names it by.
struct LentKey {
    fields: Vec<(&'static str, String)>,
    value: Secret,
}

/// What is signed, without the key's own fields.
struct Terms {
    permissions: &'static str,
    expires: String,
    protocol: &'static str,
    /// `/blob/account/container/name`.
    resource: String,
    /// `Content-Disposition` of what is read.
    disposition: String,
}

/// An address for `name` until `expires`; `None` if the account is itself known by a signature, with
/// which nothing can be signed.
pub(super) async fn grant(
    session: &Session,
    container: &str,
    name: &BlobName,
    access: &Access,
    expires: Timestamp,
) -> Result<Option<String>, Fault> {
    let connection = session.connection();
    let terms = Terms::new(connection, container, name, access, expires);
    let query = match &connection.authentication {
        Authentication::SharedKey { key, .. } => terms.signed_with_account_key(key)?,
        Authentication::Identity(_) => terms.signed_with_lent_key(delegation_key(session, expires).await?)?,
        Authentication::Signature(_) => return Ok(None),
    };
    let mut url = connection.blob_endpoint.clone();
    url.set_path(&format!("{}/{container}/{name}", url.path().trim_end_matches('/')));
    url.query_pairs_mut().extend_pairs(query);
    Ok(Some(url.into()))
}

/// Borrows a key for the identity. The role *Storage Blob Data Contributor* allows it.
async fn delegation_key(session: &Session, expires: Timestamp) -> Result<LentKey, Fault> {
    let request = async {
        let info = KeyInfo {
            start: Some(OffsetDateTime::now_utc() - SKEW),
            expiry: OffsetDateTime::from_unix_timestamp(expires.as_second()).ok(),
            ..KeyInfo::default()
        };
        let client = session.blob_service()?;
        client.get_user_delegation_key(info.try_into()?, None).await?.into_model()
    };
    let key = session.call(request).await?;
    let value = key.value.ok_or_else(|| Fault::unexpected("a key without a value"))?;
    let fields = vec![
        ("skoid", key.signed_oid.unwrap_or_default()),
        ("sktid", key.signed_tid.unwrap_or_default()),
        ("skt", key.signed_start.map(time).unwrap_or_default()),
        ("ske", key.signed_expiry.map(time).unwrap_or_default()),
        ("sks", key.signed_service.unwrap_or_default()),
        ("skv", key.signed_version.unwrap_or_default()),
    ];
    Ok(LentKey { fields, value: Secret::new(base64::encode(value)) })
}

impl Terms {
    fn new(
        connection: &Connection,
        container: &str,
        name: &BlobName,
        access: &Access,
        expires: Timestamp,
    ) -> Self {
        let endpoint = &connection.blob_endpoint;
        let (permissions, disposition) = match access {
            Access::Read { file_name } => ("r", format!("attachment; filename=\"{file_name}\"")),
            Access::Write => ("cw", String::new()),
        };
        Self {
            permissions,
            expires: seconds(expires),
            protocol: if endpoint.scheme() == "https" { "https" } else { "https,http" },
            resource: format!("/blob/{}/{container}/{name}", account(endpoint)),
            disposition,
        }
    }

    fn signed_with_account_key(&self, key: &Secret) -> Result<Vec<(&'static str, String)>, Fault> {
        let signature = hmac_sha256(&self.text(&[""]), key)?;
        Ok(self.query(Vec::new(), signature))
    }

    fn signed_with_lent_key(&self, key: LentKey) -> Result<Vec<(&'static str, String)>, Fault> {
        let mut signed: Vec<&str> = key.fields.iter().map(|(_, value)| value.as_str()).collect();
        // Users it is restricted to, and an id to find it by: none.
        signed.extend(["", "", ""]);
        let signature = hmac_sha256(&self.text(&signed), &key.value)?;
        Ok(self.query(key.fields, signature))
    }

    /// The text that is signed. `key` stands after the resource: the fields of a lent key, or for an
    /// account key the name of a stored policy.
    fn text(&self, key: &[&str]) -> String {
        let mut lines = vec![self.permissions, "", &self.expires, &self.resource];
        lines.extend(key);
        // Address range, protocol, version, kind of resource, snapshot, encryption scope.
        lines.extend(["", self.protocol, VERSION, "b", "", ""]);
        // Cache control, disposition, encoding, language, type of what is read.
        lines.extend(["", &self.disposition, "", "", ""]);
        lines.join("\n")
    }

    fn query(&self, key: Vec<(&'static str, String)>, signature: String) -> Vec<(&'static str, String)> {
        let mut query = vec![
            ("sp", self.permissions.to_owned()),
            ("se", self.expires.clone()),
            ("spr", self.protocol.to_owned()),
            ("sv", VERSION.to_owned()),
            ("sr", "b".to_owned()),
        ];
        query.extend(key);
        if !self.disposition.is_empty() {
            query.push(("rscd", self.disposition.clone()));
        }
        query.push(("sig", signature));
        query
    }
}

/// The account: the first part of the host's name, or for an emulator of the path.
fn account(endpoint: &Url) -> &str {
    match endpoint.path().trim_matches('/') {
        "" => endpoint.host_str().unwrap_or_default().split('.').next().unwrap_or_default(),
        path => path,
    }
}

/// As the service writes times: to the second.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn time(time: OffsetDateTime) -> String {
    Timestamp::from_second(time.unix_timestamp()).map_or_else(|_| String::new(), seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(access: &Access) -> Terms {
        let connection = Connection::parse(
            "AccountName=lab;AccountKey=c2VjcmV0",
            crate::store::azure::IdentitySource::Managed,
        );
        let name = BlobName::parse("a/b").unwrap();
        Terms::new(&connection.unwrap(), "jobs", &name, access, Timestamp::from_second(1_000).unwrap())
    }

    #[test]
    fn an_account_key_signs_the_fields_in_the_documented_order() {
        let text = terms(&Access::Write).text(&[""]);
        let expected =
            "cw\n\n1970-01-01T00:16:40Z\n/blob/lab/jobs/a/b\n\n\nhttps\n2022-11-02\nb\n\n\n\n\n\n\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_lent_key_signs_its_own_fields_too() {
        let fields = ["skoid", "sktid", "skt", "ske", "sks", "skv"];
        let values = ["oid", "tid", "1970-01-01T00:00:00Z", "1970-01-01T00:33:20Z", "b", "2022-11-02"];
        let fields = fields.into_iter().zip(values.map(str::to_owned)).collect();
        let key = LentKey { fields, value: Secret::new("c2VjcmV0") };
        let terms = terms(&Access::Read { file_name: "x.tsv".to_owned() });
        let query = terms.signed_with_lent_key(key).unwrap();
        let expected = "r\n\n1970-01-01T00:16:40Z\n/blob/lab/jobs/a/b\noid\ntid\n1970-01-01T00:00:00Z\n\
             1970-01-01T00:33:20Z\nb\n2022-11-02\n\n\n\n\nhttps\n2022-11-02\nb\n\n\n\n\
             attachment; filename=\"x.tsv\"\n\n\n";
        let signature = hmac_sha256(expected, &Secret::new("c2VjcmV0")).unwrap();
        assert_eq!(query.last(), Some(&("sig", signature)));
        for field in ["skoid", "sktid", "skt", "ske", "sks", "skv", "rscd"] {
            assert_eq!(query.iter().filter(|(name, _)| *name == field).count(), 1, "{field}");
        }
    }

    #[test]
    fn the_account_is_in_the_host_or_for_an_emulator_in_the_path() {
        for url in ["https://lab.blob.core.windows.net", "http://127.0.0.1:10000/lab"] {
            assert_eq!(account(&Url::parse(url).unwrap()), "lab");
        }
    }
}
