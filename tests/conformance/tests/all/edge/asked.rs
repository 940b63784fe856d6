//! A proxy and the service behind it, and what they were asked.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use correlation_testkit::process::Running;
use correlation_testkit::{Connection, Response};
use correlation_trail::Trail;
use serde_json::Value;

use super::proxy::{Proxy, Started, id_of};

/// A proxy, and what it was asked.
pub(crate) struct Edge {
    pub(crate) proxy: Started,
    asked: Vec<Asked>,
}

/// A request, the ID of its answer, and whether the service wrote its records.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) service: bool,
}

impl Edge {
    pub(crate) fn start(proxy: &'static Proxy, services: [u16; 2]) -> Self {
        Self::changed(proxy, services, |config| config)
    }

    pub(crate) fn changed(
        proxy: &'static Proxy,
        services: [u16; 2],
        changed: impl Fn(String) -> String,
    ) -> Self {
        Self {
            proxy: proxy.start(services, changed),
            asked: Vec::new(),
        }
    }

    pub(crate) async fn connect(&self) -> Connection {
        let port = self.proxy.port;
        Connection::open(([127, 0, 0, 1], port).into())
            .await
            .unwrap()
    }

    /// A request that only one has.
    pub(crate) fn log_path(&self) -> String {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        format!("/log?n=1&call={call}.")
    }

    /// Asks the service for two log records. The answer is the service's ID.
    pub(crate) async fn log(&mut self, method: &str, headers: &[(&str, &[u8])]) -> Response {
        let path = self.log_path();
        let answer = self.connect().await.send(method, &path, headers).await;
        let answer = answer.unwrap();
        if method == "HEAD" {
            assert_eq!(answer.text(), "");
            let id = answer.ids()[0].clone().into_owned();
            self.asked.push(Asked {
                path,
                id,
                service: true,
            });
            return answer;
        }
        self.keep(path, answer, true)
    }

    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &[u8])],
        statuses: &[u16],
    ) -> Response {
        let answer = self.connect().await.send(method, path, headers).await;
        let answer = answer.unwrap();
        let status = answer.status;
        assert!(statuses.contains(&status), "{method} {path}: {status}");
        self.keep(path.to_owned(), answer, false)
    }

    pub(crate) fn keep(&mut self, path: String, answer: Response, service: bool) -> Response {
        let ids = answer.ids();
        let [id] = &ids[..] else {
            panic!("not one ID in the answer to {path}: {ids:?}");
        };
        if service {
            assert_eq!((answer.status, &*answer.text()), (200, &**id), "{path}");
        }
        let id = id.clone().into_owned();
        self.asked.push(Asked { path, id, service });
        answer
    }

    /// Each request is in the access log once, with its ID, as `trail` reads it.
    pub(crate) fn end(self) -> Vec<Asked> {
        let name = self.proxy.proxy.name;
        let ids: Vec<_> = self.asked.iter().map(|asked| asked.id.as_str()).collect();
        let lines = self.proxy.access_log(&ids);
        for Asked { path, id, .. } in &self.asked {
            let of_id: Vec<_> = lines.iter().filter(|line| line.contains(&**id)).collect();
            let of_id: Vec<_> = of_id
                .into_iter()
                .filter(|line| id_of(line) == Some(id))
                .collect();
            let [line] = of_id[..] else {
                panic!("{id} in the log of {name}: {of_id:?}");
            };
            assert_eq!(line.matches(&**id).count(), 1, "{line}");
            // JSON has `&` as an escape.
            let line = line.replace("\\u0026", "&");
            assert!(line.contains(&**path), "{path} in {line}");

            let mut trail = Trail::new(id);
            trail.reader(name, line.as_bytes()).unwrap();
            let timeline = trail.finish();
            let [record] = timeline.records() else {
                panic!("{timeline}");
            };
            assert_eq!(record.service, name);
            assert!(record.time.is_some() && !record.estimated, "{line}");
        }
        self.asked
    }
}

/// The binary, which trusts the address of the proxies.
pub(crate) struct Service {
    running: Running,
    pub(crate) port: u16,
}

impl Service {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_axum-service"));
        command
            .env("LISTEN", "127.0.0.1:0")
            .env("TRUST", "127.0.0.1");
        command.env("LOG_FORMAT", "json").env("RUST_LOG", "info");
        command.env_remove("DOWNSTREAM").env_remove("TRACE_CONTEXT");
        let mut running = Running::start(&mut command);
        let url = running.url();
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        Self { running, port }
    }

    /// Ends it, and gives its records.
    pub(crate) fn end(self) -> Vec<Value> {
        let lines = self.running.end().into_iter();
        lines
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect()
    }
}
