//! Parameters of a request by name, in whatever case the names are written.

use std::collections::BTreeMap;

use serde_json::json;

use crate::functions::kind::Kind;
use crate::functions::problem::Problem;
use crate::functions::urlencoded::{LongName, pairs};

/// Parameters that say which subset of the hits, or which other report, is wanted, and that are not done: a
/// request with one of them is refused, unless it has one of these values.
const NOT_DONE: &[(&str, &[&str])] = &[
    ("ENDPOINTS", &["no", "off", "false", "0"]),
    ("EXPECT_HIGH", &[]),
    ("EXPECT_LOW", &[]),
    ("FORMAT_ENTREZ_QUERY", &["(none)", "none"]),
    ("OTHER_ADVANCED", &[]),
    ("PERC_IDENT", &[]),
    ("PHI_PATTERN", &[]),
    ("PSSM", &[]),
    ("QUERY_FILE", &[]),
    ("SERVICE", &["plain"]),
    ("SHORT_QUERY_ADJUST", &["no", "off", "false", "0"]),
];

/// Names that mean the same as another.
const SYNONYMS: &[(&str, &str)] =
    &[("MATRIX", "MATRIX_NAME"), ("HITLIST_SZE", "HITLIST_SIZE"), ("MAX_NUM_SEQ", "HITLIST_SIZE")];

/// Parameters that were sent with a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Those in the query of an address.
    pub(super) fn of_query(query: &[u8]) -> Result<Self, Problem> {
        let mut parameters = Self::default();
        for (name, value) in pairs(query).map_err(unreadable)? {
            parameters.add(&name, &String::from_utf8_lossy(&value))?;
        }
        Ok(parameters)
    }

    /// Adds a parameter. One without a value is as good as none; one with two different values is none.
    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let (name, value) = (canonical(name), value.trim());
        if value.is_empty() {
            return Ok(());
        }
        match self.0.get_mut(&name) {
            None => {
                self.0.insert(name, value.to_owned());
                Ok(())
            }
            // Forms have a box for each filter.
            Some(before) if name == "FILTER" => {
                before.push(' ');
                before.push_str(value);
                Ok(())
            }
            Some(before) if before == value => Ok(()),
            Some(before) => {
                let reason = format!("is given twice: {:?} and {:?}", shorten(before), shorten(value));
                Err(refused(&name, value, &reason))
            }
        }
    }

    /// These, and of others those that are not among them.
    pub(super) fn over(mut self, others: Self) -> Self {
        for (name, value) in others.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a parameter, for which case has no meaning.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_ascii_lowercase)
    }

    /// Whether a switch is on, if it is given.
    pub(super) fn switch(&self, name: &str) -> Result<Option<bool>, Problem> {
        let Some(word) = self.word(name) else { return Ok(None) };
        match word.as_str() {
            "yes" | "on" | "true" | "t" | "1" => Ok(Some(true)),
            "no" | "off" | "false" | "f" | "0" => Ok(Some(false)),
            _ => Err(refused(name, &word, &format!("is {:?}, but must be yes or no", shorten(&word)))),
        }
    }

    /// A whole number, if it is given.
    pub(super) fn count(&self, name: &str, least: usize) -> Result<Option<usize>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let count = text.parse().ok().filter(|count| *count >= least);
        count.map(Some).ok_or_else(|| {
            let reason = format!("is {:?}, but must be a whole number from {least}", shorten(text));
            refused(name, text, &reason)
        })
    }

    /// Refuses what would change the answer and is not done.
    pub(super) fn refuse_what_is_not_done(&self) -> Result<(), Problem> {
        for (name, harmless) in NOT_DONE {
            let Some(word) = self.word(name).filter(|word| !harmless.contains(&word.as_str())) else {
                continue;
            };
            let but = harmless.first().map_or_else(String::new, |value| format!(" but {value}"));
            let reason = format!("is {:?}, but nothing{but} is supported here", shorten(&word));
            return Err(refused(name, &word, &reason));
        }
        Ok(())
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Those of `names` that there are, as the query of an address.
    pub(super) fn query_of(&self, names: &[&str]) -> String {
        let pairs = names.iter().filter_map(|name| Some(format!("{name}={}", encoded(self.get(name)?))));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// Whether a parameter is refused unless it asks for nothing.
pub(super) fn is_not_done(name: &str) -> bool {
    NOT_DONE.iter().any(|(known, _)| *known == name)
}

/// A name as it is known here.
pub(super) fn canonical(name: &str) -> String {
    let name = name.trim().to_ascii_uppercase();
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == name);
    synonym.map_or(name, |(_, known)| (*known).to_owned())
}

fn encoded(value: &str) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(letter).collect()
}

/// That a parameter cannot have this value.
pub(super) fn refused(name: &str, value: &str, reason: &str) -> Problem {
    Problem::bad_request(Kind::InvalidOption, format!("the parameter {name} {reason}"))
        .with("option", json!({ "name": name, "value": shorten(value) }))
}

pub(super) fn unreadable(error: LongName) -> Problem {
    Problem::bad_request(Kind::InvalidForm, error.to_string())
}

/// Enough of a text from outside to recognise it.
pub(super) fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        Parameters::of_query(query.as_bytes()).expect("parameters")
    }

    #[test]
    fn names_are_read_in_any_case_and_by_their_synonyms() {
        let found = parameters("cmd=Put&Matrix=PAM30&hitlist_sze=7&EXPECT=&filter=L&FILTER=m");
        assert_eq!(found.word("CMD").as_deref(), Some("put"));
        assert_eq!(found.get("MATRIX_NAME"), Some("PAM30"));
        assert_eq!(found.count("HITLIST_SIZE", 1).expect("a number"), Some(7));
        assert_eq!(found.get("EXPECT"), None);
        assert_eq!(found.get("FILTER"), Some("L m"));
    }

    #[test]
    fn contradictions_are_refused_and_repetitions_are_not() {
        assert!(Parameters::of_query(b"EXPECT=1&expect=2").is_err());
        assert!(Parameters::of_query(b"EXPECT=1&expect=1").is_ok());
    }

    #[test]
    fn a_view_reads_back() {
        let found = parameters("FORMAT_TYPE=XML2_S&DESCRIPTIONS=5&RID=x&ALIGNMENT_VIEW=a%26b+c");
        let kept = found.query_of(&["FORMAT_TYPE", "ALIGNMENT_VIEW", "DESCRIPTIONS", "ALIGNMENTS"]);
        let again = parameters(&kept);
        assert_eq!(again.get("ALIGNMENT_VIEW"), Some("a&b c"));
        assert_eq!((again.get("FORMAT_TYPE"), again.get("RID")), (Some("XML2_S"), None));
    }

    #[test]
    fn what_is_not_done_is_refused_unless_it_asks_for_nothing() {
        let fine =
            "FORMAT_ENTREZ_QUERY=(none)&SERVICE=plain&ENDPOINTS=no&SHORT_QUERY_ADJUST=false&PHI_PATTERN=";
        assert!(parameters(fine).refuse_what_is_not_done().is_ok());
        for query in
            ["FORMAT_ENTREZ_QUERY=txid9606[ORGN]", "SERVICE=psi", "PERC_IDENT=90", "SHORT_QUERY_ADJUST=true"]
        {
            assert!(parameters(query).refuse_what_is_not_done().is_err(), "{query}");
        }
    }
}
