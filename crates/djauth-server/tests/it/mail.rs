//! `sendtestemail`, mail by each backend of the settings, and mail at the end of the server.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Receiver, channel};

use rustix::process::Signal;

use crate::browser::Browser;
use crate::site::{Site, until};

#[test]
fn a_test_message_goes_where_the_settings_say() {
    let site = Site::new()
        .with("EMAIL_BACKEND", "console")
        .with("DEFAULT_FROM_EMAIL", "Site <site@example.com>");
    let ran = site.run(&["sendtestemail", "a@example.com", "b@example.com"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for line in [
        "From: Site <site@example.com>",
        "To: a@example.com, b@example.com",
        &"-".repeat(79),
    ] {
        assert!(
            ran.out.lines().any(|out| out == line),
            "{line}: {}",
            ran.out
        );
    }
    assert_eq!(site.files(), [""; 0], "no database is made");
}

#[test]
fn a_named_mailer_sends_too() {
    let site = Site::new();
    std::fs::create_dir(site.path("sent")).unwrap();
    let mailers = r#"{"default": {"BACKEND": "dummy"},
        "file": {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": "sent"}}}"#;
    let site = site.with("MAILERS", mailers);
    let ran = site.run(&["sendtestemail", "a@example.com", "--using", "file"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let sent: Vec<_> = std::fs::read_dir(site.path("sent")).unwrap().collect();
    let [Ok(file)] = &*sent else {
        panic!("{sent:?}")
    };
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let ran = site.run(&["sendtestemail", "a@example.com", "--using=other"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("\"other\""), "{}", ran.err);
}

#[test]
fn what_cannot_be_sent_is_said_without_secrets() {
    let site = Site::new()
        // Nobody listens there.
        .with("EMAIL_PORT", "1")
        .with("EMAIL_HOST", "127.0.0.1")
        .with("EMAIL_HOST_USER", "ann")
        .with("EMAIL_HOST_PASSWORD", "hunter2");
    let ran = site.run(&["--traceback", "sendtestemail", "a@example.com"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("cannot be reached"), "{}", ran.err);
    assert!(!ran.err.contains("hunter2") && !ran.err.contains("a@example.com"));
    let shown = site.run(&["diffsettings"]);
    assert!(
        shown.out.contains("EMAIL_HOST_USER = \"ann\""),
        "{}",
        shown.out
    );
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);
    for wrong in [
        &["sendtestemail"][..],
        &["migrate", "--using", "x"],
        &["migrate", "a@b.c"],
    ] {
        assert_eq!(site.run(wrong).code, Some(2), "{wrong:?}");
    }
}

/// As in Django 6.1.
#[test]
fn mailers_and_the_settings_before_them_exclude_each_other() {
    let site = Site::new()
        .with("EMAIL_HOST", "mail.example.com")
        .with("MAILERS", r#"{"default": {"BACKEND": "dummy"}}"#);
    let ran = site.run(&["sendtestemail", "a@example.com"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("MAILERS"), "{}", ran.err);
    let site = Site::new()
        .with("EMAIL_USE_TLS", "true")
        .with("EMAIL_USE_SSL", "true");
    let ran = site.run(&["sendtestemail", "a@example.com"]);
    assert!(ran.err.contains("exclude each other"), "{}", ran.err);
}

/// The first client, for which it does not wait for ever.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let mut accepted = None;
    until("a client", || {
        accepted = listener.accept().ok();
        accepted.is_some()
    });
    let (stream, _) = accepted.unwrap();
    stream.set_nonblocking(false).unwrap();
    stream
}

/// A mail server that waits for a word before it answers; what it was sent.
fn slow_mail_server(listener: &TcpListener, go_on: &Receiver<()>) -> String {
    let stream = accept(listener);
    go_on.recv().unwrap();
    let mut out = stream.try_clone().unwrap();
    out.write_all(b"220 slow\r\n").unwrap();
    let mut heard = String::new();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        let answer: &[u8] = match line.as_str() {
            "DATA" => b"354 go on\r\n",
            "." => b"250 taken\r\n",
            "QUIT" => b"221 bye\r\n",
            _ if heard.contains("DATA\n") => b"",
            _ => b"250 fine\r\n",
        };
        out.write_all(answer).unwrap();
        heard += &line;
        heard.push('\n');
    }
    heard
}

/// The answer does not wait for the mail server, and the end does.
#[test]
fn a_reset_mail_that_waits_still_leaves_after_sigterm() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let site = Site::new()
        .with("EMAIL_HOST", "127.0.0.1")
        .with("EMAIL_PORT", &port)
        .with("EMAIL_SHUTDOWN_TIMEOUT", "60");
    site.superuser("root", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    browser.get("/accounts/password_reset/");
    let (go_on, told) = channel();
    let mail = std::thread::spawn(move || slow_mail_server(&listener, &told));
    for email in ["nobody@b.example", "a@b.example"] {
        let answer = browser.post("/accounts/password_reset/", &[("email", email)]);
        assert_eq!(answer.status, 302, "{email}: {}", answer.body);
        assert_eq!(
            answer.header("location"),
            Some("/accounts/password_reset/done/")
        );
    }
    server.signal(Signal::TERM);
    // Connections are refused: the server is at its end.
    until("refused", || TcpStream::connect(server.address).is_err());
    go_on.send(()).unwrap();
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    let heard = mail.join().unwrap();
    assert!(heard.contains("RCPT TO:<a@b.example>"), "{heard}");
    assert!(heard.contains("/accounts/reset/"), "{heard}");
    assert!(heard.ends_with(".\nQUIT\n"), "{heard}");
    assert!(
        !log.contains("a@b.example") && !log.contains("/reset/M"),
        "{log}"
    );
}

/// Mail that cannot leave is lost after the time that the settings give.
#[test]
fn the_end_does_not_wait_for_a_mail_server_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let site = Site::new()
        .with("EMAIL_HOST", "127.0.0.1")
        .with("EMAIL_PORT", &port)
        .with("EMAIL_SHUTDOWN_TIMEOUT", "1");
    site.superuser("root", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    browser.get("/accounts/password_reset/");
    browser.post("/accounts/password_reset/", &[("email", "a@b.example")]);
    let connection = accept(&listener);
    let log = server.stop();
    assert!(log.contains("mail is lost"), "{log}");
    assert!(!log.contains("a@b.example"), "{log}");
    drop(connection);
}
