//! IDs that are remembered to tell a crossed one from a new one.

use std::collections::{HashSet, VecDeque};

/// The IDs of the last requests.
#[derive(Default)]
pub(super) struct Recent {
    ids: HashSet<Box<str>>,
    order: VecDeque<Box<str>>,
}

impl Recent {
    pub(super) fn add(&mut self, id: &str) {
        if self.ids.insert(id.into()) {
            self.order.push_back(id.into());
        }
        if self.order.len() > RECENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

/// IDs that are remembered to tell a crossed one from a new one.
const RECENT: usize = 50_000;
