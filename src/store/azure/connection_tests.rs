//! Connection strings, good and bad, one by one.

use super::*;

const KEY: &str = "c2VjcmV0IGtleQ==";

fn parse(text: &str) -> Result<Connection, ConnectionError> {
    Connection::parse(text, IdentitySource::Managed)
}

fn endpoints(connection: &Connection) -> [&str; 2] {
    [connection.blob_endpoint.as_str(), connection.queue_endpoint.as_str()]
}

#[test]
fn an_account_and_key_lie_in_the_public_cloud() {
    let connection = parse(&format!("AccountName=skyblast;AccountKey={KEY}")).unwrap();
    assert_eq!(
        endpoints(&connection),
        ["https://skyblast.blob.core.windows.net/", "https://skyblast.queue.core.windows.net/"]
    );
    let Authentication::SharedKey { account, key } = &connection.authentication else { panic!() };
    assert_eq!((account.as_str(), key.secret()), ("skyblast", KEY));
}

#[test]
fn the_portals_own_string_is_understood() {
    let text = format!(
        "DefaultEndpointsProtocol=https;AccountName=skyblast;AccountKey={KEY};EndpointSuffix=core.chinacloudapi.cn;"
    );
    let connection = parse(&text).unwrap();
    assert_eq!(
        endpoints(&connection),
        ["https://skyblast.blob.core.chinacloudapi.cn/", "https://skyblast.queue.core.chinacloudapi.cn/"]
    );
}

#[test]
fn given_endpoints_win_and_lose_their_last_slash() {
    let text = format!(
        "accountname=devstoreaccount1; ACCOUNTKEY={KEY};BlobEndpoint=http://127.0.0.1:1/devstoreaccount1/;\
         QueueEndpoint=http://127.0.0.1:2/devstoreaccount1;TableEndpoint=http://127.0.0.1:3/devstoreaccount1;"
    );
    let connection = parse(&text).unwrap();
    assert_eq!(
        endpoints(&connection),
        ["http://127.0.0.1:1/devstoreaccount1", "http://127.0.0.1:2/devstoreaccount1"]
    );
}

#[test]
fn the_emulator_has_its_own_ports_wherever_it_runs() {
    assert_eq!(
        endpoints(&parse("UseDevelopmentStorage=true").unwrap()),
        ["http://127.0.0.1:10000/devstoreaccount1", "http://127.0.0.1:10001/devstoreaccount1"]
    );
    assert_eq!(
        endpoints(&parse("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite/").unwrap()),
        ["http://azurite:10000/devstoreaccount1", "http://azurite:10001/devstoreaccount1"]
    );
}

#[test]
fn a_signature_needs_no_account() {
    let text = "BlobEndpoint=https://a.example;QueueEndpoint=https://b.example;\
                SharedAccessSignature=?sv=2022-11-02&ss=bq&sig=c2lnbmF0dXJl%3D";
    let Authentication::Signature(query) = parse(text).unwrap().authentication else { panic!() };
    assert_eq!(query.secret(), "sv=2022-11-02&ss=bq&sig=c2lnbmF0dXJl%3D");
}

#[test]
fn without_key_and_signature_an_identity_is_used() {
    let connection = parse("AccountName=skyblast;ClientId=1234").unwrap();
    let Authentication::Identity(identity) = connection.authentication else { panic!() };
    assert_eq!(identity, Identity { client_id: Some("1234".into()), source: IdentitySource::Managed });
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        ("AccountName=skyblast;AccountKye=abc", "\"AccountKye\" is not a field"),
        ("AccountName=skyblast;AccountKey", "part 2 of the connection string"),
        ("AccountName=skyblast;AccountKey=no base64!", "AccountKey is not base64"),
        ("AccountKey=c2VjcmV0", "AccountName is missing"),
        ("AccountName=Sky_Blast", "AccountName is not the name of a storage account"),
        (
            "AccountName=skyblast;DefaultEndpointsProtocol=ftp",
            "DefaultEndpointsProtocol is not http or https",
        ),
        ("AccountName=skyblast;EndpointSuffix=no domain", "EndpointSuffix is not a domain"),
        ("BlobEndpoint=https://a.example", "QueueEndpoint is missing"),
        ("BlobEndpoint=a.example;QueueEndpoint=https://b.example", "BlobEndpoint is not an address"),
        (
            "BlobEndpoint=https://a.example?sig=x;QueueEndpoint=https://b.example",
            "BlobEndpoint is not an address",
        ),
        (
            "BlobEndpoint=http://a.example;QueueEndpoint=https://b.example",
            "the blob endpoint must start with https",
        ),
        (
            "AccountName=skyblast;SharedAccessSignature=sv=2022-11-02",
            "SharedAccessSignature is not a query string",
        ),
        ("UseDevelopmentStorage=yes", "UseDevelopmentStorage is not true"),
        ("", "BlobEndpoint is missing"),
    ];
    for (text, expected) in cases {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?} gives {error:?}");
    }
}

#[test]
fn errors_and_debug_output_show_no_secret() {
    let key = parse("AccountName=skyblast;AccountKey=c2VjcmV0").unwrap();
    let signature = parse("AccountName=skyblast;SharedAccessSignature=sv=1&sig=c2VjcmV0").unwrap();
    let wrong_key = parse("AccountName=skyblast;AccountKey=c2VjcmV0!").unwrap_err();
    let bare_key = parse("AccountName=skyblast;c2VjcmV0").unwrap_err();
    for shown in [
        format!("{key:?} {key}"),
        format!("{signature:?} {signature}"),
        format!("{wrong_key:?} {wrong_key}"),
        format!("{bare_key:?} {bare_key}"),
    ] {
        assert!(!shown.contains("c2VjcmV0"), "{shown}");
    }
}

#[test]
fn the_identity_follows_the_platform() {
    let detect =
        |set: &'static [&str]| IdentitySource::detect(|name| set.contains(&name).then(|| "x".to_owned()));
    assert_eq!(detect(&["IDENTITY_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE"]), IdentitySource::Managed);
    assert_eq!(detect(&["AZURE_FEDERATED_TOKEN_FILE"]), IdentitySource::Workload);
    assert_eq!(detect(&[]), IdentitySource::DeveloperTools);
}
