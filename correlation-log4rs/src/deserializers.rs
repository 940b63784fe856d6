use log4rs::config::{Deserialize, Deserializers};
use log4rs::encode::Encode;
use log4rs::encode::json::JsonEncoderDeserializer;
use log4rs::encode::pattern::PatternEncoderDeserializer;

use crate::Encoder;

/// Returns the deserializers that log4rs has by default, with the ID added.
///
/// The ID is in `{X(correlation_id)}` of patterns and in `mdc` of JSON. Pass them to
/// `log4rs::init_file`, which also uses them when it loads the file again.
#[must_use]
pub fn deserializers() -> Deserializers {
    let mut all = Deserializers::new();
    all.insert("pattern", deserializer(PatternEncoderDeserializer));
    all.insert("json", deserializer(JsonEncoderDeserializer));
    all
}

/// Adds the ID to the encoders that `inner` makes. Use it for your own kinds of encoder.
///
/// ```
/// use correlation_log4rs::{deserializer, deserializers};
/// use log4rs::encode::json::JsonEncoderDeserializer as LogstashDeserializer;
///
/// let mut deserializers = deserializers();
/// deserializers.insert("logstash", deserializer(LogstashDeserializer));
/// ```
pub const fn deserializer<D: Deserialize<Trait = dyn Encode>>(inner: D) -> Deserializer<D> {
    Deserializer(inner)
}

/// A deserializer of encoders that have the ID. The function [`deserializer`] makes it.
#[derive(Clone, Copy, Debug)]
pub struct Deserializer<D>(D);

impl<D: Deserialize<Trait = dyn Encode>> Deserialize for Deserializer<D> {
    type Trait = dyn Encode;
    type Config = D::Config;

    fn deserialize(
        &self,
        config: D::Config,
        deserializers: &Deserializers,
    ) -> anyhow::Result<Box<dyn Encode>> {
        let encoder = self.0.deserialize(config, deserializers)?;
        Ok(Box::new(Encoder::boxed(encoder)))
    }
}
