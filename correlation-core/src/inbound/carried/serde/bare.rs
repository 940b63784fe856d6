use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};

use super::text::{is_json, raw_json};
use super::{BODY, Carried, KEYS};
use crate::context::{Context, Origin};
use crate::id::CorrelationId;

/// What a reader takes while a queue still holds what an older version wrote: a [`Carried<T>`], or
/// a `T` alone, which gets a new ID.
///
/// ```
/// use correlation_core::CarriedOrBare;
///
/// let new = r#"{"correlation_id": "click-1", "body": "order 7"}"#;
/// let CarriedOrBare(job) = serde_json::from_str::<CarriedOrBare<String>>(new)?;
/// assert_eq!((job.context().id().as_str(), job.body().as_str()), ("click-1", "order 7"));
///
/// let CarriedOrBare(job) = serde_json::from_str::<CarriedOrBare<String>>(r#""order 6""#)?;
/// assert_eq!((job.context().id().as_str().len(), job.body().as_str()), (36, "order 6"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # A rolling deployment
///
/// Readers that expect a `T` cannot read a `Carried<T>`, so readers come first:
///
/// 1. Deploy all readers with `CarriedOrBare<T>`. The writers still write `T`.
/// 2. Deploy the writers with `Carried::new(..)`.
/// 3. When no bare message is left, and you do not go back to step 1, read `Carried<T>`.
///
/// To take `Carried` out again, go the same way back: first the writers, then the readers.
///
/// # Which of the two
///
/// Whatever reads as a `Carried<T>` is one. What does not, but has the fields `correlation_id` and
/// `body`, is an error. Anything else is a `T`. So the two cannot be told apart if a field `body`
/// of your `T` reads as a `T` itself, which it may if `T` is a map or any JSON value.
///
/// # Formats
///
/// The format has to say what it holds, as JSON, `MessagePack`, CBOR and YAML do; postcard and
/// bincode do not, so give the new messages a queue of their own there. With `serde_json` the ID
/// never matters to the body, as with `Carried`, but the whole message has to be UTF-8, which JSON
/// is (RFC 8259, section 8.1). With others the value is read into memory first,
/// as by an untagged enum of serde: where serde cannot hold what stands in the place of the ID,
/// such as an integer of over 64 bits or a tag of YAML, reading fails.
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
        let read = serde_json::from_str(&raw)
            .map(CarriedOrBare)
            .or_else(|error| match serde_json::from_str::<BothFields>(&raw) {
                Ok(BothFields) => Err(error),
                Err(_) => serde_json::from_str(&raw).map(bare),
            });
        read.map_err(A::Error::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        buffered(inner)
    }
}

fn buffered<'de, D, T>(deserializer: D) -> Result<CarriedOrBare<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    #[derive(serde::Deserialize)]
    #[serde(untagged, bound = "T: DeserializeOwned")]
    enum Read<T> {
        Carried(Carried<T>),
        Unreadable(BothFields),
        Bare(T),
    }

    match Read::deserialize(deserializer)? {
        Read::Carried(carried) => Ok(CarriedOrBare(carried)),
        Read::Unreadable(BothFields) => Err(D::Error::custom("the body cannot be read")),
        Read::Bare(body) => Ok(bare(body)),
    }
}

fn bare<T>(body: T) -> CarriedOrBare<T> {
    let context = Context::received(CorrelationId::new(), Origin::Generated);
    CarriedOrBare(Carried { context, body })
}

/// What [`Carried`] writes, whatever its body is.
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
