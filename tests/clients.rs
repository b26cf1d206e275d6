//! Reports as scientists read them: by Biopython, pandas and pysam, which `tests/run` installs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

#[test]
fn biopython_pandas_and_pysam_read_the_same_hits_from_every_format() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".cache/clients-checks/bin/python");
    assert!(
        python.exists(),
        "Biopython is not installed: run `tests/run`, which installs it and runs all tests"
    );
    let output = Command::new(python)
        .arg(root.join("tests/clients/parse_reports.py"))
        .arg(env!("CARGO_BIN_EXE_skyblast"))
        .args(["examples/queries.fa", "examples/database.fa.gz"].map(|file| root.join(file)))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    for reader in [
        "7 by Bio.SearchIO",
        "10 by pandas",
        "5 by Bio.Blast.NCBIXML",
        "15 by json",
        "5 by Bio.Blast:",
        "17 by pysam",
        "17 as BAM by pysam",
    ] {
        assert!(printed.contains(&format!("format {reader}")), "{reader} is missing:\n{printed}");
    }
}
