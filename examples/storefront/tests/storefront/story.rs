//! What is told, on each database and queue.

use std::collections::BTreeSet;

use tokio::time::timeout;

#[cfg(feature = "servers")]
use crate::queue::{POSTGRESQL, Queue, RABBITMQ, REDIS, answers};
use crate::shop::{PATIENCE, SERVICES, Shop, folder, pids, records, storefront, text};

#[tokio::test]
async fn once_tells_the_whole_story_of_one_id() {
    tells_the_whole_story("once", &[]).await;
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn the_story_is_the_same_on_postgresql_and_rabbitmq() {
    if [POSTGRESQL, RABBITMQ].map(answers) == [true; 2] {
        let queue = Queue::new(RABBITMQ);
        let [url, name] = queue.env();
        tells_the_whole_story("servers", &[("DATABASE_URL", POSTGRESQL), url, name]).await;
    }
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn the_story_is_the_same_on_other_queues() {
    for (name, url) in [("redis", REDIS), ("postgresql", POSTGRESQL)] {
        if answers(url) {
            tells_the_whole_story(name, &Queue::new(url).env()).await;
        }
    }
}

async fn tells_the_whole_story(name: &str, urls: &[(&str, &str)]) {
    let logs = folder(name);
    let mut demo = storefront(&["--once", "--logs", logs.to_str().unwrap()]);
    let output = timeout(PATIENCE, demo.envs(urls.iter().copied()).output());
    let output = output.await.expect("it ends in time").unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stderr), "");

    let printed = text(&output.stdout);
    let mut lines = printed.lines();
    let id = lines
        .next()
        .and_then(|line| line.strip_prefix("one purchase, HTTP 201, correlation ID "))
        .expect("the first line names the ID");
    let story: Vec<_> = lines
        .by_ref()
        .take_while(|line| !line.starts_with("--"))
        // A busy machine may pause: that is told between the records.
        .filter(|line| !line.contains("ms of silence"))
        .collect();
    let tellers: BTreeSet<_> = story
        .iter()
        .map(|line| line.split_whitespace().nth(2).unwrap())
        .collect();
    assert_eq!(tellers, BTreeSet::from(SERVICES), "{printed}");
    // These strands are told beside each other.
    for strand in [
        &[
            "gateway INFO purchase started",
            "orders INFO INSERT INTO storefront_orders (cart, total) VALUES ($1, $2) RETURNING id rows_affected=",
            "orders INFO order stored",
            "payments WARN card not charged",
            "orders WARN payment refused, trying once more",
            "payments INFO card charged",
            "shipping INFO label printed",
            "orders INFO order confirmed",
        ][..],
        &[
            "orders INFO order confirmed",
            "gateway INFO purchase finished",
        ],
        &[
            "orders INFO order stored",
            "orders INFO UPDATE storefront_orders SET receipt = $1 WHERE id = $2 rows_affected=",
            "orders INFO order booked",
        ],
        &[
            "worker INFO mailing receipt order=",
            "worker WARN receipt not mailed",
            "worker INFO mailing receipt order=",
            "worker INFO receipt mailed",
        ],
    ] {
        let mut rest = story.iter();
        for told in strand {
            let found = rest.any(|line| words(line).contains(told));
            assert!(found, "{told} is missing:\n{printed}");
        }
    }
    assert!(!printed.contains("correlation_id"), "{printed}");
    let grep = format!("find it yourself: grep {id} {}/*", logs.display());
    assert_eq!(lines.next(), Some(grep.as_str()));

    // The story is all that the files say under this ID, and they know of no other.
    let records = records(&logs);
    let mut of_purchase = records.clone();
    of_purchase.retain(|line| line.contains("correlation_id"));
    assert_eq!(of_purchase.len(), story.len(), "{records:#?}");
    assert!(
        of_purchase.iter().all(|line| line.contains(id)),
        "{records:#?}"
    );
    // Every service started, outside of any purchase.
    assert_eq!(pids(&logs).len(), SERVICES.len());
}

/// A line of the story without what is aligned or differs.
fn words(line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().skip(2).collect();
    words.join(" ")
}

#[tokio::test]
async fn each_further_purchase_has_a_story_of_its_own() {
    let logs = folder("further");
    let mut shop = Shop::open(&logs).await;
    let (status, text) = shop.buy("my-own-id", "tok_declined").await;
    assert_eq!(status, 402);
    assert!(text.contains("card declined"), "{text}");

    shop.signal("TERM").await;
    let records = records(&logs);
    let mut mine = records;
    mine.retain(|line| line.contains("my-own-id"));
    let mine = mine.concat();
    for told in ["card not charged", "order cancelled", "purchase failed"] {
        assert!(mine.contains(told), "{told} is missing:\n{mine}");
    }
}
