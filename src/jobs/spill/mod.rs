//! Hits that may be more than fit into memory: they are held up to a limit, and what is beyond it goes to
//! temporary files, which have no names and are gone with their process.
//!
//! [`Sorter`] gives back in an order what was added in any; [`Shelf`] gives back what was added as often as
//! it is asked.

mod file;
mod shelf;
mod sorter;
mod spool;

use crate::engine::Hit;

pub use shelf::Shelf;
pub(super) use shelf::ShelfBuilder;
pub(super) use sorter::{Order, Sorted, Sorter};
pub(super) use spool::{Spool, SpoolWriter};

/// Memory in bytes that hits may take in one place before they go to a temporary file, unless asked
/// otherwise. A few places are in use at a time.
pub const ROOM: usize = 64 << 20;

/// A hit and the list that it belongs to: a query, or a piece of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    /// Number of the list, from 0.
    pub(super) list: u32,
    /// The hit.
    pub(super) hit: Hit,
}

impl Listed {
    /// Memory that it takes, bytes.
    fn bytes(&self) -> usize {
        size_of::<u32>() + self.hit.bytes()
    }
}
