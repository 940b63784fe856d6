//! From service to service, again and again.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use correlation_core::{current, scope};
use correlation_testkit::id;
use correlation_tower::PropagateLayer;
use grpc::pb::stock_client::StockClient;
use grpc::pb::stock_server::Stock;
use grpc::pb::{Order, Receipt};
use tonic::{Request, Response, Status};
use tower::buffer::Buffer;
use tower::retry::{Policy, Retry};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{is_new, order, receipt, shop_with, stock_channel, stock_of};

/// Is there only at the third attempt, and remembers all of them.
#[derive(Clone, Default)]
struct Flaky(Arc<Mutex<Vec<String>>>);

#[tonic::async_trait]
impl Stock for Flaky {
    async fn reserve(&self, _: Request<Order>) -> Result<Response<Receipt>, Status> {
        let mut attempts = self.0.lock().unwrap();
        attempts.push(current().map_or_else(String::new, String::from));
        if attempts.len() < 3 {
            return Err(Status::unavailable("not yet"));
        }
        Ok(Response::new(receipt()))
    }
}

/// Tries again as long as the other side is not there.
#[derive(Clone)]
struct Stubborn;

impl Policy<Order, Response<Receipt>, Status> for Stubborn {
    type Future = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn retry(
        &mut self,
        _: &mut Order,
        result: &mut Result<Response<Receipt>, Status>,
    ) -> Option<Self::Future> {
        let again = result
            .as_ref()
            .is_err_and(|s| s.code() == tonic::Code::Unavailable);
        again.then(|| Box::pin(tokio::task::yield_now()) as Self::Future)
    }

    fn clone_request(&mut self, order: &Order) -> Option<Order> {
        Some(order.clone())
    }
}

#[tokio::test]
async fn every_attempt_has_the_same_id() {
    let flaky = Flaky::default();
    let client = stock_of(flaky.clone()).await;
    let call = service_fn(move |order: Order| {
        let mut client = client.clone();
        async move { client.reserve(order).await }
    });
    let stubborn = Retry::new(Stubborn, call);
    let answer = scope(id("try-1"), stubborn.oneshot(order("cup")))
        .await
        .unwrap();
    assert_eq!(answer.get_ref().correlation_id, "try-1");
    assert_eq!(*flaky.0.lock().unwrap(), ["try-1"; 3]);
}

#[tokio::test]
async fn a_service_passes_it_on_and_makes_one_for_both() {
    let flaky = Flaky(Arc::new(Mutex::new(vec![String::new(); 3])));
    let mut client = shop_with(flaky.clone()).await;
    let answer = client.place(order("cup")).await.unwrap().into_inner();
    assert!(is_new(&answer.correlation_id));
    assert_eq!(answer.stock_correlation_id, answer.correlation_id);
    assert_eq!(flaky.0.lock().unwrap()[3], answer.correlation_id);
}

/// A buffer calls its inner service in a task of its own, as the inside of a `Channel` does.
#[tokio::test]
async fn the_layer_belongs_outside_of_a_buffer() {
    let layer = PropagateLayer::new();
    let inside = Buffer::new(layer.layer(stock_channel(grpc::Shelves).await), 8);
    let call = async move { StockClient::new(inside).reserve(order("cup")).await };
    let lost = scope(id("hop-1"), call).await.unwrap().into_inner();
    assert!(is_new(&lost.correlation_id), "the trap is gone: {lost:?}");

    let outside = layer.layer(Buffer::new(stock_channel(grpc::Shelves).await, 8));
    let call = async move { StockClient::new(outside).reserve(order("cup")).await };
    let kept = scope(id("hop-1"), call).await.unwrap().into_inner();
    assert_eq!(kept.correlation_id, "hop-1");
}
