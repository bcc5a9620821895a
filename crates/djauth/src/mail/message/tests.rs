use proptest::prelude::*;

use super::*;

fn formatted(message: &EmailMessage) -> String {
    String::from_utf8(message.mime().unwrap().formatted()).unwrap()
}

fn message() -> EmailMessage {
    EmailMessage::new("Hello", "A line.", ["alice@example.com"]).from_email("site@example.com")
}

fn head_of(text: &str) -> &str {
    text.split_once("\r\n\r\n").unwrap().0
}

#[test]
fn a_plain_message_has_the_usual_headers() {
    let text = formatted(&message());
    let head = head_of(&text);
    for line in [
        "Subject: Hello",
        "From: site@example.com",
        "To: alice@example.com",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(head.lines().any(|header| header == line), "{line}: {head}");
    }
    let date = head
        .lines()
        .find_map(|line| line.strip_prefix("Date: "))
        .unwrap();
    chrono::DateTime::parse_from_rfc2822(date).unwrap();
    let id = head
        .lines()
        .find_map(|line| line.strip_prefix("Message-ID: "))
        .unwrap();
    assert!(id.starts_with('<') && id.ends_with('>') && id.contains('@'));
    assert!(text.ends_with("\r\n\r\nA line.\r\n"), "{text}");
}

#[test]
fn html_is_an_alternative_after_the_text() {
    let text = formatted(&message().html("<p>A line.</p>"));
    assert!(head_of(&text).contains("multipart/alternative"));
    let plain = text.find("text/plain").unwrap();
    assert!(plain < text.find("text/html").unwrap());
}

#[test]
fn other_scripts_are_encoded() {
    let mut message = message();
    message.subject = "Gr\u{fc}\u{df}e".into();
    message.body = "Gr\u{fc}\u{df}e".into();
    message.from_email = Some("B\u{fc}cher <site@b\u{fc}cher.example>".into());
    let text = formatted(&message);
    assert!(text.is_ascii());
    assert!(text.contains("Subject: =?utf-8?b?R3LDvMOfZQ==?="), "{text}");
    assert!(text.contains("<site@xn--bcher-kva.example>"), "{text}");
}

#[test]
fn bcc_is_in_the_envelope_alone() {
    let mut message = message();
    message.bcc = vec!["hidden@example.com".into()];
    let mime = message.mime().unwrap();
    assert_eq!(mime.envelope().to().len(), 2);
    assert!(!formatted(&message).contains("hidden"));
}

#[test]
fn own_dates_and_ids_replace_those_that_are_made() {
    let text = formatted(
        &message()
            .header("date", "Thu, 01 Jan 2026 00:00:00 +0000")
            .header("Message-Id", "<one@example.com>")
            .header("Auto-Submitted", "auto-generated"),
    );
    assert_eq!(text.to_lowercase().matches("date: ").count(), 1);
    assert_eq!(text.to_lowercase().matches("message-id: ").count(), 1);
    assert!(text.contains("Auto-Submitted: auto-generated"));
}

#[test]
fn debug_shows_neither_addresses_nor_texts() {
    let shown = format!("{:?}", message().html("secret-link"));
    assert!(!shown.contains("alice") && !shown.contains("secret") && !shown.contains("Hello"));
}

/// CVE-2021-32052 and its kind: no field brings a header of its own.
#[test]
fn cve_2021_32052_line_breaks_in_headers_are_refused() {
    type Change = fn(&mut EmailMessage, String);
    let changes: [Change; 8] = [
        |message, text| message.subject = text,
        |message, text| message.from_email = Some(text),
        |message, text| message.to = vec![text],
        |message, text| message.cc = vec![text],
        |message, text| message.bcc = vec![text],
        |message, text| message.reply_to = vec![text],
        |message, text| message.headers = vec![("X-Note".into(), text)],
        |message, text| message.headers = vec![(text, "value".into())],
    ];
    for (index, change) in changes.into_iter().enumerate() {
        for end in ["\n", "\r", "\r\n", "\n ", "\0", "\u{85}"] {
            let mut message = message();
            change(
                &mut message,
                format!("a@example.com{end}Bcc: eve@example.com"),
            );
            let error = message.mime().expect_err("refused");
            assert_eq!(*error.kind(), crate::ErrorKind::Value, "{index} {end:?}");
            assert!(!error.to_string().contains("eve"));
        }
    }
}

#[test]
fn headers_with_fields_of_their_own_are_refused() {
    for name in [
        "Bcc",
        "bcc",
        "From",
        "content-type",
        "Subject",
        "",
        "a b",
        "a:b",
        "\u{e4}",
        "X\r\nBcc",
        "X\nBcc",
        "X\0",
    ] {
        message().header(name, "x").mime().expect_err(name);
    }
}

#[test]
fn somebody_must_get_it_and_not_too_many() {
    let mut message = message();
    message.to = vec!["a@example.com".into(); MOST_RECIPIENTS + 1];
    message.mime().unwrap_err();
    message.to.clear();
    message.mime().unwrap_err();
}

proptest! {
    #[test]
    fn no_subject_adds_a_header(subject in "(?s).{0,200}") {
        let mut message = message();
        message.subject = subject;
        if message.mime().is_ok() {
            let text = formatted(&message);
            let names = head_of(&text).lines().filter(|line| !line.starts_with([' ', '\t']));
            prop_assert_eq!(names.count(), 8, "{}", text);
        }
    }
}
