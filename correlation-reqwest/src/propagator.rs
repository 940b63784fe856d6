use async_trait::async_trait;
use correlation_core::Targets;
use correlation_core::adapter::Ambient;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, RequestBuilder, RequestInitialiser, Result};

use crate::propagate::inject;

/// What [`Propagate`](crate::Propagate) adds to a client: an initialiser and a middleware at once.
///
/// The middleware writes the headers. The context that counts is the one that is ambient when the
/// future of `send()` or `execute()` is first polled, so a request that is stored and cloned sends
/// the ID of whoever sends it.
///
/// The initialiser takes the context at `client.get(..)`. That one counts where nothing is ambient
/// when the request is sent, as in `tokio::spawn(client.get(url).send())`. Who is
/// [`detached`](correlation_core::detached) at either moment sends no ID.
///
/// A retry middleware outside or inside of it sends the same ID.
#[derive(Clone, Debug, Default)]
pub struct Propagator {
    targets: Targets,
}

impl Propagator {
    /// For these hosts. It sees a call once, and no redirect of it: a client with targets needs
    /// their [`redirect_policy`](crate::redirect_policy).
    #[must_use]
    pub const fn new(targets: Targets) -> Self {
        Self { targets }
    }
}

impl RequestInitialiser for Propagator {
    fn init(&self, request: RequestBuilder) -> RequestBuilder {
        match Ambient::now() {
            Ambient::Unset => request,
            begun => request.with_extension(Begun(begun)),
        }
    }
}

#[async_trait]
impl Middleware for Propagator {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let begun = extensions
            .get()
            .map_or(&Ambient::Unset, |Begun(begun)| begun);
        if let Some(context) = begun.at_send() {
            inject(&self.targets, &context, &mut request);
        }
        next.run(request, extensions).await
    }
}

/// What was ambient when the request was begun.
#[derive(Clone)]
struct Begun(Ambient);
