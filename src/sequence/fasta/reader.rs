//! The streaming reader: lines to records.

use std::io::{self, BufRead};
use std::iter::FusedIterator;

use super::error::{FastaError, Place, Total};
use super::line::{Line, classify, is_blank, is_plausible};
use super::lines::{Advance, Lines};
use super::record::{Dropped, Note, Record};
use crate::sequence::alphabet::encode;

/// Bytes of a line that an error shows.
const EXCERPT: usize = 40;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Largest records that are accepted, so that memory is bounded whatever the input, and the most that an
/// input may hold in all: a few bytes, compressed or as a gap, can stand for very many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a definition line.
    pub defline: usize,
    /// Most residues of a sequence, and most bytes of one of its lines.
    pub sequence: usize,
    /// Most bytes of the input, decompressed.
    pub bytes: u64,
    /// Most records of the input.
    pub records: u64,
    /// Most residues of the input.
    pub residues: u64,
}

impl Default for Limits {
    /// 16 MiB of definition line (merged titles of large databases reach some hundred KiB) and 64 MiB of
    /// residues (the longest known proteins have about 50,000); of such records any number.
    fn default() -> Self {
        Self { defline: 16 << 20, sequence: 64 << 20, bytes: u64::MAX, records: u64::MAX, residues: u64::MAX }
    }
}

/// Iterator over the records of a FASTA input; it ends after the first error.
///
/// ```
/// use skyblast::sequence::fasta::Reader;
///
/// let input = b">q1 a peptide\nMKTAYIAKQR\nqisfvk*\n";
/// let records: Vec<_> = Reader::new("example", &input[..]).collect::<Result<_, _>>()?;
/// assert_eq!(records[0].id(), b"q1");
/// assert_eq!(records[0].residues.len(), 17);
/// # Ok::<(), skyblast::sequence::fasta::FastaError>(())
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    input: String,
    limits: Limits,
    /// The definition line that ended the last record, and its number.
    pending: Option<(Vec<u8>, u64)>,
    /// Records begun.
    records: u64,
    /// Residues of all of them.
    residues: u64,
    finished: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads `reader`; `input` names it in errors.
    pub fn new(input: impl Into<String>, reader: R) -> Self {
        Self::with_limits(input, reader, Limits::default())
    }

    /// Reads `reader` and refuses records over `limits`.
    pub fn with_limits(input: impl Into<String>, reader: R, limits: Limits) -> Self {
        // One more for the `>`.
        let longest = limits.sequence.max(limits.defline.saturating_add(1));
        Self {
            lines: Lines::new(reader, longest),
            input: input.into(),
            limits,
            pending: None,
            records: 0,
            residues: 0,
            finished: false,
        }
    }

    /// The name that errors carry.
    pub fn input(&self) -> &str {
        &self.input
    }

    fn next_record(&mut self) -> Result<Option<Record>, FastaError> {
        let mut record = match self.pending.take() {
            Some((defline, line)) => Some(self.begin(defline, line)?),
            None => None,
        };
        while self.advance()? {
            match classify(self.current_line()) {
                Line::Ignored => {}
                Line::Defline(defline) => {
                    if defline.len() > self.limits.defline {
                        return Err(self.defline_too_long());
                    }
                    let (defline, line) = (defline.to_vec(), self.lines.number());
                    if record.is_some() {
                        self.pending = Some((defline, line));
                        break;
                    }
                    record = Some(self.begin(defline, line)?);
                }
                Line::Gap(length) => {
                    let mut begun = record.take().map_or_else(|| self.begin_headless(), Ok)?;
                    self.append_gap(&mut begun, length)?;
                    record = Some(begun);
                }
                Line::Residues { .. } => {
                    let mut begun = record.take().map_or_else(|| self.begin_headless(), Ok)?;
                    self.append_line(&mut begun)?;
                    record = Some(begun);
                }
            }
        }
        if let Some(record) = record.as_mut().filter(|record| record.residues.is_empty()) {
            record.notes.push(Note::NoResidues);
        }
        Ok(record)
    }

    /// Starts the next record.
    fn begin(&mut self, defline: Vec<u8>, line: u64) -> Result<Record, FastaError> {
        self.records += 1;
        if self.records > self.limits.records {
            return Err(self.too_much(Total::Records, self.limits.records));
        }
        Ok(Record { defline, number: self.records, line, ..Record::default() })
    }

    /// Starts a record that has no definition line.
    fn begin_headless(&mut self) -> Result<Record, FastaError> {
        let mut record = self.begin(Vec::new(), self.lines.number())?;
        record.notes.push(Note::NoDefline);
        Ok(record)
    }

    /// Adds `length` unknown residues.
    fn append_gap(&mut self, record: &mut Record, length: u64) -> Result<(), FastaError> {
        let total = usize::try_from(length)
            .ok()
            .and_then(|length| record.residues.len().checked_add(length))
            .filter(|total| *total <= self.limits.sequence)
            .ok_or_else(|| self.sequence_too_long())?;
        self.count_residues(length)?;
        record.push_gap(total);
        Ok(())
    }

    /// Adds the current line's residues to `record` and notes what it holds besides.
    fn append_line(&mut self, record: &mut Record) -> Result<(), FastaError> {
        let Line::Residues { text, column } = classify(self.current_line()) else { return Ok(()) };
        if record.residues.is_empty() && !is_plausible(text) {
            return Err(FastaError::NotSequence { at: self.place(), excerpt: self.excerpt() });
        }
        let mut dropped = Dropped::default();
        let before = record.residues.len();
        for (byte, column) in text.iter().take_while(|byte| **byte != b';').zip(column..) {
            match encode(*byte) {
                Some(code) => record.push(code, byte.is_ascii_lowercase()),
                None if is_blank(*byte) => {}
                None => dropped.add(column),
            }
        }
        if record.residues.len() > self.limits.sequence {
            return Err(self.sequence_too_long());
        }
        record.note_dropped(self.lines.number(), dropped);
        self.count_residues((record.residues.len() - before) as u64)
    }

    /// Counts further residues of the input.
    fn count_residues(&mut self, further: u64) -> Result<(), FastaError> {
        self.residues += further;
        if self.residues > self.limits.residues {
            return Err(self.too_much(Total::Residues, self.limits.residues));
        }
        Ok(())
    }

    /// Moves to the next line; `false` at the end of the input.
    fn advance(&mut self) -> Result<bool, FastaError> {
        match self.lines.advance() {
            Ok(_) if self.lines.consumed() > self.limits.bytes => {
                Err(self.too_much(Total::Bytes, self.limits.bytes))
            }
            Ok(Advance::Line) => Ok(true),
            Ok(Advance::End) => Ok(false),
            Ok(Advance::TooLong) if self.current_line().starts_with(b">") => Err(self.defline_too_long()),
            Ok(Advance::TooLong) => Err(self.sequence_too_long()),
            Err(source) => Err(self.read_failed(source)),
        }
    }

    /// The current line, without a byte-order mark.
    fn current_line(&self) -> &[u8] {
        let line = self.lines.line();
        match self.lines.number() {
            1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line),
            _ => line,
        }
    }

    fn place(&self) -> Place {
        Place { input: self.input.clone(), record: self.records.max(1), line: self.lines.number().max(1) }
    }

    fn excerpt(&self) -> String {
        let line = self.current_line();
        let shown = line[..line.len().min(EXCERPT)].escape_ascii().to_string();
        if line.len() > EXCERPT { shown + "…" } else { shown }
    }

    fn read_failed(&self, source: io::Error) -> FastaError {
        FastaError::Read { at: self.place(), source }
    }

    fn defline_too_long(&self) -> FastaError {
        // The definition line that is too long starts a record of its own.
        let at = Place { record: self.records + 1, ..self.place() };
        FastaError::DeflineTooLong { at, limit: self.limits.defline }
    }

    fn too_much(&self, what: Total, limit: u64) -> FastaError {
        FastaError::TooMuch { at: self.place(), what, limit }
    }

    fn sequence_too_long(&self) -> FastaError {
        FastaError::SequenceTooLong { at: self.place(), limit: self.limits.sequence }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, FastaError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let next = self.next_record().transpose();
        self.finished = !matches!(next, Some(Ok(_)));
        next
    }
}

impl<R: BufRead> FusedIterator for Reader<R> {}
