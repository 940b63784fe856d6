//! A Chromium of its own for each test, with the page of a shop in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use correlation_testkit::process::Running;
use correlation_testkit::services::{free_port, require};
use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::shop::{PATIENCE, Shop, folder};

/// The page in a browser. Both processes end with it.
pub(crate) struct Page {
    pub(crate) browser: Client,
    pub(crate) shop: Shop,
    pub(crate) logs: PathBuf,
    _driver: Running,
}

impl Page {
    /// Opens a shop and its page; `None` on a machine without Chromium and its driver.
    pub(crate) async fn open(name: &str) -> Option<Self> {
        Self::open_with(name, false).await
    }

    /// As [`Self::open`], for a customer who prefers a dark page or a light one.
    pub(crate) async fn open_with(name: &str, dark: bool) -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let found = env::split_paths(&path).any(|folder| folder.join("chromedriver").is_file());
        require(found.then_some(()).ok_or("no chromedriver".to_owned()))?;

        // Told to choose one, it ends if a port that is free for IPv6 is not free for IPv4.
        let port = free_port();
        let mut driver = Running::start(Command::new("chromedriver").arg(format!("--port={port}")));
        driver.wait_for(|line| line.contains("started successfully").then_some(()));
        let logs = folder(&format!("page-{name}"));
        let profile = logs.with_extension("chromium");
        fs::remove_dir_all(&profile).ok();
        let options = json!({ "goog:chromeOptions": { "args": [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--window-size=1200,1000",
            // As wide as a README, so that the pictures are small.
            "--force-device-scale-factor=0.85",
            format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)),
            format!("--user-data-dir={}", profile.display()),
        ] } });
        let Value::Object(options) = options else {
            unreachable!("it is an object");
        };
        let browser = ClientBuilder::new(HttpConnector::new())
            .capabilities(options)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        let patience = TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None);
        browser.update_timeouts(patience).await.unwrap();

        let shop = Shop::open(&logs).await;
        browser.goto(&shop.url).await.unwrap();
        Some(Self {
            browser,
            shop,
            logs,
            _driver: driver,
        })
    }

    pub(crate) async fn click(&self, id: &str) {
        let element = self.browser.find(Locator::Id(id)).await.unwrap();
        element.click().await.unwrap();
    }

    /// Types an ID into the search box, and searches.
    pub(crate) async fn search(&self, id: &str) {
        let search = self.browser.find(Locator::Id("id")).await.unwrap();
        search.clear().await.unwrap();
        search.send_keys(&format!("{id}\u{e007}")).await.unwrap();
    }

    /// What an expression gives in the page.
    pub(crate) async fn get(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.browser.execute(&script, Vec::new()).await.unwrap()
    }

    /// The text of an element, as it is shown.
    pub(crate) async fn text(&self, id: &str) -> String {
        let element = self.browser.find(Locator::Id(id)).await.unwrap();
        element.text().await.unwrap()
    }

    /// Waits until this is true in the page, at each change of it.
    pub(crate) async fn until(&self, condition: &str) {
        let script = format!(
            "const done = arguments[0];
            const check = () => ({condition}) && (observer.disconnect(), done(null));
            const observer = new MutationObserver(check);
            const all = {{ subtree: true, childList: true, attributes: true, characterData: true }};
            observer.observe(document, all);
            check();"
        );
        if let Err(error) = self.browser.execute_async(&script, Vec::new()).await {
            let shown = self.get("document.body.innerText").await;
            panic!(
                "{condition}: {error}\n{}",
                shown.as_str().unwrap_or_default()
            );
        }
    }

    /// Waits until the story has all these texts.
    pub(crate) async fn told(&self, texts: &[&str]) {
        let texts = json!(texts);
        let story = "document.getElementById('records').innerText";
        self.until(&format!("{texts}.every((text) => {story}.includes(text))"))
            .await;
    }

    /// The records that the page shows: service, level, text.
    pub(crate) async fn records(&self) -> Vec<[String; 3]> {
        let rows = "[...document.querySelectorAll('.record')].map((row) =>
            ['.service', '.level', '.text'].map((part) => row.querySelector(part).textContent))";
        serde_json::from_value(self.get(rows).await).unwrap()
    }

    /// Writes a picture for the documentation, if one is wanted.
    pub(crate) async fn picture(&self, name: &str) {
        if let Some(folder) = env::var_os("SCREENSHOTS") {
            // Tests run in the folder of the package.
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            let picture = self.browser.screenshot().await.unwrap();
            let path = root.join(folder).join(name).with_extension("png");
            fs::write(path, picture).unwrap();
        }
    }

    pub(crate) async fn close(mut self) {
        self.browser.close().await.unwrap();
        let (code, _) = self.shop.signal("TERM").await;
        assert_eq!(code, Some(0));
    }
}
