//! The pages, through the layer, on a database.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{
    ALLOW, AsHeaderName, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, EXPIRES,
    HOST, LOCATION, RETRY_AFTER, SET_COOKIE, VARY,
};
use axum::http::{Request, Response, StatusCode};
use djauth::{Auth, Settings};
use djauth_hashers::{Decoded, MD5PasswordHasher, PasswordHasher};
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::auth_support::{settings, soon, until};

/// A browser that keeps its cookies.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) app: Router,
    pub(crate) cookies: Vec<(String, String)>,
}

pub(crate) struct Answer {
    pub(crate) response: Response<()>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn header(&self, name: impl AsHeaderName) -> &str {
        self.response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn site(change: impl FnOnce(&mut Settings)) -> (TestDatabase, Auth, Browser) {
    let database = TestDatabase::sqlite();
    let (auth, browser) = site_on(&database, change, None).await;
    (database, auth, browser)
}

/// The same on each kind of database.
pub(crate) async fn on_each_site(test: impl AsyncFn(Auth, Browser)) {
    for database in TestDatabase::all() {
        let (auth, browser) = site_on(&database, |_| (), None).await;
        test(auth.clone(), browser).await;
        auth.db().close().await;
    }
}

pub(crate) async fn site_on(
    database: &TestDatabase,
    change: impl FnOnce(&mut Settings),
    hasher: Option<Arc<dyn PasswordHasher>>,
) -> (Auth, Browser) {
    let mut settings = settings();
    settings.allowed_hosts = vec!["testserver".into()];
    change(&mut settings);
    let mut builder = Auth::builder(settings);
    if let Some(hasher) = hasher {
        builder = builder.password_hashers(vec![hasher]).unwrap();
    }
    let auth = builder.connect(database.url()).await.unwrap();
    auth.migrate().await.unwrap();
    auth.users()
        .create_user("alice", "", Some("correct horse"))
        .await
        .unwrap();
    let app = Router::new()
        .route("/", auth.landing_page())
        .route("/accounts/profile/", auth.landing_page())
        .nest("/accounts", auth.urls())
        .fallback(auth.not_found())
        .layer(auth.layer());
    let cookies = Vec::new();
    (auth, Browser { app, cookies })
}

impl Browser {
    pub(crate) async fn send(&mut self, method: &str, path: &str, form: Option<&str>) -> Answer {
        let kind = form.map_or("", |_| "application/x-www-form-urlencoded");
        self.send_as(method, path, kind, form.unwrap_or_default())
            .await
    }

    async fn send_as(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "testserver");
        request = request.header(COOKIE, cookies.join("; "));
        if !kind.is_empty() {
            request = request.header(CONTENT_TYPE, kind);
        }
        let body = Body::from(body.to_owned());
        let response = self
            .app
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().trim_matches('"');
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.into(), value.into()));
            }
        }
        Answer {
            response: Response::from_parts(parts, ()),
            text,
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Posts with the token of the cookie.
    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        if self.cookie("csrftoken").is_none() {
            self.get("/accounts/login/").await;
        }
        let token = self.cookie("csrftoken").unwrap();
        self.send(
            "POST",
            path,
            Some(&format!("csrfmiddlewaretoken={token}&{form}")),
        )
        .await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }
}

pub(crate) const RIGHT: &str = "username=alice&password=correct+horse";

#[tokio::test]
async fn login_page() {
    let (_database, _auth, mut browser) = site(|_| ()).await;
    let answer = browser.get("/accounts/login/?next=/report/").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header(CONTENT_TYPE), "text/html; charset=utf-8");
    let never = "max-age=0, no-cache, no-store, must-revalidate, private";
    assert_eq!(answer.header(CACHE_CONTROL), never);
    assert!(answer.header(EXPIRES).ends_with("GMT"));
    assert_eq!(answer.header(VARY), "Accept, Cookie, Accept-Language");
    assert!(
        answer
            .header(CONTENT_SECURITY_POLICY)
            .starts_with("default-src 'none'")
    );
    assert!(
        answer
            .text
            .contains("name=\"next\" value=\"&#x2f;report&#x2f;\"")
    );
    assert!(answer.text.len() < 20_000);
    assert!(browser.cookie("csrftoken").is_some() && browser.cookie("sessionid").is_none());
}

#[tokio::test]
async fn logs_in_and_out() {
    on_each_site(async |_auth, browser| log_in_and_out(browser).await).await;
}

async fn log_in_and_out(mut browser: Browser) {
    browser.get("/accounts/login/").await;
    let before = browser.cookie("csrftoken");
    let answer = browser.post("/accounts/login/", RIGHT).await;
    assert_eq!(
        (answer.status(), answer.header(LOCATION)),
        (302, "/accounts/profile/")
    );
    assert_eq!(answer.text, "");
    assert_ne!(browser.cookie("csrftoken"), before, "the token is rotated");
    assert!(browser.cookie("sessionid").is_some());
    let names: Vec<_> = answer
        .response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .collect();
    assert!(names[0].to_str().unwrap().starts_with("csrftoken="));

    let answer = browser.get("/accounts/profile/").await;
    assert!(answer.text.contains(">alice</strong>"));
    let answer = browser.post("/accounts/logout/", "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text.contains("You are logged out"));
    assert_eq!(browser.cookie("sessionid"), None);
    assert!(browser.get("/").await.text.contains("Nobody is logged in"));
}

/// CVE-2018-6188: whatever is wrong, the page says the same.
#[tokio::test]
async fn wrong_logins_look_alike() {
    on_each_site(look_alike).await;
}

async fn look_alike(auth: Auth, mut browser: Browser) {
    let inactive = |bob: &mut djauth::User| bob.is_active = false;
    let users = auth.users();
    users
        .create_user_with("bob", "", Some("correct horse"), inactive)
        .await
        .unwrap();
    let mut pages = Vec::new();
    for name in ["alice", "nobody", "bob"] {
        let password = if name == "bob" {
            "correct+horse"
        } else {
            "wrong"
        };
        let form = format!("username={name}&password={password}");
        let answer = browser.post("/accounts/login/", &form).await;
        assert_eq!(answer.status(), 200);
        assert!(!answer.text.contains("wrong\"") && !answer.text.contains("correct horse"));
        pages.push(
            answer
                .text
                .replace(&format!("value=\"{name}\""), "value=\"NAME\""),
        );
    }
    let without_token = |page: &str| {
        let lines = page
            .lines()
            .filter(|line| !line.contains("csrfmiddlewaretoken"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert!(pages[0].contains("role=\"alert\""));
    assert_eq!(without_token(&pages[0]), without_token(&pages[1]));
    assert_eq!(without_token(&pages[0]), without_token(&pages[2]));
    assert_eq!(browser.cookie("sessionid"), None);
}

#[tokio::test]
async fn missing_fields_are_named() {
    let (_database, _auth, mut browser) = site(|_| ()).await;
    let answer = browser
        .post("/accounts/login/", "username=%20&password=")
        .await;
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .text
            .contains("aria-describedby=\"id_username_error\"")
    );
    assert!(answer.text.contains("id=\"id_password_error\""));
}

#[tokio::test]
async fn login_without_a_token_is_refused() {
    let (_database, _auth, mut browser) = site(|_| ()).await;
    let answer = browser.send("POST", "/accounts/login/", Some(RIGHT)).await;
    assert_eq!(answer.status(), 403);
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn next_leads_only_to_this_site() {
    for (next, expected) in [
        ("/report/%3Fa=1", "/report/?a=1"),
        ("http://testserver/x", "http://testserver/x"),
        ("//evil.example/", "/accounts/profile/"),
        ("http:///evil.example", "/accounts/profile/"),
        ("https://evil.example/", "/accounts/profile/"),
        ("javascript:alert(1)", "/accounts/profile/"),
        ("http://testserver%5C@evil.example", "/accounts/profile/"),
        ("", "/accounts/profile/"),
    ] {
        let (_database, _auth, mut browser) = site(|_| ()).await;
        let answer = browser
            .post("/accounts/login/", &format!("{RIGHT}&next={next}"))
            .await;
        assert_eq!(
            (answer.status(), answer.header(LOCATION)),
            (302, expected),
            "{next}"
        );
    }
    let (_database, _auth, mut browser) = site(|_| ()).await;
    let answer = browser.post("/accounts/login/?next=/query/", RIGHT).await;
    assert_eq!(answer.header(LOCATION), "/query/");
    let path = "/accounts/login/?next=/query/";
    let answer = browser.post(path, &format!("{RIGHT}&next=")).await;
    assert_eq!(
        answer.header(LOCATION),
        "/accounts/profile/",
        "a blank field counts"
    );
}

#[tokio::test]
async fn methods() {
    let (_database, _auth, mut browser) = site(|_| ()).await;
    for (method, path, status, allow) in [
        (
            "OPTIONS",
            "/accounts/login/",
            200,
            "GET, POST, PUT, HEAD, OPTIONS",
        ),
        ("GET", "/accounts/logout/", 405, "POST, OPTIONS"),
        ("OPTIONS", "/accounts/logout/", 200, "POST, OPTIONS"),
        ("OPTIONS", "/", 200, "GET, HEAD, OPTIONS"),
    ] {
        let answer = browser.send(method, path, None).await;
        assert_eq!(
            (answer.status(), answer.header(ALLOW)),
            (status, allow),
            "{method} {path}"
        );
        assert!(answer.header(CACHE_CONTROL).contains("no-store"));
    }
    let answer = browser.send("HEAD", "/accounts/login/", None).await;
    assert_eq!((answer.status(), answer.text.as_str()), (200, ""));
    let answer = browser.get("/nothing/").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(
        answer
            .header(CONTENT_SECURITY_POLICY)
            .starts_with("default-src 'none'")
    );
}

#[tokio::test]
async fn logout_targets() {
    let (_database, _auth, mut browser) = site(|_| ()).await;
    let answer = browser.post("/accounts/logout/", "next=/bye/").await;
    assert_eq!((answer.status(), answer.header(LOCATION)), (302, "/bye/"));
    let answer = browser
        .post("/accounts/logout/?next=//evil.example/", "")
        .await;
    assert_eq!(
        (answer.status(), answer.header(LOCATION)),
        (302, "/accounts/logout/")
    );
    let (_database, _auth, mut browser) =
        site(|settings| settings.logout_redirect_url = Some("/gone/".into())).await;
    let answer = browser.post("/accounts/logout/", "").await;
    assert_eq!((answer.status(), answer.header(LOCATION)), (302, "/gone/"));
}

/// CVE-2008-2302 and its kin: what the request says is escaped.
#[tokio::test]
async fn markup_in_the_request_is_escaped() {
    let (_database, _auth, mut browser) = site(|_| ()).await;
    let answer = browser
        .get("/accounts/login/?next=/%22%3E%3Cscript%3E")
        .await;
    assert_eq!(answer.text.matches("<script").count(), 1, "the page's own");
    let form = "username=%22%3E%3Cscript%3E&password=x";
    let answer = browser.post("/accounts/login/", form).await;
    assert_eq!(answer.text.matches("<script").count(), 1);
}

/// A hasher that stops while its gate is shut.
#[derive(Clone, Debug, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn shut(&self, shut: bool) {
        *self.0.0.lock().unwrap() = shut;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let shut = self.0.0.lock().unwrap();
        let long = Duration::from_secs(300);
        let passed = self.0.1.wait_timeout_while(shut, long, |shut| *shut);
        assert!(!passed.unwrap().1.timed_out(), "nobody opens the gate");
    }
}

impl PasswordHasher for Gate {
    fn algorithm(&self) -> &str {
        "md5"
    }
    fn encode(&self, password: &[u8], salt: &str) -> Result<String, djauth_hashers::Error> {
        self.pass();
        MD5PasswordHasher.encode(password, salt)
    }
    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, djauth_hashers::Error> {
        self.pass();
        MD5PasswordHasher.verify(password, encoded)
    }
    fn decode(&self, encoded: &str) -> Result<Decoded, djauth_hashers::Error> {
        MD5PasswordHasher.decode(encoded)
    }
    fn must_update(&self, _: &str) -> Result<bool, djauth_hashers::Error> {
        Ok(false)
    }
    fn harden_runtime(&self, _: &[u8], _: &str) -> Result<(), djauth_hashers::Error> {
        Ok(())
    }
}

/// More logins than the queue takes are told to come back, whoever they are for.
#[tokio::test]
async fn a_full_hashing_queue_is_503_for_everybody() {
    let (gate, database) = (Gate::default(), TestDatabase::sqlite());
    let narrow = |settings: &mut Settings| {
        (settings.hashing_threads, settings.hashing_queue) = (1, 1);
    };
    let (auth, mut browser) = site_on(&database, narrow, Some(Arc::new(gate.clone()))).await;
    browser.get("/accounts/login/").await;
    let now = || {
        let now = auth.hashing().stats();
        (now.running, now.waiting)
    };
    // The password of the user who was made may seem to be hashed for a moment more.
    until("nothing to do", now, |now| *now == (0, 0)).await;
    gate.shut(true);
    // One is being hashed, one by the thread that helps where nothing gets ahead, and one waits.
    let mut waiting: Vec<tokio::task::JoinHandle<u16>> = Vec::new();
    for busy in [(1, 0), (2, 0), (2, 1)] {
        let mut other = browser.clone();
        waiting.push(tokio::spawn(async move {
            other.post("/accounts/login/", RIGHT).await.status()
        }));
        until("running and waiting", now, |now| *now == busy).await;
    }
    let mut answers = Vec::new();
    for name in ["alice", "nobody"] {
        let form = format!("username={name}&password=correct+horse");
        let answer = soon(name, browser.post("/accounts/login/", &form)).await;
        assert_eq!((answer.status(), answer.header(RETRY_AFTER)), (503, "1"));
        assert_eq!(answer.header(SET_COOKIE), "");
        answers.push((answer.text, format!("{:?}", answer.response.headers())));
    }
    assert_eq!(answers[0], answers[1]);
    gate.shut(false);
    let mut statuses = Vec::new();
    for task in waiting {
        statuses.push(soon("an answer", task).await.unwrap());
    }
    assert_eq!(statuses, [302; 3]);
    assert_eq!(browser.post("/accounts/login/", RIGHT).await.status(), 302);
}

#[tokio::test]
async fn login_while_the_database_is_away_is_503() {
    on_each_site(async |auth, mut browser| {
        browser.get("/accounts/login/").await;
        auth.db().close().await;
        for form in [RIGHT, "username=nobody&password=x"] {
            let answer = browser.post("/accounts/login/", form).await;
            assert_eq!((answer.status(), answer.header(RETRY_AFTER)), (503, "1"));
            assert_eq!(answer.header(SET_COOKIE), "");
        }
        assert_eq!(browser.get("/accounts/login/").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn a_form_in_parts_is_read_within_its_limits() {
    let (_database, _auth, mut browser) =
        site(|settings| settings.data_upload_max_memory_size = Some(2000)).await;
    browser.get("/accounts/login/").await;
    let token = browser.cookie("csrftoken").unwrap();
    let mut send = async |filler: &str| {
        let fields = [
            ("csrfmiddlewaretoken", token.as_str()),
            ("username", "alice"),
            ("password", "correct horse"),
            ("filler", filler),
        ];
        let parts = fields.map(|(name, value)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        let body = parts.concat() + "--b--\r\n";
        browser
            .send_as(
                "POST",
                "/accounts/login/",
                "multipart/form-data; boundary=b",
                &body,
            )
            .await
    };
    assert_eq!(send(&"x".repeat(3000)).await.status(), 400);
    assert_eq!(send("x").await.status(), 302);
}

/// A browser that follows the rules lets a form lead where a view's `next_page` is.
#[tokio::test]
async fn the_policy_lets_forms_lead_to_next_page() {
    let (_database, auth, _browser) = site(|_| ()).await;
    let view = djauth::views::LogoutView::new().next_page("https://bye.example.com/x");
    let app = Router::new()
        .route("/", auth.landing_page())
        .route("/leave/", auth.logout_view(view))
        .layer(auth.layer());
    let mut browser = Browser {
        app,
        cookies: Vec::new(),
    };
    let answer = browser.get("/").await;
    let policy = answer.header(CONTENT_SECURITY_POLICY);
    assert!(
        policy.contains("form-action 'self' https://bye.example.com;"),
        "{policy}"
    );
}
