//! The contract of every HTTP client that sends the ID, checked at the socket.
//!
//! The test of a client passes it to [`run`]. It also passes it to [`run_on_threads`] if threads
//! can share the client, and to [`run_retries`] if the client retries.

mod redirects;

use std::future::Future;
use std::thread;

use correlation_core::{Targets, detached, scope, sync_scope};
use futures_util::future::{LocalBoxFuture, join_all};

pub use crate::client_cases::{CASES, Case};

use crate::client_cases::NAMES;
use crate::{Recorder, id};

/// An HTTP client, in the setup of its users.
pub trait Client {
    /// The context that the client sends.
    const TAKES: Takes;

    /// What the client does with redirects if the targets are named.
    const REDIRECTS: Redirects;

    /// A request that was begun and is not sent yet.
    type Request;

    /// Makes a client that sends the ID to these hosts.
    fn new(targets: Targets) -> Self;

    /// Begins a GET request with these header lines. None of them replaces another.
    fn begin(&self, url: &str, lines: &[(&'static str, &'static str)]) -> Self::Request;

    /// Returns the same request once more.
    fn again(request: &Self::Request) -> Self::Request;

    /// Sends the request, and returns the status of the answer.
    fn send(request: Self::Request) -> impl Future<Output = Result<u16, Error>>;
}

/// The reason why there is no answer.
pub type Error = Box<dyn std::error::Error>;

/// The context that a call sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Takes {
    /// The context at [`Client::send`].
    Sent,
    /// The context at [`Client::send`]. If none is ambient there, it is the context at
    /// [`Client::begin`].
    SentOrBegun,
    /// The context at [`Client::begin`], where the headers are written.
    Begun,
}

/// What a client does if one of its targets answers with a redirect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redirects {
    /// It follows. Each hop is a separate call, with or without the ID.
    Each,
    /// It follows to another target. A redirect to any other host is the answer.
    Among,
    /// The redirect is the answer.
    Never,
}

/// Runs everything that one thread can do.
///
/// # Panics
///
/// If the client breaks the contract.
pub async fn run<C: Client>() {
    for case in CASES {
        every_header::<C>(case).await;
    }
    the_context_that_counts::<C>(Recorder::ok, 1).await;
    a_request_that_is_stored::<C>().await;
    redirects::run::<C>().await;
    many_in_one_task::<C>().await;
}

/// Makes 200 calls in separate threads, through one client. `block_on` runs a call.
///
/// # Panics
///
/// If a call has the ID of another call.
pub fn run_on_threads<C: Client + Sync>(block_on: impl Fn(LocalBoxFuture<'_, ()>) + Sync) {
    let server = Recorder::two_hops();
    let client = C::new(Targets::all());
    thread::scope(|threads| {
        for call in 0..CALLS {
            let (client, server, block_on) = (&client, &server, &block_on);
            threads.spawn(move || block_on(Box::pin(one_of_many(client, server, call))));
        }
    });
    server.assert_none_crossed(CALLS);
}

/// Checks that every attempt of a client that retries has the ID of the call.
///
/// # Panics
///
/// If an attempt has another ID, or the client does not retry.
pub async fn run_retries<C: Client>() {
    the_context_that_counts::<C>(Recorder::flaky, 3).await;
}

async fn every_header<C: Client>(case: &Case) {
    let server = Recorder::ok();
    let client = C::new(case.targets(only(&server)));
    let context = case.context();
    for url in [server.url(), server.other_url()] {
        let call = async { C::send(client.begin(&url, case.set)).await };
        assert_eq!(case.run(&context, call).await.ok(), Some(200), "{case:?}");
    }
    let [target, stranger] = server.calls().try_into().expect("two calls");
    case.check(&context, |name| target.values(name));
    for name in NAMES {
        let set = case.set.iter();
        let set = set.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let set: Vec<_> = set.map(|(_, value)| *value).collect();
        let got = stranger.values(name);
        assert_eq!(got, set, "{}, to a stranger: {name}", case.name);
    }
}

/// Checks where a call is begun, where it is sent, and the ID of each attempt.
async fn the_context_that_counts<C: Client>(server: fn() -> Recorder, attempts: usize) {
    let begun_counts = C::TAKES != Takes::Sent;
    let sent_counts = C::TAKES != Takes::Begun;
    let one = |counts: bool| counts.then_some("click-1");
    let two = |counts: bool| counts.then_some("click-2");
    for (begun, sent, expected) in [
        (In::Scope("click-1"), In::Scope("click-1"), one(true)),
        (
            In::Scope("click-1"),
            In::Scope("click-2"),
            two(sent_counts).or(one(true)),
        ),
        (In::Scope("click-1"), In::Nothing, one(begun_counts)),
        (In::Nothing, In::Scope("click-2"), two(sent_counts)),
        (In::Nothing, In::Nothing, None),
        (In::Scope("click-1"), In::Detached, one(!sent_counts)),
        (In::Detached, In::Scope("click-2"), two(!begun_counts)),
        (In::Detached, In::Nothing, None),
    ] {
        let server = server();
        let client = C::new(Targets::all());
        let request = begun.run(async { client.begin(&server.url(), &[]) }).await;
        assert_eq!(sent.run(C::send(request)).await.ok(), Some(200));
        let expected = vec![expected.unwrap_or("-"); attempts];
        assert_eq!(
            server.ids(),
            expected,
            "begun in {begun:?}, sent in {sent:?}"
        );
    }
}

/// Checks a request that is stored, and sent from several scopes.
async fn a_request_that_is_stored<C: Client>() {
    let server = Recorder::ok();
    let client = C::new(Targets::all());
    let stored = sync_scope(id("click-0"), || client.begin(&server.url(), &[]));
    let scopes = ["click-1", "click-2", "click-3", "click-4"];
    for own in scopes {
        let call = async { C::send(C::again(&stored)).await };
        assert_eq!(scope(id(own), call).await.ok(), Some(200));
    }
    let begun = C::TAKES == Takes::Begun;
    assert_eq!(server.ids(), if begun { ["click-0"; 4] } else { scopes });
}

/// Makes many calls in one task, so that every poll has to swap the context.
async fn many_in_one_task<C: Client>() {
    let server = Recorder::two_hops();
    let client = C::new(Targets::all());
    join_all((0..CALLS).map(|call| one_of_many(&client, &server, call))).await;
    server.assert_none_crossed(CALLS);
}

/// Makes one call. Every second call takes the ID where it is begun, if the client does that.
async fn one_of_many<C: Client>(client: &C, server: &Recorder, call: usize) {
    let url = format!("{}first/{call}", server.url());
    let own = id(&format!("click-{call}"));
    let begin = || client.begin(&url, &[]);
    let status = if C::TAKES != Takes::Sent && call.is_multiple_of(2) {
        C::send(sync_scope(own, begin)).await
    } else {
        scope(own, async { C::send(begin()).await }).await
    };
    assert_eq!(status.ok(), Some(200));
}

#[derive(Clone, Copy, Debug)]
enum In {
    Scope(&'static str),
    Detached,
    Nothing,
}

impl In {
    async fn run<T>(self, future: impl Future<Output = T>) -> T {
        match self {
            Self::Scope(own) => scope(id(own), future).await,
            Self::Detached => detached(future).await,
            Self::Nothing => future.await,
        }
    }
}

/// Returns the targets that contain only this server, by its address.
fn only(server: &Recorder) -> Targets {
    Targets::hosts([format!("127.0.0.1:{}", server.port())])
}

const CALLS: usize = 200;
