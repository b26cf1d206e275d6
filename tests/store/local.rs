//! What only the local store can show: several processes on one folder, sudden death, a full disk.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::TryStreamExt;
use futures::future::join_all;
use skyblast::store::local::{LocalBlobs, LocalQueue, LocalStore};
use skyblast::store::{BlobName, BlobStore, ErrorKind, Queue, Written};

const LONG: Duration = Duration::from_secs(300);

fn blobs(folder: &Path) -> LocalBlobs {
    LocalStore::open(folder).unwrap().blobs("jobs").unwrap()
}

fn queue(folder: &Path) -> LocalQueue {
    LocalStore::open(folder).unwrap().queue("plans").unwrap()
}

fn name(text: impl Into<String>) -> BlobName {
    BlobName::parse(text).unwrap()
}

async fn listed(store: &LocalBlobs) -> Vec<String> {
    store.list("").map_ok(|blob| blob.name.to_string()).try_collect().await.unwrap()
}

#[tokio::test]
async fn two_stores_on_one_folder_are_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (blobs(folder.path()), blobs(folder.path()));
    let tag = here.put(&name("current"), "1".into()).await.unwrap();
    let there_tag = there.put_if_match(&name("current"), "2".into(), &tag).await.unwrap();
    let stale = here.put_if_match(&name("current"), "3".into(), &tag).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::Conflict);
    assert_eq!(here.get_tagged(&name("current")).await.unwrap(), ("2".into(), there_tag));

    let (here, there) = (queue(folder.path()), queue(folder.path()));
    here.send("message", Duration::ZERO).await.unwrap();
    let deliveries = there.receive(1, LONG).await.unwrap();
    assert!(here.receive(1, LONG).await.unwrap().is_empty());
    here.delete(&deliveries[0]).await.unwrap();
    assert_eq!(there.approximate_count().await.unwrap(), 0);
}

#[tokio::test]
async fn queues_and_containers_are_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    let (plans, poison) = (store.queue("plans").unwrap(), store.queue("plans-poison").unwrap());
    plans.send("message", Duration::ZERO).await.unwrap();
    assert_eq!(poison.approximate_count().await.unwrap(), 0);
    let delivery = plans.receive(1, LONG).await.unwrap().pop().unwrap();
    assert_eq!(poison.delete(&delivery).await.unwrap_err().kind(), ErrorKind::Conflict);

    store.blobs("jobs").unwrap().put(&name("a"), "1".into()).await.unwrap();
    assert_eq!(store.blobs("databases").unwrap().info(&name("a")).await.unwrap(), None);
}

#[test]
fn names_that_would_leave_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    for bad in ["..", "../jobs", "", "jobs/1", "Jobs"] {
        assert_eq!(store.blobs(bad).unwrap_err().kind(), ErrorKind::Permanent, "{bad:?}");
        assert_eq!(store.queue(bad).unwrap_err().kind(), ErrorKind::Permanent, "{bad:?}");
    }
}

#[test]
fn a_file_in_the_folders_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    std::fs::write(&file, "").unwrap();
    let error = LocalStore::open(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_no_store_is_not_made_one_by_opening_what_exists() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (place, text) in [
        (folder.path().join("mistyped"), "there is no such folder"),
        (folder.path().to_owned(), "is not a storage of skyblast"),
        (file, "it is a file"),
    ] {
        assert!(!LocalStore::is_at(&place));
        let error = LocalStore::open_existing(&place).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            error.to_string().contains(place.to_str().unwrap()) && error.to_string().contains(text),
            "{error}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is made");
    let store = folder.path().join("store");
    LocalStore::open(&store).unwrap();
    LocalStore::open_existing(&store).unwrap();
}

/// Everything in a folder, itself included, with its permissions.
fn modes(folder: &Path) -> Vec<(PathBuf, u32, bool)> {
    let metadata = fs::symlink_metadata(folder).unwrap();
    let mut all = vec![(folder.to_owned(), metadata.permissions().mode() & 0o777, metadata.is_dir())];
    if metadata.is_dir() {
        all.extend(fs::read_dir(folder).unwrap().flat_map(|entry| modes(&entry.unwrap().path())));
    }
    all
}

#[track_caller]
fn assert_private(folder: &Path) {
    for (path, mode, is_folder) in modes(folder) {
        assert_eq!(mode, if is_folder { 0o700 } else { 0o600 }, "{}: {mode:o}", path.display());
    }
}

/// Uses everything that a store makes.
async fn use_all(folder: &Path) {
    let store = blobs(folder);
    store.put(&name("secrets/shares"), "secret".into()).await.unwrap();
    store.put_if_absent(&name("job/queries/0"), "MKV".into()).await.unwrap();
    let parts = [name("job/queries/0")];
    store.compose_if_absent(&name("job/report"), Bytes::new(), &parts, Bytes::new()).await.unwrap();
    queue(folder).send("message", Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn everything_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("new/store");
    use_all(&store).await;
    assert_private(&store);
}

#[tokio::test]
async fn a_store_that_an_earlier_version_left_open_is_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    use_all(&store).await;
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "").unwrap();
    symlink(&elsewhere, store.join("blobs/jobs/link")).unwrap();
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o644)).unwrap();
    let open_up = || {
        for (path, _, is_folder) in modes(&store).iter().filter(|(path, ..)| !path.is_symlink()) {
            fs::set_permissions(path, Permissions::from_mode(if *is_folder { 0o755 } else { 0o644 }))
                .unwrap();
        }
    };
    open_up();
    LocalStore::open(&store).unwrap();
    assert_eq!(fs::metadata(&elsewhere).unwrap().permissions().mode() & 0o777, 0o644);
    fs::remove_file(store.join("blobs/jobs/link")).unwrap();
    assert_private(&store);

    // A folder that is not the store's alone stays as it is, but what is the store's in it does not.
    open_up();
    fs::write(store.join("notes.txt"), "").unwrap();
    fs::set_permissions(store.join("notes.txt"), Permissions::from_mode(0o644)).unwrap();
    LocalStore::open(&store).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&store), mode(&store.join("notes.txt"))), (0o755, 0o644));
    assert_private(&store.join("blobs"));
    assert_private(&store.join("queues.sqlite"));
}

#[tokio::test]
async fn links_inside_the_folder_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("file"), "not yours").unwrap();
    let place = folder.path().join("store");
    let store = blobs(&place);
    store.put(&name("part"), "ours".into()).await.unwrap();
    symlink(elsewhere.join("file"), place.join("blobs/jobs/link")).unwrap();
    symlink(&elsewhere, place.join("blobs/jobs/folder")).unwrap();
    symlink(elsewhere.join("none"), place.join("blobs/jobs/dangling")).unwrap();

    let tag = store.put(&name("tag"), "x".into()).await.unwrap();
    for link in ["link", "folder/file", "folder/new", "dangling"].map(name) {
        let parts = [name("part"), link.clone()];
        let errors = [
            store.get(&link).await.unwrap_err(),
            store.read(&link).await.err().unwrap(),
            store.info(&link).await.unwrap_err(),
            store.put(&link, "new".into()).await.unwrap_err(),
            store.put_if_absent(&link, "new".into()).await.unwrap_err(),
            store.put_if_match(&link, "new".into(), &tag).await.unwrap_err(),
            store.touch(&link).await.unwrap_err(),
            store.delete(&link).await.unwrap_err(),
            store.delete_if_match(&link, &tag).await.unwrap_err(),
            store.compose_if_absent(&name("whole"), Bytes::new(), &parts, Bytes::new()).await.unwrap_err(),
            store.compose_if_absent(&link, Bytes::new(), &parts[..1], Bytes::new()).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Permanent, "{error}");
            assert!(error.to_string().contains("is a symbolic link"), "{error}");
        }
        assert_eq!(store.as_file(&link), None);
    }
    assert_eq!(listed(&store).await, ["part", "tag"]);
    let below: Vec<_> = store.list("folder/").try_collect().await.unwrap_or_default();
    assert_eq!(below, []);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "nothing is made or deleted elsewhere");
    assert_eq!(fs::read_to_string(elsewhere.join("file")).unwrap(), "not yours");
}

#[tokio::test]
async fn links_in_the_place_of_the_stores_own_files_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let old = fs::File::create(elsewhere.join("old")).unwrap();
    old.set_modified(SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60)).unwrap();
    for link in ["blobs", "blobs/jobs", "blobs/jobs/~partial", "blobs/jobs/~lock", "queues.sqlite"] {
        let place = folder.path().join(link.replace('/', "-"));
        let path = place.join(link);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(elsewhere.join(if link.ends_with('e') { "none" } else { "" }), &path).unwrap();
        let error = match LocalStore::open(&place) {
            Err(error) => error,
            Ok(store) => store.blobs("jobs").unwrap().put(&name("a"), "1".into()).await.unwrap_err(),
        };
        assert!(error.to_string().contains("is a symbolic link"), "{link}: {error}");
    }
    let names: Vec<_> = fs::read_dir(&elsewhere).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["old"]);
    // The folder as a whole may be elsewhere.
    symlink(&elsewhere, folder.path().join("link")).unwrap();
    blobs(&folder.path().join("link")).put(&name("a"), "1".into()).await.unwrap();
}

#[test]
fn work_on_storage_does_not_wait_for_threads_that_others_block() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let blocked = runtime.spawn_blocking(move || held.recv());
    let work = async {
        let (store, queue) = (blobs(folder.path()), queue(folder.path()));
        store.put(&name("a/b"), "1".into()).await.unwrap();
        assert_eq!(store.get(&name("a/b")).await.unwrap(), "1");
        let read: Vec<_> = store.read(&name("a/b")).await.unwrap().try_collect().await.unwrap();
        assert_eq!(read, ["1"]);
        assert_eq!(listed(&store).await, ["a/b"]);
        queue.send("message", Duration::ZERO).await.unwrap();
        assert_eq!(queue.receive(1, LONG).await.unwrap().len(), 1);
    };
    let done = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(120), work).await });
    drop(release);
    runtime.block_on(blocked).unwrap().unwrap_err();
    done.expect("storage waits for a thread that it does not get");
}

#[tokio::test]
async fn a_listing_that_nobody_reads_on_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = blobs(folder.path());
    for number in 0..300 {
        store.put(&name(format!("{number:03}")), "1".into()).await.unwrap();
    }
    // More than storage has threads.
    let mut listings: Vec<_> = (0..100).map(|_| store.list("")).collect();
    for listing in &mut listings {
        listing.try_next().await.unwrap().unwrap();
    }
    assert_eq!(store.get(&name("299")).await.unwrap(), "1");
    for listing in listings {
        assert_eq!(listing.try_collect::<Vec<_>>().await.unwrap().len(), 299);
    }
}

#[tokio::test]
async fn a_blob_cannot_be_the_directory_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = blobs(folder.path());
    store.put(&name("a"), "1".into()).await.unwrap();
    store.put(&name("b/c"), "2".into()).await.unwrap();
    for clash in ["a/b", "b"] {
        let errors = [
            store.put(&name(clash), "3".into()).await.unwrap_err(),
            store.put_if_absent(&name(clash), "3".into()).await.unwrap_err(),
        ];
        assert!(errors.iter().all(|e| e.kind() == ErrorKind::Permanent), "{errors:?}");
    }
    assert_eq!(listed(&store).await, ["a", "b/c"]);
}

#[tokio::test]
async fn partial_files_are_never_listed_and_old_ones_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    blobs(folder.path()).put(&name("a"), "1".into()).await.unwrap();
    let partial = folder.path().join("blobs/jobs/~partial");
    let day = Duration::from_secs(24 * 60 * 60);
    for (file, age) in [("old", 2 * day), ("new", day / 2)] {
        let file = std::fs::File::create(partial.join(file)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
    let store = blobs(folder.path());
    assert_eq!(listed(&store).await, ["a"]);
    assert!(!partial.join("old").exists());
    assert!(partial.join("new").exists());
}

#[tokio::test]
async fn a_reader_keeps_the_version_that_it_opened() {
    let folder = tempfile::tempdir().unwrap();
    let store = blobs(folder.path());
    let old = Bytes::from(vec![1; 5 << 20]);
    store.put(&name("volume"), old.clone()).await.unwrap();
    let reader = store.read(&name("volume")).await.unwrap();
    store.put(&name("volume"), "new".into()).await.unwrap();
    assert!(reader.try_collect::<Vec<_>>().await.unwrap().concat() == old);
}

#[tokio::test]
async fn killed_writers_leave_whole_blobs_and_keep_what_they_finished() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..6 {
        let mut writer = child("write", folder.path(), &round.to_string());
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut finished = Vec::new();
        while finished.len() < 15 {
            finished.extend(progress(&lines.next().unwrap().unwrap()));
        }
        // Somewhere in the middle of a write, elsewhere in each round.
        std::thread::sleep(Duration::from_micros(700 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();
        finished.extend(lines.map_while(Result::ok).filter_map(|line| progress(&line)));

        let store = blobs(folder.path());
        let names: BTreeSet<String> = listed(&store).await.into_iter().collect();
        for number in &finished {
            assert!(names.contains(&format!("{round}/{number}")), "finished blob {number} is lost");
        }
        for listed in names {
            let content = store.get(&name(&*listed)).await.unwrap();
            assert_eq!(content.len(), WRITTEN, "{listed} is cut short");
            assert!(content.iter().all(|byte| *byte == content[0]), "{listed} is mixed");
        }
    }
    // Locks and transactions of the dead do not stop the living.
    blobs(folder.path()).put(&name("current"), "alive".into()).await.unwrap();
    let queue = queue(folder.path());
    let messages = queue.approximate_count().await.unwrap();
    assert!(messages >= 6 * 15, "{messages} messages");
    queue.send("alive", Duration::ZERO).await.unwrap();
    assert_eq!(queue.approximate_count().await.unwrap(), messages + 1);
}

#[tokio::test]
async fn processes_share_a_queue_and_a_counter() {
    let folder = tempfile::tempdir().unwrap();
    blobs(folder.path()).put(&name("counter"), "0".into()).await.unwrap();
    let queue = queue(folder.path());
    let bodies: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    for sent in join_all(bodies.iter().map(|body| queue.send(body, Duration::ZERO))).await {
        sent.unwrap();
    }
    let children: Vec<Child> = (0..3).map(|i| child("share", folder.path(), &i.to_string())).collect();
    let mut taken = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        taken.extend(String::from_utf8(output.stdout).unwrap().lines().filter_map(progress));
    }
    taken.sort_unstable();
    assert_eq!(taken, (0..200).collect::<Vec<_>>());
    assert_eq!(blobs(folder.path()).get(&name("counter")).await.unwrap(), "60");
}

#[tokio::test]
async fn a_write_that_does_not_fit_is_no_space_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A limit on file sizes fails a write in the middle, as a full disk does, without being root.
    let program = std::env::current_exe().unwrap();
    let limited = "trap '' XFSZ; ulimit -f 512; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited]).arg(program);
    let output = spawn(&mut command, "fill", folder.path(), "").wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let store = blobs(folder.path());
    assert_eq!(listed(&store).await, ["fits"]);
    assert_eq!(std::fs::read_dir(folder.path().join("blobs/jobs/~partial")).unwrap().count(), 0);
}

/// Length of the blobs that the `write` child writes.
const WRITTEN: usize = 200_000;

/// This program again, as a process of its own that plays `role` (see [`play`]).
fn child(role: &str, folder: &Path, argument: &str) -> Child {
    spawn(&mut Command::new(std::env::current_exe().unwrap()), role, folder, argument)
}

fn spawn(command: &mut Command, role: &str, folder: &Path, argument: &str) -> Child {
    command
        .args(["local::play", "--exact", "--ignored", "--nocapture"])
        .env("SKYBLAST_TEST_ROLE", role)
        .env("SKYBLAST_TEST_FOLDER", folder)
        .env("SKYBLAST_TEST_ARGUMENT", argument)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The number in a line that a child prints with [`report`].
fn progress(line: &str) -> Option<usize> {
    line.split("finished:").nth(1)?.parse().ok()
}

fn report(number: usize) {
    println!("finished:{number}");
}

#[tokio::test]
#[ignore = "other tests run it as a process of its own"]
async fn play() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let folder = variable("SKYBLAST_TEST_FOLDER");
    let (store, queue) = (blobs(folder.as_ref()), queue(folder.as_ref()));
    match variable("SKYBLAST_TEST_ROLE").as_str() {
        "write" => write_forever(&store, &queue, &variable("SKYBLAST_TEST_ARGUMENT")).await,
        "share" => share(&store, &queue).await,
        "fill" => fill(&store).await,
        role => panic!("unknown role {role}"),
    }
}

/// Writes blobs and messages, and reports each when it is finished, until it is killed.
async fn write_forever(store: &LocalBlobs, queue: &LocalQueue, round: &str) {
    for number in 0.. {
        let content = Bytes::from(vec![number as u8; WRITTEN]);
        let blob = name(format!("{round}/{number}"));
        assert_eq!(store.put_if_absent(&blob, content.clone()).await.unwrap(), Written::Created);
        store.put(&name("current"), content).await.unwrap();
        queue.send("message", Duration::ZERO).await.unwrap();
        report(number);
    }
}

/// Takes messages while there are any, and adds 20 to the counter.
async fn share(store: &LocalBlobs, queue: &LocalQueue) {
    let counter = name("counter");
    let mut added = 0;
    loop {
        if added < 20 {
            let (text, tag) = store.get_tagged(&counter).await.unwrap();
            let next = str::from_utf8(&text).unwrap().parse::<u32>().unwrap() + 1;
            added += u32::from(store.put_if_match(&counter, next.to_string().into(), &tag).await.is_ok());
        }
        let deliveries = queue.receive(3, LONG).await.unwrap();
        if deliveries.is_empty() && added == 20 {
            return;
        }
        for delivery in deliveries {
            queue.delete(&delivery).await.unwrap();
            report(delivery.body.parse().unwrap());
        }
    }
}

/// Writes more than the file-size limit allows, in every way, and then something that fits.
async fn fill(store: &LocalBlobs) {
    let large = Bytes::from(vec![7; 4 << 20]);
    let source = name("fits");
    store.put(&source, vec![7; 200_000].into()).await.unwrap();
    let parts = vec![source; 10];
    for error in [
        store.put(&name("large"), large.clone()).await.unwrap_err(),
        store.put_if_absent(&name("large"), large).await.unwrap_err(),
        store.compose_if_absent(&name("large"), Bytes::new(), &parts, Bytes::new()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        assert!(error.is_retryable() && error.to_string().contains("jobs/large"), "{error}");
    }
    store.put(&name("fits"), "fits".into()).await.unwrap();
}
