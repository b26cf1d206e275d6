//! The `{"Data", "Metadata"}` body of a call (rules 2, 3 and 9).
//!
//! The odd quoting is the host's own: a value that is text is serialised to JSON, and the result
//! is put into the body as text again. Numbers and booleans become text as well, objects stay
//! objects, dates are cut to seconds and quoted once.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What the host says about one call, besides its trigger's data.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// Name of the function.
    pub(crate) function: &'a str,
    /// Time of the call.
    pub(crate) now: Timestamp,
    /// A new GUID.
    pub(crate) guid: &'a str,
}

/// One delivery of a queue message, as the host sees it.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The message's id.
    pub(crate) id: String,
    /// Receipt at the time of delivery; stale after the first renewal.
    pub(crate) receipt: String,
    /// Number of the delivery, from 1.
    pub(crate) dequeue_count: u32,
    /// When it was added to its queue.
    pub(crate) inserted: Timestamp,
    /// When the lease of this delivery ends.
    pub(crate) next_visible: Timestamp,
    /// Its decoded text.
    pub(crate) body: String,
}

/// Messages live for a week unless their sender says otherwise.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// The body of a call for a queue message, handed over under the name `binding`.
pub(crate) fn queue(binding: &str, message: &Message, call: &Call<'_>) -> Value {
    let mut metadata = Map::new();
    metadata.insert("DequeueCount".into(), Value::from(message.dequeue_count.to_string()));
    metadata.insert("ExpirationTime".into(), date(message.inserted + LIFETIME));
    metadata.insert("Id".into(), quoted(&message.id));
    metadata.insert("InsertionTime".into(), date(message.inserted));
    metadata.insert("NextVisibleTime".into(), date(message.next_visible));
    metadata.insert("PopReceipt".into(), quoted(&message.receipt));
    add_members(&mut metadata, &message.body);
    add_system(&mut metadata, call);
    json!({ "Data": { binding: quoted(&message.body) }, "Metadata": metadata })
}

/// The body of a call for a timer that fires every minute.
pub(crate) fn timer(binding: &str, call: &Call<'_>) -> Value {
    const PERIOD: Duration = Duration::from_secs(60);
    let mut metadata = Map::new();
    add_system(&mut metadata, call);
    let status = json!({
        "Last": date(call.now - PERIOD),
        "Next": date(call.now + PERIOD),
        "LastUpdated": date(call.now - PERIOD),
    });
    let timer = json!({ "Schedule": { "AdjustForDST": true }, "ScheduleStatus": status, "IsPastDue": false });
    json!({ "Data": { binding: timer }, "Metadata": metadata })
}

/// Text as the host writes it: a JSON literal inside a JSON string.
fn quoted(text: &str) -> Value {
    Value::from(Value::from(text).to_string())
}

fn date(time: Timestamp) -> Value {
    Value::from(time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())
}

/// Adds the top-level members of a message that is a JSON object (rule 9). They replace built-in
/// keys whatever their case; the key keeps the spelling it had. Arrays and nulls are left out.
fn add_members(metadata: &mut Map<String, Value>, body: &str) {
    let Ok(Value::Object(members)) = serde_json::from_str(body) else { return };
    for (name, value) in members {
        let value = match value {
            Value::Null | Value::Array(_) => continue,
            Value::Object(object) => Value::Object(object),
            Value::Bool(true) => quoted("True"),
            Value::Bool(false) => quoted("False"),
            Value::Number(number) => quoted(&number.to_string()),
            Value::String(text) => quoted(&text),
        };
        if name.to_lowercase().ends_with("trigger") {
            continue;
        }
        let known = metadata.keys().find(|key| key.eq_ignore_ascii_case(&name)).cloned();
        metadata.insert(known.unwrap_or(name), value);
    }
}

fn add_system(metadata: &mut Map<String, Value>, call: &Call<'_>) {
    let system = json!({
        "MethodName": call.function,
        "UtcNow": call.now.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string(),
        "RandGuid": call.guid,
    });
    metadata.insert("sys".into(), system);
}

/// A new random GUID.
pub(crate) fn guid() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    let bits = u128::from_be_bytes(bytes);
    // Version 4, variant 1.
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
