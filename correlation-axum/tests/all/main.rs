//! What a panic costs a service. The contract of every adapter runs in `tests/conformance`.

mod panics;
