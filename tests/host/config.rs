//! host.json and function.json as the host reads them.
//!
//! An app setting `AzureFunctionsJobHost__a__b` overrides the host.json value at `a.b`, which is
//! how tests shorten the function timeout and the waits without editing the file.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::route::Template;
use super::timespan;

/// App settings: the environment of host and handler.
pub(crate) type Settings = BTreeMap<String, String>;

/// Prefix of app settings that override host.json.
const OVERRIDE: &str = "AzureFunctionsJobHost__";

/// What the host takes from host.json.
#[derive(Clone, Debug)]
pub(crate) struct HostConfig {
    /// Limit of one call; `None` is unbounded.
    pub(crate) function_timeout: Option<Duration>,
    /// Program of the custom handler, relative to the script root.
    pub(crate) executable: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// How long the handler may take until it accepts a connection.
    pub(crate) initialization_timeout: Duration,
    /// First part of every HTTP route.
    pub(crate) route_prefix: String,
    /// `extensions.queues`.
    pub(crate) queues: QueueSettings,
}

/// `extensions.queues`, with the host's defaults for absent values (one core assumed).
#[derive(Clone, Debug)]
pub(crate) struct QueueSettings {
    /// What bodies are.
    pub(crate) encoding: Encoding,
    /// Messages per receive.
    pub(crate) batch_size: u32,
    /// The next batch is fetched when at most this many still run.
    pub(crate) new_batch_threshold: usize,
    /// Tries before the poison queue.
    pub(crate) max_dequeue_count: u32,
    /// Wait before a failed message is visible again.
    pub(crate) visibility_timeout: Duration,
    /// Cap of the idle back-off.
    pub(crate) max_polling_interval: Duration,
}

/// `messageEncoding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Text.
    None,
    /// Text as base64; what is none cannot be delivered.
    Base64,
}

impl HostConfig {
    /// Reads host.json with the overrides in `settings`.
    pub(crate) fn parse(mut host_json: Value, settings: &Settings) -> anyhow::Result<Self> {
        ensure!(host_json["version"] == "2.0", "host.json: version must be \"2.0\"");
        for (name, value) in settings {
            if let Some(path) = name.strip_prefix(OVERRIDE) {
                set(&mut host_json, path, value);
            }
        }
        let handler = &host_json["customHandler"];
        ensure!(
            handler["enableForwardingHttpRequest"] == true,
            "host.json: this host only knows enableForwardingHttpRequest"
        );
        let description = &handler["description"];
        let arguments = match &description["arguments"] {
            Value::Null => Vec::new(),
            list => serde_json::from_value(list.clone()).context("host.json: arguments")?,
        };
        let http = &host_json["extensions"]["http"];
        Ok(Self {
            function_timeout: span(&host_json["functionTimeout"], "00:30:00")?,
            executable: text(&description["defaultExecutablePath"])
                .context("host.json: defaultExecutablePath is missing")?,
            arguments,
            initialization_timeout: bounded_span(&handler["initializationTimeout"], "00:00:30")?,
            route_prefix: text(&http["routePrefix"]).unwrap_or_else(|| "api".to_owned()),
            queues: QueueSettings::parse(&host_json["extensions"]["queues"])?,
        })
    }
}

impl QueueSettings {
    fn parse(queues: &Value) -> anyhow::Result<Self> {
        let encoding = match text(&queues["messageEncoding"]).as_deref() {
            None | Some("base64") => Encoding::Base64,
            Some("none") => Encoding::None,
            Some(other) => bail!("host.json: there is no messageEncoding {other:?}"),
        };
        let batch_size = number(&queues["batchSize"], 16)?;
        ensure!((1..=32).contains(&batch_size), "host.json: batchSize {batch_size} is not in 1..=32");
        Ok(Self {
            encoding,
            batch_size,
            new_batch_threshold: number(&queues["newBatchThreshold"], batch_size / 2)? as usize,
            max_dequeue_count: number(&queues["maxDequeueCount"], 5)?,
            visibility_timeout: bounded_span(&queues["visibilityTimeout"], "00:00:00")?,
            max_polling_interval: bounded_span(&queues["maxPollingInterval"], "00:01:00")?,
        })
    }
}

/// One function: its name and what starts it.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Name of its folder.
    pub(crate) name: String,
    /// What starts it.
    pub(crate) trigger: Trigger,
}

/// What starts a function.
#[derive(Clone, Debug)]
pub(crate) enum Trigger {
    /// One `httpTrigger` and one `http` output, so requests are forwarded.
    Http { methods: Vec<String>, route: Template, anonymous: bool },
    /// A message in `queue`, handed over under the name `binding`.
    Queue { binding: String, queue: String },
    /// A schedule.
    Timer { binding: String },
}

impl Function {
    /// Reads one function.json; `prefix` is the route prefix.
    pub(crate) fn parse(name: &str, json: &Value, prefix: &str, settings: &Settings) -> anyhow::Result<Self> {
        let bindings = json["bindings"].as_array().with_context(|| format!("{name}: no bindings"))?;
        let kinds: Vec<_> = bindings.iter().map(|b| b["type"].as_str().unwrap_or_default()).collect();
        let binding = || text(&bindings[0]["name"]).with_context(|| format!("{name}: binding has no name"));
        let trigger = match kinds[..] {
            ["httpTrigger", "http"] => Trigger::Http {
                methods: serde_json::from_value(bindings[0]["methods"].clone()).context("methods")?,
                route: Template::parse(prefix, bindings[0]["route"].as_str().unwrap_or(name))?,
                anonymous: bindings[0]["authLevel"] == "anonymous",
            },
            ["queueTrigger"] => {
                check_connection(name, &bindings[0], settings)?;
                Trigger::Queue {
                    binding: binding()?,
                    queue: text(&bindings[0]["queueName"])
                        .with_context(|| format!("{name}: no queueName"))?
                        .to_lowercase(),
                }
            }
            ["timerTrigger"] => Trigger::Timer { binding: binding()? },
            _ => bail!("{name}: this host does not know the bindings {kinds:?}"),
        };
        Ok(Self { name: name.to_owned(), trigger })
    }
}

/// Reads a JSON file and names it when that fails.
pub(crate) fn read_json(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// A trigger's `connection` is the name of an app setting, or the first part of several.
fn check_connection(name: &str, binding: &Value, settings: &Settings) -> anyhow::Result<()> {
    let connection = text(&binding["connection"]).unwrap_or_else(|| "AzureWebJobsStorage".to_owned());
    let several = format!("{connection}__");
    ensure!(
        settings.keys().any(|key| *key == connection || key.starts_with(&several)),
        "{name}: there is no app setting for connection {connection}"
    );
    Ok(())
}

fn set(root: &mut Value, path: &str, value: &str) {
    let mut place = root;
    for key in path.split("__") {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[key];
    }
    *place = Value::from(value);
}

/// Values from app settings are text, those from the file may be numbers.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value, default: u32) -> anyhow::Result<u32> {
    text(value).map_or(Ok(default), |text| text.parse().with_context(|| format!("host.json: {text:?}")))
}

fn span(value: &Value, default: &str) -> anyhow::Result<Option<Duration>> {
    timespan::parse(&text(value).unwrap_or_else(|| default.to_owned())).context("host.json")
}

fn bounded_span(value: &Value, default: &str) -> anyhow::Result<Duration> {
    span(value, default)?.context("host.json: -1 is only allowed for functionTimeout")
}
