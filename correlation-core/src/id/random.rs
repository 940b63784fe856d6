//! Random bits for IDs, trace-ids and parent-ids.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};

/// All-zero is invalid as a W3C trace-id, so no ID of that form may be it.
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
        // Never dropped: so it is there until the thread ends, and no access asks whether it is.
        static RNG: RefCell<ManuallyDrop<Option<StdRng>>> =
            const { RefCell::new(ManuallyDrop::new(None)) };
    }
    RNG.with_borrow_mut(|rng| {
        let rng = rng.get_or_insert_with(seeded);
        // Half the instructions of `fill_bytes`.
        let (high, low) = (rng.next_u64(), rng.next_u64());
        ((u128::from(high) << 64) | u128::from(low)).to_ne_bytes()
    })
}

/// # Panics
///
/// When the operating system has no random bytes, as `uuid` and `rand` do: an ID that is not
/// unique would join the logs of strangers.
fn seeded() -> StdRng {
    StdRng::try_from_rng(&mut SysRng).expect("the operating system gives random bytes")
}
