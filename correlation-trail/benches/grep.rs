//! `trail` beside `grep` on large logs, one with times and one without: `cargo bench -p
//! correlation-trail`.
//!
//! Writes each log to the temporary folder and takes it away again. `TRAIL_BENCH_MB` sets the size,
//! 1024 unless told. Each command runs once to warm the file cache, then `RUNS` times; the median,
//! the fastest, and the median by that of `grep -c -F` are printed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process};

fn main() -> io::Result<()> {
    // `cargo test` runs benches, too, to see whether they run. This one takes a gigabyte.
    if !env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let megabytes = env::var("TRAIL_BENCH_MB").map(|text| text.parse());
    let megabytes = megabytes.ok().and_then(Result::ok).unwrap_or(1_024);
    for with_times in [true, false] {
        let log = Log::write(megabytes << 20, with_times)?;
        let times = if with_times { "with" } else { "without" };
        let (lines, hits) = (log.lines, log.hits);
        println!("{megabytes} MiB {times} times, {lines} lines, {hits} of them with the ID");
        let (path, trail) = (log.path.to_string_lossy(), env!("CARGO_BIN_EXE_trail"));
        let mut of_grep = None;
        for (program, options) in [
            ("grep", &["-c", "-F"][..]),
            ("grep", &["-F"]),
            (trail, &["--color=never"]),
            (trail, &["--json"]),
        ] {
            let mut command = Command::new(program);
            // To a pipe: `grep` stops at the first hit when its output is /dev/null.
            command.env("LC_ALL", "C.UTF-8").stdout(Stdio::piped());
            command.args(options).args([ID, &path]);
            let (median, fastest, lines) = measure(&mut command)?;
            let ratio = median.as_secs_f64() / of_grep.get_or_insert(median).as_secs_f64();
            let program = program.rsplit('/').next().unwrap_or(program);
            let name = format!("{program} {}", options.join(" "));
            println!(
                "  {name:19} median {median:7.1?}  fastest {fastest:7.1?}  {ratio:4.2}x  {lines} lines printed"
            );
        }
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
    fn write(size: usize, with_times: bool) -> io::Result<Self> {
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
            let mut line = line(&mut random, log.lines, &id);
            if !with_times {
                line = line.replace("2026-11-22T14:", "");
            }
            written += line.len();
            out.write_all(line.as_bytes())?;
        }
        out.flush()?;
        Ok(log)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
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
