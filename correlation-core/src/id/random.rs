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
        static RNG: RefCell<ManuallyDrop<Option<StdRng>>> =
            const { RefCell::new(ManuallyDrop::new(None)) };
    }
    RNG.with_borrow_mut(|rng| {
        let rng = rng.get_or_insert_with(seeded);
        // Two `u64` take half the instructions of `fill_bytes`.
        let (high, low) = (rng.next_u64(), rng.next_u64());
        ((u128::from(high) << 64) | u128::from(low)).to_ne_bytes()
    })
}

/// # Panics
///
/// If the operating system gives no random bytes. `uuid` and `rand` panic then, too. An ID that is
/// not unique would mix log lines of different callers.
fn seeded() -> StdRng {
    StdRng::try_from_rng(&mut SysRng).expect("the operating system gives no random bytes")
}
