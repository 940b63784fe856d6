use std::fmt::{self, Write};

use correlation_core::adapter::{Destination, needs_destination};

use correlation_core::{Context, Targets};
use reqwest::{Client, Request, RequestBuilder, Url};

use crate::{Propagator, redirect_policy};

/// Sends the ambient ID with every request of a client, or with one request.
///
/// The call sends `x-correlation-id`. It also sends `traceparent` and `tracestate`, as the policy's
/// [`TraceContext`](correlation_core::TraceContext) says. They replace the ones that the call has
/// set or copied, by the rules of [`inject`](correlation_core::inject). So a gateway that copies
/// the headers of its request (`client.get(url).headers(inbound)`) does not forward its caller's
/// ID. A `traceparent` that a tracer has set stays.
///
/// To send a different ID with one call, make the call in a separate
/// [`scope`](correlation_core::scope). To send none, make it in
/// [`detached`](correlation_core::detached).
///
/// ```
/// use correlation_reqwest::Propagate;
/// use correlation_reqwest::correlation::Targets;
///
/// let targets = Targets::hosts([".internal", "localhost:8080"]);
/// let client = reqwest::Client::builder().propagate_to(targets)?.build();
/// # drop(client);
/// # Ok::<(), reqwest::Error>(())
/// ```
pub trait Propagate: Sized {
    /// The builder that you continue with.
    type Output;

    /// Sends the ID to all hosts.
    #[must_use]
    fn propagate(self) -> Self::Output {
        self.propagate_to(Targets::all())
    }

    /// Sends the ID to these hosts only.
    ///
    /// reqwest sends all headers again when it follows a redirect. So the client must not follow
    /// redirects from a target to any other host. A [`reqwest::ClientBuilder`] gets a policy for
    /// that here. A client that is built elsewhere needs [`redirect_policy`].
    #[must_use]
    fn propagate_to(self, targets: Targets) -> Self::Output;
}

/// Builds the client, and sends the ID with every request of it.
///
/// The errors are those of [`build`](reqwest::ClientBuilder::build). If you name targets, their
/// [`redirect_policy`] replaces the one that was set before.
impl Propagate for reqwest::ClientBuilder {
    type Output = reqwest::Result<reqwest_middleware::ClientBuilder>;

    fn propagate_to(mut self, targets: Targets) -> Self::Output {
        if needs_destination(&targets) {
            self = self.redirect(redirect_policy(targets.clone()));
        }
        let client = reqwest_middleware::ClientBuilder::new(self.build()?);
        Ok(client.propagate_to(targets))
    }
}

/// Sends the ID with every request of a client that is already built.
impl Propagate for reqwest_middleware::ClientBuilder {
    type Output = Self;

    fn propagate_to(self, targets: Targets) -> Self {
        let propagator = Propagator::new(targets);
        self.with_init(propagator.clone()).with(propagator)
    }
}

/// Writes the ID that is ambient at this call, not at `send()`, to this request.
///
/// So call it last: a later `headers(..)` replaces the header that it has written. A request that
/// is stored and cloned sends the same ID each time. A client with the middleware takes the ID when
/// the request is sent.
///
/// A builder that holds an error keeps it, so `send` reports it.
impl Propagate for RequestBuilder {
    type Output = Self;

    fn propagate_to(self, targets: Targets) -> Self {
        if holds_error(&self) {
            return self;
        }
        let (client, request) = self.build_split();
        match request {
            Ok(mut request) => {
                if let Some(context) = Context::current() {
                    inject(&targets, &context, &mut request);
                }
                Self::from_parts(client, request)
            }
            Err(error) => failed(&client, &error),
        }
    }
}

/// Writes the context to the request if its URL is one of the targets.
pub(crate) fn inject(targets: &Targets, context: &Context, request: &mut Request) {
    // The URL is needed only if the targets are restricted.
    let url = needs_destination(targets).then(|| request.url().clone());
    let destination = url.as_ref().map_or_else(Destination::default, destination);
    targets.inject(context, destination, request.headers_mut());
}

pub(crate) fn destination(url: &Url) -> Destination<'_> {
    Destination {
        scheme: Some(url.scheme()),
        host: url.host_str(),
        port: url.port(),
    }
}

/// Returns whether a builder holds an error. Only its debug output shows that without taking the
/// error out, and an error that was taken out cannot be put back.
fn holds_error(builder: &RequestBuilder) -> bool {
    const FAILED: &str = "RequestBuilder { error:";

    struct Start(String);

    impl Write for Start {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.push_str(text);
            // The rest may be long, and it is not needed.
            if self.0.len() < FAILED.len() {
                Ok(())
            } else {
                Err(fmt::Error)
            }
        }
    }

    let mut start = Start(String::new());
    let _ = write!(start, "{builder:?}");
    start.0.starts_with(FAILED)
}

/// Makes a builder that holds an error, in case that debug output ever changes. A text that is not
/// a URL cannot be sent.
fn failed(client: &Client, error: &reqwest::Error) -> RequestBuilder {
    client.get(format!("not sent: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_from_a_request() {
        let client = Client::new();
        assert!(holds_error(&client.get("no URL")));
        assert!(!holds_error(&client.get("http://error:error@error/error:")));
    }

    #[test]
    fn a_lost_error_is_still_one() {
        let client = Client::new();
        let error = client.get("no URL").build().unwrap_err();
        let again = failed(&client, &error).build().unwrap_err();
        assert!(again.is_builder());
    }
}
