//! `GET /api/searches/{id}/sequences`, as far as the commands do not ask for it.

use super::lab::{Lab, PROTEINS};

#[tokio::test]
async fn subjects_are_chosen_as_hits_are() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge&evalue=1000", PROTEINS.to_vec()).await;
    assert_eq!(lab.complete(&id).await, "completed");
    let fasta = async |wishes: &str| {
        let answer = lab.get(&format!("/api/searches/{id}/sequences?{wishes}")).await;
        assert_eq!(answer.status, 200, "{wishes}");
        assert_eq!(answer.header("content-type"), "text/x-fasta; charset=utf-8");
        answer.text().to_owned()
    };
    let count = |text: &str| text.lines().filter(|line| line.starts_with('>')).count();
    let page = lab.get(&format!("/api/searches/{id}/queries/1/hits?limit=1000")).await.json();
    let hits = page["hits"].as_array().unwrap();
    assert!(hits.len() > 3);
    assert_eq!(count(&fasta("query=1").await), hits.len());
    let identical = hits.iter().filter(|hit| hit["identity"] == 100.0).count();
    assert_eq!(count(&fasta("query=1&identity=100").await), identical);
    let (first, third) = (&hits[0]["ordinal"], &hits[2]["ordinal"]);
    assert_eq!(count(&fasta(&format!("query=1&subjects={first},{third}")).await), 2);
    assert_eq!(fasta("query=1&evalue=1e-300").await, "");
    // Nothing was found with a query that is not there.
    assert_eq!(fasta("query=1000").await, "");
    assert!(count(&fasta("part=aligned").await) >= count(&fasta("").await));
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_by_name() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", PROTEINS.to_vec()).await;
    let path = format!("/api/searches/{id}/sequences");
    let early = lab.get(&path).await;
    assert_eq!((early.status.as_u16(), early.json()["state"].as_str()), (409, Some("queued")));
    assert_eq!(lab.complete(&id).await, "completed");
    for (wish, said) in [
        ("part=half", "whole or aligned"),
        ("query=0", "from 1"),
        ("subjects=1,x", "positions of subjects"),
        ("identity=101", "percentage"),
        ("outfmt=6", "there is no option"),
    ] {
        let refused = lab.get(&format!("{path}?{wish}")).await;
        let problem = refused.json();
        assert_eq!(refused.status, 400, "{wish}");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{problem}");
    }
}
