//! The breach check against a server in this process.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use djauth::forms::ValidationError;
use djauth::password_validation::{BreachedPasswordValidator, PasswordValidator};
use djauth::settings::{BreachCheck, PasswordValidator as Configured};
use djauth::{Auth, User};
use parking_lot::Mutex;
use test_databases::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::auth_support::settings;
use crate::tls_support::{acceptor, authority};

/// SHA-1 of "password" without the five digits that are sent.
const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

struct Service {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Service {
    /// Answers every request so; an empty answer is silence.
    async fn start(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let heard = requests.clone();
        tasks.spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                // A client that does not like the certificate is gone.
                let Ok(mut stream) = acceptor().accept(stream).await else {
                    continue;
                };
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                heard
                    .lock()
                    .push(String::from_utf8_lossy(&request[..length]).into_owned());
                if answer.is_empty() {
                    silent.push(stream);
                    continue;
                }
                // A client that has read enough may be gone.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            port,
            requests,
            _tasks: tasks,
        }
    }

    fn validator(&self) -> BreachedPasswordValidator {
        let url = format!("https://localhost:{}/range/", self.port);
        let validator = BreachedPasswordValidator::new(&url).expect("a URL");
        validator.authorities(&authority()).expect("an authority")
    }
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

async fn code(validator: &BreachedPasswordValidator, password: &str) -> Option<&'static str> {
    let judged = validator.validate_async(password, None).await;
    judged.err().map(|error| error.code())
}

#[tokio::test]
async fn a_breached_password_is_refused_and_only_five_digits_are_sent() {
    let body = format!("0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n{SUFFIX}:42\r\n");
    let service = Service::start(answer("200 OK", &body)).await;
    let validator = service.validator().fail_open(false);
    assert_eq!(
        code(&validator, "password").await,
        Some("password_breached")
    );
    assert_eq!(code(&validator, "another").await, None);
    let often = validator.clone().threshold(43);
    assert_eq!(code(&often, "password").await, None);
    let request = service.requests.lock()[0].to_lowercase();
    assert!(
        request.starts_with("get /range/5baa6 http/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("add-padding: true\r\n"), "{request}");
    let rest = SUFFIX.to_lowercase();
    assert!(
        !request.contains(&rest[..4]) && !request.contains("password"),
        "{request}"
    );
}

#[tokio::test]
async fn padding_is_no_breach() {
    let service = Service::start(answer("200 OK", &format!("{SUFFIX}:0\r\n"))).await;
    let validator = service.validator().fail_open(false);
    assert_eq!(code(&validator, "password").await, None);
}

/// Every failure lets the password pass or not, as was set; none of them is an answer.
#[tokio::test]
async fn failures_are_open_or_closed_as_set() {
    let breached = format!("{SUFFIX}:42\r\n");
    let large = breached.repeat(60_000);
    for (what, answer) in [
        ("an error", answer("500 Internal Server Error", &breached)),
        (
            "a redirect",
            answer("302 Found\r\nLocation: https://localhost/", &breached),
        ),
        ("a page", answer("200 OK", "<html>Log in</html>")),
        ("nothing", answer("200 OK", "")),
        ("too much", answer("200 OK", &large)),
        ("not HTTP", "hello\r\n".to_owned()),
        ("silence", String::new()),
    ] {
        let service = Service::start(answer).await;
        let validator = service.validator().timeout(Duration::from_secs(1));
        assert_eq!(code(&validator, "password").await, None, "{what}");
        let closed = validator.fail_open(false);
        assert_eq!(
            code(&closed, "password").await,
            Some("password_not_checked"),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_service_that_nobody_vouches_for_is_not_asked() {
    let service = Service::start(answer("200 OK", &format!("{SUFFIX}:42\r\n"))).await;
    let url = format!("https://localhost:{}/range/", service.port);
    let validator = BreachedPasswordValidator::new(&url)
        .expect("a URL")
        .fail_open(false);
    assert_eq!(
        code(&validator, "password").await,
        Some("password_not_checked")
    );
    assert!(service.requests.lock().is_empty());
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is logged while a check fails.
async fn log_of_a_failure(service: &Service) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    let guard = tracing::subscriber::set_default(log.finish());
    assert_eq!(code(&service.validator(), "password").await, None);
    drop(guard);
    String::from_utf8(lines.0.lock().clone()).expect("text")
}

#[tokio::test(flavor = "current_thread")]
async fn neither_password_nor_hash_is_logged() {
    let service = Service::start(answer("500 Internal Server Error", "")).await;
    let mut log = String::new();
    // A line that another test reaches at the same moment for the first time may be taken for one that
    // nobody listens to.
    for _ in 0..100 {
        log += &log_of_a_failure(&service).await;
        if log.contains("could not be looked for") {
            break;
        }
    }
    assert!(log.contains("could not be looked for"), "{log}");
    assert!(
        !log.to_uppercase().contains("5BAA6") && !log.contains(SUFFIX),
        "{log}"
    );
}

/// The rule as an entry of `AUTH_PASSWORD_VALIDATORS`, asked by an `Auth`.
#[tokio::test]
async fn settings_name_the_check() {
    let service = Service::start(answer("200 OK", &format!("{SUFFIX}:42\r\n"))).await;
    let check = BreachCheck {
        url: format!("https://localhost:{}/range/", service.port),
        ssl_cafile: Some(authority()),
        ..BreachCheck::default()
    };
    let mut settings = settings();
    settings.auth_password_validators = vec![
        Configured::MinimumLength { min_length: 9 },
        Configured::BreachedPassword(check),
        Configured::NumericPassword,
    ];
    let database = TestDatabase::sqlite();
    let auth: Auth<User> = Auth::builder(settings)
        .connect(database.url())
        .await
        .expect("connects");
    let errors = auth
        .validate_password("password", None)
        .await
        .expect_err("is refused");
    let codes: Vec<_> = errors.iter().map(ValidationError::code).collect();
    assert_eq!(codes, ["password_too_short", "password_breached"]);
    auth.validate_password("correct horse", None)
        .await
        .expect("is good");
}
