//! A disk without room: a limit on the size of files stands for it, which needs no root.

use std::process::Command;

use crate::common::command::under;
use crate::common::examples::{self, DATABASE};
use crate::common::process::{Server, wait_for};
use crate::server::Lab;

/// Largest file, in the 512-byte units of `ulimit -f`: 1 MiB. Queues fit, a large job does not.
const LIMIT: &str = "2048";

/// The same command under a limit that can be lifted. A write beyond it fails, as the signal that
/// would end the process is ignored.
fn limited(command: &Command) -> Command {
    under(&format!("trap '' XFSZ; ulimit -S -f {LIMIT}"), command)
}

/// Residues that cannot be compressed much.
fn noise(residues: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b"ACDEFGHIKLMNPQRSTVWY"[(state >> 33) as usize % 20]
    };
    std::iter::repeat_with(next).take(residues).collect()
}

#[test]
fn a_full_disk_is_said_and_the_job_goes_on_when_there_is_room() {
    let mut lab = Lab::of(examples::one_volume(), &[]);
    lab.server.process.kill();
    lab.server =
        Server::start_by(|command| limited(&command), lab.folder.path(), &["--chunk-residues", "100000000"]);

    // Queries that do not fit.
    let large = lab.folder.path().join("large.fa");
    std::fs::write(&large, [b">large\n", &noise(4 << 20)[..]].concat()).unwrap();
    let error = lab.run(&["submit", "--query", large.to_str().unwrap(), "--database", DATABASE]).failed(1);
    assert!(error.contains("File too large") && error.contains("make room and retry"), "{error}");
    let log = lab.server.process.stderr();
    assert!(log.contains("status=507") && log.contains("storage-full"), "{log}");

    // A report that does not fit.
    let columns = "6 std qseq sseq stitle salltitles";
    let few = lab.folder.path().join("few.fa");
    std::fs::write(&few, examples::many_queries(5)).unwrap();
    let submit = [
        "submit",
        "--query",
        few.to_str().unwrap(),
        "--database",
        DATABASE,
        "--outfmt",
        columns,
        "--comp-based-stats",
        "0",
    ];
    let id = String::from_utf8(lab.run(&submit).ok()).unwrap().trim().to_owned();
    wait_for("a step that waits for room", || {
        let log = lab.server.process.stderr();
        (log.contains("storage failed, will retry") && log.contains("File too large")).then_some(())
    });
    assert_eq!(lab.status(&id)["state"], "running");
    let lifted = Command::new("prlimit")
        .args(["--pid", &lab.server.process.id().to_string(), "--fsize=unlimited:"])
        .status()
        .expect("prlimit (util-linux) must be installed");
    assert!(lifted.success());
    lab.completes(&id, &examples::search(&few, &["--outfmt", columns, "--comp-based-stats", "0"]));
    assert_eq!(lab.status(&id)["shards"]["failed"], 0);
}
