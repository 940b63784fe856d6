use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

/// A carrier that an ID can be read from. The usual maps implement it, and `http::HeaderMap` does
/// with the feature `http`.
///
/// Implement it for the header type of your broker or client:
///
/// ```
/// use correlation_core::{Extractor, extract};
///
/// struct Message {
///     headers: Vec<(String, Vec<u8>)>,
/// }
///
/// impl Extractor for Message {
///     fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]> {
///         let found = self.headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key));
///         found.map(|(_, value)| value.as_slice())
///     }
/// }
///
/// let headers = vec![("X-Correlation-ID".to_owned(), b"click-1".to_vec())];
/// assert_eq!(extract(&Message { headers }).id(), &"click-1");
/// ```
pub trait Extractor {
    /// Returns all values of a key, in whatever case the carrier has the key.
    fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]>;
}

impl<K: AsRef<str>, V: AsRef<[u8]>, S: BuildHasher> Extractor for HashMap<K, V, S> {
    fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]> {
        values(self, key)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Extractor for BTreeMap<K, V> {
    fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]> {
        values(self, key)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Extractor for Vec<(K, V)> {
    fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]> {
        values(self.iter().map(|(key, value)| (key, value)), key)
    }
}

fn values<'c, K: AsRef<str> + 'c, V: AsRef<[u8]> + 'c>(
    entries: impl IntoIterator<Item = (&'c K, &'c V)>,
    key: &'static str,
) -> impl Iterator<Item = &'c [u8]> {
    let entries = entries.into_iter();
    entries
        .filter(move |(known, _)| known.as_ref().eq_ignore_ascii_case(key))
        .map(|(_, value)| value.as_ref())
}

#[cfg(feature = "http")]
impl Extractor for http::HeaderMap {
    fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]> {
        let values = self.get_all(key).iter();
        values.map(http::HeaderValue::as_bytes)
    }
}
