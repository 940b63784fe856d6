//! Replaces [`servers`](super::servers) without the feature. Then no server can be used.

use apalis::prelude::BoxDynError;

use super::jobs::MailReceipt;
use crate::Failure;

/// A store that cannot exist.
#[derive(Clone, Debug)]
pub(super) enum Store {}

impl Store {
    pub(super) async fn open(url: &str) -> Result<Self, Failure> {
        Err(why_not(url, &["postgres", "postgresql"]))
    }

    pub(super) async fn insert(&self, _cart: i64, _total: i64) -> sqlx::Result<i64> {
        match *self {}
    }

    pub(super) async fn paid(&self, _id: i64, _receipt: &str) -> sqlx::Result<()> {
        match *self {}
    }
}

/// A queue that cannot exist.
#[derive(Clone, Debug)]
pub(super) enum Jobs {}

impl Jobs {
    pub(super) async fn open(url: &str, _queue: &str) -> Result<Self, Failure> {
        Err(why_not(url, &["postgres", "postgresql", "redis", "amqp"]))
    }

    pub(super) async fn push(self, _job: MailReceipt) -> Result<(), BoxDynError> {
        match self {}
    }

    pub(super) async fn work(self) -> Result<(), Failure> {
        match self {}
    }
}

/// Names the scheme only if it is one of these: any other text may be a secret.
fn why_not(url: &str, schemes: &[&str]) -> Failure {
    let scheme = url.split(':').next().unwrap_or_default();
    if schemes.contains(&scheme) {
        return format!("a {scheme}: URL needs `--features servers`").into();
    }
    let others = schemes.join(":, ");
    format!("allowed is a sqlite: URL, and with `--features servers` also {others}:").into()
}
