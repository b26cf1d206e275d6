//! Adding: again, after a death, by several at once, from a damaged disk.

use std::path::Path;

use skyblast::store::BlobName;

use crate::common::command::{run, skyblast};
use crate::common::examples;
use crate::common::in_process::project_file;
use crate::common::process::{Process, wait_for};
use crate::site::Site;

pub(crate) async fn only_what_is_missing_is_sent(site: &Site) {
    let name = site.add("first");
    let volumes = site.names("volumes/").await;
    assert_eq!(volumes.len() as u64, examples::VOLUMES);

    // Under another name all volumes are shared.
    let again = site.databases(&["add", "second", "--dir", examples::database().to_str().unwrap()]);
    assert_eq!(again.stderr.matches("is there already").count() as u64, examples::VOLUMES);
    assert!(again.stderr.contains("sent 0 B; "), "{}", again.stderr);
    again.ok();

    let lost = BlobName::parse(volumes[2].clone()).unwrap();
    site.blobs().delete(&lost).await.unwrap();
    let cut = BlobName::parse(volumes[3].clone()).unwrap();
    site.blobs().put(&cut, "the beginning".into()).await.unwrap();
    let mended = site.databases(&["add", "first", "--dir", examples::database().to_str().unwrap()]);
    assert_eq!(mended.stderr.matches("sent volume").count(), 2, "{}", mended.stderr);
    assert_eq!(mended.stderr.matches("is damaged in storage").count(), 1, "{}", mended.stderr);
    assert_eq!(String::from_utf8(mended.ok()).unwrap().trim(), name);
    assert_eq!(site.names("volumes/").await, volumes);
    let id = site.submit("first").await;
    site.complete(id).await;
    assert!(site.report(id).await == examples::report());
}

pub(crate) async fn a_killed_upload_goes_on(site: &Site) {
    // Many volumes, so that the middle is easily hit.
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("many");
    let (input, out) = (project_file("examples/database.fa.gz"), directory.to_str().unwrap());
    run(["makedb", "--in", input.to_str().unwrap(), "--out", out, "--volume-size", "5KiB"]).ok();
    let volumes = std::fs::read_dir(directory.join("volumes")).unwrap().count();
    assert!(volumes > 50, "{volumes} volumes");

    let add = ["databases", "add", "big", "--dir", out, "--storage", &site.storage];
    tokio::task::block_in_place(|| {
        let mut adding = Process::start(&mut skyblast(add));
        wait_for("the first volume", || adding.stderr().contains("sent volume").then_some(()));
        adding.kill();
    });
    assert_eq!(site.names("big/").await, Vec::<String>::new(), "nothing refers to half a database");
    let there = site.names("volumes/").await.len();
    assert!((1..volumes).contains(&there), "{there} of {volumes}");

    let again = tokio::task::block_in_place(|| run(add));
    let found = again.stderr.matches("is there already").count();
    assert_eq!(found, there, "{}", again.stderr);
    assert_eq!(again.stderr.matches("sent volume").count(), volumes - there);
    again.ok();
    assert_eq!(site.names("volumes/").await.len(), volumes);
    let id = site.submit("big").await;
    site.complete(id).await;
    assert!(site.report(id).await == examples::report());
}

pub(crate) async fn several_may_add_the_same(site: &Site) {
    let dir = examples::database().to_str().unwrap();
    let add = ["databases", "add", "same", "--dir", dir, "--storage", &site.storage];
    tokio::task::block_in_place(|| {
        let mut adding: Vec<_> = (0..4).map(|_| Process::start(&mut skyblast(add))).collect();
        let printed: Vec<_> = adding
            .iter_mut()
            .map(|process| {
                assert_eq!(process.wait().code(), Some(0), "{}", process.stderr());
                process.stdout()
            })
            .collect();
        assert!(printed.iter().all(|name| *name == printed[0]), "{printed:?}");
    });
    assert_eq!(site.names("volumes/").await.len() as u64, examples::VOLUMES);
    assert_eq!(site.names("same/").await.len(), 2, "a manifest and what the name means");
}

pub(crate) async fn a_volume_that_is_damaged_here_is_refused(site: &Site) {
    let (_folder, copy) = site.copy_of_database();
    damage_one(&copy.join("volumes"));
    let error = site.databases(&["add", "bad", "--dir", copy.to_str().unwrap()]).failed(1);
    assert!(error.contains("volume") && error.contains(copy.to_str().unwrap()), "{error}");
    assert_eq!(site.names("bad/").await, Vec::<String>::new());
}

/// Changes a byte in the middle of one of the files.
fn damage_one(folder: &Path) {
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
}
