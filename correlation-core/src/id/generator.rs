use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use super::random::{random_bytes, random_nonzero};
use super::{CorrelationId, is_placeholder};
use crate::diagnostics;
use crate::foreign::Closure;

/// Makes a new ID when a request or message brings none that the policy accepts.
///
/// ```
/// use correlation_core::{Generator, Policy};
///
/// let policy = Policy::new().generator(Generator::hex());
/// let own = Generator::custom(|| format!("shop-{}", 42));
/// assert_eq!(own.generate(), "shop-42");
/// ```
#[derive(Clone)]
pub struct Generator(Kind);

#[derive(Clone)]
enum Kind {
    UuidV4,
    UuidV7,
    Hex,
    Custom(Arc<Make>),
}

/// Gives `None` if the closure panicked, and `Some(None)` if it returned text that is not an ID.
type Make = dyn Fn() -> Option<Option<CorrelationId>> + Send + Sync;

impl Generator {
    /// Makes random UUIDs, version 4 (RFC 9562, section 5.4), with hyphens. This is the default.
    #[must_use]
    pub const fn uuid_v4() -> Self {
        Self(Kind::UuidV4)
    }

    /// Makes UUIDs, version 7 (RFC 9562, section 5.7), with hyphens.
    ///
    /// They begin with the time in milliseconds, so they sort by time. The other 74 bits are
    /// random.
    #[must_use]
    pub const fn uuid_v7() -> Self {
        Self(Kind::UuidV7)
    }

    /// Makes 32 random lower-case hexadecimal digits, which are never all zero.
    ///
    /// nginx's `$request_id` and a W3C trace-id have this form.
    #[must_use]
    pub const fn hex() -> Self {
        Self(Kind::Hex)
    }

    /// Makes IDs with your own function.
    ///
    /// If `make` panics or returns text that is not a valid [`CorrelationId`], the request gets a
    /// UUIDv4 instead. A placeholder such as `null` or the nil UUID is not valid here, because no
    /// [policy](crate::Policy::accepts) would accept it. Each of these two problems is logged once,
    /// at `WARN`. `make` runs on the server's own thread, so a `make` that blocks delays the other
    /// requests on that thread.
    #[must_use]
    pub fn custom<F, T>(make: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: AsRef<str>,
    {
        static CUSTOM: Closure =
            Closure::new("the custom generator panicked; a UUIDv4 is used instead");
        Self(Kind::Custom(Arc::new(move || {
            CUSTOM.ask(|| {
                let made = make();
                let id = Some(made.as_ref()).filter(|id| !is_placeholder(id.as_bytes()));
                id?.parse().ok()
            })
        })))
    }

    /// Whether the last 7 bytes of a generated ID are random. The W3C `random` flag states this
    /// (Trace Context, section 3.2.2.5.2).
    pub(crate) const fn is_random(&self) -> bool {
        !matches!(self.0, Kind::Custom(_))
    }

    /// Makes a new ID.
    #[must_use]
    pub fn generate(&self) -> CorrelationId {
        let uuid = match &self.0 {
            Kind::UuidV4 => random_uuid(),
            Kind::UuidV7 => timed_uuid(),
            Kind::Hex => {
                let mut text = [0; 32];
                return CorrelationId::from_valid(
                    Uuid::from_bytes(random_nonzero())
                        .simple()
                        .encode_lower(&mut text),
                );
            }
            Kind::Custom(make) => match make() {
                Some(Some(id)) => return id,
                Some(None) => {
                    diagnostics::generator_failed();
                    random_uuid()
                }
                None => random_uuid(),
            },
        };
        CorrelationId::from_valid(uuid.hyphenated().encode_lower(&mut [0; 36]))
    }
}

impl Default for Generator {
    fn default() -> Self {
        Self::uuid_v4()
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::UuidV4 => "Generator::uuid_v4",
            Kind::UuidV7 => "Generator::uuid_v7",
            Kind::Hex => "Generator::hex",
            Kind::Custom(_) => "Generator::custom",
        })
    }
}

fn random_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(random_bytes()).into_uuid()
}

fn timed_uuid() -> Uuid {
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        });
    let [random @ .., _, _, _, _, _, _] = random_bytes();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashSet;

    #[test]
    fn each_kind_has_its_form() {
        let version = |id: &CorrelationId| Uuid::try_parse(id.as_str()).unwrap().get_version_num();
        assert_eq!(version(&Generator::uuid_v4().generate()), 4);
        assert_eq!(version(&Generator::uuid_v7().generate()), 7);
        let hex = Generator::hex().generate();
        assert_eq!(hex.as_str().len(), 32);
        assert!(
            hex.as_str()
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        );
    }

    #[test]
    fn version_7_sorts_by_time() {
        let before = Generator::uuid_v7().generate();
        let millis = |id: &CorrelationId| id.as_str()[..13].to_owned();
        let now = millis(&before);
        let later = std::iter::repeat_with(|| millis(&Generator::uuid_v7().generate()))
            .find(|later| *later != now)
            .unwrap();
        assert!(later > now);
    }

    #[test]
    fn ids_are_unique_over_threads() {
        let handles: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..25_000).map(|_| CorrelationId::new()).collect()))
            .collect();
        let all: HashSet<CorrelationId> = handles
            .into_iter()
            .flat_map(|handle| -> Vec<CorrelationId> { handle.join().unwrap() })
            .collect();
        assert_eq!(all.len(), 100_000);
    }

    #[test]
    fn an_invalid_custom_id_is_replaced() {
        let placeholders = [
            "-",
            "null",
            "Undefined",
            &"0".repeat(32),
            &Uuid::nil().to_string(),
        ];
        let bad = ["", "two words", "line\nbreak", "é", &"x".repeat(256)];
        for bad in bad.into_iter().chain(placeholders) {
            let bad = bad.to_owned();
            let id = Generator::custom(move || bad.clone()).generate();
            assert_eq!(Uuid::try_parse(id.as_str()).unwrap().get_version_num(), 4);
        }
    }

    #[test]
    fn an_id_can_be_made_while_its_thread_ends() {
        struct AtExit(std::sync::mpsc::Sender<CorrelationId>);
        impl Drop for AtExit {
            fn drop(&mut self) {
                let _ = self.0.send(CorrelationId::new());
            }
        }
        thread_local!(static LAST: RefCell<Option<AtExit>> = const { RefCell::new(None) });
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // The thread-local that is registered first is destroyed last.
            LAST.with(|last| *last.borrow_mut() = Some(AtExit(send)));
            drop(CorrelationId::new());
        })
        .join()
        .unwrap();
        assert_eq!(receive.recv().unwrap().as_str().len(), 36);
    }
}
