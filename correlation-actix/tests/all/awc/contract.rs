//! The contract that all clients share.

use awc::{ClientRequest, FrozenClientRequest};
use correlation_actix::Propagate;
use correlation_actix::correlation::Targets;
use correlation_testkit::client_contract::{self, Client, Error, Redirects, Takes};

fn client(targets: Targets) -> awc::Client {
    let propagate = Propagate::new().targets(targets);
    awc::Client::builder().wrap(propagate).finish()
}

fn request(client: &awc::Client, url: &str, lines: &[(&str, &str)]) -> ClientRequest {
    let add = |request: ClientRequest, &line| request.append_header(line);
    lines.iter().fold(client.get(url), add)
}

/// A request that is sent once.
struct Once(awc::Client);

/// What it takes to begin it again.
type Begun = (awc::Client, String, Vec<(&'static str, &'static str)>);

impl Client for Once {
    const TAKES: Takes = Takes::Sent;
    const REDIRECTS: Redirects = Redirects::Each;

    type Request = Begun;

    fn new(targets: Targets) -> Self {
        Self(client(targets))
    }

    fn begin(&self, url: &str, lines: &[(&'static str, &'static str)]) -> Begun {
        (self.0.clone(), url.to_owned(), lines.to_vec())
    }

    fn again(begun: &Begun) -> Begun {
        begun.clone()
    }

    async fn send((client, url, lines): Begun) -> Result<u16, Error> {
        let response = request(&client, &url, &lines).send().await;
        Ok(response
            .map_err(|error| error.to_string())?
            .status()
            .as_u16())
    }
}

/// A request that many calls share.
struct Frozen(awc::Client);

impl Client for Frozen {
    const TAKES: Takes = Takes::Sent;
    const REDIRECTS: Redirects = Redirects::Each;

    type Request = FrozenClientRequest;

    fn new(targets: Targets) -> Self {
        Self(client(targets))
    }

    fn begin(&self, url: &str, lines: &[(&'static str, &'static str)]) -> Self::Request {
        request(&self.0, url, lines).freeze().unwrap()
    }

    fn again(request: &Self::Request) -> Self::Request {
        request.clone()
    }

    async fn send(request: Self::Request) -> Result<u16, Error> {
        let response = request.send().await;
        Ok(response
            .map_err(|error| error.to_string())?
            .status()
            .as_u16())
    }
}

#[actix_web::test]
async fn a_request() {
    client_contract::run::<Once>().await;
}

#[actix_web::test]
async fn a_frozen_request() {
    client_contract::run::<Frozen>().await;
}
