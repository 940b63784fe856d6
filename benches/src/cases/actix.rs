//! One request through an actix-web app, in process.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actix_http::Request;
use actix_http::header::HeaderMap;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::init_service;
use actix_web::{App, Error, web};
use correlation_actix::Correlation;
use tracing::{Dispatch, dispatcher};
use tracing_actix_web::TracingLogger;

use super::axum::{Noon, Sink};
use super::by_hand::{self, SHARED};
use super::{CALLERS, NAME, pairs};
use crate::Group;
use crate::run::ready;

pub(crate) fn groups() -> Vec<Group> {
    let kinds: [fn(&str, Option<&'static str>) -> Group; 2] = [plain, logging];
    kinds
        .into_iter()
        .flat_map(|kind| CALLERS.map(|(what, id)| kind(what, id)))
        .collect()
}

fn plain(what: &str, id: Option<&'static str>) -> Group {
    Group::new(
        format!("actix-web, {what}"),
        "7 other headers, the body read to its end, no subscriber. TracingLogger makes a span, and \
         neither reads an ID nor answers with one.",
    )
    .bare("app", move || {
        request(id, || App::new().route("/", handler()))
    })
    .peer("from_fn that does nothing", move || {
        let nothing = |request, next: Next<_>| async move { next.call(request).await };
        request(id, move || {
            App::new().route("/", handler()).wrap(from_fn(nothing))
        })
    })
    .ours("Correlation", move || {
        request(id, || {
            App::new().route("/", handler()).wrap(Correlation::new())
        })
    })
    .peer("TracingLogger", move || {
        request(id, || {
            App::new()
                .route("/", handler())
                .wrap(TracingLogger::default())
        })
    })
    .peer("from_fn by hand", move || {
        request(id, || {
            App::new()
                .route("/", handler())
                .wrap(from_fn(function_by_hand))
        })
    })
}

fn logging(what: &str, id: Option<&'static str>) -> Group {
    let handler = || {
        web::get().to(|| async {
            tracing::info!(rows = 3, "query done");
            "ok"
        })
    };
    let subscriber = || {
        tracing_subscriber::fmt()
            .with_timer(Noon)
            .with_ansi(false)
            .with_writer(|| Sink)
    };
    let logged = |dispatch: Dispatch, mut run: Box<dyn FnMut() -> usize>| {
        move || dispatcher::with_default(&dispatch, &mut run)
    };
    Group::new(
        format!("actix-web, one log line, {what}"),
        "The handler logs one line of text, to nowhere, with an ID on it, but for the bare app.",
    )
    .bare("app, no ID", move || {
        let run = request(id, move || App::new().route("/", handler()));
        logged(Dispatch::new(subscriber().finish()), Box::new(run))
    })
    .ours("Correlation and tag", move || {
        let run = request(id, move || {
            App::new().route("/", handler()).wrap(Correlation::new())
        });
        let subscriber = subscriber().map_writer(correlation_core::tag);
        logged(Dispatch::new(subscriber.finish()), Box::new(run))
    })
    .peer("TracingLogger", move || {
        let run = request(id, move || {
            App::new()
                .route("/", handler())
                .wrap(TracingLogger::default())
        });
        logged(Dispatch::new(subscriber().finish()), Box::new(run))
    })
}

fn handler() -> actix_web::Route {
    web::get().to(|| async { "ok" })
}

/// A middleware as people write it.
async fn function_by_hand(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let headers = request.headers();
    let id: Arc<str> = by_hand::choose(|name| headers.get(name)?.to_str().ok()).into();
    let mut response = SHARED.scope(Arc::clone(&id), next.call(request)).await?;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(NAME), id);
    }
    Ok(response)
}

fn request<T, B>(id: Option<&'static str>, app: impl FnOnce() -> App<T>) -> impl FnMut() -> usize
where
    T: actix_web::dev::ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let service = ready(init_service(app()));
    let headers: HeaderMap = pairs(id)
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect();
    move || {
        let mut request = Request::new();
        request.head_mut().headers = headers.clone();
        let response = ready(service.call(request));
        response.map_or(0, |response| drain(response.into_body()))
    }
}

fn drain(body: impl MessageBody) -> usize {
    let mut body = pin!(body);
    let mut cx = Context::from_waker(Waker::noop());
    let mut bytes = 0;
    while let Poll::Ready(Some(Ok(chunk))) = body.as_mut().poll_next(&mut cx) {
        bytes += chunk.len();
    }
    bytes
}
