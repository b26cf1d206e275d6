//! Processes that go on running while nobody reads what they print, as when their host has died.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use skyblast::store::local::LocalStore;

use crate::common::command::skyblast;
use crate::common::process::wait_for;

/// A command with pipes for its output, whose reading ends are closed before it is stopped. Dropping it
/// kills it.
struct Unread(Child);

impl Unread {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn close_output(&mut self) {
        drop((self.0.stdout.take(), self.0.stderr.take()));
    }

    /// Asks it to stop and waits until it has.
    #[track_caller]
    fn stops_when_told(&mut self) {
        signal("TERM", self.0.id());
        let status = wait_for("the end of the process", || self.0.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {process}")).status().unwrap();
    assert!(sent.success());
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The first line of the answer, if anybody listens and answers.
fn ask(port: u16, request_line: &str) -> Option<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(
        connection,
        "{request_line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    Some(answer.lines().next()?.to_owned())
}

fn handler(port: u16, storage: &Path) -> Command {
    let mut command = skyblast(["handler", "--storage", storage.to_str().unwrap()]);
    command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
    command
}

#[test]
fn a_handler_without_a_reader_answers_and_stops_when_it_is_told() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut unread = Unread::start(&mut handler(port, folder.path()));
    wait_for("the handler", || ask(port, "GET /"));
    unread.close_output();
    for _ in 0..2 {
        // A line of information for standard output, and an error for standard error.
        assert_eq!(ask(port, "GET /api/health").as_deref(), Some("HTTP/1.1 200 OK"));
        assert_eq!(ask(port, "POST /plan").as_deref(), Some("HTTP/1.1 500 Internal Server Error"));
    }
    unread.stops_when_told();
}

#[test]
fn a_server_without_a_reader_answers_and_stops_when_it_is_told() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let address = format!("127.0.0.1:{port}");
    let storage = folder.path().to_str().unwrap();
    let mut command = skyblast(["serve", "--storage", storage, "--listen", &address]);
    let mut unread = Unread::start(&mut command);
    unread.close_output();
    wait_for("the server", || ask(port, "GET /"));
    for _ in 0..2 {
        assert_eq!(ask(port, "GET /api/health").as_deref(), Some("HTTP/1.1 200 OK"));
    }
    unread.stops_when_told();
}

#[test]
fn a_worker_without_a_reader_stops_when_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    LocalStore::open(folder.path()).unwrap();
    let mut command = skyblast(["worker", "--storage", folder.path().to_str().unwrap()]);
    let mut unread = Unread::start(command.env("SKYBLAST_LOG", "trace"));
    let mut first = [0];
    unread.0.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
    unread.close_output();
    unread.stops_when_told();
}

#[test]
fn a_handler_whose_host_was_killed_leaves() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let handler = handler(port, folder.path());
    // A shell stands for the host: it starts the handler and reads nothing.
    let mut host = Command::new("sh");
    host.arg("-c").arg("\"$@\" & wait").arg("sh").arg(handler.get_program()).args(handler.get_args());
    host.envs(handler.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut host = Unread::start(&mut host);
    wait_for("the handler", || ask(port, "GET /"));
    host.0.kill().unwrap();
    host.0.wait().unwrap();
    wait_for("the end of the handler", || TcpStream::connect(("127.0.0.1", port)).is_err().then_some(()));
}
