//! The service that another service calls.

use tonic::{Request, Response, Status};
use tracing::info;

use crate::id;
use crate::pb::stock_server::Stock;
use crate::pb::{Order, Receipt};

/// A stock that has every item, in any number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shelves;

#[tonic::async_trait]
impl Stock for Shelves {
    async fn reserve(&self, request: Request<Order>) -> Result<Response<Receipt>, Status> {
        let order = request.into_inner();
        if order.pieces == 0 {
            info!(order.article, "nothing to reserve");
            return Err(Status::invalid_argument("an order needs pieces"));
        }
        info!(order.article, order.pieces, "reserved");
        let (correlation_id, stock_correlation_id) = (id(), id());
        Ok(Response::new(Receipt {
            correlation_id,
            stock_correlation_id,
        }))
    }
}
