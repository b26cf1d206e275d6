//! Work shared by threads, block by block.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Runs `work` on each thread with the blocks of `items` that the thread gets hold of. Returns what the
/// threads have made, and the first of the items that none of them has taken: a thread need not go on.
pub(super) fn in_blocks<R: Send>(
    items: Range<usize>,
    block: usize,
    threads: NonZeroUsize,
    work: impl Fn(&mut dyn Iterator<Item = Range<usize>>) -> R + Sync,
) -> (Vec<R>, usize) {
    let next = AtomicUsize::new(items.start);
    let take = || {
        let start = next.fetch_add(block, Ordering::Relaxed);
        (start < items.end).then(|| start..(start + block).min(items.end))
    };
    let threads = threads.get().min(items.len().div_ceil(block)).max(1);
    let made = if threads == 1 {
        vec![work(&mut std::iter::from_fn(take))]
    } else {
        on_threads(threads, || work(&mut std::iter::from_fn(take)))
    };
    (made, next.load(Ordering::Relaxed).min(items.end))
}

fn on_threads<R: Send>(threads: usize, work: impl Fn() -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
