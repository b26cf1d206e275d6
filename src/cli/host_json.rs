//! What host.json says to the Functions host, where the program depends on it. The two are deployed together,
//! but settings of the app can override the file.

use std::path::Path;

use serde_json::Value;

use crate::jobs::Check;

/// Variable in which the host says where its files are.
const ROOT: &str = "FUNCTIONS_APP_ROOT_PATH";
/// Setting that overrides host.json.
const OVERRIDE: &str = "AzureFunctionsJobHost__extensions__queues__messageEncoding";
const NAME: &str = "host.json";

/// Whether the host hands on messages as they are sent; `None` without a host. `variable` looks up variables
/// of the environment.
pub(super) fn examine(variable: impl Fn(&str) -> Option<String>) -> Option<Check> {
    let file = Path::new(&variable(ROOT)?).join("host.json");
    let shown = file.display();
    let read = std::fs::read(&file).map_err(|error| format!("could not read {shown}: {error}"));
    let parsed = read.and_then(|text| {
        serde_json::from_slice::<Value>(&text).map_err(|error| format!("{shown} is not JSON: {error}"))
    });
    let host_json = match parsed {
        Ok(host_json) => host_json,
        Err(found) => return Some(Check::wrong(NAME, found, "deploy host.json and program together")),
    };
    let in_file = host_json["extensions"]["queues"]["messageEncoding"].as_str().map(str::to_owned);
    let encoding = variable(OVERRIDE).or(in_file).unwrap_or_else(|| "base64".to_owned());
    if encoding.eq_ignore_ascii_case("none") {
        return Some(Check::ok(NAME, "the host hands on messages as they are sent"));
    }
    let found = format!("messageEncoding is {encoding:?}, so the host gives every message up without a call");
    let advice =
        format!("set extensions.queues.messageEncoding to \"none\" in host.json and remove {OVERRIDE}");
    Some(Check::wrong(NAME, found, advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined(host_json: &str, setting: Option<&str>) -> Check {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("host.json"), host_json).expect("a file");
        let root = folder.path().to_str().expect("a path").to_owned();
        let variable = |name: &str| match name {
            ROOT => Some(root.clone()),
            OVERRIDE => setting.map(str::to_owned),
            _ => None,
        };
        examine(variable).expect("a check")
    }

    #[test]
    fn the_projects_host_json_fits() {
        assert!(examined(include_str!("../../host.json"), None).ok);
        assert_eq!(examine(|_| None), None);
    }

    #[test]
    fn another_encoding_is_wrong_wherever_it_is_said() {
        for (host_json, setting) in [
            (r#"{"extensions":{"queues":{"messageEncoding":"base64"}}}"#, None),
            ("{}", None),
            (include_str!("../../host.json"), Some("base64")),
        ] {
            let check = examined(host_json, setting);
            assert!(!check.ok && check.found.contains("base64"), "{check:?}");
        }
        assert!(examined("{}", Some("none")).ok);
        assert!(examined("{", None).found.contains("not JSON"));
    }
}
