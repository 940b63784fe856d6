//! How it ends, and what is left for the next start.

use std::fs;
use std::path::Path;

use tokio::time::timeout;

#[cfg(feature = "servers")]
use crate::queue::{POSTGRESQL, Queue, RABBITMQ, REDIS, answers};
use crate::shop::{PATIENCE, SERVICES, Shop, assert_gone, folder, kill, log_file, pid};

#[tokio::test]
async fn a_signal_ends_all_and_that_is_no_failure() {
    for signal in ["TERM", "INT"] {
        let logs = folder(signal);
        let mut shop = Shop::open(&logs).await;
        let (code, stderr) = shop.signal(signal).await;
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{signal}");
        assert_gone(&logs);
    }
}

#[tokio::test]
async fn the_crash_of_one_service_ends_all() {
    let logs = folder("crash");
    for crashed in SERVICES {
        fs::remove_dir_all(&logs).ok();
        let mut shop = Shop::open(&logs).await;
        kill("KILL", pid(&logs, crashed));
        let (code, stderr) = shop.end().await;
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.starts_with("storefront: "), "{stderr}");
        assert!(stderr.contains(crashed), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert_gone(&logs);
    }
}

#[tokio::test]
async fn the_services_end_even_if_the_demo_is_killed() {
    let logs = folder("killed");
    let mut shop = Shop::open(&logs).await;
    // The services inherit standard output: its end is theirs.
    let (code, _) = shop.signal("KILL").await;
    assert_eq!(code, None);
}

#[tokio::test]
async fn the_next_start_does_the_job_whose_worker_was_killed() {
    does_the_job_whose_worker_was_killed("mail-sqlite", &[]).await;
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn so_it_does_on_servers() {
    for (name, url) in [
        ("mail-postgresql", POSTGRESQL),
        ("mail-redis", REDIS),
        ("mail-rabbitmq", RABBITMQ),
    ] {
        if answers(url) {
            let queue = Queue::new(url);
            does_the_job_whose_worker_was_killed(name, &queue.env()).await;
        }
    }
}

async fn does_the_job_whose_worker_was_killed(name: &str, env: &[(&str, &str)]) {
    // The job takes an instant; the signal may come too late.
    for try_ in 1.. {
        assert!(try_ < 20, "{name}: no job is killed in the middle");
        let logs = folder(name);
        let id = format!("click-{try_}");
        let mut shop = Shop::open_with(&logs, env).await;
        let worker = pid(&logs, "worker");
        let (bought, ()) = tokio::join!(shop.buy(&id, "tok_retry"), async {
            mailed(&logs, &id, "mailing receipt").await;
            kill("KILL", worker);
        });
        assert_eq!(bought.0, 201);
        let (code, stderr) = shop.end().await;
        assert_eq!(code, Some(1), "{stderr}");
        if told(&logs, &id, "receipt mailed") {
            continue;
        }

        let mut shop = Shop::open_with(&logs, env).await;
        mailed(&logs, &id, "receipt mailed").await;
        shop.signal("TERM").await;
        return;
    }
}

/// Waits until the worker has written this about the purchase with this ID.
async fn mailed(logs: &Path, id: &str, words: &str) {
    let wait = async {
        while !told(logs, id, words) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, wait).await.expect(words);
}

fn told(logs: &Path, id: &str, words: &str) -> bool {
    let log = fs::read_to_string(log_file(logs, "worker")).unwrap();
    let id = format!("\"correlation_id\":\"{id}\"");
    let mut lines = log.lines();
    lines.any(|line| line.contains(&id) && line.contains(words))
}
