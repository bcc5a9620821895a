//! Mail over SMTP, into files, and to users.

use djauth::mail::{EmailMessage, FileSender, MailSender, MemorySender, SmtpSender};
use djauth::settings::{MailBackend, Mailer};
use djauth::{Auth, ErrorKind, SecretKey, User};
use test_databases::TestDatabase;

use crate::auth_support::settings;
use crate::mail_server::{MailServer, Mode};
use crate::tls_support::authority;

fn mailer(server: &MailServer) -> Mailer {
    let mut mailer = Mailer::new(MailBackend::Smtp);
    mailer.host = "localhost".into();
    mailer.port = server.port;
    mailer.ssl_cafile = Some(authority());
    mailer.timeout = Some(20);
    mailer
}

fn starttls(server: &MailServer) -> Mailer {
    let mut mailer = mailer(server);
    mailer.use_tls = true;
    with_login(mailer)
}

fn with_login(mut mailer: Mailer) -> Mailer {
    mailer.username = "ann".into();
    mailer.password = Some(SecretKey::new("hunter2").expect("a key"));
    mailer
}

fn message() -> EmailMessage {
    let body = "First line.\n.\n..two dots\nA link: https://example.com/reset/MQ/token/";
    EmailMessage::new("Subject", body, ["Alice <alice@example.com>"])
        .from_email("Site <site@example.com>")
}

async fn send(mailer: &Mailer) -> Result<(), djauth::Error> {
    SmtpSender::new(mailer)
        .expect("a sender")
        .send(message())
        .await
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let server = MailServer::start(Mode::Plain).await;
    send(&mailer(&server)).await.expect("is sent");
    server.seen(|seen| {
        assert!(seen.clear[0].starts_with("EHLO "));
        assert_eq!(seen.clear[1], "MAIL FROM:<site@example.com>");
        assert_eq!(seen.clear[2], "RCPT TO:<alice@example.com>");
        let [message] = &*seen.messages else {
            panic!("one message")
        };
        let (head, body) = message.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains("To: Alice <alice@example.com>"), "{head}");
        let expected =
            "First line.\r\n.\r\n..two dots\r\nA link: https://example.com/reset/MQ/token/\r\n";
        assert_eq!(body, expected);
    });
}

#[tokio::test]
async fn with_starttls_only_the_greeting_is_in_clear_text() {
    let server = MailServer::start(Mode::StartTls).await;
    send(&starttls(&server)).await.expect("is sent");
    server.seen(|seen| {
        let verbs = |lines: &[String]| -> Vec<String> {
            let verb = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
            lines.iter().map(verb).collect()
        };
        assert_eq!(verbs(&seen.clear), ["EHLO", "STARTTLS"]);
        assert_eq!(
            verbs(&seen.secure),
            ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
        );
        // NUL, name, NUL, password.
        assert_eq!(seen.secure[1], "AUTH PLAIN AGFubgBodW50ZXIy");
        assert_eq!(seen.messages.len(), 1);
    });
}

#[tokio::test]
async fn with_implicit_tls_nothing_is_in_clear_text() {
    let server = MailServer::start(Mode::Tls).await;
    let mut mailer = with_login(mailer(&server));
    mailer.use_ssl = true;
    send(&mailer).await.expect("is sent");
    server.seen(|seen| {
        assert!(seen.clear.is_empty());
        assert_eq!(seen.messages.len(), 1);
    });
}

/// CVE-2026-7666: after a STARTTLS that failed, neither this message nor the next one goes out in clear
/// text, and no connection is used again.
#[tokio::test]
async fn cve_2026_7666_no_message_follows_a_failed_starttls() {
    for mode in [
        Mode::NotOffered,
        Mode::Refused,
        Mode::Broken,
        Mode::Injecting,
    ] {
        let server = MailServer::start(mode).await;
        let mut mailer = starttls(&server);
        // The broken one is not answered by TLS at all.
        mailer.timeout = Some(2);
        let sender = SmtpSender::new(&mailer).expect("a sender");
        for _ in 0..2 {
            let error = sender.send(message()).await.expect_err("is refused");
            assert_eq!(*error.kind(), ErrorKind::Mail, "{mode:?}");
        }
        server.seen(|seen| {
            assert_eq!(seen.connections, 2, "{mode:?}");
            let leaked = |line: &String| {
                ["AUTH", "MAIL", "RCPT", "DATA"]
                    .iter()
                    .any(|verb| line.starts_with(verb))
            };
            assert!(!seen.clear.iter().any(leaked), "{mode:?}: {:?}", seen.clear);
            assert!(seen.messages.is_empty() && seen.secure.is_empty());
        });
    }
}

/// RUSTSEC-2026-0141: the server's name and its authority are checked.
#[tokio::test]
async fn rustsec_2026_0141_a_wrong_certificate_gets_nothing() {
    for (host, trusted) in [("127.0.0.1", true), ("localhost", false)] {
        for (mode, ssl) in [(Mode::StartTls, false), (Mode::Tls, true)] {
            let server = MailServer::start(mode).await;
            let mut mailer = starttls(&server);
            (mailer.use_ssl, mailer.use_tls) = (ssl, !ssl);
            mailer.host = host.into();
            if !trusted {
                mailer.ssl_cafile = None;
            }
            let error = send(&mailer).await.expect_err("is refused");
            assert_eq!(*error.kind(), ErrorKind::Mail, "{host} {mode:?}");
            server.seen(|seen| assert!(seen.secure.is_empty() && seen.messages.is_empty()));
        }
    }
}

/// What a server says may hold addresses and more; it is in no error.
#[tokio::test]
async fn refusals_are_told_by_their_code_alone() {
    for (mode, code) in [(Mode::NoSuchUser, "550"), (Mode::WrongLogin, "535")] {
        let server = MailServer::start(mode).await;
        let error = send(&with_login(mailer(&server))).await;
        // Both servers offer TLS, which this mailer does not want.
        let error = error.expect_err("is refused");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(code), "{shown}");
        for secret in ["alice", "hunter2", "no such user", "token"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let server = MailServer::start(Mode::Silent).await;
    let mut mailer = mailer(&server);
    mailer.timeout = Some(1);
    let error = send(&mailer).await.expect_err("gives up");
    assert!(error.to_string().contains("too long"), "{error}");
}

/// Nothing is sent to anybody when a header cannot be (CVE-2021-32052, RUSTSEC-2021-0069).
#[tokio::test]
async fn cve_2021_32052_a_line_break_never_reaches_the_server() {
    let server = MailServer::start(Mode::Plain).await;
    let sender = SmtpSender::new(&mailer(&server)).expect("a sender");
    for to in [
        "a@b.c\r\nRCPT TO:<eve@b.c>",
        "a@b.c>\r\nDATA\r\n",
        "-oQ/tmp a@b.c",
    ] {
        let message = EmailMessage::new("Subject", "", [to]);
        let error = sender.send(message).await.expect_err("is refused");
        assert_eq!(*error.kind(), ErrorKind::Value);
    }
    assert_eq!(server.seen(|seen| seen.connections), 0);
}

/// The names and the form of Django's files, which only their owner reads.
#[tokio::test]
async fn files_are_named_and_written_as_djangos() {
    let folder = tempfile::tempdir().expect("a folder");
    let sender = FileSender::new(folder.path().join("mail")).expect("a sender");
    for _ in 0..2 {
        sender.send(message()).await.expect("is written");
    }
    let files: Vec<_> = std::fs::read_dir(folder.path().join("mail"))
        .expect("a folder")
        .map(|file| file.expect("a file"))
        .collect();
    assert_eq!(files.len(), 2, "a file for each message");
    for file in files {
        let name = file.file_name().into_string().expect("text");
        let parts: Vec<_> = name
            .strip_suffix(".log")
            .expect("ends with .log")
            .split('-')
            .collect();
        let lengths: Vec<_> = parts.iter().map(|part| part.len()).take(2).collect();
        assert_eq!((parts.len(), lengths), (3, vec![8, 6]), "{name}");
        assert!(
            parts
                .iter()
                .all(|part| part.bytes().all(|byte| byte.is_ascii_digit())),
            "{name}"
        );
        let text = std::fs::read_to_string(file.path()).expect("text");
        assert!(!text.contains('\r'));
        assert!(
            text.ends_with(&format!("/token/\n\n{}\n", "-".repeat(79))),
            "{text}"
        );
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn email_user_writes_to_the_users_address() {
    for database in TestDatabase::all() {
        let sender = MemorySender::default();
        let auth = Auth::builder(settings()).mail_sender(sender.clone());
        let auth = auth.connect(database.url()).await.expect("connects");
        auth.migrate().await.expect("migrates");
        let users = auth.users();
        let alice = users
            .create_user("alice", "alice@example.com", None)
            .await
            .expect("made");
        alice
            .email_user(&auth, "Subject", "Text", None)
            .await
            .expect("is sent");
        let own = Some("other@example.com");
        auth.email_user(&alice, "Subject", "Text", own)
            .await
            .expect("is sent");
        let sent = sender.outbox();
        assert!(
            sent.iter()
                .all(|message| message.to == ["alice@example.com"])
        );
        assert_eq!(sent[0].from_email.as_deref(), Some("webmaster@localhost"));
        assert_eq!(sent[1].from_email.as_deref(), own);
        let nobody = users.create_user("nobody", "", None).await.expect("made");
        let error = nobody.email_user(&auth, "Subject", "Text", None).await;
        assert_eq!(*error.expect_err("has no address").kind(), ErrorKind::Value);
        auth.db().close().await;
    }
}

/// The mailers of Django 6.1 beside the default one.
#[tokio::test]
async fn another_mailer_can_be_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = settings();
    let mut file = Mailer::new(MailBackend::Filebased);
    file.file_path = Some(folder.path().to_owned());
    let mailers = [
        ("default".to_owned(), Mailer::new(MailBackend::Dummy)),
        ("file".into(), file),
    ];
    settings.mailers = Some(mailers.into());
    let database = TestDatabase::sqlite();
    let auth: Auth<User> = Auth::builder(settings)
        .connect(database.url())
        .await
        .expect("connects");
    auth.send_mail(message()).await.expect("goes nowhere");
    auth.send_mail_using("file", message())
        .await
        .expect("is written");
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        1
    );
    let error = auth.send_mail_using("other", message()).await;
    assert_eq!(
        *error.expect_err("there is none").kind(),
        ErrorKind::ImproperlyConfigured
    );
}
