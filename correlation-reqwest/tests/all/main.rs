//! What reqwest sends, as read from the socket.

mod builder;
mod contract;
mod redirect;
mod request;
mod retry;
