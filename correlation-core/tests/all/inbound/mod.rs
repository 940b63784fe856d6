//! Which ID a policy takes, whom it trusts, and what it says about that in the log.

mod closures;
mod ignored;
mod messages;
mod peers;
mod sources;
mod untrusted;
