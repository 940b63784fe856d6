//! `trail` beside `grep` on one large log: `cargo bench -p correlation-trail`.
//!
//! Writes the log to the temporary folder and takes it away again. `TRAIL_BENCH_MB` sets its size,
//! 1024 unless told. Each command runs once to warm the file cache, then `RUNS` times; the median
//! and the fastest are printed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process};

fn main() -> io::Result<()> {
    // `cargo test` runs benches, too, to see whether they run. This one takes a gigabyte.
    if !env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let megabytes = env::var("TRAIL_BENCH_MB").ok();
    let megabytes = megabytes
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_024);
    let log = Log::write(megabytes << 20)?;
    println!("{} lines, {} of them with the ID", log.lines, log.hits);
    let trail = env!("CARGO_BIN_EXE_trail");
    let path = log.path.to_string_lossy();
    for (name, locale, program, arguments) in [
        ("grep -F ID, LC_ALL=C", "C", "grep", vec!["-F", ID, &path]),
        (
            "grep -F ID, LC_ALL=C.UTF-8",
            "C.UTF-8",
            "grep",
            vec!["-F", ID, &path],
        ),
        ("grep -c ID, LC_ALL=C", "C", "grep", vec!["-c", ID, &path]),
        (
            "grep -c ID, LC_ALL=C.UTF-8",
            "C.UTF-8",
            "grep",
            vec!["-c", ID, &path],
        ),
        ("trail ID", "C.UTF-8", trail, vec![ID, &path]),
        (
            "trail --json ID",
            "C.UTF-8",
            trail,
            vec!["--json", ID, &path],
        ),
    ] {
        let mut command = Command::new(program);
        // To a pipe: `grep` stops at the first hit when its output is /dev/null.
        command
            .env("LC_ALL", locale)
            .args(arguments)
            .stdout(Stdio::piped());
        let (median, fastest, lines) = measure(&mut command)?;
        println!("{name:28} median {median:7.1?}  fastest {fastest:7.1?}  {lines} lines printed");
    }
    Ok(())
}

fn measure(command: &mut Command) -> io::Result<(Duration, Duration, usize)> {
    let mut times = Vec::new();
    let mut lines = 0;
    for _ in 0..=RUNS {
        let start = Instant::now();
        let output = command.output()?;
        times.push(start.elapsed());
        assert!(output.status.success(), "{command:?}: {output:?}");
        lines = output.stdout.iter().filter(|&&byte| byte == b'\n').count();
    }
    times.remove(0);
    times.sort();
    Ok((times[RUNS / 2], times[0], lines))
}

/// The file, as long as it is needed.
struct Log {
    path: PathBuf,
    lines: usize,
    hits: usize,
}

impl Log {
    fn write(size: usize) -> io::Result<Self> {
        let path = env::temp_dir().join(format!("trail-bench-{}.log", process::id()));
        let mut log = Self {
            path,
            lines: 0,
            hits: 0,
        };
        let mut out = BufWriter::new(File::create(&log.path)?);
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut written = 0;
        while written < size {
            let hit = random.below(20_000) == 0;
            log.hits += usize::from(hit);
            log.lines += 1;
            let id = if hit { ID.to_owned() } else { random.uuid() };
            let line = line(&mut random, log.lines, &id);
            written += line.len();
            out.write_all(line.as_bytes())?;
        }
        out.flush()?;
        Ok(log)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        eprintln!("cannot remove {}: {error}", path.display());
    }
}

/// A line of a mixed estate: mostly JSON, then text, logfmt, `env_logger`, and a few backtraces.
fn line(random: &mut Random, number: usize, id: &str) -> String {
    let micros = number * 37;
    let (minute, second) = (micros / 60_000_000 % 60, micros / 1_000_000 % 60);
    let time = format!(
        "2026-11-22T14:{minute:02}:{second:02}.{:06}Z",
        micros % 1_000_000
    );
    let (order, rows, took) = (
        random.below(1_000_000),
        random.below(500),
        random.below(9_000),
    );
    match random.below(20) {
        0..12 => {
            format!(
                r#"{{"correlation_id":"{id}","timestamp":"{time}","level":"INFO","fields":{{"message":"order stored","order":{order},"rows":{rows},"took_us":{took}}},"target":"shop::orders::store","filename":"src/orders/store.rs","line_number":118}}"#
            ) + "\n"
        }
        12..16 => format!(
            "{time}  INFO request{{method=POST path=\"/orders/{order}\"}}: shop::db: query done \
             rows={rows} took_us={took} correlation_id={id}\n"
        ),
        16..18 => format!(
            "ts={time} level=info target=shop::payments msg=\"card charged\" order={order} \
             took_us={took} correlation_id={id}\n"
        ),
        18 => format!(
            "[{time} DEBUG shop::cache] looked up {order}, {rows} rows correlation_id={id}\n"
        ),
        _ => format!(
            "{time} ERROR shop::mail: no answer correlation_id={id}\n   \
             0: std::backtrace::Backtrace::create\n   1: shop::mail::send\n             \
             at src/mail.rs:42\n"
        ),
    }
}

/// The same numbers in every run: xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 32) % end
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 48 & 0x3fff | 0x8000,
            b & 0xffff_ffff_ffff
        )
    }
}

const ID: &str = "5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11";
const RUNS: usize = 9;
