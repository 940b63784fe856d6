//! JSON as strict as a log store reads it: Elasticsearch refuses a line that has a key twice.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// An object in the order it was written, each key once.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) first: String,
    pub(crate) members: BTreeMap<String, Value>,
}

impl Object {
    /// Reads a line.
    ///
    /// # Panics
    ///
    /// If the line is not one object, or has a key twice, at any depth.
    pub(crate) fn read(line: &str) -> Self {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    pub(crate) fn str(&self, key: &str) -> Option<&str> {
        match self.members.get(key)? {
            Value::String(value) => Some(value),
            Value::Object | Value::Other => None,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Value {
    String(String),
    Object,
    Other,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object {
                    first: String::new(),
                    members: BTreeMap::new(),
                };
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if object.members.is_empty() {
                        object.first.clone_from(&key);
                    }
                    if object.members.contains_key(&key) {
                        return Err(Error::custom(format_args!("{key} is there twice")));
                    }
                    object.members.insert(key, value);
                }
                Ok(object)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::String(value.to_owned()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                while list.next_element::<Value>()?.is_some() {}
                Ok(Value::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                Object::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Value::Object)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[test]
fn a_key_that_is_there_twice_is_found() {
    let twice = [
        r#"{"a":1,"a":1}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a":[{"b":1,"b":2}]}"#,
    ];
    for line in twice {
        let error = serde_json::from_str::<Object>(line).unwrap_err();
        assert!(error.to_string().contains("is there twice"), "{error}");
    }
    let once = Object::read(r#"{"z":"1","a":{"z":[null,-1,1.5,true]}}"#);
    assert_eq!((once.first.as_str(), once.str("z")), ("z", Some("1")));
}
