//! `CMD=Get`: status pages and reports.

use serde_json::Value;

use crate::lab::{Lab, PROTEINS, two_queries};
use crate::ncbi::{done, get, info, job, put, report};
use crate::zip::files;

const READY: &str = "<p><!--\nQBlastInfoBegin\n\tStatus=READY\nQBlastInfoEnd\n--><p>\n<PRE>\n";

#[tokio::test]
async fn a_search_waits_then_is_ready_with_hits_or_without() {
    let lab = Lab::new().await;
    let rid = put(&lab, &two_queries(), &[]).await;
    let waiting = info(&lab, &rid).await;
    let page = waiting.text();
    assert!(page.starts_with("<!DOCTYPE html"), "{page}");
    assert!(page.contains("\n<!--\nQBlastInfoBegin\n\tStatus=WAITING\nQBlastInfoEnd\n-->\n"), "{page}");
    assert_eq!((page.matches("Status=").count(), page.matches("ThereAreHits").count()), (1, 0));
    // A report that is not there yet looks the same, whatever is wanted.
    for form in ["HTML", "Text", "XML", "XML2", "JSON2", "JSON2_S", "CSV"] {
        assert_eq!(report(&lab, &rid, &[("FORMAT_TYPE", form)]).await.text(), page, "{form}");
    }
    lab.complete(&job(&rid)).await;
    let page = info(&lab, &rid).await.text().to_owned();
    let blocks = "<!--\nQBlastInfoBegin\n\tStatus=READY\nQBlastInfoEnd\n-->\n\
        <!--\nQBlastInfoBegin\n\tThereAreHits=yes\nQBlastInfoEnd\n-->\n";
    assert!(page.contains(blocks), "{page}");

    let none = done(&lab, ">none\nWWWWWWWWWWWWWWWW\n", &[]).await;
    assert!(info(&lab, &none).await.text().contains("\tThereAreHits=no\n"));
    let text = report(&lab, &none, &[("FORMAT_TYPE", "XML")]).await.text().to_owned();
    assert!(text.contains("<Iteration_message>No hits found</Iteration_message>"), "{text}");
}

#[tokio::test]
async fn reports_are_those_of_the_other_api_in_the_wrapping_that_clients_expect() {
    let lab = Lab::new().await;
    let rid = done(&lab, &two_queries(), &[]).await;
    let results = format!("/api/searches/{}/results", job(&rid));
    for (form, media_type, before, outfmt, after) in [
        (&[("FORMAT_TYPE", "XML")][..], "application/xml", "", "5", ""),
        (&[("FORMAT_TYPE", "XML2_S")], "application/xml", "", "16", ""),
        (&[("FORMAT_TYPE", "JSON2_S")], "application/json", "", "15", ""),
        (&[("FORMAT_TYPE", "CSV"), ("ALIGNMENT_VIEW", "Tabular")], "text/csv; charset=utf-8", "", "10", ""),
        (&[("FORMAT_TYPE", "Tabular")], "text/html; charset=utf-8", READY, "7", "</PRE>\n"),
        (
            &[("FORMAT_TYPE", "text"), ("ALIGNMENT_VIEW", "tabular")],
            "text/html; charset=utf-8",
            READY,
            "7",
            "</PRE>\n",
        ),
        (
            &[("FORMAT_TYPE", "Text"), ("DESCRIPTIONS", "7"), ("ALIGNMENTS", "4")],
            "text/html; charset=utf-8",
            READY,
            "0+num_descriptions%3D7+num_alignments%3D4",
            "</PRE>\n",
        ),
    ] {
        let answer = report(&lab, &rid, form).await;
        let expected = lab.get(&format!("{results}?outfmt={outfmt}")).await;
        assert_eq!(answer.text(), format!("{before}{}{after}", expected.text()), "{form:?}");
        assert_eq!(answer.header("content-type"), media_type, "{form:?}");
        assert_eq!(report(&lab, &rid, form).await.text(), answer.text(), "{form:?}: asked again");
    }
    let text = report(&lab, &rid, &[("FORMAT_TYPE", "Text")]).await.text().to_owned();
    assert!(text[READY.len()..].starts_with("BLASTP "), "{text}");
    let page = report(&lab, &rid, &[]).await;
    assert!(page.text().starts_with("<!DOCTYPE html") && page.text().contains("Query= "), "{}", page.text());
    assert!(page.text().contains("\tStatus=READY\n"), "{}", page.text());
    // What is text for programs is a page for a browser, in which nothing may run.
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
}

#[tokio::test]
async fn archives_name_their_files_first_and_have_one_per_query() {
    let lab = Lab::new().await;
    let fasta = String::from_utf8(PROTEINS.to_vec()).unwrap();
    let end = fasta.match_indices('>').nth(30).unwrap().0;
    // Several chunks.
    let rid = done(&lab, &fasta[..end], &[("HITLIST_SIZE", "5")]).await;
    let answer = report(&lab, &rid, &[("FORMAT_TYPE", "JSON2")]).await;
    assert_eq!(answer.header("content-type"), "application/zip");
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{rid}.zip\""));
    assert!(answer.bytes().starts_with(b"PK\x03\x04"));
    let found = files(answer.bytes());
    let names: Vec<String> = (0..=30)
        .map(|number| if number == 0 { format!("{rid}.json") } else { format!("{rid}_{number}.json") })
        .collect();
    assert_eq!(found.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names);
    let manifest: Value = serde_json::from_str(&found[0].1).unwrap();
    let named = manifest["BlastJSON"].as_array().unwrap().iter().map(|file| file["File"].as_str().unwrap());
    assert_eq!(named.collect::<Vec<_>>(), names[1..]);
    let single: Value = report(&lab, &rid, &[("FORMAT_TYPE", "JSON2_S")]).await.json();
    for (place, (name, text)) in found[1..].iter().enumerate() {
        let file: Value = serde_json::from_str(text).unwrap();
        assert_eq!(file["BlastOutput2"], single["BlastOutput2"][place], "{name}");
    }
    assert_eq!(report(&lab, &rid, &[("FORMAT_TYPE", "JSON2")]).await.bytes(), answer.bytes());

    let xml = report(&lab, &rid, &[("FORMAT_TYPE", "XML2")]).await;
    let found = files(xml.bytes());
    assert_eq!(found.len(), 31);
    assert!(found[0].1.contains(&format!("<xi:include href=\"{rid}_30.xml\"/>")), "{}", found[0].1);
    assert!(found[30].1.starts_with("<?xml ") && found[30].1.contains("<query-id>Query_30</query-id>"));
}

#[tokio::test]
async fn fewer_hits_may_be_asked_for_and_not_more() {
    let lab = Lab::new().await;
    let rid = done(&lab, &two_queries(), &[("HITLIST_SIZE", "5"), ("EXPECT", "100000")]).await;
    let mut counts = Vec::new();
    for most in ["1", "3", "5", "100"] {
        for form in ["XML", "JSON2_S", "Tabular", "XML2"] {
            let answer = report(&lab, &rid, &[("FORMAT_TYPE", form), ("HITLIST_SIZE", most)]).await;
            let first = match form {
                "XML" => answer.text().split("<Iteration>").nth(1).unwrap().matches("<Hit>").count(),
                "JSON2_S" => {
                    let search = &answer.json()["BlastOutput2"][0]["report"]["results"]["search"];
                    search["hits"].as_array().unwrap().len()
                }
                "XML2" => files(answer.bytes())[1].1.matches("<Hit>").count(),
                _ => {
                    let first = answer.text().split("# BLASTP").nth(1).unwrap().to_owned();
                    let rows = first.lines().filter(|line| line.split('\t').count() == 12);
                    let subjects = rows.map(|row| row.split('\t').nth(1).unwrap().to_owned());
                    subjects.collect::<std::collections::BTreeSet<_>>().len()
                }
            };
            counts.push(first);
        }
    }
    let expected: Vec<usize> = [1, 3, 5, 5].iter().flat_map(|count| [*count; 4]).collect();
    assert_eq!(counts, expected);
}

#[tokio::test]
async fn what_is_said_with_the_search_holds_for_its_report_until_something_else_is() {
    let lab = Lab::new().await;
    let kept =
        [("FORMAT_TYPE", "Text"), ("DESCRIPTIONS", "3"), ("ALIGNMENTS", "2"), ("ALIGNMENT_VIEW", "Pairwise")];
    let rid = done(&lab, &two_queries(), &[&kept[..], &[("FORMAT_OBJECT", "Alignment")]].concat()).await;
    assert_eq!(report(&lab, &rid, &[]).await.text(), report(&lab, &rid, &kept).await.text());
    let xml = report(&lab, &rid, &[("FORMAT_TYPE", "XML")]).await;
    assert!(xml.text().starts_with("<?xml "));
    for form in ["XML2", "JSON2", "XML2_S"] {
        let rid = done(&lab, &two_queries(), &[("FORMAT_TYPE", form)]).await;
        let again = report(&lab, &rid, &[("FORMAT_TYPE", form)]).await;
        assert_eq!(report(&lab, &rid, &[]).await.bytes(), again.bytes(), "{form}");
    }
    let answer = get(&lab, &[("CMD", "Get"), ("RID", &rid), ("FORMAT_TYPE", "SAM")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, "text/plain; charset=utf-8"));
}

#[tokio::test]
async fn a_name_that_looks_like_a_status_keeps_no_client_waiting() {
    let lab = Lab::new().await;
    let fasta = two_queries();
    let renamed = fasta.replacen('>', ">x Status=WAITING <script>alert(1)</script> ", 1);
    let rid = done(&lab, &renamed, &[]).await;
    for (form, escaped, marks) in [
        ("XML", "Status&#61;WAITING", 0),
        ("XML2_S", "Status&#61;WAITING", 0),
        ("JSON2_S", "Status\\u003dWAITING", 0),
        ("Text", "Status&#61;WAITING <script>", 1),
        ("HTML", "Status&#61;WAITING &lt;script&gt;", 1),
    ] {
        let answer = report(&lab, &rid, &[("FORMAT_TYPE", form)]).await;
        let text = answer.text();
        assert!(text.contains(escaped), "{form}: {text}");
        assert_eq!(text.matches("Status=").count(), marks, "{form}");
        assert!(answer.header("content-security-policy").contains("sandbox"), "{form}");
    }
    let json = report(&lab, &rid, &[("FORMAT_TYPE", "JSON2_S")]).await.json();
    let title = &json["BlastOutput2"][0]["report"]["results"]["search"]["query_title"];
    assert!(title.as_str().unwrap().contains("Status=WAITING"), "{title}");
}
