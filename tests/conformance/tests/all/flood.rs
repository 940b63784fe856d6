//! How many bytes of log a caller can make the library write with one request, at each level.
//! `docs/THREATS.md` has the numbers.

use std::fs;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use correlation_axum::CorrelationLayer;
use correlation_axum::correlation::{Policy, Source, Trust, tag};
use correlation_testkit::{Capture, TRACE};
use tower::ServiceExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// The most, of the worst request that is known here, is what the document says.
#[test]
fn one_request_writes_as_much_as_the_document_says() {
    let documented = documented();
    let [default, all_on] = [vec![Policy::new()], all_on()];
    let mut wrong = 0;
    for (row, level) in LEVELS.into_iter().enumerate() {
        let measured = [
            (&default, false),
            (&default, true),
            (&all_on, false),
            (&all_on, true),
        ]
        .map(|(policies, json)| worst(level, json, policies));
        println!(
            "| `{level}` | {} |",
            measured.map(|most| most.to_string()).join(" | ")
        );
        for (documented, measured) in documented[row].iter().zip(measured) {
            // The time that a request took has more or fewer digits.
            let slack = if measured > 0 { SLACK } else { 0 };
            wrong += usize::from(!(measured..=measured + slack).contains(documented));
        }
    }
    assert_eq!(wrong, 0, "{documented:?}");
}

/// The numbers do not depend on how much is sent: twice the bytes, and the same is written.
#[test]
fn more_bytes_in_are_no_more_bytes_out() {
    let policies = all_on();
    let most = |size| {
        let written = policies.iter().flat_map(|policy| {
            let requests = requests(size);
            requests.map(|request| written(LevelFilter::TRACE, true, policy, request))
        });
        written.max().unwrap_or_default()
    };
    let (less, more) = (most(4 * 1024), most(8 * 1024));
    assert!(more.abs_diff(less) <= SLACK + DIGITS, "{less} and {more}");
}

/// Every setting that writes, in every combination.
fn all_on() -> Vec<Policy> {
    let base = Policy::new()
        .max_len(255)
        .sources(names().map(Source::header));
    let mut policies = vec![base];
    let both = |policies: &[Policy], set: fn(Policy) -> Policy| -> Vec<Policy> {
        let set = policies.iter().cloned().map(set);
        set.chain(policies.iter().cloned()).collect()
    };
    policies = both(&policies, |policy| policy.access_record(true));
    policies = both(&policies, |policy| policy.request_span(true));
    policies = both(&policies, |policy| policy.trust(Trust::never()));
    policies = both(&policies, |policy| policy.reject_invalid(true));
    policies
}

/// As many headers as a policy can have, with names as long as the usual ones.
fn names() -> [String; 14] {
    std::array::from_fn(|n| match n {
        0 => "x-correlation-id".to_owned(),
        1 => "x-request-id".to_owned(),
        n => format!("x-request-id-{n:03}"),
    })
}

fn worst(level: LevelFilter, json: bool, policies: &[Policy]) -> usize {
    let written = policies
        .iter()
        .flat_map(|policy| requests(8 * 1024).map(|request| written(level, json, policy, request)));
    written.max().unwrap_or_default()
}

/// What one request makes the library write: the handler and the framework write nothing.
fn written(level: LevelFilter, json: bool, policy: &Policy, request: Request<Body>) -> usize {
    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(level);
    let subscriber = subscriber.with_writer(tag(log.clone()));
    let guard = match json {
        true => subscriber.json().set_default(),
        false => subscriber.set_default(),
    };
    let layer = CorrelationLayer::new().policy(policy.clone());
    // Its access record is a warning.
    let app = Router::new().fallback(async || StatusCode::INTERNAL_SERVER_ERROR);
    let app = app.layer(layer);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let response = app.oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX);
        body.await.unwrap();
    });
    drop(guard);
    for line in log.lines() {
        let ours = [
            "correlation: ",
            "access: ",
            r#""correlation""#,
            r#""access""#,
        ];
        assert!(ours.iter().any(|target| line.contains(target)), "{line}");
    }
    log.bytes().len()
}

/// Requests that are as bad as can be: 100 lines of `size` bytes each, a path of seven times that, which is nearly the most
/// that a server takes.
fn requests(size: usize) -> impl Iterator<Item = Request<Body>> {
    let names = names();
    let long = "not valid ".repeat(size / 10);
    let mut headers = vec![];
    // Each invalid, and once.
    let once: Vec<_> = names
        .iter()
        .map(|name| (name.clone(), long.clone()))
        .collect();
    headers.push([&once[..], &[("traceparent".to_owned(), long.clone())]].concat());
    // 100 lines, those of one name with different values.
    let many = (0..100).map(|n| (names[n % 14].clone(), format!("{n}{long}")));
    headers.push(many.collect());
    // All but the last are invalid; that is as long as an ID can be, and there is a trace.
    let mut last = once.clone();
    last[13].1 = "x".repeat(255);
    last.push(("traceparent".to_owned(), TRACE.to_owned()));
    last.push(("tracestate".to_owned(), format!("a={}", "x".repeat(254))));
    headers.push(last.clone());
    headers.push(last[..14].to_vec());
    // The same within the default policy.
    let mut second = once[..2].to_vec();
    second[1].1 = "x".repeat(128);
    headers.push(second.clone());
    second.push(("traceparent".to_owned(), long.clone()));
    headers.push(second.clone());
    second[2].1 = TRACE.to_owned();
    headers.push(second);
    headers.push(vec![(names[0].clone(), "x".repeat(255))]);
    let long = |char: &str| ("M".repeat(size), char.repeat(7 * size / char.len()));
    let long = [
        "x", "\"", "\u{7f}", "\u{80}", "\u{e9}", "\u{300}", "\u{378}",
    ]
    .map(long);
    let heads = [("GET".to_owned(), "id".to_owned())]
        .into_iter()
        .chain(long);
    heads.flat_map(move |(method, path)| {
        let uri = Uri::try_from(format!("/{path}"));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let requests = headers.clone().into_iter().filter_map(move |lines| {
            let mut request = Request::new(Body::empty());
            // Of this byte there can be no path.
            assert!(uri.is_ok() || path.starts_with('\u{7f}'));
            *request.uri_mut() = uri.as_ref().ok()?.clone();
            *request.method_mut() = method.clone();
            for (name, value) in lines {
                let name: HeaderName = name.parse().unwrap();
                let value = HeaderValue::try_from(value).unwrap();
                request.headers_mut().append(name, value);
            }
            Some(request)
        });
        requests.collect::<Vec<_>>()
    })
}

/// The rows of the table: text and JSON, by the default policy and with all on.
fn documented() -> Vec<[usize; 4]> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/THREATS.md");
    let text = fs::read_to_string(path).unwrap();
    let row = |level: LevelFilter| {
        let row = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| `{level}` | ")));
        let cells = row.unwrap_or_else(|| panic!("no row of {level}"));
        let cells = cells
            .split('|')
            .filter_map(|cell| cell.trim().replace(',', "").parse().ok());
        let cells: Vec<usize> = cells.collect();
        <[usize; 4]>::try_from(cells).unwrap_or_else(|cells| panic!("{level}: {cells:?}"))
    };
    LEVELS.map(row).to_vec()
}

const LEVELS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];
/// Bytes of a latency.
const SLACK: usize = 12;
/// The lengths of 15 headers may have a digit more.
const DIGITS: usize = 15;
