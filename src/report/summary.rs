//! A hit in one row and its alignments one by one, for those who read a report query by query. Numbers are those
//! of tabular reports, alignments those of pairwise ones.

use serde::Serialize;

use super::columns::{Columns, Mark, Plus};
use super::context::{QueryText, ReportContext};
use super::coverage::{covered, percent_of};
use super::number;
use super::pairwise::method;
use super::species::species_of;
use super::tabular::{query_accession, subject_accession};
use crate::engine::{Hit, Hsp};
use crate::sequence::names::SubjectNames;
use crate::sequence::taxids::{Taxid, parse_taxid};

/// What names a query in reports (`qaccver`): the first word of its definition line, or its number.
pub fn query_name(query: QueryText<'_>) -> String {
    String::from_utf8_lossy(&query_accession(query)).into_owned()
}

/// What a taxid is called as a species: by its scientific name, or else as [`unnamed_species`] has it.
fn species_called(context: &ReportContext, taxid: Taxid) -> String {
    let named = context.taxonomy().and_then(|taxonomy| taxonomy.taxon(taxid));
    named.map_or_else(|| unnamed_species(taxid), |taxon| taxon.scientific.into_owned())
}

/// What the species of a taxid is called whose name is not known.
fn unnamed_species(taxid: Taxid) -> String {
    format!("{UNNAMED}{taxid}")
}

const UNNAMED: &str = "taxid ";

/// What such a species is called in a report with these names.
pub fn renamed_species(context: &ReportContext, species: String) -> String {
    let taxid = species.strip_prefix(UNNAMED).and_then(|digits| parse_taxid(digits.as_bytes()));
    taxid.map_or(species, |taxid| species_called(context, taxid))
}

/// HSPs of which a row says where they lie.
const PLACED_HSPS: usize = 50;

/// A hit in one row; positions count from 1, and the last one belongs to the range.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HitSummary {
    /// Position of the subject in the whole database, from 0.
    pub ordinal: u64,
    /// What names the subject (`saccver`).
    pub subject: String,
    /// Its title (`stitle`).
    pub title: String,
    /// The species that its title names, or else the scientific name of its taxid, or `taxid` and that; `None` if
    /// neither is known.
    pub species: Option<String>,
    /// Its taxid (`staxid`), if it is known.
    pub taxid: Option<Taxid>,
    /// Its length in residues (`slen`).
    pub length: u32,
    /// Number of HSPs.
    pub hsps: usize,
    /// Smallest E-value of its HSPs.
    pub evalue: f64,
    /// The same as reports print it.
    pub evalue_text: String,
    /// Largest bit score of its HSPs.
    pub bit_score: f64,
    /// The same as reports print it.
    pub bit_score_text: String,
    /// Sum of the bit scores of its HSPs.
    pub total_bits: f64,
    /// Identical columns of the best HSP, per cent (`pident`).
    pub identity: f64,
    /// Share of the query under its HSPs, per cent (`qcovs`).
    pub coverage: u64,
    /// Where the first HSPs lie in the query, and their bit scores.
    pub places: Vec<(u32, u32, f64)>,
}

impl HitSummary {
    /// The row of a hit with `query`; `None` if it has no HSPs.
    pub fn of(context: &ReportContext, query: QueryText<'_>, hit: &Hit) -> Option<Self> {
        let best = hit.hsps.first()?;
        let evalue = hit.hsps.iter().map(|hsp| hsp.evalue).fold(f64::INFINITY, f64::min);
        let bit_score = hit.hsps.iter().map(|hsp| hsp.bit_score).fold(0.0, f64::max);
        let length = query.sequence.residues.len();
        let stated = context.options.query_location.map_or(length, |part| part.length() as usize);
        let names = SubjectNames::of(&hit.defline);
        let title = String::from_utf8_lossy(names.title()).into_owned();
        let taxid = Some(names.taxid()).filter(|taxid| *taxid != 0 && !context.database.is_given);
        let species = species_of(&title).map(str::to_owned);
        let place = |hsp: &Hsp| (hsp.query.start + 1, hsp.query.end, hsp.bit_score);
        Some(Self {
            ordinal: hit.ordinal(),
            subject: String::from_utf8_lossy(&subject_accession(hit, context.database.is_given)).into_owned(),
            species: species.or_else(|| taxid.map(|taxid| species_called(context, taxid))),
            taxid,
            title,
            length: hit.subject_length,
            hsps: hit.hsps.len(),
            evalue,
            evalue_text: number::evalue(evalue),
            bit_score,
            bit_score_text: number::bit_score(bit_score),
            total_bits: hit.hsps.iter().map(|hsp| hsp.bit_score).sum(),
            identity: f64::from(best.identities) / f64::from(best.alignment_length()) * 100.0,
            coverage: percent_of(covered(hit), stated),
            places: hit.hsps.iter().take(PLACED_HSPS).map(place).collect(),
        })
    }
}

/// An alignment written out; positions count from 1, and the last one belongs to the range.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct WrittenAlignment {
    /// Raw score.
    pub score: i32,
    /// Bit score as reports print it.
    pub bit_score: String,
    /// E-value as reports print it.
    pub evalue: String,
    /// How scores were adjusted to the composition, in words; empty if they were not.
    pub method: &'static str,
    /// Number of columns.
    pub columns: u32,
    /// Columns with the same letter.
    pub identities: u32,
    /// Columns with the same letter or a positive score.
    pub positives: u32,
    /// Columns with a gap.
    pub gaps: u32,
    /// First and last residue of the query.
    pub query_range: (u32, u32),
    /// First and last residue of the subject.
    pub subject_range: (u32, u32),
    /// Letters of the query, `-` for a gap, in lower case where they are masked.
    pub query: String,
    /// What stands between the rows.
    pub midline: String,
    /// Letters of the subject, `-` for a gap.
    pub subject: String,
}

impl WrittenAlignment {
    /// Up to `count` alignments of a hit with `query`, best first.
    pub fn all(context: &ReportContext, query: QueryText<'_>, hit: &Hit, count: usize) -> Vec<Self> {
        let searched = context.searched(query);
        let text = |letters: Vec<u8>| String::from_utf8_lossy(&letters).into_owned();
        let written = |hsp: &Hsp| {
            let mut columns = Columns::new(query.sequence.residues, hsp, &context.matrix, Plus::LikeSearch);
            columns.mark_masked(hsp.query.start, &searched, Mark::LowerCase);
            Self {
                score: hsp.score,
                bit_score: number::bit_score(hsp.bit_score),
                evalue: number::short_evalue(hsp.evalue),
                method: method(hsp.adjustment),
                columns: hsp.alignment_length(),
                identities: hsp.identities,
                positives: hsp.positives,
                gaps: hsp.gaps(),
                query_range: (hsp.query.start + 1, hsp.query.end),
                subject_range: (hsp.subject.start + 1, hsp.subject.end),
                query: text(columns.query),
                midline: text(columns.midline),
                subject: text(columns.subject),
            }
        };
        hit.hsps.iter().take(count).map(written).collect()
    }
}
