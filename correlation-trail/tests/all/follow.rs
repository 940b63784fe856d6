//! Files that grow, in a process of its own: what is written is told, without the end of the file.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::process::Command;
use std::time::Instant;

use correlation_testkit::process::{DEADLINE, Running};
use correlation_trail::Trail;

use super::{ID, file, stderr, stdout, trail_with};

#[test]
fn new_records_are_told_as_they_come() {
    let orders = file("follow/orders.log", record(3, "stored").as_bytes());
    let gateway = file("follow/gateway.log", record(1, "started").as_bytes());
    let mut following = Following::new(&["-f", "abc", &orders, &gateway]);
    following.tells("     +0.0 ms  gateway  INFO   started");
    following.tells("              ... 2000.0 ms of silence");
    following.tells("  +2000.0 ms  orders   INFO   stored");
    following.tells("-- 2 records, 2 services, 2 files, 2000.0 ms, from 2026-11-22T14:15:01Z");

    append(&orders, &record(5, "packed"));
    following.tells("              ... 2000.0 ms of silence");
    following.tells("  +4000.0 ms  orders   INFO   packed");
    append(&orders, "2026-11-22T14:15:06Z  INFO somebody else\n");
    append(&gateway, &(record(5, "answered") + "   a frame below\n"));
    following.tells("  +4000.0 ms  gateway  INFO   answered");
    following.tells("                              |    a frame below");
    // Half a line is no record yet.
    append(&gateway, &record(5, "late")[..30]);
    append(&orders, &record(4, "told late"));
    following.tells("  +3000.0 ms  orders   INFO   told late");
    append(&gateway, &record(5, "late")[30..]);
    following.tells("  +4000.0 ms  gateway  INFO   late");
    append(&orders, &record(0, "before all"));
    following.tells("  -1000.0 ms  orders   INFO   before all");
    following.interrupt();
}

#[test]
fn what_was_there_is_of_the_time_of_its_file() {
    let path = file(
        "follow/old.log",
        b"Nov 22 14:15:50 h shop[1]: one abc\n14:15:50.2 two abc\n",
    );
    let evening = "2024-11-22T20:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let old = OpenOptions::new().append(true).open(&path).unwrap();
    old.set_modified(evening.into()).unwrap();
    let mut following = Following::new(&["-f", "--json", "abc", &path]);
    following.has("\"2024-11-22T14:15:50.000000000Z\"");
    following.has("\"2024-11-22T14:15:50.200000000Z\"");
    append(&path, "14:15:50.2 three abc\n");
    let line = following.0.next_line();
    assert!(line.contains("three") && !line.contains("2024-"), "{line}");
    following.interrupt();
}

#[test]
fn rotated_files_are_read_on() {
    let path = file("follow/rotated.log", record(1, "one").as_bytes());
    let mut following = Following::new(&["-f", "--json", "abc", &path]);
    following.has("\"one\"");
    // Renamed, while its writer still writes to it.
    let mut old = OpenOptions::new().append(true).open(&path).unwrap();
    fs::rename(&path, format!("{path}.1")).unwrap();
    old.write_all(record(2, "two").as_bytes()).unwrap();
    following.has("\"two\"");
    old.write_all(record(3, "three").as_bytes()).unwrap();
    // Longer than what was read of the old one.
    fs::write(&path, "x\n".repeat(200) + &record(4, "four")).unwrap();
    following.has("\"three\"");
    following.has("\"four\"");
    // Copied and cut: the new start is shorter than what was read.
    append(&path, &"2026-11-22T14:15:04Z  INFO nobody\n".repeat(9));
    append(&path, &record(5, "five"));
    following.has("\"five\"");
    fs::write(&path, record(6, "six")).unwrap();
    following.has("\"six\"");
    append(&path, &record(7, "seven"));
    following.has("\"line\":2");
    following.interrupt();
}

#[test]
fn standard_input_is_followed_to_its_end() {
    let records = [record(1, "one"), record(2, "two")].concat();
    let output = trail_with(&["-f", "abc", "-"], records.as_bytes(), &[]);
    let story = trail_with(&["abc", "-"], records.as_bytes(), &[]);
    // The summary is of what the files had when the story began.
    let (records, _) = stdout(&story).split_once("-- ").unwrap();
    assert_eq!(stdout(&output), records);
    assert!(stdout(&output).contains("  +1000.0 ms  stdin  INFO   two\n"));
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));

    let nothing = trail_with(&["-f", "abc", "-"], b"x\n", &[]);
    assert_eq!((nothing.status.code(), stdout(&nothing)), (Some(1), ""));
    let missing = trail_with(&["-f", "abc", "-", "no/such.log"], b"", &[]);
    assert_eq!(missing.status.code(), Some(2));
    let folder = trail_with(&["-f", "abc", "-", "tests"], b"", &[]);
    assert_eq!(folder.status.code(), Some(2), "{}", stderr(&folder));
    assert!(stderr(&folder).starts_with("trail: cannot read tests: "));
}

#[test]
fn what_is_packed_or_encoded_is_followed() {
    let log = record(1, "one");
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let start = [b"\xff\xfe".to_vec(), utf16(&log)].concat();
    let path = file("follow/windows.log", &start);
    let packed = "tests/fixtures/packed/orders.log.gz";
    let mut following = Following::new(&["-f", "--json", "abc", &path, packed]);
    following.has("\"one\"");
    let mut out = OpenOptions::new().append(true).open(&path).unwrap();
    out.write_all(&utf16(&record(2, "two"))).unwrap();
    following.has("\"two\"");
    following.interrupt();
    let mut following = Following::new(&["-f", "--json", ID, packed]);
    following.has("order stored");
    following.interrupt();
}

#[test]
fn an_answer_of_a_store_is_followed() {
    let pretty = |second| format!("{{\n  \"id\": \"abc\",\n  \"msg\": \"of {second}\"\n}}\n");
    let path = file("follow/pretty.json", pretty(1).as_bytes());
    let list = "tests/corpus/gcloud.json";
    let mut following = Following::new(&["-f", "--json", "abc", &path, list]);
    following.has("\"of 1\"");
    append(&path, &pretty(2));
    following.has("\"of 2\"");
    append(&path, &record(3, "no object"));
    following.has("\"no object\"");
    following.interrupt();
    let id = "5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11";
    let mut following = Following::new(&["-f", "--json", id, list]);
    following.has("\"message\":\"order paid\",");
    following.interrupt();
}

#[test]
fn a_pipe_is_told_as_it_is_written() {
    let (reader, mut writer) = io::pipe().unwrap();
    let mut follow = Trail::new("abc").follow();
    follow.reader("pipe", reader);
    let mut next = || follow.next().map(|news| news.unwrap().to_string());
    writer.write_all(record(1, "one").as_bytes()).unwrap();
    assert!(
        next()
            .unwrap()
            .starts_with("     +0.0 ms  pipe  INFO   one\n")
    );
    writer.write_all(record(2, "two").as_bytes()).unwrap();
    assert!(
        next()
            .unwrap()
            .ends_with("  +1000.0 ms  pipe  INFO   two\n")
    );
    // A line without its end is one when there is no more.
    writer
        .write_all(record(3, "three").trim_end().as_bytes())
        .unwrap();
    drop(writer);
    assert!(next().unwrap().contains("three"));
    assert_eq!(next(), None);
    assert_eq!(Trail::new("abc").follow().count(), 0);
}

/// Writes without a pause, until somebody listens no more.
struct Busy(Option<String>, Instant);

impl Read for Busy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let text = self.0.take().unwrap_or_else(|| "nobody\n".repeat(1_000));
        // The end, if this fails.
        let over = self.1.elapsed() > DEADLINE;
        text.as_bytes()
            .take(if over { 0 } else { u64::MAX })
            .read(buffer)
    }
}

#[test]
fn what_is_never_quiet_is_told() {
    let start = Instant::now();
    let mut follow = Trail::new("abc").follow();
    let first = record(1, "one") + &record(2, "somebody").replace("abc", "def");
    follow.reader("busy", Busy(Some(first), start));
    let told = follow.next().unwrap().unwrap().to_string();
    assert!(told.contains("one"), "{told}");
    assert!(start.elapsed() < DEADLINE, "only its end was told");
}

/// A `trail` that runs, and what it prints.
struct Following(Running);

impl Following {
    fn new(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trail"));
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        Self(Running::start(command.args(arguments)))
    }

    fn tells(&mut self, line: &str) {
        assert_eq!(self.0.next_line(), line);
    }

    fn has(&mut self, part: &str) {
        let line = self.0.next_line();
        assert!(line.contains(part), "{part} in {line}");
    }

    fn interrupt(mut self) {
        // Not SIGINT: a shell that runs the tests in the background has them ignore it.
        self.0.signal("TERM");
        let (status, _) = self.0.wait();
        assert!(status.to_string().contains("SIGTERM"), "{status}");
    }
}

fn record(second: u64, what: &str) -> String {
    format!("2026-11-22T14:15:{second:02}.000Z  INFO {what} correlation_id=abc\n")
}

fn append(path: &str, text: &str) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
