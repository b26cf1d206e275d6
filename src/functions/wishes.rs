//! What a request wants to read, from its address: names that this place knows, each at most once.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::Query;
use axum::http::Uri;
use serde_json::json;

use super::kind::Kind;
use super::problem::Problem;

/// Keys of the Functions host, which it forwards with the address; not for us.
const HOST_KEYS: [&str; 2] = ["code", "clientId"];

/// Named values, not yet read.
#[derive(Debug)]
pub(super) struct Wishes(BTreeMap<String, String>);

impl Wishes {
    /// The values in an address, whose names must be among `known`. An empty value is none.
    pub(super) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Problem::bad_request(Kind::InvalidAddress, error.body_text()))?;
        let mut wishes = BTreeMap::new();
        for (name, value) in pairs {
            if HOST_KEYS.contains(&name.as_str()) || value.is_empty() {
                continue;
            }
            let refused = |detail: String| {
                Problem::bad_request(Kind::UnknownOption, detail)
                    .with("option", json!({ "name": shorten(&name), "value": shorten(&value) }))
            };
            if !known.contains(&name.as_str()) {
                let detail = format!(
                    "there is no option {:?} here; the options are {}",
                    shorten(&name),
                    known.join(", ")
                );
                return Err(refused(detail));
            }
            if wishes.contains_key(&name) {
                return Err(refused(format!("the option {name:?} is given twice")));
            }
            wishes.insert(name, value);
        }
        Ok(Self(wishes))
    }

    /// Takes out a text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes out a value that must be in `range`, as `is_in` knows.
    pub(super) fn value<T: FromStr>(
        &mut self,
        name: &str,
        range: &str,
        is_in: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.0.remove(name) else { return Ok(None) };
        let value = text.trim().parse().ok().filter(is_in);
        value.map(Some).ok_or_else(|| out_of_range(name, &text, range))
    }

    /// Takes out `true` or `false`.
    pub(super) fn switch(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        self.value(name, "true or false", |_| true)
    }
}

/// That an option is something else than it may be.
pub(super) fn out_of_range(name: &str, value: &str, range: &str) -> Problem {
    let value = shorten(value);
    Problem::bad_request(
        Kind::InvalidOption,
        format!("the option {name:?} is {value:?}, but must be {range}"),
    )
    .with("option", json!({ "name": name, "value": value, "range": range }))
}

/// Enough of a text from outside to recognise it.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(query: &str) -> Result<Wishes, Problem> {
        Wishes::of(&format!("/x?{query}").parse().expect("an address"), &["from", "text", "plots"])
    }

    #[test]
    fn known_names_are_read_and_others_refused() {
        let mut found = wishes("from=7&text=a+b&code=secret&plots=").expect("known names");
        assert_eq!(found.value("from", "1 or more", |from: &u64| *from > 0).expect("in range"), Some(7));
        assert_eq!(
            (found.text("text").as_deref(), found.switch("plots").expect("none")),
            (Some("a b"), None)
        );
        assert!(wishes("form=7").is_err() && wishes("from=7&from=8").is_err());
        assert!(wishes("from=0").expect("a name").value("from", "", |from: &u64| *from > 0).is_err());
        assert!(wishes("plots=perhaps").expect("a name").switch("plots").is_err());
    }
}
