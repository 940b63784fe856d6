use std::borrow::Cow;
use std::str::FromStr;

use crate::InvalidHeader;

/// The name of the message header that carries the ID. Case matters to Celery.
///
/// The presets are the names that Python libraries use. You can parse any other name:
///
/// ```
/// use correlation_celery::Header;
///
/// let own: Header = "x-correlation-id".parse()?;
/// assert_eq!(own.as_str(), "x-correlation-id");
///
/// let error = "correlation_id".parse::<Header>().unwrap_err();
/// assert!(error.to_string().contains("reserved by Celery"));
/// # Ok::<(), correlation_celery::InvalidHeader>(())
/// ```
///
/// # Reserved names
///
/// These names are refused, and so are all names that start with two underscores. A worker
/// overwrites these headers with its own values (`correlation_id` with the task's ID), or drops
/// them at a retry:
/// `_children`, `_filter_x_death_headers`, `_get_custom_headers`, `_protected`, `args`,
/// `argsrepr`, `as_execution_options`, `callbacks`, `called_directly`, `chain`, `children`,
/// `chord`, `clear`, `compression`, `correlation_id`, `delivery_info`, `errbacks`, `eta`,
/// `expires`, `get`, `group`, `group_index`, `headers`, `hostname`, `id`, `ignore_result`,
/// `is_eager`, `kwargs`, `kwargsrepr`, `lang`, `logfile`, `loglevel`, `origin`, `parent_id`,
/// `properties`, `replaced_task_nesting`, `reply_to`, `retries`, `root_id`, `shadow`,
/// `soft_time_limit`, `stamped_headers`, `stamps`, `task`, `taskset`, `time_limit`, `timelimit`,
/// `update`, and `utc`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Header(Cow<'static, str>);

impl Header {
    /// `CORRELATION_ID`, the default: asgi-correlation-id up to version 4, and the recipe in its
    /// README since then.
    pub const CORRELATION_ID: Self = Self(Cow::Borrowed("CORRELATION_ID"));

    /// `Correlation-ID`: django-guid, unless its setting `GUID_HEADER_NAME` says otherwise.
    pub const DJANGO_GUID: Self = Self(Cow::Borrowed("Correlation-ID"));

    /// `x_request_id`: Flask-Log-Request-ID.
    pub const FLASK: Self = Self(Cow::Borrowed("x_request_id"));

    /// The names that are read in addition to the configured one. A django-guid whose configured
    /// name is in capitals sends `CORRELATION-ID`.
    pub(crate) const KNOWN: [&str; 4] = [
        "CORRELATION_ID",
        "Correlation-ID",
        "CORRELATION-ID",
        "x_request_id",
    ];

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Header {
    fn default() -> Self {
        Self::CORRELATION_ID
    }
}

impl FromStr for Header {
    type Err = InvalidHeader;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let invalid = |reason| {
            let name = name.to_owned();
            Err(InvalidHeader { name, reason })
        };
        // An AMQP short string has this limit.
        if !(1..=255).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return invalid("1 to 255 bytes of visible ASCII are allowed");
        }
        if is_reserved(name) || name.starts_with("__") {
            return invalid("reserved by Celery, which overwrites or drops it; use CORRELATION_ID");
        }
        if matches!(name, "traceparent" | "tracestate" | "baggage") {
            return invalid("reserved for W3C Trace Context and Baggage");
        }
        Ok(Self(Cow::Owned(name.to_owned())))
    }
}

/// Returns whether a worker overwrites or drops a header of this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.split(' ').any(|reserved| reserved == name)
}

/// The names that Celery 5.7 reserves: the attributes of `celery.app.task.Context`, and the headers
/// of protocol 2.
const RESERVED: &str = "_children _filter_x_death_headers _get_custom_headers _protected args argsrepr \
    as_execution_options callbacks called_directly chain children chord clear compression \
    correlation_id delivery_info errbacks eta expires get group group_index headers hostname \
    id ignore_result is_eager kwargs kwargsrepr lang logfile loglevel origin parent_id \
    properties replaced_task_nesting reply_to retries root_id shadow soft_time_limit \
    stamped_headers stamps task taskset time_limit timelimit update utc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_celery_would_break_are_refused() {
        let taken = ["", "two words", "é", "a\n", "__class__", "traceparent"];
        for name in RESERVED.split(' ').chain(taken) {
            assert!(name.parse::<Header>().is_err(), "{name}");
        }
        assert!("x".repeat(256).parse::<Header>().is_err());
        for name in Header::KNOWN.into_iter().chain(["x-correlation-id"]) {
            assert_eq!(name.parse::<Header>().unwrap().as_str(), name);
        }
    }
}
