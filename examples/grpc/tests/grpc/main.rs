//! Real calls over loopback, through real HTTP/2 connections.

mod calls;
mod chain;
mod concurrency;
mod demo;
mod faulty;
mod gaps;
mod metadata;
mod support;
