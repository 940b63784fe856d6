use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

/// Something an ID can be read from: implemented for the usual maps, and for `http::HeaderMap`
/// with the feature `http`.
pub trait Extractor {
    /// All values of a key, in whatever case the carrier has it.
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
