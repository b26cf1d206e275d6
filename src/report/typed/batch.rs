//! Rows as columns.

use std::io;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};

use super::schema::Kind;
use crate::report::column::Column;
use crate::report::tabular::Row;

/// What tables write for a value that is not known.
const UNKNOWN: &[u8] = b"N/A";

/// Columns that grow by rows.
pub(super) struct Batch {
    columns: Vec<(Column, Builder)>,
    rows: usize,
    /// What stands in a cell.
    cell: Vec<u8>,
}

enum Builder {
    Dictionary(StringDictionaryBuilder<Int32Type>),
    Text(StringBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
}

impl Batch {
    pub(super) fn new(columns: &[Column]) -> Self {
        let columns = columns.iter().map(|&column| (column, Builder::of(column))).collect();
        Self { columns, rows: 0, cell: Vec::new() }
    }

    /// Rows that have been added since it was last taken.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn add(&mut self, row: &Row<'_>) -> io::Result<()> {
        for (column, builder) in &mut self.columns {
            if let Builder::Float(builder) = builder {
                builder.append_option(row.measure(*column));
                continue;
            }
            self.cell.clear();
            row.write(&mut self.cell, *column)?;
            let text = (self.cell != UNKNOWN).then(|| String::from_utf8_lossy(&self.cell));
            match builder {
                Builder::Dictionary(builder) => builder.append_option(text),
                Builder::Text(builder) => builder.append_option(text),
                Builder::Integer(builder) => {
                    let number = text.map(|text| text.parse()).transpose().map_err(io::Error::other)?;
                    builder.append_option(number);
                }
                Builder::Float(_) => {}
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Takes the rows that have been added.
    pub(super) fn take(&mut self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        RecordBatch::try_new(
            schema.clone(),
            self.columns.iter_mut().map(|(_, builder)| builder.take()).collect(),
        )
    }
}

impl Builder {
    fn of(column: Column) -> Self {
        match Kind::of(column) {
            Kind::Dictionary => Self::Dictionary(StringDictionaryBuilder::new()),
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Float => Self::Float(Float64Builder::new()),
        }
    }

    fn take(&mut self) -> ArrayRef {
        match self {
            Self::Dictionary(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
        }
    }
}
