//! Being told to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first SIGTERM or SIGINT. SIGINT after that ends the process at once; SIGTERM does
/// not: schedulers send it more than once (Slurm to the step, and again through srun), and kill what takes too long.
pub(super) fn on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = stop.clone();
    tokio::spawn(async move {
        loop {
            let is_interrupt = tokio::select! {
                _ = terminate.recv() => false,
                _ = interrupt.recv() => true,
            };
            if token.is_cancelled() {
                if is_interrupt {
                    std::process::exit(130);
                }
                continue;
            }
            // First, so that nothing that happens to the line can keep the process from stopping.
            token.cancel();
            tracing::info!("stopping; Ctrl-C or SIGINT ends the process at once");
        }
    });
    Ok(stop)
}
