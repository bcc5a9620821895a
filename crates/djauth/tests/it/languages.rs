//! The language of a response, through the layer.

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT_LANGUAGE, AsHeaderName, CONTENT_LANGUAGE, COOKIE, HOST, VARY};
use axum::http::{HeaderMap, Request};
use axum::routing::get;
use djauth::i18n::{Language, gettext};
use djauth::{Auth, Settings};
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::auth_support::settings;
use crate::layer::page;

struct Site {
    app: Router,
    _database: TestDatabase,
}

struct Answer {
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: impl AsHeaderName) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The language that the headers and the page agree in.
    fn language(&self) -> &str {
        let code = self.header(CONTENT_LANGUAGE);
        assert!(self.text.contains(&format!("<html lang=\"{code}\"")));
        code
    }
}

async fn site(change: impl FnOnce(&mut Settings)) -> Site {
    let database = TestDatabase::sqlite();
    let mut settings = settings();
    settings.allowed_hosts = vec!["testserver".into()];
    change(&mut settings);
    let auth = Auth::builder(settings).connect(database.url()).await;
    let auth = auth.unwrap();
    auth.migrate().await.unwrap();
    let app = Router::new()
        .route("/", auth.landing_page())
        .route("/plain", get(async || "plain"))
        .nest("/accounts", auth.urls())
        .fallback(auth.not_found())
        .layer(auth.layer());
    Site {
        app,
        _database: database,
    }
}

impl Site {
    async fn send(&self, method: &str, path: &str, accept: &str, cookie: &str) -> Answer {
        let host = if path == "/bad-host" {
            "evil.example"
        } else {
            "testserver"
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, host)
            .header(ACCEPT_LANGUAGE, accept)
            .header(COOKIE, cookie);
        let request = request.body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let headers = response.headers().clone();
        let text = page(response).await;
        Answer { headers, text }
    }

    async fn get(&self, path: &str, accept: &str) -> Answer {
        self.send("GET", path, accept, "").await
    }
}

fn german(key: &str) -> String {
    let german = Language::find("de").unwrap();
    let text = gettext(german, key, &[]);
    assert_ne!(text, gettext(Language::ENGLISH, key, &[]));
    text
}

#[tokio::test]
async fn pages_speak_the_language_of_the_client() {
    let site = site(|_| ()).await;
    for (method, path, key) in [
        ("GET", "/nope", "error_page.not_found"),
        ("GET", "/bad-host", "error_page.host"),
        ("POST", "/", "csrf.no_cookie"),
        ("POST", "/", "csrf.advice_cookies"),
    ] {
        let answer = site.send(method, path, "de-CH, en;q=0.5", "").await;
        assert_eq!(answer.language(), "de", "{path}");
        assert_eq!(answer.header(VARY), "Cookie, Accept-Language", "{path}");
        assert!(
            answer.text.contains(&german(key)),
            "{path}: {}",
            answer.text
        );
        let answer = site.send(method, path, "tlh, *", "").await;
        assert_eq!(answer.language(), "en", "{path}");
        assert_eq!(answer.header(VARY), "Cookie, Accept-Language", "{path}");
    }
}

#[tokio::test]
async fn the_cookie_goes_before_the_header() {
    let site = site(|settings| settings.language_cookie_name = "tongue".into()).await;
    let answer = site.send("GET", "/nope", "en", "tongue=de-at").await;
    assert_eq!(answer.language(), "de");
    let answer = site
        .send("GET", "/nope", "de", "tongue=no/code; django_language=en")
        .await;
    assert_eq!(answer.language(), "de");
}

#[tokio::test]
async fn only_offered_languages_are_chosen() {
    let site = site(|settings| settings.languages = vec!["en".into(), "fr".into()]).await;
    assert_eq!(site.get("/nope", "de, en;q=0.1").await.language(), "en");
}

#[tokio::test]
async fn the_setting_turns_the_choice_off() {
    let change = |settings: &mut Settings| {
        settings.use_accept_language = false;
        settings.language_code = "de".into();
    };
    let site = site(change).await;
    let answer = site.send("GET", "/nope", "en", "django_language=en").await;
    assert!(answer.text.contains("<html lang=\"de\" dir=\"ltr\">"));
    assert!(answer.text.contains(&german("error_page.not_found")));
    assert_eq!(answer.header(CONTENT_LANGUAGE), "");
    assert!(!answer.header(VARY).contains("Accept-Language"));
}

/// A response that no language decided about says nothing of one.
#[tokio::test]
async fn only_what_has_a_language_says_so() {
    let site = site(|_| ()).await;
    let answer = site.get("/plain", "de").await;
    assert_eq!(answer.header(CONTENT_LANGUAGE), "");
    assert_eq!(answer.header(VARY), "");
    let head = site.send("HEAD", "/nope", "de", "").await;
    assert_eq!(head.header(CONTENT_LANGUAGE), "de");
}
