use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::process::Command;

use correlation_core::{
    Context, CorrelationId, Injector, Origin, extract, extract_with, propagate_to, sync_scope,
};

use crate::{Pairs, lines, model, sent};

/// The entries of a message, `key: value` a line: nothing is made up, no other entry matters, and
/// what is written is read.
pub fn message(data: &[u8]) {
    let entries: Vec<_> = lines(data)
        .filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let key = str::from_utf8(&line[..colon]).ok()?;
            Some((key.to_owned(), line[colon + 1..].to_vec()))
        })
        .collect();
    let context = extract(&entries);
    let answer = said(&context);
    check(&context, |name| of(&entries, name));

    // Case and order do not matter, nor what stands beside.
    let upper = entries.iter().rev();
    let upper = upper.map(|(key, value)| (key.to_ascii_uppercase(), value.clone()));
    let mut others: Vec<_> = upper.collect();
    others.push(("correlation".to_owned(), b"evil".to_vec()));
    assert_eq!(said(&extract(&others)), answer);
    others.retain(|(key, _)| KEYS.iter().any(|known| known.eq_ignore_ascii_case(key)));
    assert_eq!(said(&extract(&others)), answer);

    // Nor does the carrier, where keys do not come twice.
    let keys: BTreeSet<_> = entries
        .iter()
        .map(|(key, _)| key.to_ascii_lowercase())
        .collect();
    if keys.len() == entries.len() {
        let entries = entries.iter().cloned();
        assert_eq!(
            said(&extract(&HashMap::<_, _>::from_iter(entries.clone()))),
            answer
        );
        assert_eq!(
            said(&extract(&BTreeMap::<_, _>::from_iter(entries))),
            answer
        );
    }

    // Who is asked by key gives what it has under that very key.
    let exact = extract_with(|key| {
        let same = entries.iter().filter(move |(known, _)| known == key);
        same.map(|(_, value)| value)
    });
    check(&exact, |name| of(&entries, name));
    let known: Vec<_> = entries
        .iter()
        .filter(|(key, _)| KEYS.contains(&&**key))
        .cloned()
        .collect();
    let spelled = |(key, _): &Entry| {
        known
            .iter()
            .all(|(other, _)| other == key || !other.eq_ignore_ascii_case(key))
    };
    if known.iter().all(spelled) {
        assert_eq!(said(&exact), said(&extract(&known)));
    }

    // A valid ID under the first key is taken, whatever comes with it.
    let mut with = entries.clone();
    with.retain(|(key, _)| !key.eq_ignore_ascii_case("x-correlation-id"));
    with.push(("x-correlation-id".to_owned(), b" click-1".to_vec()));
    assert_eq!(extract(&with).id(), &"click-1");

    // What is written over it is read, alone, and leaves the rest as it is.
    let copied = || entries.iter().cloned();
    is_written(&context, copied().collect::<Vec<_>>());
    is_written(&context, copied().collect::<HashMap<_, _>>());
    is_written(&context, copied().collect::<BTreeMap<_, _>>());
}

type Entry = (String, Vec<u8>);

fn is_written<C>(context: &Context, carrier: C)
where
    C: Injector + Clone + IntoIterator<Item = Entry>,
{
    let entries = |carrier: C| {
        let mut entries: Vec<_> = carrier.into_iter().collect();
        entries.sort();
        entries
    };
    let mut written = carrier.clone();
    context.inject(&mut written);
    context.inject(&mut written);
    let (before, after) = (entries(carrier), entries(written));
    let is = |key: &str, name: &str| key.eq_ignore_ascii_case(name);
    let ours = after.iter().filter(|(key, _)| is(key, WRITTEN[0]));
    let ours: Vec<_> = ours.map(|(_, value)| &value[..]).collect();
    assert_eq!(ours, [context.id().as_str().as_bytes()]);
    assert_eq!(extract(&after).id(), context.id());
    let rest = |mut entries: Vec<Entry>| {
        entries.retain(|(key, _)| !WRITTEN.iter().any(|name| is(key, name)));
        entries
    };
    assert_eq!(rest(after), rest(before));
}

/// The variables that a process was started with, a line each, in the order of [`VARIABLES`]. What
/// `from_env` reads of them goes on to a child, and nothing else does.
pub fn env(data: &[u8]) {
    let context = context_of(data);
    let values: Vec<_> = lines(data).collect();
    check(&context, |name| {
        let at = WRITTEN.iter().position(|known| *known == name);
        at.and_then(|at| values.get(at))
            .copied()
            .into_iter()
            .collect()
    });

    let mut command = Command::new("child");
    for variable in VARIABLES {
        command.env(variable, "stale");
    }
    sync_scope(context.clone(), || propagate_to(&mut command));
    let set = |variable| {
        let mut set = command.get_envs().filter(|(name, _)| *name == variable);
        set.next()
            .and_then(|(_, value)| value)
            .map(OsStr::as_encoded_bytes)
    };
    let child = extract_with(|key| {
        WRITTEN
            .iter()
            .position(|known| *known == key)
            .and_then(|at| set(VARIABLES[at]))
    });
    assert_eq!(sent(&child), sent(&context));
    propagate_to(&mut command);
    assert!(command.get_envs().all(|(_, value)| value.is_none()));
}

/// The context of a process that was started with these variables, but read in this one.
#[must_use]
pub fn context_of(data: &[u8]) -> Context {
    extract_with(|key| {
        let at = WRITTEN.iter().position(|known| *known == key)?;
        lines(data).nth(at)
    })
}

/// The variables of [`env()`], in their order.
pub const VARIABLES: [&str; 3] = ["CORRELATION_ID", "TRACEPARENT", "TRACESTATE"];

const WRITTEN: [&str; 3] = ["x-correlation-id", "traceparent", "tracestate"];

/// A message has an ID in any case, and one that is not new stands in it.
fn check<'m>(context: &Context, values: impl Fn(&str) -> Vec<&'m [u8]>) {
    let id = context.id().as_str();
    assert_eq!(id.parse::<CorrelationId>().as_ref(), Ok(context.id()));
    match context.origin() {
        Origin::Generated => assert_eq!(id.len(), 36),
        Origin::Header("traceparent") => {
            let mut values = values("traceparent").into_iter();
            assert!(values.any(|value| model::trace_id(&[value]) == Some(id)));
        }
        Origin::Header(name) => {
            assert!(model::is_id(id.as_bytes(), 255));
            let mut values = values(name).into_iter();
            assert!(values.any(|value| model::agreed(&[value]) == Some(id.as_bytes())));
        }
        other => panic!("nobody has set it, but {other}"),
    }
}

/// The values under a name, however it is spelled.
fn of<'m>(entries: &'m [Entry], name: &str) -> Vec<&'m [u8]> {
    let keys: &[&str] = match name {
        "x-correlation-id" => &KEYS[..11],
        "x-request-id" => &KEYS[11..14],
        "traceparent" => &KEYS[14..17],
        _ => &KEYS[17..],
    };
    let is = |key: &str| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
    let same = entries.iter().filter(|(key, _)| is(key));
    same.map(|(_, value)| &**value).collect()
}

/// What can be compared: an ID that is new is another each time, and the lines of a `tracestate`
/// have an order.
fn said(context: &Context) -> (Origin, Pairs) {
    let mut sent = sent(context);
    let is_new = context.origin() == Origin::Generated;
    sent.retain(|(key, _)| key == "traceparent" || key == "x-correlation-id" && !is_new);
    (context.origin(), sent)
}

/// What programs write into messages, as `extract_with` documents it.
const KEYS: [&str; 20] = [
    "x-correlation-id",
    "X-Correlation-ID",
    "X-Correlation-Id",
    "correlation-id",
    "Correlation-ID",
    "Correlation-Id",
    "CORRELATION_ID",
    "correlation_id",
    "x_correlation_id",
    "correlationId",
    "CorrelationId",
    "x-request-id",
    "X-Request-ID",
    "X-Request-Id",
    "traceparent",
    "Traceparent",
    "TRACEPARENT",
    "tracestate",
    "Tracestate",
    "TRACESTATE",
];
