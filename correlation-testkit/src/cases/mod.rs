//! The inbound rules as data: request headers, and the expected outcome.
//!
//! A new rule is first a new case here.

mod accepted;
mod case;
mod closures;
mod formats;
mod options;
mod sources;
mod trace;
mod trust;

pub use case::{Case, Expect, Shape};

use correlation_core::Policy;

use crate::CORRELATION_ID;

/// A policy and its cases.
#[derive(Debug)]
pub struct Rule {
    /// The name under which failures are reported.
    pub name: &'static str,
    /// The policy of the server that answers.
    pub policy: Policy,
    /// The header in which the response carries the ID, if any.
    pub response_header: Option<&'static str>,
    /// The requests to this server.
    pub cases: Vec<Case>,
}

impl Rule {
    fn new(name: &'static str, policy: Policy, cases: impl IntoIterator<Item = Case>) -> Self {
        Self {
            name,
            policy,
            response_header: Some(CORRELATION_ID),
            cases: cases.into_iter().collect(),
        }
    }
}

/// Returns every rule.
pub fn all() -> Vec<Rule> {
    let mut rules = vec![Rule::new(
        "default",
        Policy::new(),
        [
            sources::default_order(),
            accepted::alphabet(),
            accepted::lengths(),
            accepted::real_world(),
            accepted::placeholders(),
            trace::vectors(),
            formats::off_by_default(),
        ]
        .concat(),
    )];
    rules.extend(sources::rules());
    rules.extend(accepted::rules());
    rules.extend(trace::rules());
    rules.extend(trust::rules());
    rules.extend(options::rules());
    rules.extend(formats::rules());
    rules.extend(closures::rules());
    rules
}

/// Returns the rule of this name.
///
/// # Panics
///
/// If there is no such rule.
pub fn named(name: &str) -> Rule {
    let mut rules = all().into_iter();
    rules
        .find(|rule| rule.name == name)
        .unwrap_or_else(|| panic!("no rule {name:?}"))
}
