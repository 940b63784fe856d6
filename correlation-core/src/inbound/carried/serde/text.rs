//! Reads text that a stranger wrote, or any other value in its place.

use std::any::type_name;
use std::fmt;

use serde::de::{
    Deserialize, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// Text in a self-describing format. It is `None` if there is no value, and empty if there is a
/// value of another type. Reading it fails only if the format itself is broken.
#[derive(Default)]
pub(super) struct Text(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !is_json::<D::Error>() {
            return deserializer.deserialize_any(Anything);
        }
        match raw_json(deserializer, Json) {
            // `serde_json` skipped the value, and only then found that it is not UTF-8.
            Err(error) if error.to_string().starts_with("invalid unicode code point") => {
                Ok(Self::other())
            }
            read => read,
        }
    }
}

impl Text {
    const fn other() -> Self {
        Self(Some(String::new()))
    }
}

/// The same for a field without a name, in a format that may not be self-describing.
pub(super) struct Unnamed(pub(super) Text);

impl<'de> Deserialize<'de> for Unnamed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes(Text);

        impl<'de> Deserialize<'de> for Bytes {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // Such formats write text as bytes, too. Bytes need not be UTF-8.
                deserializer.deserialize_byte_buf(Anything).map(Self)
            }
        }

        if deserializer.is_human_readable() {
            return Text::deserialize(deserializer).map(Self);
        }
        let bytes = Option::<Bytes>::deserialize(deserializer)?;
        Ok(Self(bytes.map(|Bytes(text)| text).unwrap_or_default()))
    }
}

/// Whether this is `serde_json`, which can return a value as it is written. Only in this way can a
/// reader skip a value that is JSON, but that `serde_json` does not read, such as `"\ud800"` or
/// `1e999`.
pub(super) fn is_json<E>() -> bool {
    type_name::<E>() == type_name::<serde_json::Error>()
}

/// Asks for a JSON value as it is written, as `serde_json::value::RawValue` does. The visitor gets
/// a map whose one value is the text. Within an untagged or flattened type, which has already read
/// the value, it gets a newtype.
pub(super) fn raw_json<'de, D, V>(deserializer: D, visitor: V) -> Result<V::Value, D::Error>
where
    D: Deserializer<'de>,
    V: Visitor<'de>,
{
    deserializer.deserialize_newtype_struct("$serde_json::private::RawValue", visitor)
}

struct Json;

impl<'de> Visitor<'de> for Json {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut raw: A) -> Result<Text, A::Error> {
        let raw: Option<(IgnoredAny, String)> = raw.next_entry()?;
        let text = raw.map(|(_, raw)| serde_json::from_str(&raw));
        Ok(match text {
            Some(Ok(text)) => Text(text),
            _ => Text::other(),
        })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Text, D::Error> {
        inner.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(text.to_owned())))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(std::str::from_utf8(bytes).map_or(Text::other(), |text| Text(Some(text.to_owned()))))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_none<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Text, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Text, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::other())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Text, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::other())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Text, A::Error> {
        let (_, value) = tagged.variant::<IgnoredAny>()?;
        value.newtype_variant::<IgnoredAny>()?;
        Ok(Text::other())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text::other())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(Text::other())
    }

    fn visit_i128<E>(self, _: i128) -> Result<Text, E> {
        Ok(Text::other())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(Text::other())
    }

    fn visit_u128<E>(self, _: u128) -> Result<Text, E> {
        Ok(Text::other())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(Text::other())
    }
}
