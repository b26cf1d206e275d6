//! The hits of a query as formats read them: one after the other, some more than once.

use std::cmp::Ordering;
use std::io;

use crate::engine::Hit;

/// The hits of a query in the order in which they are reported.
///
/// They need not be in memory; reading them may fail.
pub trait QueryHits {
    /// How many there are.
    fn hits(&self) -> usize;

    /// How many HSPs they have together.
    fn hsps(&self) -> usize;

    /// Shows `visit` up to `count` of them, from the first.
    ///
    /// # Errors
    /// The first error of `visit`, or that they cannot be read.
    fn visit_first(&self, count: usize, visit: &mut dyn FnMut(&Hit) -> io::Result<()>) -> io::Result<()>;

    /// Shows `visit` all.
    ///
    /// # Errors
    /// As of [`visit_first`](Self::visit_first).
    fn visit_all(&self, visit: &mut dyn FnMut(&Hit) -> io::Result<()>) -> io::Result<()> {
        self.visit_first(usize::MAX, visit)
    }

    /// The same hits in another order; those that are equal stay in theirs, or come in the opposite one.
    ///
    /// # Errors
    /// If they cannot be read.
    fn sorted(
        &self,
        compare: fn(&Hit, &Hit) -> Ordering,
        later_first: bool,
    ) -> io::Result<Box<dyn QueryHits + '_>>;
}

impl<H: AsRef<Hit>> QueryHits for [H] {
    fn hits(&self) -> usize {
        self.len()
    }

    fn hsps(&self) -> usize {
        self.iter().map(|hit| hit.as_ref().hsps.len()).sum()
    }

    fn visit_first(&self, count: usize, visit: &mut dyn FnMut(&Hit) -> io::Result<()>) -> io::Result<()> {
        self.iter().take(count).try_for_each(|hit| visit(hit.as_ref()))
    }

    fn sorted(
        &self,
        compare: fn(&Hit, &Hit) -> Ordering,
        later_first: bool,
    ) -> io::Result<Box<dyn QueryHits + '_>> {
        let mut hits: Vec<&Hit> = self.iter().map(AsRef::as_ref).collect();
        if later_first {
            hits.reverse();
        }
        hits.sort_by(|a, b| compare(a, b));
        Ok(Box::new(hits))
    }
}

impl<H: AsRef<Hit>> QueryHits for Vec<H> {
    fn hits(&self) -> usize {
        self[..].hits()
    }

    fn hsps(&self) -> usize {
        self[..].hsps()
    }

    fn visit_first(&self, count: usize, visit: &mut dyn FnMut(&Hit) -> io::Result<()>) -> io::Result<()> {
        self[..].visit_first(count, visit)
    }

    fn sorted(
        &self,
        compare: fn(&Hit, &Hit) -> Ordering,
        later_first: bool,
    ) -> io::Result<Box<dyn QueryHits + '_>> {
        self[..].sorted(compare, later_first)
    }
}
