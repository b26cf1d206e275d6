//! The process that started this one.

use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Cancels `stop` once the parent has ended. A host that is killed tells its handler nothing; without
/// this each would leave one behind, with the memory that it holds.
///
/// The system has no signal for this that fits: `PR_SET_PDEATHSIG` speaks of the parent's *thread*, and
/// a host starts its handler on a thread of a pool.
pub(super) async fn cancel_when_gone(stop: CancellationToken) {
    let parent = parent_id();
    while parent_id() == parent {
        tokio::time::sleep(LOOK).await;
    }
    stop.cancel();
    tracing::info!(parent, "stopping, as the process that started this one has ended");
}
