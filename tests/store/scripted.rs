//! A service that answers requests one by one as a test has written down.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Status line, headers and body.
    Reply(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Announces a body of this length under a status, sends these bytes of it, and closes.
    BreakOff(u16, usize, Vec<u8>),
    /// Closes without an answer.
    Close,
    /// Never answers.
    Hang,
    /// Answers with the headers of a blob that the first request's writer has written.
    FirstWriterHead,
}

impl Answer {
    pub(crate) fn status(status: u16, code: &str) -> Self {
        Self::Reply(status, vec![("x-ms-error-code", code.to_owned())], Vec::new())
    }
}

/// A server on this machine; its last answer is repeated.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(crate) async fn start(answers: impl Into<VecDeque<Answer>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, answers.into(), Arc::clone(&requests)));
        Self { port, requests }
    }

    /// Request lines and headers so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The values that one header had in the requests so far.
    pub(crate) fn header(&self, name: &str) -> Vec<String> {
        self.requests().iter().filter_map(|request| header(request, name)).collect()
    }
}

async fn serve(listener: TcpListener, mut answers: VecDeque<Answer>, requests: Arc<Mutex<Vec<String>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        // One after the other would be simpler, but a hanging answer must not stop the next.
        tokio::spawn(handle(stream, answer.unwrap(), Arc::clone(&requests)));
    }
}

async fn handle(mut stream: TcpStream, answer: Answer, requests: Arc<Mutex<Vec<String>>>) {
    let request = read_request(&mut stream).await;
    let first = {
        let mut requests = requests.lock().unwrap();
        requests.push(request);
        requests[0].clone()
    };
    let (status, headers, length, body) = match answer {
        Answer::Reply(status, headers, body) => (status, headers, body.len(), body),
        Answer::BreakOff(status, length, body) => (status, vec![("etag", "\"0x1\"".into())], length, body),
        Answer::FirstWriterHead => {
            let writer = header(&first, "x-ms-meta-writer").unwrap();
            (200, vec![("etag", "\"0x1\"".into()), ("x-ms-meta-writer", writer)], 0, Vec::new())
        }
        Answer::Close => return,
        Answer::Hang => return std::future::pending().await,
    };
    let mut head = format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

/// Reads a request with its body and returns its head.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    loop {
        let end = received.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(received[..end].to_vec()).unwrap();
            let body = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            if received.len() >= end + 4 + body {
                return head;
            }
        }
        if stream.read_buf(&mut received).await.unwrap() == 0 {
            return String::from_utf8_lossy(&received).into_owned();
        }
    }
}

fn header(request: &str, name: &str) -> Option<String> {
    let mut headers = request.lines().skip(1).filter_map(|line| line.split_once(": "));
    headers.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}
