//! The messages between the services: JSON bodies.

use serde::{Deserialize, Serialize};

/// A request to the gateway, which passes it to orders.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Purchase {
    pub(super) cart: u32,
    /// A token of the payment provider, never the card number.
    pub(super) card: String,
    pub(super) items: Vec<Item>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Item {
    pub(super) sku: String,
    pub(super) quantity: u32,
}

/// The answer of orders, which goes to the customer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Confirmation {
    pub(super) order: u32,
    pub(super) total: Cents,
    pub(super) tracking: String,
}

/// A request to payments.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Charge {
    pub(super) order: u32,
    pub(super) card: String,
    pub(super) amount: Cents,
    pub(super) attempt: u32,
}

/// The answer of payments.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Receipt {
    pub(super) receipt: String,
}

/// A request to shipping.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Shipment {
    pub(super) order: u32,
    pub(super) items: Vec<Item>,
}

/// The answer of shipping.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Parcel {
    pub(super) tracking: String,
}

/// The answer of any service that refuses.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Refusal {
    pub(super) error: String,
    /// Whether the same request may succeed later.
    #[serde(default)]
    pub(super) retry: bool,
}

impl Refusal {
    pub(super) fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            retry: false,
        }
    }
}

/// An amount of money. It prints as `38.70`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Cents(pub(super) u64);

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_places() {
        assert_eq!(Cents(3870).to_string(), "38.70");
        assert_eq!(Cents(5).to_string(), "0.05");
    }
}
