//! Reports of jobs that have not ended: what is merged so far, marked as such, in every format.

use futures::TryStreamExt;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{JobId, Report, Stage, State, Wanted};

use super::recovery::{FORMAT, assert_complete, small};
use crate::common::in_process::assert_same_report;
use crate::common::local_pipeline::Fixture;

const MARK: &str = "Partial report of a search that has not ended: 2 of 3 queries (1,3)";

async fn so_far(fixture: &Fixture, id: JobId, format: Option<&str>) -> Report {
    let format = format.map(|format| format.parse().unwrap());
    let wanted = Wanted { format, partial: true, so_far: true, ..Wanted::default() };
    fixture.pipeline.results(id, wanted).await.unwrap()
}

async fn text_so_far(fixture: &Fixture, id: JobId, format: &str) -> String {
    match so_far(fixture, id, Some(format)).await {
        Report::Ready { content, stored: None, so_far: Some(so_far), missing, .. } => {
            assert_eq!((so_far.queries(), so_far.places()), (2, "1,3".to_owned()));
            assert_eq!(missing.unwrap().to_string(), "4 of 12 shards");
            let bytes = content.try_collect::<Vec<_>>().await.unwrap().concat();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        other => panic!("{other:?}"),
    }
}

/// A job of three queries of which the first and the third have been merged, with the other's messages.
async fn two_of_three(fixture: &Fixture, queries: &[u8]) -> (JobId, Vec<String>) {
    let id = fixture.submit(queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let mut rest = Vec::new();
    for body in fixture.lose(Stage::Search).await {
        if body.contains(r#""chunk":1,"#) {
            rest.push(body);
        } else {
            fixture.pipeline.handle(Stage::Search, &body).await.unwrap();
        }
    }
    fixture.drain(Stage::Merge).await;
    (id, rest)
}

#[tokio::test]
async fn what_is_merged_so_far_can_be_read_and_says_that_it_is_not_all() {
    let (fixture, queries) = small().await;
    let (id, rest) = two_of_three(&fixture, &queries).await;
    // Without asking for it, and before anything is merged, there is none.
    let wanted = Wanted { partial: true, ..Wanted::default() };
    let none = fixture.pipeline.results(id, wanted).await.unwrap();
    assert!(matches!(none, Report::NotReady(State::Running)), "{none:?}");
    let other = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    let none = so_far(&fixture, other, None).await;
    assert!(matches!(none, Report::NotReady(State::Queued)), "{none:?}");

    let whole = String::from_utf8(fixture.expected(&queries, SearchOptions::default(), "6")).unwrap();
    let rows = text_so_far(&fixture, id, "6").await;
    assert!(!rows.is_empty() && rows.len() < whole.len() && rows.lines().all(|row| whole.contains(row)));
    let before = fixture.job_blobs(id, "").await;
    for (format, begins, ends) in [
        ("7", "# BLASTP", "# BLAST processed 2 queries\n"),
        ("0", "BLASTP", ""),
        ("5", "<?xml", "</BlastOutput>\n\n"),
        ("15", "{\n\"BlastOutput2\": [\n{\n", "]\n}\n"),
        ("16", "<?xml", "</BlastXML2>\n"),
        ("17", "@HD", ""),
    ] {
        let text = text_so_far(&fixture, id, format).await;
        assert!(text.contains(MARK), "{format}: {text}");
        assert!(text.starts_with(begins) && text.ends_with(ends), "{format}: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&text_so_far(&fixture, id, "15").await).unwrap();
    assert_eq!(json["BlastOutput2"].as_array().map(Vec::len), Some(2));
    assert!(text_so_far(&fixture, id, "arrow").await.contains(MARK));
    assert_eq!(fixture.job_blobs(id, "").await, before, "nothing of it is stored");

    for body in &rest {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
    let expected = fixture.expected(&queries, SearchOptions::default(), "7");
    assert_same_report("no mark is left", &fixture.report(id, Some("7")).await, &expected);
}
