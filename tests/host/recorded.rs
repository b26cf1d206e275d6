//! Requests as a custom handler got them from the real host (4.1037, forwarding on), in `recorded.txt`: a line
//! `=== METHOD PATH VERSION`, headers, then an empty line or the body. Keys, ids and messages were made up.

/// A recorded request.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// All of them, in their order.
pub(crate) fn requests() -> Vec<Recorded> {
    include_str!("recorded.txt").split("=== ").skip(1).map(parse).collect()
}

fn parse(text: &str) -> Recorded {
    let mut lines = text.lines();
    let mut request_line = lines.next().expect("a request line").split(' ').map(str::to_owned);
    let (method, path) = (request_line.next().expect("a method"), request_line.next().expect("a path"));
    let mut recorded = Recorded { method, path, headers: Vec::new(), body: String::new() };
    for line in lines.filter(|line| !line.is_empty()) {
        match line.split_once(": ") {
            Some((name, value)) if !line.starts_with('{') => {
                recorded.headers.push((name.to_owned(), value.to_owned()));
            }
            _ => recorded.body.push_str(line),
        }
    }
    recorded
}
