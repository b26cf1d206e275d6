//! Format 17: SAM, the text format of sequence alignments to references (samtools.github.io/hts-specs).
//!
//! blastp has no SAM, so this follows two models: blastn's format 17 with subjects as references (its
//! option `SR`) in its header, clips and the tags AS, EV, NM, PI and BS; DIAMOND's format 101 in what it
//! adds for proteins, the tags ZL, ZR, ZE, ZI, ZS and MD. Positions, lengths and CIGARs count residues.
//! Names are those of format 6, with `_` for what SAM does not allow in them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Write};

use super::columns::pairs;
use super::context::{PROGRAM_VERSION, QueryText, ReportContext};
use super::number::{evalue, exact_evalue, general};
use super::query_hits::QueryHits;
use super::tabular::{query_accession, subject_accession};
use crate::engine::{Edit, Hit, Hsp};
use crate::sequence::alphabet::decode;

/// Longest name of a query.
const QUERY_NAME_LIMIT: usize = 254;

/// The subjects that occur in a report, which its head lists: in the order of their first occurrence.
///
/// Subjects of the same name are one reference, as long as the longest of them.
#[derive(Clone, Debug, Default)]
pub struct ListedSubjects {
    places: HashMap<Vec<u8>, usize>,
    listed: Vec<(Vec<u8>, u32)>,
    /// Queries that were not compared with the whole database.
    incomplete: u64,
}

impl ListedSubjects {
    /// Notes that so many queries were not compared with the whole database.
    pub fn lack(&mut self, queries: u64) {
        self.incomplete += queries;
    }

    /// Adds the subject of a hit.
    pub fn add(&mut self, context: &ReportContext, hit: &Hit) {
        match self.places.entry(reference_name(context, hit)) {
            Entry::Occupied(place) => {
                let (_, length) = &mut self.listed[*place.get()];
                *length = hit.subject_length.max(*length);
            }
            Entry::Vacant(place) => {
                self.listed.push((place.key().clone(), hit.subject_length));
                place.insert(self.listed.len() - 1);
            }
        }
    }
}

/// Writes what comes before the first query of a report on hits in `subjects`.
pub(super) fn head(
    out: &mut impl Write,
    context: &ReportContext,
    subjects: &ListedSubjects,
) -> io::Result<()> {
    out.write_all(b"@HD\tVN:1.2\tGO:query\n")?;
    for (name, length) in &subjects.listed {
        out.write_all(b"@SQ\tSN:")?;
        out.write_all(name)?;
        writeln!(out, "\tLN:{length}")?;
    }
    writeln!(out, "@PG\tID:0\tVN:{PROGRAM_VERSION}\tPN:blastp")?;
    out.write_all(
        b"@CO\tProteins: positions, lengths and CIGARs count residues\n\
          @CO\tAS, ZR: raw score; BS: bit score; EV, ZE: E-value; NM: columns that differ; PI: percent identity \
          without gaps; ZI: with gaps; ZL: subject length; ZS: query start\n",
    )?;
    if let Some(partial) = context.is_partial() {
        writeln!(out, "@CO\t{partial}")?;
    }
    match subjects.incomplete {
        0 => Ok(()),
        queries => writeln!(
            out,
            "@CO\tIncomplete: {queries} queries were not compared with the whole database, as some of its volumes failed"
        ),
    }
}

/// Writes what stands for one query, a line per HSP; with the aligned residues of the query if
/// `sequences` are asked for.
pub(super) fn query(
    out: &mut impl Write,
    context: &ReportContext,
    sequences: bool,
    query: QueryText<'_>,
    hits: &dyn QueryHits,
) -> io::Result<()> {
    let name = query_name(query);
    let residues = query.sequence.residues;
    hits.visit_all(&mut |hit| {
        let reference = reference_name(context, hit);
        for hsp in &hit.hsps {
            out.write_all(&name)?;
            out.write_all(b"\t0\t")?;
            out.write_all(&reference)?;
            write!(out, "\t{}\t255\t", hsp.subject.start + 1)?;
            write_cigar(out, hsp, residues.len())?;
            out.write_all(b"\t*\t0\t0\t")?;
            if sequences {
                let aligned = &residues[hsp.query.start as usize..hsp.query.end as usize];
                out.write_all(&aligned.iter().map(|residue| letter(*residue)).collect::<Vec<_>>())?;
            } else {
                out.write_all(b"*")?;
            }
            out.write_all(b"\t*")?;
            write_tags(out, hit, hsp)?;
            out.write_all(b"\tMD:Z:")?;
            out.write_all(&differences(residues, hsp))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// Writes the alignment; what it leaves of the query is clipped and not part of the sequence.
fn write_cigar(out: &mut impl Write, hsp: &Hsp, query_length: usize) -> io::Result<()> {
    let clip = |out: &mut dyn Write, residues: usize| match residues {
        0 => Ok(()),
        _ => write!(out, "{residues}H"),
    };
    clip(out, hsp.query.start as usize)?;
    for run in &hsp.edits {
        let operation = match run.edit {
            Edit::Pair => 'M',
            Edit::SubjectGap => 'I',
            Edit::QueryGap => 'D',
        };
        write!(out, "{}{operation}", run.length)?;
    }
    clip(out, query_length - hsp.query.end as usize)
}

fn write_tags(out: &mut impl Write, hit: &Hit, hsp: &Hsp) -> io::Result<()> {
    let length = hsp.alignment_length();
    let (score, identities) = (hsp.score, hsp.identities);
    let bits = general(hsp.bit_score, 6);
    write!(out, "\tAS:i:{score}\tEV:f:{}\tNM:i:{}", exact_evalue(hsp.evalue), length - identities)?;
    write!(out, "\tPI:f:{:.2}\tBS:f:{bits}", percent_of_pairs(hsp))?;
    write!(out, "\tZL:i:{}\tZR:i:{score}\tZE:f:{}", hit.subject_length, evalue(hsp.evalue))?;
    let percent = u64::from(identities) * 100 / u64::from(length.max(1));
    write!(out, "\tZI:i:{percent}\tZS:i:{}", hsp.query.start + 1)
}

/// Percentage of identical columns among those without gaps; 100 only for all of them.
fn percent_of_pairs(hsp: &Hsp) -> f64 {
    let pairs = hsp.alignment_length() - hsp.gaps();
    match hsp.identities {
        identities if identities == pairs => 100.0,
        identities => (100.0 * f64::from(identities) / f64::from(pairs)).min(99.99),
    }
}

/// Where the subject differs from the query, so that it can be written out from the query: numbers of
/// equal columns, and between them either the subject's letter or `^` and its letters under a gap.
fn differences(query_residues: &[u8], hsp: &Hsp) -> Vec<u8> {
    let mut text = Vec::new();
    let (mut equal, mut in_gap) = (0u32, false);
    for (query, subject) in pairs(query_residues, hsp) {
        let Some(subject) = subject else { continue };
        if query == Some(subject) {
            equal += 1;
            in_gap = false;
            continue;
        }
        if query.is_some() || !in_gap {
            text.extend(equal.to_string().bytes());
            equal = 0;
        }
        if query.is_none() && !in_gap {
            text.push(b'^');
        }
        in_gap = query.is_none();
        text.push(letter(subject));
    }
    text.extend(equal.to_string().bytes());
    text
}

/// The letter of a residue; SAM has none for the end of a translation.
fn letter(residue: u8) -> u8 {
    match decode(residue) {
        b'*' => b'X',
        letter => letter,
    }
}

fn query_name(query: QueryText<'_>) -> Vec<u8> {
    let mut name = query_accession(query).into_owned();
    name.truncate(QUERY_NAME_LIMIT);
    // An at sign starts lines of the header.
    name.iter_mut().filter(|byte| !byte.is_ascii_graphic() || **byte == b'@').for_each(|byte| *byte = b'_');
    name
}

fn reference_name(context: &ReportContext, hit: &Hit) -> Vec<u8> {
    let mut name = subject_accession(hit, context.database.is_given);
    let allowed = |place: usize, byte: u8| {
        let only_inside = matches!(byte, b'*' | b'=');
        byte.is_ascii_graphic() && !b"\\,\"`'()[]{}<>".contains(&byte) && (place > 0 || !only_inside)
    };
    for (place, byte) in name.to_mut().iter_mut().enumerate() {
        if !allowed(place, *byte) {
            *byte = b'_';
        }
    }
    Cow::into_owned(name)
}
