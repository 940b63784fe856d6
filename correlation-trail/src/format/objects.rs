//! The objects that collectors and stores put around a line.

use std::borrow::Cow;

use super::wrap::{Peeled, service_of};
use super::{Parsed, json};
use crate::clean::clean;
use crate::record::Level;
use crate::time::Time;

/// An object around a line: the keys that it always has, and the places of its parts. `a.b` is the
/// key `b` in the object `a`.
struct Object {
    keys: &'static str,
    text: &'static str,
    time: &'static str,
    service: &'static str,
    level: &'static str,
}

const OBJECTS: [Object; 8] = [
    // Docker's json-file driver, and the objects that Fluent Bit and Fluentd make of it in
    // Kubernetes
    Object {
        keys: "log stream time",
        text: "log",
        time: "time",
        service: "kubernetes.container_name",
        level: "",
    },
    Object {
        keys: "log kubernetes",
        text: "log",
        time: "time @timestamp timestamp date",
        service: "kubernetes.container_name",
        level: "",
    },
    // journalctl -o json
    Object {
        keys: "MESSAGE __REALTIME_TIMESTAMP",
        text: "MESSAGE",
        time: "_SOURCE_REALTIME_TIMESTAMP __REALTIME_TIMESTAMP",
        service: "SYSLOG_IDENTIFIER _SYSTEMD_UNIT _COMM",
        level: "PRIORITY",
    },
    // logcli query -o jsonl
    Object {
        keys: "labels line timestamp",
        text: "line",
        time: "timestamp",
        service: "labels.service_name labels.app labels.service labels.container labels.job",
        level: "labels.detected_level labels.level",
    },
    // Elasticsearch's hits
    Object {
        keys: "_index _source",
        text: "_source",
        time: "",
        service: "",
        level: "",
    },
    // gcloud logging read --format=json
    Object {
        keys: "insertId timestamp",
        text: "jsonPayload textPayload protoPayload",
        time: "timestamp",
        service: "labels.k8s-pod/app resource.labels.container_name \
            resource.labels.service_name resource.labels.function_name resource.labels.module_id",
        level: "severity",
    },
    // aws logs filter-log-events, and get-log-events
    Object {
        keys: "message timestamp ingestionTime",
        text: "message",
        time: "timestamp",
        service: "logStreamName",
        level: "",
    },
    // A subscription of CloudWatch, and its Insights
    Object {
        keys: "id timestamp message",
        text: "message",
        time: "timestamp",
        service: "",
        level: "",
    },
];

pub(super) fn objects(line: &str) -> Option<Peeled<'_>> {
    // A line is read as JSON only if it may be one of these objects.
    let may = |object: &&Object| object.keys.split(' ').all(|key| line.contains(key));
    let mut candidates = OBJECTS.iter().filter(may).peekable();
    candidates.peek().filter(|_| line.starts_with('{'))?;
    let members = json::members(line.trim_ascii())?;
    let has = |key: &str| members.iter().any(|(name, _)| name == key);
    let first = |keys: &str| {
        let mut keys = keys.split_ascii_whitespace();
        keys.find_map(|key| json::at(&members, key))
    };
    candidates.find_map(|object| {
        let all = object.keys.split(' ').all(has);
        let text = all.then(|| first(object.text)).flatten()?;
        let said = |keys: &str| first(keys).map(json::text);
        let mut known = Parsed {
            time: said(object.time).and_then(|time| Time::parse(&time)),
            level: said(object.level).and_then(|level| Level::parse(&level)),
            service: said(object.service).map(|name| service_of(&name).to_owned()),
            ..Parsed::default()
        };
        // Applications add keys to the journal. The journal's own keys mostly begin with an
        // underscore.
        let is_journal = object.text == "MESSAGE";
        for (key, value) in members.iter().filter(|_| is_journal) {
            let own = ["MESSAGE", "PRIORITY", "_", "SYSLOG_", "CODE_", "TID"];
            if !own.iter().any(|own| key.starts_with(own)) {
                known.field(key, json::text(value));
            }
        }
        let stream = json::at(&members, "stream").map(json::text);
        let rest = json::bytes(text).unwrap_or_else(|| json::text(text).into_bytes());
        let origin = ["labels", "kubernetes", "logStreamName", "_PID"];
        let origin = origin
            .iter()
            .filter_map(|key| json::at(&members, key).map(json::text));
        Some(Peeled {
            rest: Cow::Owned(clean(&rest).into_owned()),
            origin: origin.collect(),
            stream: Some(if stream.as_deref() == Some("stderr") {
                "err"
            } else {
                "out"
            }),
            is_piece: object.keys == "log stream time" && !rest.ends_with(b"\n"),
            ..Peeled::new(known, "")
        })
    })
}
