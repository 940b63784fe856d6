//! Redis streams.
