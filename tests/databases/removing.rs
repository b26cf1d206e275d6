//! Removing and collecting, while others need what is removed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use skyblast::database::Database;
use skyblast::jobs::{GRACE, JOBS, JobId, State};
use skyblast::store::BlobName;

use crate::common::examples;
use crate::site::Site;

/// Deletes what nothing refers to, at once; returns what is said of it.
fn collect_now(site: &Site) -> String {
    String::from_utf8(site.databases(&["gc", "--grace", "0s"]).ok()).unwrap()
}

pub(crate) async fn a_removed_database_is_still_searched_by_accepted_jobs(site: &Site) {
    let name = site.add("examples");
    // One job is laid out already, the other is not.
    let laid_out = site.submit("examples").await;
    site.complete(laid_out).await;
    let waiting = site.submit("examples").await;
    assert_eq!(site.databases(&["remove", "examples"]).ok(), format!("{name}\n").into_bytes());
    assert_eq!(site.names("examples/").await, Vec::<String>::new());
    assert!(collect_now(site).starts_with("deleted 0 volumes"), "a job needs them");
    let request = site.databases(&["show", "examples"]).failed(1);
    assert!(request.contains("there is no database \"examples\""), "{request}");

    let status = site.complete(waiting).await;
    assert_eq!(status.state, State::Completed);
    assert_eq!(status.database.to_string(), name, "the job says what it searched");
    assert!(site.report(waiting).await == examples::report());

    let rehearsal = site.databases(&["gc", "--grace", "0s", "--dry-run"]).ok();
    assert!(rehearsal.starts_with(b"would delete 6 volumes"));
    assert!(collect_now(site).starts_with("deleted 6 volumes"), "nobody needs them any more");
    assert_eq!(site.names("volumes/").await, Vec::<String>::new());
}

pub(crate) async fn a_version_can_be_pinned_and_removed(site: &Site) {
    let (old, new) = (site.add("x"), site.add_other("x"));
    let listed = String::from_utf8(site.databases(&["list"]).ok()).unwrap();
    assert!(listed.contains(&format!("{new} *\t22 sequences")), "{listed}");
    assert!(listed.contains(&format!("{old}\t1,490 sequences")), "{listed}");
    // What a bare name means is settled when the search is accepted.
    let (unpinned, pinned) = (site.submit("x").await, site.submit(&old).await);
    let error = site.databases(&["remove", &new]).failed(1);
    assert!(error.contains("skyblast databases use x@VERSION"), "{error}");
    site.databases(&["use", &old]).ok();
    assert_eq!(site.databases(&["remove", &new]).ok(), format!("{new}\n").into_bytes());
    assert_eq!(site.complete(unpinned).await.database.to_string(), new);
    assert_eq!(site.complete(pinned).await.database.to_string(), old);
    assert!(site.report(pinned).await == examples::report());
    assert!(collect_now(site).starts_with("deleted 1 volumes"), "that of the removed version");
    let shown = String::from_utf8(site.databases(&["show", "x"]).ok()).unwrap();
    assert!(shown.contains(&old) && shown.matches("volume ").count() == 6, "{shown}");
    for missing in [&new[..], "y", "y@z"] {
        let error = site.databases(&["remove", missing]).failed(1);
        assert!(error.contains("known databases: x"), "{error}");
    }
}

pub(crate) async fn nothing_is_collected_while_a_search_is_being_submitted(site: &Site) {
    site.add("x");
    site.databases(&["remove", "x"]).ok();
    let id = JobId::random().unwrap();
    let marker = BlobName::parse(format!("active/{id}")).unwrap();
    site.store.blobs(JOBS).unwrap().put(&marker, "".into()).await.unwrap();
    let said = site.databases(&["gc", "--grace", "0s"]);
    assert!(said.stderr.contains(&format!("search {id} is being submitted")), "{}", said.stderr);
    assert_eq!(site.names("volumes/").await.len(), 6);
    site.store.blobs(JOBS).unwrap().delete(&marker).await.unwrap();
    assert!(collect_now(site).starts_with("deleted 6 volumes"));
}

pub(crate) async fn what_is_claimed_again_is_spared(site: &Site) {
    site.add("x");
    site.databases(&["remove", "x"]).ok();
    let in_an_hour = Timestamp::now() + SignedDuration::from_hours(1);
    let hour = Duration::from_secs(3_600);
    let young = site.pipeline.collect_garbage(in_an_hour, 2 * hour, false).await.unwrap();
    assert_eq!((young.young, young.deleted), (6, 0), "the grace period is kept");

    // A collector that has listed the volumes comes to delete them after they were claimed.
    let listed = site.blobs().info(&volume(&site.names("volumes/").await[0])).await.unwrap().unwrap();
    let database = Database::open(examples::database()).unwrap();
    site.pipeline.catalog().publish("x", &database, &|_| ()).await.unwrap();
    assert!(!site.blobs().delete_if_match(&listed.name, &listed.etag).await.unwrap());
    assert_eq!(site.names("volumes/").await.len(), 6);
}

pub(crate) async fn sweep_collects_once_a_day(site: &Site) {
    site.add("x");
    site.databases(&["remove", "x"]).ok();
    let later = Timestamp::now() + SignedDuration::try_from(GRACE).unwrap();
    let hours = |hours| later + SignedDuration::from_hours(hours);
    assert_eq!(site.pipeline.sweep(Timestamp::now()).await.unwrap().deleted_volumes, 0, "too young");
    assert_eq!(site.pipeline.sweep(hours(1)).await.unwrap().deleted_volumes, 6);
    site.add("x");
    site.databases(&["remove", "x"]).ok();
    assert_eq!(site.pipeline.sweep(hours(24)).await.unwrap().deleted_volumes, 0, "not again so soon");
    assert_eq!(site.pipeline.sweep(hours(26)).await.unwrap().deleted_volumes, 6);
}

fn volume(name: &str) -> BlobName {
    BlobName::parse(name).unwrap()
}
