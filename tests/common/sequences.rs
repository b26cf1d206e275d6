//! Sequences for tests of databases.

use proptest::prelude::*;
use skyblast::database::Volume;
use skyblast::engine::Subjects;
use skyblast::sequence::taxids::{LARGEST_TAXID, NameTaxids, labelled};

/// Definition line and residue codes.
pub(crate) type Sequence = (Vec<u8>, Vec<u8>);

fn sequence() -> impl Strategy<Value = Sequence> {
    (defline(), prop::collection::vec(1_u8..28, 1..60))
}

/// Any bytes, some with taxids in front, which alone start with a line feed.
fn defline() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::collection::vec(any::<u8>(), 0..30)
        .prop_filter("no line feed", |line| !line.starts_with(b"\n"));
    (prop::option::of(1_u32..=LARGEST_TAXID), line).prop_map(|(taxid, line)| match taxid {
        Some(taxid) => labelled(line, &[NameTaxids::one(taxid)]),
        None => line,
    })
}

/// Any sequences that a volume can hold; at least one.
pub(crate) fn sequences() -> impl Strategy<Value = Vec<Sequence>> {
    prop::collection::vec(sequence(), 1..25)
}

/// Four sequences, the same in every run.
pub(crate) fn example() -> Vec<Sequence> {
    vec![
        (b"first one".to_vec(), vec![12, 10, 19]),
        (Vec::new(), vec![1]),
        (b"third \xFF\0\x01".to_vec(), vec![25; 40]),
        (b"fourth".to_vec(), (1..28).collect()),
    ]
}

/// All sequences of a volume.
pub(crate) fn contents(volume: &Volume) -> Vec<Sequence> {
    (0..volume.len()).map(|i| (volume.defline(i).into_owned(), volume.residues(i).to_vec())).collect()
}
