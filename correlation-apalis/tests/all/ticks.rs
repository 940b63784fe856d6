//! Wakes a worker every now and then.

use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::{PollSnapshot, PollStrategy};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Without it a worker of apalis 1.0.0 that waits for a retry or a delayed job now and then sleeps
/// for good.
#[derive(Debug)]
pub(crate) struct Ticks(Interval);

impl Ticks {
    pub(crate) fn new() -> Self {
        let mut interval = interval(Duration::from_millis(50));
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(interval)
    }
}

impl PollStrategy for Ticks {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        while self.0.poll_tick(cx).is_ready() {}
        Poll::Pending
    }
}
