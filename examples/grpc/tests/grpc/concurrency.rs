//! Many calls at once on one HTTP/2 connection.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use correlation_core::{current, scope};
use correlation_testkit::id;
use futures_util::future::join_all;
use futures_util::stream;
use grpc::pb::stock_server::Stock;
use grpc::pb::{Order, Receipt};
use tokio::sync::{Barrier, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::faulty::Faulty;
use crate::support::{ids, order, orders, receipt, shop, stock_of};

/// Answers when as many calls are there.
struct Meeting {
    everybody: Barrier,
    peers: Arc<Mutex<HashSet<SocketAddr>>>,
}

#[tonic::async_trait]
impl Stock for Meeting {
    async fn reserve(&self, request: Request<Order>) -> Result<Response<Receipt>, Status> {
        let before = current();
        let peer = request.remote_addr().unwrap();
        self.peers.lock().unwrap().insert(peer);
        self.everybody.wait().await;
        for _ in 0..5 {
            tokio::task::yield_now().await;
            assert_eq!(current(), before);
        }
        Ok(Response::new(receipt()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_calls_in_flight_on_one_connection() {
    let peers = Arc::default();
    let client = stock_of(Meeting {
        everybody: Barrier::new(CALLS),
        peers: Arc::clone(&peers),
    })
    .await;
    let calls = (0..CALLS).map(|n| {
        let mut client = client.clone();
        tokio::spawn(scope(id(&format!("call-{n}")), async move {
            client.reserve(order("cup")).await.unwrap()
        }))
    });
    let mut right = 0;
    for (n, answer) in join_all(calls).await.into_iter().enumerate() {
        let answer = answer.unwrap();
        let expected = format!("call-{n}");
        assert_eq!(ids(answer.metadata()), [expected.as_str()]);
        right += usize::from(answer.get_ref().correlation_id == expected);
    }
    assert_eq!(right, CALLS);
    assert_eq!(peers.lock().unwrap().len(), 1, "one connection");
}

/// Each stream is open while all the others are, and its messages take turns with theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_open_streams_never_cross() {
    let client = shop().await;
    let everybody = Arc::new(Barrier::new(CALLS));
    let streams = (0..CALLS).map(|n| {
        let (mut client, everybody) = (client.clone(), Arc::clone(&everybody));
        tokio::spawn(scope(id(&format!("stream-{n}")), async move {
            let (send, orders) = mpsc::channel(1);
            let answer = client.deliver(ReceiverStream::new(orders)).await.unwrap();
            let mut receipts = answer.into_inner();
            let mut seen = Vec::new();
            for _ in 0..5 {
                everybody.wait().await;
                send.send(order("cup")).await.unwrap();
                let receipt = receipts.message().await.unwrap().unwrap();
                seen.extend([receipt.correlation_id, receipt.stock_correlation_id]);
            }
            seen
        }))
    });
    let mut right = 0;
    for (n, seen) in join_all(streams).await.into_iter().enumerate() {
        let expected = format!("stream-{n}");
        right += seen.unwrap().iter().filter(|id| **id == expected).count();
    }
    assert_eq!(right, CALLS * 5 * 2);
}

/// A stream that panics is reset; the calls beside it on its connection do not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn panics_leave_the_others_alone() {
    let client = orders(Faulty::default()).await;
    let calls = (0..CALLS).map(|n| {
        let mut client = client.clone();
        tokio::spawn(scope(id(&format!("call-{n}")), async move {
            match n % 3 {
                0 => {
                    let status = client.place(order("cup")).await.unwrap_err();
                    ids(status.metadata()).concat()
                }
                1 => {
                    let (send, orders) = mpsc::channel(1);
                    let answer = client.deliver(ReceiverStream::new(orders)).await.unwrap();
                    let mut receipts = answer.into_inner();
                    let first = receipts.message().await.unwrap().unwrap();
                    send.send(order("cup")).await.unwrap();
                    receipts.message().await.unwrap_err();
                    first.correlation_id
                }
                _ => {
                    let answer = client.deliver(stream::empty()).await.unwrap();
                    let first = answer.into_inner().message().await.unwrap();
                    first.unwrap().correlation_id
                }
            }
        }))
    });
    let mut right = 0;
    for (n, seen) in join_all(calls).await.into_iter().enumerate() {
        right += usize::from(seen.unwrap() == format!("call-{n}"));
    }
    assert_eq!(right, CALLS);
}

/// As many streams as a server of hyper lets a connection have at once.
const CALLS: usize = 200;
