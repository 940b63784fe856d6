//! Two gRPC services and a client in one process: a call of each kind, and its log lines.

use std::error::Error;

use correlation_core::{CorrelationId, scope, tag};
use correlation_tower::PropagateService;
use grpc::pb::Order;
use grpc::pb::orders_client::OrdersClient;
use grpc::pb::orders_server::OrdersServer;
use grpc::pb::stock_server::StockServer;
use grpc::{Shelves, Shop, orders_client, serve, stock_client};
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tracing::info;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().map_writer(tag).init();

    let stock = start(Routes::new(StockServer::new(Shelves))).await?;
    let shop = Shop::new(stock_client(stock));
    let orders = start(Routes::new(OrdersServer::new(shop))).await?;

    // In a server, a layer does this: it gives one action one ID. Here the action is a purchase.
    let id = CorrelationId::new();
    scope(id.clone(), purchase(orders_client(orders))).await?;
    println!("\none action, two services, eleven calls: each line has {id}");
    Ok(())
}

async fn purchase(
    mut orders: OrdersClient<PropagateService<Channel>>,
) -> Result<(), Box<dyn Error>> {
    info!("unary");
    orders.place(order("teapot")).await?;

    info!("server streaming");
    let mut events = orders.watch(order("cup")).await?.into_inner();
    while let Some(event) = events.try_next().await? {
        info!(event.what, "heard");
    }

    info!("client streaming");
    let many = tokio_stream::iter(["saucer", "spoon"].map(order));
    orders.place_all(many).await?;

    info!("bidirectional");
    let many = tokio_stream::iter(["tea", "sugar", "milk"].map(order));
    let mut receipts = orders.deliver(many).await?.into_inner();
    while receipts.try_next().await?.is_some() {
        info!("got a receipt");
    }
    Ok(())
}

fn order(article: &str) -> Order {
    Order {
        article: article.to_owned(),
        pieces: 2,
    }
}

/// Serves on a free port, and returns a channel to it.
async fn start(services: Routes) -> Result<Channel, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = Endpoint::try_from(format!("http://{}", listener.local_addr()?))?;
    tokio::spawn(serve(listener, services));
    Ok(endpoint.connect().await?)
}
