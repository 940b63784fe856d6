//! A call that leaves: without a network.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;
use std::task::{Context as TaskContext, Waker};

use correlation_core::{CorrelationId, sync_scope};
use correlation_tower::PropagateLayer;
use http::{HeaderMap, HeaderValue, Request, Response};
use tower::{Layer, Service, service_fn};

use super::by_hand::SHARED;
use super::{SENT, headers};
use crate::Group;
use crate::run::ready;

pub(crate) fn groups() -> Vec<Group> {
    #[cfg_attr(not(feature = "peers"), expect(unused_mut, reason = "more follow"))]
    let mut groups = vec![tower()];
    #[cfg(feature = "peers")]
    groups.extend(reqwest::groups());
    groups
}

const TIMES: u32 = 100;

fn tower() -> Group {
    let group = Group::new(
        "outbound, a call of a tower client",
        "A hundred calls in one scope, for one call, with 3 other headers and a service that \
         answers at once. OTel writes a traceparent, by its own propagator.",
    )
    .per(TIMES)
    .bare("no ID", || calls(client(|_| ())))
    .ours("PropagateLayer", || {
        let mut calls = calls(PropagateLayer::new().layer(client(|_| ())));
        move || sync_scope(CorrelationId::new(), &mut calls)
    })
    .peer("by hand", || {
        let mut calls = calls(client(|headers| {
            if let Ok(id) = SHARED.with(|id| HeaderValue::from_str(id)) {
                headers.insert("x-correlation-id", id);
            }
        }));
        move || SHARED.sync_scope(Arc::from(SENT), &mut calls)
    });
    #[cfg(feature = "peers")]
    let group = group.peer("OTel inject_context", || {
        let context = otel();
        let mut calls = calls(client(|headers| otel_inject(&mut InHeaders(headers))));
        move || {
            let _attached = context.clone().attach();
            calls();
        }
    });
    group
}

fn client(
    change: impl Fn(&mut HeaderMap),
) -> impl Service<Request<()>, Response = Response<()>, Error = Infallible> {
    service_fn(move |mut request: Request<()>| {
        change(request.headers_mut());
        std::hint::black_box(&request);
        future::ready(Ok(Response::new(())))
    })
}

fn calls<S>(mut service: S) -> impl FnMut()
where
    S: Service<Request<()>, Response = Response<()>, Error = Infallible>,
{
    let headers = headers(3, None);
    let uri = http::Uri::from_static("http://orders.internal:8080/stock");
    move || {
        for _ in 0..TIMES {
            let mut request = Request::new(());
            *request.uri_mut() = uri.clone();
            *request.headers_mut() = headers.clone();
            let mut cx = TaskContext::from_waker(Waker::noop());
            assert!(service.poll_ready(&mut cx).is_ready());
            std::hint::black_box(ready(service.call(request)).is_ok());
        }
    }
}

#[cfg(feature = "peers")]
pub(crate) use otel::{InHeaders, TRACEPARENT, otel, otel_extract, otel_inject};

#[cfg(feature = "peers")]
mod otel {
    use std::collections::HashMap;

    use http::{HeaderMap, HeaderName, HeaderValue};
    use opentelemetry::Context;
    use opentelemetry::propagation::{Injector, TextMapPropagator as _};
    use opentelemetry_sdk::propagation::TraceContextPropagator;

    pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// A context that has a trace to propagate.
    pub(crate) fn otel() -> Context {
        let carrier = HashMap::from([("traceparent".to_owned(), TRACEPARENT.to_owned())]);
        otel_extract(&carrier)
    }

    pub(crate) fn otel_extract(carrier: &HashMap<String, String>) -> Context {
        TraceContextPropagator::new().extract(carrier)
    }

    pub(crate) fn otel_inject(carrier: &mut dyn Injector) {
        TraceContextPropagator::new().inject_context(&Context::current(), carrier);
    }

    /// As in `opentelemetry-http`.
    pub(crate) struct InHeaders<'h>(pub(crate) &'h mut HeaderMap);

    impl Injector for InHeaders<'_> {
        fn set(&mut self, key: &str, value: String) {
            if let Ok(name) = HeaderName::from_bytes(key.as_bytes())
                && let Ok(value) = HeaderValue::from_str(&value)
            {
                self.0.insert(name, value);
            }
        }
    }
}

#[cfg(feature = "peers")]
mod reqwest {
    use std::sync::Arc;

    use correlation_core::{CorrelationId, sync_scope};
    use correlation_reqwest::Propagate as _;
    use reqwest::Client;
    use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};

    use super::{InHeaders, SENT, SHARED, otel, otel_inject};
    use crate::Group;
    use crate::run::ready;

    pub(super) fn groups() -> Vec<Group> {
        vec![request(), call()]
    }

    const URL: &str = "http://orders.internal:8080/stock";

    fn request() -> Group {
        Group::new(
            "outbound, a reqwest request",
            "One request in one scope, built from a URL in text, and not sent.",
        )
        .bare("no ID", || {
            let client = Client::new();
            move || client.get(URL).build()
        })
        .ours("propagate()", || {
            let client = Client::new();
            in_scope(move || client.get(URL).propagate().build())
        })
        .peer("by hand", || {
            let client = Client::new();
            move || {
                let request =
                    || SHARED.with(|id| client.get(URL).header("x-correlation-id", &**id).build());
                SHARED.sync_scope(Arc::from(SENT), request)
            }
        })
        .peer("OTel inject_context", || {
            let (client, context) = (Client::new(), otel());
            move || {
                let _attached = context.clone().attach();
                let mut request = client.get(URL).build();
                if let Ok(request) = &mut request {
                    otel_inject(&mut InHeaders(request.headers_mut()));
                }
                request
            }
        })
    }

    fn call() -> Group {
        Group::new(
            "outbound, a call of a client with reqwest-middleware",
            "One call in one scope, answered by a middleware in place of the network.",
        )
        .bare("no ID", || {
            send(ClientBuilder::new(Client::new()).with(Answers).build())
        })
        .ours("propagate()", || {
            let client = ClientBuilder::new(Client::new()).propagate();
            in_scope(send(client.with(Answers).build()))
        })
        .peer("middleware by hand", || {
            let client = ClientBuilder::new(Client::new()).with(ByHand);
            let mut send = send(client.with(Answers).build());
            move || SHARED.sync_scope(Arc::from(SENT), &mut send)
        })
        .peer("OTel inject_context in a middleware", || {
            let client = ClientBuilder::new(Client::new()).with(ByOtel);
            let (mut send, context) = (send(client.with(Answers).build()), otel());
            move || {
                let _attached = context.clone().attach();
                send()
            }
        })
    }

    fn in_scope<R>(mut f: impl FnMut() -> R) -> impl FnMut() -> R {
        let context = correlation_core::Context::from(CorrelationId::new());
        move || sync_scope(context.clone(), &mut f)
    }

    fn send(client: ClientWithMiddleware) -> impl FnMut() -> bool {
        move || ready(client.get(URL).send()).is_ok()
    }

    struct Answers;

    #[async_trait::async_trait]
    impl Middleware for Answers {
        async fn handle(
            &self,
            _: reqwest::Request,
            _: &mut http::Extensions,
            _: Next<'_>,
        ) -> Result<reqwest::Response> {
            Ok(http::Response::new("ok").into())
        }
    }

    struct ByHand;

    #[async_trait::async_trait]
    impl Middleware for ByHand {
        async fn handle(
            &self,
            mut request: reqwest::Request,
            extensions: &mut http::Extensions,
            next: Next<'_>,
        ) -> Result<reqwest::Response> {
            if let Ok(id) = SHARED.with(|id| http::HeaderValue::from_str(id)) {
                request.headers_mut().insert("x-correlation-id", id);
            }
            next.run(request, extensions).await
        }
    }

    struct ByOtel;

    #[async_trait::async_trait]
    impl Middleware for ByOtel {
        async fn handle(
            &self,
            mut request: reqwest::Request,
            extensions: &mut http::Extensions,
            next: Next<'_>,
        ) -> Result<reqwest::Response> {
            otel_inject(&mut InHeaders(request.headers_mut()));
            next.run(request, extensions).await
        }
    }
}
