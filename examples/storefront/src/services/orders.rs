//! Orders, with actix-web: prices and stores an order, and has it paid and shipped.

use std::net::SocketAddr;

use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};
use correlation_actix::Correlation;
use correlation_actix::correlation::{Policy, spawn};

use super::downstream::{Downstream, Refused};
use super::jobs::{Jobs, MailReceipt};
use super::messages::{
    Cents, Charge, Confirmation, Item, Parcel, Purchase, Receipt, Refusal, Shipment,
};
use super::shipping::CURSED;
use super::store::Store;
use super::{Service, cannot_listen, lifeline, opened};
use crate::Failure;

/// The last record of orders about a purchase, in the background, after the customer's answer.
pub(crate) const LAST_WORDS: &str = "order booked";

#[tokio::main]
pub(super) async fn run(listen: SocketAddr) -> Result<(), Failure> {
    let desk = web::Data::new(Desk {
        payments: Downstream::from_env(Service::Payments)?,
        shipping: Downstream::from_env(Service::Shipping)?,
        store: Store::from_env().await?,
        jobs: Jobs::from_env().await?,
    });
    // sqlx runs SQLite in a separate thread and passes only the `tracing` span there. Its records
    // have the ID from that span. No other database needs one.
    let policy = Policy::new().request_span(true);
    let app = move || {
        App::new()
            .app_data(desk.clone())
            .route("/orders", web::post().to(create))
            .wrap(Correlation::new().policy(policy.clone()))
    };

    let server = HttpServer::new(app)
        .workers(2)
        .shutdown_timeout(2)
        .disable_signals()
        .bind(listen)
        .map_err(|error| cannot_listen(listen, &error))?;
    server.addrs().into_iter().for_each(opened);
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(async move {
        lifeline::ended().await;
        handle.stop(true).await;
    });
    Ok(server.await?)
}

/// The state that handling an order needs.
#[derive(Debug)]
struct Desk {
    payments: Downstream,
    shipping: Downstream,
    store: Store,
    jobs: Jobs,
}

#[derive(Debug)]
struct Order {
    number: u32,
    card: String,
    items: Vec<Item>,
    total: Cents,
}

async fn create(desk: web::Data<Desk>, purchase: web::Json<Purchase>) -> HttpResponse {
    match desk.place(purchase.into_inner()).await {
        Ok(confirmation) => HttpResponse::Created().json(confirmation),
        Err(refused) => {
            let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_GATEWAY);
            HttpResponse::build(status).json(refused.refusal)
        }
    }
}

impl Desk {
    async fn place(&self, purchase: Purchase) -> Result<Confirmation, Refused> {
        let order = self.store(purchase).await?;
        let receipt = self
            .charge(&order)
            .await
            .inspect_err(|_| cancelled(&order))?;
        paid(&order, &receipt);
        let parcel = self.ship(&order).await?;
        self.mail(&order, &receipt).await?;
        // No code waits for it, but it belongs to this purchase: `spawn` carries the ID.
        spawn(book(self.store.clone(), order.number, receipt));
        Ok(confirmed(&order, parcel))
    }

    async fn store(&self, purchase: Purchase) -> Result<Order, Refused> {
        let total = total(&purchase.items)?;
        let number = self.store.insert(&purchase, total).await;
        let number = number.map_err(|error| unavailable("the database", &error))?;
        stored(number, &purchase, total);
        Ok(Order {
            number,
            card: purchase.card,
            items: purchase.items,
            total,
        })
    }

    /// Tries once more if the refusal says that this may help.
    async fn charge(&self, order: &Order) -> Result<Receipt, Refused> {
        let mut charge = Charge {
            order: order.number,
            card: order.card.clone(),
            amount: order.total,
            attempt: 1,
        };
        match self.payments.post("/charges", &charge).await {
            Err(refused) if refused.refusal.retry => {
                not_paid(order, &refused);
                charge.attempt += 1;
                self.payments.post("/charges", &charge).await
            }
            other => other,
        }
    }

    async fn ship(&self, order: &Order) -> Result<Parcel, Refused> {
        let shipment = Shipment {
            order: order.number,
            items: order.items.clone(),
        };
        self.shipping.post("/shipments", &shipment).await
    }

    /// Leaves the mail to the worker, which may need several attempts.
    async fn mail(&self, order: &Order, Receipt { receipt }: &Receipt) -> Result<(), Refused> {
        let job = MailReceipt {
            order: order.number,
            receipt: receipt.clone(),
            card: order.card.clone(),
        };
        let pushed = self.jobs.push(job).await;
        pushed.map_err(|error| unavailable("the queue", &*error))
    }
}

/// The exact reason goes to our own log, not to the customer.
fn unavailable(what: &str, error: &dyn std::error::Error) -> Refused {
    tracing::error!("{what} failed: {error}");
    Refused {
        status: 503,
        refusal: Refusal::new(format!("{what} failed")),
    }
}

/// An ordinary function: it gets no ID, and every line has it.
fn stored(order: u32, purchase: &Purchase, total: Cents) {
    tracing::info!(order, cart = purchase.cart, %total, "order stored");
}

/// Returns the total price of the items.
fn total(items: &[Item]) -> Result<Cents, Refused> {
    let refused = |error: String| {
        log::warn!("order refused: {error}");
        Refused {
            status: 422,
            refusal: Refusal::new(error),
        }
    };
    if items.is_empty() {
        return Err(refused("the cart is empty".to_owned()));
    }
    let mut total = 0;
    for item in items {
        let price = PRICES.iter().find(|(sku, _)| *sku == item.sku);
        let (_, price) = price.ok_or_else(|| refused(format!("no such item: {:?}", item.sku)))?;
        total += price * u64::from(item.quantity);
    }
    Ok(Cents(total))
}

fn not_paid(order: &Order, refused: &Refused) {
    let (order, why) = (order.number, &refused.refusal.error);
    log::warn!("payment refused, trying once more order={order} why={why:?}");
}

fn paid(order: &Order, Receipt { receipt }: &Receipt) {
    tracing::info!(order = order.number, %receipt, "order paid");
}

fn cancelled(order: &Order) {
    log::error!("order cancelled order={}", order.number);
}

fn confirmed(order: &Order, parcel: Parcel) -> Confirmation {
    log::info!("order confirmed order={}", order.number);
    Confirmation {
        order: order.number,
        total: order.total,
        tracking: parcel.tracking,
    }
}

async fn book(store: Store, order: u32, Receipt { receipt }: Receipt) {
    match store.paid(order, &receipt).await {
        Ok(()) => tracing::info!(order, "{LAST_WORDS}"),
        Err(error) => tracing::error!(order, "order not booked: {error}"),
    }
}

const PRICES: [(&str, u64); 4] = [
    ("teapot", 2490),
    ("cup", 690),
    ("oolong", 1150),
    (CURSED, 1300),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn item(sku: &str, quantity: u32) -> Item {
        Item {
            sku: sku.to_owned(),
            quantity,
        }
    }

    #[test]
    fn the_total_is_what_the_items_cost() {
        let items = [item("teapot", 1), item("cup", 4)];
        assert_eq!(total(&items).unwrap(), Cents(5250));
    }

    #[test]
    fn what_cannot_be_sold_is_refused() {
        for items in [&[][..], &[item("elephant", 1)]] {
            assert_eq!(total(items).unwrap_err().status, 422);
        }
    }
}
