//! Reads log records from lines, and checks whether they are complete.

use std::collections::HashMap;

use serde_json::Value;

use crate::Report;
use crate::json::members;

/// One record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Every `correlation_id`, so that one too many stays visible.
    pub ids: Vec<String>,
    /// Every `trace_id`.
    pub trace_ids: Vec<String>,
    /// The field `untrusted_id`, if it has one.
    pub untrusted_id: Option<String>,
    /// The field `span_id`, if it has one.
    pub span_id: Option<String>,
    /// The module that wrote it.
    pub target: String,
    /// The message, which contains the fields in the text format.
    pub message: String,
}

impl Record {
    /// Reads a line of JSON.
    ///
    /// # Errors
    ///
    /// If the line is not a JSON object, or has the ID anywhere except at its top level.
    pub fn json(line: &str) -> Result<Self, String> {
        let entries = members(line).map_err(|error| format!("no JSON object: {error}"))?;
        let all = |key: &str| -> Vec<String> {
            let values = entries.iter().filter(|(known, _)| known == key);
            values.map(|(_, value)| plain(value)).collect()
        };
        let ids = all("correlation_id");
        if line.matches("\"correlation_id\":").count() != ids.len() {
            return Err("the ID is not at the top level only".to_owned());
        }
        let fields = entries.iter().find(|(key, _)| key == "fields");
        let field = |key| fields.and_then(|(_, fields)| fields.get(key)).map(plain);
        Ok(Self {
            ids,
            trace_ids: all("trace_id"),
            untrusted_id: field("untrusted_id"),
            span_id: field("span_id"),
            target: all("target").concat(),
            message: fields.map_or_else(String::new, |(_, fields)| plain(&fields["message"])),
        })
    }

    /// Reads a line of text: `TIME LEVEL TARGET: MESSAGE correlation_id=ID`.
    ///
    /// # Errors
    ///
    /// If something follows the ID, or there are colours.
    pub fn text(line: &str) -> Result<Self, String> {
        if line.contains('\u{1b}') {
            return Err("escape codes".to_owned());
        }
        let mut parts = line.split(" correlation_id=");
        let head = parts.next().unwrap_or_default();
        let ids: Vec<_> = parts.map(str::to_owned).collect();
        if ids.iter().any(|id| id.contains(' ')) {
            return Err("the ID is not at the end".to_owned());
        }
        let body = head
            .split_whitespace()
            .skip(2)
            .collect::<Vec<_>>()
            .join(" ");
        let (target, message) = body.split_once(": ").unwrap_or(("", &body));
        Ok(Self {
            ids,
            target: target.to_owned(),
            message: message.to_owned(),
            ..Self::default()
        })
    }
}

/// The expected content of a log.
#[derive(Clone, Debug)]
pub struct Complete<'a> {
    /// The IDs of all requests.
    pub ids: &'a [String],
    /// The number of records that each request wrote with each of the two loggers.
    pub lines: usize,
    /// The framework's records of each request: the starts of their messages.
    pub framework: &'a [&'a str],
    /// The framework's records of each request before any code can know its ID.
    pub early: &'a [&'a str],
    /// The number of records that belong to no request.
    pub outside: usize,
}

impl Complete<'_> {
    /// Compares the records with the expected content. There is one comparison for each record and
    /// one for each request.
    pub fn check(&self, records: &[Record]) -> Report {
        let mut report = Report::default();
        let mut requests: HashMap<_, Vec<_>> = HashMap::new();
        for id in self.ids {
            requests.insert(id.as_str(), Vec::new());
        }
        let (mut early, mut outside) = (0, Vec::new());
        for record in records {
            let label = self.label(&record.message);
            let failure = match &record.ids[..] {
                [] if begins(self.early, &record.message).is_some() => {
                    early += 1;
                    None
                }
                // Records of the handler and of the framework always belong to a request.
                [] if label.is_ok() => Some("has no ID"),
                [] => {
                    outside.push(record);
                    None
                }
                [id] => match requests.get_mut(id.as_str()) {
                    Some(labels) => {
                        labels.push(label.unwrap_or_else(|other| other));
                        None
                    }
                    None => Some("has an ID that no request had"),
                },
                _ => Some("has more than one ID"),
            };
            report.holds(failure.is_none(), || {
                format!("{record:?} {}", failure.unwrap_or_default())
            });
        }
        let want = self.labels();
        for id in self.ids {
            let mut beyond = requests.remove(id.as_str()).unwrap_or_default();
            let mut without = want.clone();
            without.retain(|label| match beyond.iter().position(|got| got == label) {
                Some(at) => {
                    beyond.swap_remove(at);
                    false
                }
                None => true,
            });
            report.holds(without.is_empty() && beyond.is_empty(), || {
                format!("records of {id}: without {without:?}, beyond what is known {beyond:?}")
            });
        }
        let all_early = self.ids.len() * self.early.len();
        report.equal("records before the ID", early, all_early);
        if outside.len() != self.outside {
            eprintln!("records of no request: {outside:#?}");
        }
        report.equal("records of no request", outside.len(), self.outside);
        let total = self.ids.len() * want.len() + all_early + self.outside;
        report.equal("records", records.len(), total);
        report
    }

    /// Returns the expected messages of one request.
    fn labels(&self) -> Vec<String> {
        let own =
            (0..self.lines).flat_map(|i| [format!("tracing line {i}"), format!("log line {i}")]);
        let framework = self.framework.iter().map(|&begin| begin.to_owned());
        own.chain(framework).collect()
    }

    /// Returns a message without the parts that vary between requests, and `Err` if it is
    /// unexpected.
    fn label(&self, message: &str) -> Result<String, String> {
        if message.starts_with("tracing line ") || message.starts_with("log line ") {
            return Ok(message.to_owned());
        }
        let known = begins(self.framework, message);
        known.map_or_else(|| Err(message.to_owned()), |begin| Ok(begin.to_owned()))
    }
}

/// Returns the first of these texts with which the other text begins.
pub(super) fn begins<'a>(texts: &[&'a str], whole: &str) -> Option<&'a str> {
    texts.iter().copied().find(|text| whole.starts_with(text))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
