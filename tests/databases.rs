//! Databases in storage: added in pieces, by several at once, pinned, removed and collected, on a
//! folder and on Azurite.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "databases/adding.rs"]
mod adding;
mod common;
#[path = "databases/removing.rs"]
mod removing;
#[path = "databases/site.rs"]
mod site;

/// Each test on a folder and on Azurite.
macro_rules! on_both {
    ($($test:path => $name:ident),+ $(,)?) => {
        mod folder {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $test(&crate::site::Site::folder()).await;
            })+
        }

        mod azurite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $test(&crate::site::Site::azurite()).await;
            })+
        }
    };
}

on_both!(
    crate::adding::only_what_is_missing_is_sent => only_what_is_missing_is_sent,
    crate::adding::a_killed_upload_goes_on => a_killed_upload_goes_on,
    crate::adding::several_may_add_the_same => several_may_add_the_same,
    crate::adding::a_volume_that_is_damaged_here_is_refused => a_volume_that_is_damaged_here_is_refused,
    crate::removing::a_removed_database_is_still_searched_by_accepted_jobs
        => a_removed_database_is_still_searched_by_accepted_jobs,
    crate::removing::a_version_can_be_pinned_and_removed => a_version_can_be_pinned_and_removed,
    crate::removing::nothing_is_collected_while_a_search_is_being_submitted
        => nothing_is_collected_while_a_search_is_being_submitted,
    crate::removing::what_is_claimed_again_is_spared => what_is_claimed_again_is_spared,
    crate::removing::sweep_collects_once_a_day => sweep_collects_once_a_day,
);
