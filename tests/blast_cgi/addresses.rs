//! Where the API is, and what is asked there without a search in mind.

use crate::lab::Lab;
use crate::ncbi::{get, info, send};

#[tokio::test]
async fn all_paths_are_the_same_resource_in_any_case() {
    let lab = Lab::new().await;
    for path in [
        "/Blast.cgi",
        "/blast.cgi",
        "/blast/Blast.cgi",
        "/Blast/blast.cgi",
        "/cgi-bin/blast.cgi",
        "/CGI-BIN/BLAST.CGI",
        "/api/Blast.cgi",
        "/api/blast/Blast.cgi",
        "/Blast.cgi/",
    ] {
        let answer = lab.get(&format!("{path}?CMD=Get&FORMAT_OBJECT=SearchInfo&RID=X")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains("\tStatus=UNKNOWN\n"), "{path}: {}", answer.text());
    }
    assert_eq!(lab.get("/a/b/Blast.cgi").await.status, 404);
}

#[tokio::test]
async fn words_are_read_in_any_case() {
    let lab = Lab::new().await;
    let answer = get(&lab, &[("cmd", "GET"), ("format_object", "Searchinfo"), ("rid", "x")]).await;
    assert_eq!(answer.text(), info(&lab, "X").await.text());
}

#[tokio::test]
async fn who_comes_with_a_browser_is_welcome_and_other_commands_are_refused() {
    let lab = Lab::new().await;
    let welcome = lab.get("/Blast.cgi").await;
    assert!(welcome.status == 200 && welcome.text().starts_with("<!DOCTYPE html"), "{}", welcome.text());
    assert_eq!(lab.get("/Blast.cgi?CMD=Web&PAGE=Proteins").await.text(), welcome.text());
    for (query, status, part) in [
        ("CMD=Info", 400, "Put, Get or Delete"),
        ("CMD=DisplayRIDs", 403, "skyblast jobs list"),
        ("CMD=Get", 400, "Message ID#29 Error"),
        ("CMD=Delete", 400, "Message ID#29 Error"),
        ("CMD=Get&RID=X&FORMAT_OBJECT=TaxBlast", 400, "FORMAT_OBJECT"),
        ("CMD=Get&RID=X&RID=Y", 400, "given twice"),
    ] {
        let answer = lab.get(&format!("/Blast.cgi?{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, "text/plain; charset=utf-8")
        );
        assert!(answer.text().contains(part), "{}", answer.text());
    }
}

#[tokio::test]
async fn looking_at_the_head_of_a_submission_submits_nothing() {
    let lab = Lab::new().await;
    let address = "/Blast.cgi?CMD=Put&PROGRAM=blastp&DATABASE=edge&QUERY=MKTAYIAKQR";
    assert_eq!(send(&lab, "HEAD", address, "", "").await.status, 405);
    assert!(lab.job_blobs().await.is_empty());
    assert_eq!(
        send(&lab, "HEAD", "/Blast.cgi?CMD=Get&FORMAT_OBJECT=SearchInfo&RID=X", "", "").await.status,
        200
    );
}
