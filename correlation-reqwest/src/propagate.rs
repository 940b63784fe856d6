use std::fmt::{self, Write};

use correlation_core::Targets;
use reqwest::{Client, RequestBuilder};

use crate::{Propagator, redirect_policy};

/// Sends the ambient ID: with every request of a client, or with one request.
///
/// What is sent is `x-correlation-id`, and `traceparent` and `tracestate` as the policy says;
/// never over what the caller has set.
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

/// Sends the ID that is ambient at this call with this request. A builder that holds an error
/// keeps it, for `send` to report.
impl Propagate for RequestBuilder {
    type Output = Self;

    fn propagate_to(self, targets: Targets) -> Self {
        if holds_error(&self) {
            return self;
        }
        let (client, request) = self.build_split();
        match request {
            Ok(mut request) => {
                if allowed(&targets, request.url()) {
                    targets.inject(request.headers_mut());
                }
                Self::from_parts(client, request)
            }
            Err(error) => failed(&client, &error),
        }
    }
}

/// Whether this URL is one of the targets.
pub(crate) fn allowed(targets: &Targets, url: &reqwest::Url) -> bool {
    let host = url.host_str();
    host.is_some_and(|host| targets.allow(Some(url.scheme()), host, url.port()))
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
