//! [`Carried`] as the payload of a message.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Carried, inject_with};
use crate::Context;
use crate::context::sync_scope;

impl<T: Serialize> Serialize for Carried<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Formats without field names cannot leave one out.
        let all = !serializer.is_human_readable();
        let mut values = [const { None }; KEYS.len()];
        sync_scope(self.context.clone(), || {
            inject_with(|key, value| {
                if let Some(at) = position(key) {
                    values[at] = Some(value.to_owned());
                }
            });
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
        fields.serialize_field("body", &self.body)?;
        fields.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Carried<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "Carried")]
        struct Wire<T> {
            #[serde(default)]
            correlation_id: Lenient,
            #[serde(default)]
            traceparent: Lenient,
            #[serde(default)]
            tracestate: Lenient,
            body: T,
        }

        let wire = Wire::deserialize(deserializer)?;
        let values = [wire.correlation_id, wire.traceparent, wire.tracestate];
        let get = |key: &str| values[position(key)?].0.as_deref();
        Ok(Self {
            context: Context::extract_with(get),
            body: wire.body,
        })
    }
}

fn position(key: &str) -> Option<usize> {
    KEYS.iter().position(|(known, _)| *known == key)
}

/// What core calls the values, and their fields.
const KEYS: [(&str, &str); 3] = [
    ("x-correlation-id", "correlation_id"),
    ("traceparent", "traceparent"),
    ("tracestate", "tracestate"),
];

/// A text, or whatever else stands in its place: that counts as absent.
#[derive(Default)]
struct Lenient(Option<String>);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Anything)
        } else {
            Option::deserialize(deserializer).map(Self)
        }
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Lenient;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Lenient, E> {
        Ok(Lenient(Some(text.to_owned())))
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Lenient, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Lenient, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lenient, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lenient(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Lenient, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Lenient(None))
    }

    fn visit_unit<E>(self) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }

    fn visit_none<E>(self) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }
}
