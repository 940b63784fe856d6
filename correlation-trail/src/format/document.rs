//! JSON over many lines: the answers of stores, and pretty-printed objects.

use std::fmt;
use std::io::{self, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::json;
use super::keys::has;

/// The keys of the entries in an answer: `hits.hits` in Elasticsearch, `events` in `aws logs`,
/// `logEvents` in a subscription, `entries` in Google's API, `Records` in `CloudTrail`, `results`
/// in `CloudWatch` Insights, `data.result` in Loki. An array that is not in an object, as from
/// `gcloud`, has the entries itself.
const LISTS: &str = "hits events logEvents entries Records results data result";

/// The keys that an entry has. Any other record may have a list under one of the names above.
const ENTRY: &str = "_index insertId eventTime stream";

const RECORD: &str = "message msg level severity time timestamp @timestamp";

/// Returns whether a file with this start is a document.
pub(crate) fn is_document(head: &[u8]) -> bool {
    let head = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let Some((first, rest)) = head.split_first() else {
        return false;
    };
    let inner = rest.trim_ascii_start();
    match first {
        b'[' => inner.starts_with(b"{") || inner.starts_with(b"]"),
        b'{' => {
            let indented =
                rest[..rest.len() - inner.len()].contains(&b'\n') && inner.starts_with(b"\"");
            let known: [&[u8]; 2] = [b"\"took\":", b"\"status\":\"success\",\"data\":{"];
            let list = |list: &str| inner.starts_with(format!("\"{list}\":[").as_bytes());
            indented
                || known.iter().any(|start| inner.starts_with(start))
                || LISTS.split(' ').any(list)
        }
        _ => false,
    }
}

/// Calls `each(json, line)` with the entries of a document. The rest is not JSON, or is empty.
pub(crate) fn read_document<R: Read>(tee: &mut Tee<R>, each: &mut dyn FnMut(&str, u64)) {
    loop {
        // The counts are those of the bytes that were read up to the end of an entry.
        let tee = std::cell::RefCell::new(&mut *tee);
        let mut deserializer = serde_json::Deserializer::from_reader(Shared(&tee));
        let entries = Entries {
            tee: &tee,
            each,
            top: true,
        };
        if entries.deserialize(&mut deserializer).is_err() {
            return;
        }
        tee.borrow_mut().seen.clear();
    }
}

/// Keeps the bytes that were read since the last entry, and counts lines.
pub(crate) struct Tee<R> {
    inner: BufReader<R>,
    seen: Vec<u8>,
    lines: u64,
}

impl<R: Read> Tee<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner: BufReader::with_capacity(PIECE, inner),
            seen: Vec::new(),
            lines: 0,
        }
    }

    /// Returns the number of lines before the rest, and the rest.
    pub(crate) fn rest(self) -> (u64, impl Read) {
        let newlines = self.seen.iter().filter(|&&byte| byte == b'\n').count() as u64;
        (
            self.lines - newlines,
            io::Cursor::new(self.seen).chain(self.inner),
        )
    }
}

struct Shared<'t, 'r, R>(&'t std::cell::RefCell<&'r mut Tee<R>>);

impl<R: Read> Read for Shared<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut tee = self.0.borrow_mut();
        if tee.seen.len() > LONGEST {
            return Err(io::Error::other("an entry is too long"));
        }
        let count = tee.inner.read(buffer)?;
        tee.seen.extend_from_slice(&buffer[..count]);
        tee.lines += buffer[..count]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count() as u64;
        Ok(count)
    }
}

#[derive(serde::Deserialize)]
struct Column {
    field: String,
    value: String,
}

#[derive(serde::Deserialize)]
struct Stream<'j> {
    #[serde(borrow)]
    stream: &'j RawValue,
    values: Vec<(String, String)>,
}

/// Visits the entries of a document.
struct Entries<'e, 't, 'r, R> {
    tee: &'t std::cell::RefCell<&'r mut Tee<R>>,
    each: &'e mut dyn FnMut(&str, u64),
    top: bool,
}

impl<R: Read> Entries<'_, '_, '_, R> {
    /// A value that is no list. Beside all entries, it means that this is not a document.
    fn scalar<E: Error>(&self, value: impl Into<serde_json::Value>) -> Result<Option<String>, E> {
        if self.top {
            Err(E::custom("no entry"))
        } else {
            Ok(Some(value.into().to_string()))
        }
    }

    fn entry(&mut self, json: &RawValue, line: u64) {
        // CloudWatch Insights has the columns of a row in a list.
        match serde_json::from_str::<Vec<Column>>(json.get()) {
            Ok(row) => {
                let row = row
                    .into_iter()
                    .map(|Column { field, value }| (field, value.into()));
                let row = serde_json::Value::Object(row.collect());
                (self.each)(&row.to_string(), line);
            }
            Err(_) => match serde_json::from_str::<Stream<'_>>(json.get()) {
                // Loki's API has the lines of a stream in a list.
                Ok(Stream { stream, values }) => {
                    for (time, text) in values {
                        let text = serde_json::Value::from(text);
                        let entry =
                            format!(r#"{{"labels":{stream},"timestamp":"{time}","line":{text}}}"#);
                        (self.each)(&entry, line);
                    }
                }
                Err(_) => (self.each)(json.get(), line),
            },
        }
        self.tee.borrow_mut().seen.clear();
    }
}

/// Returns whether a value in a list is an entry: an object, or a row of `CloudWatch` Insights.
fn is_entry(json: &str) -> bool {
    let is_key = |(key, _): &(String, &RawValue)| has(RECORD, key) || has(ENTRY, key);
    match json::members(json) {
        Some(members) => members.iter().any(is_key),
        None => serde_json::from_str::<Vec<Column>>(json).is_ok(),
    }
}

impl<'de, R: Read> DeserializeSeed<'de> for Entries<'_, '_, '_, R> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Read> Visitor<'de> for Entries<'_, '_, '_, R> {
    /// The value, unless it had entries.
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut values, mut is_list) = (Vec::new(), self.top);
        while let Some(value) = list.next_element::<Box<RawValue>>()? {
            is_list |= values.is_empty() && is_entry(value.get());
            if is_list {
                let newlines = value.get().matches('\n').count() as u64;
                let line = self.tee.borrow().lines + 1 - newlines;
                self.entry(&value, line);
            } else {
                values.push(value.to_string());
            }
        }
        Ok((!is_list).then(|| format!("[{}]", values.join(","))))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let line = self.tee.borrow().lines + 1;
        let (mut members, mut is_list) = (Vec::new(), false);
        let (mut is_record, mut has_status) = (false, false);
        while let Some(key) = map.next_key::<String>()? {
            is_record |= has(RECORD, &key);
            has_status |= key == "status";
            let nested = !self.top && key != "hits" && key != "result";
            // A record may also have such a key.
            let other = is_record || nested || key == "data" && !has_status;
            let value = if has(LISTS, &key) && !other {
                let Self { tee, each, .. } = &mut self;
                map.next_value_seed(Entries {
                    tee: *tee,
                    each: &mut **each,
                    top: false,
                })?
            } else {
                Some(map.next_value::<Box<RawValue>>()?.to_string())
            };
            is_list |= value.is_none();
            members.extend(value.map(|value| (key, value)));
        }
        let members: Vec<_> = members
            .iter()
            .map(|(key, value)| format!("{}:{value}", serde_json::Value::from(key.as_str())))
            .collect();
        let json = format!("{{{}}}", members.join(","));
        if !self.top {
            return Ok((!is_list).then_some(json));
        }
        // What stands beside a list is an entry, too, because the ID may be there.
        if let Ok(json) = RawValue::from_string(json) {
            self.entry(&json, line);
        }
        Ok(None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        self.scalar(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.scalar(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.scalar(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.scalar(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        self.scalar(value)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.scalar(())
    }
}

const PIECE: usize = 64 * 1024;

/// The maximum size of an entry, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;
