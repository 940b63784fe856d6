use std::fmt::{self, Write};

use correlation_core::adapter::Destination;

use correlation_core::{Context, Targets};
use reqwest::{Client, Request, RequestBuilder, Url};

use crate::{Propagator, redirect_policy};

/// Sends the ambient ID: with every request of a client, or with one request.
///
/// What is sent is `x-correlation-id`, and `traceparent` and `tracestate` as the policy says. They
/// are sent in place of what the call has set or copied, as
/// [`inject`](correlation_core::inject) says. So a gateway that copies the headers of its request
/// (`client.get(url).headers(inbound)`) does not send its caller's ID on. To send another ID with
/// one call, send it in a [`scope`](correlation_core::scope) of its own; to send none, in
/// [`detached`](correlation_core::detached).
pub trait Propagate: Sized {
    /// What is left to build or to send.
    type Output;

    /// To all hosts.
    #[must_use]
    fn propagate(self) -> Self::Output {
        self.propagate_to(Targets::all())
    }

    /// To these hosts only.
    ///
    /// reqwest sends all headers along when it follows a redirect. So a client that follows none
    /// out of the targets belongs to this: [`reqwest::ClientBuilder`] makes it one here; a client
    /// that is built elsewhere needs [`redirect_policy`].
    #[must_use]
    fn propagate_to(self, targets: Targets) -> Self::Output;
}

/// Builds the client, and sends the ID with every request of it. Errors are those of
/// [`build`](reqwest::ClientBuilder::build).
///
/// If targets are named, their [`redirect_policy`] replaces the one that was set before.
impl Propagate for reqwest::ClientBuilder {
    type Output = reqwest::Result<reqwest_middleware::ClientBuilder>;

    fn propagate_to(mut self, targets: Targets) -> Self::Output {
        if targets.are_restricted() {
            self = self.redirect(redirect_policy(targets.clone()));
        }
        let client = reqwest_middleware::ClientBuilder::new(self.build()?);
        Ok(client.propagate_to(targets))
    }
}

/// Sends the ID with every request of a client that is built already.
impl Propagate for reqwest_middleware::ClientBuilder {
    type Output = Self;

    fn propagate_to(self, targets: Targets) -> Self {
        let propagator = Propagator::new(targets);
        self.with_init(propagator.clone()).with(propagator)
    }
}

/// Writes the ID that is ambient at this call, not at `send()`, to this request. So call it last:
/// `headers(..)` after it replaces what it has written, and a request that is stored and cloned
/// sends the same ID each time. A client with the middleware takes the ID when the request is sent.
///
/// A builder that holds an error keeps it, for `send` to report.
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

/// Whether this URL is one of the targets.
pub(crate) fn inject(targets: &Targets, context: &Context, request: &mut Request) {
    // Only a restriction looks at it.
    let url = targets.are_restricted().then(|| request.url().clone());
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

/// Whether a builder has failed. Its debug output alone tells that and leaves it whole: an error
/// that was taken out cannot be put back.
fn holds_error(builder: &RequestBuilder) -> bool {
    const FAILED: &str = "RequestBuilder { error:";

    struct Start(String);

    impl Write for Start {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.push_str(text);
            // The rest may be long, and nobody asks for it.
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

/// A builder that holds an error, should that output ever change: what is no URL cannot be sent.
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
