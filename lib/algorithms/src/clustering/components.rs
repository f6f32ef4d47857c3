//! Sets that are joined from several threads; the outcome does not depend on the order of the joins.

use std::sync::atomic::{AtomicU32, Ordering};

/// A forest of sets whose root is always the smallest member.
pub(super) struct Components {
    parents: Vec<AtomicU32>,
}

impl Components {
    pub(super) fn new(count: usize) -> Self {
        Self { parents: (0..count as u32).map(AtomicU32::new).collect() }
    }

    /// The smallest known member of the set.
    pub(super) fn find(&self, member: usize) -> u32 {
        let mut member = member as u32;
        loop {
            let parent = self.parents[member as usize].load(Ordering::Relaxed);
            if parent == member {
                return member;
            }
            let above = self.parents[parent as usize].load(Ordering::Relaxed);
            // A lost race only means a longer way up.
            let link = &self.parents[member as usize];
            let _ = link.compare_exchange_weak(parent, above, Ordering::Relaxed, Ordering::Relaxed);
            member = above;
        }
    }

    /// Joins two sets.
    pub(super) fn join(&self, a: usize, b: usize) {
        let (mut a, mut b) = (self.find(a), self.find(b));
        while a != b {
            let (low, high) = (a.min(b), a.max(b));
            let link = &self.parents[high as usize];
            if link.compare_exchange(high, low, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
            (a, b) = (self.find(low as usize), self.find(high as usize));
        }
    }
}
