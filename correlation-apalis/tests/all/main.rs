//! The same checks on every storage that keeps jobs: the embedded one always, the others if their
//! server runs here. And what does not depend on the storage.

#[macro_use]
mod checks;
#[macro_use]
mod killed;
mod amqp;
mod delegation;
mod job;
mod logs;
mod metadata;
mod postgres;
mod redis;
mod sqlite;
mod ticks;
mod worker;
