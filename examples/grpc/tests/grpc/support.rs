//! Servers on free ports, and the words to speak to them.

use correlation_tower::PropagateService;
use grpc::pb::orders_client::OrdersClient;
use grpc::pb::orders_server::{Orders, OrdersServer};
use grpc::pb::stock_client::StockClient;
use grpc::pb::stock_server::{Stock, StockServer};
use grpc::pb::{Order, Receipt};
use grpc::{Shelves, Shop, orders_client, serve, stock_client};
use tokio::net::TcpListener;
use tonic::metadata::MetadataMap;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};

pub(crate) type Client = OrdersClient<PropagateService<Channel>>;

/// The example's two services as they are.
pub(crate) async fn shop() -> Client {
    shop_with(Shelves).await
}

/// The example's `Orders`, on another `Stock`.
pub(crate) async fn shop_with(stock: impl Stock) -> Client {
    orders(Shop::new(stock_of(stock).await)).await
}

pub(crate) async fn orders(service: impl Orders) -> Client {
    orders_client(channel(Routes::new(OrdersServer::new(service))).await)
}

pub(crate) async fn stock_of(stock: impl Stock) -> StockClient<PropagateService<Channel>> {
    stock_client(stock_channel(stock).await)
}

pub(crate) async fn stock_channel(stock: impl Stock) -> Channel {
    channel(Routes::new(StockServer::new(stock))).await
}

async fn channel(services: Routes) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, services));
    connect(address).await
}

pub(crate) async fn connect(address: std::net::SocketAddr) -> Channel {
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    endpoint.connect().await.unwrap()
}

pub(crate) fn order(article: &str) -> Order {
    Order {
        article: article.to_owned(),
        pieces: 1,
    }
}

/// An order that the stock refuses.
pub(crate) fn nothing() -> Order {
    Order {
        article: "nothing".to_owned(),
        pieces: 0,
    }
}

pub(crate) fn receipt() -> Receipt {
    let id = correlation_core::current().map_or_else(String::new, String::from);
    Receipt {
        correlation_id: id.clone(),
        stock_correlation_id: id,
    }
}

/// All values of the header that carries the ID.
pub(crate) fn ids(metadata: &MetadataMap) -> Vec<&str> {
    let values = metadata.get_all("x-correlation-id").iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

/// Whether this is an ID that the server made itself.
pub(crate) fn is_new(id: &str) -> bool {
    id.len() == 36 && id.bytes().filter(|&byte| byte == b'-').count() == 4
}
