//! Formats 13 to 16: the schema `NCBI_BlastOutput2` as JSON and as XML, in one file or in one per
//! query.

use std::io::{self, Write};
use std::ops::Range;

use super::columns::{Columns, Mark, Plus};
use super::context::{PROGRAM, QueryText, REFERENCE, ReportContext, SubjectLabel, given_number};
use super::number::{exact_evalue, general};
use super::query_hits::QueryHits;
use super::tree::{Value, write_json, write_xml};
use crate::engine::{Hit, Hsp, SearchedQuery};
use crate::scoring::KarlinParameters;

/// Attributes of the root of an XML file.
const NAMESPACES: &str = "
    xmlns=\"http://www.ncbi.nlm.nih.gov\"
    xmlns:xs=\"http://www.w3.org/2001/XMLSchema-instance\"
    xs:schemaLocation=\"http://www.ncbi.nlm.nih.gov \
    http://www.ncbi.nlm.nih.gov/data_specs/schema_alt/NCBI_BlastOutput2.xsd\"
>";

/// Writes what comes before the first query in JSON.
pub(super) fn begin_json(out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"{\n\"BlastOutput2\": [\n")
}

/// Writes what stands for one query in JSON.
pub(super) fn query_json(
    out: &mut impl Write,
    context: &ReportContext,
    query: QueryText<'_>,
    hits: &dyn QueryHits,
) -> io::Result<()> {
    out.write_all(if query.place > context.first_place() { b",\n{\n" } else { b"{\n" })?;
    write_json(out, 4, "report", &report(context, query, hits))?;
    out.write_all(b"\n  }\n")
}

/// Writes what comes after the last query in JSON.
pub(super) fn end_json(out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"]\n}\n")
}

/// Writes the JSON file of one query.
pub(super) fn file_json(
    out: &mut impl Write,
    context: &ReportContext,
    query: QueryText<'_>,
    hits: &dyn QueryHits,
) -> io::Result<()> {
    out.write_all(b"{\n  \"BlastOutput2\": {\n")?;
    write_json(out, 4, "report", &report(context, query, hits))?;
    out.write_all(b"\n  }\n}\n")
}

/// Writes the file that names the JSON files.
pub(super) fn index_json(out: &mut impl Write, files: &[String]) -> io::Result<()> {
    out.write_all(b"{\n\t\"BlastJSON\": [")?;
    for (place, file) in files.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(out, "{comma}\n\t\t{{\"File\": {} }}", super::escape::json(file))?;
    }
    out.write_all(b"\n\t]\n}")
}

/// Writes what comes before the first query in XML.
pub(super) fn begin_xml(out: &mut impl Write) -> io::Result<()> {
    write!(out, "<?xml version=\"1.0\"?>\n<BlastXML2{NAMESPACES}")
}

/// Writes what stands for one query in XML.
pub(super) fn query_xml(
    out: &mut impl Write,
    context: &ReportContext,
    query: QueryText<'_>,
    hits: &dyn QueryHits,
) -> io::Result<()> {
    out.write_all(b"\n<BlastOutput2>\n")?;
    write_xml(out, 2, "report", &report(context, query, hits))?;
    out.write_all(b"</BlastOutput2>\n")
}

/// Writes what comes after the last query in XML.
pub(super) fn end_xml(out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"</BlastXML2>\n")
}

/// Writes the XML file of one query.
pub(super) fn file_xml(
    out: &mut impl Write,
    context: &ReportContext,
    query: QueryText<'_>,
    hits: &dyn QueryHits,
) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\"?>\n<BlastOutput2{NAMESPACES}")?;
    write_xml(out, 2, "report", &report(context, query, hits))?;
    out.write_all(b"</BlastOutput2>\n")
}

/// Writes the file that names the XML files.
pub(super) fn index_xml(out: &mut impl Write, files: &[String]) -> io::Result<()> {
    out.write_all(
        b"<?xml version=\"1.0\"?>\n<BlastXML2\n\
          xmlns=\"http://www.ncbi.nlm.nih.gov\"\n\
          xmlns:xi=\"http://www.w3.org/2003/XInclude\"\n\
          xmlns:xs=\"http://www.w3.org/2001/XMLSchema-instance\"\n\
          xs:schemaLocation=\"http://www.ncbi.nlm.nih.gov \
          http://www.ncbi.nlm.nih.gov/data_specs/schema_alt/NCBI_BlastOutput2.xsd\">\n",
    )?;
    for file in files {
        writeln!(out, "\t<xi:include href=\"{}\"/>", super::escape::xml(file))?;
    }
    out.write_all(b"</BlastXML2>\n")
}

fn report<'a>(context: &'a ReportContext, query: QueryText<'a>, hits: &'a dyn QueryHits) -> Value<'a> {
    use Value::{Number, Object, Text};
    let mut parameters = vec![
        ("matrix", Text(context.matrix.name().to_string())),
        ("expect", Number(general(context.options.evalue, 15))),
    ];
    if !context.options.ungapped {
        parameters.push(("gap_open", Value::count(context.gaps.open)));
        parameters.push(("gap_extend", Value::count(context.gaps.extend)));
    }
    parameters.push(("filter", Text(context.options.masking.to_string())));
    if context.composition_mode() > 0 {
        parameters.push(("cbs", Value::count(context.composition_mode())));
    }
    Object(
        "Report",
        vec![
            ("program", Text("blastp".to_owned())),
            ("version", Text(PROGRAM.to_owned())),
            ("reference", Text(REFERENCE.to_owned())),
            ("search_target", Object("Target", vec![target(context)])),
            ("params", Object("Parameters", parameters)),
            ("results", Object("Results", vec![results(context, query, hits)])),
        ],
    )
}

/// What was searched: a database, or a list of sequences.
fn target(context: &ReportContext) -> (&'static str, Value<'static>) {
    let database = &context.database;
    if !database.is_given {
        return ("db", Value::Text(database.name.clone()));
    }
    let numbers = (0..database.totals.sequences).map(|ordinal| Value::Text(given_number(ordinal)));
    ("subjects", Value::List(numbers.collect()))
}

fn results<'a>(
    context: &'a ReportContext,
    query: QueryText<'a>,
    hits: &'a dyn QueryHits,
) -> (&'static str, Value<'a>) {
    let search = search(context, query, hits);
    if context.database.is_given { ("bl2seq", Value::List(vec![search])) } else { ("search", search) }
}

fn search<'a>(context: &'a ReportContext, query: QueryText<'a>, hits: &'a dyn QueryHits) -> Value<'a> {
    use Value::{Number, Object, Text};
    let searched = context.searched(query);
    let statistics = context.statistics(query);
    let space = statistics.map(|statistics| statistics.space).unwrap_or_default();
    let parameter = |of: fn(KarlinParameters) -> f64| {
        Number(general(statistics.map_or(-1.0, |statistics| of(statistics.used)), 15))
    };
    let totals = context.database.totals;
    let mut members = vec![
        ("query_id", Text(query.id())),
        ("query_title", Text(query.tidy_title())),
        ("query_len", Number(searched.shown.len().to_string())),
    ];
    members
        .retain(|(name, value)| *name != "query_title" || !matches!(value, Text(title) if title.is_empty()));
    // blastp does not say so of a query that is masked from end to end.
    let in_part = searched.masked.first().is_some_and(|first| *first != (0..searched.shown.len()));
    if statistics.is_some() && in_part {
        members.push(("query_masking", masking(&searched)));
    }
    let listed = move |write: &mut dyn FnMut(&Value<'_>) -> io::Result<()>| {
        let mut number = 0;
        hits.visit_all(&mut |hit| {
            number += 1;
            write(&describe_hit(context, query, &searched, number, hit))
        })
    };
    members.extend([
        ("hits", Value::Made(hits.hits(), Box::new(listed))),
        (
            "stat",
            Object(
                "Statistics",
                [
                    ("db_num", Number(totals.sequences.to_string())),
                    ("db_len", Number(totals.residues.to_string())),
                    ("hsp_len", Number(space.length_adjustment.to_string())),
                    ("eff_space", Number(space.effective.to_string())),
                    ("kappa", parameter(|karlin| karlin.k)),
                    ("lambda", parameter(|karlin| karlin.lambda)),
                    ("entropy", parameter(|karlin| karlin.h)),
                ]
                .into_iter()
                .skip(if context.database.is_given { 2 } else { 0 })
                .collect(),
            ),
        ),
    ]);
    if let Some(message) = query.message(context, statistics.is_some(), hits.hits() > 0) {
        members.push(("message", Text(message)));
    }
    Object("Search", members)
}

/// The masked parts of a query; their positions count from 0.
fn masking(searched: &SearchedQuery<'_>) -> Value<'static> {
    let position = |place: usize| Value::Number((searched.range.start + place).to_string());
    let range = |masked: &Range<usize>| {
        Value::Object("Range", vec![("from", position(masked.start)), ("to", position(masked.end - 1))])
    };
    Value::List(searched.masked.iter().map(range).collect())
}

fn describe_hit(
    context: &ReportContext,
    query: QueryText<'_>,
    searched: &SearchedQuery<'_>,
    number: i64,
    hit: &Hit,
) -> Value<'static> {
    use Value::{List, Object, Text};
    let descriptions = SubjectLabel::all(hit, context).into_iter().map(|label| {
        let SubjectLabel { id, accession, title, taxid } = label;
        let mut description = vec![("id", Text(id)), ("accession", Text(accession)), ("title", Text(title))];
        if taxid != 0 {
            description.push(("taxid", Value::count(taxid)));
            let taxon = context.taxonomy().and_then(|taxonomy| taxonomy.taxon(taxid));
            description.extend(taxon.map(|taxon| ("sciname", Text(taxon.scientific.into_owned()))));
        }
        if context.database.is_given {
            description.retain(|(name, _)| *name != "accession");
        }
        Object("HitDescr", description)
    });
    let hsps =
        (1i64..).zip(&hit.hsps).map(|(number, hsp)| describe_hsp(context, query, searched, number, hsp));
    Object(
        "Hit",
        vec![
            ("num", Value::count(number)),
            ("description", List(descriptions.collect())),
            ("len", Value::count(hit.subject_length)),
            ("hsps", List(hsps.collect())),
        ],
    )
}

fn describe_hsp(
    context: &ReportContext,
    query: QueryText<'_>,
    searched: &SearchedQuery<'_>,
    number: i64,
    hsp: &Hsp,
) -> Value<'static> {
    use Value::{Number, Object};
    let mut columns = Columns::new(query.sequence.residues, hsp, &context.matrix, Plus::LikeDisplay);
    columns.mark_masked(hsp.query.start, searched, Mark::LowerCaseInside);
    let text = |letters: &[u8]| Value::Text(String::from_utf8_lossy(letters).into_owned());
    Object(
        "Hsp",
        vec![
            ("num", Value::count(number)),
            ("bit_score", Number(general(hsp.bit_score, 6))),
            ("score", Value::count(hsp.score)),
            ("evalue", Number(exact_evalue(hsp.evalue))),
            ("identity", Value::count(hsp.identities)),
            ("positive", Value::count(columns.positives())),
            ("query_from", Value::count(hsp.query.start + 1)),
            ("query_to", Value::count(hsp.query.end)),
            ("hit_from", Value::count(hsp.subject.start + 1)),
            ("hit_to", Value::count(hsp.subject.end)),
            ("align_len", Value::count(hsp.alignment_length())),
            ("gaps", Value::count(hsp.gaps())),
            ("qseq", text(&columns.query)),
            ("hseq", text(&columns.subject)),
            ("midline", text(&columns.midline)),
        ],
    )
}
