//! The names of a database sequence: identifiers, accessions and titles, as blastp prints them.
//!
//! A database keeps one text per sequence, its definition line, in one of two styles:
//!
//! - **whole**: a FASTA definition line. All of it is the title, and the first word of that, once it is
//!   [tidied](super::title), the identifier. A BLAST database made without `-parse_seqids` says the same
//!   of its sequences;
//! - **parted**: one or more *names*, each an identifier that NCBI's programs have parsed and a
//!   title without it, from a BLAST database made with `-parse_seqids`. Identifiers and titles take
//!   turns, one a line: `id ⏎ title` or `id ⏎ title ⏎ id ⏎ title`. No FASTA definition line has a
//!   line feed, so the styles cannot be mistaken for each other.
//!
//! In front of either may stand the [`taxids`] of the names.
//!
//! A parsed identifier is written with bars: `sp|P01013|OVALX_CHICK`, `lcl|mine`,
//! `gi|129295|ref|NP_000001.2|`. Printed forms were checked against blastp 2.12.0.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::defline;
use super::taxids::{self, NameTaxids, Taxid};
use super::title::{first_word, tidy};

const LINE_FEED: u8 = b'\n';

/// One name of a sequence; identical proteins of several origins have several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// Identifier: a first word, which may be empty, or the bar form of a parsed identifier, with `lcl|`
    /// if local.
    pub id: Cow<'a, [u8]>,
    /// Title: the whole line, or what follows a parsed identifier; may be empty.
    pub title: Cow<'a, [u8]>,
    /// Its taxids.
    pub taxids: NameTaxids,
}

/// All names of a database sequence.
///
/// ```
/// use skyblast::sequence::names::SubjectNames;
///
/// let whole = SubjectNames::of(b"sp|P01013|OVALX_CHICK Gene X protein");
/// assert_eq!(&*whole.accession_version(), b"sp|P01013|OVALX_CHICK");
/// assert_eq!(whole.title(), b"sp|P01013|OVALX_CHICK Gene X protein");
///
/// let parted = SubjectNames::of(b"sp|P01013|OVALX_CHICK\nGene X protein");
/// assert_eq!(&*parted.accession_version(), b"P01013");
/// assert_eq!(parted.title(), b"Gene X protein");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectNames<'a> {
    parted: bool,
    /// At least one.
    names: Vec<Name<'a>>,
}

impl<'a> SubjectNames<'a> {
    /// Reads the definition line of a database sequence, of either style.
    pub fn of(line: &'a [u8]) -> Self {
        let (label, line) = taxids::split(line);
        let mut taxids = taxids::of_names(label);
        let mut taxids = || taxids.next().unwrap_or_default();
        if !line.contains(&LINE_FEED) {
            let title = defline::database_title(line);
            let id = first_word(&title).into_owned();
            return Self { parted: false, names: vec![Name { id: id.into(), title, taxids: taxids() }] };
        }
        let mut lines = line.split(|byte| *byte == LINE_FEED);
        let mut names = Vec::new();
        while let Some(id) = lines.next() {
            let title = defline::database_title(lines.next().unwrap_or_default());
            names.push(Name { id: id.into(), title, taxids: taxids() });
        }
        Self { parted: true, names }
    }

    /// Whether the identifiers were parsed, so that titles do not repeat them.
    pub fn is_parted(&self) -> bool {
        self.parted
    }

    /// The names, in the order of the database; at least one.
    pub fn names(&self) -> &[Name<'a>] {
        &self.names
    }

    /// The identifier in full (`sseqid`).
    pub fn seqid(&self) -> &[u8] {
        self.printed_id(self.chosen())
    }

    /// The accession with its version (`saccver`).
    pub fn accession_version(&self) -> Cow<'_, [u8]> {
        self.accession_of(self.chosen(), true)
    }

    /// The accession without its version (`sacc`).
    pub fn accession(&self) -> Cow<'_, [u8]> {
        self.accession_of(self.chosen(), false)
    }

    /// The GI number, the numerical identifier that NCBI used to give (`sgi`); `0` if there is none.
    pub fn gi(&self) -> &[u8] {
        self.gi_of(self.chosen())
    }

    /// The GI numbers of all names (`sallgi`), separated by `;`.
    pub fn all_gis(&self) -> Vec<u8> {
        let numbers: Vec<_> = self.names.iter().map(|name| self.gi_of(name)).collect();
        numbers.join(&b';')
    }

    fn gi_of<'n>(&self, name: &'n Name<'_>) -> &'n [u8] {
        match split_gi(&name.id) {
            (Some(gi), _) if self.parted => gi,
            _ => b"0",
        }
    }

    /// What a list of descriptions says of the sequence: its tidied title, after what stands before it.
    pub fn description(&self) -> String {
        let name = self.chosen();
        let title = self.generated(name);
        if !self.parted {
            return title;
        }
        format!("{} {title}", String::from_utf8_lossy(&self.heading_of(name)))
    }

    /// The title of a name in pairwise reports: as it was given, or else that of the first name, tidied.
    pub fn title_of<'n>(&self, name: &'n Name<'_>) -> Cow<'n, [u8]> {
        if name.title.is_empty() {
            let first = Name { id: self.chosen().id.clone(), ..self.names[0].clone() };
            return self.generated(&first).into_bytes().into();
        }
        Cow::Borrowed(&name.title)
    }

    /// A tidied title; some identifiers say something themselves.
    fn generated(&self, name: &Name<'_>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if !self.parted {
            return tidy(&text(&name.title));
        }
        let (_, id) = split_gi(&name.id);
        let fields: Vec<_> = id.split(|byte| *byte == b'|').collect();
        let title = match fields[..] {
            [b"pdb", _, chain] if name.title.is_empty() => format!("Chain {}", text(chain)),
            [b"pat" | b"pgp", country, number, sequence] if name.title.is_empty() => {
                format!("Sequence {} from Patent {} {}", text(sequence), text(country), text(number))
            }
            _ => tidy(&text(&name.title)),
        };
        let is_third_party = matches!(fields[0], b"tpg" | b"tpe" | b"tpd");
        if is_third_party { format!("TPA: {title}") } else { title }
    }

    /// The accession that XML and JSON give a name: without its version, and of an identifier of some
    /// database (`gnl|database|tag`) only the tag.
    pub fn entry_of<'n>(&self, name: &'n Name<'_>) -> Cow<'n, [u8]> {
        match name.id.strip_prefix(b"gnl|").and_then(|rest| rest.splitn(2, |byte| *byte == b'|').nth(1)) {
            Some(tag) if self.parted => tag.into(),
            _ => self.accession_of(name, false),
        }
    }

    /// What stands before a title in pairwise reports: the accession with its version, or the whole
    /// identifier if it has none (`pir||A12345`).
    pub fn heading_of<'n>(&self, name: &'n Name<'_>) -> Cow<'n, [u8]> {
        let (_, id) = split_gi(&name.id);
        match id.split(|byte| *byte == b'|').nth(1) {
            Some(b"") if self.parted => Cow::Borrowed(&name.id),
            _ => self.accession_of(name, true),
        }
    }

    /// The title of the first name (`stitle`); may be empty.
    pub fn title(&self) -> &[u8] {
        &self.names[0].title
    }

    /// The heading of the sequence in FASTA: identifiers in full, as makeblastdb parses them, and titles of all names,
    /// with ` >` between them as `blastdbcmd` has it (which shortens identifiers to accessions).
    pub fn heading(&self) -> Vec<u8> {
        let text = |name: &Name<'_>| match (self.parted, &*name.title) {
            (false, title) => title.to_vec(),
            (true, b"") => self.printed_id(name).to_vec(),
            (true, title) => [self.printed_id(name), title].join(&b' '),
        };
        self.names.iter().map(text).collect::<Vec<_>>().join(&b" >"[..])
    }

    /// The heading of a part of the sequence, counted from 0: its identifier with the range from 1, and its title.
    pub fn heading_of_part(&self, part: &Range<usize>) -> Vec<u8> {
        let range = format!(":{}-{}", part.start + 1, part.end);
        let heading = [self.seqid(), range.as_bytes(), b" ", self.title_beyond_id()].concat();
        heading.trim_ascii_end().to_vec()
    }

    /// The title of the first name without the identifier that it may begin with; may be empty.
    fn title_beyond_id(&self) -> &[u8] {
        let title = self.title();
        let beyond = if self.parted { title } else { title.strip_prefix(self.seqid()).unwrap_or(title) };
        beyond.trim_ascii_start()
    }

    /// The identifiers of all names (`sallseqid`), separated by `;`.
    pub fn all_seqids(&self) -> Vec<u8> {
        let ids: Vec<_> = self.names.iter().map(|name| self.printed_id(name)).collect();
        ids.join(&b';')
    }

    /// The accessions of all names without versions (`sallacc`), separated by `;`.
    pub fn all_accessions(&self) -> Vec<u8> {
        let accessions: Vec<_> = self.names.iter().map(|name| self.accession_of(name, false)).collect();
        accessions.join(&b';')
    }

    /// The titles of all names (`salltitles`), separated by `<>`; `N/A` for an empty one.
    pub fn all_titles(&self) -> Vec<u8> {
        let titles: Vec<&[u8]> =
            self.names.iter().map(|name| if name.title.is_empty() { b"N/A" } else { &*name.title }).collect();
        titles.join(&b"<>"[..])
    }

    /// The taxid that stands for the sequence (`staxid`): the first that is known; 0 if none is.
    pub fn taxid(&self) -> Taxid {
        self.names.iter().map(|name| name.taxids.taxid).find(|taxid| *taxid != 0).unwrap_or(0)
    }

    /// The taxids of all names (`staxids`), each once, ascending; 0 for a name that has none.
    pub fn all_taxids(&self) -> Vec<Taxid> {
        let taxids: BTreeSet<_> = self.names.iter().map(|name| name.taxids.taxid).collect();
        taxids.into_iter().collect()
    }

    /// The name that stands for the sequence: the first with a GI number, else the first.
    pub fn chosen(&self) -> &Name<'a> {
        let with_gi = |name: &&Name<'_>| self.parted && split_gi(&name.id).0.is_some();
        self.names.iter().find(with_gi).unwrap_or(&self.names[0])
    }

    /// The identifier of a name as it is printed, without `lcl|`.
    pub fn printed_id<'n>(&self, name: &'n Name<'_>) -> &'n [u8] {
        match name.id.strip_prefix(b"lcl|") {
            Some(local) if self.parted => local,
            _ => &name.id,
        }
    }

    fn accession_of<'n>(&self, name: &'n Name<'_>, with_version: bool) -> Cow<'n, [u8]> {
        if self.parted { accession(&name.id, with_version) } else { Cow::Borrowed(&name.id) }
    }
}

/// Writes names in the parted style; control bytes that would end a line become `#`, as in NCBI's
/// reports.
pub fn parted<'a>(names: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut line = Vec::new();
    for (number, text) in names.into_iter().flat_map(|(id, title)| [id, title]).enumerate() {
        if number > 0 {
            line.push(LINE_FEED);
        }
        line.extend(text.iter().map(|byte| if *byte == LINE_FEED { b'#' } else { *byte }));
    }
    line
}

/// Divides `gi|129295|sp|P01013|` into the number and the rest; a lone GI has no rest.
fn split_gi(id: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some(after) = id.strip_prefix(b"gi|") else { return (None, id) };
    match after.iter().position(|byte| *byte == b'|') {
        Some(bar) => (Some(&after[..bar]), &after[bar + 1..]),
        None => (Some(after), b""),
    }
}

/// The accession that NCBI's programs print for a parsed identifier.
fn accession(id: &[u8], with_version: bool) -> Cow<'_, [u8]> {
    let (gi, id) = split_gi(id);
    if let (Some(gi), b"") = (gi, id) {
        return gi.into();
    }
    let mut fields = id.splitn(3, |byte| *byte == b'|');
    let [kind, first, rest] = [(); 3].map(|()| fields.next().unwrap_or_default());
    match kind {
        b"lcl" => id[4..].into(),
        b"bbs" | b"bbm" | b"gim" => first.into(),
        b"gnl" => [first, rest].join(&b':').into(),
        b"pdb" if rest.trim_ascii().is_empty() => first.into(),
        b"pdb" => [first, rest].join(&b'_').into(),
        b"pat" | b"pgp" => {
            let mut text = first.to_vec();
            text.extend(rest.iter().map(|byte| if *byte == b'|' { b'_' } else { *byte }));
            text.into()
        }
        // The entry's name stands for a missing accession.
        _ if first.is_empty() => rest.into(),
        _ if with_version => first.into(),
        _ => without_version(first).into(),
    }
}

/// `NP_000002` of `NP_000002.3`.
fn without_version(accession: &[u8]) -> &[u8] {
    match accession.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if accession[dot + 1..].iter().all(u8::is_ascii_digit) => &accession[..dot],
        _ => accession,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accessions(id: &str) -> (String, String) {
        let line = parted([(id.as_bytes(), &b"t"[..])]);
        let names = SubjectNames::of(&line);
        let text = |bytes: Cow<'_, [u8]>| String::from_utf8(bytes.into_owned()).unwrap();
        (text(names.accession_version()), text(names.accession()))
    }

    /// Expected texts: blastp 2.12.0 -outfmt "6 saccver sacc" with a -parse_seqids database.
    #[test]
    fn accessions_are_those_that_blastp_prints() {
        for (id, version, accession) in [
            ("sp|P01013|OVALX_CHICK", "P01013", "P01013"),
            ("gi|129295|sp|P01014.1|OVALY_CHICK", "P01014.1", "P01014"),
            ("ref|NP_000002.3|", "NP_000002.3", "NP_000002"),
            ("gi|555", "555", "555"),
            ("gi|5|bbs|77", "77", "77"),
            ("lcl|my.1", "my.1", "my.1"),
            ("gnl|db|x", "db:x", "db:x"),
            ("pdb|1ABC|A", "1ABC_A", "1ABC_A"),
            ("pdb|2ABC| ", "2ABC", "2ABC"),
            ("gb||LOC", "LOC", "LOC"),
            ("pir||A12345", "A12345", "A12345"),
            ("pat|US|RE33188|1", "USRE33188_1", "USRE33188_1"),
            ("gpp|GPC_123456789.1|", "GPC_123456789.1", "GPC_123456789"),
        ] {
            assert_eq!(accessions(id), (version.to_owned(), accession.to_owned()), "{id}");
        }
    }

    /// Expected texts: blastp 2.12.0 -outfmt 0 and 5.
    #[test]
    fn headings_and_entries_differ_from_accessions_where_there_is_none() {
        for (id, heading, entry) in [
            ("sp|P01014.1|OVALY_CHICK", "P01014.1", "P01014"),
            ("pir||A12345", "pir||A12345", "A12345"),
            ("gnl|db|x", "db:x", "x"),
            ("lcl|mine", "mine", "mine"),
        ] {
            let line = parted([(id.as_bytes(), &b"t"[..])]);
            let names = SubjectNames::of(&line);
            assert_eq!(&*names.heading_of(names.chosen()), heading.as_bytes());
            assert_eq!(&*names.entry_of(names.chosen()), entry.as_bytes());
        }
    }

    /// Expected texts: blastp 2.12.0, definition lines joined with Ctrl-A and parsed.
    #[test]
    fn a_name_with_a_gi_stands_for_all_but_the_title_is_the_first() {
        let ids = ["sp|P11111.2|A_B", "gi|99|ref|NP_111111.1|", "lcl|mine"];
        let line = parted(ids.map(str::as_bytes).into_iter().zip([&b"t1"[..], b"", b"t3"]));
        let names = SubjectNames::of(&line);
        assert_eq!(names.seqid(), b"gi|99|ref|NP_111111.1|");
        assert_eq!(*names.accession_version(), *b"NP_111111.1");
        assert_eq!(names.gi(), b"99");
        assert_eq!(names.all_gis(), b"0;99;0");
        assert_eq!(names.title(), b"t1");
        assert_eq!(names.all_titles(), b"t1<>N/A<>t3");
        assert_eq!(names.all_seqids(), b"sp|P11111.2|A_B;gi|99|ref|NP_111111.1|;mine");
        assert_eq!(names.all_accessions(), b"P11111;NP_111111;mine");
    }

    #[test]
    fn a_whole_line_is_its_own_title_and_its_first_word_the_accession() {
        let names = SubjectNames::of(b"lcl|x some\ttitle");
        assert!(!names.is_parted());
        assert_eq!(names.seqid(), b"lcl|x");
        assert_eq!(*names.accession(), *b"lcl|x");
        assert_eq!(names.gi(), b"0");
        assert_eq!(names.title(), b"lcl|x some   title");
        assert_eq!(SubjectNames::of(b"a&#45;b. ").seqid(), b"a-b");
        assert_eq!(SubjectNames::of(b"TPA: ").seqid(), b"");
        let empty = SubjectNames::of(b"");
        assert_eq!((empty.seqid(), empty.title()), (&b"unnamed"[..], &b""[..]));
        assert_eq!(empty.all_titles(), b"N/A");
    }

    /// Expected texts: the list of descriptions of blastp 2.12.0 -outfmt 0 and what follows `>` in it.
    #[test]
    fn what_stands_for_a_title_depends_on_the_identifier() {
        for (id, title, description, full) in [
            ("sp|P33333|A_B", "", "P33333 unnamed protein product", "unnamed protein product"),
            ("pdb|2ABC|A", "", "2ABC_A Chain A", "Chain A"),
            ("pdb|2ABC|A", "MAG: x.", "2ABC_A x", "MAG: x."),
            (
                "pat|US|5000001|1",
                "",
                "US5000001_1 Sequence 1 from Patent US 5000001",
                "Sequence 1 from Patent US 5000001",
            ),
            ("tpg|DAA00004.1|", "TPA_exp: x", "DAA00004.1 TPA: x", "TPA_exp: x"),
            (
                "tpe|CAA00003.1|",
                "",
                "CAA00003.1 TPA: unnamed protein product",
                "TPA: unnamed protein product",
            ),
            ("lcl|a", "; b ,c.", "a ; b, c", "; b ,c."),
            ("pir||S10010", "a4 x &amp;", "pir||S10010 a4 x &amp", "a4 x &amp;"),
        ] {
            let line = parted([(id.as_bytes(), title.as_bytes())]);
            let names = SubjectNames::of(&line);
            assert_eq!(names.description(), description);
            assert_eq!(&*names.title_of(names.chosen()), full.as_bytes());
        }
        let line = parted([(&b"sp|P10016|A_B"[..], &b"MULTI , x."[..]), (b"gb|AAA00017.1|", b"")]);
        let names = SubjectNames::of(&line);
        assert_eq!(&*names.title_of(&names.names()[1]), b"MULTI, x");
    }

    /// Expected numbers: blastp 2.12.0 -outfmt "6 staxid staxids", a GI number before the second name.
    #[test]
    fn the_first_known_taxid_stands_for_all() {
        let line = b"\n0 10116 9606\nsp|P1|\na\ngi|99|ref|NP_1.1|\nb\nsp|P2|\nc";
        let names = SubjectNames::of(line);
        assert_eq!((names.taxid(), names.all_taxids()), (10116, vec![0, 9606, 10116]));
        let whole = SubjectNames::of(b"\n9606\nsp|P1|X a title");
        assert_eq!((whole.seqid(), whole.title()), (&b"sp|P1|X"[..], &b"sp|P1|X a title"[..]));
        assert_eq!((whole.is_parted(), whole.taxid(), whole.all_taxids()), (false, 9606, vec![9606]));
        let unknown = SubjectNames::of(b"sp|P1|X a title");
        assert_eq!((unknown.taxid(), unknown.all_taxids()), (0, vec![0]));
    }

    #[test]
    fn what_is_written_parted_reads_back() {
        let line = parted([(&b"lcl|a b"[..], &b"x\ny"[..]), (b"sp|P1|", b"")]);
        let names = SubjectNames::of(&line);
        assert!(names.is_parted());
        let expected = [(&b"lcl|a b"[..], &b"x#y"[..]), (b"sp|P1|", b"")];
        assert_eq!(names.names().len(), 2);
        for (name, (id, title)) in names.names().iter().zip(expected) {
            assert_eq!((&*name.id, &*name.title), (id, title));
        }
    }
}
