//! `CallRecorder`: what a client sent, byte by byte, and what it gets.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

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

/// Sends this on a connection that the client leaves open, and returns what comes back until the
/// server closes it.
fn until_closed(recorder: &CallRecorder, sent: &str) -> String {
    let mut stream = connect(recorder);
    stream.write_all(sent.as_bytes()).unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    assert!(read.is_ok(), "{read:?} after {sent:?}: {answer:?}");
    answer
}

/// A connection on which a read fails in the end, rather than hang.
fn connect(recorder: &CallRecorder) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(15)))
        .unwrap();
    stream
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
fn each_framing_of_a_body_is_read() {
    for framed in [
        "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0;c\r\nX-Trailer: 1\r\n\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "Content-Length: 3, 3\r\n\r\nabc",
    ] {
        let recorder = CallRecorder::start();
        let sent = format!("POST / HTTP/1.1\r\n{framed}GET /next HTTP/1.1\r\n\r\n");
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let answers = exchange(&recorder, sent.as_bytes());
        assert_eq!(answers, answer.repeat(2), "{framed:?}");
        let calls = recorder.calls();
        assert_eq!(calls[0].body, b"abc", "{framed:?}");
        assert_eq!(calls[1].path(), "/next", "{framed:?}");
    }
}

#[test]
fn the_connection_is_closed_for_a_client_that_asks_for_it() {
    let recorder = CallRecorder::start();
    for sent in [
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: TE, Close\r\n\r\nGET /next HTTP/1.1\r\n\r\n",
        "get / HTTP/1.0\nExpect: 100-continue\n\n",
    ] {
        let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(until_closed(&recorder, sent), answer);
        let calls = recorder.take();
        assert_eq!((calls.len(), calls[0].path()), (1, "/"), "{sent:?}");
    }
}

#[test]
fn the_answer_to_head_has_a_length_and_no_body() {
    let recorder = CallRecorder::answering(|_| "200 OK\r\n\r\nhello".to_owned());
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let sent = b"HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    assert_eq!(exchange(&recorder, sent), format!("{answer}{answer}hello"));
}

#[test]
fn a_client_that_waits_for_100_gets_it_before_it_sends_the_body() {
    let recorder = CallRecorder::start();
    let mut stream = connect(&recorder);
    let head = b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n";
    stream.write_all(head).unwrap();
    for (answer, then) in [
        ("HTTP/1.1 100 Continue\r\n\r\n", "abc"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    ] {
        let mut read = vec![0; answer.len()];
        stream.read_exact(&mut read).unwrap();
        assert_eq!(String::from_utf8_lossy(&read), answer);
        stream.write_all(then.as_bytes()).unwrap();
    }
    assert_eq!(recorder.calls()[0].body, b"abc");
}

#[test]
fn what_is_not_understood_is_recorded_and_answered_with_400() {
    let answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    for (bad, rest, body) in [
        ("Content-Length: 18446744073709551615", "abc", ""),
        ("Content-Length: 99999999999999999999", "abc", ""),
        ("Content-Length: +3", "abc", ""),
        ("Content-Length:", "abc", ""),
        ("Content-Length: 3\r\nContent-Length: 4", "abc", ""),
        ("Transfer-Encoding: gzip", "abc", ""),
        ("Transfer-Encoding: chunked", "3\r\nabc\r\nx\r\n", "abc"),
        ("Transfer-Encoding: chunked", "3\r\nabcd\r\n", "abc"),
        ("Transfer-Encoding: chunked", "+3\r\nabc\r\n", ""),
        ("Transfer-Encoding: chunked", "FFFFFFFFFFFFFFFF\r\nabc", ""),
        ("Transfer-Encoding: chunked", "FFFFFFFFFFFFFFFFF\r\nabc", ""),
        ("no colon\r\nContent-Length: 3", "abc", "abc"),
        ("colon\r\nContent-Length: 3", "abc", "abc"),
        ("a space: b\r\nContent-Length: 3", "abc", "abc"),
        (": no name\r\nContent-Length: 3", "abc", "abc"),
    ] {
        let recorder = CallRecorder::start();
        let sent = format!("POST /a HTTP/1.1\r\n{bad}\r\nX-Correlation-ID: a\r\n\r\n{rest}");
        assert_eq!(until_closed(&recorder, &sent), answer, "{sent:?}");
        recorder.assert_all("a");
        let calls = recorder.calls();
        assert_eq!((calls.len(), calls[0].path()), (1, "/a"), "{sent:?}");
        assert_eq!(String::from_utf8_lossy(&calls[0].body), body, "{sent:?}");
    }
    // The client ends the connection within the head, and within the body.
    for rest in ["X-Own", "Content-Length: 4\r\n\r\nabc"] {
        let recorder = CallRecorder::start();
        let sent = format!("POST /a HTTP/1.1\r\nX-Correlation-ID: a\r\n{rest}");
        assert_eq!(exchange(&recorder, sent.as_bytes()), answer, "{sent:?}");
        recorder.assert_all("a");
    }
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
