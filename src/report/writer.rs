//! One way to write a report in any format.

use std::io::{self, Write};

use super::context::{QueryText, ReportContext};
use super::outfmt::OutputFormat;
use super::query_hits::QueryHits;
use super::sam::ListedSubjects;
use super::tabular::TabularWriter;
use super::typed::ArrowStream;
use super::{blast_output2, pairwise, sam, xml};

/// Writes a report: its head, its beginning, what stands for each query, its end.
///
/// The text of a query depends on nothing but the context, the query and its hits, so a report can
/// be put together from pieces that were written apart; those of a format that cannot are in its format
/// [of pieces](OutputFormat::of_pieces). Only the head, which few formats have, depends
/// on the hits of all queries.
#[derive(Clone, Copy, Debug)]
pub struct ReportWriter<'a> {
    format: &'a OutputFormat,
    context: &'a ReportContext,
}

impl<'a> ReportWriter<'a> {
    /// A writer of `format`.
    pub fn new(format: &'a OutputFormat, context: &'a ReportContext) -> Self {
        Self { format, context }
    }

    /// Writes what comes before everything else in a report on hits in `subjects`; nothing unless the
    /// format [lists](OutputFormat::lists_subjects) them.
    pub fn head(&self, out: &mut impl Write, subjects: &ListedSubjects) -> io::Result<()> {
        match self.format {
            OutputFormat::Sam { .. } => sam::head(out, self.context, subjects),
            _ => Ok(()),
        }
    }

    /// Writes the beginning of a report. Some formats describe the first query in it.
    pub fn begin(&self, out: &mut impl Write, first: Option<QueryText<'_>>) -> io::Result<()> {
        match self.format {
            OutputFormat::Pairwise(_) => pairwise::begin(out, self.context),
            OutputFormat::Xml => xml::begin(out, self.context, first),
            OutputFormat::Json => blast_output2::begin_json(out),
            OutputFormat::Xml2 => blast_output2::begin_xml(out),
            OutputFormat::Table(_)
            | OutputFormat::JsonFiles
            | OutputFormat::Xml2Files
            | OutputFormat::Sam { .. } => Ok(()),
            OutputFormat::Arrow(columns) | OutputFormat::Parquet(columns) => {
                ArrowStream::new(columns, self.context).begin(out)
            }
        }
    }

    /// Writes what stands for one query. In a report of several files, that is a whole file.
    pub fn query(&self, out: &mut impl Write, query: QueryText<'_>, hits: &dyn QueryHits) -> io::Result<()> {
        match self.format {
            OutputFormat::Pairwise(style) => pairwise::query(out, self.context, style, query, hits),
            OutputFormat::Xml => xml::query(out, self.context, query, hits),
            OutputFormat::Table(table) => {
                TabularWriter::new(table, self.context).write_query(out, query, hits)
            }
            OutputFormat::JsonFiles => blast_output2::file_json(out, self.context, query, hits),
            OutputFormat::Xml2Files => blast_output2::file_xml(out, self.context, query, hits),
            OutputFormat::Json => blast_output2::query_json(out, self.context, query, hits),
            OutputFormat::Xml2 => blast_output2::query_xml(out, self.context, query, hits),
            OutputFormat::Sam { sequences } => sam::query(out, self.context, *sequences, query, hits),
            OutputFormat::Arrow(columns) | OutputFormat::Parquet(columns) => {
                ArrowStream::new(columns, self.context).query(out, query, hits)
            }
        }
    }

    /// Writes the end of a report on `queries` queries.
    pub fn end(&self, out: &mut impl Write, queries: u64) -> io::Result<()> {
        match self.format {
            OutputFormat::Pairwise(_) => pairwise::end(out, self.context),
            OutputFormat::Xml => xml::end(out),
            OutputFormat::Table(table) => TabularWriter::new(table, self.context).write_end(out, queries),
            OutputFormat::JsonFiles | OutputFormat::Xml2Files | OutputFormat::Sam { .. } => Ok(()),
            OutputFormat::Json => blast_output2::end_json(out),
            OutputFormat::Xml2 => blast_output2::end_xml(out),
            OutputFormat::Arrow(columns) | OutputFormat::Parquet(columns) => {
                ArrowStream::new(columns, self.context).end(out)
            }
        }
    }

    /// Writes the file that names the `files` of a report of several files; nothing in other
    /// formats.
    pub fn index(&self, out: &mut impl Write, files: &[String]) -> io::Result<()> {
        match self.format {
            OutputFormat::JsonFiles => blast_output2::index_json(out, files),
            OutputFormat::Xml2Files => blast_output2::index_xml(out, files),
            _ => Ok(()),
        }
    }
}
