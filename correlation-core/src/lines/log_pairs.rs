//! Adds the ID to the key-value pairs of a record.

use log::kv::{Error, Key, Source, Value, VisitSource};

use crate::context::Context;
use crate::names::{CORRELATION_ID, TRACE_ID};

/// The pairs that the current context adds to those of a record.
pub(super) struct Added {
    context: Context,
    id: bool,
    trace_id: bool,
}

impl Added {
    /// Returns all pairs of the context. Outside a scope there are none.
    pub(super) fn all() -> Option<Self> {
        Context::current().map(|context| Self {
            context,
            id: true,
            trace_id: true,
        })
    }

    /// Returns the pairs to add to a record that already has `pairs`.
    pub(super) fn to(pairs: &dyn Source) -> Option<Self> {
        let Self { context, .. } = Self::all()?;
        // Each key may come only once, since log stores refuse a line that has a key twice.
        let absent = |key: &str| pairs.get(Key::from_str(key)).is_none();
        Some(Self {
            id: absent(CORRELATION_ID),
            trace_id: context.trace().is_some() && absent(TRACE_ID),
            context,
        })
    }

    /// Whether this pair of a record is one of these.
    pub(super) fn has(&self, key: &Key<'_>, value: &Value<'_>) -> bool {
        let mut same = self.iter().filter(|(name, _)| *name == key.as_str());
        same.any(|(_, added)| value.to_string() == added)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&'static str, &str)> {
        let id = self
            .id
            .then(|| (CORRELATION_ID, self.context.id().as_str()));
        let trace = self.context.trace().filter(|_| self.trace_id);
        let trace_id = trace.map(|trace| (TRACE_ID, trace.parent.trace_id_str()));
        [id, trace_id].into_iter().flatten()
    }
}

/// The added pairs, followed by the pairs of the record.
pub(super) struct Chained<'a> {
    pub(super) added: &'a Added,
    pub(super) pairs: &'a dyn Source,
}

impl Source for Chained<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), Error> {
        for (key, value) in self.added.iter() {
            visitor.visit_pair(Key::from_str(key), Value::from(value))?;
        }
        self.pairs.visit(visitor)
    }

    fn get(&self, key: Key<'_>) -> Option<Value<'_>> {
        let added = self.added.iter().find(|(name, _)| *name == key.as_str());
        added
            .map(|(_, value)| Value::from(value))
            .or_else(|| self.pairs.get(key))
    }

    fn count(&self) -> usize {
        self.added.iter().count() + self.pairs.count()
    }
}
