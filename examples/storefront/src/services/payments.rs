//! Payments, with Rocket: asks the bank, which sometimes refuses.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use correlation_rocket::Correlation;
use rocket::config::{Config, Shutdown};
use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use rocket::{Orbit, Rocket, post, routes};
use tokio::time::sleep;

use super::messages::{Charge, Receipt, Refusal};
use super::{cannot_listen, lifeline, opened};
use crate::Failure;

#[tokio::main]
pub(super) async fn run(listen: SocketAddr) -> Result<(), Failure> {
    let config = Config {
        address: listen.ip(),
        port: listen.port(),
        shutdown: Shutdown {
            // The lifeline listens for signals, and no answer of this service takes longer than a
            // second.
            ctrlc: false,
            grace: 1,
            mercy: 1,
            ..Shutdown::default()
        },
        ..Config::release_default()
    };
    let rocket = rocket::custom(config)
        .attach(Correlation::fairing())
        .attach(AdHoc::on_liftoff("opened", |rocket| {
            Box::pin(async { liftoff(rocket) })
        }))
        .mount("/", routes![charge])
        .ignite()
        .await
        .map_err(|error| error.to_string())?;

    let shutdown = rocket.shutdown();
    let ended = tokio::select! {
        ended = rocket.launch() => ended,
        // It runs in the task that polls Rocket. If another thread tells Rocket to end, Rocket may
        // find its accept loop at its end before it sees that. Then it waits for no answer in
        // progress, and fails.
        ended = async { lifeline::ended().await; shutdown.notify(); pending().await } => ended,
    };
    // Rocket's error panics when it is dropped unread, so it is converted to text here.
    ended.map_err(|error| cannot_listen(listen, &error))?;
    Ok(())
}

/// Rocket has now put the port that it got into its configuration.
fn liftoff(rocket: &Rocket<Orbit>) {
    opened((rocket.config().address, rocket.config().port).into());
}

#[post("/charges", data = "<charge>")]
async fn charge(charge: Json<Charge>) -> Result<Custom<Json<Receipt>>, Custom<Json<Refusal>>> {
    requested(&charge);
    // This stands for the bank.
    sleep(Duration::from_millis(10)).await;
    match authorise(&charge) {
        Ok(receipt) => Ok(Custom(Status::Created, Json(receipt))),
        Err(refusal) => Err(Custom(Status::PaymentRequired, Json(refusal))),
    }
}

fn requested(charge: &Charge) {
    let (order, amount, attempt) = (charge.order, charge.amount, charge.attempt);
    tracing::info!(order, %amount, attempt, "charge requested");
}

/// The bank's rules: `tok_retry` is refused at the first attempt, `tok_declined` at every one.
fn authorise(charge: &Charge) -> Result<Receipt, Refusal> {
    let refusal = match (charge.card.as_str(), charge.attempt) {
        ("tok_retry", 1) => Refusal {
            error: "bank is busy".to_owned(),
            retry: true,
        },
        ("tok_declined", _) => Refusal::new("card declined"),
        _ => {
            let receipt = format!("R-{}-{}", charge.order, charge.attempt);
            log::info!("card charged receipt={receipt}");
            return Ok(Receipt { receipt });
        }
    };
    let (order, why) = (charge.order, &refusal.error);
    log::warn!("card not charged order={order} why={why:?}");
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::messages::Cents;

    #[test]
    fn the_bank_has_its_rules() {
        for (card, attempt, retry) in [
            ("tok_visa", 1, None),
            ("tok_retry", 1, Some(true)),
            ("tok_retry", 2, None),
            ("tok_declined", 2, Some(false)),
        ] {
            let charge = Charge {
                order: 1,
                card: card.to_owned(),
                amount: Cents(1),
                attempt,
            };
            let refused = authorise(&charge).err().map(|refusal| refusal.retry);
            assert_eq!(refused, retry, "{card} {attempt}");
        }
    }
}
