//! The contract that all clients share.

use correlation_core::Targets;
use correlation_reqwest::{Propagate, redirect_policy};
use correlation_testkit::client_contract::{self, Error, Redirects, Takes};
use reqwest::Client;
use reqwest_middleware::ClientWithMiddleware;
use tokio::runtime::Handle;

/// One line when the client is built.
struct Built(ClientWithMiddleware);

impl client_contract::Client for Built {
    const TAKES: Takes = Takes::SentOrBegun;
    const REDIRECTS: Redirects = Redirects::Among;

    type Request = reqwest_middleware::RequestBuilder;

    fn new(targets: Targets) -> Self {
        Self(Client::builder().propagate_to(targets).unwrap().build())
    }

    fn begin(&self, url: &str, lines: &[(&'static str, &'static str)]) -> Self::Request {
        let add = |request: Self::Request, &(name, value): &(_, _)| request.header(name, value);
        lines.iter().fold(self.0.get(url), add)
    }

    fn again(request: &Self::Request) -> Self::Request {
        request.try_clone().unwrap()
    }

    async fn send(request: Self::Request) -> Result<u16, Error> {
        Ok(request.send().await?.status().as_u16())
    }
}

/// `.propagate()` on each request.
struct Plain(Client, Targets);

impl client_contract::Client for Plain {
    const TAKES: Takes = Takes::Begun;
    const REDIRECTS: Redirects = Redirects::Among;

    type Request = reqwest::RequestBuilder;

    fn new(targets: Targets) -> Self {
        let client = Client::builder().redirect(redirect_policy(targets.clone()));
        Self(client.build().unwrap(), targets)
    }

    fn begin(&self, url: &str, lines: &[(&'static str, &'static str)]) -> Self::Request {
        let add = |request: Self::Request, &(name, value): &(_, _)| request.header(name, value);
        let request = lines.iter().fold(self.0.get(url), add);
        request.propagate_to(self.1.clone())
    }

    fn again(request: &Self::Request) -> Self::Request {
        request.try_clone().unwrap()
    }

    async fn send(request: Self::Request) -> Result<u16, Error> {
        Ok(request.send().await?.status().as_u16())
    }
}

#[tokio::test]
async fn a_client_with_the_middleware() {
    client_contract::run::<Built>().await;
}

#[tokio::test]
async fn a_plain_request() {
    client_contract::run::<Plain>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_has_the_id_of_another() {
    let runtime = Handle::current();
    client_contract::run_on_threads::<Built>(|call| runtime.block_on(call));
    client_contract::run_on_threads::<Plain>(|call| runtime.block_on(call));
}
