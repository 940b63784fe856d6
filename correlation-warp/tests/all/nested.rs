//! One request with two of them, and two requests in one task.

use std::collections::HashSet;

use correlation_testkit::app;
use correlation_warp::correlation::{Generator, Policy, Trust};
use correlation_warp::{correlated, correlated_with};
use futures_util::future::join_all;
use tokio::task::JoinSet;
use warp::{Filter, Reply, reply};

#[tokio::test]
async fn the_inner_goes_on_with_the_id_of_the_outer() {
    let inner = Policy::new()
        .trust(Trust::never())
        .generator(Generator::custom(|| "inner"))
        .response_header("x-inner-id");
    let routes = correlated(correlated_with(inner, warp::any().then(read)));
    // Nothing tells these requests apart but where they lie.
    for _ in 0..2 {
        let reply = warp::test::request().reply(&routes).await;
        let id = reply.headers()["x-correlation-id"].to_str().unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!(reply.headers()["x-inner-id"], id);
        assert_eq!(*reply.body(), format!(r#"["{id}","{id}","{id}"]"#));
    }
}

/// Which of them runs, nobody can tell then: `none` is right, any other ID is wrong.
#[tokio::test]
async fn joined_requests_never_read_a_wrong_id() {
    let routes = correlated(correlated(warp::any().then(read)));
    let requests = (0..100).map(|_| warp::test::request().reply(&routes));
    let mut ids = HashSet::new();
    let (mut own, mut none) = (0, 0);
    for reply in join_all(requests).await {
        let id = reply.headers()["x-correlation-id"].to_str().unwrap();
        for read in serde_json::from_slice::<Vec<String>>(reply.body()).unwrap() {
            match &*read {
                "none" => none += 1,
                read if read == id => own += 1,
                wrong => panic!("{id} read {wrong}"),
            }
        }
        assert!(ids.insert(id.to_owned()), "{id} came twice");
    }
    assert_eq!(own + none, 300);
    assert!(none > 0, "they did not run at the same time");
}

#[tokio::test]
async fn requests_in_tasks_of_their_own_read_theirs() {
    let routes = correlated(correlated(warp::any().then(read)));
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let routes = routes.clone();
        requests.spawn(async move { warp::test::request().reply(&routes).await });
    }
    while let Some(reply) = requests.join_next().await {
        let reply = reply.unwrap();
        let id = reply.headers()["x-correlation-id"].to_str().unwrap();
        assert_eq!(*reply.body(), format!(r#"["{id}","{id}","{id}"]"#));
    }
}

/// The making of the reply is the one part that is exact even then.
#[tokio::test]
async fn joined_replies_are_made_with_their_own_id() {
    let routes = correlated(warp::any().then(async || {
        tokio::task::yield_now().await;
        Late
    }));
    let requests = (0..10).map(|_| warp::test::request().reply(&routes));
    for reply in join_all(requests).await {
        let id = &reply.headers()["x-correlation-id"];
        assert_eq!(reply.body(), id.as_bytes());
    }
}

/// A reply that reads the ID when it is turned into a response.
struct Late;

impl Reply for Late {
    fn into_response(self) -> reply::Response {
        app::id().into_response()
    }
}

async fn read() -> impl Reply {
    reply::json(&app::sleepy(3, 1).await)
}

/// Each request goes by the policy of the routes that answer it.
#[tokio::test]
async fn routes_side_by_side_keep_their_own_policies() {
    let never = Policy::new().trust(Trust::never());
    let strict = correlated_with(never, warp::path!("strict").map(app::id));
    let routes = correlated(warp::path!("id").map(app::id)).or(strict);
    for (path, is_kept) in [("/id", true), ("/strict", false)] {
        let request = warp::test::request().path(path);
        let reply = request
            .header("x-correlation-id", "c-1")
            .reply(&routes)
            .await;
        let ids: Vec<_> = reply.headers().get_all("x-correlation-id").iter().collect();
        assert_eq!(ids, [std::str::from_utf8(reply.body()).unwrap()], "{path}");
        assert_eq!(reply.body() == "c-1", is_kept, "{path}");
    }
}
