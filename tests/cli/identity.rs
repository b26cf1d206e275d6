//! A managed identity and no key at all, as in the cloud: tokens, and addresses that are signed with a
//! key which the service lends to the identity.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use azure_core::base64::encode_url_safe;
use jiff::Timestamp;
use serde_json::json;

use crate::common::azurite::Azurite;
use crate::common::command::{end, skyblast};
use crate::common::examples::{self, DATABASE};
use crate::common::in_process::assert_same_report;
use crate::common::process::Server;

/// An emulator that wants tokens, and the platform's source of them.
struct Platform {
    folder: tempfile::TempDir,
    azurite: Azurite,
    identity: String,
}

impl Platform {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, issued.cert.pem()).unwrap();
        std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
        let azurite = Azurite::with_tokens(&certificate, &key);
        Self { folder, azurite, identity: serve_tokens() }
    }

    /// Where the storage is; it holds no secret.
    fn storage(&self) -> String {
        let https = |address: String| address.replace("http:", "https:");
        let (blobs, queues) = (https(self.azurite.blob_endpoint()), https(self.azurite.queue_endpoint()));
        format!("BlobEndpoint={blobs};QueueEndpoint={queues}")
    }

    /// Gives a command what the platform gives a function.
    fn adapt<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let certificate: PathBuf = self.folder.path().join("cert.pem");
        command
            .env("IDENTITY_ENDPOINT", &self.identity)
            .env("IDENTITY_HEADER", "secret")
            .env("SSL_CERT_FILE", certificate)
    }
}

/// Answers every request with a token of the kind that the emulator takes: it looks at the claims, not
/// at the signature. Returns the address.
fn serve_tokens() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/msi/token", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = BufReader::new(connection.try_clone().unwrap()).lines();
            while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let body = token().to_string();
            let head = "Content-Type: application/json\r\nConnection: close";
            let length = body.len();
            write!(connection, "HTTP/1.1 200 OK\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
                .unwrap();
        }
    });
    address
}

fn token() -> serde_json::Value {
    let now = Timestamp::now().as_second();
    let id = "11111111-2222-3333-4444-555555555555";
    let claims = json!({
        "aud": "https://storage.azure.com", "iss": format!("https://sts.windows.net/{id}/"),
        "iat": now - 60, "nbf": now - 60, "exp": now + 3_600, "oid": id, "tid": id,
    });
    let part = |value: serde_json::Value| encode_url_safe(value.to_string()).trim_end_matches('=').to_owned();
    let token = format!("{}.{}.c2ln", part(json!({ "alg": "RS256", "typ": "JWT" })), part(claims));
    json!({
        "access_token": token, "expires_on": (now + 3_600).to_string(),
        "resource": "https://storage.azure.com", "token_type": "Bearer",
    })
}

#[test]
fn an_identity_is_enough_for_databases_searches_uploads_and_large_reports() {
    let platform = Platform::start();
    let storage = platform.storage();
    let run = |arguments: &[&str]| end(platform.adapt(&mut skyblast(arguments)));
    let dir = examples::database().to_str().unwrap();
    run(&["databases", "add", DATABASE, "--dir", dir, "--storage", &storage]).ok();
    run(&["doctor", "--fix", "--no-search", "--storage", &storage]).ok();

    let adapt = |mut command: Command| {
        platform.adapt(&mut command);
        command
    };
    let small = ["--body-limit", "5000", "--redirect-bytes", "1"];
    let server = Server::start_by(adapt, Path::new(&storage), &small);
    let query = examples::queries();
    let submit = ["submit", "--query", query.to_str().unwrap(), "--database", DATABASE, "--wait"];
    let report = run(&[&submit[..], &["--server", &server.url]].concat()).ok();
    assert_same_report("by lent keys", &report, examples::report());
    let log = server.process.stderr();
    assert!(log.contains("/results\" status=302") && !log.contains("/parts/"), "{log}");
    run(&["doctor", "--server", &server.url]).ok();
}
