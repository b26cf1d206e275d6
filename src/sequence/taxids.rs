//! Taxids of a database sequence: numbers of NCBI's taxonomy, those of each of its names.
//!
//! They are kept in front of its definition line, which then starts with a line feed: `⏎ taxids ⏎ line`. The
//! taxids of a name follow those of the name before after a blank; those below the first, which BLAST databases
//! have as *links*, after commas: `⏎562 9606,63221⏎`. A line of which no taxid is known has nothing in front, and no line of
//! either style of [`SubjectNames`](super::names::SubjectNames) starts with a line feed, so the forms cannot be mistaken for each other.

const LINE_FEED: u8 = b'\n';

/// A number of NCBI's taxonomy, from 1 to [`LARGEST_TAXID`]; 0 if it is not known.
pub type Taxid = u32;

/// The largest taxid: they are signed numbers of 32 bits to NCBI's programs.
pub const LARGEST_TAXID: Taxid = i32::MAX as Taxid;

/// Reads a taxid, 0 included; `None` for what is no number or too large.
///
/// ```
/// use skyblast::sequence::taxids::parse_taxid;
///
/// assert_eq!(parse_taxid(b"9606"), Some(9606));
/// assert_eq!(parse_taxid(b"+9606"), None);
/// assert_eq!(parse_taxid(b"2147483648"), None);
/// ```
pub fn parse_taxid(digits: &[u8]) -> Option<Taxid> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let taxid = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (taxid <= LARGEST_TAXID).then_some(taxid)
}

/// The taxid that a title states as UniProt does: `OX=9606` among its fields; `None` if it states none.
///
/// ```
/// use skyblast::sequence::taxids::stated_taxid;
///
/// assert_eq!(stated_taxid(b"sp|P1|X_HUMAN Protein X OS=Homo sapiens OX=9606 GN=X"), Some(9606));
/// assert_eq!(stated_taxid(b"a protein [Homo sapiens]"), None);
/// ```
pub fn stated_taxid(title: &[u8]) -> Option<Taxid> {
    const FIELD: &[u8] = b" OX=";
    let start = title.windows(FIELD.len()).position(|window| window == FIELD)? + FIELD.len();
    let value = title[start..].split(u8::is_ascii_whitespace).next().unwrap_or_default();
    parse_taxid(value).filter(|taxid| *taxid != 0)
}

/// The taxids of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameTaxids {
    /// The taxid of the name; 0 if it has none.
    pub taxid: Taxid,
    /// Taxids below it that the name stands for too, as for a protein that several strains have; none is 0.
    pub leaves: Vec<Taxid>,
}

impl NameTaxids {
    /// A single taxid.
    pub fn one(taxid: Taxid) -> Self {
        Self { taxid, leaves: Vec::new() }
    }

    /// All that are known, each once, ascending.
    pub fn known(&self) -> Vec<Taxid> {
        let mut known: Vec<_> = self.leaves.iter().chain([&self.taxid]).copied().collect();
        known.retain(|taxid| *taxid != 0);
        known.sort_unstable();
        known.dedup();
        known
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut numbers = text.split(|byte| *byte == b',').map(parse_taxid);
        Some(Self { taxid: numbers.next()??, leaves: numbers.collect::<Option<_>>()? })
    }
}

/// A definition line with the taxids of its names in front; the line alone if none is known.
pub fn labelled<'a>(line: Vec<u8>, taxids: impl IntoIterator<Item = &'a NameTaxids>) -> Vec<u8> {
    let taxids: Vec<_> = taxids.into_iter().collect();
    if taxids.iter().all(|name| name.known().is_empty()) {
        return line;
    }
    let mut label = vec![LINE_FEED];
    for (place, name) in taxids.into_iter().enumerate() {
        if place > 0 {
            label.push(b' ');
        }
        label.extend(name.taxid.to_string().bytes());
        for leaf in &name.leaves {
            label.extend(format!(",{leaf}").bytes());
        }
    }
    label.push(LINE_FEED);
    label.extend(line);
    label
}

/// Whether a definition line has taxids in front.
pub fn is_labelled(line: &[u8]) -> bool {
    line.first() == Some(&LINE_FEED)
}

/// Parts a line into the taxids in front, a text, and the rest.
pub(super) fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(text) = line.strip_prefix(&[LINE_FEED]) else { return (b"", line) };
    let end = text.iter().position(|byte| *byte == LINE_FEED).unwrap_or(text.len());
    (&text[..end], text.get(end + 1..).unwrap_or_default())
}

/// The taxids of each name in such a text; of those that make no sense, none.
pub(super) fn of_names(text: &[u8]) -> impl Iterator<Item = NameTaxids> {
    text.split(|byte| *byte == b' ').map(|name| NameTaxids::parse(name).unwrap_or_default())
}

/// Whether the taxids in front of a line, if there are any, make sense.
pub fn is_well_labelled(line: &[u8]) -> bool {
    !is_labelled(line)
        || split(line).0.split(|byte| *byte == b' ').all(|name| NameTaxids::parse(name).is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_without_known_taxids_has_nothing_in_front() {
        assert_eq!(labelled(b"a b".to_vec(), &[NameTaxids::one(0)]), b"a b");
        assert_eq!(labelled(b"a b".to_vec(), []), b"a b");
        let leaves = NameTaxids { taxid: 0, leaves: vec![5] };
        assert_eq!(labelled(b"a\nb".to_vec(), &[NameTaxids::one(0), leaves]), b"\n0 0,5\na\nb");
    }

    #[test]
    fn the_known_taxids_of_a_name_are_ascending_and_single() {
        assert_eq!(NameTaxids { taxid: 9, leaves: vec![12, 3, 9] }.known(), [3, 9, 12]);
        assert_eq!(NameTaxids::one(0).known(), [0; 0]);
    }

    #[test]
    fn a_title_states_a_taxid_only_as_a_field_of_its_own() {
        for title in ["x OX=", "x OX=a", "x OX=0", "xOX=5", "OX=5", "x OX=5a", "x OX=99999999999", ""] {
            assert_eq!(stated_taxid(title.as_bytes()), None, "{title}");
        }
        assert_eq!(stated_taxid(b"x OX=5"), Some(5));
        assert_eq!(stated_taxid(b"x OX=5\tGN=Y"), Some(5));
    }

    #[test]
    fn what_is_no_list_of_taxids_is_told() {
        for line in ["\n9606\na", "\n0 5,6 7\na", "a"] {
            assert!(is_well_labelled(line.as_bytes()), "{line:?}");
        }
        for line in ["\n\na", "\nx\na", "\n1 \na", "\n1,\na", "\n2147483648\na", "\n-1\na", "\n"] {
            assert!(!is_well_labelled(line.as_bytes()), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_in_front_reads_back(
            names in prop::collection::vec((0..=LARGEST_TAXID, prop::collection::vec(1..=LARGEST_TAXID, 0..3)), 1..5),
            line in "[^\n]{0,20}",
        ) {
            let names: Vec<_> = names.into_iter().map(|(taxid, leaves)| NameTaxids { taxid, leaves }).collect();
            prop_assume!(names.iter().any(|name| !name.known().is_empty()));
            let label = labelled(line.clone().into_bytes(), &names);
            let (text, rest) = split(&label);
            prop_assert!(is_well_labelled(&label));
            prop_assert_eq!(rest, line.as_bytes());
            prop_assert_eq!(of_names(text).collect::<Vec<_>>(), names);
        }

        #[test]
        fn no_bytes_make_it_panic(line in prop::collection::vec(any::<u8>(), 0..40)) {
            let (text, rest) = split(&line);
            prop_assert!(text.len() + rest.len() <= line.len());
            prop_assert!(of_names(text).count() > 0);
            is_well_labelled(&line);
        }
    }
}
