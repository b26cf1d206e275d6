//! `ENTREZ_QUERY`: which taxa are searched, in the words of NCBI's Entrez.
//!
//! Of that language taxa are understood, by number or name (`txid9606[ORGN]`, `Homo sapiens[Organism]`), with `OR`
//! between those that are searched, and `NOT` before those that are not (`all[filter] NOT txid9606[ORGN]`). A taxon
//! stands for itself alone, as with `[ORGN:noexp]`.

use super::parameters::{Parameters, refused, shorten};
use crate::functions::problem::Problem;
use crate::taxonomy::Purpose;

/// The parameter.
pub(super) const ENTREZ_QUERY: &str = "ENTREZ_QUERY";

/// Fields in which taxa are looked for.
const FIELDS: [&str; 4] = ["orgn", "organism", "porgn", "primary organism"];

/// The option that a query asks for, and its value, if it asks for anything.
pub(super) fn taxa(parameters: &Parameters) -> Result<Option<(&'static str, String)>, Problem> {
    let Some(text) = parameters.get(ENTREZ_QUERY) else { return Ok(None) };
    if matches!(text.to_ascii_lowercase().as_str(), "(none)" | "none") {
        return Ok(None);
    }
    let mut reader = Reader { rest: text, listed: Vec::new(), is_all: false, leaves_out: false };
    match reader.read() {
        Ok(()) if reader.listed.is_empty() => Ok(None),
        Ok(()) => {
            let purpose = if reader.leaves_out { Purpose::Exclude } else { Purpose::Include };
            Ok(Some((purpose.option(), reader.listed.join(","))))
        }
        Err(reason) => {
            let reason = format!(
                "is {:?}: {reason}; what is understood are taxa, as in \"txid9606[ORGN] OR Mus musculus[ORGN]\" or \
                 \"all[filter] NOT txid9606[ORGN]\"",
                shorten(text)
            );
            Err(refused(ENTREZ_QUERY, text, &reason))
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    listed: Vec<String>,
    /// Whether it began with all there is.
    is_all: bool,
    /// Whether what is listed is left out.
    leaves_out: bool,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), &'static str> {
        if self.word("NOT") {
            (self.is_all, self.leaves_out) = (true, true);
        }
        self.group()?;
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return Ok(());
            } else if self.word("OR") {
                if self.is_all {
                    return Err("OR cannot stand behind what is all");
                }
            } else if self.word("NOT") {
                if !self.is_all {
                    return Err("it says both what is searched and what is not");
                }
                self.leaves_out = true;
            } else if self.word("AND") {
                return Err("AND is not understood");
            } else {
                return Err("between taxa OR or NOT is missing");
            }
            self.group()?;
        }
    }

    /// Taxa in parentheses, or a single one.
    fn group(&mut self) -> Result<(), &'static str> {
        self.rest = self.rest.trim_start();
        let Some(inside) = self.rest.strip_prefix('(') else { return self.term() };
        self.rest = inside;
        loop {
            self.group()?;
            self.rest = self.rest.trim_start();
            if let Some(behind) = self.rest.strip_prefix(')') {
                self.rest = behind;
                return Ok(());
            }
            if !self.word("OR") {
                return Err("in parentheses, only OR can stand between taxa");
            }
        }
    }

    fn term(&mut self) -> Result<(), &'static str> {
        const NO_FIELD: &str = "a taxon ends with [ORGN]";
        let (text, behind) = self.rest.split_once('[').ok_or(NO_FIELD)?;
        let (field, behind) = behind.split_once(']').ok_or(NO_FIELD)?;
        self.rest = behind;
        let (text, field) = (text.trim().trim_matches('"').trim(), field.trim().to_ascii_lowercase());
        if field == "filter" && text.eq_ignore_ascii_case("all") {
            if self.is_all || !self.listed.is_empty() {
                return Err("all[filter] can stand at the beginning only");
            }
            self.is_all = true;
            return Ok(());
        }
        let field = field.strip_suffix(":noexp").unwrap_or(&field);
        if !FIELDS.contains(&field) {
            return Err("only taxa are understood, which end with [ORGN]");
        }
        if text.is_empty() || text.contains(['(', ')', ',']) {
            return Err("before [ORGN] a taxid or a name is missing");
        }
        let number = text.get(..4).filter(|start| start.eq_ignore_ascii_case("txid")).map(|_| &text[4..]);
        self.listed.push(number.unwrap_or(text).trim().to_owned());
        Ok(())
    }

    /// Takes an operator, if it comes next.
    fn word(&mut self, operator: &str) -> bool {
        let text = self.rest.trim_start();
        let Some(start) = text.get(..operator.len()).filter(|start| start.eq_ignore_ascii_case(operator))
        else {
            return false;
        };
        let behind = &text[start.len()..];
        let is_whole = behind.starts_with(|next: char| next.is_whitespace() || next == '(');
        if is_whole {
            self.rest = behind;
        }
        is_whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Option<(&'static str, String)>, String> {
        let mut parameters = Parameters::default();
        parameters.add("entrez_query", query).unwrap();
        taxa(&parameters).map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn taxa_are_read_by_number_and_by_name() {
        for (query, option, value) in [
            ("txid9606[ORGN]", "taxids", "9606"),
            ("TXID9606 [Organism:noexp]", "taxids", "9606"),
            ("Homo sapiens[organism]", "taxids", "Homo sapiens"),
            ("\"Homo sapiens\" [ORGN] OR txid10090[orgn]", "taxids", "Homo sapiens,10090"),
            ("(txid1[ORGN] OR (txid2[ORGN] or txid3[ORGN]))", "taxids", "1,2,3"),
            ("all[filter] NOT txid9606[ORGN]", "negative_taxids", "9606"),
            ("NOT txid9606[ORGN]", "negative_taxids", "9606"),
            ("all [Filter] NOT(txid1[ORGN] OR txid2[ORGN]) NOT txid3[ORGN]", "negative_taxids", "1,2,3"),
        ] {
            assert_eq!(read(query), Ok(Some((option, value.to_owned()))), "{query}");
        }
        for query in ["(none)", "none", " NONE ", "", "all[filter]"] {
            assert_eq!(read(query), Ok(None), "{query}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_reason() {
        for (query, reason) in [
            ("biomol_mrna[PROP]", "only taxa are understood"),
            ("txid9606", "a taxon ends with [ORGN]"),
            ("txid9606[ORGN", "a taxon ends with [ORGN]"),
            ("txid1[ORGN] AND txid2[ORGN]", "AND is not understood"),
            ("txid1[ORGN] NOT txid2[ORGN]", "both what is searched and what is not"),
            ("txid1[ORGN] txid2[ORGN]", "OR or NOT is missing"),
            ("all[filter] OR txid2[ORGN]", "OR cannot stand behind what is all"),
            ("txid2[ORGN] OR all[filter]", "at the beginning only"),
            ("(txid1[ORGN] NOT txid2[ORGN])", "only OR can stand between taxa"),
            ("(txid1[ORGN]", "only OR can stand between taxa"),
            ("[ORGN]", "a taxid or a name is missing"),
        ] {
            let error = read(query).unwrap_err();
            assert!(error.contains(reason), "{query}: {error}");
        }
    }
}
