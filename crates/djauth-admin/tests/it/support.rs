//! What the tests share: a site on each kind of database, a browser, and people with permissions.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AsHeaderName, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request};
use chrono::{TimeZone, Utc};
use djauth::http::urlencode;
use djauth::{Auth, BaseUser, SecretKey, Settings, User};
use djauth_admin::AdminExt;
use djauth_signing::FixedClock;
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::own_models::{Account, auth_of};

pub(crate) const KEY: &str = "admin-vector-key-0123456789abcdefghijklmnopqrstuvwx";
pub(crate) const PASSWORD: &str = "correct horse";

/// Settings with a hasher that costs nothing.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::new(SecretKey::new(KEY).expect("a key"));
    settings.password_hashers = vec!["django.contrib.auth.hashers.MD5PasswordHasher".to_owned()];
    settings.allowed_hosts = vec!["testserver".to_owned()];
    settings
}

pub(crate) fn clock() -> FixedClock {
    let moment = Utc.with_ymd_and_hms(2026, 1, 1, 12, 0, 0);
    FixedClock::new(moment.single().expect("a moment"))
}

pub(crate) async fn connect(database: &TestDatabase, settings: Settings) -> Auth {
    let builder = Auth::builder(settings).clock(clock());
    let auth = builder.connect(database.url()).await.expect("connects");
    auth.migrate().await.expect("migrates");
    auth
}

/// The application with the admin in it.
pub(crate) fn app<U: BaseUser>(auth: &Auth<U>, admin: Router) -> Router {
    Router::new()
        .nest("/accounts", auth.urls())
        .merge(admin)
        .fallback(auth.not_found())
        .layer(auth.layer())
}

/// Runs a test on a site on each kind of database.
pub(crate) async fn on_each_site(test: impl AsyncFn(&Auth, AdminBrowser)) {
    for database in TestDatabase::all() {
        let auth = connect(&database, settings()).await;
        test(&auth, AdminBrowser::new(app(&auth, auth.admin()))).await;
        auth.db().close().await;
    }
}

/// Runs a test on a site with a user model of its own on each kind of database; Ada, a superuser, is logged in.
pub(crate) async fn on_each_own_site(test: impl AsyncFn(&Auth<Account>, Account, AdminBrowser)) {
    for database in TestDatabase::all() {
        let auth = auth_of::<Account>(&database).await;
        let name = "ada@example.com";
        let made = auth.users().create_superuser(name, "", Some(PASSWORD));
        let ada = made.await.expect("is made");
        let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
        browser.enter(name).await;
        test(&auth, ada, browser).await;
        auth.db().close().await;
    }
}

/// A site on SQLite, for what does not depend on the database.
pub(crate) async fn site(change: impl FnOnce(&mut Settings)) -> (TestDatabase, Auth, AdminBrowser) {
    let database = TestDatabase::sqlite();
    let mut settings = settings();
    change(&mut settings);
    let auth = connect(&database, settings).await;
    let browser = AdminBrowser::new(app(&auth, auth.admin()));
    (database, auth, browser)
}

/// Somebody with these flags and permissions; the password is [`PASSWORD`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) staff: bool,
    pub(crate) active: bool,
    pub(crate) superuser: bool,
    pub(crate) perms: &'static [&'static str],
}

impl Kind {
    pub(crate) const STAFF: Kind = Kind {
        staff: true,
        active: true,
        superuser: false,
        perms: &[],
    };
    pub(crate) const SUPERUSER: Kind = Kind {
        superuser: true,
        ..Kind::STAFF
    };

    pub(crate) const fn with(perms: &'static [&'static str]) -> Kind {
        Kind {
            perms,
            ..Kind::STAFF
        }
    }
}

pub(crate) async fn person(auth: &Auth, name: &str, kind: Kind) -> User {
    let flags = |user: &mut User| {
        user.is_staff = kind.staff;
        user.is_active = kind.active;
        user.permissions.is_superuser = kind.superuser;
    };
    let made = auth
        .users()
        .create_user_with(name, "", Some(PASSWORD), flags);
    let user = made.await.expect("is made");
    for perm in kind.perms {
        let permission = auth.permissions().get_by_natural_key_of(perm).await;
        let links = auth
            .users()
            .user_permissions(&user)
            .expect("has permissions");
        links.add(&[permission]).await.expect("is granted");
    }
    user
}

/// Finds a permission by `app.codename`.
trait ByText {
    async fn get_by_natural_key_of(self, perm: &str) -> i32;
}

impl ByText for djauth::models::PermissionManager<'_, User> {
    async fn get_by_natural_key_of(self, perm: &str) -> i32 {
        let all = self.all().all().await.expect("permissions");
        let (_, codename) = perm.split_once('.').expect("app.codename");
        let found = all
            .iter()
            .find(|permission| permission.codename == codename);
        found.unwrap_or_else(|| panic!("no {perm}")).id
    }
}

/// A session in which somebody is logged in, also who could not log in by a page.
pub(crate) async fn log_in_past_the_page(auth: &Auth, browser: &mut AdminBrowser, user: &User) {
    let session = auth.sessions().open(None);
    let request = djauth::Request::detached(auth.settings().clone(), session);
    auth.login(&request, user.clone(), Some(MODEL_BACKEND))
        .await
        .expect("logs in");
    request.session().save().await.expect("is saved");
    let key = request.session().session_key().expect("a key");
    browser.cookies.push(("sessionid".to_owned(), key));
}

const MODEL_BACKEND: &str = "django.contrib.auth.backends.ModelBackend";

/// A browser that keeps its cookies.
#[derive(Clone)]
pub(crate) struct AdminBrowser {
    app: Router,
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    status: u16,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn header(&self, name: impl AsHeaderName) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION)
    }

    /// Whether a text stands on the page as it is.
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// The values of an attribute.
    pub(crate) fn attributes(&self, name: &str) -> Vec<String> {
        attributes(&self.text, name)
    }

    /// Whether a link leads there.
    pub(crate) fn leads_to(&self, path: &str) -> bool {
        self.attributes("href").iter().any(|link| link == path)
    }

    fn field(&self, name: &str) -> Option<String> {
        let mark = format!("name=\"{name}\" value=\"");
        let value = self.text.split(mark.as_str()).nth(1)?.split('"').next()?;
        Some(unescaped(value))
    }
}

/// The values of an attribute in some HTML.
pub(crate) fn attributes(html: &str, name: &str) -> Vec<String> {
    let mark = format!(" {name}=\"");
    let rest = html.split(mark.as_str()).skip(1);
    rest.filter_map(|rest| rest.split('"').next())
        .map(unescaped)
        .collect()
}

pub(crate) fn unescaped(value: &str) -> String {
    let marks = [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    marks
        .iter()
        .fold(value.to_owned(), |text, (escaped, mark)| {
            text.replace(escaped, mark)
        })
}

impl AdminBrowser {
    pub(crate) fn new(app: Router) -> Self {
        Self {
            app,
            cookies: Vec::new(),
            headers: HeaderMap::new(),
        }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let found = self.cookies.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Sends a form with the token that the last page gave.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let token = [("csrfmiddlewaretoken", token.as_str())];
        let form = urlencode(token.iter().chain(fields).copied());
        self.send("POST", path, Some(&form)).await
    }

    /// A token that goes with the cookie.
    async fn token(&mut self) -> String {
        if self.cookie("csrftoken").is_none() {
            self.get("/accounts/login/").await;
        }
        self.cookie("csrftoken").unwrap_or_default().to_owned()
    }

    /// Sends nothing but the token, in its header.
    pub(crate) async fn send_with_token(&mut self, method: &str, path: &str) -> Answer {
        let token = self.token().await.parse().expect("ASCII");
        self.headers.insert("x-csrftoken", token);
        self.send(method, path, None).await
    }

    /// The body of a page as it comes.
    pub(crate) async fn body(&mut self, path: &str) -> Body {
        let pairs = self.cookies.iter().map(|(n, v)| format!("{n}={v}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        let request = Request::builder().uri(path).header(HOST, "testserver");
        let request = request.header(COOKIE, cookies).body(Body::empty());
        let response = self.app.clone().oneshot(request.expect("a request")).await;
        response.expect("never fails").into_body()
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, form: Option<&str>) -> Answer {
        let pairs = self.cookies.iter().map(|(n, v)| format!("{n}={v}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(HOST, "testserver").header(COOKIE, cookies);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = Body::from(form.unwrap_or_default().to_owned());
        let request = request.body(body).expect("a request");
        let response = self.app.clone().oneshot(request).await;
        let (parts, body) = response.expect("never fails").into_parts();
        self.keep_cookies(&parts.headers);
        let bytes = to_bytes(body, 1 << 20).await.expect("a body");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("ASCII");
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            let value = value.trim_matches('"');
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Logs in at the admin's own page.
    pub(crate) async fn log_in(&mut self, name: &str, password: &str) -> Answer {
        let page = self.get("/admin/login/").await;
        let next = page.field("next").unwrap_or_default();
        let fields = [("username", name), ("password", password), ("next", &next)];
        self.post("/admin/login/", &fields).await
    }

    /// The same, and it must work.
    pub(crate) async fn enter(&mut self, name: &str) {
        let answer = self.log_in(name, PASSWORD).await;
        assert_eq!(
            (answer.status(), answer.location()),
            (302, "/admin/"),
            "{}",
            answer.text
        );
    }
}
