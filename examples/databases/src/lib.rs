#![doc = include_str!("../README.md")]

pub mod diesel;
pub mod mysql;
pub mod sea_orm;
pub mod sqlite;
pub mod tokio_postgres;
