//! Where sequences come from: a file, standard input or bytes; plain, gzip or zstd.
//!
//! The first bytes decide on the compression, never the name. Everything streams: gzip with any
//! number of members (bgzip too) and zstd with any number of frames.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

/// The path that means standard input.
pub const STDIN: &str = "-";

/// Bytes that decide on the compression.
const MAGIC: usize = 6;

/// Bytes read at a time.
const BUFFER: usize = 256 << 10;

/// Logarithm of the widest window of zstd that is accepted, as by zstd's own command: 128 MiB.
const WIDEST_WINDOW: u32 = 27;
/// That of the widest window which zstd makes unless it is asked for more (`--ultra`, `--long`): 8 MiB.
const USUAL_WINDOW: u32 = 23;

/// An input that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file cannot be opened.
    #[error("could not open {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The first bytes cannot be read, for example because it is a directory.
    #[error("could not read {input}: {source}")]
    Read {
        /// Name of the input.
        input: String,
        /// What the system said.
        source: io::Error,
    },
    /// The input is compressed in a way that is not supported.
    #[error("{input} is compressed with {format}; decompress it first, or use gzip or zstd")]
    UnsupportedCompression {
        /// Name of the input.
        input: String,
        /// Name of the format.
        format: &'static str,
    },
}

/// An opened input: decompressed bytes, a name for messages, and how far it has been read.
pub struct Input {
    name: String,
    size: Option<u64>,
    consumed: Consumed,
    reader: Box<dyn BufRead + Send>,
}

impl Input {
    /// Opens a file, or standard input for [`STDIN`].
    pub fn open(path: &Path) -> Result<Self, InputError> {
        if path.as_os_str() == STDIN {
            return Self::from_reader("standard input", io::stdin());
        }
        let open_failed = |source| InputError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(open_failed)?;
        let metadata = file.metadata().map_err(open_failed)?;
        if metadata.is_dir() {
            let source = io::Error::new(ErrorKind::IsADirectory, "it is a directory; name a file");
            return Err(InputError::Read { input: path.display().to_string(), source });
        }
        let mut input = Self::from_reader(path.display().to_string(), file)?;
        // A pipe or device reports a length of 0.
        input.size = metadata.is_file().then_some(metadata.len());
        Ok(input)
    }

    /// Reads what `reader` gives, which may be compressed; `name` stands for it in messages.
    pub fn from_reader(
        name: impl Into<String>,
        reader: impl Read + Send + 'static,
    ) -> Result<Self, InputError> {
        Self::within(WIDEST_WINDOW, name.into(), reader)
    }

    /// Like [`from_reader`](Self::from_reader), for what somebody sends: decompressing it takes at most
    /// 8 MiB of memory. How much it becomes is for [`Limits`](super::fasta::Limits) to bound.
    pub fn from_sender(
        name: impl Into<String>,
        reader: impl Read + Send + 'static,
    ) -> Result<Self, InputError> {
        Self::within(USUAL_WINDOW, name.into(), reader)
    }

    fn within(window: u32, name: String, reader: impl Read + Send + 'static) -> Result<Self, InputError> {
        let consumed = Consumed::default();
        let mut raw = Counted { inner: reader, consumed: consumed.clone() };
        let mut magic = Vec::with_capacity(MAGIC);
        raw.by_ref()
            .take(MAGIC as u64)
            .read_to_end(&mut magic)
            .map_err(|source| InputError::Read { input: name.clone(), source })?;
        let compression = Compression::of(&magic)
            .map_err(|format| InputError::UnsupportedCompression { input: name.clone(), format })?;
        let raw = BufReader::with_capacity(BUFFER, Cursor::new(magic).chain(raw));
        let reader: Box<dyn BufRead + Send> = match compression {
            Compression::None => Box::new(raw),
            Compression::Gzip => buffered("gzip", window, MultiGzDecoder::new(raw)),
            Compression::Zstd => {
                let bounded = zstd::Decoder::with_buffer(raw).and_then(|mut decoder| {
                    decoder.window_log_max(window)?;
                    Ok(decoder)
                });
                let decoder = bounded.map_err(|source| InputError::Read { input: name.clone(), source })?;
                buffered("zstd", window, decoder)
            }
        };
        Ok(Self { name, size: None, consumed, reader })
    }

    /// Reads bytes in memory, such as the body of a request, which may be compressed.
    pub fn from_bytes(
        name: impl Into<String>,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Self, InputError> {
        let size = bytes.as_ref().len() as u64;
        let mut input = Self::from_reader(name, Cursor::new(bytes))?;
        input.size = Some(size);
        Ok(input)
    }

    /// Name for messages: the path, or what stands for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes before decompression, if known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Counter of the bytes read before decompression, for progress.
    pub fn consumed(&self) -> Consumed {
        self.consumed.clone()
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("size", &self.size)
            .field("consumed", &self.consumed)
            .finish_non_exhaustive()
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

/// Whether bytes are compressed in a way that is read.
pub fn is_compressed(bytes: &[u8]) -> bool {
    matches!(Compression::of(bytes), Ok(Compression::Gzip | Compression::Zstd))
}

/// How many bytes of an input have been read; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Consumed(Arc<AtomicU64>);

impl Consumed {
    /// Bytes read so far, before decompression.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Counted<R> {
    inner: R,
    consumed: Consumed,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.consumed.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// What the first bytes of an input say; the name of the format if it is not supported.
    fn of(start: &[u8]) -> Result<Self, &'static str> {
        match start {
            [0x1F, 0x8B, ..] => Ok(Self::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Ok(Self::Zstd),
            // A zstd skippable frame may come first (pzstd writes them).
            [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Ok(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => Err("bzip2"),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Err("xz"),
            [b'P', b'K', 3, 4, ..] => Err("zip"),
            [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => Err("7-Zip"),
            [0x04, 0x22, 0x4D, 0x18, ..] => Err("lz4"),
            _ => Ok(Self::None),
        }
    }
}

/// A buffered decoder whose errors say what is wrong with the file.
fn buffered<R: Read + Send + 'static>(
    format: &'static str,
    window: u32,
    decoder: R,
) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, Explained { format, window, decoder }))
}

/// What zstd says of a window that is wider than allowed.
const TOO_WIDE: &str = "requires too much memory";

struct Explained<R> {
    format: &'static str,
    /// Logarithm of the widest window.
    window: u32,
    decoder: R,
}

impl<R: Read> Read for Explained<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| {
            let text = match error.kind() {
                ErrorKind::Interrupted => return error,
                ErrorKind::UnexpectedEof => {
                    format!("the {} data ends too early; the file is truncated", self.format)
                }
                _ if error.to_string().contains(TOO_WIDE) => format!(
                    "the {} data needs a window of more than {} MiB; compress it without --long and --ultra",
                    self.format,
                    (1 << self.window) >> 20
                ),
                _ => format!("the {} data is damaged: {error}", self.format),
            };
            io::Error::new(error.kind(), text)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &[u8] = b">q1\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Input::from_bytes("test", bytes).unwrap().read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn plain_gzip_and_zstd_read_the_same() {
        assert_eq!(read(TEXT.to_vec()).unwrap(), TEXT);
        assert_eq!(read(gzip(TEXT)).unwrap(), TEXT);
        assert_eq!(read(zstd::encode_all(TEXT, 1).unwrap()).unwrap(), TEXT);
    }

    #[test]
    fn all_members_and_frames_are_read() {
        let twice = [TEXT, TEXT].concat();
        assert_eq!(read(gzip(TEXT).repeat(2)).unwrap(), twice);
        assert_eq!(read(zstd::encode_all(TEXT, 1).unwrap().repeat(2)).unwrap(), twice);
    }

    #[test]
    fn inputs_shorter_than_any_magic_are_plain() {
        for text in [&b""[..], b">", b"\x1f", b">a\nM"] {
            assert_eq!(read(text.to_vec()).unwrap(), text);
        }
    }

    #[test]
    fn truncated_and_damaged_streams_are_told_apart() {
        let whole = gzip(TEXT);
        let truncated = read(whole[..whole.len() - 9].to_vec()).unwrap_err().to_string();
        assert_eq!(truncated, "the gzip data ends too early; the file is truncated");
        let mut damaged = whole;
        let crc = damaged.len() - 8;
        damaged[crc] ^= 1;
        let damaged = read(damaged).unwrap_err().to_string();
        assert!(damaged.starts_with("the gzip data is damaged: "), "{damaged}");

        let whole = zstd::encode_all(TEXT, 1).unwrap();
        let truncated = read(whole[..whole.len() - 3].to_vec()).unwrap_err().to_string();
        assert_eq!(truncated, "the zstd data ends too early; the file is truncated");
    }

    #[test]
    fn wide_windows_are_refused_from_senders() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(24).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(TEXT).unwrap();
        let wide = encoder.finish().unwrap();
        assert_eq!(read(wide.clone()).unwrap(), TEXT);
        let mut sent = Input::from_sender("test", Cursor::new(wide)).unwrap();
        let error = io::copy(&mut sent, &mut io::sink()).unwrap_err().to_string();
        assert_eq!(
            error,
            "the zstd data needs a window of more than 8 MiB; compress it without --long and --ultra"
        );
        let usual = zstd::encode_all(&TEXT.repeat(100)[..], 19).unwrap();
        let mut sent = Input::from_sender("test", Cursor::new(usual)).unwrap();
        assert_eq!(io::copy(&mut sent, &mut io::sink()).unwrap(), 100 * TEXT.len() as u64);
    }

    #[test]
    fn other_compressions_are_named() {
        let error = Input::from_bytes("db.fa.bz2", *b"BZh91AY&SY").unwrap_err().to_string();
        assert_eq!(error, "db.fa.bz2 is compressed with bzip2; decompress it first, or use gzip or zstd");
        let error = Input::from_bytes("db.xz", *b"\xFD7zXZ\0\0\x04").unwrap_err();
        assert!(matches!(error, InputError::UnsupportedCompression { format: "xz", .. }));
    }

    #[test]
    fn a_missing_file_and_a_directory_are_named() {
        let missing = Input::open(Path::new("no/such/file.fa")).unwrap_err().to_string();
        assert!(missing.starts_with("could not open no/such/file.fa: "), "{missing}");
        let directory = Input::open(Path::new("src")).unwrap_err().to_string();
        assert!(directory.starts_with("could not read src: "), "{directory}");
    }

    #[test]
    fn progress_counts_compressed_bytes() {
        let bytes = gzip(&TEXT.repeat(1000));
        let size = bytes.len() as u64;
        let mut input = Input::from_bytes("test", bytes).unwrap();
        let consumed = input.consumed();
        assert_eq!(input.size(), Some(size));
        io::copy(&mut input, &mut io::sink()).unwrap();
        assert_eq!(consumed.bytes(), size);
    }
}
