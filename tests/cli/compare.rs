//! `compare`: what a report has of another's hits.

use std::fs;

use tempfile::TempDir;

use crate::common::command::run;

#[test]
fn reports_are_compared_by_evalue() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, rows: &[(&str, &str)]| {
        let row = |(subject, evalue): &(&str, &str)| {
            format!("q\t{subject}\t50.0\t80\t40\t0\t1\t80\t1\t80\t{evalue}\t60.1\n")
        };
        let path = folder.path().join(name).display().to_string();
        fs::write(&path, rows.iter().map(row).collect::<String>()).unwrap();
        path
    };
    let all = file("all.tsv", &[("a", "1e-50"), ("b", "1e-5"), ("c", "2e-5"), ("d", "3.1")]);
    let some = file("some.tsv", &[("a", "1e-50"), ("c", "2e-5"), ("e", "7.0")]);
    let printed = String::from_utf8(run(["compare", &all, &some]).ok()).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "E-value up to\tpairs\tfound\tshare");
    assert_eq!(lines[1], "1e-30\t1\t1\t1.0000");
    assert_eq!(lines[3], "1e-3\t2\t1\t0.5000");
    assert_eq!(lines[4], "1e-1\t0\t0\t-");
    assert_eq!(lines[6], "1e1\t1\t0\t0.0000");
    assert_eq!(lines[8], format!("# 1 pairs only in {some}"));
}
