//! Promises of [`BlobStore`].

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use futures::future::join_all;
use futures::stream::{self, StreamExt, TryStreamExt};

use skyblast::store::{BlobName, BlobStore, ETag, Error, ErrorKind, Standing, Transfer, Written};

/// Longest piece a streamed read may yield.
const LONGEST_PIECE: usize = 8 << 20;
/// A length that needs more than one piece and more than one staged block.
const LONG: usize = (8 << 20) + 3;

/// Content of every size reads back the same: whole, streamed, and in the recorded length.
pub(crate) async fn content_of_any_size_reads_back(store: &dyn BlobStore) {
    for length in [0, 1, 4096, LONG - 3, LONG] {
        let (name, content) = (name(&format!("sizes/{length}")), content(length, 1));
        let tag = store.put(&name, content.clone()).await.unwrap();
        let (whole, read_tag) = store.get_tagged(&name).await.unwrap();
        assert!(whole == content, "{length} bytes read whole");
        assert_eq!(read_tag, tag);
        let mut streamed = BytesMut::new();
        let mut pieces = store.read(&name).await.unwrap();
        while let Some(piece) = pieces.try_next().await.unwrap() {
            assert!(piece.len() <= LONGEST_PIECE);
            streamed.extend_from_slice(&piece);
        }
        assert!(streamed == content, "{length} bytes streamed");
        assert_eq!(store.info(&name).await.unwrap().unwrap().length, length as u64);
    }
}

/// Reading from the middle of a blob gives the rest of it.
pub(crate) async fn a_blob_is_read_from_anywhere(store: &dyn BlobStore) {
    let (name, content) = (name("long"), content(LONG, 1));
    store.put(&name, content.clone()).await.unwrap();
    for start in [0, 1, LONG / 2, LONG - 3, LONG - 1] {
        let pieces = store.read_from(&name, start as u64).await.unwrap();
        let read = pieces.try_collect::<Vec<_>>().await.unwrap().concat();
        assert!(read == content[start..], "from {start}");
    }
}

/// What does not exist is told from what is empty.
pub(crate) async fn a_missing_blob_is_not_found(store: &dyn BlobStore) {
    let missing = name("jobs/none");
    assert_eq!(store.get(&missing).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.read(&missing).await.map(|_| ()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.info(&missing).await.unwrap(), None);
    assert!(!store.delete(&missing).await.unwrap());
    assert_eq!(listed(store, "").await, Vec::<String>::new());
}

/// A directory of names is not itself a blob.
pub(crate) async fn a_prefix_is_not_a_blob(store: &dyn BlobStore) {
    store.put(&name("jobs/1/job.json"), "{}".into()).await.unwrap();
    let prefix = name("jobs/1");
    assert_eq!(store.get(&prefix).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.info(&prefix).await.unwrap(), None);
    assert!(!store.delete(&prefix).await.unwrap());
    assert_eq!(listed(store, "").await, ["jobs/1/job.json"]);
}

/// `put` replaces content and tag, also when the content is the same.
pub(crate) async fn put_replaces_content_and_tag(store: &dyn BlobStore) {
    let name = name("current.json");
    let mut tags = Vec::new();
    for text in ["one", "two", "two", "two"] {
        tags.push(store.put(&name, text.into()).await.unwrap());
        assert_eq!(store.get(&name).await.unwrap(), text);
    }
    for (i, tag) in tags.iter().enumerate() {
        assert!(!tags[..i].contains(tag), "write {i} got the tag of an earlier one");
    }
}

/// Tag, length and name are the same wherever they are told.
pub(crate) async fn all_views_of_a_blob_agree(store: &dyn BlobStore) {
    let name = name("a/b.bin");
    let tag = store.put(&name, "12345".into()).await.unwrap();
    let info = store.info(&name).await.unwrap().unwrap();
    assert_eq!((&info.name, info.length, &info.etag), (&name, 5, &tag));
    let age = jiff::Timestamp::now().duration_since(info.modified).as_secs();
    assert!((-5..60).contains(&age), "modified {age} s ago");
    assert_eq!(store.list("").try_collect::<Vec<_>>().await.unwrap(), [info]);
    assert_eq!(store.get_tagged(&name).await.unwrap().1, tag);
}

/// `put_if_absent` keeps the first write.
pub(crate) async fn put_if_absent_keeps_the_first_write(store: &dyn BlobStore) {
    let name = name("jobs/1/manifest.json");
    assert_eq!(store.put_if_absent(&name, "first".into()).await.unwrap(), Written::Created);
    let tag = store.info(&name).await.unwrap().unwrap().etag;
    assert_eq!(store.put_if_absent(&name, "second".into()).await.unwrap(), Written::AlreadyExists);
    assert_eq!(store.get_tagged(&name).await.unwrap(), ("first".into(), tag));
}

/// A note is shown beside the blob that it was written with, and goes with its content.
pub(crate) async fn a_note_is_listed_until_the_content_is_replaced(store: &dyn BlobStore) {
    let name = name("hits/000/0001");
    let note = || async {
        let info = store.info(&name).await.unwrap().unwrap();
        assert_eq!(store.list("").try_collect::<Vec<_>>().await.unwrap(), std::slice::from_ref(&info));
        info.note
    };
    assert_eq!(store.put_noted_if_absent(&name, "first".into(), 1_234).await.unwrap(), Written::Created);
    assert_eq!(note().await, Some(1_234));
    assert_eq!(store.put_noted_if_absent(&name, "second".into(), 5).await.unwrap(), Written::AlreadyExists);
    assert_eq!((store.get(&name).await.unwrap(), note().await), ("first".into(), Some(1_234)));
    assert!(store.touch(&name).await.unwrap());
    assert_eq!(note().await, Some(1_234));
    store.put(&name, "third".into()).await.unwrap();
    assert_eq!(note().await, None);
    assert!(store.delete(&name).await.unwrap());
    assert_eq!(store.put_if_absent(&name, "fourth".into()).await.unwrap(), Written::Created);
    assert_eq!(note().await, None);
    assert_eq!(store.put_noted_if_absent(&name, "fifth".into(), 5).await.unwrap(), Written::AlreadyExists);
    assert_eq!(note().await, None);
    assert!(store.delete(&name).await.unwrap());
    assert_eq!(listed(store, "").await, Vec::<String>::new());
}

/// Pieces of any length become one blob, whether it is written over another or beside it; nothing is written of
/// pieces that end in an error.
pub(crate) async fn pieces_become_one_blob_unless_they_end_in_an_error(store: &dyn BlobStore) {
    let (name, text) = (name("jobs/1/text"), content(LONG, 1));
    let pieces = |text: &Bytes, end: Option<Error>| {
        let pieces: Vec<_> = text.chunks(1_000_003).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        stream::iter(pieces.into_iter().chain(end.map(Err))).boxed()
    };
    let broken = |standing| {
        let error = Error::new(ErrorKind::Denied, "make", "a text", "it broke off");
        store.put_pieces(&name, pieces(&text, Some(error)), standing)
    };
    assert_eq!(broken(Standing::Goes).await.unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(store.info(&name).await.unwrap(), None);
    let written = store.put_pieces(&name, pieces(&text, None), Standing::Stays).await.unwrap();
    assert_eq!((written, store.get(&name).await.unwrap() == text), (Written::Created, true));
    for error in [broken(Standing::Goes).await, broken(Standing::Stays).await] {
        assert!(error.is_err_and(|error| error.kind() == ErrorKind::Denied));
    }
    let short = content(3, 2);
    let written = store.put_pieces(&name, pieces(&short, None), Standing::Stays).await.unwrap();
    assert_eq!((written, store.get(&name).await.unwrap() == text), (Written::AlreadyExists, true));
    let written = store.put_pieces(&name, pieces(&short, None), Standing::Goes).await.unwrap();
    assert_eq!((written, store.get(&name).await.unwrap()), (Written::Created, short));
    store.put_pieces(&name, stream::empty().boxed(), Standing::Goes).await.unwrap();
    assert_eq!(store.get(&name).await.unwrap(), "");
}

/// Of sixteen writers at once exactly one creates the blob, and it is that one's content.
pub(crate) async fn of_concurrent_creators_one_wins(store: &dyn BlobStore) {
    for round in 0..5 {
        let name = name(&format!("race/{round}"));
        let contents: Vec<Bytes> = (0..16).map(|writer| content(100_000, writer)).collect();
        let outcomes =
            join_all(contents.iter().map(|content| store.put_if_absent(&name, content.clone()))).await;
        let winners: Vec<usize> =
            (0..16).filter(|&i| *outcomes[i].as_ref().unwrap() == Written::Created).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(store.get(&name).await.unwrap() == contents[winners[0]], "the content is not the winner's");
    }
}

/// `put_if_match` replaces only the content whose tag it was given.
pub(crate) async fn put_if_match_refuses_other_content(store: &dyn BlobStore) {
    let name = name("current.json");
    let conflict = |result: skyblast::store::Result<ETag>| result.unwrap_err().kind() == ErrorKind::Conflict;
    let first = store.put(&name, "1".into()).await.unwrap();
    let second = store.put_if_match(&name, "2".into(), &first).await.unwrap();
    assert!(conflict(store.put_if_match(&name, "3".into(), &first).await), "stale tag");
    assert_eq!(store.get_tagged(&name).await.unwrap(), ("2".into(), second.clone()));
    store.delete(&name).await.unwrap();
    assert!(conflict(store.put_if_match(&name, "3".into(), &second).await), "blob deleted");
    assert_eq!(store.info(&name).await.unwrap(), None);
    store.put(&name, "2".into()).await.unwrap();
    assert!(conflict(store.put_if_match(&name, "3".into(), &second).await), "blob deleted and written again");
}

/// Concurrent read-modify-write loops lose no update.
pub(crate) async fn put_if_match_loses_no_update(store: &dyn BlobStore) {
    let name = name("counter");
    store.put(&name, "0".into()).await.unwrap();
    join_all((0..8).map(|_| async {
        for _ in 0..3 {
            loop {
                let (text, tag) = store.get_tagged(&name).await.unwrap();
                let next = str::from_utf8(&text).unwrap().parse::<u32>().unwrap() + 1;
                match store.put_if_match(&name, next.to_string().into(), &tag).await {
                    Ok(_) => break,
                    Err(e) => assert_eq!(e.kind(), ErrorKind::Conflict, "{e}"),
                }
            }
        }
    }))
    .await;
    assert_eq!(store.get(&name).await.unwrap(), "24");
}

/// Listings hold exactly the names with the prefix, sorted by their bytes.
pub(crate) async fn list_is_sorted_and_takes_any_prefix(store: &dyn BlobStore) {
    let sorted = ["A", "a-b", "a.b", "a/0", "a/b/c", "a/b-c", "a0", "a_b", "ab/c"];
    let mut names = sorted.map(str::to_owned).to_vec();
    names.sort_unstable();
    for name in names.iter().rev() {
        store.put(&self::name(name), name.clone().into()).await.unwrap();
    }
    for prefix in ["", "a", "a/", "a/b", "a/b/", "a/b/c", "ab/", "A", "b", "a/b/c/", "../", "/", "a//"] {
        let expected: Vec<_> = names.iter().filter(|name| name.starts_with(prefix)).cloned().collect();
        assert_eq!(listed(store, prefix).await, expected, "prefix {prefix:?}");
    }
}

/// A listing has no upper limit.
pub(crate) async fn list_goes_over_many_pages(store: &dyn BlobStore) {
    const BLOBS: usize = 1_100;
    let names: Vec<String> = (0..BLOBS).map(|i| format!("hits/{:03}/{i:04}", i % 7)).collect();
    let writes = names.iter().map(|name| async move { store.put(&self::name(name), Bytes::new()).await });
    stream::iter(writes).buffer_unordered(32).try_collect::<Vec<_>>().await.unwrap();
    let mut expected = names.clone();
    expected.sort_unstable();
    assert_eq!(listed(store, "hits/").await, expected);
}

/// A deleted blob is gone, and its name and its directory's are free.
pub(crate) async fn delete_frees_the_name(store: &dyn BlobStore) {
    let deep = name("a/b/c");
    store.put(&deep, "1".into()).await.unwrap();
    assert!(store.delete(&deep).await.unwrap());
    assert!(!store.delete(&deep).await.unwrap());
    assert_eq!(store.get(&deep).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.put_if_absent(&name("a/b"), "2".into()).await.unwrap(), Written::Created);
    assert_eq!(listed(store, "").await, ["a/b"]);
}

/// Composing puts the parts in the order given, between `before` and `after`, whatever their size.
pub(crate) async fn compose_joins_in_order(store: &dyn BlobStore) {
    let lengths = [10, 0, LONG, 1, 3 << 20, 7 << 20];
    let mut parts = Vec::new();
    let mut expected = BytesMut::from("<before>");
    for (i, length) in lengths.into_iter().enumerate() {
        let part = name(&format!("parts/{i}"));
        store.put(&part, content(length, i)).await.unwrap();
        expected.extend_from_slice(&content(length, i));
        parts.push(part);
    }
    expected.extend_from_slice(b"<after>");
    let report = name("report");
    let composed = store.compose_if_absent(&report, "<before>".into(), &parts, "<after>".into()).await;
    assert_eq!(composed.unwrap(), Written::Created);
    assert!(store.get(&report).await.unwrap() == expected, "content of the composed blob");
    assert_eq!(store.info(&report).await.unwrap().unwrap().length, expected.len() as u64);
}

/// Composing needs neither parts nor text around them.
pub(crate) async fn compose_of_nothing_is_empty(store: &dyn BlobStore) {
    let empty = name("empty");
    store.put(&empty, Bytes::new()).await.unwrap();
    for (target, parts) in [("report/0", vec![]), ("report/1", vec![empty])] {
        let composed = store.compose_if_absent(&name(target), Bytes::new(), &parts, Bytes::new()).await;
        assert_eq!(composed.unwrap(), Written::Created);
        assert_eq!(store.get(&name(target)).await.unwrap(), Bytes::new());
    }
}

/// Composing from a missing part fails, naming it, and creates nothing.
pub(crate) async fn compose_names_a_missing_part(store: &dyn BlobStore) {
    store.put(&name("parts/0"), "0".into()).await.unwrap();
    let parts = [name("parts/0"), name("parts/1")];
    let error =
        store.compose_if_absent(&name("report"), Bytes::new(), &parts, Bytes::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("parts/1"), "{error}");
    assert_eq!(listed(store, "").await, ["parts/0"]);
}

/// Composing leaves an existing blob alone; of concurrent composers one wins.
pub(crate) async fn compose_keeps_the_first_write(store: &dyn BlobStore) {
    let report = name("report");
    let texts: Vec<Bytes> = (0..6).map(|writer| content(LONG, writer)).collect();
    let outcomes =
        join_all(texts.iter().map(|text| store.compose_if_absent(&report, text.clone(), &[], Bytes::new())))
            .await;
    let winners: Vec<usize> =
        (0..6).filter(|&i| *outcomes[i].as_ref().unwrap() == Written::Created).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    assert!(store.get(&report).await.unwrap() == texts[winners[0]], "the content is not the winner's");
    let late = store.compose_if_absent(&report, "late".into(), &[], Bytes::new()).await.unwrap();
    assert_eq!(late, Written::AlreadyExists);
    assert!(store.get(&report).await.unwrap() == texts[winners[0]], "the content has changed");
}

/// A file of any size is uploaded as it is, once.
pub(crate) async fn put_file_if_absent_uploads_once(store: &dyn BlobStore) {
    for length in [0, 5, 2 * LONG] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&content(length, 3)).unwrap();
        let volume = name(&format!("volumes/{length}"));
        assert_eq!(put_file(store, &volume, file.path()).await, (Written::Created, length as u64, 0));
        file.write_all(b"more").unwrap();
        let again = put_file(store, &volume, file.path()).await;
        assert_eq!(again, (Written::AlreadyExists, 0, length as u64 + 4));
        assert!(store.get(&volume).await.unwrap() == content(length, 3), "{length} bytes");
    }
}

/// Uploading a file that is not there says which.
pub(crate) async fn put_file_if_absent_names_a_missing_file(store: &dyn BlobStore) {
    let missing = std::path::Path::new("/nonexistent/volume.bin");
    let error = store.put_file_if_absent(&name("volumes/1"), missing, &|_| ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("/nonexistent/volume.bin"), "{error}");
}

/// An upload that was broken off goes on to the same content, and so does one by several at once.
pub(crate) async fn put_file_if_absent_goes_on_after_an_interruption(store: &dyn BlobStore) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let long = content(3 * LONG, 5);
    file.write_all(&long).unwrap();
    let volume = name("volumes/long");
    // Dropping the future is what the death of the process looks like to the store.
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let on_transfer = |transfer| {
        let _ = begun.send(transfer);
    };
    tokio::select! {
        _ = store.put_file_if_absent(&volume, file.path(), &on_transfer) => {}
        _ = has_begun.recv() => {}
    }
    let writers = (0..3).map(|_| put_file(store, &volume, file.path()));
    for (_, sent, present) in join_all(writers).await {
        assert_eq!(sent + present, long.len() as u64);
    }
    assert!(store.get(&volume).await.unwrap() == long, "the content has changed");
}

/// A touched blob has its content, and a new tag.
pub(crate) async fn touching_changes_the_tag_alone(store: &dyn BlobStore) {
    let name = name("volumes/1");
    assert!(!store.touch(&name).await.unwrap());
    assert_eq!(store.info(&name).await.unwrap(), None);
    let tag = store.put(&name, "1".into()).await.unwrap();
    assert!(store.touch(&name).await.unwrap());
    let (content, touched) = store.get_tagged(&name).await.unwrap();
    assert_eq!(content, "1");
    assert_ne!(touched, tag);
}

/// What has changed since it was seen is not deleted.
pub(crate) async fn delete_if_match_spares_what_has_changed(store: &dyn BlobStore) {
    let name = name("volumes/1");
    let stale = store.put(&name, "1".into()).await.unwrap();
    store.touch(&name).await.unwrap();
    assert!(!store.delete_if_match(&name, &stale).await.unwrap());
    let listed: Vec<_> = store.list("").try_collect().await.unwrap();
    assert!(store.delete_if_match(&name, &listed[0].etag).await.unwrap());
    assert!(!store.delete_if_match(&name, &listed[0].etag).await.unwrap(), "it is gone");
    assert_eq!(store.info(&name).await.unwrap(), None);
}

/// Uploads a file; returns what became of it, bytes sent, and bytes that were there.
async fn put_file(store: &dyn BlobStore, name: &BlobName, file: &std::path::Path) -> (Written, u64, u64) {
    let (sent, present) = (AtomicU64::new(0), AtomicU64::new(0));
    let on_transfer = |transfer| match transfer {
        Transfer::Sent(bytes) => {
            sent.fetch_add(bytes, Ordering::Relaxed);
        }
        Transfer::Present(bytes) => {
            present.fetch_add(bytes, Ordering::Relaxed);
        }
    };
    let written = store.put_file_if_absent(name, file, &on_transfer).await.unwrap();
    (written, sent.into_inner(), present.into_inner())
}

fn name(text: &str) -> BlobName {
    BlobName::parse(text).unwrap()
}

async fn listed(store: &dyn BlobStore, prefix: &str) -> Vec<String> {
    store.list(prefix).map_ok(|blob| blob.name.to_string()).try_collect().await.unwrap()
}

/// Bytes without a short period, different for each `seed`, so that a swapped piece shows.
fn content(length: usize, seed: usize) -> Bytes {
    let mut state = seed as u64 + 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
