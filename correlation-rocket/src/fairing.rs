use std::borrow::Cow;
use std::mem;

use correlation_core::{Policy, TaskContext};
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::{Header, HeaderMap, Method};
use rocket::{Build, Data, Request, Response, Rocket};

use crate::received::{Received, context, received};
use crate::{body, reject};

/// Gives every request its correlation ID: the one fairing a service needs.
///
/// It reads or makes the ID when a request comes in, makes it the ambient one of the task that
/// Rocket runs the request in, and sets the response header. Attach it first: fairings that were
/// attached before it have no ID in their `on_request`. Attached twice, the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Correlation {
    policy: Policy,
}

impl Correlation {
    /// With the default [`Policy`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`new`](Self::new), by the name that fairings usually have.
    #[must_use]
    pub fn fairing() -> Self {
        Self::new()
    }

    /// With these rules for inbound requests.
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
        Ok(rocket.manage(Attached).mount("/", [reject::route()]))
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        // The connection's own address, not `client_ip`: that header anybody can send.
        let peer = self.policy.wants_peer().then(|| request.remote()).flatten();
        let verdict = self
            .policy
            .receive(|| lines(request.headers()), peer.map(|peer| peer.ip()));
        let (context, why) = match verdict {
            Ok(context) => (context, None),
            Err(rejected) => (rejected.context().clone(), Some(rejected)),
        };
        let (method, path) = (request.method().as_str(), request.uri().path());
        *received(request) = Some(Received {
            access: self.policy.begin_access(&context, method, path.as_str()),
            task: TaskContext::enter(context.clone()),
            rejected: why.as_ref().map(|_| request.method()),
            context: context.clone(),
        });
        if let Some(name) = self.policy.request_header_name() {
            request.replace_header(Header::new(name, context.id().as_str().to_owned()));
        }
        if let Some(why) = why {
            log::info!(target: "correlation", "{request} is rejected: {why}");
            request.set_method(reject::REJECTED);
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(context) = context(request) else {
            return;
        };
        if let Some(name) = self.policy.response_header_name() {
            response.set_raw_header(name, context.id().as_str().to_owned());
        }
        let present = response.headers().get(EXPOSE_HEADERS);
        if let Some(exposed) = self.policy.exposed_headers(present) {
            response.set_raw_header(EXPOSE_HEADERS, exposed);
        }
        let known = received(request)
            .as_mut()
            .map(|known| mem::take(&mut known.access));
        let mut access = known.unwrap_or_default();
        access.status(response.status().code);
        // Rocket sends no body then, and so nobody reads it to its end.
        if request.method() == Method::Head {
            access.complete();
        }
        body::scope(context, access, response).await;
        if let Some(received) = &*received(request) {
            received.task.finish();
            if received.rejected == Some(Method::Head) {
                // Rocket does this for what it still knows to be HEAD.
                response.body_mut().take();
            }
        }
    }
}

/// Managed state that tells whether the fairing is there.
pub(crate) struct Attached;

/// The header lines. Rocket makes each `Header` on the fly, of borrowed parts.
fn lines<'a>(headers: &'a HeaderMap<'_>) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    headers
        .iter()
        .filter_map(|line| match (line.name.into_cow(), line.value) {
            (Cow::Borrowed(name), Cow::Borrowed(value)) => Some((name, value.as_bytes())),
            _ => None,
        })
}

const EXPOSE_HEADERS: &str = "access-control-expose-headers";
