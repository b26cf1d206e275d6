//! The binary form of chunks, hits and parts: a checked envelope around a compressed value.
//!
//! ```text
//! bytes  0..8    magic "skyblast"
//! byte   8       kind of content
//! byte   9       version of that kind's form
//! bytes  10..26  first 16 bytes of the BLAKE3 digest of the rest
//! bytes  26..    zstd of the postcard form of the value
//! ```
//!
//! Encoding is deterministic: equal values have equal bytes.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Result};

const MAGIC: &[u8; 8] = b"skyblast";
const HEADER: usize = 26;
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
}

/// Version of the form of every kind so far.
const VERSION: u8 = 4;

pub(super) fn encode(kind: Kind, value: &impl Serialize) -> Result<Bytes> {
    let internal = |reason: String| Error::Internal(format!("encoding {kind:?}: {reason}"));
    let plain = postcard::to_stdvec(value).map_err(|e| internal(e.to_string()))?;
    let payload = zstd::encode_all(plain.as_slice(), LEVEL).map_err(|e| internal(e.to_string()))?;
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(MAGIC);
    frame.extend([kind as u8, VERSION]);
    frame.extend_from_slice(&blake3::hash(&payload).as_bytes()[..16]);
    frame.extend_from_slice(&payload);
    Ok(frame.into())
}

/// Reads a frame of `kind`; `object` names it in errors.
pub(super) fn decode<T: DeserializeOwned>(kind: Kind, object: &str, frame: &[u8]) -> Result<T> {
    let damaged = |reason: String| Error::Damaged { object: object.to_owned(), reason };
    let Some((header, payload)) = frame.split_at_checked(HEADER) else {
        return Err(damaged(format!("it has only {} bytes", frame.len())));
    };
    if &header[..8] != MAGIC {
        return Err(damaged("it does not start with the mark of skyblast".to_owned()));
    }
    if header[8] != kind as u8 {
        return Err(damaged(format!("it holds content of kind {}, not {}", header[8], kind as u8)));
    }
    if header[9] != VERSION {
        return Err(damaged(format!("its form has version {}, this program reads {VERSION}", header[9])));
    }
    if header[10..] != blake3::hash(payload).as_bytes()[..16] {
        return Err(damaged("its checksum does not match".to_owned()));
    }
    let plain = zstd::decode_all(payload).map_err(|e| damaged(e.to_string()))?;
    postcard::from_bytes(&plain).map_err(|e| damaged(e.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_read_back(value: Vec<(u64, String, f64)>) {
            let frame = encode(Kind::Hits, &value).expect("a frame");
            let back: Vec<(u64, String, f64)> = decode(Kind::Hits, "x", &frame).expect("a value");
            prop_assert_eq!(
                back.iter().map(|v| v.2.to_bits()).collect::<Vec<_>>(),
                value.iter().map(|v| v.2.to_bits()).collect::<Vec<_>>()
            );
            prop_assert_eq!(back.len(), value.len());
        }

        #[test]
        fn any_changed_byte_is_noticed(value: Vec<u32>, place: prop::sample::Index, change in 1u8..) {
            let mut frame = encode(Kind::Hits, &value).expect("a frame").to_vec();
            let place = place.index(frame.len());
            frame[place] ^= change;
            prop_assert!(decode::<Vec<u32>>(Kind::Hits, "x", &frame).is_err());
        }

        #[test]
        fn arbitrary_bytes_are_refused(bytes: Vec<u8>) {
            prop_assert!(decode::<Vec<u32>>(Kind::Hits, "x", &bytes).is_err());
        }
    }

    #[test]
    fn a_frame_of_another_kind_is_refused_by_name() {
        let frame = encode(Kind::Part, &7u32).expect("a frame");
        let message =
            decode::<u32>(Kind::Hits, "j/hits/000000/00001", &frame).expect_err("refused").to_string();
        assert_eq!(message, "j/hits/000000/00001 is damaged: it holds content of kind 3, not 2");
    }
}
