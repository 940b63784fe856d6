//! JSON objects with all their members, in the order of the text.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Error, Value};

/// The members of an object in their order, including the ones that a map would drop.
#[derive(Debug)]
pub struct Members<V = Value>(pub Vec<(String, V)>);

/// Returns the members of the object in a text.
///
/// # Errors
///
/// If the text is not one object.
pub fn members(text: &str) -> Result<Vec<(String, Value)>, Error> {
    serde_json::from_str(text).map(|Members(members)| members)
}

/// Parses a text that has each key only once, at any depth. Elasticsearch refuses any other.
///
/// # Panics
///
/// If the text is not such an object.
#[must_use]
pub fn unique_members(text: &str) -> Vec<(String, Value)> {
    let checked = check(text).and_then(|()| members(text).map_err(|error| error.to_string()));
    checked.unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn check(text: &str) -> Result<(), String> {
    let invalid = |error: Error| error.to_string();
    let inner: Vec<Box<RawValue>> = match text.as_bytes().first() {
        Some(b'[') => serde_json::from_str(text).map_err(invalid)?,
        Some(b'{') => {
            let Members(members) =
                serde_json::from_str::<Members<Box<RawValue>>>(text).map_err(invalid)?;
            let mut seen = HashSet::new();
            if let Some((twice, _)) = members.iter().find(|(key, _)| !seen.insert(key)) {
                return Err(format!("{twice} is there twice"));
            }
            members.into_iter().map(|(_, value)| value).collect()
        }
        _ => return Ok(()),
    };
    inner.iter().try_for_each(|value| check(value.get()))
}

impl<'de, V: DeserializeOwned> Deserialize<'de> for Members<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<V>(PhantomData<V>);

        impl<'de, V: DeserializeOwned> Visitor<'de> for InOrder<V> {
            type Value = Members<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<V>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_found() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"b":2}]}"#,
        ] {
            assert!(check(text).unwrap_err().contains("is there twice"));
            assert!(members(text).is_ok());
        }
        let once = unique_members(r#"{"z":"1","a":{"z":[null,-1,1.5,true]}}"#);
        assert_eq!(once[0], ("z".to_owned(), "1".into()));
        assert_eq!(once.len(), 2);
        assert!(members("[]").is_err() && members("{} {}").is_err());
    }
}
