//! Reads or makes the ID of an inbound request or message.

mod carried;
mod decide;
mod decision;
mod message;
mod policy;
mod scan;
mod source;
mod trust;

pub use carried::Carried;
#[cfg(feature = "serde")]
pub use carried::CarriedOrBare;
pub use decision::{Decision, Rejected};
pub use message::{continue_from, extract, extract_with, from_env};
pub use policy::Policy;
pub use source::Source;
pub use trust::{Caller, Peer, Trust};
