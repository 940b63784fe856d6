//! The middleware where it does not belong: what happens is what `docs/MISUSE.md` says.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{resource, scope};
use actix_web::{App, Error};
use correlation_actix::Correlation;
use correlation_actix::correlation::{Policy, Trust};
use correlation_testkit::{CORRELATION_ID, Connection, app};

use crate::server;

async fn ask(connection: &mut Connection, path: &str) -> (u16, Vec<String>, String) {
    let response = connection.get(path, &[(CORRELATION_ID, "c-1")]).await;
    let response = response.unwrap();
    let ids = response.ids().iter().map(ToString::to_string).collect();
    (response.status, ids, response.text().into_owned())
}

fn answer(status: u16, ids: &[&str], text: &str) -> (u16, Vec<String>, String) {
    let ids = ids.iter().map(ToString::to_string).collect();
    (status, ids, text.to_owned())
}

fn never() -> Correlation {
    Correlation::new().policy(Policy::new().trust(Trust::never()))
}

#[tokio::test]
async fn on_a_scope_the_rest_of_the_app_has_no_id() {
    let addr = server::serve(|| {
        let id = || resource("/id").get(async || app::id());
        let nested = scope("/api").service(id()).wrap(Correlation::new());
        App::new().service(nested).service(id())
    });
    let connection = &mut Connection::open(addr).await.unwrap();
    assert_eq!(
        ask(connection, "/api/id").await,
        answer(200, &["c-1"], "c-1")
    );
    assert_eq!(ask(connection, "/id").await, answer(200, &[], "none"));
    assert_eq!(ask(connection, "/no").await, answer(404, &[], ""));
}

#[tokio::test]
async fn scopes_side_by_side_keep_their_own_policies() {
    let addr = server::serve(|| {
        let id = || resource("/id").get(async || app::id());
        let open = scope("/open").service(id()).wrap(Correlation::new());
        let strict = scope("/strict").service(id()).wrap(never());
        App::new().service(open).service(strict)
    });
    let connection = &mut Connection::open(addr).await.unwrap();
    assert_eq!(
        ask(connection, "/open/id").await,
        answer(200, &["c-1"], "c-1")
    );
    let (status, ids, text) = ask(connection, "/strict/id").await;
    assert_eq!((status, &ids.concat()), (200, &text));
    assert_ne!(text, "c-1");
}

#[tokio::test]
async fn on_a_scope_and_around_it_the_outer_policy_counts() {
    let addr = server::serve(|| {
        let id = resource("/id").get(async || app::id());
        let nested = scope("/api").service(id).wrap(never());
        App::new().service(nested).wrap(Correlation::new())
    });
    let connection = &mut Connection::open(addr).await.unwrap();
    assert_eq!(
        ask(connection, "/api/id").await,
        answer(200, &["c-1"], "c-1")
    );
}

/// Puts what it reads into the response.
async fn reads(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let read = HeaderValue::from_str(&app::id()).unwrap();
    let mut response = next.call(request).await?;
    let name = HeaderName::from_static("x-read");
    response.headers_mut().insert(name, read);
    Ok(response)
}

#[tokio::test]
async fn what_is_wrapped_after_it_reads_no_id() {
    let inside = server::serve(|| {
        let app = App::new().configure(server::routes);
        app.wrap(from_fn(reads)).wrap(Correlation::new())
    });
    let outside = server::serve(|| {
        let app = App::new().configure(server::routes);
        app.wrap(Correlation::new()).wrap(from_fn(reads))
    });
    for (addr, read) in [(inside, "c-1"), (outside, "none")] {
        let mut connection = Connection::open(addr).await.unwrap();
        let response = connection.get("/id", &[(CORRELATION_ID, "c-1")]).await;
        let response = response.unwrap();
        assert_eq!(response.values("x-read"), [read]);
        assert_eq!(response.ids(), ["c-1"]);
    }
}
