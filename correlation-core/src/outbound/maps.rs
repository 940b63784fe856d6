//! [`Injector`] for the usual maps.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use crate::context::Injector;

macro_rules! impl_injector {
    ($($map:ty $(, $hasher:ident)?;)+) => {$(
        impl<V: From<String> + AsRef<[u8]> $(, $hasher: BuildHasher)?> Injector for $map {
            fn remove(&mut self, key: &'static str) {
                self.retain(|known, _| !known.eq_ignore_ascii_case(key));
            }

            fn set(&mut self, key: &'static str, value: &str) {
                Injector::remove(self, key);
                self.insert(key.to_owned(), V::from(value.to_owned()));
            }
        }
    )+};
}

impl_injector! {
    HashMap<String, V, S>, S;
    BTreeMap<String, V>;
}

impl<V: From<String> + AsRef<[u8]>> Injector for Vec<(String, V)> {
    fn remove(&mut self, key: &'static str) {
        self.retain(|(known, _)| !known.eq_ignore_ascii_case(key));
    }

    fn set(&mut self, key: &'static str, value: &str) {
        Injector::remove(self, key);
        self.push((key.to_owned(), V::from(value.to_owned())));
    }
}

#[cfg(feature = "http")]
mod http {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use crate::context::Injector;
    use crate::names::{TRACEPARENT, TRACESTATE, X_CORRELATION_ID};

    impl Injector for HeaderMap {
        fn remove(&mut self, key: &'static str) {
            Self::remove(self, key);
        }

        fn set(&mut self, key: &'static str, value: &str) {
            // The usual names are checked at compile time.
            let name = match key {
                X_CORRELATION_ID => const { HeaderName::from_static(X_CORRELATION_ID) },
                TRACEPARENT => const { HeaderName::from_static(TRACEPARENT) },
                TRACESTATE => const { HeaderName::from_static(TRACESTATE) },
                other => HeaderName::from_static(other),
            };
            if let Ok(value) = HeaderValue::from_str(value) {
                self.insert(name, value);
            }
        }
    }
}
