//! W3C Trace Context through the public API: header lines into [`Policy::receive`], and what
//! [`inject`] sends for them.
//!
//! `correlation_testkit::vectors` is the table; `modes` runs every row of it in every mode, `starts` looks at traces
//! that begin here, `calls` at the log, `properties` at anything at all.
//!
//! # Mutants
//!
//! Each of these mistakes was made on purpose, and what stands beside it turned red. The smaller
//! ones that a machine can think of are made by
//!
//! ```sh
//! cargo mutants -p correlation-core -f 'correlation-core/src/trace_context/*.rs' \
//!     -- --lib --test all trace_context
//! ```
//!
//! | mistake | found by |
//! |---|---|
//! | digits as `from_str_radix` reads them | P3 `+0-..`, P7 trace-id `+bf9..`, flags `+1` |
//! | upper case accepted | P3 `CC-..`; P7 `4BF9..`, `00F0..`, `0A` |
//! | flags unmasked | P8 `04` to `ff` |
//! | the random flag lost | P9 `02` and `03`; P6 `0f-..-02` |
//! | a zero trace-id, a zero parent-id accepted | P7, and P6 with version `01` |
//! | version `ff` accepted | P4 |
//! | version `00` with a tail accepted | P5 `..-01-` |
//! | a higher version refused, or sent as it came | P6 `01-..` |
//! | a higher version with any tail accepted | P6 `cc-..-01.what` |
//! | no limit of length | P6 with 513 bytes |
//! | two lines accepted when they are the same | P11, the first row |
//! | the first of two lines accepted | P11, the first row |
//! | `tracestate` kept after a bad `traceparent` | P3, the first row, in `participate` |
//! | no new trace after a bad `traceparent` | P3, the first row, in `participate` |
//! | the first line of `tracestate` only | S1 with `a=1` and `é`; S2 with `a=1` and `b=2` |
//! | a bad member dropped, not the list | S1 with `a=1` and `é` |
//! | a list cut to 32 members | S3 with 33 |
//! | empty members counted | S2 with 32 and empty ones |
//! | twins kept | S4 `a=1,a=1` |
//! | keys without `@` | S4 `..,a@b=3,..`; S3 `tenant@system=1` |
//! | the caller's parent-id, or a constant one | P13, the first row, in `participate` |
//! | a constant trace-id | `starts::trace_ids_are_unique_and_never_zero` |
//! | the random flag of a new trace never set, or always | `starts::the_random_flag_is_true` |
//! | `sampled` of a new trace not as the policy says | P3, the first row, in `participate` |
//! | a call that is not logged | `calls::each_call_is_logged_with_its_span_id` |
//!
//! [`Policy::receive`]: correlation_core::Policy::receive
//! [`inject`]: correlation_core::inject

mod calls;
mod modes;
mod properties;
mod starts;

use correlation_core::{Context, Policy};

fn received(policy: &Policy, lines: &[(&str, Vec<u8>)]) -> Context {
    let lines = || lines.iter().map(|(name, value)| (*name, value));
    policy.receive(lines, None).into_context()
}
