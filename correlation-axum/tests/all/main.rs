//! What a panic costs a service, and what a layer in the wrong place does. The contract of every adapter runs in `tests/conformance`.

mod misuse;
mod panics;
