//! What a search is asked to do: the choices of a user and the options that follow from them.

mod asked;
mod choices;
mod contest;
mod error;
mod masking;
mod mode;
mod search_options;
mod spelling;

pub use choices::{OptionChoices, Task};
pub use contest::Contest;
pub use error::OptionError;
pub use masking::{Masking, NotPossible, QueryLocation, SegChoice, Switch};
pub use mode::{Mode, UnknownMode};
pub(super) use search_options::GROUPED_SIZE;
pub use search_options::{
    CompositionMode, DatabaseTotals, DropOffs, SearchOptions, UnknownCompositionMode, WordOptions,
};
pub use spelling::{Spelled, spelled};
