//! The server's limits and its end.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustix::process::Signal;

use crate::browser::{Browser, connect, read_answer};
use crate::site::{Site, until};

/// A login whose body is sent in two halves, so that it is in flight meanwhile.
#[test]
fn sigterm_lets_requests_in_flight_finish() {
    for signal in [Signal::TERM, Signal::INT] {
        let site = Site::new();
        site.superuser("root", "correct horse");
        let server = site.serve();
        let mut browser = Browser::new(server.address);
        browser.get("/accounts/login/");
        let token = browser.cookies["csrftoken"].clone();
        let body = format!("username=root&password=correct+horse&csrfmiddlewaretoken={token}");
        let (first, second) = body.split_at(20);
        let mut stream = connect(server.address);
        let head = format!(
            "POST /accounts/login/ HTTP/1.1\r\nHost: {}\r\nCookie: csrftoken={token}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            server.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // The server asks for the body: the request has begun.
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).unwrap();
        assert!(interim.starts_with(b"HTTP/1.1 100"));
        stream.write_all(first.as_bytes()).unwrap();
        server.signal(signal);
        // New connections are refused from the moment the signal is seen.
        until("refused", || TcpStream::connect(server.address).is_err());
        stream.write_all(second.as_bytes()).unwrap();
        assert_eq!(read_answer(stream).status, 302);
        let (status, log) = server.wait();
        assert_eq!(status.code(), Some(0), "{log}");
    }
}

#[test]
fn a_stop_that_lasts_too_long_ends_anyway() {
    let site = Site::new().with("SERVER_SHUTDOWN_TIMEOUT", "1");
    let server = site.serve();
    let mut stream = connect(server.address);
    stream.write_all(b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n").unwrap();
    let mut interim = [0; 12];
    stream.read_exact(&mut interim).unwrap();
    server.stop();
}

/// CVE-2026-84429 and its kin: a head beyond 64 KiB is refused, not collected and read.
#[test]
fn cve_2026_84429_a_large_head_is_refused() {
    let site = Site::new();
    let server = site.serve();
    for (filler, served) in [(32 * 1024, true), (128 * 1024, false)] {
        let mut stream = connect(server.address);
        let head = format!(
            "GET /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {}\r\n\r\n",
            "a".repeat(filler)
        );
        // The server may answer (431) and be gone before all is written and read.
        let _ = stream.write_all(head.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), served, "{filler}");
    }
}

#[test]
fn a_head_that_never_ends_is_cut_off() {
    let site = Site::new().with("SERVER_HEADER_TIMEOUT", "1");
    let server = site.serve();
    let mut stream = connect(server.address);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: local").unwrap();
    let mut rest = Vec::new();
    // An answer or none, but an end.
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}

#[test]
fn a_body_that_never_ends_is_answered() {
    let site = Site::new().with("SERVER_REQUEST_TIMEOUT", "1");
    let server = site.serve();
    let mut stream = connect(server.address);
    stream
        .write_all(b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nCookie: csrftoken=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nContent-Length: 10\r\n\r\na=")
        .unwrap();
    let mut text = [0; 12];
    stream.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"HTTP/1.1 503");
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let site = Site::new().with("DATA_UPLOAD_MAX_MEMORY_SIZE", "1000");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    browser.get("/accounts/login/");
    let answer = browser.post(
        "/accounts/login/",
        &[("username", &"a".repeat(5000)), ("password", "b")],
    );
    assert!(matches!(answer.status, 400 | 413), "{answer:?}");
}

#[test]
fn connections_beyond_the_limit_wait() {
    let site = Site::new().with("SERVER_MAX_CONNECTIONS", "1");
    let server = site.serve();
    let first = connect(server.address);
    let mut second = connect(server.address);
    second
        .write_all(b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    drop(first);
    assert_eq!(read_answer(second).status, 200);
}

#[test]
fn each_request_has_a_line_in_the_log_without_its_query() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    browser.login("root", "correct horse");
    browser.get("/accounts/login/%0aFAKE?token=hush");
    let log = server.stop();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("djauth.access"))
        .collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(
        lines[0].contains("GET")
            && lines[0].contains("/accounts/login/")
            && lines[0].contains("200"),
        "{log}"
    );
    for secret in [
        "hush",
        "correct",
        "csrftoken",
        &browser.cookies["sessionid"],
    ] {
        assert!(!log.contains(secret), "{log}");
    }
}
