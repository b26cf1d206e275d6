//! Scripts of others, request by request, and what they take from the answers.

use crate::lab::{Lab, two_queries};
use crate::ncbi::{encoded, get, job, send};
use crate::searches::multipart;

fn first_residues() -> String {
    two_queries().lines().skip(1).take_while(|line| !line.starts_with('>')).collect()
}

/// Bioconductor's annotate and its like: everything in the address, the comment read with an expression.
#[tokio::test]
async fn an_r_script_that_asks_by_addresses_gets_its_xml() {
    let lab = Lab::new().await;
    let residues = first_residues();
    let put =
        format!("QUERY={residues}&DATABASE=edge&HITLIST_SIZE=10&FILTER=L&EXPECT=10&PROGRAM=blastp&CMD=Put");
    let page = lab.get(&format!("/Blast.cgi?{put}")).await.text().to_owned();
    let comment = page.split("<!--").find(|part| part.starts_with("QBlastInfoBegin")).unwrap();
    let word = |mark: &str| -> String {
        let rest = comment.split_once(mark).unwrap().1;
        rest.chars().take_while(char::is_ascii_alphanumeric).collect()
    };
    let (rid, rtoe) = (word("RID = "), word("RTOE = "));
    rtoe.parse::<u32>().unwrap();
    let look = format!("/Blast.cgi?CMD=Get&FORMAT_OBJECT=SearchInfo&RID={rid}");
    assert!(lab.get(&look).await.text().contains("Status=WAITING"));
    lab.complete(&job(&rid)).await;
    assert!(lab.get(&look).await.text().contains("Status=READY"));
    let xml = lab.get(&format!("/Blast.cgi?RID={rid}&FORMAT_TYPE=XML&CMD=Get")).await;
    assert!(xml.text().starts_with("<?xml ") && xml.text().contains("<Hit>"), "{}", xml.text());
}

/// R's `scan`, which splits at blanks, and the word two places after `RID`.
#[tokio::test]
async fn an_r_script_that_counts_words_finds_its_rid() {
    let lab = Lab::new().await;
    let residues = first_residues();
    let put = format!(
        "QUERY={residues}&DATABASE=edge&HITLIST_SIZE=20&FILTER=L&EXPECT=10&PROGRAM=blastp&CLIENT=web&SERVICE=plain\
         &NCBI_GI=on&PAGE=Nucleotides&CMD=Put&EMAIL=a@b.c&TOOL=hoardeR"
    );
    let page = lab.get(&format!("/blast/Blast.cgi?{put}")).await.text().to_owned();
    let words: Vec<&str> = page.split_whitespace().collect();
    let places: Vec<usize> = (0..words.len()).filter(|&place| words[place] == "RID").collect();
    assert_eq!(places.len(), 1, "{page}");
    lab.complete(&job(words[places[0] + 2])).await;
}

/// R's httr, which posts a list as a form of parts; the line is split at ` = `.
#[tokio::test]
async fn an_r_script_that_posts_parts_finds_its_rid() {
    let lab = Lab::new().await;
    let residues = first_residues();
    let form = multipart(&[
        ("QUERY", &residues),
        ("DATABASE", "edge"),
        ("HITLIST_SIZE", "20"),
        ("FILTER", "L"),
        ("EXPECT", "10"),
        ("PROGRAM", "blastp"),
        ("CLIENT", "web"),
        ("SERVICE", "plain"),
        ("NCBI_GI", "on"),
        ("PAGE", "Nucleotides"),
        ("CMD", "Put"),
        ("EMAIL", "a@b.c"),
        ("TOOL", "R"),
    ]);
    let page = send(&lab, "POST", "/Blast.cgi", "multipart/form-data; boundary=cut", form).await;
    let line = page.text().lines().find(|line| line.contains("RID =")).unwrap();
    lab.complete(&job(line.split(" = ").nth(1).unwrap())).await;
}

/// A browser's script: the id from the input of the page, one file of JSON.
#[tokio::test]
async fn a_script_that_reads_the_input_of_the_page_gets_its_json() {
    let lab = Lab::new().await;
    let query = two_queries();
    let page =
        get(&lab, &[("CMD", "Put"), ("PROGRAM", "blastp"), ("DATABASE", "edge"), ("QUERY", &query)]).await;
    let (_, rest) = page.text().split_once("<input name=\"RID\" value=\"").unwrap();
    let (rid, _) = rest.split_once("\" id=\"rid\">").unwrap();
    lab.complete(&job(rid)).await;
    let asked =
        encoded(&[("CMD", "Get"), ("RID", rid), ("FORMAT_TYPE", "JSON2_S"), ("FORMAT_OBJECT", "Alignment")]);
    let json = lab.get(&format!("/blast/Blast.cgi?{asked}")).await.json();
    assert_eq!(json["BlastOutput2"].as_array().unwrap().len(), 2);
}
