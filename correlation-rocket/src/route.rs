use correlation_core::scope;
use rocket::route::{Handler, Outcome};
use rocket::{Data, Request, Route};

use crate::received::context;

/// Ties the ID to the future of a route's handler, in addition to the task.
///
/// A server does not need it. It is for tests that dispatch several requests of a local client at
/// the same time in one task. See [the README](crate#tests-with-a-local-client). You still have to
/// attach the fairing.
pub trait Correlate {
    /// Runs each handler in the scope of its request.
    #[must_use]
    fn correlated(self) -> Self;
}

impl Correlate for Vec<Route> {
    fn correlated(mut self) -> Self {
        for route in &mut self {
            route.handler = Box::new(InScope(route.handler.clone()));
        }
        self
    }
}

#[derive(Clone)]
struct InScope(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for InScope {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let handled = async { self.0.handle(request, data).await };
        match context(request) {
            Some(context) => scope(context, handled).await,
            None => handled.await,
        }
    }
}
