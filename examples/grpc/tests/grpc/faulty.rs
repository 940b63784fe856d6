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

    /// Has nothing to say.
    async fn watch(&self, _: Request<Order>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(stream::empty())))
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

    /// Panics at the first order, after the headers are out. Without one it ends with an error,
    /// which is sent in trailers.
    async fn deliver(
        &self,
        request: Request<Streaming<Order>>,
    ) -> Result<Response<Self::DeliverStream>, Status> {
        let mut orders = request.into_inner();
        let receipts = stream! {
            yield Ok(receipt());
            match orders.message().await {
                Ok(Some(_)) => panic!("boom in a stream"),
                Ok(None) => yield Err(Status::aborted("out of tea")),
                Err(status) => yield Err(status),
            }
        };
        Ok(Response::new(Box::pin(receipts)))
    }
}
