//! Runs every promise of `promises` on every implementation.

/// One test per promise, on a fresh container or queue that `$open` gives.
macro_rules! promises {
    ($kind:ident, $open:path, [$($promise:ident),+ $(,)?]) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let opened = $open();
            crate::promises::$kind::$promise(&opened.store).await;
        })+
    };
}

macro_rules! blob_promises {
    ($open:path) => {
        promises!(
            blobs,
            $open,
            [
                content_of_any_size_reads_back,
                a_blob_is_read_from_anywhere,
                a_missing_blob_is_not_found,
                a_prefix_is_not_a_blob,
                put_replaces_content_and_tag,
                all_views_of_a_blob_agree,
                put_if_absent_keeps_the_first_write,
                a_note_is_listed_until_the_content_is_replaced,
                pieces_become_one_blob_unless_they_end_in_an_error,
                of_concurrent_creators_one_wins,
                put_if_match_refuses_other_content,
                put_if_match_loses_no_update,
                list_is_sorted_and_takes_any_prefix,
                list_goes_over_many_pages,
                delete_frees_the_name,
                compose_joins_in_order,
                compose_of_nothing_is_empty,
                compose_names_a_missing_part,
                compose_keeps_the_first_write,
                put_file_if_absent_uploads_once,
                put_file_if_absent_names_a_missing_file,
                put_file_if_absent_goes_on_after_an_interruption,
                touching_changes_the_tag_alone,
                delete_if_match_spares_what_has_changed,
            ]
        );
    };
}

macro_rules! queue_promises {
    ($open:path) => {
        promises!(
            queue,
            $open,
            [
                a_message_is_delivered_and_deleted,
                an_empty_queue_delivers_nothing,
                an_undeleted_message_comes_back,
                a_stale_delivery_is_refused,
                renewing_hides_longer_under_a_new_receipt,
                renewing_for_zero_gives_back,
                a_delayed_message_comes_later,
                one_call_takes_at_most_32,
                bodies_come_back_as_sent,
                what_cannot_travel_is_refused,
                the_longest_message_passes,
                the_count_includes_hidden_messages,
                waiting_since_tells_of_what_can_be_received,
                concurrent_receivers_share_the_messages,
            ]
        );
    };
}

/// A container or queue, with what must live as long as it does.
struct Opened<Store, Guard> {
    store: Store,
    _guard: Guard,
}

mod local {
    use skyblast::store::local::{LocalBlobs, LocalQueue, LocalStore};
    use tempfile::TempDir;

    use super::Opened;

    fn open_blobs() -> Opened<LocalBlobs, TempDir> {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::open(folder.path()).unwrap().blobs("jobs").unwrap();
        Opened { store, _guard: folder }
    }

    fn open_queue() -> Opened<LocalQueue, TempDir> {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::open(folder.path()).unwrap().queue("plans").unwrap();
        Opened { store, _guard: folder }
    }

    mod blobs {
        blob_promises!(super::open_blobs);
    }

    mod queue {
        queue_promises!(super::open_queue);
    }
}

mod azurite {
    use skyblast::store::azure::{AzureBlobs, AzureQueue, AzureStore, Connection, IdentitySource, Patience};

    use super::Opened;
    use crate::common::azurite::{Azurite, unique_name};

    fn store() -> AzureStore {
        let text = Azurite::shared().connection_string();
        let connection = Connection::parse(&text, IdentitySource::DeveloperTools).unwrap();
        AzureStore::open(connection, Patience::default()).unwrap()
    }

    fn open_blobs() -> Opened<AzureBlobs, ()> {
        Opened { store: store().blobs(&unique_name("blobs")).unwrap(), _guard: () }
    }

    fn open_queue() -> Opened<AzureQueue, ()> {
        Opened { store: store().queue(&unique_name("queue")).unwrap(), _guard: () }
    }

    mod blobs {
        blob_promises!(super::open_blobs);
    }

    mod queue {
        queue_promises!(super::open_queue);
    }
}
