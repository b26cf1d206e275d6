//! `CMD=Put`: pages with a RID, and pages with a reason.

use axum::body::Body;
use serde_json::json;

use crate::lab::{Lab, gzip, two_queries};
use crate::ncbi::{URL_ENCODED, after, done, encoded, info, job, post, put, report, rid, send};

#[tokio::test]
async fn an_accepted_search_is_a_page_in_which_every_client_finds_its_rid() {
    let lab = Lab::new().await;
    let query = two_queries();
    let answer =
        post(&lab, &[("CMD", "Put"), ("PROGRAM", "blastp"), ("DATABASE", "edge"), ("QUERY", &query)]).await;
    let (page, rid) = (answer.text(), rid(&answer));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(page.starts_with("<!DOCTYPE html") && page.ends_with("</html>\n"), "{page}");
    assert!(rid.bytes().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit()));
    assert!(page.contains(&format!("<input name=\"RID\" value=\"{rid}\" id=\"rid\">")), "{page}");
    let rtoe: u64 = after(page, "RTOE =").parse().unwrap();
    let block = format!("\n<!--QBlastInfoBegin\n    RID = {rid}\n    RTOE = {rtoe}\nQBlastInfoEnd\n-->\n");
    assert!(page.contains(&block), "{page}");
    assert!(rtoe >= 1);
    for mark in ["RID =", "RTOE ="] {
        assert_eq!(page.matches(mark).count(), 1, "{mark}: {page}");
    }
    assert!(!page.contains('\''), "a quote would hide what follows it from R's scan");
    assert!(!page.contains("Not known"), "{page}");
    // Scripts may not run in it, wherever its text comes from.
    assert!(answer.header("content-security-policy").contains("sandbox"));
}

#[tokio::test]
async fn a_search_is_the_same_in_every_form() {
    let lab = Lab::new().await;
    let query = two_queries();
    let all = [
        ("CMD", "Put"),
        ("PROGRAM", "blastp"),
        ("DATABASE", "edge"),
        ("HITLIST_SIZE", "3"),
        ("QUERY", query.as_str()),
    ];
    let (in_address, rest) = all.split_at(2);
    let multipart = crate::searches::multipart(&all);
    let requests: [(&str, String, &str, Body); 8] = [
        ("GET", format!("/Blast.cgi?{}", encoded(&all)), "", Body::empty()),
        ("PUT", format!("/Blast.cgi?{}", encoded(&all)), "", Body::empty()),
        ("PUT", "/Blast.cgi".to_owned(), URL_ENCODED, encoded(&all).into()),
        ("POST", "/Blast.cgi".to_owned(), URL_ENCODED, encoded(&all).into()),
        ("POST", format!("/Blast.cgi?{}", encoded(in_address)), URL_ENCODED, encoded(rest).into()),
        ("POST", "/Blast.cgi?HITLIST_SIZE=9&QUERY=MKT".to_owned(), URL_ENCODED, encoded(&all).into()),
        ("POST", "/Blast.cgi".to_owned(), "multipart/form-data; boundary=cut", multipart.into()),
        (
            "POST",
            "/Blast.cgi".to_owned(),
            URL_ENCODED,
            encoded(&all).to_lowercase().replace("query=", "Query=").into(),
        ),
    ];
    let mut reports = Vec::new();
    for (method, address, media_type, body) in requests {
        let rid = rid(&send(&lab, method, &address, media_type, body).await);
        lab.complete(&job(&rid)).await;
        reports.push(report(&lab, &rid, &[("FORMAT_TYPE", "XML")]).await.text().to_owned());
    }
    assert!(reports[0].contains("<Hit_num>3</Hit_num>") && !reports[0].contains("<Hit_num>4</Hit_num>"));
    // All in lower case is another query by its name only.
    let last = reports.pop().unwrap();
    assert_eq!(last.matches("<Hit>").count(), reports[0].matches("<Hit>").count());
    for (form, report) in reports.iter().enumerate() {
        assert_eq!(report, &reports[0], "form {form}");
    }
}

/// A form of several parts.
pub(crate) fn multipart(fields: &[(&str, &str)]) -> Vec<u8> {
    let field = |(name, value): &(&str, &str)| {
        format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body: String = fields.iter().map(field).collect();
    body.push_str("--cut--\r\n");
    body.into_bytes()
}

#[tokio::test]
async fn parameters_mean_what_the_options_of_the_other_api_mean() {
    let lab = Lab::new().await;
    let query = two_queries();
    for (parameters, options) in [
        (&[][..], "max_target_seqs=100"),
        (&[("EXPECT", "1e-3"), ("FILTER", "L")], "max_target_seqs=100&evalue=1e-3&seg=yes"),
        (
            &[("MATRIX_NAME", "PAM70"), ("GAPCOSTS", "10 1"), ("COMPOSITION_BASED_STATISTICS", "off")],
            "max_target_seqs=100&matrix=PAM70&gapopen=10&gapextend=1&comp_based_stats=0",
        ),
        (&[("QUERY_FROM", "10"), ("HITLIST_SIZE", "2")], "max_target_seqs=2&query_loc=10-1000000"),
    ] {
        let rid = done(&lab, &query, parameters).await;
        let id = lab.submit(&format!("database=edge&outfmt=5&{options}"), query.clone()).await;
        lab.complete(&id).await;
        let ours = report(&lab, &rid, &[("FORMAT_TYPE", "XML")]).await;
        assert_eq!(ours.text(), lab.report(&id).await, "{parameters:?}");
    }
}

#[tokio::test]
async fn a_sequence_without_a_definition_line_is_a_query() {
    let lab = Lab::new().await;
    let fasta = two_queries();
    let residues: String = fasta.lines().skip(1).take_while(|line| !line.starts_with('>')).collect();
    let rid = done(&lab, &residues, &[]).await;
    let report = report(&lab, &rid, &[("FORMAT_TYPE", "XML")]).await;
    assert_eq!(report.text().matches("<Iteration>").count(), 1);
    assert!(report.text().contains("<Hit_num>1</Hit_num>"));
}

#[tokio::test]
async fn what_cannot_be_searched_is_a_page_with_a_number_and_no_rid() {
    let lab = Lab::with_body_limit(100_000).await;
    let query = two_queries();
    let usual = [("CMD", "Put"), ("PROGRAM", "blastp"), ("DATABASE", "edge"), ("QUERY", query.as_str())];
    let with = |name: &'static str, value: &'static str| {
        let mut all: Vec<(&str, String)> =
            usual.iter().filter(|(known, _)| *known != name).map(|&(n, v)| (n, v.to_owned())).collect();
        all.push((name, value.to_owned()));
        all
    };
    let large = "MKTAYIAK".repeat(20_000);
    let mut too_large = with("X", "");
    too_large.push(("EMAIL", large.clone()));
    for (parameters, number, part) in [
        (with("QUERY", ""), 29, "QUERY"),
        (with("QUERY", ">empty\n"), 32, "empty"),
        (with("QUERY", ">a\nMKT\n>b\n{<script>: [1, 2, 3]}\n"), 24, "record 2, line 4"),
        (with("QUERY", "P12345"), 24, "accession"),
        (with("DATABASE", ""), 56, "DATABASE"),
        (with("DATABASE", "nr"), 56, "nr"),
        (with("PROGRAM", ""), 901, "PROGRAM"),
        (with("PROGRAM", "blastn"), 901, "PROGRAM"),
        (with("EXPECT", "<b>"), 901, "&lt;b&gt;"),
        (with("HITLIST_SIZE", "0"), 901, "HITLIST_SIZE"),
        (with("GAPCOSTS", "99 99"), 901, "GAPCOSTS"),
        (with("MATRIX", "BLOSUM63"), 901, "MATRIX_NAME"),
        (with("SERVICE", "psi"), 901, "SERVICE"),
        (with("ENTREZ_QUERY", "txid9606[ORGN]"), 901, "ENTREZ_QUERY"),
        (with("FORMAT_TYPE", "ASN.1"), 901, "FORMAT_TYPE"),
        (with("SHORT_QUERY_ADJUST", "true"), 901, "SHORT_QUERY_ADJUST"),
        (with("PERC_IDENT", "90"), 901, "PERC_IDENT"),
        (too_large, 902, "100000"),
    ] {
        let borrowed: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = post(&lab, &borrowed).await;
        let page = answer.text();
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{page}"
        );
        assert!(page.starts_with("<!DOCTYPE html"), "{page}");
        assert_eq!((after(page, "RID ="), after(page, "RTOE =")), ("", ""), "{page}");
        let (_, error) = page.split_once("<p class=\"error\">").unwrap();
        let (error, _) = error.split_once("</p>").unwrap();
        let begins = format!("Message ID#{number} Error: ");
        assert!(
            error.starts_with(&begins) && error.contains(part) && !error.contains('\n'),
            "{part}: {error}"
        );
        assert!(!error.contains(['<', '>']), "{error}");
    }
    assert!(lab.job_blobs().await.is_empty(), "nothing is left of what was refused");
}

/// More than a mebibyte, most of it titles.
pub(crate) fn many_queries() -> String {
    let title = "a title ".repeat(500);
    (0..300).map(|number| format!(">q{number} {title}\nMKTAYIAKQRQISFVKSHFSRQ\n")).collect()
}

#[tokio::test]
async fn many_queries_are_stored_while_they_arrive_and_searched() {
    let lab = Lab::new().await;
    let queries = many_queries();
    assert!(queries.len() > 1 << 20, "few are read by the request");
    let rid = put(&lab, &queries, &[("EXPECT", "1e-9")]).await;
    assert!(info(&lab, &rid).await.text().contains("\n\tStatus=WAITING\n"));
    assert_eq!(lab.complete(&job(&rid)).await, "completed");
    let status = lab.get(&format!("/api/searches/{}", job(&rid))).await.json();
    assert_eq!(status["queries"], json!(300));
}

#[tokio::test]
async fn queries_may_be_sent_compressed_in_a_form_of_parts() {
    let lab = Lab::new().await;
    let mut body = multipart(&[("CMD", "Put"), ("PROGRAM", "blastp"), ("DATABASE", "edge")]);
    body.truncate(body.len() - "--cut--\r\n".len());
    body.extend(b"--cut\r\nContent-Disposition: form-data; name=\"QUERY\"; filename=\"q.fa.gz\"\r\n\r\n");
    body.extend(gzip(two_queries().as_bytes()));
    body.extend(b"\r\n--cut--\r\n");
    let answer = send(&lab, "POST", "/Blast.cgi", "multipart/form-data; boundary=cut", body).await;
    assert_eq!(lab.complete(&job(&rid(&answer))).await, "completed");
}

#[tokio::test]
async fn a_parameter_that_is_not_known_is_named_and_does_no_harm() {
    let lab = Lab::new().await;
    let query = two_queries();
    let all = [
        ("CMD", "Put"),
        ("PROGRAM", "blastp"),
        ("DATABASE", "edge"),
        ("EXPCET", "1e-5"),
        ("TOOL", "x"),
        ("QUERY", query.as_str()),
    ];
    let answer = post(&lab, &all).await;
    rid(&answer);
    assert!(answer.text().contains("not used: EXPCET</p>"), "{}", answer.text());
}
