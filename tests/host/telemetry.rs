//! What the real host's Application Insights logger stores of calls and of lines that the handler writes, and
//! how much of it, as was measured on jobs of this program.

use super::FunctionsHost;

/// Bytes of a row of a call.
const REQUEST: usize = 2_100;
/// Bytes of a row of a line, beside the line, which is stored twice: as the message and as its format.
const TRACE: usize = 640;

/// Bytes of the rows of one call that writes these lines.
pub(crate) fn bytes<'a>(lines: impl IntoIterator<Item = &'a str>) -> usize {
    REQUEST + lines.into_iter().map(|line| TRACE + 2 * line.len()).sum::<usize>()
}

impl FunctionsHost {
    /// All texts that are stored: names and addresses of calls, and lines.
    pub(crate) fn stored_texts(&self) -> Vec<String> {
        let calls = self.history().invocations.into_iter();
        let calls = calls.map(|call| format!("{} {}", call.function, call.path.unwrap_or_default()));
        calls.chain(self.consoles().into_iter().map(|(_, line)| line.text)).collect()
    }
}
