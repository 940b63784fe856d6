//! Random bits for IDs, trace-ids and parent-ids.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};

/// Makes random bytes that are not all zero, since a W3C trace-id or parent-id must not be all
/// zero.
pub(crate) fn random_nonzero<const N: usize>() -> [u8; N] {
    loop {
        let random = random_bytes();
        let bytes: [u8; N] = std::array::from_fn(|at| random[at % random.len()]);
        if bytes != [0; N] {
            return bytes;
        }
    }
}

pub(super) fn random_bytes() -> [u8; 16] {
    thread_local! {
        // The generator is never dropped. So it exists until the thread ends, and no access has to
        // check whether it still exists.
        static SEEDED: RefCell<ManuallyDrop<Option<Seeded>>> =
            const { RefCell::new(ManuallyDrop::new(None)) };
    }
    SEEDED.with_borrow_mut(|seeded| Seeded::next(seeded, process()))
}

/// A generator, and the process that has seeded it. A process that forks copies the generator, and
/// both would make the same IDs.
struct Seeded {
    process: u32,
    rng: StdRng,
}

impl Seeded {
    /// # Panics
    ///
    /// If the operating system gives no random bytes. `uuid` and `rand` panic then, too. An ID that
    /// is not unique would mix log lines of different callers.
    fn next(this: &mut Option<Self>, process: u32) -> [u8; 16] {
        if this.as_ref().is_none_or(|seeded| seeded.process != process) {
            let rng = StdRng::try_from_rng(&mut SysRng);
            let rng = rng.expect("the operating system gives no random bytes");
            *this = Some(Self { process, rng });
        }
        this.as_mut().map_or([0; 16], |Self { rng, .. }| {
            // Two `u64` take half the instructions of `fill_bytes`.
            let (high, low) = (rng.next_u64(), rng.next_u64());
            ((u128::from(high) << 64) | u128::from(low)).to_ne_bytes()
        })
    }
}

/// The ID of this process, where processes can fork.
fn process() -> u32 {
    if cfg!(unix) { std::process::id() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_were_forked_make_different_bytes() {
        let seeded_in_1 = || {
            Some(Seeded {
                process: 1,
                rng: StdRng::seed_from_u64(1),
            })
        };
        let next = |process| Seeded::next(&mut seeded_in_1(), process);
        assert_eq!(next(1), next(1), "the same generator");
        let [again, first, second] = [next(1), next(2), next(3)];
        assert!(again != first && again != second && first != second);
    }
}
