//! What a request holds while it is answered.

use std::any::Any;
use std::future::pending;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use correlation_axum::CorrelationLayer;
use correlation_core::adapter::TaskContext;
use correlation_core::{Context, CorrelationId};
use http::Request;
use tower::{Layer, Service};

use crate::cases::{OTHERS, SENT, headers};

/// Requests that are under way.
pub type Held = Box<dyn Any>;

/// The name of a way to answer, whether it is without an ID, and what starts so many requests that
/// are never answered.
pub type Holder = (&'static str, bool, fn(usize) -> Held);

/// All ways, each group's first one without an ID.
#[must_use]
pub fn holders() -> Vec<Holder> {
    let mut all: Vec<Holder> = vec![
        ("axum, router", true, |number| {
            hold::<Body, _>(number, &router())
        }),
        ("axum, CorrelationLayer around", false, |number| {
            hold::<Body, _>(number, &CorrelationLayer::new().layer(router()))
        }),
        ("axum, CorrelationLayer in Router::layer", false, |number| {
            hold::<Body, _>(number, &router().layer(CorrelationLayer::new()))
        }),
        ("axum, tower-http pair around", false, |number| {
            hold::<Body, _>(number, &crate::cases::tower_http_pair().service(router()))
        }),
    ];
    all.extend::<[Holder; 2]>([
        ("task of tokio", true, |number| {
            in_tasks(number, pending::<()>)
        }),
        ("task of tokio, in the task table", false, |number| {
            in_tasks(number, || async {
                let _entered = TaskContext::enter(Context::from(CorrelationId::new()));
                pending::<()>().await;
            })
        }),
    ]);
    #[cfg(feature = "peers")]
    all.extend(peers::holders());
    all
}

fn router() -> Router {
    Router::new().route("/", get(pending::<()>))
}

/// Each in a task, as a server has it.
fn hold<R, S>(number: usize, service: &S) -> Held
where
    S: Service<Request<R>, Response: Send, Error: Send, Future: Send + 'static> + Clone,
    R: Default,
{
    let headers = headers(OTHERS, Some(SENT));
    in_tasks(number, || {
        let mut request = Request::new(R::default());
        *request.headers_mut() = headers.clone();
        let mut service = service.clone();
        let answer = service.call(request);
        async move { drop(answer.await) }
    })
}

fn in_tasks<F>(number: usize, start: impl Fn() -> F) -> Held
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..number {
            tokio::spawn(start());
        }
        // The tasks that were spawned run before this one again.
        for _ in 0..number {
            tokio::task::yield_now().await;
        }
    });
    Box::new(runtime)
}

#[cfg(feature = "peers")]
mod peers {
    use std::future::pending;
    use std::sync::Arc;

    use correlation_rocket::Correlation;
    use rocket::local::asynchronous::Client;
    use rocket::{Build, Rocket};
    use warp::Filter;

    type Empty = http_body_util::Empty<axum::body::Bytes>;

    use super::{Held, Holder, hold, in_tasks};

    pub(super) fn holders() -> Vec<Holder> {
        vec![
            ("Rocket, app", true, |number| rocket(number, app())),
            ("Rocket, fairing", false, |number| {
                rocket(number, app().attach(Correlation::fairing()))
            }),
            ("warp, filters", true, |number| {
                hold::<Empty, _>(number, &warp::service(routes()))
            }),
            ("warp, filter", false, |number| {
                hold::<Empty, _>(
                    number,
                    &warp::service(routes().with(warp::wrap_fn(correlation_warp::correlated))),
                )
            }),
            ("warp, serve's layer", false, |number| {
                use tower::Layer as _;

                hold::<Empty, _>(
                    number,
                    &correlation_warp::CorrelationLayer::new().layer(warp::service(routes())),
                )
            }),
        ]
    }

    fn routes()
    -> impl Filter<Extract: warp::Reply, Error = warp::Rejection> + Clone + Send + Sync + 'static
    {
        warp::path::end().then(pending::<&'static str>)
    }

    fn app() -> Rocket<Build> {
        #[rocket::get("/")]
        async fn handler() -> &'static str {
            pending().await
        }

        crate::cases::rocket_app().mount("/held", rocket::routes![handler])
    }

    fn rocket(number: usize, app: Rocket<Build>) -> Held {
        let client = Arc::new(crate::run::ready(Client::untracked(app)).expect("Rocket's client"));
        in_tasks(number, || {
            let client = Arc::clone(&client);
            async move {
                drop(client.get("/held").dispatch().await);
            }
        })
    }
}
