//! A table with entries for many tasks.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::ThreadId;

use tokio::task::Id;

/// The running task, or the thread if no task is running.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Key {
    Task(Id),
    Thread(ThreadId),
}

impl Key {
    pub(super) fn current() -> Self {
        tokio::task::try_id().map_or_else(|| Self::Thread(std::thread::current().id()), Self::Task)
    }
}

/// The table has shards, so that threads rarely wait for each other.
///
/// Drop a removed value only after the guard. When a context is dropped, a span may end, and then a
/// subscriber may read this table.
pub(super) struct Table<V> {
    shards: [RwLock<Shard<V>>; SHARDS],
}

/// Whether any table ever had an entry. In most programs none has, and look-ups can be skipped.
static USED: AtomicBool = AtomicBool::new(false);

#[inline]
pub(super) fn is_used() -> bool {
    USED.load(Ordering::Relaxed)
}

impl<V> Table<V> {
    pub(super) const fn new() -> Self {
        Self {
            shards: [const { RwLock::new(HashMap::with_hasher(BuildHasherDefault::new())) };
                SHARDS],
        }
    }

    pub(super) fn read(&self, key: Key) -> RwLockReadGuard<'_, Shard<V>> {
        let shard = self.shard(key).read();
        shard.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, key: Key) -> RwLockWriteGuard<'_, Shard<V>> {
        USED.store(true, Ordering::Relaxed);
        let shard = self.shard(key).write();
        shard.unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the entries for which `gone` returns `true`.
    pub(super) fn remove_all(&self, mut gone: impl FnMut(&V) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let removed: Vec<V> = shard
                .extract_if(|_, value| gone(value))
                .map(|(_, value)| value)
                .collect();
            drop(shard);
            drop(removed);
        }
    }

    fn shard(&self, key: Key) -> &RwLock<Shard<V>> {
        let hash = BuildHasherDefault::<Mix>::default().hash_one(key);
        // The shard depends on other bits than those that the map uses.
        &self.shards[usize::try_from((hash >> 40) % SHARDS as u64).unwrap_or(0)]
    }
}

type Shard<V> = HashMap<Key, V, BuildHasherDefault<Mix>>;

const SHARDS: usize = 64;

/// A fast hasher. Nobody can choose the IDs of tasks and threads, so it need not resist attacks. It
/// takes a fifth of the time of the standard hasher.
#[derive(Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    #[inline]
    fn write_u64(&mut self, n: u64) {
        // The same steps as rustc's own tables: <https://github.com/rust-lang/rustc-hash>, version
        // 1.
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    #[inline]
    fn write_isize(&mut self, n: isize) {
        self.write_u64(n.cast_unsigned() as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tasks that begin one after the other are in all shards, and in all buckets of a map.
    #[tokio::test]
    async fn tasks_are_spread_evenly() {
        const EACH: usize = 100;
        let table = Table::<()>::new();
        let first = std::ptr::from_ref(&table.shards[0]).addr();
        let (mut shards, mut buckets) = ([0; SHARDS], [0; 128]);
        for _ in 0..EACH * SHARDS {
            let key = Key::Task(tokio::spawn(async {}).id());
            let at = std::ptr::from_ref(table.shard(key)).addr() - first;
            shards[at / size_of_val(&table.shards[0])] += 1;
            let hash = BuildHasherDefault::<Mix>::default().hash_one(key);
            buckets[usize::try_from(hash % 128).unwrap()] += 1;
        }
        assert!(
            shards.iter().all(|&count| count > 0 && count < 3 * EACH),
            "{shards:?}"
        );
        assert!(
            buckets.iter().all(|&count| count > 0 && count < 3 * EACH),
            "{buckets:?}"
        );
    }
}
