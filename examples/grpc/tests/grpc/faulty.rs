//! An `Orders` in which every method goes wrong in a way of its own.

use std::pin::Pin;

use async_stream::stream;
use futures_util::{Stream, stream};
use grpc::pb::orders_server::Orders;
use grpc::pb::{Event, Order, Receipt, Summary};
use tonic::{Request, Response, Status, Streaming};

use crate::support::receipt;

pub(crate) struct Faulty;

type Boxed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Orders for Faulty {
    async fn place(&self, _: Request<Order>) -> Result<Response<Receipt>, Status> {
        panic!("boom in a handler");
    }

    type WatchStream = Boxed<Event>;

    async fn watch(&self, _: Request<Order>) -> Result<Response<Self::WatchStream>, Status> {
        let events = stream! {
            yield Ok(Event { what: "first".to_owned(), correlation_id: receipt().correlation_id });
            tokio::task::yield_now().await;
            panic!("boom in a stream");
        };
        Ok(Response::new(Box::pin(events)))
    }

    /// Sets the header itself, as a naive service would.
    async fn place_all(&self, _: Request<Streaming<Order>>) -> Result<Response<Summary>, Status> {
        let mut response = Response::new(Summary::default());
        let value = "mine".parse().unwrap();
        response.metadata_mut().append("x-correlation-id", value);
        let value = "mine-too".parse().unwrap();
        response.metadata_mut().append("x-correlation-id", value);
        Ok(response)
    }

    type DeliverStream = Boxed<Receipt>;

    /// An error after the first message: it is sent in trailers.
    async fn deliver(
        &self,
        _: Request<Streaming<Order>>,
    ) -> Result<Response<Self::DeliverStream>, Status> {
        let receipts = stream::iter([Ok(receipt()), Err(Status::aborted("out of tea"))]);
        Ok(Response::new(Box::pin(receipts)))
    }
}
