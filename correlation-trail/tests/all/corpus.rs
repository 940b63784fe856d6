//! Logs of other programs, as they are found: a file each in `tests/corpus`, and what is told of
//! them in `expected.txt` there.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;

use correlation_trail::{Record, Trail};

use super::{stderr, stdout, trail};

const ID: &str = "5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11";

/// Files that are told otherwise than expected today. The list may only shrink: one that is told
/// right fails the test until it is taken from here.
const NOT_YET: &[&str] = &[];

#[test]
fn logs_of_other_programs() {
    let expected = include_str!("../corpus/expected.txt");
    let mut left: BTreeSet<_> = fs::read_dir("tests/corpus")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "expected.txt")
        .collect();
    let (mut wrong, mut names) = (Vec::new(), Vec::new());
    for section in expected.split("\n# ").skip(1) {
        let (head, expected) = section.split_once('\n').unwrap();
        let (file, page) = head.split_once("  ").expect("a file and its page");
        assert!(left.remove(file), "{file} is not there, or named twice");
        assert!(page.starts_with("https://"), "{file}: {page}");
        let expected: Vec<_> = expected.trim_end().lines().collect();
        let told = told(file);
        let mut rows = expected.iter().zip(&told);
        let right = expected.len() == told.len() && rows.all(|(row, told)| fits(row, told));
        match (right, NOT_YET.contains(&file)) {
            (true, false) | (false, true) => {}
            (true, true) => wrong.push(format!("# {file} is right now: take it from NOT_YET")),
            (false, false) => {
                names.push(file);
                let [expected, told] = [expected.join("\n    "), told.join("\n    ")];
                let head = format!("# tests/corpus/{file}\n# {page}\nexpected");
                wrong.push(format!("{head}\n    {expected}\nbut told\n    {told}"));
            }
        }
    }
    assert!(left.is_empty(), "not in expected.txt: {left:?}");
    assert!(wrong.is_empty(), "\n{}\n\n{names:?}", wrong.join("\n\n"));
}

#[test]
fn an_estate_of_ten_formats() {
    let readme = include_str!("../../README.md");
    let (_, story) = readme.split_once("estate/*'\n").unwrap();
    let (story, _) = story.split_once("```").unwrap();
    let output = trail(&["5cb8f0c2", "tests/estate/*"]);
    assert_eq!(stdout(&output), story);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

/// The rows of what is told of a file, in the form of `expected.txt`.
fn told(name: &str) -> Vec<String> {
    // A time without a year takes the year of the file, which in a checkout is that of today.
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    fs::create_dir_all(&copy).unwrap();
    let copy = copy.join(name);
    fs::copy(PathBuf::from("tests/corpus").join(name), &copy).unwrap();
    let file = File::options().write(true).open(&copy).unwrap();
    let evening = "2026-11-22T20:00:00Z".parse::<jiff::Timestamp>().unwrap();
    file.set_modified(evening.into()).unwrap();
    drop(file);

    let mut trail = Trail::new(ID);
    if let Err(error) = trail.file(&copy) {
        return vec![error.to_string()];
    }
    trail.finish().records().iter().flat_map(rows).collect()
}

fn rows(record: &Record) -> Vec<String> {
    let time = record.time.map_or("-".to_owned(), |time| time.to_string());
    // Whether the time of a record that has whole seconds is marked, depends on its neighbours.
    let mark = if record.estimated && time.contains('.') {
        "~"
    } else {
        ""
    };
    let level = record.level.map_or("-", |level| level.as_str());
    let (service, message) = (&record.service, record.message.trim());
    let first = format!("{time}{mark} {level} {service} {message}");
    let more = record.continuation.iter();
    let more = more.map(|line| format!("| {}", line.trim()).trim_end().to_owned());
    [first].into_iter().chain(more).collect()
}

/// Whether a row is as expected, where `...` stands for any text.
fn fits(expected: &str, told: &str) -> bool {
    let Some((before, after)) = expected.split_once("...") else {
        return expected == told;
    };
    let Some(rest) = told.strip_prefix(before) else {
        return false;
    };
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.any(|at| fits(after, &rest[at..]))
}
