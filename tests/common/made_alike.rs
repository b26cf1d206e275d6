//! The lines of a report in which skyblast differs from blastp on purpose.

/// Gives the lines that may differ the same text: program, version and date.
pub(crate) fn made_alike(report: &[u8]) -> Vec<u8> {
    let named = format!("BLASTP 2.12.0+ (skyblast {})", env!("CARGO_PKG_VERSION"));
    let mut alike = Vec::new();
    for line in report.split_inclusive(|&byte| byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let may_differ = ["BLASTP ", "# BLASTP ", "\"version\": ", "<version>", "<BlastOutput_version>"];
        if may_differ.iter().any(|start| text.trim_start().starts_with(start)) {
            alike.extend(text.replace(&named, "BLASTP 2.12.0+").bytes());
        } else if text.starts_with("    Posted date:  ") {
            alike.extend(b"    Posted date:  some day\n");
        } else {
            alike.extend(line);
        }
    }
    alike
}
