//! Bodies stay what they are, and live and die in the context of their request.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};

use correlation_rocket::Correlation;
use correlation_rocket::correlation::testing::LogCapture;
use correlation_rocket::correlation::{Policy, current};
use correlation_testkit::{CORRELATION_ID, DEADLINE};
use rocket::fairing::AdHoc;
use rocket::futures::{FutureExt, Stream, StreamExt, stream};
use rocket::http::Header;
use rocket::local::asynchronous::Client;
use rocket::response::stream::TextStream;
use rocket::tokio::io::AsyncReadExt;
use rocket::{Responder, State, get, routes};

use crate::server;

/// Sends the ambient ID when it is dropped.
struct Witness(Sender<Option<String>>);

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.send(current().map(String::from));
    }
}

#[get("/witness")]
fn witness(
    ended: &State<Sender<Option<String>>>,
) -> TextStream<impl Stream<Item = String> + use<>> {
    let witness = Witness(Sender::clone(ended));
    TextStream(stream::unfold(witness, |witness| async {
        Some((current().map_or_else(String::new, String::from), witness))
    }))
}

#[rocket::async_test]
async fn a_body_that_nobody_reads_is_dropped_in_its_context() {
    let (sender, ended) = channel::<Option<String>>();
    let rocket = server::rocket().mount("/", routes![witness]).manage(sender);
    let client = Client::untracked(rocket.attach(Correlation::fairing())).await;
    let client = client.unwrap();
    for path in ["/witness", "/witness/"] {
        let request = client.get(path).header(Header::new(CORRELATION_ID, path));
        drop(request.dispatch().await);
        assert_eq!(ended.recv_timeout(DEADLINE).unwrap().as_deref(), Some(path));
    }
}

#[get("/broken?<how>")]
fn broken(how: &str) -> TextStream<impl Stream<Item = &'static str> + use<>> {
    let rest = match how {
        "panics" => stream::poll_fn(|_| panic!("boom")).boxed(),
        _ => stream::pending().boxed(),
    };
    TextStream(stream::iter(["ab", "c"]).chain(rest))
}

/// It is read in two steps, and then dropped.
#[rocket::async_test]
async fn the_access_record_says_how_a_body_ended() {
    let policy = Policy::new().access_record(true);
    let rocket = server::rocket().mount("/", routes![broken]);
    let rocket = rocket.attach(Correlation::fairing().policy(policy));
    let client = Client::untracked(rocket).await.unwrap();
    for (how, outcome) in [("panics", "panicked"), ("hangs", "client_gone")] {
        let log = LogCapture::start();
        let mut response = client.get(format!("/broken?how={how}")).dispatch().await;
        // The second chunk comes behind the first one, into the same buffer.
        response.read_exact(&mut [0; 3]).await.unwrap();
        let next = catch_unwind(AssertUnwindSafe(|| {
            response.read(&mut [0; 9]).now_or_never().map(drop)
        }));
        assert_eq!(next.is_err(), how == "panics");
        drop(response);
        let lines = log.lines().into_iter();
        let records: Vec<_> = lines.filter(|line| line.target == "access").collect();
        let [record] = &records[..] else {
            panic!("{records:?}");
        };
        assert_eq!(record.field("bytes"), Some("3"), "{record}");
        assert_eq!(record.field("outcome"), Some(outcome), "{record}");
    }
}

#[derive(Responder)]
#[response(status = 200)]
struct Sized(&'static str);

#[get("/sized")]
fn sized() -> Sized {
    Sized("as long as it is")
}

#[get("/streamed")]
fn streamed() -> TextStream<impl Stream<Item = &'static str>> {
    TextStream(stream::iter(["a", "b"]))
}

#[rocket::async_test]
async fn sizes_stay_as_they_are() {
    let chunk_size = AdHoc::on_response("chunk size", |_, response| {
        Box::pin(async move { response.set_max_chunk_size(7) })
    });
    let (sender, sizes) = channel();
    let report = AdHoc::on_response("report", move |_, response| {
        let sender = sender.clone();
        Box::pin(async move {
            let body = response.body_mut();
            let sizes = (body.preset_size(), body.size().await, body.max_chunk_size());
            sender.send(sizes).unwrap();
        })
    });
    let rocket = server::rocket()
        .mount("/", routes![sized, streamed])
        .attach(chunk_size)
        .attach(Correlation::fairing())
        .attach(report);
    let client = Client::untracked(rocket).await.unwrap();
    for (path, text, size) in [
        ("/sized", "as long as it is", Some(16)),
        ("/streamed", "ab", None),
    ] {
        let response = client.get(path).dispatch().await;
        assert_eq!(
            sizes.recv_timeout(DEADLINE).unwrap(),
            (size, size, 7),
            "{path}"
        );
        assert_eq!(response.into_string().await.as_deref(), Some(text));
    }
    let response = client.head("/streamed").dispatch().await;
    assert_eq!(response.into_string().await, None);
}
