//! `CallRecorder`: what a client sent, byte by byte, and what it gets.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};

use correlation_core::testing::{CallRecorder, RecordedCall};

/// Sends this on one connection, and returns all that comes back.
fn exchange(recorder: &CallRecorder, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    stream.write_all(sent).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_call_is_recorded_as_it_was_sent() {
    let recorder = CallRecorder::start();
    let port = recorder.port();
    assert_eq!(recorder.url(), format!("http://127.0.0.1:{port}/"));
    let sent =
        "POST /reserve?n=1 HTTP/1.1\r\nX-Own:  a \r\nx-own: b\r\nContent-Length: 5\r\n\r\nhello";
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(exchange(&recorder, sent.as_bytes()), answer);

    let calls = recorder.calls();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!(
        (call.line.as_str(), call.path()),
        ("POST /reserve?n=1", "/reserve?n=1")
    );
    assert_eq!(call.values("X-OWN"), ["a", "b"]);
    assert!(call.values("x-other").is_empty());
    assert_eq!(call.body, b"hello");
    assert_eq!(recorder.take().len(), 1);
    assert_eq!((recorder.take().len(), recorder.calls().len()), (0, 0));
}

#[test]
fn a_chunked_body_and_the_next_call_of_a_connection_are_read() {
    let recorder = CallRecorder::answering(|call| match call.path() {
        "/first" => "404 Not Found\r\nX-Own: a\r\n\r\nno such item".to_owned(),
        _ => String::new(),
    });
    let first = "POST /first HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
    let sent = format!("{first}GET /last HTTP/1.1\r\n\r\nGET /never HTTP/1.1\r\n\r\n");
    let answer = "HTTP/1.1 404 Not Found\r\nX-Own: a\r\nContent-Length: 12\r\n\r\nno such item";
    assert_eq!(exchange(&recorder, sent.as_bytes()), answer);
    let calls = recorder.calls();
    let paths: Vec<_> = calls.iter().map(RecordedCall::path).collect();
    assert_eq!(paths, ["/first", "/last"]);
    assert_eq!(
        (calls[0].body.as_slice(), calls[1].body.as_slice()),
        (&b"abc0123456789"[..], &b""[..])
    );
}

#[test]
fn what_is_not_http_is_no_call() {
    let recorder = CallRecorder::start();
    for sent in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b"GET / HTTP/2\r\n\r\n",
        b"",
    ] {
        assert_eq!(exchange(&recorder, sent), "");
    }
    assert!(recorder.calls().is_empty());
}

#[test]
fn an_assertion_fails_without_a_call_and_on_another_id() {
    let recorder = CallRecorder::start();
    let holds = || catch_unwind(AssertUnwindSafe(|| recorder.assert_all("a"))).is_ok();
    assert!(!holds(), "no call");
    let call = |headers: &str| {
        let sent = format!("GET / HTTP/1.1\r\n{headers}\r\n");
        exchange(&recorder, sent.as_bytes());
        let held = holds();
        let _ = recorder.take();
        held
    };
    assert!(call("X-Correlation-ID: a\r\n"));
    assert!(!call("X-Correlation-ID: b\r\n"));
    assert!(!call("X-Correlation-ID: a\r\nX-Correlation-ID: a\r\n"));
    assert!(!call(""));
}
