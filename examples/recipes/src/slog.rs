//! The ID as a pair of every slog record.

use correlation_core::current;
use slog::{Drain, Level, OwnedKV, OwnedKVList, Record, SingleKV};

/// Wrap the outermost drain, in front of `slog_async`, where the ID is still the one of the
/// request.
#[derive(Debug)]
pub struct Correlate<D>(pub D);

impl<D: Drain> Drain for Correlate<D> {
    type Ok = D::Ok;
    type Err = D::Err;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<D::Ok, D::Err> {
        let Some(id) = current() else {
            return self.0.log(record, values);
        };
        let pair = SingleKV::from(("correlation_id", String::from(id)));
        self.0.log(record, &OwnedKV((pair, values.clone())).into())
    }

    fn is_enabled(&self, level: Level) -> bool {
        self.0.is_enabled(level)
    }
}
