//! What the example services share, so that each of them shows only its framework.
//!
//! * [`Config`]: the environment variables, and the inbound [`Policy`](correlation_core::Policy)
//!   they ask for;
//! * [`logs`]: one JSON or text record per line on standard output, each with the ID;
//! * [`answers`]: what the endpoints answer, as ordinary functions that know no framework and
//!   take no ID: they read the ambient one;
//! * [`relay`]: how `/relay` and `/test` choose the URL they call;
//! * [`announce`] and [`terminated`]: the first and the last thing a service does.

mod config;
mod process;

pub mod answers;
pub mod logs;
pub mod relay;

pub use config::{Config, InvalidVariable, LogFormat};
pub use process::{announce, terminated};
