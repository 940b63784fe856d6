//! [`Carried`] as the payload of a message.

mod bare;
mod text;

use std::fmt;
use std::marker::PhantomData;

pub use bare::CarriedOrBare;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use text::{Text, Unnamed};

use super::Carried;
use crate::inbound::extract_with;
use crate::names::{CORRELATION_ID, TRACEPARENT, TRACESTATE, X_CORRELATION_ID};

impl<T: Serialize> Serialize for Carried<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Formats without names or an end mark cannot leave a field out.
        let all = !serializer.is_human_readable();
        let mut values = [const { None }; KEYS.len()];
        self.context.write(|key, value| {
            if let Some(at) = KEYS.iter().position(|(known, _)| *known == key) {
                values[at] = Some(value.to_owned());
            }
        });
        let present = values.iter().filter(|value| all || value.is_some()).count();
        let mut fields = serializer.serialize_struct("Carried", present + 1)?;
        for ((_, field), value) in KEYS.into_iter().zip(&values) {
            if all || value.is_some() {
                fields.serialize_field(field, value)?;
            } else {
                fields.skip_field(field)?;
            }
        }
        fields.serialize_field(BODY, &self.body)?;
        fields.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Carried<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Carried", FIELDS, Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Carried<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a body with a correlation ID")
    }

    /// Reads fields with names, in any order. Other fields are ignored.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Carried<T>, A::Error> {
        let mut found = Found::new();
        let mut body = None;
        while let Some(Text(name)) = map.next_key()? {
            let name = name.unwrap_or_default();
            if let Some((key, _)) = KEYS.iter().find(|(_, field)| *field == name) {
                let Text(value) = map.next_value()?;
                found.extend(value.map(|value| (*key, value)));
            } else if name == BODY {
                if body.is_some() {
                    return Err(A::Error::duplicate_field(BODY));
                }
                body = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        carried(&found, body)
    }

    /// Reads fields without names. If some were left out, they are the last ones before the body.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Carried<T>, A::Error> {
        let before = items
            .size_hint()
            .map_or(KEYS.len(), |items| items.saturating_sub(1));
        let mut found = Found::new();
        for (key, _) in KEYS.into_iter().take(before) {
            if let Some(Unnamed(Text(Some(value)))) = items.next_element()? {
                found.push((key, value));
            }
        }
        let body = items.next_element()?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        carried(&found, body)
    }
}

type Found = Vec<(&'static str, String)>;

fn carried<T, E: Error>(found: &Found, body: Option<T>) -> Result<Carried<T>, E> {
    let context = extract_with(|key| {
        let found = found.iter().filter(move |(known, _)| *known == key);
        found.map(|(_, value)| value)
    });
    let body = body.ok_or_else(|| E::missing_field(BODY))?;
    Ok(Carried { context, body })
}

/// The keys that the core writes, with the fields that hold them.
const KEYS: [(&str, &str); 3] = [
    (X_CORRELATION_ID, CORRELATION_ID),
    (TRACEPARENT, TRACEPARENT),
    (TRACESTATE, TRACESTATE),
];
const BODY: &str = "body";
const FIELDS: &[&str] = &[KEYS[0].1, KEYS[1].1, KEYS[2].1, BODY];
