//! All five services under attack, as processes, with every answer and every log line checked.
//!
//! `cargo run --release -p chaos -- --minutes 10`. docs/CHAOS.md says what is done, and what is
//! checked.

mod attack;
mod counts;
mod database;
mod downstream;
mod headers;
mod ledger;
mod life;
mod line;
mod own;
mod queue;
mod request;
mod service;
mod world;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use tokio::task::JoinSet;

use counts::Counts;
use life::lock;
use own::Part;
use service::Service;
use world::{Framework, Row, World};

/// All five services under attack, on loopback, with every answer and every log line checked.
#[derive(Debug, Parser)]
struct Args {
    /// How long it attacks, in minutes.
    #[arg(long, default_value_t = 0)]
    minutes: u64,
    /// How long it attacks, in seconds, in addition.
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// All random choices come from this number.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let duration = match Duration::from_secs(args.minutes * 60 + args.seconds) {
        Duration::ZERO => Duration::from_secs(60),
        duration => duration,
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = args
        .seed
        .unwrap_or_else(|| now.map_or(0, |now| now.as_secs()));
    println!("chaos: seed {seed}, {} s", duration.as_secs());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let result = runtime.and_then(|runtime| runtime.block_on(run(duration, seed)));
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("chaos: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(duration: Duration, seed: u64) -> io::Result<bool> {
    world::build()?;
    let world = World::new();
    let start = Instant::now();
    let mut services = Vec::new();
    for (at, framework) in Framework::ALL.into_iter().enumerate() {
        services.push(Service::start(framework, at, &world)?);
    }
    let parts = [("queue", "chaos::queue"), ("database", "chaos::database")];
    let parts = parts.map(|(name, target)| Part::new(name, target));
    let [queue, database] = parts.each_ref().map(|part| Arc::clone(&part.ledger));
    own::log(parts.into());
    let mut attacks = JoinSet::new();
    attacks.spawn(queue::run(
        Arc::clone(&queue),
        Arc::clone(&world),
        seed,
        duration,
    ));
    attacks.spawn(database::run(
        Arc::clone(&database),
        Arc::clone(&world),
        seed,
        duration,
    ));
    for (at, service) in services.iter().enumerate() {
        attacks.spawn(service.clone().conduct(start, duration));
        attacks.spawn(service.clone().crowd(seed));
        for client in 0..CLIENTS {
            let number = (at * CLIENTS + client) as u64;
            attacks.spawn(service.clone().attack(seed, number));
        }
    }
    while !attacks.is_empty() {
        let ended = tokio::time::timeout(Duration::from_secs(5), attacks.join_next()).await;
        match ended {
            Ok(Some(ended)) => ended?,
            Ok(None) => break,
            Err(_) => {
                let mut all = Counts::default();
                services.iter().for_each(|service| all += service.counts());
                all += lock(&queue).counts;
                all += lock(&database).counts;
                let seconds = start.elapsed().as_secs();
                println!("{seconds:>5} s: {}", summary(&all));
            }
        }
    }
    let mut rows: Vec<_> = services.iter().map(Service::row).collect();
    for (name, ledger) in [("queue", queue), ("database", database)] {
        rows.push(Row::own(name, lock(&ledger).counts));
    }
    Ok(print(&rows, &world, start.elapsed()))
}

fn summary(counts: &Counts) -> String {
    let Counts {
        requests,
        answers,
        lines,
        wrong,
        missing,
        crossed,
        forged,
    } = counts;
    format!(
        "{requests} requests, {answers} answers, {lines} lines, {wrong} wrong, {missing} missing, \
         {crossed} crossed, {forged} forged"
    )
}

/// The last table; false if anything is wrong.
fn print(rows: &[Row], world: &World, elapsed: Duration) -> bool {
    println!();
    println!("| attack | times |\n|---|---:|");
    for (attack, times) in world.attacks() {
        println!("| {attack} | {times} |");
    }
    println!();
    println!(
        "| | starts | crashes | requests | answers | lines | wrong | missing | crossed | forged | \
         memory, MiB |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    let (mut all, mut good) = (Counts::default(), true);
    let (mut lives, mut crashes) = (0, 0);
    for row in rows {
        let memory = row.memory.map_or_else(String::new, |(start, end)| {
            format!("{} to {}", start / 1024, end / 1024)
        });
        print_row(&row.name, row.lives, row.crashes, &row.counts, &memory);
        all += row.counts;
        lives += row.lives;
        crashes += row.crashes;
        good &= row
            .memory
            .is_none_or(|(start, end)| end <= start + start / 4 + SPARE);
    }
    print_row("all", lives, crashes, &all, "");
    let rate = all.lines / elapsed.as_secs().max(1);
    println!("\n{} s, {rate} lines a second", elapsed.as_secs());
    if !good {
        println!("memory grows");
    }
    let mut services = rows.iter().take(Framework::ALL.len());
    let served = services.all(|row| row.counts.answers > 0 && row.counts.lines > 0);
    good && served && crashes == 0 && all.faults() == 0
}

fn print_row(name: &str, lives: u64, crashes: u64, counts: &Counts, memory: &str) {
    let Counts {
        requests,
        answers,
        lines,
        wrong,
        missing,
        crossed,
        forged,
    } = counts;
    println!(
        "| {name} | {lives} | {crashes} | {requests} | {answers} | {lines} | {wrong} | {missing} | \
         {crossed} | {forged} | {memory} |"
    );
}

/// Clients of each service at a time.
const CLIENTS: usize = 8;
/// KiB that the memory of a service may grow beyond a quarter.
const SPARE: u64 = 8 * 1024;
