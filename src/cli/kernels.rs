//! Which kernels the engine uses.

use super::exit::Exit;
use crate::engine::Processor;

/// Variable that names the processor whose kernels are used: `portable`, `avx2` or `avx512`. Results are the same
/// with all; without it they are those of this processor.
const VARIABLE: &str = "SKYBLAST_KERNELS";

/// Has the engine use the kernels that the environment asks for.
///
/// # Errors
/// If it asks for what there is not, or not on this processor.
pub(super) fn choose() -> anyhow::Result<()> {
    let Some(asked) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let because = |error: &dyn std::fmt::Display| {
        Exit::WrongCommandLine.because(format_args!("{VARIABLE}={}: {error}", asked.to_string_lossy()))
    };
    let processor: Processor = asked.to_string_lossy().parse().map_err(|error| because(&error))?;
    processor.use_kernels().map_err(|error| because(&error))
}
