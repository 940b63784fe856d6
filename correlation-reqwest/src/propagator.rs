use async_trait::async_trait;
use correlation_core::Targets;
use correlation_core::adapter::Ambient;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, RequestBuilder, RequestInitialiser, Result};

use crate::propagate::inject;

/// The initialiser and the middleware that [`Propagate`](crate::Propagate) adds to a client.
///
/// The middleware writes the headers. It takes the context that is ambient when the future of
/// `send()` or `execute()` is first polled. So a request that is stored and cloned has the ID of
/// the code that sends it.
///
/// The initialiser takes the context at `client.get(..)`. That context counts if none is ambient
/// when the request is sent, as in `tokio::spawn(client.get(url).send())`. It is lost in
/// `client.get(url).build()`, because a built request keeps no extensions. Code that is
/// [`detached`](correlation_core::detached) at either moment sends no ID.
///
/// A retry middleware sends the same ID, whether it is outside or inside this one.
#[derive(Clone, Debug, Default)]
pub struct Propagator {
    targets: Targets,
}

impl Propagator {
    /// Makes a middleware that sends the ID to these hosts.
    ///
    /// It sees each call once, and none of its redirects. So a client with targets also needs their
    /// [`redirect_policy`](crate::redirect_policy).
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

/// The context that was ambient when the request was begun.
#[derive(Clone)]
struct Begun(Ambient);
