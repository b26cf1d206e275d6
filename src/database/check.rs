//! Checks of a volume's bytes, so that nothing later depends on trust.

use super::digest::Digest;
use super::layout::{ENTRY, FORMAT_VERSION, HEADER, HeaderProblem, Layout, Sections};
use super::volume::{VolumeError, in_memory};
use crate::sequence::alphabet::{ALPHABET_SIZE, SENTINEL};
use crate::sequence::taxids::is_well_labelled;

/// Checks everything that a volume promises, and its digest if one is given.
///
/// Truncation is told before a digest that does not match, as it says more.
pub(super) fn check(
    volume: &str,
    bytes: &[u8],
    digest: Option<&Digest>,
) -> Result<(Layout, Sections), VolumeError> {
    let header = Layout::parse(bytes);
    check_length(volume, bytes, &header)?;
    if let Some(expected) = digest {
        let found = Digest::of(bytes);
        if found != *expected {
            return Err(VolumeError::DigestMismatch {
                volume: volume.to_owned(),
                expected: *expected,
                found,
            });
        }
    }
    let damaged = |reason: String| VolumeError::Damaged { volume: volume.to_owned(), reason };
    let (layout, sections) = header.map_err(|problem| match problem {
        HeaderProblem::Newer { found } => {
            VolumeError::Newer { volume: volume.to_owned(), found, supported: FORMAT_VERSION }
        }
        HeaderProblem::Wrong(reason) => damaged(reason.to_owned()),
        HeaderProblem::NoMagic | HeaderProblem::TooShort => {
            VolumeError::NotAVolume { volume: volume.to_owned() }
        }
    })?;
    let view = View { bytes, layout, sections };
    view.check_padding().map_err(damaged)?;
    view.check_residues().map_err(damaged)?;
    view.check_deflines().map_err(damaged)?;
    Ok((layout, sections))
}

fn check_length(
    volume: &str,
    bytes: &[u8],
    header: &Result<(Layout, Sections), HeaderProblem>,
) -> Result<(), VolumeError> {
    let found = bytes.len() as u64;
    match header {
        Err(HeaderProblem::TooShort) => {
            Err(VolumeError::Truncated { volume: volume.to_owned(), expected: HEADER as u64, found })
        }
        Ok((_, sections)) if sections.end > found => {
            Err(VolumeError::Truncated { volume: volume.to_owned(), expected: sections.end, found })
        }
        _ => Ok(()),
    }
}

/// A volume's bytes, at least as long as the header says.
struct View<'a> {
    bytes: &'a [u8],
    layout: Layout,
    sections: Sections,
}

impl View<'_> {
    fn check_padding(&self) -> Result<(), String> {
        let surplus = self.bytes.len() as u64 - self.sections.end;
        if surplus > 0 {
            return Err(format!("{surplus} bytes follow its end"));
        }
        let padding =
            self.section(self.sections.deflines + self.layout.defline_bytes, self.sections.residue_table);
        if padding.iter().any(|byte| *byte != 0) {
            return Err("the padding before its tables is not zero".to_owned());
        }
        Ok(())
    }

    fn check_residues(&self) -> Result<(), String> {
        let residues = self.section(self.sections.residues, self.sections.deflines);
        let largest = residues.iter().fold(0, |largest, code| *code.max(&largest));
        if usize::from(largest) >= ALPHABET_SIZE {
            return Err(format!("it holds {largest}, which is no residue code"));
        }
        // As many sentinels as starts, and one before each start, leave none inside a sequence.
        let sentinels = residues.iter().filter(|code| **code == SENTINEL).count() as u64;
        if sentinels != self.layout.sequences + 1 {
            return Err(format!("it holds {sentinels} sentinels for {} sequences", self.layout.sequences));
        }
        let end = residues.len() as u64;
        let mut smallest = 1;
        for (number, start) in self.table(self.sections.residue_table).enumerate() {
            let first_fits = number > 0 || start == 1;
            let fits = first_fits && (smallest..=end).contains(&start);
            if !fits || residues[in_memory(start - 1)] != SENTINEL {
                return Err(format!("entry {number} of its residue table is wrong"));
            }
            // At least one residue and the sentinel.
            smallest = start + 2;
        }
        self.ends_at(self.sections.residue_table, end)
    }

    fn check_deflines(&self) -> Result<(), String> {
        let mut previous = 0;
        for (number, start) in self.table(self.sections.defline_table).enumerate() {
            let first_fits = number > 0 || start == 0;
            if !first_fits || !(previous..=self.layout.defline_bytes).contains(&start) {
                return Err(format!("entry {number} of its definition line table is wrong"));
            }
            previous = start;
        }
        self.ends_at(self.sections.defline_table, self.layout.defline_bytes)?;
        if self.layout.labelled { self.check_taxids() } else { Ok(()) }
    }

    /// Checks the taxids in front of definition lines; the table of these has been checked.
    fn check_taxids(&self) -> Result<(), String> {
        let deflines =
            self.section(self.sections.deflines, self.sections.deflines + self.layout.defline_bytes);
        let starts = self.table(self.sections.defline_table).map(in_memory);
        let ends = self.table(self.sections.defline_table).skip(1).map(in_memory);
        match starts.zip(ends).position(|(start, end)| !is_well_labelled(&deflines[start..end])) {
            None => Ok(()),
            Some(number) => Err(format!("the taxids of sequence {number} are no numbers")),
        }
    }

    fn ends_at(&self, table: u64, end: u64) -> Result<(), String> {
        match self.table(table).last() {
            Some(last) if last == end => Ok(()),
            _ => Err("one of its tables does not cover its section".to_owned()),
        }
    }

    fn table(&self, offset: u64) -> impl Iterator<Item = u64> {
        let entries = self.section(offset, offset + (self.layout.sequences + 1) * ENTRY);
        let (entries, _) = entries.as_chunks();
        entries.iter().map(|entry| u64::from_le_bytes(*entry))
    }

    fn section(&self, start: u64, end: u64) -> &[u8] {
        &self.bytes[in_memory(start)..in_memory(end)]
    }
}
