//! An `Orders` in which every method goes wrong in a way of its own.

use std::pin::Pin;

use async_stream::stream;
use futures_util::Stream;
use grpc::pb::orders_server::Orders;
use grpc::pb::{Event, Order, Receipt, Summary};
use tokio::sync::mpsc::UnboundedSender;
use tonic::{Request, Response, Status, Streaming};

use crate::support::receipt;

#[derive(Default)]
pub(crate) struct Faulty {
    /// Is told what a stream sees while it is dropped.
    pub(crate) dropped: Option<UnboundedSender<String>>,
}

struct Witness(Option<UnboundedSender<String>>);

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some(dropped) = &self.0 {
            let _ = dropped.send(receipt().correlation_id);
        }
    }
}

type Boxed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Orders for Faulty {
    async fn place(&self, _: Request<Order>) -> Result<Response<Receipt>, Status> {
        panic!("boom in a handler");
    }

    type WatchStream = Boxed<Event>;

    /// Says one thing, and never ends.
    async fn watch(&self, _: Request<Order>) -> Result<Response<Self::WatchStream>, Status> {
        let witness = Witness(self.dropped.clone());
        let events = stream! {
            let _witness = witness;
            yield Ok(Event::default());
            std::future::pending::<()>().await;
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
