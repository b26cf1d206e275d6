//! Valid input, damaged: what finds more than noise, which the first check refuses.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One act of damage.
#[derive(Clone, Debug)]
enum Damage {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// A piece is copied to another place.
    Repeat(Index, usize, Index),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let pieces = prop_oneof![
        vec(any::<u8>(), 1..9),
        // What parsers stumble over.
        prop::sample::select(vec![
            "-1",
            "1e999",
            "18446744073709551616",
            "null",
            "\"",
            "[[[[",
            "{}",
            "\0",
            "%",
            ">",
            "\r",
            "../"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(place, byte)| Damage::Replace(place, byte)),
        (any::<Index>(), pieces).prop_map(|(place, piece)| Damage::Insert(place, piece)),
        (any::<Index>(), 1_usize..40).prop_map(|(place, length)| Damage::Remove(place, length)),
        (any::<Index>(), 1_usize..40, any::<Index>())
            .prop_map(|(from, length, to)| Damage::Repeat(from, length, to)),
        any::<Index>().prop_map(Damage::Cut),
    ]
}

/// `whole` with up to five damages.
pub(crate) fn mangled(whole: &[u8]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let whole = whole.to_vec();
    vec(damage(), 1..6).prop_map(move |damages| damages.iter().fold(whole.clone(), apply))
}

/// The same as text; bytes that are none are replaced.
pub(crate) fn mangled_text(whole: &str) -> impl Strategy<Value = String> + use<> {
    mangled(whole.as_bytes()).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn apply(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    // A place may be the end.
    let place = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
    match damage {
        Damage::Replace(at, byte) => {
            let at = place(at, &bytes);
            if let Some(old) = bytes.get_mut(at) {
                *old = *byte;
            }
        }
        Damage::Insert(at, piece) => {
            let at = place(at, &bytes);
            bytes.splice(at..at, piece.iter().copied());
        }
        Damage::Remove(at, length) => {
            let at = place(at, &bytes);
            bytes.drain(at..bytes.len().min(at + length));
        }
        Damage::Repeat(from, length, to) => {
            let (from, to) = (place(from, &bytes), place(to, &bytes));
            let piece = bytes[from..bytes.len().min(from + length)].to_vec();
            bytes.splice(to..to, piece);
        }
        Damage::Cut(at) => bytes.truncate(place(at, &bytes)),
    }
    bytes
}
