//! Addresses that are good for one blob and one purpose, for a while.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use skyblast::store::azure::{AzureBlobs, AzureStore, Connection, IdentitySource, Patience};
use skyblast::store::local::LocalStore;
use skyblast::store::{Access, BlobName, BlobStore};

use crate::common::azurite::{Azurite, unique_name};

const LONG: Duration = Duration::from_secs(600);

fn blobs() -> AzureBlobs {
    let connection = Connection::parse(&Azurite::shared().connection_string(), IdentitySource::Managed);
    let store = AzureStore::open(connection.unwrap(), Patience::default()).unwrap();
    store.blobs(&unique_name("grants")).unwrap()
}

fn name(text: &str) -> BlobName {
    BlobName::parse(text).unwrap()
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn grant(blobs: &AzureBlobs, blob: &str, access: Access, lifetime: Duration) -> String {
    blobs.grant(&name(blob), access, lifetime).await.unwrap().unwrap().url
}

fn reading() -> Access {
    Access::Read { file_name: "hits.tsv".to_owned() }
}

async fn put(url: &str, content: &'static str) -> StatusCode {
    let request =
        client().put(url).header("x-ms-blob-type", "BlockBlob").header("x-ms-version", "2022-11-02");
    request.body(content).send().await.unwrap().status()
}

#[tokio::test]
async fn a_grant_to_read_reads_its_blob_and_nothing_else() {
    let blobs = blobs();
    blobs.put(&name("a/b"), "content".into()).await.unwrap();
    blobs.put(&name("a/c"), "another".into()).await.unwrap();
    let url = grant(&blobs, "a/b", reading(), LONG).await;
    let answer = client().get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"hits.tsv\"");
    assert_eq!(answer.text().await.unwrap(), "content");

    assert_eq!(put(&url, "other").await, StatusCode::FORBIDDEN);
    let other = client().get(url.replace("/a/b?", "/a/c?")).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::FORBIDDEN);
    let longer = client().get(url.replace("&se=20", "&se=21").replace("?se=20", "?se=21"));
    assert_eq!(longer.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(blobs.get(&name("a/b")).await.unwrap(), "content");
}

#[tokio::test]
async fn a_grant_to_write_writes_its_blob_and_reads_nothing() {
    let blobs = blobs();
    blobs.put(&name("other"), "1".into()).await.unwrap();
    let url = grant(&blobs, "input", Access::Write, LONG).await;
    assert_eq!(put(&url, "queries").await, StatusCode::CREATED);
    assert_eq!(blobs.get(&name("input")).await.unwrap(), "queries");
    assert_eq!(client().get(&url).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(put(&url.replace("/input?", "/other?"), "2").await, StatusCode::FORBIDDEN);
    assert_eq!(client().delete(&url).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_expired_grant_is_refused() {
    let blobs = blobs();
    blobs.put(&name("a"), "1".into()).await.unwrap();
    let url = grant(&blobs, "a", reading(), Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(client().get(&url).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn who_has_no_key_makes_no_grants_and_debug_output_shows_none() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalStore::open(folder.path()).unwrap().blobs("jobs").unwrap();
    assert_eq!(local.grant(&name("a"), reading(), LONG).await.unwrap(), None);
    let text = "BlobEndpoint=https://x.example;QueueEndpoint=https://x.example;SharedAccessSignature=sig=abc";
    let connection = Connection::parse(text, IdentitySource::Managed).unwrap();
    let signed = AzureStore::open(connection, Patience::default()).unwrap().blobs("jobs").unwrap();
    assert_eq!(signed.grant(&name("a"), reading(), LONG).await.unwrap(), None);
    let grant = blobs().grant(&name("a"), reading(), LONG).await.unwrap();
    assert!(!format!("{grant:?}").contains("sig="), "{grant:?}");
}
