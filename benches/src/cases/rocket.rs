//! One request through Rocket, in process, by its own local client.

use correlation_rocket::Correlation;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::local::asynchronous::Client;
use rocket::log::LogLevel;
use rocket::{Build, Config, Data, Request, Response, Rocket, get, routes};

use super::{CALLERS, NAME, by_hand, pairs};
use crate::Group;
use crate::run::ready;

pub(crate) fn groups() -> Vec<Group> {
    let groups = CALLERS.map(|(what, id)| {
        Group::new(
            format!("Rocket, {what}"),
            "7 other headers, the body read to its end, no log. Made by Rocket's local client, which \
             is in all of them. By hand means the request's local cache: no ambient ID.",
        )
        .bare("app", move || request(id, app()))
        .ours("fairing", move || request(id, app().attach(Correlation::fairing())))
        .peer("fairing by hand", move || request(id, app().attach(ByHand)))
    });
    groups.into()
}

pub(crate) fn app() -> Rocket<Build> {
    #[get("/")]
    const fn handler() -> &'static str {
        "ok"
    }

    let config = Config {
        log_level: LogLevel::Off,
        ..Config::release_default()
    };
    rocket::custom(config).mount("/", routes![handler])
}

fn request(id: Option<&'static str>, app: Rocket<Build>) -> impl FnMut() -> usize {
    let client = ready(Client::untracked(app)).expect("Rocket's client");
    move || {
        let mut request = client.get("/");
        for (name, value) in pairs(id) {
            request.add_header(Header::new(name, value));
        }
        let bytes = ready(async { request.dispatch().await.into_bytes().await });
        bytes.map_or(0, |bytes| bytes.len())
    }
}

/// A fairing as people write it.
struct ByHand;

struct Id(String);

#[rocket::async_trait]
impl Fairing for ByHand {
    fn info(&self) -> Info {
        Info {
            name: "ID by hand",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let headers = request.headers();
        let id = by_hand::choose(|name| headers.get_one(name));
        request.local_cache(|| Id(id));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Id(id) = request.local_cache(|| Id(String::new()));
        response.set_raw_header(NAME, id.clone());
    }
}
