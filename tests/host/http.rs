//! The HTTP front: chooses a function by route and forwards the request to a handler, with what
//! the host loses on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use reqwest::header::{
    ALLOW, CONNECTION, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, EXPIRES, HeaderMap, HeaderName, HeaderValue,
    LAST_MODIFIED, TRANSFER_ENCODING, USER_AGENT,
};
use reqwest::{Method, StatusCode, Url};

use super::config::{Function, Settings, Trigger};
use super::fleet::Fleet;
use super::invoke::{Answer, PRODUCT};

/// Largest request body unless an app setting says otherwise, in bytes.
const BODY_LIMIT: usize = 104_857_600;
/// Name of that app setting.
const BODY_LIMIT_SETTING: &str = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";

/// Memory of the real host without a request, in bytes, and what each byte of a body adds. It is kept.
const IDLE_MEMORY: u64 = 151_000_000;
const MEMORY_PER_BYTE: u64 = 6;

/// Headers that .NET keeps with a body; the host loses these.
const LOST_HEADERS: [HeaderName; 9] = [
    ALLOW,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LOCATION,
    HeaderName::from_static("content-md5"),
    CONTENT_RANGE,
    EXPIRES,
    LAST_MODIFIED,
];

/// Headers of one connection, which never pass a proxy.
const HOP_HEADERS: [HeaderName; 3] = [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH];

/// The HTTP functions and who runs them.
#[derive(Debug)]
pub(super) struct Front {
    functions: Vec<Function>,
    body_limit: usize,
    function_key: Option<String>,
    fleet: Arc<Fleet>,
    /// The most memory that the real host would have used, in bytes.
    memory: Arc<AtomicU64>,
}

impl Front {
    /// A front for those of `functions`, in name order, that HTTP starts.
    pub(super) fn new(
        functions: &[Function],
        settings: &Settings,
        function_key: Option<String>,
        fleet: Arc<Fleet>,
        memory: Arc<AtomicU64>,
    ) -> anyhow::Result<Self> {
        memory.store(IDLE_MEMORY, Ordering::Relaxed);
        let body_limit = settings.get(BODY_LIMIT_SETTING).map_or(Ok(BODY_LIMIT), |bytes| bytes.parse())?;
        Ok(Self { functions: functions.to_vec(), body_limit, function_key, fleet, memory })
    }

    /// The service to listen with.
    pub(super) fn router(self) -> Router {
        Router::new().fallback(serve).with_state(Arc::new(self))
    }

    /// Whether the caller may use a function: anonymous ones always, others with the key.
    fn admits(&self, anonymous: bool, headers: &HeaderMap, url: &Url) -> bool {
        let Some(key) = &self.function_key else { return true };
        match headers.get("x-functions-key") {
            _ if anonymous => true,
            // A wrong one here is not made good by a right one there.
            Some(value) => value == key.as_str(),
            None => url.query_pairs().any(|(name, value)| name == "code" && value == *key),
        }
    }
}

/// The function for a request: the first in name order whose route and method fit.
pub(crate) fn choose<'a>(functions: &'a [Function], method: &Method, path: &str) -> Option<&'a Function> {
    functions.iter().find(|function| match &function.trigger {
        Trigger::Http { methods, route, .. } => {
            route.matches(path) && methods.iter().any(|known| known.eq_ignore_ascii_case(method.as_str()))
        }
        _ => false,
    })
}

async fn serve(State(front): State<Arc<Front>>, request: Request) -> Response {
    match front.forward(request).await {
        Ok(answer) => pass_back(answer),
        Err(status) => status.into_response(),
    }
}

impl Front {
    async fn forward(&self, request: Request) -> Result<Answer, StatusCode> {
        let (head, body) = request.into_parts();
        let body = self.read(&head.headers, body).await;
        let function = choose(&self.functions, &head.method, head.uri.path()).ok_or(StatusCode::NOT_FOUND)?;
        let invoker = self.fleet.next().ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        let path = decoded_twice(head.uri.path()).ok_or(StatusCode::BAD_REQUEST)?;
        let query = head.uri.query().map_or(String::new(), |query| format!("?{query}"));
        // Parsing resolves `.` and `..`.
        let mut url = Url::parse(&invoker.url(&(path + &query))).map_err(|_| StatusCode::BAD_REQUEST)?;
        let anonymous = matches!(function.trigger, Trigger::Http { anonymous: true, .. });
        if !self.admits(anonymous, &head.headers, &url) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let body = body?;
        // The rebuilt request says "chunked" but has no content, which .NET refuses to send; nor does it send
        // a type that it does not understand.
        let type_is_odd = head.headers.get(CONTENT_TYPE).is_some_and(|value| !is_media_type(value));
        if head.headers.contains_key(TRANSFER_ENCODING) || type_is_odd {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        join_repeated_keys(&mut url);
        let mut forwarded =
            invoker.client.request(head.method, url).headers(forwarded_headers(&head.headers));
        if head.headers.contains_key(CONTENT_LENGTH) {
            forwarded = forwarded.body(body);
        }
        // A failed call is an empty 500 to the client.
        invoker
            .forward(&function.name, head.uri.path(), forwarded)
            .await
            .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Reads the whole body into memory. One over the limit is an empty 500, and the real host breaks the
    /// connection besides; here it is read to its end, so that a test sees the answer.
    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, StatusCode> {
        let announced =
            headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > self.body_limit) {
            let mut pieces = body.into_data_stream();
            while let Some(Ok(_)) = futures::StreamExt::next(&mut pieces).await {}
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let body = to_bytes(body, self.body_limit).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        self.memory.fetch_max(IDLE_MEMORY + MEMORY_PER_BYTE * body.len() as u64, Ordering::Relaxed);
        Ok(body)
    }
}

/// The path as the handler gets it: decoded once by the server and once when the request is made anew, then
/// written so that it is a path again. `None` for what is refused, a zero byte.
fn decoded_twice(path: &str) -> Option<String> {
    let twice = decode(&decode(path.as_bytes()));
    let mut written = String::new();
    for byte in twice {
        match byte {
            0 => return None,
            b'/' | b'+' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b';' | b'=' => {
                written.push(char::from(byte));
            }
            _ => written.push_str(&encode_byte(byte)),
        }
    }
    Some(written)
}

fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high << 4 | low).expect("two digits make a byte"));
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// Whether .NET takes a `Content-Type`: a type, a slash and a subtype of token characters.
fn is_media_type(value: &HeaderValue) -> bool {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

fn forwarded_headers(headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = headers.clone();
    for name in LOST_HEADERS.iter().chain(&HOP_HEADERS) {
        forwarded.remove(name);
    }
    let client = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let agent = client.map_or(PRODUCT.to_owned(), |client| format!("{client} {PRODUCT}"));
    forwarded.insert(USER_AGENT, HeaderValue::try_from(agent).expect("both parts are header text"));
    forwarded
}

/// Joins the values of repeated query keys with commas (`a=1&a=2` is sent as `a=1,2`) and encodes
/// everything anew. Keys that differ only in case are the same to .NET.
fn join_repeated_keys(url: &mut Url) {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, value) in url.query_pairs() {
        match joined.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(&value);
            }
            None => joined.push((name.into_owned(), value.into_owned())),
        }
    }
    if !joined.is_empty() {
        let pairs: Vec<_> =
            joined.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        url.set_query(Some(&pairs.join("&")));
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(encode_byte).collect()
}

fn encode_byte(byte: u8) -> String {
    match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' | b',' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

/// The handler's answer as it came, except for what belongs to its connection.
fn pass_back(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    for name in &HOP_HEADERS {
        response.headers_mut().remove(name);
    }
    response
}
