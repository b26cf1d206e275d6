//! The root file system of the container image, as far as that can be run without a container engine: in a
//! changed root, where nothing else is.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

mod common;

use common::command::end;
use common::in_process::project_file;
use common::process::{Process, wait_for};

/// Puts the root together in a folder.
fn assemble(out: &Path) {
    let mut script = Command::new(project_file("infra/container/assemble.sh"));
    end(script.args(["--binary", env!("CARGO_BIN_EXE_skyblast"), "--out"]).arg(out)).ok();
}

/// A command in the root, as the user of the image.
fn inside(root: &Path, arguments: &[&str]) -> Command {
    let is_root = end(Command::new("id").arg("-u")).ok() == b"0\n";
    let mut command = if is_root {
        let mut command = Command::new("chroot");
        command.arg("--userspec=65532:65532");
        command
    } else {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "chroot"]);
        command
    };
    command.arg(root).arg("/usr/bin/skyblast").args(arguments);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("SKYBLAST_STORAGE", "/data");
    command
}

#[test]
fn the_image_serves_a_search_with_nothing_else_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    assemble(&root);
    for name in ["queries.fa", "database.fa.gz"] {
        std::fs::copy(project_file("examples").join(name), root.join("data").join(name)).unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (listen, url) = (format!("0.0.0.0:{port}"), format!("http://127.0.0.1:{port}"));
    let mut server = Process::start(&mut inside(&root, &["serve", "--listen", &listen]));
    wait_for("the server", || server.stdout().contains("serving").then_some(()));
    let to_server = ["--server", url.as_str()];
    let tool = |arguments: &[&str]| end(&mut inside(&root, &[arguments, &to_server].concat()));
    end(&mut inside(&root, &["databases", "add", "proteins", "--in", "/data/database.fa.gz"])).ok();
    // What the health check of the image runs.
    tool(&["doctor"]).ok();
    let hits = tool(&["submit", "--query", "/data/queries.fa", "--database", "proteins", "--wait"]).ok();
    assert!(hits.iter().filter(|&&byte| byte == b'\n').count() > 100, "{}", hits.escape_ascii());
    server.terminate();
    assert!(server.wait().success(), "{}", server.stderr());
    assert!(!root.join("bin").exists() && !root.join("usr/bin/sh").exists());
}

/// The commands of the recipe are those of the program, and the root is where it says.
#[test]
fn the_recipe_fits_the_program() {
    let recipe = std::fs::read_to_string(project_file("infra/container/Containerfile")).unwrap();
    let after = |instruction: &str| -> Vec<Vec<String>> {
        let lines = recipe.lines().filter_map(|line| line.split_once(instruction));
        lines.map(|(_, words)| serde_json::from_str(words).unwrap()).collect()
    };
    let program = "/usr/bin/skyblast";
    assert_eq!(after("ENTRYPOINT "), [[program]]);
    let commands = after("CMD ");
    assert_eq!(commands.len(), 2, "what it runs, and what looks after its health");
    for mut arguments in commands {
        arguments.retain(|argument| argument != program);
        arguments.push("--help".to_owned());
        end(Command::new(env!("CARGO_BIN_EXE_skyblast")).args(arguments)).ok();
    }
}

#[test]
fn a_folder_that_holds_something_else_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "the only copy").unwrap();
    let mut script = Command::new(project_file("infra/container/assemble.sh"));
    let ended = end(script.args(["--binary", env!("CARGO_BIN_EXE_skyblast"), "--out"]).arg(folder.path()));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("holds something else"), "{}", ended.stderr);
    assert!(folder.path().join("thesis.txt").exists());
}
