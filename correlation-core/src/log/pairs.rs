use ::log::kv::{Error, Key, Source, Value, VisitSource};

use crate::{Context, CorrelationId, TraceId};

/// What the ambient context adds to the pairs of a record.
pub(super) struct Added {
    id: Option<CorrelationId>,
    trace_id: Option<TraceId>,
    upstream_id: Option<CorrelationId>,
}

impl Added {
    /// What is to be added to a record that has `pairs` already; nothing outside of a scope.
    pub(super) fn to(pairs: &dyn Source) -> Option<Self> {
        let context = Context::current()?;
        // One key alone: with two of one key, log stores refuse the whole line.
        let absent = |key: &str| pairs.get(Key::from_str(key)).is_none();
        Some(Self {
            id: absent(ID).then(|| context.id().clone()),
            trace_id: context.trace_id().filter(|_| absent(TRACE_ID)),
            upstream_id: Some(&context)
                .filter(|_| absent(UPSTREAM_ID))
                .and_then(Context::take_upstream_id)
                .cloned(),
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let id = self.id.as_ref().map(|id| (ID, id.as_str()));
        let trace_id = self.trace_id.as_ref().map(|id| (TRACE_ID, id.as_str()));
        let upstream_id = self.upstream_id.as_ref();
        let upstream_id = upstream_id.map(|id| (UPSTREAM_ID, id.as_str()));
        [id, trace_id, upstream_id].into_iter().flatten()
    }
}

/// The pairs of a record behind those that were added.
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

const ID: &str = "correlation_id";
const TRACE_ID: &str = "trace_id";
const UPSTREAM_ID: &str = "upstream_id";
