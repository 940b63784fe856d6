use async_trait::async_trait;
use correlation_core::{Context, Targets, sync_scope};
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, RequestBuilder, RequestInitialiser, Result};

use crate::propagate::allowed;

/// What [`Propagate`](crate::Propagate) adds to a client: an initialiser and a middleware at once.
///
/// The initialiser takes the context at `client.get(..)`, so that
/// `tokio::spawn(client.get(url).send())` still has it. The middleware writes the headers; it
/// takes the context of the moment for requests that no initialiser saw
/// (`client.execute(request)`). A retry middleware outside or inside of it sends the same ID.
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
        match Context::current() {
            Some(context) => request.with_extension(Taken(context)),
            None => request,
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
        if allowed(&self.targets, request.url()) {
            match extensions.get::<Taken>() {
                Some(Taken(context)) => {
                    sync_scope(context.clone(), || {
                        self.targets.inject(request.headers_mut());
                    });
                }
                None => self.targets.inject(request.headers_mut()),
            }
        }
        next.run(request, extensions).await
    }
}

/// The context at the time when the request was begun.
#[derive(Clone)]
struct Taken(Context);
