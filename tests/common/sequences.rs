//! Sequences for tests of databases.

use proptest::prelude::*;
use skyblast::database::Volume;
use skyblast::engine::Subjects;

/// Definition line and residue codes.
pub(crate) type Sequence = (Vec<u8>, Vec<u8>);

fn sequence() -> impl Strategy<Value = Sequence> {
    (prop::collection::vec(any::<u8>(), 0..30), prop::collection::vec(1_u8..28, 1..60))
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
