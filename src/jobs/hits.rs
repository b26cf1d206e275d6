//! The stored form of the hits of a shard and of the merged hits of a chunk: hits one after the other, with
//! the number of their list or query, in ascending order.

use std::io::{Read, Write};

use serde::Deserialize;

use super::error::{Error, Result};
use super::frame::{self, Frame, FrameReader, FrameWriter, Kind};
use super::job::Plan;
use super::spill::Shelf;
use crate::engine::Hit;
use crate::report::{MissingVolumes, QueryHits};

/// Content of a block, bytes.
const BLOCK: usize = 256 << 10;

/// Hits with their list, or their query.
pub(super) type ListedHits = Box<dyn Iterator<Item = Result<(u32, Hit)>> + Send>;

/// The hits of a shard in one piece, as versions before wrote them: by list.
#[derive(Deserialize)]
struct WholeShard {
    candidates: Vec<Vec<Hit>>,
}

/// The merged hits of a chunk in one piece, as versions before wrote them: by query.
#[derive(Deserialize)]
struct WholePart {
    missing: Vec<u32>,
    hits: Vec<Vec<Hit>>,
}

/// Writes the hits of a shard.
pub(super) fn write_shard(hits: impl IntoIterator<Item = Result<(u32, Hit)>>, out: impl Write) -> Result<()> {
    let mut frame = FrameWriter::new(Kind::Hits, BLOCK, out)?;
    for item in hits {
        frame.push(&item?)?;
    }
    frame.finish()?;
    Ok(())
}

/// Reads the hits of a shard; `object` names them in errors.
pub(super) fn read_shard(object: &str, input: impl Read + Send + 'static) -> Result<ListedHits> {
    Ok(match frame::open(Kind::Hits, object, input)? {
        Frame::Whole(whole) => listed(whole.value::<WholeShard>()?.candidates),
        Frame::Blocks(reader) => hits_of(reader),
    })
}

fn listed(lists: Vec<Vec<Hit>>) -> ListedHits {
    Box::new((0..).zip(lists).flat_map(|(list, hits)| hits.into_iter().map(move |hit| Ok((list, hit)))))
}

fn hits_of(mut reader: FrameReader<impl Read + Send + 'static>) -> ListedHits {
    Box::new(std::iter::from_fn(move || reader.next().transpose()))
}

/// Writes the merged hits of a chunk.
pub(super) struct PartWriter<W>(FrameWriter<W>);

impl<W: Write> PartWriter<W> {
    /// Begins a part without the hits of volumes whose shard failed.
    pub(super) fn new(missing: &[u32], out: W) -> Result<Self> {
        let mut frame = FrameWriter::new(Kind::Part, BLOCK, out)?;
        frame.push(&missing)?;
        Ok(Self(frame))
    }

    /// Adds the hits of a query, which come in ascending order.
    pub(super) fn push(&mut self, query: usize, hits: &Shelf) -> Result<()> {
        let query = u32::try_from(query).map_err(|e| Error::Internal(e.to_string()))?;
        Ok(hits.visit_all(&mut |hit| self.0.push(&(query, hit)))?)
    }

    /// Ends the part.
    pub(super) fn finish(self) -> Result<()> {
        self.0.finish()?;
        Ok(())
    }
}

/// What there is to know of a part without its hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartHead {
    /// Volumes whose shard failed: their hits are not in it.
    pub(super) missing: Vec<u32>,
}

impl PartHead {
    /// What the queries were not compared with, of the volumes of `plan`.
    pub(super) fn missing_of(&self, plan: &Plan) -> MissingVolumes {
        MissingVolumes { missing: self.missing.len() as u32, of: plan.volumes.len() as u32 }
    }
}

/// Reads a part: its head, and hits by query; `object` names it in errors.
pub(super) fn read_part(object: &str, input: impl Read + Send + 'static) -> Result<(PartHead, ListedHits)> {
    match frame::open(Kind::Part, object, input)? {
        Frame::Whole(whole) => {
            let WholePart { missing, hits } = whole.value()?;
            Ok((PartHead { missing }, listed(hits)))
        }
        Frame::Blocks(mut reader) => Ok((head_of(object, &mut reader)?, hits_of(reader))),
    }
}

/// Reads a part to its end, only to know whether it is whole.
pub(super) fn check_part(object: &str, input: impl Read) -> Result<PartHead> {
    match frame::open(Kind::Part, object, input)? {
        Frame::Whole(whole) => Ok(PartHead { missing: whole.value::<WholePart>()?.missing }),
        Frame::Blocks(mut reader) => {
            let head = head_of(object, &mut reader)?;
            reader.check()?;
            Ok(head)
        }
    }
}

fn head_of(object: &str, reader: &mut FrameReader<impl Read>) -> Result<PartHead> {
    let missing = reader.next()?.ok_or_else(|| Error::Damaged {
        object: object.to_owned(),
        reason: "it has no beginning".to_owned(),
    })?;
    Ok(PartHead { missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Rank;

    /// A hit without HSPs in the form that serde gives it: E-value 0.5, score -3, ordinal 300, length 7, the
    /// definition line "ab", no HSPs, neither of the last two members.
    const HIT: [u8; 18] = [0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 5, 0xac, 2, 7, 2, b'a', b'b', 0, 0, 0];

    fn hit() -> Hit {
        Hit {
            preliminary: Rank { evalue: 0.5, score: -3, ordinal: 300 },
            subject_length: 7,
            defline: b"ab".to_vec(),
            hsps: Vec::new(),
            unaligned: None,
            optimal_evalue: None,
        }
    }

    fn all(hits: ListedHits) -> Vec<(u32, Hit)> {
        hits.collect::<Result<_>>().expect("whole")
    }

    #[test]
    fn hits_and_parts_of_earlier_versions_are_read() {
        for version in [3, 4] {
            // Three lists: none, one hit, two hits.
            let lists = [&[3, 0, 1][..], &HIT, &[2], &HIT, &HIT].concat();
            let listed = [(1, hit()), (2, hit()), (2, hit())];
            let shard = std::io::Cursor::new(frame::whole_of(version, Kind::Hits, &lists));
            assert_eq!(all(read_shard("x", shard).expect("hits")), listed);
            let part = std::io::Cursor::new(frame::whole_of(
                version,
                Kind::Part,
                &[&[2, 1, 130, 1][..], &lists].concat(),
            ));
            let (head, hits) = read_part("x", part.clone()).expect("a part");
            assert_eq!(head.missing, [1, 130]);
            assert_eq!(all(hits), listed);
            assert_eq!(check_part("x", part).expect("a part"), head);
        }
    }

    #[test]
    fn hits_and_parts_read_back_and_damage_is_an_error() {
        let listed: Vec<(u32, Hit)> = (0..20_000).map(|list| (list / 3, hit())).collect();
        let mut shard = Vec::new();
        write_shard(listed.iter().cloned().map(Ok), &mut shard).expect("written");
        assert_eq!(all(read_shard("x", std::io::Cursor::new(shard.clone())).expect("hits")), listed);
        let middle = shard.len() / 2;
        shard[middle] ^= 1;
        let damaged: Result<Vec<_>> =
            read_shard("x", std::io::Cursor::new(shard)).and_then(|hits| hits.collect());
        assert!(matches!(damaged, Err(Error::Damaged { .. })));

        let mut part = Vec::new();
        let mut writer = PartWriter::new(&[4, 7], &mut part).expect("written");
        let shelf = Shelf::of([Ok(hit()), Ok(hit())], 1).expect("room");
        writer.push(5, &shelf).expect("written");
        writer.finish().expect("written");
        let (head, hits) = read_part("x", std::io::Cursor::new(part.clone())).expect("a part");
        assert_eq!((head.missing.clone(), all(hits)), (vec![4, 7], vec![(5, hit()), (5, hit())]));
        assert_eq!(check_part("x", &part[..]).expect("a part"), head);
        for length in 0..part.len() {
            assert!(matches!(check_part("x", &part[..length]), Err(Error::Damaged { .. })), "{length} bytes");
        }
    }
}
