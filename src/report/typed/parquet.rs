//! A report as a file of Apache Parquet.

use std::io::{self, Write};

use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

/// Most rows of a row group, which is held in memory until it is complete.
const GROUP_ROWS: usize = 131_072;
/// Most bytes of one.
const GROUP_BYTES: usize = 32 << 20;

/// A Parquet file that is made from a report in the format [of its pieces](super::super::OutputFormat::of_pieces),
/// a stream of Arrow, which is written to it.
///
/// Its rows are compressed with Snappy, in row groups of 131,072 rows or 32 MiB; ids are encoded as
/// dictionaries. The same stream always makes the same bytes.
pub struct ParquetFile<W: Write + Send> {
    decoder: StreamDecoder,
    state: State<W>,
}

impl<W: Write + Send> std::fmt::Debug for ParquetFile<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").finish_non_exhaustive()
    }
}

enum State<W: Write + Send> {
    /// The schema is not known yet.
    New(W),
    Begun(Box<ArrowWriter<W>>),
    /// It could not be begun.
    Broken,
}

impl<W: Write + Send> ParquetFile<W> {
    /// A file that is written to `out`.
    pub fn new(out: W) -> Self {
        Self { decoder: StreamDecoder::new(), state: State::New(out) }
    }

    /// Writes what ends the file, and gives back where it went.
    ///
    /// # Errors
    /// If the stream was not whole, or its end cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.decoder.finish().map_err(of_stream)?;
        match self.state {
            State::Begun(writer) => writer.into_inner().map_err(of_file),
            State::New(_) | State::Broken => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Takes a piece of the stream, of any length.
impl<W: Write + Send> Write for ParquetFile<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = Buffer::from(bytes);
        while !buffer.is_empty() {
            let batch = self.decoder.decode(&mut buffer).map_err(of_stream)?;
            if let (State::New(_), Some(schema)) = (&self.state, self.decoder.schema())
                && let State::New(out) = std::mem::replace(&mut self.state, State::Broken)
            {
                self.state = State::Begun(Box::new(begin(out, schema).map_err(of_file)?));
            }
            match (&mut self.state, batch) {
                (State::Begun(writer), Some(batch)) => writer.write(&batch).map_err(of_file)?,
                (State::Broken, _) => return Err(io::ErrorKind::BrokenPipe.into()),
                _ => {}
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // What a row group is made of waits for the rest of it.
        Ok(())
    }
}

fn begin<W: Write + Send>(out: W, schema: SchemaRef) -> Result<ArrowWriter<W>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("skyblast ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .build();
    ArrowWriter::try_new(out, schema, Some(properties))
}

fn of_stream(error: ArrowError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// What `out` said, if it was that.
fn of_file(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ArrowStream;
    use super::*;
    use crate::engine::{DatabaseTotals, SearchOptions};
    use crate::report::{Column, DatabaseText, ReportContext};

    fn stream() -> Vec<u8> {
        let totals = DatabaseTotals { sequences: 1, residues: 1 };
        let database = DatabaseText {
            name: "x".to_owned(),
            title: "x".to_owned(),
            version: None,
            posted: None,
            totals,
            searched: totals,
            parts: Vec::new(),
            is_given: false,
        };
        let context = ReportContext::new(database, SearchOptions::default()).expect("statistics");
        let arrow = ArrowStream::new(Column::ALL, &context);
        let mut stream = Vec::new();
        arrow.begin(&mut stream).expect("memory");
        arrow.end(&mut stream).expect("memory");
        stream
    }

    fn file(pieces: &[&[u8]]) -> io::Result<Vec<u8>> {
        let mut file = ParquetFile::new(Vec::new());
        pieces.iter().try_for_each(|piece| file.write_all(piece))?;
        file.finish()
    }

    #[test]
    fn pieces_of_any_length_make_the_same_file() {
        let stream = stream();
        let whole = file(&[&stream]).expect("a stream");
        assert!(whole.starts_with(b"PAR1") && whole.ends_with(b"PAR1"));
        for length in [1, 7, 64] {
            assert_eq!(file(&stream.chunks(length).collect::<Vec<_>>()).expect("a stream"), whole);
        }
    }

    #[test]
    fn what_is_no_whole_stream_is_an_error() {
        let stream = stream();
        assert!(file(&[]).is_err());
        assert!(file(&[&stream[..stream.len() / 2]]).is_err());
        assert!(
            file(&[b"BLASTP 2.12.0+ is not a stream of Arrow, but this is long enough to be read as one"])
                .is_err()
        );
    }

    /// Takes nothing.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_the_output_says_is_told() {
        let mut file = ParquetFile::new(Full);
        let told = file.write_all(&stream()).and_then(|()| file.finish().map(|_| ()));
        assert_eq!(told.expect_err("no room").kind(), io::ErrorKind::StorageFull);
    }
}
