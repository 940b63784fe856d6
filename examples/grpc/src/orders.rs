//! One handler of each kind. None of them has an ID as an argument.

use std::pin::Pin;

use async_stream::try_stream;
use correlation_core as correlation;
use correlation_tower::PropagateService;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tracing::info;

use crate::id;
use crate::pb::orders_server::Orders;
use crate::pb::stock_client::StockClient;
use crate::pb::{Event, Order, Receipt, Summary};

/// Takes orders, and asks the stock for each of them.
#[derive(Clone, Debug)]
pub struct Shop {
    stock: StockClient<PropagateService<Channel>>,
}

impl Shop {
    /// Makes a shop with this stock.
    #[must_use]
    pub const fn new(stock: StockClient<PropagateService<Channel>>) -> Self {
        Self { stock }
    }

    async fn sell(&self, order: Order) -> Result<Receipt, Status> {
        // An error is passed on unchanged, with the metadata of the stock's answer.
        let reserved = self.stock.clone().reserve(order).await?;
        info!("sold");
        Ok(Receipt {
            correlation_id: id(),
            stock_correlation_id: reserved.into_inner().correlation_id,
        })
    }
}

#[tonic::async_trait]
impl Orders for Shop {
    async fn place(&self, request: Request<Order>) -> Result<Response<Receipt>, Status> {
        info!("an order came in");
        self.sell(request.into_inner()).await.map(Response::new)
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

    /// The stream runs after this function has returned, and still in the scope of its call.
    async fn watch(&self, request: Request<Order>) -> Result<Response<Self::WatchStream>, Status> {
        let shop = self.clone();
        let events = try_stream! {
            yield event("accepted");
            // A call inside the stream also takes the ID.
            shop.sell(request.into_inner()).await?;
            yield event("sold");
            tokio::task::yield_now().await;
            yield event("delivered");
        };
        Ok(Response::new(Box::pin(events)))
    }

    async fn place_all(
        &self,
        request: Request<Streaming<Order>>,
    ) -> Result<Response<Summary>, Status> {
        let mut orders = request.into_inner();
        let mut summary = Summary::default();
        while let Some(order) = orders.next().await.transpose()? {
            self.sell(order).await?;
            summary.orders += 1;
            summary.correlation_ids.push(id());
        }
        info!(summary.orders, "all orders came in");
        Ok(Response::new(summary))
    }

    type DeliverStream = ReceiverStream<Result<Receipt, Status>>;

    /// Makes a stream as most tonic services do: with a task that feeds a channel.
    async fn deliver(
        &self,
        request: Request<Streaming<Order>>,
    ) -> Result<Response<Self::DeliverStream>, Status> {
        let mut orders = request.into_inner();
        let (send, receipts) = mpsc::channel(8);
        let shop = self.clone();
        // `tokio::spawn` would lose the ID here.
        correlation::spawn(async move {
            while let Some(order) = orders.next().await {
                let receipt = match order {
                    Ok(order) => shop.sell(order).await,
                    Err(status) => Err(status),
                };
                let last = receipt.is_err();
                if send.send(receipt).await.is_err() || last {
                    break;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receipts)))
    }
}

fn event(what: &str) -> Event {
    info!(what, "told the customer");
    Event {
        what: what.to_owned(),
        correlation_id: id(),
    }
}
