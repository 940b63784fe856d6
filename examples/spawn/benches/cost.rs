//! What inheritance costs: `cargo bench` in this directory.
//!
//! Nanoseconds are the least of many rounds in which the cases take turns. A case is run alone by
//! its name and a number of times, for a tool that counts instructions.

#[cfg(tokio_unstable)]
fn main() {
    cost::main();
}

#[cfg(not(tokio_unstable))]
fn main() {
    eprintln!("Run it in examples/spawn, which sets --cfg tokio_unstable.");
}

#[cfg(tokio_unstable)]
mod cost {
    #![expect(
        clippy::disallowed_methods,
        reason = "naked spawns are what is measured"
    )]

    use std::env;
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    use correlation_core::{CorrelationId, current, inherit_on_spawn, scope};
    use tokio::runtime::{Builder, Runtime};
    use tokio::task::yield_now;

    /// A name, whether the runtime has our hooks, whether there is a scope, and what is done.
    type Case = (&'static str, bool, bool, What);

    #[derive(Clone, Copy)]
    enum What {
        Spawn,
        SpawnWithHelper,
        Poll,
        Read,
    }

    const CASES: [Case; 9] = [
        ("spawn, without hooks", false, true, What::Spawn),
        ("spawn, outside of a scope", true, false, What::Spawn),
        ("spawn, inherits", true, true, What::Spawn),
        (
            "spawn, correlation::spawn",
            false,
            true,
            What::SpawnWithHelper,
        ),
        ("poll, without hooks", false, true, What::Poll),
        ("poll, inherits", true, true, What::Poll),
        ("read, in a scope", false, true, What::SpawnWithHelper),
        ("read, inherited", true, true, What::Read),
        ("read, not in any scope", true, false, What::Read),
    ];

    const TIMES: u32 = 10_000;
    const ROUNDS: usize = 300;

    pub(super) fn main() {
        let words: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
        if let [name, times] = &words[..] {
            let case = CASES.iter().find(|case| case.0 == name);
            run(
                *case.expect("a name of a case"),
                times.parse().expect("a number"),
            );
            return;
        }
        let mut least = CASES.map(|_| Duration::MAX);
        for _ in 0..ROUNDS {
            for (case, least) in CASES.into_iter().zip(&mut least) {
                *least = run(case, TIMES).min(*least);
            }
        }
        for (case, least) in CASES.iter().zip(least) {
            let nanos = least.as_secs_f64() * 1e9 / f64::from(TIMES);
            println!("{:28} {nanos:6.1} ns", case.0);
        }
    }

    fn run((name, hooks, scoped, what): Case, times: u32) -> Duration {
        let runtime = runtime(hooks);
        let work = async move {
            let start = Instant::now();
            match what {
                What::Spawn => {
                    for _ in 0..times {
                        tokio::spawn(async {}).await.expect("it ends");
                    }
                }
                What::SpawnWithHelper if name.starts_with("read") => {
                    correlation_core::spawn(reads(times))
                        .await
                        .expect("it ends");
                }
                What::SpawnWithHelper => {
                    for _ in 0..times {
                        correlation_core::spawn(async {}).await.expect("it ends");
                    }
                }
                What::Poll => {
                    let yields = async move {
                        for _ in 0..times {
                            yield_now().await;
                        }
                    };
                    tokio::spawn(yields).await.expect("it ends");
                }
                What::Read => tokio::spawn(reads(times)).await.expect("it ends"),
            }
            start.elapsed()
        };
        if scoped {
            runtime.block_on(scope(CorrelationId::new(), work))
        } else {
            runtime.block_on(work)
        }
    }

    async fn reads(times: u32) {
        for _ in 0..times {
            black_box(current());
        }
    }

    fn runtime(hooks: bool) -> Runtime {
        let mut builder = Builder::new_current_thread();
        if hooks {
            inherit_on_spawn(&mut builder);
        }
        builder.build().expect("a runtime")
    }
}
