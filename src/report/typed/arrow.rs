//! A report as a stream of Apache Arrow (format version 1.5, "IPC Streaming Format"): the schema, then for each
//! query its dictionaries and its rows, then a mark of the end.
//!
//! The dictionaries of a query replace those of the one before it, as the format allows streams, though not
//! files: so memory does not depend on how many subjects are found, and what stands for a query depends on
//! nothing else.

use std::io::{self, Write};

use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema, SchemaRef};

use super::batch::Batch;
use super::schema::{metadata, schema};
use crate::report::column::Column;
use crate::report::context::{QueryText, ReportContext};
use crate::report::query_hits::QueryHits;
use crate::report::tabular::each_row;

/// Most rows that are held.
const ROWS: usize = 16_384;

/// Writes a stream, piece by piece.
pub(in crate::report) struct ArrowStream<'a> {
    columns: &'a [Column],
    context: &'a ReportContext,
    schema: SchemaRef,
}

impl<'a> ArrowStream<'a> {
    /// A stream with these columns.
    pub(in crate::report) fn new(columns: &'a [Column], context: &'a ReportContext) -> Self {
        Self { columns, context, schema: schema(columns) }
    }

    /// Writes the schema, with what the report says of itself.
    pub(in crate::report) fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        let schema = Schema::clone(&self.schema).with_metadata(metadata(self.context));
        out.write_all(StreamWriter::try_new(Vec::new(), &schema).map_err(told)?.get_ref())
    }

    /// Writes the rows of a query; nothing if there are none.
    pub(in crate::report) fn query(
        &self,
        out: &mut impl Write,
        query: QueryText<'_>,
        hits: &dyn QueryHits,
    ) -> io::Result<()> {
        if hits.hits() == 0 {
            return Ok(());
        }
        let mut writer = self.behind_the_schema().map_err(told)?;
        let mut batch = Batch::new(self.columns);
        let mut send = |batch: &mut Batch| {
            let written = batch.take(&self.schema).and_then(|batch| writer.write(&batch));
            out.write_all(&std::mem::take(writer.get_mut()))?;
            written.map_err(told)
        };
        each_row((self.context, self.columns), query, hits, |row| {
            batch.add(row)?;
            if batch.rows() == ROWS { send(&mut batch) } else { Ok(()) }
        })?;
        if batch.rows() > 0 { send(&mut batch) } else { Ok(()) }
    }

    /// Writes what ends the stream.
    pub(in crate::report) fn end(&self, out: &mut impl Write) -> io::Result<()> {
        let mut writer = self.behind_the_schema().map_err(told)?;
        writer.finish().map_err(told)?;
        out.write_all(writer.get_ref())
    }

    /// A writer whose schema has been written before.
    fn behind_the_schema(&self) -> Result<StreamWriter<Vec<u8>>, ArrowError> {
        let mut writer = StreamWriter::try_new(Vec::new(), &self.schema)?;
        writer.get_mut().clear();
        Ok(writer)
    }
}

fn told(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    }
}
