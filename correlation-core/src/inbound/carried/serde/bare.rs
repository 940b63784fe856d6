use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::text::{is_json, raw_json};
use super::{BODY, Carried, FIELDS, Fields, KEYS, carried};
use crate::context::{Context, Origin};
use crate::id::CorrelationId;
use crate::trace_context::Traceparent;

/// A [`Carried<T>`], or a plain `T`, which gets a new ID. Read it while a queue still holds
/// messages that an older version wrote.
///
/// ```
/// use correlation_core::CarriedOrBare;
///
/// let new = r#"{"correlation_id": "click-1", "body": "order 7"}"#;
/// let CarriedOrBare(job) = serde_json::from_str::<CarriedOrBare<String>>(new)?;
/// assert_eq!((job.context.id().as_str(), job.body.as_str()), ("click-1", "order 7"));
///
/// let CarriedOrBare(job) = serde_json::from_str::<CarriedOrBare<String>>(r#""order 6""#)?;
/// assert_eq!((job.context.id().as_str().len(), job.body.as_str()), (36, "order 6"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # A rolling deployment
///
/// A reader that expects a `T` cannot read a `Carried<T>`, so deploy the readers first:
///
/// 1. Deploy all readers with `CarriedOrBare<T>`. The writers still write `T`.
/// 2. Deploy the writers with `Carried::new(..)`.
/// 3. When no plain `T` is left in the queue, and you will not go back to step 1, read
///    `Carried<T>`.
///
/// To remove `Carried` again, go back in reverse order: first the writers, then the readers.
///
/// # Which of the two
///
/// A value that can be read as a `Carried<T>` is one. Any other value with the fields
/// `correlation_id` and `body` is an error. Any other value is read as a `T`. So a `T` with a field
/// `body` that itself reads as a `T` is ambiguous. This can happen if `T` is a map or any JSON
/// value.
///
/// `MessagePack` can write a `Carried<T>` as an array. It has four elements: an ID, a `traceparent`
/// or nothing, a `tracestate` or nothing, and the body. Any other array is read as a `T`, and in
/// JSON each array is. So an array that `rmp-serde` writes `with_human_readable` cannot be read: it
/// leaves out what it does not have.
///
/// # Formats
///
/// The format must be self-describing, as JSON, `MessagePack`, CBOR and YAML are. Postcard and
/// bincode are not: use a separate queue for the new messages there.
///
/// With `serde_json`, the ID never affects the body, as with `Carried`. But the whole message must
/// be UTF-8, which JSON is (RFC 8259, section 8.1). With other formats, the value is first read
/// into memory, as for an untagged enum of serde. Reading fails if serde cannot hold the value in
/// place of the ID. Examples are an integer of over 64 bits and a tag of YAML.
///
/// A `T` in JSON may hold other values of this type, up to 8 in each other.
#[derive(Clone, Debug)]
pub struct CarriedOrBare<T>(pub Carried<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for CarriedOrBare<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if is_json::<D::Error>() {
            raw_json(deserializer, Json(PhantomData))
        } else {
            buffered(deserializer)
        }
    }
}

struct Json<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Json<T> {
    type Value = CarriedOrBare<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a body, with or without a correlation ID")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut raw: A) -> Result<Self::Value, A::Error> {
        let raw: Option<(IgnoredAny, String)> = raw.next_entry()?;
        let raw = raw.map(|(_, raw)| raw).unwrap_or_default();
        let _level = Level::enter().ok_or_else(|| A::Error::custom("recursion limit exceeded"))?;
        let as_bare = || serde_json::from_str(&raw).map(bare);
        let read = if raw.starts_with('{') {
            let read = serde_json::from_str(&raw).map(CarriedOrBare);
            read.or_else(|error| match serde_json::from_str::<BothFields>(&raw) {
                Ok(BothFields) => Err(error),
                Err(_) => as_bare(),
            })
        } else {
            as_bare()
        };
        read.map_err(A::Error::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        buffered(inner)
    }
}

/// A value within other values of its kind. `serde_json` counts the depth anew for each of them.
struct Level;

impl Level {
    fn enter() -> Option<Self> {
        LEVELS.set(LEVELS.get().checked_sub(1)?);
        Some(Self)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        LEVELS.set(LEVELS.get() + 1);
    }
}

thread_local! {
    static LEVELS: Cell<u8> = const { Cell::new(9) };
}

fn buffered<'de, D, T>(deserializer: D) -> Result<CarriedOrBare<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    #[derive(serde::Deserialize)]
    #[serde(untagged, bound = "T: DeserializeOwned")]
    enum Read<T> {
        Carried(Written<T>),
        Unreadable(BothFields),
        Bare(T),
    }

    match Read::deserialize(deserializer)? {
        Read::Carried(Written(carried)) => Ok(CarriedOrBare(carried)),
        Read::Unreadable(BothFields) => Err(D::Error::custom("the body cannot be read")),
        Read::Bare(body) => Ok(bare(body)),
    }
}

fn bare<T>(body: T) -> CarriedOrBare<T> {
    let context = Context::received(CorrelationId::new(), Origin::Generated);
    CarriedOrBare(Carried { context, body })
}

/// A [`Carried`], of which nothing is read that it does not write.
struct Written<T>(Carried<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = deserializer.deserialize_struct("Carried", FIELDS, Exactly(PhantomData));
        read.map(Self)
    }
}

struct Exactly<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Exactly<T> {
    type Value = Carried<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a body with a correlation ID")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Carried<T>, A::Error> {
        Fields(PhantomData).visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Carried<T>, A::Error> {
        let mut values = [const { None::<String> }; KEYS.len()];
        for value in &mut values {
            *value = items.next_element()?.flatten();
        }
        let [id, parent, state] = &values;
        let written = id
            .as_ref()
            .is_some_and(|id| id.parse::<CorrelationId>().is_ok())
            && parent.as_ref().map_or(state.is_none(), |it| {
                Traceparent::parse(it.as_bytes()).is_some()
            });
        let body = items.next_element()?;
        // Nothing writes an array of JSON, which an untagged type may have read.
        if !written || is_json::<A::Error>() || items.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::custom("not written by `Carried`"));
        }
        let found = KEYS.into_iter().zip(values);
        let found = found.filter_map(|((key, _), value)| Some((key, value?)));
        carried(&found.collect(), body)
    }
}

/// Matches a map with both fields that [`Carried`] writes, whatever its body is.
#[derive(serde::Deserialize)]
#[serde(try_from = "HashMap<String, IgnoredAny>")]
struct BothFields;

impl TryFrom<HashMap<String, IgnoredAny>> for BothFields {
    type Error = &'static str;

    fn try_from(fields: HashMap<String, IgnoredAny>) -> Result<Self, Self::Error> {
        let both = fields.contains_key(KEYS[0].1) && fields.contains_key(BODY);
        both.then_some(Self).ok_or("not both")
    }
}
