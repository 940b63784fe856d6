//! The same checks on every storage that keeps jobs: the embedded one always, the others if their
//! server runs here.

#[macro_use]
mod checks;
#[macro_use]
mod killed;
mod amqp;
mod job;
mod postgres;
mod redis;
mod server;
mod sqlite;
mod ticks;
