//! Tables of prices on the command line.

use crate::jobs::Prices;

/// The table that `text` is, as JSON, or that lies in the file of this name.
pub(super) fn parse_prices(text: &str) -> Result<Prices, String> {
    if text.trim_start().starts_with('{') {
        return Prices::read(text).map_err(|error| error.to_string());
    }
    let json = std::fs::read_to_string(text).map_err(|error| format!("could not read {text}: {error}"))?;
    Prices::read(&json).map_err(|error| format!("{text}: {error}"))
}
