//! Work shared by threads, block by block.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Runs `work` on each thread with the blocks of `0..items` that the thread gets hold of.
pub(super) fn in_blocks<R: Send>(
    items: usize,
    block: usize,
    threads: NonZeroUsize,
    work: impl Fn(&mut dyn Iterator<Item = Range<usize>>) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let start = next.fetch_add(block, Ordering::Relaxed);
        (start < items).then(|| start..(start + block).min(items))
    };
    let threads = threads.get().min(items.div_ceil(block)).max(1);
    if threads == 1 {
        return vec![work(&mut std::iter::from_fn(take))];
    }
    thread::scope(|scope| {
        let running: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| work(&mut std::iter::from_fn(take)))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
