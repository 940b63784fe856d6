//! Shipping, with warp: finds a carrier and prints the label.

use std::net::SocketAddr;

use correlation_warp::correlation::spawn_blocking;
use warp::Filter;
use warp::http::StatusCode;
use warp::reply::{Reply, Response, json, with_status};

use super::messages::{Item, Parcel, Refusal, Shipment};
use super::{bound, lifeline};
use crate::Failure;

#[tokio::main]
pub(super) async fn run(listen: SocketAddr) -> Result<(), Failure> {
    let shipments = warp::path!("shipments")
        .and(warp::post())
        .and(warp::body::json())
        .then(ship);

    let listener = bound(listen).await?;
    correlation_warp::serve(shipments)
        .incoming(listener)
        .graceful(lifeline::ended())
        .run()
        .await;
    Ok(())
}

async fn ship(shipment: Shipment) -> Response {
    let parcel = book(&shipment);
    // The printer blocks, so it gets a separate thread. The helper carries the ID there.
    let printed = spawn_blocking(move || print_label(parcel, &shipment.items)).await;
    match printed {
        Ok(parcel) => with_status(json(&parcel), StatusCode::CREATED).into_response(),
        Err(_) => {
            let refusal = Refusal::new("the printer is broken");
            with_status(json(&refusal), StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
    }
}

fn book(shipment: &Shipment) -> Parcel {
    let order = shipment.order;
    let pieces: u64 = shipment
        .items
        .iter()
        .map(|item| u64::from(item.quantity))
        .sum();
    tracing::info!(
        order,
        pieces,
        carrier = "Tortoise Express",
        "shipment booked"
    );
    Parcel {
        tracking: format!("TE{order:06}"),
    }
}

/// # Panics
///
/// If an item is cursed, to show that the report of a panic has the ID.
fn print_label(parcel: Parcel, items: &[Item]) -> Parcel {
    let cursed = items.iter().any(|item| item.sku == CURSED);
    assert!(!cursed, "the label printer is cursed");
    log::info!("label printed tracking={}", parcel.tracking);
    parcel
}

/// An item that cannot be shipped.
pub(super) const CURSED: &str = "cursed-mask";
