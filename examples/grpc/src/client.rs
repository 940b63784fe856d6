//! Clients that send the ID.

use correlation_tower::{PropagateLayer, PropagateService};
use tonic::transport::Channel;
use tower::ServiceBuilder;

use crate::pb::orders_client::OrdersClient;
use crate::pb::stock_client::StockClient;

/// A client of `Orders` that sends the ambient ID with every call.
///
/// The layer is around the channel, because a `Channel` hands calls to a separate task, which has
/// no ID.
#[must_use]
pub fn orders_client(channel: Channel) -> OrdersClient<PropagateService<Channel>> {
    OrdersClient::new(propagate(channel))
}

/// A client of `Stock` that sends the ambient ID with every call.
#[must_use]
pub fn stock_client(channel: Channel) -> StockClient<PropagateService<Channel>> {
    StockClient::new(propagate(channel))
}

fn propagate(channel: Channel) -> PropagateService<Channel> {
    ServiceBuilder::new()
        .layer(PropagateLayer::new())
        .service(channel)
}
