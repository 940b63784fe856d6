use std::io::{self, Write};

use ::log::Record;
use ::log::kv::{Error, Key, Source, Value, VisitSource};

use super::pairs::Added;
use crate::context;
use crate::line::Keys;

/// Writes the key-value pairs of a record, the ID first: for `env_logger`, with its feature `kv`.
///
/// ```
/// # #[cfg(any())] {
/// env_logger::Builder::from_default_env().format_key_values(correlation_core::log::kv).init();
/// # }
/// ```
///
/// It prints ` correlation_id=ID` and then ` key=value` for each pair, at the end of the line. It
/// applies to `env_logger`'s own format; with `.format(..)` use [`tagged`].
///
/// # Errors
///
/// Those of the writer.
pub fn kv<W: Write>(out: &mut W, pairs: &dyn Source) -> io::Result<()> {
    if let Some(added) = Added::to(pairs) {
        for (key, value) in added.iter() {
            write!(out, " {key}={value}")?;
        }
    }
    let mut visitor = Pairs(out);
    pairs.visit(&mut visitor).map_err(io::Error::other)
}

struct Pairs<'a, W>(&'a mut W);

impl<'kvs, W: Write> VisitSource<'kvs> for Pairs<'_, W> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        write!(self.0, " {key}={value}").map_err(Error::from)
    }
}

/// Puts the ID on the lines of a format function: for `env_logger` with `.format(..)`, such as
/// `.format(correlation::log::tagged(ecs_logger::format))`.
pub fn tagged<W: Write>(
    format: impl Fn(&mut Vec<u8>, &Record<'_>) -> io::Result<()>,
) -> impl Fn(&mut W, &Record<'_>) -> io::Result<()> {
    let keys = Keys::default();
    move |out, record| {
        let mut plain = Vec::new();
        format(&mut plain, record)?;
        let mut tagged = Vec::new();
        context::with_current(|context| match context {
            Some(context) => keys.tag(&mut tagged, &plain, context),
            None => std::mem::swap(&mut tagged, &mut plain),
        });
        out.write_all(&tagged)
    }
}
