//! What only a remote service can show: busy, broken, unreachable, gone and back, signatures.

use std::time::{Duration, Instant};

use azure_core::credentials::Secret;
use azure_core::hmac::hmac_sha256;
use bytes::Bytes;
use futures::TryStreamExt;
use skyblast::store::azure::{AzureBlobs, AzureQueue, AzureStore, Connection, IdentitySource, Patience};
use skyblast::store::{BlobName, BlobStore, ErrorKind, Location, Queue, Written};

use crate::common::azurite::{ACCOUNT, Azurite, KEY, unique_name};
use crate::scripted::{Answer, Scripted};

const IMPATIENT: Patience = Patience {
    connect: Duration::from_secs(1),
    idle: Duration::from_millis(500),
    call: Duration::from_secs(4),
    retries: 2,
};

/// A signature with a secret that can be searched for.
const SIGNATURE: &str = "sv=2022-11-02&ss=bq&sig=c2VjcmV0";

fn open(connection: &str) -> AzureStore {
    AzureStore::open(Connection::parse(connection, IdentitySource::DeveloperTools).unwrap(), IMPATIENT)
        .unwrap()
}

fn with_key(port: u16) -> AzureStore {
    let endpoint = format!("http://127.0.0.1:{port}/{ACCOUNT}");
    open(&format!("AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};QueueEndpoint={endpoint}"))
}

fn with_signature(port: u16) -> AzureStore {
    let endpoint = format!("http://127.0.0.1:{port}");
    open(&format!("BlobEndpoint={endpoint};QueueEndpoint={endpoint};SharedAccessSignature={SIGNATURE}"))
}

fn blobs(server: &Scripted) -> AzureBlobs {
    with_key(server.port).blobs("jobs").unwrap()
}

fn queue(server: &Scripted) -> AzureQueue {
    with_key(server.port).queue("plans").unwrap()
}

fn name(text: &str) -> BlobName {
    BlobName::parse(text).unwrap()
}

fn written() -> Answer {
    Answer::Reply(201, vec![("etag", "\"0x1\"".into())], Vec::new())
}

fn content(text: &str) -> Answer {
    Answer::Reply(200, vec![("etag", "\"0x1\"".into())], text.into())
}

/// A port that nothing listens on.
fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_busy_service_is_asked_again_when_it_says_signed_anew() {
    let busy = Answer::Reply(429, vec![("retry-after", "2".into())], Vec::new());
    let server = Scripted::start([busy, written()]).await;
    let start = Instant::now();
    blobs(&server).put(&name("a"), "1".into()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(2), "came back after {:?}", start.elapsed());
    let signatures = server.header("authorization");
    assert_eq!(signatures.len(), 2);
    assert_ne!(signatures[0], signatures[1]);
}

#[tokio::test]
async fn a_service_that_stays_busy_is_throttling() {
    let server = Scripted::start([Answer::status(503, "ServerBusy")]).await;
    let error = blobs(&server).get(&name("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(error.to_string().starts_with("could not read blob jobs/a: the service answered 503 ServerBusy"));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_service_error_is_transient() {
    let server = Scripted::start([Answer::status(500, "InternalError")]).await;
    let error = queue(&server).receive(1, Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_final_and_says_what_to_check() {
    let server = Scripted::start([Answer::status(403, "AuthorizationPermissionMismatch")]).await;
    for error in [
        blobs(&server).put_if_absent(&name("a"), "1".into()).await.unwrap_err(),
        blobs(&server).info(&name("a")).await.unwrap_err(),
        blobs(&server).list("").try_collect::<Vec<_>>().await.unwrap_err(),
        queue(&server).send("x", Duration::ZERO).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().contains("Storage Blob Data Contributor"), "{error}");
    }
    assert_eq!(server.requests().len(), 4);
}

/// That there is no such blob is believed when the service has said so to the end; until then it may be asked again.
#[tokio::test]
async fn a_refusal_that_breaks_off_is_none() {
    let broken = Answer::BreakOff(404, 300, b"<?xml version=\"1.0\"?><Error><Code>BlobNot".into());
    let server = Scripted::start([broken]).await;
    assert_eq!(blobs(&server).get(&name("a")).await.unwrap_err().kind(), ErrorKind::Transient);
    let server = Scripted::start([Answer::status(404, "BlobNotFound")]).await;
    assert_eq!(blobs(&server).get(&name("a")).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_page_of_a_listing_that_breaks_off_is_asked_for_again() {
    let page = "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"jobs\"><Blobs>\
                <Blob><Name>a</Name><Properties><Last-Modified>Fri, 27 Nov 2026 10:00:00 GMT</Last-Modified>\
                <Etag>0x1</Etag><Content-Length>3</Content-Length><BlobType>BlockBlob</BlobType></Properties>\
                <Metadata><note>7</note></Metadata></Blob></Blobs><NextMarker /></EnumerationResults>";
    let half = page.as_bytes()[..page.len() / 2].to_vec();
    let xml = |body: Vec<u8>| Answer::Reply(200, vec![("content-type", "application/xml".into())], body);
    let broken = [
        // The connection ends, or what lies between takes half for the whole, or the head is all there is.
        Answer::BreakOff(200, page.len(), half.clone()),
        xml(half),
        Answer::BreakOff(200, page.len(), Vec::new()),
    ];
    for broken in broken {
        let server = Scripted::start([broken, xml(page.into())]).await;
        let listed = blobs(&server).list("").try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].name.as_str(), listed[0].length, listed[0].note), ("a", 3, Some(7)));
    }
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up() {
    let server = Scripted::start([Answer::Hang]).await;
    let start = Instant::now();
    let error = blobs(&server).get(&name("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(start.elapsed() < Duration::from_secs(5), "gave up after {:?}", start.elapsed());
}

#[tokio::test]
async fn a_closed_port_fails_within_seconds() {
    let store = with_key(closed_port());
    let start = Instant::now();
    let blob = store.blobs("jobs").unwrap().put(&name("a"), "1".into()).await.unwrap_err();
    let message = store.queue("plans").unwrap().send("x", Duration::ZERO).await.unwrap_err();
    for error in [blob, message] {
        assert_eq!(error.kind(), ErrorKind::Transient);
        assert!(error.to_string().contains("refused"), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(8), "gave up after {:?}", start.elapsed());
}

#[tokio::test]
async fn a_signature_never_shows() {
    let hanging = Scripted::start([Answer::Hang]).await.port;
    let refusing = Scripted::start([Answer::status(403, "AuthenticationFailed")]).await.port;
    let breaking = Scripted::start([Answer::BreakOff(200, 10, b"12".into())]).await.port;
    for port in [closed_port(), hanging, refusing, breaking] {
        let store = with_signature(port);
        let (blobs, queue) = (store.blobs("jobs").unwrap(), store.queue("plans").unwrap());
        let of_blob = blobs.get(&name("a")).await.unwrap_err();
        let of_list = blobs.list("").try_collect::<Vec<_>>().await.unwrap_err();
        let of_queue = queue.receive(1, Duration::from_secs(1)).await.unwrap_err();
        let shown = format!(
            "{of_blob} {of_blob:?} {of_list} {of_list:?} {of_queue} {of_queue:?} {store:?} {blobs:?} {queue:?}"
        );
        assert!(!shown.contains("c2VjcmV0") && !shown.contains("sig="), "{shown}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_still_counts_as_the_writers_own() {
    let lost = [Answer::Close, Answer::status(409, "BlobAlreadyExists"), Answer::FirstWriterHead];
    let server = Scripted::start(lost).await;
    assert_eq!(blobs(&server).put_if_absent(&name("a"), "1".into()).await.unwrap(), Written::Created);

    let lost = [Answer::Close, Answer::status(412, "ConditionNotMet"), Answer::FirstWriterHead];
    let server = Scripted::start(lost).await;
    let tag = skyblast::store::ETag("\"0x0\"".into());
    assert_eq!(blobs(&server).put_if_match(&name("a"), "1".into(), &tag).await.unwrap().0, "\"0x1\"");
    assert_eq!(server.header("if-match"), [tag.0.clone(), tag.0]);
}

#[tokio::test]
async fn a_write_that_another_has_made_does_not_count() {
    let other = vec![("etag", "\"0x1\"".into()), ("x-ms-meta-writer", "other".into())];
    let taken = [Answer::status(409, "BlobAlreadyExists"), Answer::Reply(200, other, Vec::new())];
    let server = Scripted::start(taken).await;
    assert_eq!(blobs(&server).put_if_absent(&name("a"), "1".into()).await.unwrap(), Written::AlreadyExists);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_read_again() {
    let server = Scripted::start([Answer::BreakOff(200, 10, b"01234".into()), content("0123456789")]).await;
    assert_eq!(blobs(&server).get(&name("a")).await.unwrap(), "0123456789");
    let server = Scripted::start([Answer::BreakOff(200, 10, b"01234".into())]).await;
    assert_eq!(blobs(&server).get(&name("a")).await.unwrap_err().kind(), ErrorKind::Transient);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_blob_replaced_while_it_is_read_is_a_conflict() {
    let headers = vec![("etag", "\"0x1\"".into()), ("content-range", "bytes 0-8388607/8388610".into())];
    let first = Answer::Reply(206, headers, vec![0; 8 << 20]);
    let server = Scripted::start([first, Answer::status(412, "ConditionNotMet")]).await;
    assert_eq!(blobs(&server).get(&name("a")).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(server.header("if-match"), ["\"0x1\""]);
}

#[tokio::test]
async fn a_missing_container_is_created_by_the_first_write() {
    let missing = [Answer::status(404, "ContainerNotFound"), written(), written()];
    let server = Scripted::start(missing).await;
    blobs(&server).put(&name("a"), "1".into()).await.unwrap();
    let lines = server.requests();
    assert!(lines[1].starts_with(&format!("PUT /{ACCOUNT}/jobs?restype=container")), "{}", lines[1]);
    assert!(lines[2].starts_with(&format!("PUT /{ACCOUNT}/jobs/a ")), "{}", lines[2]);
}

#[tokio::test]
async fn text_of_others_is_delivered_as_it_is_and_base64_of_an_earlier_version_is_decoded() {
    for (text, body) in
        [("{not base64}", "{not base64}"), ("eyJhIjoxfQ==", "{\"a\":1}"), ("ZG9uZQ==", "ZG9uZQ==")]
    {
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList><QueueMessage>\
             <MessageId>5974b586-0df3-4e2d-ad0c-18e3892bfca2</MessageId><PopReceipt>YzQ4Yzg1MDI=</PopReceipt>\
             <DequeueCount>3</DequeueCount><MessageText>{text}</MessageText></QueueMessage></QueueMessagesList>"
        );
        let server = Scripted::start([content(&xml)]).await;
        let delivery = queue(&server).receive(1, Duration::from_secs(1)).await.unwrap().pop().unwrap();
        assert_eq!((delivery.body.as_str(), delivery.dequeue_count), (body, 3));
    }
}

#[tokio::test]
async fn bodies_travel_as_they_are() {
    use azure_storage_queue::models::QueueClientPeekMessagesOptions;
    let queue_name = unique_name("plain");
    let signed = open(&signed_connection());
    signed.queue(&queue_name).unwrap().send("{\"a\":1}", Duration::ZERO).await.unwrap();
    let url = format!("{}/{queue_name}?{}", Azurite::shared().queue_endpoint(), account_signature());
    let client = azure_storage_queue::QueueClient::new(url.parse().unwrap(), None, None).unwrap();
    let peeked = client.peek_messages(Some(QueueClientPeekMessagesOptions::default())).await.unwrap();
    let messages = peeked.into_model().unwrap().items.unwrap();
    assert_eq!(messages[0].message_text.as_deref(), Some("{\"a\":1}"));
}

#[tokio::test]
async fn an_account_signature_is_enough_for_blobs_and_queues() {
    let store = open(&signed_connection());
    let blobs = store.blobs(&unique_name("signed")).unwrap();
    let large = Bytes::from(vec![5; 9 << 20]);
    let parts = [name("parts/0")];
    blobs.put(&parts[0], large.clone()).await.unwrap();
    let composed = blobs.compose_if_absent(&name("report"), "<".into(), &parts, ">".into()).await;
    assert_eq!(composed.unwrap(), Written::Created);
    assert!(blobs.get(&name("report")).await.unwrap() == ["<".as_bytes(), &large, b">"].concat());
    let queue = store.queue(&unique_name("signed")).unwrap();
    queue.send("x", Duration::ZERO).await.unwrap();
    let mut delivery = queue.receive(1, Duration::from_secs(60)).await.unwrap().pop().unwrap();
    queue.renew(&mut delivery, Duration::from_secs(90)).await.unwrap();
    queue.delete(&delivery).await.unwrap();
}

#[tokio::test]
async fn a_wrong_key_is_denied() {
    let wrong = Azurite::shared().connection_string().replace(KEY, "d3Jvbmcga2V5");
    let error = open(&wrong).blobs("jobs").unwrap().get(&name("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
}

#[tokio::test]
async fn a_service_that_stops_and_comes_back_has_lost_nothing() {
    let mut azurite = Azurite::persistent();
    let store = open(&azurite.connection_string());
    let (blobs, queue) = (store.blobs("jobs").unwrap(), store.queue("plans").unwrap());
    blobs.put(&name("a"), "kept".into()).await.unwrap();
    queue.send("kept", Duration::ZERO).await.unwrap();
    azurite.stop();
    let start = Instant::now();
    assert_eq!(blobs.get(&name("a")).await.unwrap_err().kind(), ErrorKind::Transient);
    assert_eq!(queue.send("x", Duration::ZERO).await.unwrap_err().kind(), ErrorKind::Transient);
    assert!(start.elapsed() < Duration::from_secs(10), "gave up after {:?}", start.elapsed());
    azurite.restart();
    assert_eq!(blobs.get(&name("a")).await.unwrap(), "kept");
    let deliveries = queue.receive(32, Duration::from_secs(60)).await.unwrap();
    assert_eq!(deliveries.iter().map(|delivery| delivery.body.as_str()).collect::<Vec<_>>(), ["kept"]);
}

#[tokio::test]
async fn the_platforms_identity_gives_the_token() {
    let token = r#"{"access_token":"t0ken","expires_on":"4102444800","resource":"r","token_type":"Bearer"}"#;
    let platform = Scripted::start([content(token)]).await;
    let output = with_identity(platform.port).await;
    // The token was taken and the blob service was tried, on a port that is closed.
    assert!(output.contains("could not read blob jobs/a: no connection to the service"), "{output}");
    let request = platform.requests().pop().unwrap();
    assert!(request.contains("client_id=1234") && request.contains("storage.azure.com"), "{request}");
    assert_eq!(platform.header("x-identity-header"), ["proof"]);
}

#[tokio::test]
async fn an_identity_without_token_is_denied() {
    let platform = Scripted::start([Answer::status(400, "")]).await;
    let output = with_identity(platform.port).await;
    assert!(output.contains("could not read blob jobs/a: no token for the identity"), "{output}");
    assert!(output.contains("Denied"), "{output}");
}

/// What [`play_identity`] prints in a process that has such a platform's variables.
async fn with_identity(platform_port: u16) -> String {
    let endpoint = format!("https://127.0.0.1:{}", closed_port());
    let output = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["azure::play_identity", "--exact", "--ignored", "--nocapture"])
        .env("IDENTITY_ENDPOINT", format!("http://127.0.0.1:{platform_port}/token"))
        .env("IDENTITY_HEADER", "proof")
        .env("SKYBLAST_BLOB_ENDPOINT", &endpoint)
        .env("SKYBLAST_QUEUE_ENDPOINT", &endpoint)
        .env("AZURE_CLIENT_ID", "1234")
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
#[ignore = "other tests run it as a process of its own"]
async fn play_identity() {
    let location = Location::from_variables(|name| std::env::var(name).ok()).unwrap().unwrap();
    let error = location.open().unwrap().blobs("jobs").unwrap().get(&name("a")).await.unwrap_err();
    println!("{error} ({:?})", error.kind());
}

fn signed_connection() -> String {
    let azurite = Azurite::shared();
    format!(
        "BlobEndpoint={};QueueEndpoint={};SharedAccessSignature={}",
        azurite.blob_endpoint(),
        azurite.queue_endpoint(),
        account_signature()
    )
}

/// A signature for everything on blobs and queues of the emulator's account
/// (learn.microsoft.com, "Create an account SAS").
fn account_signature() -> String {
    let (permissions, services, kinds, version) = ("rwdlacup", "bq", "sco", "2022-11-02");
    let (start, end) = ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
    let text =
        format!("{ACCOUNT}\n{permissions}\n{services}\n{kinds}\n{start}\n{end}\n\nhttps,http\n{version}\n\n");
    let signature = hmac_sha256(&text, &Secret::new(KEY)).unwrap();
    let encoded = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!(
        "sv={version}&ss={services}&srt={kinds}&sp={permissions}&st={start}&se={end}&spr=https,http&sig={encoded}"
    )
}
