//! The operations. No function here has an ID as an argument.

use async_graphql::{Object, SimpleObject, Subscription};
use correlation_axum::correlation::current;
use futures_util::{Stream, stream};
use tracing::info;

/// Queries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query;

#[Object]
impl Query {
    /// The ID that the resolver sees.
    async fn who_am_i(&self) -> Option<String> {
        tokio::task::yield_now().await;
        resolved("whoAmI", 0)
    }
}

/// Subscriptions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Countdown;

#[Subscription]
impl Countdown {
    async fn countdown(&self, from: u64) -> impl Stream<Item = Tick> {
        stream::unfold(from, |left| async move {
            tokio::task::yield_now().await;
            let left = left.checked_sub(1)?;
            let correlation_id = resolved("countdown", left);
            Some((
                Tick {
                    left,
                    correlation_id,
                },
                left,
            ))
        })
    }
}

/// A result of a countdown.
#[derive(Debug, SimpleObject)]
pub struct Tick {
    left: u64,
    /// The ID that the resolver sees.
    correlation_id: Option<String>,
}

fn resolved(field: &str, value: u64) -> Option<String> {
    info!(field, value, "resolved");
    current().map(String::from)
}
