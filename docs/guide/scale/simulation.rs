//! What is drawn, and what an index does with it.

/// `SplitMix64`: the same numbers at each run, whatever the version of any crate.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The leaves of a B-tree, by the rules of `PostgreSQL`: a full page is split in the middle, the last
/// one so that 90 % stay.
pub(super) struct Leaves {
    capacity: usize,
    /// Each with a number that it keeps.
    pub(super) pages: Vec<(usize, Vec<u64>)>,
}

impl Leaves {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            pages: vec![(0, Vec::new())],
        }
    }

    /// Returns the number of the page.
    pub(super) fn insert(&mut self, id: u64) -> usize {
        let after = self
            .pages
            .partition_point(|(_, ids)| ids.first().is_some_and(|first| *first <= id));
        let mut at = after.saturating_sub(1);
        if self.pages[at].1.len() == self.capacity {
            let last = at + 1 == self.pages.len();
            let keep = if last {
                self.capacity * 9 / 10
            } else {
                self.capacity / 2
            };
            let moved = self.pages[at].1.split_off(keep);
            if moved[0] <= id {
                at += 1;
                self.pages.insert(at, (self.pages.len(), moved));
            } else {
                self.pages.insert(at + 1, (self.pages.len(), moved));
            }
        }
        let (number, ids) = &mut self.pages[at];
        let place = ids.partition_point(|other| *other < id);
        ids.insert(place, id);
        *number
    }
}
