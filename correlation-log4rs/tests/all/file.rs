//! A configuration file as users have it, loaded once and again.
//!
//! One test of this process, since its logger is installed once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use correlation_log4rs::correlation::{bind, sync_scope};
use correlation_testkit::id;
use serde_json::Value;

#[test]
fn the_id_is_in_patterns_and_json_and_stays_when_the_file_changes() {
    let room = Room::new();
    room.configure("{l} [{X(correlation_id)(-)}] {m}{n}");
    log4rs::init_file(room.file("log4rs.yml"), correlation_log4rs::deserializers()).unwrap();

    let id = id("click-1");
    log::info!("before");
    sync_scope(id.clone(), || {
        log::info!("order placed");
        let thread = std::thread::spawn(bind(|| log::info!("mail sent")));
        thread.join().unwrap();
        std::thread::spawn(|| log::info!("unbound")).join().unwrap();
    });
    log::info!("after");

    assert_eq!(
        room.lines("log.txt"),
        [
            "INFO [-] before",
            "INFO [click-1] order placed",
            "INFO [click-1] mail sent",
            "INFO [-] unbound",
            "INFO [-] after",
        ]
    );
    let seen: Vec<_> = room
        .lines("log.json")
        .iter()
        .map(|line| in_json(line))
        .collect();
    let known = Some("click-1".to_owned());
    assert_eq!(seen, [None, known.clone(), known, None, None]);

    // Changed again and again: log4rs compares times, and its clock may be coarse.
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        room.configure("reloaded {X(correlation_id)(-)} {m}{n}");
        sync_scope(id.clone(), || log::info!("order shipped"));
        let lines = room.lines("log.txt");
        if lines
            .last()
            .is_some_and(|line| line == "reloaded click-1 order shipped")
        {
            break;
        }
        let last = lines.last();
        assert!(Instant::now() < deadline, "still the old pattern: {last:?}");
        std::thread::yield_now();
    }
    let lines = room.lines("log.json");
    assert_eq!(in_json(lines.last().unwrap()).as_deref(), Some("click-1"));
    log::info!("after");
    assert_eq!(room.lines("log.txt").last().unwrap(), "reloaded - after");
}

/// `mdc.correlation_id` of a line.
fn in_json(line: &str) -> Option<String> {
    let record: Value = serde_json::from_str(line).unwrap();
    assert!(line.matches("correlation_id").count() <= 1, "{line}");
    record["mdc"]["correlation_id"].as_str().map(str::to_owned)
}

struct Room(PathBuf);

impl Room {
    fn new() -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("log4rs-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// In one step, so that log4rs never reads half a file.
    fn configure(&self, pattern: &str) {
        let yaml = format!(
            "refresh_rate: 10ms
appenders:
  text: {{ kind: file, path: {text:?}, encoder: {{ pattern: {pattern:?} }} }}
  json: {{ kind: file, path: {json:?}, encoder: {{ kind: json }} }}
root: {{ level: info, appenders: [text, json] }}
",
            text = self.file("log.txt"),
            json = self.file("log.json"),
        );
        fs::write(self.file("new.yml"), yaml).unwrap();
        fs::rename(self.file("new.yml"), self.file("log4rs.yml")).unwrap();
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.file(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // A failure leaves files in cargo's own directory, where they do no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
