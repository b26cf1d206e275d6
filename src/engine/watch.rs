//! Looking up from the work now and then: to say how far it is, and to hear whether to stop.
//!
//! A search does not read the clock and knows no reason to stop; whoever runs it is told of its progress every
//! few milliseconds, by each thread, and answers whether to go on. Once the answer is no, all threads stop
//! where they are: what was being worked out then is left half done, and is thrown away by whoever finds that
//! the [`Watch`] is over.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a thread of a search has done since it last said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// It is still at the same query and subject.
    Working,
    /// So many more comparisons (query–subject pairs).
    Compared(u64),
    /// One more hit has its alignments.
    Aligned,
}

/// Told of progress, and says whether to go on; called from any thread.
pub type OnProgress<'a> = &'a (dyn Fn(Advance) -> ControlFlow<()> + Sync);

/// Goes on to the end.
pub fn to_the_end(_: Advance) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Cells of dynamic programming, or what takes as long, between two looks: about a millisecond.
const CELLS: usize = if cfg!(test) { 2_000 } else { 1 << 20 };
/// Residue pairs that scanning a subject for words considers in the time of one cell.
const PAIRS_PER_CELL: usize = 256;
/// Residue pairs for each cell that an extension comes to, more or less: most are dropped soon.
const PAIRS_PER_EXTENDED_CELL: usize = 16;

/// What the threads of a search share of it.
pub(super) struct Watch<'a> {
    on_progress: OnProgress<'a>,
    is_over: AtomicBool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(on_progress: OnProgress<'a>) -> Self {
        Self { on_progress, is_over: AtomicBool::new(false) }
    }

    pub(super) fn tell(&self, advance: Advance) {
        if (self.on_progress)(advance).is_break() {
            self.is_over.store(true, Ordering::Relaxed);
        }
    }

    /// Whether to stop. What is found to be whole after it was worked out is whole: there is no way back.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// One thread's share.
    pub(super) fn lookout(&self) -> Lookout<'_> {
        Lookout { watch: self, cells: Cell::new(0), compared: Cell::new(0) }
    }
}

/// One thread's share of a [`Watch`].
pub(super) struct Lookout<'a> {
    watch: &'a Watch<'a>,
    /// What the thread has done since it last looked up.
    cells: Cell<usize>,
    compared: Cell<u64>,
}

impl Lookout<'_> {
    /// Whether to stop.
    pub(super) fn is_over(&self) -> bool {
        self.watch.is_over()
    }

    /// Counts work of so many cells; whether to stop.
    pub(super) fn worked(&self, cells: usize) -> bool {
        self.cells.set(self.cells.get().saturating_add(cells));
        if self.cells.get() >= CELLS {
            match self.compared.get() {
                0 => self.tell(Advance::Working),
                _ => self.tell_compared(),
            }
        }
        self.is_over()
    }

    /// Counts the scan of a subject of so many residues for words of so many; whether to stop.
    pub(super) fn scanned(&self, queries: usize, subject: usize) -> bool {
        self.worked(queries.saturating_mul(subject) / PAIRS_PER_CELL)
    }

    /// Counts an extension in a query and a subject of so many residues; whether to stop.
    pub(super) fn extended(&self, query: usize, subject: usize) -> bool {
        self.worked(query.saturating_mul(subject) / PAIRS_PER_EXTENDED_CELL)
    }

    /// Counts comparisons, to be told with the next look.
    pub(super) fn compared(&self, comparisons: u64) {
        self.compared.set(self.compared.get() + comparisons);
    }

    /// Tells of the comparisons that have been counted.
    pub(super) fn tell_compared(&self) {
        if self.compared.get() > 0 {
            self.tell(Advance::Compared(self.compared.take()));
        }
    }

    /// Tells of a hit that has its alignments.
    pub(super) fn tell_aligned(&self) {
        self.tell(Advance::Aligned);
    }

    fn tell(&self, advance: Advance) {
        self.cells.set(0);
        self.watch.tell(advance);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_thread_looks_up_when_it_has_done_enough_and_stays_stopped() {
        let told = Mutex::new(Vec::new());
        let on_progress = |progress| {
            let mut told = told.lock().expect("no thread panics");
            told.push(progress);
            if told.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let watch = Watch::new(&on_progress);
        let lookout = watch.lookout();
        assert!(!lookout.worked(CELLS - 1) && !lookout.worked(1));
        lookout.compared(7);
        assert!(!lookout.worked(CELLS - 1));
        lookout.compared(5);
        assert!(!lookout.scanned(CELLS, PAIRS_PER_CELL));
        lookout.tell_compared();
        lookout.tell_aligned();
        assert!(lookout.is_over() && watch.lookout().worked(0));
        let expected = [Advance::Working, Advance::Compared(12), Advance::Aligned];
        assert_eq!(*told.lock().expect("no thread panics"), expected);
    }
}
