//! W3C Trace Context through the public API: header lines into [`Policy::receive`], and what
//! [`inject`] sends for them.
//!
//! `vectors` is the table, and `modes` runs it. MUTANTS
//!
//! [`Policy::receive`]: correlation_core::Policy::receive
//! [`inject`]: correlation_core::inject

mod calls;
mod modes;
mod properties;
mod starts;
mod vectors;

use correlation_core::{Context, Policy, inject, sync_scope};

/// Header lines as they go out.
type Sent = Vec<(String, String)>;

fn received(policy: &Policy, lines: &[(&str, Vec<u8>)]) -> Context {
    let lines = || lines.iter().map(|(name, value)| (*name, value.as_slice()));
    policy.receive(lines, None).expect("nothing is rejected")
}

/// What one call of a request carries.
fn sent(context: &Context) -> Sent {
    let mut sent = Sent::new();
    sync_scope(context.clone(), || inject(&mut sent));
    sent
}

/// The values under one key.
fn values<'s>(sent: &'s Sent, key: &str) -> Vec<&'s str> {
    let values = sent.iter().filter(|(known, _)| known == key);
    values.map(|(_, value)| value.as_str()).collect()
}
