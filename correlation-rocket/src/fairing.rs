use std::borrow::Cow;
use std::mem;

use correlation_core::Policy;
use correlation_core::adapter::{self, AccessRecord, Expose, Peer, TaskContext};
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::{Header, HeaderMap, Method};
use rocket::{Build, Data, Request, Response, Rocket};

use crate::received::{Received, Rejection, context, received};
use crate::{body, reject};

/// Gives every request its correlation ID. A service needs no other fairing for that.
///
/// The fairing reads or makes the ID when a request comes in, and sets the response header. The ID
/// is ambient in the task that Rocket runs the request in. Attach this fairing first: fairings that
/// are attached before it have no ID in their `on_request`. If you attach it twice, the last one
/// counts.
///
/// ```
/// use correlation_rocket::Correlation;
/// use correlation_rocket::correlation::{Policy, Trust};
///
/// let policy = Policy::new().trust(Trust::networks(["10.0.0.0/8"]));
/// let app = rocket::build().attach(Correlation::new().policy(policy));
/// # drop(app);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Correlation {
    policy: Policy,
}

impl Correlation {
    /// Makes the fairing with the default [`Policy`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does the same as [`new`](Self::new), under the name that fairings usually have.
    #[must_use]
    pub fn fairing() -> Self {
        Self::new()
    }

    /// Sets the rules for inbound requests.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }
}

#[rocket::async_trait]
impl Fairing for Correlation {
    fn info(&self) -> Info {
        Info {
            name: "Correlation ID",
            kind: Kind::Ignite | Kind::Request | Kind::Response | Kind::Singleton,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let rejects = adapter::rejects(&self.policy).then(reject::route);
        let routes: Vec<_> = rejects.into_iter().collect();
        Ok(rocket.manage(Attached).mount("/", routes))
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        // This is the connection's address, not `client_ip`, because anybody can send the header of
        // that one. `None` is a Unix socket, or a local request of a test.
        let peer = request
            .remote()
            .map_or(Peer::Local, |addr| addr.ip().into());
        let decision = self.policy.receive(|| lines(request.headers()), peer);
        let rejected = decision.rejected().map(|rejected| Rejection {
            method: request.method(),
            reason: rejected.as_str(),
        });
        let context = decision.into_context();
        let (method, path) = (request.method().as_str(), request.uri().path().as_str());
        *received(request) = Some(Received {
            access: AccessRecord::begin(&self.policy, &context, method, path, peer),
            task: TaskContext::enter(context.clone()),
            rejected,
            context: context.clone(),
        });
        if let Some(name) = adapter::request_header(&self.policy) {
            request.replace_header(Header::new(name, context.id().as_str().to_owned()));
        }
        if rejected.is_some() {
            request.set_method(reject::REJECTED);
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(context) = context(request) else {
            return;
        };
        if let Some(name) = adapter::response_header(&self.policy) {
            response.set_raw_header(name, context.id().as_str().to_owned());
        }
        let present = || response.headers().get(EXPOSE_HEADERS).map(str::as_bytes);
        let exposed = adapter::expose(&self.policy, present);
        match exposed {
            Some(Expose::Set(all)) => {
                response.set_raw_header(EXPOSE_HEADERS, all);
            }
            Some(Expose::Add(line)) => {
                response.adjoin_raw_header(EXPOSE_HEADERS, line);
            }
            None => {}
        }
        let mut access = AccessRecord::default();
        let mut rejected = None;
        if let Some(known) = &mut *received(request) {
            access = mem::take(&mut known.access);
            rejected = known.rejected;
        }
        if access.is_open() {
            let route = request.route().filter(|_| rejected.is_none());
            if let Some(route) = route {
                access.route(route.uri.path());
            }
            access.status(response.status().code);
        }
        body::scope(context, access, response).await;
        if let Some(received) = &*received(request) {
            received.task.finish();
        }
        if rejected.is_some_and(|rejected| rejected.method == Method::Head) {
            // Rocket does this for requests that it still knows to be `HEAD`.
            response.body_mut().take();
        }
    }
}

/// Managed state that shows that the fairing is attached.
pub(crate) struct Attached;

/// Returns the header lines. Rocket makes each `Header` on the fly, from borrowed parts.
fn lines<'a>(headers: &'a HeaderMap<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    headers
        .iter()
        .filter_map(|line| match (line.name.into_cow(), line.value) {
            (Cow::Borrowed(name), Cow::Borrowed(value)) => Some((name, value)),
            _ => None,
        })
}

const EXPOSE_HEADERS: &str = "access-control-expose-headers";
