//! The binary form of chunks, hits and parts: a checked envelope around compressed values.
//!
//! ```text
//! bytes  0..8    magic "skyblast"
//! byte   8       kind of content
//! byte   9       version of that kind's form
//! ```
//!
//! Queries are one value (versions 3 and 4), as hits and parts were in versions 3 and 4:
//!
//! ```text
//! bytes  10..26  first 16 bytes of the BLAKE3 digest of the rest
//! bytes  26..    zstd of the postcard form of the value
//! ```
//!
//! Hits and parts are many values in blocks (version 5), so that neither writer nor reader holds more than
//! one block:
//!
//! ```text
//! 4 bytes   length of the payload, 0 behind the last block; this and the next little-endian
//! 4 bytes   length of the plain content
//! 16 bytes  first bytes of the BLAKE3 digest of the digest before, both lengths and the payload;
//!           the first one before is that of bytes 0..10
//!           payload: zstd of the postcard forms of the block's values
//! ```
//!
//! As each digest depends on those before, a block that is missing, doubled or out of place is noticed.
//! Encoding is deterministic: equal values have equal bytes.

use std::io::{self, Read, Write};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Result};

const MAGIC: &[u8; 8] = b"skyblast";
/// Length of what all frames begin with.
const HEADER: usize = 10;
/// Length of a digest.
const DIGEST: usize = 16;
/// Fast, and within a few per cent of the size of slower levels for hits.
const LEVEL: i32 = 1;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A chunk of queries.
    Queries = 1,
    /// The hits of a shard.
    Hits = 2,
    /// The merged hits of a chunk.
    Part = 3,
    /// Hits in a temporary file.
    Spilled = 4,
    /// What is put aside of a shard that takes long.
    PutAside = 5,
    /// How many hits the queries of a chunk have.
    Counts = 6,
    /// Which species the hits of a chunk are of.
    Species = 7,
    /// How many sequences of which taxa a volume has.
    Census = 8,
}

/// Version of the form of one value.
const WHOLE: u8 = 4;
/// An earlier one, in which chunks were without pieces of queries.
pub(super) const EARLIER: u8 = 3;
/// Version of the form in blocks.
const BLOCKS: u8 = 5;

fn header(kind: Kind, version: u8) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8..].copy_from_slice(&[kind as u8, version]);
    header
}

fn digest(parts: &[&[u8]]) -> [u8; DIGEST] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    let mut first = [0; DIGEST];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..DIGEST]);
    first
}

/// The frame of one value.
pub(super) fn encode(kind: Kind, value: &impl Serialize) -> Result<Bytes> {
    let internal = |reason: String| Error::Internal(format!("encoding {kind:?}: {reason}"));
    let plain = postcard::to_stdvec(value).map_err(|e| internal(e.to_string()))?;
    let payload = zstd::encode_all(plain.as_slice(), LEVEL).map_err(|e| internal(e.to_string()))?;
    Ok([&header(kind, WHOLE)[..], &digest(&[&payload]), &payload].concat().into())
}

/// The frame of one value whose postcard form is `plain`, as an earlier version wrote it.
#[cfg(test)]
pub(super) fn whole_of(version: u8, kind: Kind, plain: &[u8]) -> Vec<u8> {
    let payload = zstd::encode_all(plain, LEVEL).expect("memory");
    [&header(kind, version)[..], &digest(&[&payload]), &payload].concat()
}

/// A frame that has been found to be of a known form.
#[derive(Debug)]
pub(super) enum Frame<R> {
    /// One value.
    Whole(Whole),
    /// Many.
    Blocks(FrameReader<R>),
}

/// A frame of one value, checked.
#[derive(Debug)]
pub(super) struct Whole {
    object: String,
    version: u8,
    plain: Vec<u8>,
}

impl Whole {
    /// The version of its form.
    pub(super) fn version(&self) -> u8 {
        self.version
    }

    /// The value.
    pub(super) fn value<T: DeserializeOwned>(&self) -> Result<T> {
        postcard::from_bytes(&self.plain).map_err(|e| damaged(&self.object, e.to_string()))
    }
}

fn damaged(object: &str, reason: impl Into<String>) -> Error {
    Error::Damaged { object: object.to_owned(), reason: reason.into() }
}

/// What it means that `object` could not be read.
fn unreadable(object: &str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(object, "it ends too early"),
        _ => Error::from(error),
    }
}

/// Reads a frame of `kind` from its beginning; `object` names it in errors.
pub(super) fn open<R: Read>(kind: Kind, object: &str, mut input: R) -> Result<Frame<R>> {
    let mut found = Vec::new();
    let read = (&mut input).take(HEADER as u64).read_to_end(&mut found);
    read.map_err(|e| unreadable(object, e))?;
    if found.len() < HEADER {
        return Err(damaged(object, format!("it has only {} bytes", found.len())));
    }
    if &found[..8] != MAGIC {
        return Err(damaged(object, "it does not start with the mark of skyblast"));
    }
    if found[8] != kind as u8 {
        return Err(damaged(object, format!("it holds content of kind {}, not {}", found[8], kind as u8)));
    }
    match found[9] {
        version @ EARLIER..=WHOLE => Ok(Frame::Whole(read_whole(object, version, input)?)),
        BLOCKS => Ok(Frame::Blocks(FrameReader {
            object: object.to_owned(),
            input,
            chain: digest(&[&header(kind, BLOCKS)]),
            block: Vec::new(),
            place: 0,
            ended: false,
        })),
        version => {
            let known = format!("this program reads {EARLIER} to {BLOCKS}");
            Err(damaged(object, format!("its form has version {version}, {known}")))
        }
    }
}

fn read_whole(object: &str, version: u8, mut input: impl Read) -> Result<Whole> {
    let mut rest = Vec::new();
    input.read_to_end(&mut rest).map_err(|e| unreadable(object, e))?;
    let Some((checksum, payload)) = rest.split_at_checked(DIGEST) else {
        return Err(damaged(object, format!("it has only {} bytes", HEADER + rest.len())));
    };
    if checksum != digest(&[payload]) {
        return Err(damaged(object, "its checksum does not match"));
    }
    let plain = zstd::decode_all(payload).map_err(|e| damaged(object, e.to_string()))?;
    Ok(Whole { object: object.to_owned(), version, plain })
}

/// Reads the frame of one value of `kind`; `object` names it in errors.
pub(super) fn open_whole(kind: Kind, object: &str, frame: &[u8]) -> Result<Whole> {
    match open(kind, object, frame)? {
        Frame::Whole(whole) => Ok(whole),
        Frame::Blocks(_) => Err(damaged(object, format!("its form has version {BLOCKS}, not {WHOLE}"))),
    }
}

/// Writes a frame in blocks.
pub(super) struct FrameWriter<W> {
    out: W,
    chain: [u8; DIGEST],
    block: Vec<u8>,
    block_bytes: usize,
    compressor: zstd::bulk::Compressor<'static>,
}

impl<W: Write> FrameWriter<W> {
    /// Begins a frame of `kind` whose blocks have `block_bytes` bytes of content, or one value more.
    pub(super) fn new(kind: Kind, block_bytes: usize, mut out: W) -> io::Result<Self> {
        let header = header(kind, BLOCKS);
        out.write_all(&header)?;
        let compressor = zstd::bulk::Compressor::new(LEVEL)?;
        Ok(Self { out, chain: digest(&[&header]), block: Vec::new(), block_bytes, compressor })
    }

    /// Adds a value.
    pub(super) fn push(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.block = postcard::to_extend(value, std::mem::take(&mut self.block)).map_err(io::Error::other)?;
        if self.block.len() >= self.block_bytes { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        let payload = self.compressor.compress(&self.block)?;
        let plain = u32::try_from(self.block.len()).map_err(io::Error::other)?;
        self.block.clear();
        self.write_block(&payload, plain)
    }

    fn write_block(&mut self, payload: &[u8], plain: u32) -> io::Result<()> {
        let lengths = (u64::from(plain) << 32 | payload.len() as u64).to_le_bytes();
        self.chain = digest(&[&self.chain, &lengths, payload]);
        self.out.write_all(&lengths)?;
        self.out.write_all(&self.chain)?;
        self.out.write_all(payload)
    }

    /// Ends the frame and gives back where it was written.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.write_block(&[], 0)?;
        Ok(self.out)
    }
}

/// Reads a frame in blocks.
pub(super) struct FrameReader<R> {
    object: String,
    input: R,
    chain: [u8; DIGEST],
    block: Vec<u8>,
    place: usize,
    ended: bool,
}

impl<R: Read> FrameReader<R> {
    /// The next value; `None` behind the last.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        while self.place == self.block.len() {
            if !self.next_block()? {
                return Ok(None);
            }
        }
        let taken = postcard::take_from_bytes(&self.block[self.place..]);
        let (value, rest) = taken.map_err(|e| damaged(&self.object, e.to_string()))?;
        self.place = self.block.len() - rest.len();
        Ok(Some(value))
    }

    /// Reads what is left without looking into it, only whether it is whole.
    pub(super) fn check(&mut self) -> Result<()> {
        while self.next_payload()?.is_some() {}
        Ok(())
    }

    /// Whether there was one.
    fn next_block(&mut self) -> Result<bool> {
        let Some((payload, plain)) = self.next_payload()? else { return Ok(false) };
        let block = zstd::bulk::decompress(&payload, plain);
        self.block = block.map_err(|e| damaged(&self.object, e.to_string()))?;
        self.place = 0;
        Ok(true)
    }

    /// The payload of the next block, checked, and the length of its content.
    fn next_payload(&mut self) -> Result<Option<(Vec<u8>, usize)>> {
        if self.ended {
            return Ok(None);
        }
        let (mut lengths, mut expected, mut payload) = ([0; 8], [0; DIGEST], Vec::new());
        let read = self.input.read_exact(&mut lengths).and_then(|()| self.input.read_exact(&mut expected));
        read.map_err(|e| unreadable(&self.object, e))?;
        let both = u64::from_le_bytes(lengths);
        let (length, plain) = (both & u64::from(u32::MAX), (both >> 32) as usize);
        // What a damaged length promises is not set aside before it has come.
        let read = (&mut self.input).take(length).read_to_end(&mut payload);
        read.map_err(|e| unreadable(&self.object, e))?;
        self.chain = digest(&[&self.chain, &lengths, &payload]);
        if self.chain != expected {
            return Err(damaged(&self.object, "its checksum does not match"));
        }
        if length > 0 {
            return Ok(Some((payload, plain)));
        }
        self.ended = true;
        match self.input.read(&mut [0]) {
            Ok(0) => Ok(None),
            Ok(_) => Err(damaged(&self.object, "it goes on behind its end")),
            Err(error) => Err(unreadable(&self.object, error)),
        }
    }
}

impl<R> std::fmt::Debug for FrameReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameReader").field("object", &self.object).finish_non_exhaustive()
    }
}

impl<W> std::fmt::Debug for FrameWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameWriter").field("block_bytes", &self.block_bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Value = (u64, String, f64);

    fn whole<T: DeserializeOwned>(frame: &[u8]) -> Result<T> {
        open_whole(Kind::Queries, "x", frame)?.value()
    }

    fn in_blocks(values: &[Value], block_bytes: usize) -> Vec<u8> {
        let mut writer = FrameWriter::new(Kind::Hits, block_bytes, Vec::new()).expect("a writer");
        values.iter().for_each(|value| writer.push(value).expect("a value"));
        writer.finish().expect("a frame")
    }

    fn from_blocks(frame: &[u8]) -> Result<Vec<Value>> {
        let Frame::Blocks(mut reader) = open(Kind::Hits, "x", frame)? else {
            return Err(damaged("x", "not in blocks"));
        };
        let mut values = Vec::new();
        while let Some(value) = reader.next()? {
            values.push(value);
        }
        Ok(values)
    }

    fn same(a: &[Value], b: &[Value]) -> bool {
        let bits = |values: &[Value]| {
            values.iter().map(|(a, b, c)| (*a, b.clone(), c.to_bits())).collect::<Vec<_>>()
        };
        bits(a) == bits(b)
    }

    proptest! {
        #[test]
        fn values_read_back(values: Vec<Value>, block_bytes in 0usize..200) {
            let back: Vec<Value> = whole(&encode(Kind::Queries, &values).expect("a frame")).expect("a value");
            prop_assert!(same(&back, &values));
            let back = from_blocks(&in_blocks(&values, block_bytes)).expect("values");
            prop_assert!(same(&back, &values));
        }

        #[test]
        fn any_changed_byte_is_noticed(values: Vec<Value>, place: prop::sample::Index, change in 1u8..) {
            let mut frame = encode(Kind::Queries, &values).expect("a frame").to_vec();
            let at = place.index(frame.len());
            frame[at] ^= change;
            // But for the version, of which there are two.
            prop_assert!(at == 9 || whole::<Vec<Value>>(&frame).is_err());
            let mut frame = in_blocks(&values, 50);
            let at = place.index(frame.len());
            frame[at] ^= change;
            prop_assert!(from_blocks(&frame).is_err());
        }

        #[test]
        fn a_frame_in_blocks_is_whole_or_refused(values: Vec<Value>, place: prop::sample::Index) {
            let frame = in_blocks(&values, 50);
            prop_assert!(from_blocks(&frame[..place.index(frame.len())]).is_err());
            prop_assert!(from_blocks(&[&frame[..], &[0]].concat()).is_err());
        }

        #[test]
        fn arbitrary_bytes_are_refused(bytes: Vec<u8>, version in EARLIER..=BLOCKS) {
            prop_assert!(whole::<Vec<u32>>(&bytes).is_err());
            prop_assert!(from_blocks(&bytes).is_err());
            prop_assert!(from_blocks(&[&header(Kind::Hits, version)[..], &bytes].concat()).is_err());
        }
    }

    #[test]
    fn blocks_in_another_order_are_refused() {
        let value = |n: u64| (n, String::new(), 0.0);
        let frame = in_blocks(&[value(1), value(2), value(3)], 1);
        let block = (frame.len() - HEADER - 24) / 3;
        let at = |place: usize| &frame[HEADER + place * block..HEADER + (place + 1) * block];
        let end = &frame[frame.len() - 24..];
        let order = |places: &[usize]| {
            let blocks: Vec<&[u8]> = places.iter().map(|&place| at(place)).collect();
            from_blocks(&[&frame[..HEADER], &blocks.concat(), end].concat())
        };
        assert_eq!(order(&[0, 1, 2]).expect("as written").len(), 3);
        for places in [&[1, 0, 2][..], &[0, 0, 1, 2], &[0, 2], &[0, 1]] {
            assert!(order(places).is_err(), "{places:?}");
        }
    }

    #[test]
    fn a_frame_of_another_kind_is_refused_by_name() {
        let frame = encode(Kind::Part, &7u32).expect("a frame");
        let message = open(Kind::Hits, "j/hits/000000/00001", &frame[..]).expect_err("refused").to_string();
        assert_eq!(message, "j/hits/000000/00001 is damaged: it holds content of kind 3, not 2");
    }
}
