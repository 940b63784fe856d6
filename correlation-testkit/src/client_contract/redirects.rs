//! Checks where the ID goes if a server redirects the client.

use correlation_core::{Targets, scope};

use super::{Client, Redirects, only};
use crate::{RecordedCall, Recorder, Sent, id};

pub(super) async fn run<C: Client>() {
    let servers = Servers::start();
    for status in [301, 302, 303, 307, 308] {
        for number in 0..LOCATIONS.len() {
            servers.redirected::<C>(true, status, number).await;
        }
    }
    for status in [302, 307] {
        for number in 0..LOCATIONS.len() {
            servers.redirected::<C>(false, status, number).await;
        }
    }
    servers.a_way_out_over_a_target::<C>().await;
    servers.over_strangers::<C>().await;
    servers.strangers::<C>().await;
}

/// The place where a client goes with this `Location`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Leads {
    /// To the target.
    Back,
    /// To another host.
    Away,
    /// To another host that does not answer.
    Nowhere,
    /// Clients differ here. In every case, another host gets no ID.
    Somewhere,
}

/// `$T` is the port of the target, and `$S` the port of another host.
const LOCATIONS: [(Leads, &str); 8 + 33] = [
    (Leads::Back, "/next"),
    (Leads::Back, "next"),
    (Leads::Back, "next/page"),
    (Leads::Back, "?page=2"),
    (Leads::Back, "/?next=http://localhost:$S/"),
    (Leads::Back, "HTTP://127.0.0.1:$T/"),
    (Leads::Back, "//127.0.0.1:$T/"),
    (Leads::Back, "http://127.0.0.1:$T/#part"),
    // Another host and port, another port, another host.
    (Leads::Away, "http://localhost:$S/"),
    (Leads::Away, "http://127.0.0.1:$S/"),
    (Leads::Away, "http://localhost:$T/"),
    (Leads::Away, "//localhost:$S/"),
    (Leads::Away, "//127.0.0.1:$S/"),
    (Leads::Away, "//localhost:$T/"),
    (Leads::Away, "HTTP://localhost:$S/"),
    (Leads::Away, "http://LocalHost:$S/"),
    // To a parser that differs from the client, these look like the target.
    (Leads::Away, "http://127.0.0.1@localhost:$S/"),
    (Leads::Away, "http://127.0.0.1@127.0.0.1:$S/"),
    (Leads::Away, "//127.0.0.1:$T@localhost:$S/"),
    (Leads::Away, "http://me@localhost:$S/?127.0.0.1:$T"),
    (Leads::Away, "http://localhost:$S/#@127.0.0.1:$T/"),
    (Leads::Away, "http://[::ffff:127.0.0.1]:$S/"),
    (Leads::Away, "http://127.1:$S/"),
    (Leads::Away, "http://0x7f.0.0.1:$S/"),
    (Leads::Away, "http://0177.0.0.1:$S/"),
    (Leads::Away, "http://2130706433:$S/"),
    (Leads::Nowhere, "http://127.0.0.1/"),
    (Leads::Nowhere, "https://127.0.0.1:$S/"),
    (Leads::Nowhere, "http://[::1]:$S/"),
    (Leads::Somewhere, "/\\localhost:$S/"),
    (Leads::Somewhere, "\\\\localhost:$S/"),
    (Leads::Somewhere, "http:\\\\localhost:$S\\"),
    (Leads::Somewhere, "http:/localhost:$S/"),
    (Leads::Somewhere, "http:localhost:$S/"),
    (Leads::Somewhere, "http:///localhost:$S/"),
    (Leads::Somewhere, "////localhost:$S/"),
    (Leads::Somewhere, "http://localhost:$S\\@127.0.0.1:$T/"),
    (Leads::Somewhere, "http://127.0.0.1:$T\\@localhost:$S/"),
    (Leads::Somewhere, "ht\ttp://localhost:$S/"),
    (Leads::Somewhere, "http://localhost:\t$S/"),
    (Leads::Somewhere, "http://localhost:0$S/"),
];

struct Servers {
    target: Recorder,
    stranger: Recorder,
}

impl Servers {
    fn start() -> Self {
        let stranger = Recorder::ok();
        let port = stranger.port().to_string();
        let target = Recorder::start(move |request| {
            let path = request.path().trim_start_matches('/');
            let (path, over) = match path.strip_prefix("over/") {
                Some(rest) => (rest, Some(format!("/{rest}"))),
                None => (path, None),
            };
            let to = |(status, number): (_, &str)| Some((status, number.parse::<usize>().ok()?));
            let Some((status, number)) = path.split_once("/to/").and_then(to) else {
                return "200 OK".to_owned();
            };
            let location = over.unwrap_or_else(|| {
                let host = request.values("host").concat();
                let own = host.rsplit(':').next().unwrap_or_default();
                LOCATIONS[number].1.replace("$S", &port).replace("$T", own)
            });
            format!("{status} Go\r\nLocation: {location}")
        });
        Self { target, stranger }
    }

    fn client<C: Client>(&self, restricted: bool) -> C {
        C::new(match restricted {
            true => only(&self.target),
            false => Targets::all(),
        })
    }

    /// Makes a call in a scope, and returns the status of the answer.
    async fn call<C: Client>(&self, client: &C, url: &str) -> Option<u16> {
        let call = async { C::send(client.begin(url, &[])).await };
        scope(id("click-1"), call).await.ok()
    }

    /// Returns the calls that both hosts received since the last time: whether each went to the
    /// target, and its ID.
    fn got(&self) -> Vec<(bool, String)> {
        let target = format!("127.0.0.1:{}", self.target.port());
        let to_target = |request: &RecordedCall| request.values("host") == [&*target];
        let all = self.target.take().into_iter().chain(self.stranger.take());
        all.map(|request| (to_target(&request), request.id()))
            .collect()
    }

    async fn redirected<C: Client>(&self, restricted: bool, status: u16, number: usize) {
        let (leads, location) = LOCATIONS[number];
        let what = format!("restricted: {restricted}, {status} {location}");
        let client = self.client::<C>(restricted);
        let url = format!("{}{status}/to/{number}", self.target.url());
        let answer = self.call(&client, &url).await;
        let got = self.got();
        for (to_target, own) in &got {
            let allowed = !restricted || *to_target;
            assert_eq!(own, if allowed { "click-1" } else { "-" }, "{what}");
        }
        let follows = match (restricted, leads, C::REDIRECTS) {
            (_, Leads::Somewhere, _) | (_, Leads::Nowhere, Redirects::Each) => return,
            (false, Leads::Nowhere, _) => return,
            (false, ..) | (_, _, Redirects::Each) | (_, Leads::Back, Redirects::Among) => true,
            (true, ..) => false,
        };
        let expected = if follows {
            (Some(200), 2)
        } else {
            (Some(status), 1)
        };
        assert_eq!((answer, got.len()), expected, "{what}");
    }

    /// Checks a redirect whose first hop stays at the target and whose second hop leaves it.
    async fn a_way_out_over_a_target<C: Client>(&self) {
        let client = self.client::<C>(true);
        for (number, (leads, location)) in LOCATIONS.iter().enumerate() {
            if *leads != Leads::Away {
                continue;
            }
            let url = format!("{}over/302/to/{number}", self.target.url());
            let answer = self.call(&client, &url).await;
            let target = (true, "click-1".to_owned());
            let away = (false, "-".to_owned());
            let expected = match C::REDIRECTS {
                Redirects::Each => (Some(200), vec![target.clone(), target, away]),
                Redirects::Among => (Some(302), vec![target.clone(), target]),
                Redirects::Never => (Some(302), vec![target]),
            };
            assert_eq!((answer, self.got()), expected, "{location}");
        }
    }

    /// Checks that redirects between other hosts are followed without the ID. If each hop is a
    /// call, the ID is sent again at the target.
    async fn over_strangers<C: Client>(&self) {
        let third = Recorder::redirect(302, format!("{}302/to/0", self.target.url()));
        let second = Recorder::redirect(302, third.other_url());
        let first = Recorder::redirect(302, second.url());
        let client = self.client::<C>(true);
        let answer = self.call(&client, &first.other_url()).await;
        assert_eq!(answer, Some(200));
        for stranger in [first, second, third] {
            assert_eq!(stranger.ids(), ["-"]);
        }
        let back = C::REDIRECTS == Redirects::Each;
        let target = (true, if back { "click-1" } else { "-" }.to_owned());
        assert_eq!(self.got(), [target.clone(), target]);
    }

    /// Calls the same addresses without a redirect.
    async fn strangers<C: Client>(&self) {
        let client = self.client::<C>(true);
        for (leads, location) in LOCATIONS {
            if leads == Leads::Away && location.starts_with("http://") {
                let own = self.target.port().to_string();
                let url = location.replace("$T", &own);
                let url = url.replace("$S", &self.stranger.port().to_string());
                assert_eq!(self.call(&client, &url).await, Some(200), "{location}");
                assert_eq!(self.got(), [(false, "-".to_owned())], "{location}");
            }
        }
    }
}
