//! What IDs cost at a million requests a second: formulas, and a simulation of each that can be wrong.

mod carriers;
mod cells;
mod simulation;

use std::collections::HashSet;

use carriers::carrier_bytes;
use cells::{duration, grouped, line, number};
use simulation::{Leaves, Random};

/// Requests of the whole fleet in one second.
const RATE: f64 = 1e6;
const DAY: f64 = 86_400.0;
const YEAR: f64 = 365.25 * DAY;
/// The documents that Lucene takes into one index.
const SHARD: f64 = 2_147_483_519.0;
const HEADER: &str = "x-correlation-id";
const KEY: &str = "correlation_id";

/// A way to make IDs.
struct Kind {
    name: &'static str,
    random_bits: f64,
    characters: usize,
    /// Whether it begins with the time in milliseconds, so that only IDs of one millisecond can be equal.
    timed: bool,
}

const fn kind(name: &'static str, random_bits: f64, characters: usize, timed: bool) -> Kind {
    Kind {
        name,
        random_bits,
        characters,
        timed,
    }
}

const KINDS: [Kind; 8] = [
    kind("`Generator::uuid_v4()`, the default", 122.0, 36, false),
    kind("`Generator::uuid_v7()`", 74.0, 36, true),
    kind("`Generator::hex()`, a W3C trace-id", 128.0, 32, false),
    kind("ULID", 80.0, 26, true),
    kind("nanoid, 21 characters", 126.0, 21, false),
    kind("16 hexadecimal digits", 64.0, 16, false),
    kind("10 letters and digits", 59.542, 10, false), // 10 * log2(62)
    kind("8 hexadecimal digits", 32.0, 8, false),
];

/// The tables of the page, in its order, as Markdown.
#[must_use]
pub fn tables() -> Vec<String> {
    vec![
        collisions(),
        birthdays(),
        log_bytes(),
        cardinality(),
        keyword_field(),
        index_pages(),
        carrier_bytes(),
    ]
}

/// Unordered pairs among `n` IDs.
fn pairs(n: f64) -> f64 {
    n * (n - 1.0) / 2.0
}

fn collisions() -> String {
    let mut table = String::from(
        "| ID | characters | random bits | equal pairs in ten years | a chance of one half after |\n|---|---:|---:|---:|---:|\n",
    );
    for kind in &KINDS {
        let space = kind.random_bits.exp2();
        let (expected, even) = if kind.timed {
            let each_second = pairs(RATE / 1000.0) / space * 1000.0;
            (each_second * 10.0 * YEAR, 2_f64.ln() / each_second)
        } else {
            let even = (2.0 * 2_f64.ln() * space).sqrt() / RATE;
            (pairs(RATE * 10.0 * YEAR) / space, even)
        };
        let bits = if kind.timed {
            format!("{} in each millisecond", kind.random_bits)
        } else {
            format!("{:.1}", kind.random_bits).replace(".0", "")
        };
        let characters = kind.characters.to_string();
        line(
            &mut table,
            &[
                kind.name,
                &characters,
                &bits,
                &number(expected),
                &duration(even),
            ],
        );
    }
    table
}

/// Draws small IDs many times, and compares how often two are equal with the formula.
fn birthdays() -> String {
    const ROUNDS: u32 = 2_000;
    let mut random = Random(1);
    let mut table = String::from(
        "| IDs | of so many bits | formula: a pair is equal | simulation |\n|---:|---:|---:|---:|\n",
    );
    for (ids, bits) in [(100_u32, 16_u32), (300, 16), (1_000, 20)] {
        let mut rounds = 0;
        for _ in 0..ROUNDS {
            let mut seen = HashSet::new();
            if !(0..ids).all(|_| seen.insert(random.next() >> (64 - bits))) {
                rounds += 1;
            }
        }
        let formula = 1.0 - (-pairs(f64::from(ids)) / f64::from(bits).exp2()).exp();
        let simulation = f64::from(rounds) / f64::from(ROUNDS);
        line(
            &mut table,
            &[
                &ids.to_string(),
                &bits.to_string(),
                &format!("{:.1} %", formula * 100.0),
                &format!("{:.1} %", simulation * 100.0),
            ],
        );
    }
    table
}

/// What the ID adds to a line of text.
#[must_use]
pub fn text_bytes(characters: usize) -> usize {
    format!(" {KEY}=").len() + characters
}

/// What the ID adds to a record in JSON.
#[must_use]
pub fn json_bytes(characters: usize) -> usize {
    format!("\"{KEY}\":\"\",").len() + characters
}

fn log_bytes() -> String {
    let mut table = String::from(
        "| characters of the ID | bytes in text | TB a day | bytes in JSON | TB a day |\n|---:|---:|---:|---:|---:|\n",
    );
    for characters in [36, 32, 26, 16] {
        let (text, json) = (text_bytes(characters), json_bytes(characters));
        line(
            &mut table,
            &[
                &characters.to_string(),
                &text.to_string(),
                &terabytes(text),
                &json.to_string(),
                &terabytes(json),
            ],
        );
    }
    table
}

/// A day of one line for each request.
fn terabytes(bytes: usize) -> String {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    format!("{:.2}", f64::from(bytes) * RATE * DAY / 1e12)
}

fn cardinality() -> String {
    let mut table = String::from("| limit | count | reached after |\n|---|---:|---:|\n");
    for (limit, count) in [
        (
            "Loki: active streams of a tenant, if the ID were a label",
            5_000.0,
        ),
        ("Elasticsearch: documents in one shard", SHARD),
    ] {
        line(
            &mut table,
            &[limit, &grouped(count), &duration(count / RATE)],
        );
    }
    table
}

/// What an index of Elasticsearch keeps beside the records: sizes before its compression.
fn keyword_field() -> String {
    const RECORDS: f64 = SHARD;
    const UUID: f64 = 36.0;
    let ids = (RECORDS / 10.0).floor();
    // Sorted, two random neighbours begin with as many equal digits as it takes to count them.
    let shared = ids.log(16.0);
    let terms = ids * (UUID - shared);
    let ordinals = RECORDS * ids.log2().ceil() / 8.0;
    let mut table = String::from("| a full shard, ten records for each UUID | |\n|---|---:|\n");
    for (what, much) in [
        ("different IDs", grouped(ids)),
        ("equal characters of two neighbours", number(shared)),
        ("their terms in the inverted index", gigabytes(terms)),
        ("their terms in the doc values", gigabytes(terms)),
        (
            "the numbers of terms in the doc values",
            gigabytes(ordinals),
        ),
    ] {
        line(&mut table, &[what, &much]);
    }
    table
}

fn gigabytes(bytes: f64) -> String {
    format!("{:.1} GB", bytes / 1e9)
}

/// Fills a B-tree's leaves with IDs in the order in which they are made.
fn index_pages() -> String {
    const IDS: u64 = 200_000;
    const LAST: u64 = 10_000;
    const PAGE: usize = 256;
    let mut table = String::from(
        "| ID | pages | filled | pages that the last 10,000 IDs change |\n|---|---:|---:|---:|\n",
    );
    for (name, timed) in [("UUIDv4", false), ("UUIDv7", true)] {
        let mut random = Random(2);
        let mut leaves = Leaves::new(PAGE);
        let mut changed = HashSet::new();
        for at in 0..IDS {
            let id = if timed {
                // The 48 bits of the time, and what fits of the random ones.
                ((at / 1_000) << 16) | (random.next() >> 48)
            } else {
                random.next()
            };
            let page = leaves.insert(id);
            if at >= IDS - LAST {
                changed.insert(page);
            }
        }
        let pages = leaves.pages.len();
        let full = IDS * 100 / u64::try_from(pages * PAGE).unwrap_or(u64::MAX);
        line(
            &mut table,
            &[
                name,
                &pages.to_string(),
                &format!("{full} %"),
                &changed.len().to_string(),
            ],
        );
    }
    table
}
