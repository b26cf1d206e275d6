//! Locations from texts and variables, good and bad.

use super::*;

const KEY: &str = "AccountName=skyblast;AccountKey=c2VjcmV0";

fn variables(set: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    |name| set.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
}

fn found(set: &'static [(&'static str, &'static str)]) -> String {
    Location::from_variables(variables(set)).unwrap().map_or("nothing".into(), |found| found.to_string())
}

fn refused(set: &'static [(&'static str, &'static str)]) -> String {
    Location::from_variables(variables(set)).unwrap_err().to_string()
}

#[test]
fn a_path_is_a_folder_and_a_connection_string_an_account() {
    let parse = |text| Location::parse(text, |_| None);
    for path in ["data", "./a=b", "/srv/sky blast", "AccountName"] {
        assert!(matches!(parse(path).unwrap(), Location::Folder(folder) if folder.as_os_str() == path));
    }
    assert_eq!(parse(KEY).unwrap().to_string(), "https://skyblast.blob.core.windows.net/");
    assert!(matches!(parse("usedevelopmentstorage=true").unwrap(), Location::Account(_)));
    assert_eq!(parse("  ").unwrap_err(), LocationError::Empty);
    let address = parse("https://a.blob.core.windows.net/jobs?sig=c2VjcmV0").unwrap_err().to_string();
    assert!(address.starts_with("https://a.blob.core.windows.net/jobs is an address"), "{address}");
    assert!(!format!("{:?}", parse(KEY).unwrap()).contains("c2VjcmV0"));
}

#[test]
fn variables_are_read_in_order_and_empty_ones_do_not_count() {
    assert_eq!(found(&[]), "nothing");
    assert_eq!(found(&[("SKYBLAST_STORAGE", " "), ("AzureWebJobsStorage", "")]), "nothing");
    assert_eq!(found(&[("AzureWebJobsStorage", KEY), ("SKYBLAST_STORAGE", "data")]), "data");
    let endpoints = &[
        ("AzureWebJobsStorage", KEY),
        ("SKYBLAST_BLOB_ENDPOINT", "https://blobs.example"),
        ("SKYBLAST_QUEUE_ENDPOINT", "https://queues.example"),
    ];
    assert_eq!(found(endpoints), "https://blobs.example/");
    assert_eq!(found(&[("AzureWebJobsStorage", KEY)]), "https://skyblast.blob.core.windows.net/");
    let account = &[("AzureWebJobsStorage__accountName", "host")];
    assert_eq!(found(account), "https://host.blob.core.windows.net/");
    let services = &[
        ("AzureWebJobsStorage__blobServiceUri", "https://host.blob.example/"),
        ("AzureWebJobsStorage__queueServiceUri", "https://host.queue.example/"),
    ];
    assert_eq!(found(services), "https://host.blob.example/");
}

#[test]
fn the_client_id_of_the_same_family_is_used() {
    let shown = |set| format!("{:?}", Location::from_variables(variables(set)).unwrap());
    let own = shown(&[
        ("SKYBLAST_BLOB_ENDPOINT", "https://b.example"),
        ("SKYBLAST_QUEUE_ENDPOINT", "https://q.example"),
        ("AZURE_CLIENT_ID", "own"),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:1"),
    ]);
    assert!(own.contains("client_id: Some(\"own\"), source: Managed"), "{own}");
    let host = shown(&[
        ("AzureWebJobsStorage__accountName", "host"),
        ("AzureWebJobsStorage__clientId", "hosts"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
    ]);
    assert!(host.contains("client_id: Some(\"hosts\"), source: Workload"), "{host}");
}

#[test]
fn errors_name_the_variable_and_what_is_wrong() {
    assert_eq!(
        refused(&[("AzureWebJobsStorage", "AccountKey=c2VjcmV0")]),
        "the variable AzureWebJobsStorage is wrong: AccountName is missing: \
         give the account that AccountKey belongs to"
    );
    assert_eq!(
        refused(&[("SKYBLAST_QUEUE_ENDPOINT", "https://q.example")]),
        "the variable SKYBLAST_QUEUE_ENDPOINT is set but SKYBLAST_BLOB_ENDPOINT is not: set both"
    );
    let wrong_queue = refused(&[
        ("AzureWebJobsStorage__blobServiceUri", "https://b.example"),
        ("AzureWebJobsStorage__queueServiceUri", "http://q.example"),
    ]);
    assert!(wrong_queue.starts_with("the variable AzureWebJobsStorage__queueServiceUri is wrong"));
    assert!(wrong_queue.ends_with("the queue endpoint must start with https:// when an identity is used"));
    let account = refused(&[("AzureWebJobsStorage__accountName", "Not An Account")]);
    assert!(account.starts_with("the variable AzureWebJobsStorage__accountName is wrong"), "{account}");
}

#[tokio::test]
async fn an_account_opens_without_being_reachable() {
    for text in [KEY, "AccountName=skyblast", "AccountName=skyblast;SharedAccessSignature=sig=c2VjcmV0"] {
        let store = Location::parse(text, |_| None).unwrap().open().unwrap();
        store.blobs("jobs").unwrap();
        store.queue("plans").unwrap();
        assert!(store.blobs("No Such Name").is_err());
    }
}
