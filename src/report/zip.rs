//! ZIP archives, written as a stream from their beginning to their end (PKWARE's APPNOTE 6.3, without ZIP64):
//! what is known of a file only when it has been written follows it, and an index follows them all.

use std::io::{self, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Most files of an archive; one more is what ZIP64 is recognised by.
pub const MOST_ZIPPED: u64 = 65_534;

/// Version of the format that a reader has to know: 2.0.
const VERSION: u16 = 20;
/// Checksum and lengths of a file follow it.
const LENGTHS_FOLLOW: u16 = 1 << 3;
const DEFLATED: u16 = 8;
/// 1 January 1980, 00:00: archives of the same report are the same bytes.
const TIME: u16 = 0;
const DATE: u16 = 1 << 5 | 1;

/// An archive that is being written.
#[derive(Debug, Default)]
pub struct Zip {
    written: u64,
    files: Vec<ZippedFile>,
}

#[derive(Debug)]
struct ZippedFile {
    name: String,
    begins: u32,
    end: FileEnd,
}

/// What is known of a file when it has been written.
#[derive(Clone, Copy, Debug)]
struct FileEnd {
    checksum: u32,
    compressed: u32,
    length: u32,
}

impl Zip {
    /// Adds a file with what `content` writes to `out`, behind the files that are there.
    ///
    /// # Errors
    /// The error of `content` or of `out`; [`io::ErrorKind::FileTooLarge`] if there are more than
    /// [`MOST_ZIPPED`] files, or 4 GiB in the archive or in the file.
    pub fn add(
        &mut self,
        out: &mut dyn Write,
        name: &str,
        content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.files.len() as u64 >= MOST_ZIPPED {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let begins = small(self.written)?;
        let mut out = Counted { out, count: self.written };
        out.words(&[0x4b50, 0x0403, VERSION, LENGTHS_FOLLOW, DEFLATED, TIME, DATE])?;
        out.numbers(&[0, 0, 0])?;
        out.words(&[name.len() as u16, 0])?;
        out.write_all(name.as_bytes())?;

        let before = out.count;
        let mut file =
            Checked { inner: DeflateEncoder::new(out, Compression::fast()), crc: Crc::new(), length: 0 };
        content(&mut file)?;
        let Checked { inner, crc, length } = file;
        let mut out = inner.finish()?;
        let end =
            FileEnd { checksum: crc.sum(), compressed: small(out.count - before)?, length: small(length)? };

        out.words(&[0x4b50, 0x0807])?;
        out.numbers(&[end.checksum, end.compressed, end.length])?;
        self.written = out.count;
        self.files.push(ZippedFile { name: name.to_owned(), begins, end });
        Ok(())
    }

    /// Writes what ends the archive.
    ///
    /// # Errors
    /// As of [`add`](Self::add).
    pub fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        let index = small(self.written)?;
        let mut out = Counted { out, count: self.written };
        for ZippedFile { name, begins, end } in &self.files {
            out.words(&[0x4b50, 0x0201, VERSION, VERSION, LENGTHS_FOLLOW, DEFLATED, TIME, DATE])?;
            out.numbers(&[end.checksum, end.compressed, end.length])?;
            out.words(&[name.len() as u16, 0, 0, 0, 0])?;
            out.numbers(&[0, *begins])?;
            out.write_all(name.as_bytes())?;
        }
        let length = small(out.count - self.written)?;
        let files = self.files.len() as u16;
        out.words(&[0x4b50, 0x0605, 0, 0, files, files])?;
        out.numbers(&[length, index])?;
        out.words(&[0])
    }
}

/// A length or a place in 32 bits; the highest number stands for one that is elsewhere.
fn small(number: u64) -> io::Result<u32> {
    u32::try_from(number).ok().filter(|&number| number < u32::MAX).ok_or(io::ErrorKind::FileTooLarge.into())
}

/// Counts what is written.
struct Counted<'a> {
    out: &'a mut dyn Write,
    count: u64,
}

impl Counted<'_> {
    fn words(&mut self, words: &[u16]) -> io::Result<()> {
        words.iter().try_for_each(|word| self.write_all(&word.to_le_bytes()))
    }

    fn numbers(&mut self, numbers: &[u32]) -> io::Result<()> {
        numbers.iter().try_for_each(|number| self.write_all(&number.to_le_bytes()))
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Counts what is written and keeps its checksum.
struct Checked<W> {
    inner: W,
    crc: Crc,
    length: u64,
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;

    use super::*;

    fn number(bytes: &[u8], at: usize) -> usize {
        u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
    }

    #[test]
    fn files_are_found_by_the_index_and_read_back() {
        let texts = ["first\n".repeat(5_000), String::new(), "x".to_owned()];
        let (mut zip, mut archive) = (Zip::default(), Vec::new());
        for (place, text) in texts.iter().enumerate() {
            let name = format!("file_{place}");
            zip.add(&mut archive, &name, &mut |out| out.write_all(text.as_bytes())).expect("memory");
        }
        zip.finish(&mut archive).expect("memory");
        assert!(archive.starts_with(b"PK\x03\x04"));
        let end = archive.len() - 22;
        assert_eq!(number(&archive, end), 0x0605_4b50);
        let mut entry = number(&archive, end + 16);
        assert_eq!(entry + number(&archive, end + 12), end, "the index ends where its end begins");
        for (place, text) in texts.iter().enumerate() {
            assert_eq!(number(&archive, entry), 0x0201_4b50);
            let (compressed, begins) = (number(&archive, entry + 20), number(&archive, entry + 42));
            assert_eq!(number(&archive, entry + 24), text.len());
            let mut crc = Crc::new();
            crc.update(text.as_bytes());
            assert_eq!(number(&archive, entry + 16), crc.sum() as usize);
            let name = format!("file_{place}");
            assert_eq!(&archive[begins + 30..begins + 36], name.as_bytes());
            let mut read = String::new();
            let content = &archive[begins + 36..begins + 36 + compressed];
            DeflateDecoder::new(content).read_to_string(&mut read).expect("deflated");
            assert_eq!(&read, text);
            entry += 46 + name.len();
        }
    }

    #[test]
    fn an_error_of_the_content_is_told() {
        let broken = &mut |_: &mut dyn Write| Err(io::Error::other("broken"));
        let told = Zip::default().add(&mut Vec::new(), "x", broken);
        assert_eq!(told.expect_err("an error").to_string(), "broken");
    }
}
