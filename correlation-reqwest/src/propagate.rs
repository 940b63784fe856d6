use async_trait::async_trait;
use correlation_core::{Context, Targets, inject, sync_scope};
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{
    ClientBuilder, Middleware, Next, RequestBuilder, RequestInitialiser, Result,
};

/// Makes every request of a client carry the ambient ID.
pub trait Propagate: Sized {
    /// To all hosts.
    #[must_use]
    fn propagate(self) -> Self {
        self.propagate_to(Targets::all())
    }

    /// To these hosts only. Give the inner client a [`redirect_policy`](crate::redirect_policy)
    /// with the same targets, since reqwest follows redirects with all headers.
    #[must_use]
    fn propagate_to(self, targets: Targets) -> Self;
}

impl Propagate for ClientBuilder {
    fn propagate_to(self, targets: Targets) -> Self {
        let propagator = Propagator::new(targets);
        self.with_init(propagator.clone()).with(propagator)
    }
}

/// What [`Propagate`] adds to a client: an initialiser and a middleware at once.
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
    /// For these hosts.
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
        if request
            .url()
            .host_str()
            .is_some_and(|host| self.targets.allow(host))
        {
            match extensions.get::<Taken>() {
                Some(Taken(context)) => {
                    sync_scope(context.clone(), || inject(request.headers_mut()));
                }
                None => inject(request.headers_mut()),
            }
        }
        next.run(request, extensions).await
    }
}

/// The context at the time when the request was begun.
#[derive(Clone)]
struct Taken(Context);
