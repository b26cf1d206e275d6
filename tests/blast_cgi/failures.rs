//! Searches that have no report, or not all of it: no client waits for one for ever.

use serde_json::Value;

use crate::lab::{Answer, Lab, two_queries};
use crate::ncbi::{after, done, get, info, job, put, report};
use crate::searches::many_queries;

/// Whatever looks like a page, or names a status, keeps some client waiting.
#[track_caller]
fn ends_every_client(answer: &Answer, status: u16, part: &str) {
    let text = answer.text();
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (status, "text/plain; charset=utf-8"),
        "{text}"
    );
    assert!(text.contains(part), "{text}");
    assert!(!text.contains("Status=") && !text.contains("DOCTYPE") && !text.starts_with('<'), "{text}");
}

#[tokio::test]
async fn what_is_not_known_is_unknown_and_has_no_report() {
    let lab = Lab::new().await;
    let never = "A".repeat(26);
    for rid in ["JZ5U0CEK013", never.as_str(), "../../x", "00112233445566778899aabbccddeeff"] {
        assert_eq!(after(info(&lab, rid).await.text(), "Status="), "UNKNOWN", "{rid}");
        let answer = get(&lab, &[("CMD", "Get"), ("RID", rid), ("FORMAT_TYPE", "XML")]).await;
        ends_every_client(&answer, 404, "RID");
    }
}

#[tokio::test]
async fn a_search_that_is_removed_is_unknown() {
    let lab = Lab::new().await;
    let ended = done(&lab, &two_queries(), &[]).await;
    let waiting = put(&lab, &two_queries(), &[]).await;
    for rid in [ended, waiting] {
        let answer = get(&lab, &[("CMD", "Delete"), ("RID", &rid)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(after(info(&lab, &rid).await.text(), "Status="), "UNKNOWN");
        let again = get(&lab, &[("CMD", "Delete"), ("RID", &rid)]).await;
        ends_every_client(&again, 404, "RID");
    }
}

#[tokio::test]
async fn a_search_that_was_cancelled_has_failed() {
    let lab = Lab::new().await;
    let rid = put(&lab, &two_queries(), &[]).await;
    lab.delete(&format!("/api/searches/{}", job(&rid))).await;
    let page = info(&lab, &rid).await;
    assert_eq!(after(page.text(), "Status="), "FAILED");
    assert!(page.text().contains("cancelled"), "{}", page.text());
    let answer = get(&lab, &[("CMD", "Get"), ("RID", &rid), ("FORMAT_TYPE", "XML")]).await;
    ends_every_client(&answer, 500, "cancelled");
}

/// A search in three shards of which one has failed.
async fn incomplete(lab: &Lab, more: &[(&str, &str)]) -> String {
    let rid = put(lab, &two_queries(), more).await;
    for (queue, function) in [("plans", "plan"), ("shards", "search")] {
        for delivery in lab.queue(queue).receive(32, std::time::Duration::from_secs(60)).await.unwrap() {
            let message: Value = serde_json::from_str(&delivery.body).unwrap();
            let function = if message["volume"] == 1 { "search_poison" } else { function };
            assert_eq!(lab.invoke(function, &delivery.body).await.status, 200);
            lab.queue(queue).delete(&delivery).await.unwrap();
        }
    }
    lab.deliver_all().await;
    rid
}

#[tokio::test]
async fn a_report_that_lacks_shards_has_failed_unless_it_may() {
    let lab = Lab::new().await;
    let rid = incomplete(&lab, &[]).await;
    let page = info(&lab, &rid).await;
    assert_eq!(after(page.text(), "Status="), "FAILED");
    assert!(
        page.text().contains("1 of 3 shards failed") && page.text().contains("PARTIAL"),
        "{}",
        page.text()
    );
    for form in ["HTML", "Text", "XML", "JSON2", "XML2_S"] {
        let answer = get(&lab, &[("CMD", "Get"), ("RID", &rid), ("FORMAT_TYPE", form)]).await;
        ends_every_client(&answer, 500, "1 of 3 shards failed");
    }
    let allowed = report(&lab, &rid, &[("FORMAT_TYPE", "XML"), ("PARTIAL", "true")]).await;
    assert!(allowed.text().contains("Incomplete: 1 of 3 volumes"), "{}", allowed.text());

    let rid = incomplete(&lab, &[("PARTIAL", "yes")]).await;
    let page = info(&lab, &rid).await;
    assert_eq!(after(page.text(), "Status="), "READY");
    assert!(page.text().contains("1 of 3 shards failed"), "{}", page.text());
    let text = report(&lab, &rid, &[("FORMAT_TYPE", "Text")]).await;
    assert!(text.text().contains("***** Incomplete: 1 of 3 volumes"), "{}", text.text());
}

#[tokio::test]
async fn queries_that_turn_out_to_be_none_fail_with_the_reason() {
    let lab = Lab::new().await;
    let mut queries = many_queries();
    queries.push_str(">last Status=READY\n12345 67890\n");
    let rid = put(&lab, &queries, &[]).await;
    assert_eq!(lab.complete(&job(&rid)).await, "failed");
    assert_eq!(after(info(&lab, &rid).await.text(), "Status="), "FAILED");
    let answer = get(&lab, &[("CMD", "Get"), ("RID", &rid), ("FORMAT_TYPE", "XML")]).await;
    ends_every_client(&answer, 500, "record 301");
}

#[tokio::test]
async fn storage_that_does_not_answer_is_told_as_such() {
    use skyblast::store::ErrorKind;

    use crate::common::faulty::Mode;
    use crate::lab::during;
    let lab = Lab::new().await;
    let rid = put(&lab, &two_queries(), &[]).await;
    let (put_again, look) = during(&lab.faults, Mode::FailAll(ErrorKind::Transient), async {
        let query = two_queries();
        let all = [("CMD", "Put"), ("PROGRAM", "blastp"), ("DATABASE", "edge"), ("QUERY", query.as_str())];
        let look = get(&lab, &[("CMD", "Get"), ("FORMAT_OBJECT", "SearchInfo"), ("RID", rid.as_str())]).await;
        (crate::ncbi::post(&lab, &all).await, look)
    })
    .await;
    for answer in [put_again, look] {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(!answer.header("retry-after").is_empty());
    }
}
