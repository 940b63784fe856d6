//! The programs, and the contract run against the servers with a server of their own.

mod lambda;
mod poem;
mod salvo;
