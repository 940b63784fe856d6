//! One line when the client is built.

use correlation_core::scope;
use correlation_reqwest::Propagate;
use correlation_testkit::{Recorder, id};
use reqwest::Client;
use reqwest_middleware::ClientBuilder;

#[tokio::test]
async fn a_request_begun_elsewhere_gets_the_id_when_executed() {
    let server = Recorder::ok();
    let client = ClientBuilder::new(Client::new()).propagate().build();
    let request = Client::new().get(server.url()).build().unwrap();
    let call = client.execute(request);
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(server.ids(), ["click-1"]);
}

#[tokio::test]
async fn a_client_that_cannot_be_built_is_an_error() {
    let invalid = Client::builder().user_agent("a\nb");
    assert!(invalid.propagate().is_err());
}
