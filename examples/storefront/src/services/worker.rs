//! The worker runs the jobs that orders puts on the queue. It serves no requests.

use std::io::{self, Write};
use std::process;
use std::time::Duration;

use apalis::prelude::{Attempt, BoxDynError};
use tokio::time::sleep;

use super::jobs::{Jobs, MailReceipt};
use crate::Failure;
use crate::supervisor::READY;

/// The last record about a purchase, long after the customer's answer.
pub(crate) const LAST_WORDS: &str = "receipt mailed";

#[tokio::main]
pub(super) async fn run() -> Result<(), Failure> {
    let jobs = Jobs::from_env().await?;
    // This line belongs to no job, so it has no ID.
    tracing::info!(pid = process::id(), "listening for jobs");
    // It does not use `eprintln!`, which panics if nothing reads it.
    let _ = writeln!(io::stderr(), "{READY}");
    jobs.work().await
}

/// The mail server refuses the first mail to the customer of `tok_retry`. The second attempt finds
/// the same ID.
pub(super) async fn mail_receipt(job: MailReceipt, attempt: Attempt) -> Result<(), BoxDynError> {
    let MailReceipt {
        order,
        receipt,
        card,
    } = job;
    let attempt = attempt.current();
    tracing::info!(order, attempt, "mailing receipt");
    // This stands for the mail server.
    sleep(Duration::from_millis(10)).await;
    if card == "tok_retry" && attempt < 2 {
        tracing::warn!(
            order,
            attempt,
            why = "mailbox is locked",
            "receipt not mailed"
        );
        return Err("mailbox is locked".into());
    }
    log::info!("{LAST_WORDS} order={order} receipt={receipt}");
    Ok(())
}
