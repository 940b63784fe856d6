//! What holds of each parser and writer, whatever comes in: a function each, which panics where it
//! does not hold.
//!
//! `tests/all.rs` calls them with the seeds of `fuzz/seeds`, with changed seeds, and with random
//! bytes, on every machine. The targets of `fuzz/` are the same functions.

mod carried;
mod celery;
mod id;
mod inbound;
mod log_line;
mod message;
mod model;
mod outbound;
mod trace_context;
mod trail;

pub use carried::carried;
pub use celery::celery;
pub use id::id;
pub use inbound::{amzn, b3, cloud_trace, networks, receive, request_id};
pub use log_line::log_line;
pub use message::{VARIABLES, context_of, env, message};
pub use outbound::{expose, targets};
pub use trace_context::trace_context;
pub use trail::trail;

use correlation_core::{Context, inject, sync_scope};

/// Headers, or the entries of a message.
type Pairs<V = String> = Vec<(String, V)>;

/// What goes out from this context.
fn sent(context: &Context) -> Pairs {
    let mut sent = Pairs::new();
    sync_scope(context.clone(), || inject(&mut sent));
    sent
}

fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    data.split(|&byte| byte == b'\n')
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
