//! Volumes of a store far away, kept in a folder that workers share.

use std::fs;
use std::path::Path;

use futures::TryStreamExt;
use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{DATABASES, State, VolumeFolder};

use super::recovery::{DATABASE, FORMAT, QUERIES};
use crate::common::in_process::{assert_same_report, project_file};
use crate::common::local_pipeline::Fixture;

async fn fixture(cache: &Path) -> Fixture {
    let mut fixture = Fixture::in_memory(&[project_file(DATABASE)], VolumeLimit::Sequences(20), 2_000).await;
    fixture.keep_volumes_in(VolumeFolder::open(cache, 1 << 20).unwrap());
    fixture
}

#[tokio::test]
async fn a_worker_that_starts_takes_its_volumes_from_the_folder_and_only_whole_ones() {
    let cache = tempfile::tempdir().unwrap();
    let mut fixture = fixture(cache.path()).await;
    let queries = fs::read(project_file(QUERIES)).unwrap();
    let expected = fixture.expected(&queries, SearchOptions::default(), FORMAT);
    let search = async |fixture: &Fixture| {
        let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
        fixture.drain_all().await;
        let state = fixture.state(id).await;
        if state == State::Completed {
            assert_same_report("kept volumes", &fixture.report(id, None).await, &expected);
        }
        state
    };
    assert_eq!(search(&fixture).await, State::Completed);
    let volumes: Vec<_> = fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(volumes.len(), fixture.database.manifest().volumes.len());

    // Another worker of the node, and one of the volumes has suffered.
    fixture.keep_volumes_in(VolumeFolder::open(cache.path(), 1 << 20).unwrap());
    let whole = fs::read(&volumes[0]).unwrap();
    fs::write(&volumes[0], &whole[..whole.len() / 2]).unwrap();
    assert_eq!(search(&fixture).await, State::Completed);
    assert_eq!(fs::read(&volumes[0]).unwrap(), whole);

    // Storage is not asked for what is there.
    let databases = fixture.blobs(DATABASES);
    let stored: Vec<_> = databases.list("volumes/").try_collect().await.unwrap();
    for volume in &stored {
        databases.delete(&volume.name).await.unwrap();
    }
    fixture.keep_volumes_in(VolumeFolder::open(cache.path(), 1 << 20).unwrap());
    assert_eq!(search(&fixture).await, State::Completed);
    fs::remove_file(&volumes[0]).unwrap();
    fixture.keep_volumes_in(VolumeFolder::open(cache.path(), 1 << 20).unwrap());
    assert_eq!(search(&fixture).await, State::CompletedWithFailedShards);
}

#[tokio::test]
async fn without_room_volumes_go_into_memory_as_ever() {
    let cache = tempfile::tempdir().unwrap();
    let mut fixture = fixture(cache.path()).await;
    fixture.keep_volumes_in(VolumeFolder::open(cache.path(), 10).unwrap());
    let queries = fs::read(project_file(QUERIES)).unwrap();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    assert_eq!(fixture.state(id).await, State::Completed);
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
}
