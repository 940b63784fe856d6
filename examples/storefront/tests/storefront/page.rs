//! The page, in a browser.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;

use fantoccini::Locator;
use tokio::time::timeout;

use crate::browser::Page;
use crate::shop::{PATIENCE, SERVICES, log_file};

const ID: &str = "document.querySelector('#answer .id')";

#[tokio::test]
async fn a_click_has_a_story() {
    let Some(page) = Page::open("click").await else {
        return;
    };
    page.click("buy").await;
    page.told(&["order booked", "receipt mailed"]).await;
    let answer = page.text("answer").await;
    assert!(
        answer.starts_with("HTTP 201 order 1002 is paid"),
        "{answer}"
    );
    let first = page.get(&format!("{ID}.textContent")).await;
    assert!(answer.contains(first.as_str().unwrap()), "{answer}");
    assert_eq!(page.get("document.getElementById('id').value").await, first);

    // All that the files have, in the order of time.
    let records = page.records().await;
    let tellers = records.iter().map(|[service, ..]| service.as_str());
    assert_eq!(tellers.collect::<BTreeSet<_>>(), BTreeSet::from(SERVICES));
    let in_files = crate::shop::records(&page.logs);
    let in_files = in_files
        .iter()
        .filter(|line| line.contains(first.as_str().unwrap()));
    assert_eq!(records.len(), in_files.count(), "{records:#?}");
    assert_eq!(
        records[0],
        ["gateway", "INFO", "purchase started cart=42 items=2"]
    );
    let sql =
        "INSERT INTO storefront_orders (cart, total) VALUES ($1, $2) RETURNING id rows_affected=";
    assert!(
        records.iter().any(|[.., text]| text.starts_with(sql)),
        "{records:#?}"
    );
    let summary = page.text("summary").await;
    let told = format!("{} records, 5 services, ", records.len());
    assert!(
        summary.contains(&told) && summary.ends_with("no error"),
        "{summary}"
    );
    page.picture("shop-light").await;

    // A second click has another story. The first one is found by its ID, also after a reload, and
    // the second one by the back button.
    page.click("busy").await;
    page.until(&format!("{ID} && {ID}.textContent !== {first}"))
        .await;
    page.told(&["bank is busy", "receipt mailed"]).await;
    page.search(first.as_str().unwrap()).await;
    page.told(&["receipt mailed", "receipt=R-1002-1"]).await;
    assert_eq!(page.records().await, records);
    page.browser.refresh().await.unwrap();
    page.told(&["order booked", "receipt mailed"]).await;
    assert_eq!(page.records().await, records);
    page.browser.back().await.unwrap();
    page.told(&["bank is busy", "receipt=R-1003-2"]).await;
    page.close().await;
}

#[tokio::test]
async fn a_declined_card_is_told() {
    let Some(page) = Page::open("declined").await else {
        return;
    };
    page.click("declined").await;
    page.told(&[
        "card not charged",
        "order cancelled",
        "purchase failed: card declined",
    ])
    .await;
    assert!(
        page.text("answer")
            .await
            .starts_with("HTTP 402 card declined")
    );
    let records = page.records().await;
    assert_eq!(errors(&records), ["orders"], "{records:#?}");
    // Not by its colour alone.
    assert!(page.text("records").await.contains("ERROR"));
    assert!(page.text("summary").await.ends_with("1 error"));
    page.close().await;
}

#[tokio::test]
async fn a_payment_and_a_job_that_are_tried_again_are_told() {
    let Some(page) = Page::open("busy").await else {
        return;
    };
    page.click("busy").await;
    page.told(&["order booked", "receipt mailed"]).await;
    let records = page.records().await;
    let count = |told: &str| {
        records
            .iter()
            .filter(|[.., text]| text.starts_with(told))
            .count()
    };
    for (told, times) in [
        ("charge requested", 2),
        ("payment refused, trying once more", 1),
        ("mailing receipt", 2),
        ("receipt not mailed", 1),
        ("receipt mailed", 1),
    ] {
        assert_eq!(count(told), times, "{told}: {records:#?}");
    }
    page.close().await;
}

#[tokio::test]
async fn a_panic_is_told() {
    let Some(page) = Page::open_with("panic", true).await else {
        return;
    };
    page.click("cursed").await;
    page.told(&[
        "the label printer is cursed",
        "purchase failed: the printer is broken",
    ])
    .await;
    let answer = page.text("answer").await;
    assert!(
        answer.starts_with("HTTP 500 the printer is broken"),
        "{answer}"
    );
    let records = page.records().await;
    assert_eq!(errors(&records), ["shipping"], "{records:#?}");
    let background = "getComputedStyle(document.documentElement).backgroundColor";
    assert_eq!(page.get(background).await, "rgb(17, 19, 28)");
    page.picture("shop-dark").await;
    page.close().await;
}

fn errors(records: &[[String; 3]]) -> Vec<&str> {
    let errors = records.iter().filter(|[_, level, _]| level == "ERROR");
    errors.map(|[service, ..]| service.as_str()).collect()
}

#[tokio::test]
async fn what_comes_is_shown_and_silence_too() {
    let Some(page) = Page::open("live").await else {
        return;
    };
    page.search("click-live").await;
    page.until("document.getElementById('summary').textContent.startsWith('No log has this ID')")
        .await;
    let write = |service, line: &str| {
        let mut file = OpenOptions::new()
            .append(true)
            .open(log_file(&page.logs, service))
            .unwrap();
        file.write_all(line.as_bytes()).unwrap();
    };
    write(
        "orders",
        "2026-11-22T14:15:50.100Z  INFO waits correlation_id=click-live\n",
    );
    page.told(&["waits"]).await;
    write(
        "payments",
        "2026-11-22T14:15:52.350Z ERROR lost correlation_id=click-live\n  at pay.rs:7\n",
    );
    // One that comes late stands where it belongs.
    write(
        "orders",
        "2026-11-22T14:15:50.110Z  WARN still waits correlation_id=click-live\n",
    );
    page.told(&["still waits", "lost"]).await;
    let texts = "[...document.getElementById('records').children].map((row) => row.innerText)";
    let shown: Vec<String> = serde_json::from_value(page.get(texts).await).unwrap();
    let shown: Vec<_> = shown
        .iter()
        .map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        shown,
        [
            "+0.0 ms orders INFO waits",
            "+10.0 ms orders WARN still waits",
            "2240.0 ms of silence",
            "+2250.0 ms payments ERROR lost more",
        ]
    );
    let more = "document.querySelector('#records pre').textContent.trim()";
    assert_eq!(page.get(more).await, "at pay.rs:7");
    page.close().await;
}

#[tokio::test]
async fn markup_stays_text() {
    let Some(page) = Page::open("markup").await else {
        return;
    };
    let markup = "<img src=x onerror=alert(1)>";
    let watch = "void (globalThis.images = 0,
        new MutationObserver(() => images += document.images.length)
            .observe(document, { subtree: true, childList: true }))";
    page.get(watch).await;
    // In a log line, by an item and by the card.
    for (id, card, sku) in [
        ("markup-1", "tok_visa", markup),
        ("markup-2", markup, "cup"),
    ] {
        page.shop.buy_item(id, card, sku).await;
        page.search(id).await;
        page.until(&format!("location.hash === '#/{id}'")).await;
        page.told(&["gateway", "orders"]).await;
    }
    page.search("markup-1").await;
    page.told(&["no such item", markup]).await;
    // In all parts of a record.
    let record = format!(
        r#"{{"timestamp":"2026-11-22T14:15:50Z","level":"{markup}","service":"{markup}","message":"{markup}","{markup}":"{markup}","correlation_id":"markup-3"}}"#
    );
    fs::write(log_file(&page.logs, "worker"), format!("{record}\n")).unwrap();
    page.search("markup-3").await;
    page.told(&[markup]).await;
    assert_eq!(page.records().await[0][0], markup);
    // In the search box and in the address.
    page.search(markup).await;
    page.until("document.getElementById('summary').dataset.state === 'refused'")
        .await;
    assert_eq!(
        page.get("document.getElementById('id').value").await,
        markup
    );
    page.get(&format!("void (location.hash = '#/{markup}x')"))
        .await;
    page.until("document.getElementById('id').value.endsWith('x')")
        .await;
    // In the answer.
    let fake = format!(
        "void (globalThis.fetch = async () => new Response(JSON.stringify({{ error: '{markup}' }}),
            {{ status: 500, headers: {{ 'x-correlation-id': '{markup}' }} }}))"
    );
    page.get(&fake).await;
    page.click("buy").await;
    page.until("document.getElementById('answer').textContent.includes('HTTP 500')")
        .await;
    assert_eq!(page.text("answer").await.matches(markup).count(), 2);

    assert_eq!(page.get("images").await, 0);
    // Had one become an element, the policy would still have kept its script from running.
    let policy = "fetch('/').then((page) => page.headers.get('content-security-policy'))";
    page.browser.refresh().await.unwrap();
    let policy = page.get(policy).await;
    let policy = policy.as_str().unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    let inline = "(document.body.append(Object.assign(document.createElement('script'),
        { textContent: 'globalThis.ran = true' })), globalThis.ran ?? false)";
    assert_eq!(page.get(inline).await, false);
    page.close().await;
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let Some(page) = Page::open("keyboard").await else {
        return;
    };
    let (tab, enter) = ("\u{e004}", "\u{e007}");
    let focused = || async { page.browser.active_element().await.unwrap() };
    let mut order = Vec::new();
    for _ in 0..6 {
        focused().await.send_keys(tab).await.unwrap();
        order.push(
            focused()
                .await
                .attr("id")
                .await
                .unwrap()
                .unwrap_or_default(),
        );
        let outline = page
            .get("getComputedStyle(document.activeElement).outlineStyle")
            .await;
        assert_eq!(outline, "solid", "{order:?}");
    }
    assert_eq!(order, ["buy", "declined", "busy", "cursed", "id", ""]);
    page.browser.refresh().await.unwrap();
    focused().await.send_keys(tab).await.unwrap();
    focused().await.send_keys(enter).await.unwrap();
    page.told(&["order booked", "receipt mailed"]).await;
    // From the button to the search box.
    for _ in 0..4 {
        focused().await.send_keys(tab).await.unwrap();
    }
    page.shop.buy("by-keyboard", "tok_declined").await;
    let search = focused().await;
    search.clear().await.unwrap();
    search
        .send_keys(&format!("by-keyboard{enter}"))
        .await
        .unwrap();
    page.told(&["card declined"]).await;
    assert_eq!(page.get("location.hash").await, "#/by-keyboard");
    page.close().await;
}

#[tokio::test]
async fn the_page_names_its_parts() {
    let Some(page) = Page::open("parts").await else {
        return;
    };
    for landmark in [
        "header",
        "main",
        "footer",
        "form[role=search]",
        "[role=status]",
        "html[lang]",
    ] {
        assert!(
            page.browser.find(Locator::Css(landmark)).await.is_ok(),
            "{landmark}"
        );
    }
    let unnamed = "[...document.querySelectorAll('button, input, section, ol')].filter((it) =>
        !it.innerText.trim() && !it.ariaLabel && !it.labels?.length
        && !document.getElementById(it.getAttribute('aria-labelledby'))).map((it) => it.outerHTML)";
    assert_eq!(page.get(unnamed).await, serde_json::json!([]));
    let background = "getComputedStyle(document.documentElement).backgroundColor";
    assert_eq!(page.get(background).await, "rgb(245, 246, 251)");
    page.close().await;
}

#[tokio::test]
async fn a_story_ends_when_the_browser_leaves_and_few_are_told_at_a_time() {
    let Some(page) = Page::open("streams").await else {
        return;
    };
    page.get(
        "void (globalThis.opened = 0, globalThis.sources = Array.from({ length: 4 }, () => {
        const source = new EventSource('stories/click-1');
        source.onopen = () => document.body.dataset.opened = ++opened;
        return source; }))",
    )
    .await;
    page.until("document.body.dataset.opened === '4'").await;
    let shop = page.shop.url.clone();
    let open = || {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{shop}/stories/click-2")).send();
        async { answer.await.unwrap() }
    };
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(open().await);
    }
    assert!(answers.iter().all(|answer| answer.status() == 200));
    assert_eq!(open().await.status(), 503);
    // Each that leaves makes room for another.
    page.get("void sources.forEach((source) => source.close())")
        .await;
    let room = async { while open().await.status() != 200 {} };
    timeout(PATIENCE, room).await.expect("there is room");
    drop(answers);
    page.close().await;
}
