//! The HTTP front: chooses a function by route and forwards the request to a handler, with what
//! the host loses on the way.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use reqwest::header::{
    ALLOW, CONNECTION, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_LOCATION, CONTENT_RANGE, EXPIRES, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED,
    TRANSFER_ENCODING, USER_AGENT,
};
use reqwest::{Method, StatusCode, Url};

use super::config::{Function, Settings, Trigger};
use super::fleet::Fleet;
use super::invoke::{Answer, PRODUCT};

/// Largest request body unless an app setting says otherwise, in bytes.
const BODY_LIMIT: usize = 104_857_600;
/// Name of that app setting.
const BODY_LIMIT_SETTING: &str = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";

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
}

impl Front {
    /// A front for those of `functions`, in name order, that HTTP starts.
    pub(super) fn new(
        functions: &[Function],
        settings: &Settings,
        function_key: Option<String>,
        fleet: Arc<Fleet>,
    ) -> anyhow::Result<Self> {
        let body_limit = settings.get(BODY_LIMIT_SETTING).map_or(Ok(BODY_LIMIT), |bytes| bytes.parse())?;
        Ok(Self { functions: functions.to_vec(), body_limit, function_key, fleet })
    }

    /// The service to listen with.
    pub(super) fn router(self) -> Router {
        Router::new().fallback(serve).with_state(Arc::new(self))
    }

    /// Whether the caller may use a function: anonymous ones always, others with the key.
    fn admits(&self, anonymous: bool, headers: &HeaderMap, url: &Url) -> bool {
        let Some(key) = &self.function_key else { return true };
        let in_header = headers.get("x-functions-key").is_some_and(|value| value == key.as_str());
        anonymous || in_header || url.query_pairs().any(|(name, value)| name == "code" && value == *key)
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
        let path_and_query = head.uri.path_and_query().map_or("/", |text| text.as_str());
        let mut url = Url::parse(&invoker.url(path_and_query)).map_err(|_| StatusCode::BAD_REQUEST)?;
        let anonymous = matches!(function.trigger, Trigger::Http { anonymous: true, .. });
        if !self.admits(anonymous, &head.headers, &url) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let body = body?;
        if head.headers.contains_key(TRANSFER_ENCODING) {
            // The rebuilt request says "chunked" but has no content, which .NET refuses to send.
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        join_repeated_keys(&mut url);
        let mut forwarded =
            invoker.client.request(head.method, url).headers(forwarded_headers(&head.headers));
        if head.headers.contains_key(CONTENT_LENGTH) {
            forwarded = forwarded.body(body);
        }
        // A failed call is an empty 500 to the client.
        invoker.forward(&function.name, forwarded).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Reads the whole body. One over the limit is read to its end before it is refused, so that
    /// the client sees the answer rather than a broken connection.
    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, StatusCode> {
        let announced =
            headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > self.body_limit) {
            let mut pieces = body.into_data_stream();
            while let Some(Ok(_)) = futures::StreamExt::next(&mut pieces).await {}
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        to_bytes(body, self.body_limit).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
    }
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
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' | b',' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
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
