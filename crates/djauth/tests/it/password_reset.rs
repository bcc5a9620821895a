//! The reset pages, from the form to the new password, on each database.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request as HttpRequest;
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION, REFERRER_POLICY};
use axum::{Extension, Router};
use djauth::backends::Context;
use djauth::forms::{Form, FormError, ResetMail, Steps, ValidationError};
use djauth::mail::{EmailMessage, MailSender, MemorySender};
use djauth::templates::context;
use djauth::tokens::{PasswordResetTokenGenerator, TokenGenerator};
use djauth::urls::Urls;
use djauth::views::{
    INTERNAL_RESET_SESSION_TOKEN, Outcome, PasswordResetConfirmView, PasswordResetView, Valid,
};
use djauth::{Auth, Error, Settings, User};
use futures_util::future::BoxFuture;
use test_databases::TestDatabase;

use crate::auth_support::settings;
use crate::pages::{Answer, Browser, RIGHT};

const RESET: &str = "/accounts/password_reset/";
const DONE: &str = "/accounts/password_reset/done/";
const NEW: &str = "new_password1=battery+staple&new_password2=battery+staple";

/// A site whose mail is kept.
struct Site {
    auth: Auth,
    browser: Browser,
    mail: MemorySender,
}

impl Site {
    async fn on(database: &TestDatabase, change: impl FnOnce(&mut Settings)) -> Self {
        let mail = MemorySender::default();
        let (auth, browser) = opened(database, change, mail.clone()).await;
        Site {
            auth,
            browser,
            mail,
        }
    }

    async fn user(&self, name: &str, email: &str, password: Option<&str>) -> User {
        let made = self.auth.users().create_user(name, email, password).await;
        made.expect("a user")
    }

    /// Asks for a mail to this address; what left.
    async fn ask(&mut self, email: &str) -> Vec<EmailMessage> {
        let before = self.mail.outbox().len();
        let answer = self.browser.post(RESET, &format!("email={email}")).await;
        assert_eq!(led_to(&answer), (302, DONE), "{email}");
        self.auth.mail().idle().await;
        self.mail.outbox().split_off(before)
    }

    /// The link of a fresh mail to alice.
    async fn link(&mut self) -> String {
        let messages = self.ask("alice@example.com").await;
        link_in(&messages[0].body)
    }

    async fn stored(&self, name: &str) -> String {
        let found = self.auth.users().get_by_natural_key(name).await;
        found.unwrap().expect("a user").base.password
    }

    async fn fits(&self, password: &str) -> bool {
        let stored = self.stored("alice").await;
        self.auth
            .hashing()
            .verify(password, &stored)
            .await
            .unwrap()
            .correct
    }
}

async fn opened(
    database: &TestDatabase,
    change: impl FnOnce(&mut Settings),
    mail: impl MailSender + 'static,
) -> (Auth, Browser) {
    let mut settings = settings();
    settings.allowed_hosts = vec!["testserver".into()];
    settings.email_rate_limit_per_address = None;
    change(&mut settings);
    let builder = Auth::builder(settings).mail_sender(mail);
    let auth = builder.connect(database.url()).await.unwrap();
    auth.migrate().await.unwrap();
    let alice = auth
        .users()
        .create_user("alice", "alice@example.com", Some("correct horse"));
    alice.await.unwrap();
    let app = app(&auth, Urls::new(&auth));
    (
        auth,
        Browser {
            app,
            cookies: Vec::new(),
        },
    )
}

fn app(auth: &Auth, urls: Urls) -> Router {
    Router::new()
        .route("/", auth.landing_page())
        .nest("/accounts", urls.router())
        .layer(auth.layer())
}

async fn on_each_site(test: impl AsyncFn(Site)) {
    for database in TestDatabase::all() {
        let site = Site::on(&database, |_| ()).await;
        let auth = site.auth.clone();
        test(site).await;
        auth.db().close().await;
    }
}

fn led_to(answer: &Answer) -> (u16, &str) {
    (answer.status(), answer.header(LOCATION))
}

/// The path of the link in a mail.
fn link_in(body: &str) -> String {
    let link = body
        .lines()
        .find_map(|line| line.strip_prefix("http://testserver"));
    link.expect(body).to_owned()
}

#[tokio::test]
async fn a_mailed_link_sets_a_password_once_and_ends_the_sessions() {
    on_each_site(async |mut site| {
        let mut other = Browser {
            app: site.browser.app.clone(),
            cookies: Vec::new(),
        };
        other.post("/accounts/login/", RIGHT).await;
        let login = site.browser.get("/accounts/login/").await;
        assert!(
            login
                .text
                .contains("href=\"&#x2f;accounts&#x2f;password_reset&#x2f;\"")
        );
        assert_eq!(site.browser.get(DONE).await.status(), 200);
        // The login ended the link of before, so the mail comes after it.
        let messages = site.ask("+ALICE@example.com").await;
        assert_eq!(messages[0].to, ["alice@example.com"]);
        assert_eq!(messages[0].subject, "A new password for testserver");
        assert!(messages[0].html.is_none() && messages[0].body.contains("alice"));
        let link = link_in(&messages[0].body);

        let answer = site.browser.get(&link).await;
        let page = format!(
            "{}/set-password/",
            &link[..link.len() - 1].rsplit_once('/').unwrap().0
        );
        assert_eq!(led_to(&answer), (302, &*page));
        let shown = site.browser.get(&page).await;
        assert!(shown.status() == 200 && shown.text.contains("autocomplete=\"new-password\""));
        assert!(shown.header(CACHE_CONTROL).contains("no-store"));
        assert_eq!(shown.header(REFERRER_POLICY), "same-origin");
        let wrong = site
            .browser
            .post(&page, "new_password1=battery&new_password2=staple")
            .await;
        assert!(wrong.status() == 200 && wrong.text.contains("id_new_password2_error"));
        let answer = site.browser.post(&page, NEW).await;
        assert_eq!(led_to(&answer), (302, "/accounts/reset/done/"));
        let done = site.browser.get("/accounts/reset/done/").await;
        assert!(
            done.text
                .contains("href=\"&#x2f;accounts&#x2f;login&#x2f;\"")
        );
        assert!(site.fits("battery staple").await);
        assert!(other.get("/").await.text.contains("Nobody is logged in"));
        assert!(
            site.browser
                .get("/")
                .await
                .text
                .contains("Nobody is logged in")
        );

        for path in [&link, &page] {
            let answer = site.browser.get(path).await;
            assert!(answer.status() == 200 && answer.text.contains("This link does not work"));
            let answer = site.browser.post(path, NEW).await;
            assert!(answer.status() == 200 && answer.text.contains("This link does not work"));
        }
    })
    .await;
}

#[tokio::test]
async fn only_active_users_with_a_password_get_mail() {
    on_each_site(async |mut site| {
        site.user("nobody", "nobody@example.com", None).await;
        site.user("twin", "Alice@EXAMPLE.com", Some("x")).await;
        let inactive = |user: &mut User| user.is_active = false;
        let gone = site.auth.users();
        gone.create_user_with("gone", "gone@example.com", Some("x"), inactive)
            .await
            .unwrap();
        for (email, names) in [
            (
                "alice@example.com",
                &["alice@example.com", "Alice@example.com"][..],
            ),
            ("nobody@example.com", &[]),
            ("gone@example.com", &[]),
            ("unknown@example.com", &[]),
            ("%25@example.com", &[]),
            ("alic_@example.com", &[]),
        ] {
            let sent: Vec<_> = site
                .ask(email)
                .await
                .into_iter()
                .flat_map(|m| m.to)
                .collect();
            assert_eq!(sent, names, "{email}");
        }
        let answer = site.browser.post(RESET, "email=nonsense").await;
        assert!(answer.status() == 200 && answer.text.contains("id_email_error"));
    })
    .await;
}

/// CVE-2019-19844: a look-alike of an address brings no mail, and a mail never goes to what was typed.
#[tokio::test]
async fn cve_2019_19844_look_alikes_of_an_address_get_no_mail() {
    on_each_site(async |mut site| {
        site.user("mike", "mike@example.org", Some("x")).await;
        site.user("ff", "FF@example.org", Some("x")).await;
        site.user("strasse", "stra\u{df}e@example.org", Some("x"))
            .await;
        for typed in [
            "m\u{131}ke@example.org",
            "mike@example.org\u{131}",
            "m\u{456}ke@example.org",
        ] {
            let found = get_users(&site.auth, typed).await;
            assert_eq!(found, Vec::<String>::new(), "{typed}");
        }
        assert_eq!(get_users(&site.auth, "MIKE@example.org").await, ["mike"]);
        let sent = site.ask("MiKe@example.ORG").await;
        assert_eq!(sent[0].to, ["mike@example.org"], "the stored address");
    })
    .await;
}

async fn get_users(auth: &Auth, email: &str) -> Vec<String> {
    let context = Context::without_request(auth);
    let found = djauth::forms::Standard
        .get_users(&context, email)
        .await
        .unwrap();
    found.into_iter().map(|user| user.username).collect()
}

/// Fails, or waits until the test lets it go on.
struct Broken;

impl MailSender for Broken {
    fn send(&self, _: EmailMessage) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::pending())
    }
}

/// CVE-2024-45231: a mail server that fails, or never answers, changes nothing that the client sees.
/// Were the mail sent before the answer, this test would not end.
#[tokio::test]
async fn cve_2024_45231_failing_mail_does_not_show() {
    for database in TestDatabase::all() {
        let (auth, mut browser) = opened(&database, |_| (), Broken).await;
        let mut answers = Vec::new();
        for email in ["alice@example.com", "unknown@example.com"] {
            let answer = browser.post(RESET, &format!("email={email}")).await;
            assert_eq!(led_to(&answer), (302, DONE));
            let mut headers = answer.response.headers().clone();
            headers.remove("date");
            answers.push((answer.text, headers));
        }
        assert_eq!(answers[0], answers[1]);
        auth.db().close().await;
    }
}

/// No look-up happens before the answer: with the database away, known and unknown are answered alike.
#[tokio::test]
async fn the_work_before_the_answer_is_the_same_for_everybody() {
    for database in TestDatabase::all() {
        let mut site = Site::on(&database, |_| ()).await;
        site.browser.get("/accounts/login/").await;
        site.auth.db().close().await;
        for email in ["alice@example.com", "unknown@example.com"] {
            assert!(site.ask(email).await.is_empty());
        }
    }
}

/// CVE-2016-9014 and its kin: a forged host makes no link.
#[tokio::test]
async fn cve_2016_9014_forged_hosts_make_no_links() {
    let database = TestDatabase::sqlite();
    let believing = |settings: &mut Settings| settings.use_x_forwarded_host = true;
    let mut site = Site::on(&database, believing).await;
    site.browser.get("/accounts/login/").await;
    let token = site.browser.cookie("csrftoken").unwrap();
    for (name, host) in [
        ("host", "evil.example"),
        ("host", "testserver@evil.example"),
        ("host", "testserver:80@evil.example"),
        ("x-forwarded-host", "evil.example"),
    ] {
        let mut request = HttpRequest::post(RESET)
            .header("cookie", format!("csrftoken={token}"))
            .header("content-type", "application/x-www-form-urlencoded");
        if name != "host" {
            request = request.header(HOST, "testserver");
        }
        let body = format!("csrfmiddlewaretoken={token}&email=alice@example.com");
        let request = request.header(name, host).body(Body::from(body)).unwrap();
        let response = tower::ServiceExt::oneshot(site.browser.app.clone(), request)
            .await
            .unwrap();
        site.auth.mail().idle().await;
        let sent = site.mail.outbox();
        if name == "host" {
            assert_eq!((response.status().as_u16(), sent.len()), (400, 0), "{host}");
            continue;
        }
        // Nobody is a trusted proxy, so what it says of another host is not read.
        assert_eq!((response.status().as_u16(), sent.len()), (302, 1), "{host}");
        let body = &sent[0].body;
        assert!(
            body.contains("http://testserver/accounts/reset/") && !body.contains("evil"),
            "{body}"
        );
    }
}

/// A flood of questions is no flood of mail, and whoever asks does not see where it ends.
#[tokio::test]
async fn mail_is_limited_by_address_and_by_network() {
    let database = TestDatabase::sqlite();
    let limited = |settings: &mut Settings| {
        settings.email_rate_limit_per_address = Some("2/h".parse().unwrap());
        settings.email_rate_limit_per_network = Some("4/h".parse().unwrap());
    };
    let mut site = Site::on(&database, limited).await;
    site.user("bob", "bob@example.com", Some("x")).await;
    let app = site.browser.app.clone();
    for (last, email, sent) in [
        (1, "alice@example.com", 1),
        (1, "ALICE@example.com", 1),
        (1, "alice@example.com", 0),
        (1, "bob@example.com", 1),
        (1, "bob@example.com", 0),
        (2, "alice@example.com", 0),
        (2, "bob@example.com", 0),
    ] {
        let peer = ConnectInfo(SocketAddr::from(([192, 0, 2, last], 1)));
        site.browser.app = app.clone().layer(Extension(peer));
        assert_eq!(site.ask(email).await.len(), sent, "{last} {email}");
    }
    site.user("carol", "carol@example.com", Some("x")).await;
    for (last, sent) in [(1, 0), (2, 1)] {
        let peer = ConnectInfo(SocketAddr::from(([192, 0, 2, last], 1)));
        site.browser.app = app.clone().layer(Extension(peer));
        assert_eq!(site.ask("carol@example.com").await.len(), sent, "{last}");
    }
}

#[tokio::test]
async fn a_configured_domain_stands_in_every_link() {
    let database = TestDatabase::sqlite();
    let fixed = |settings: &mut Settings| settings.site_domain = Some("example.com:8443".into());
    let mut site = Site::on(&database, fixed).await;
    let messages = site.ask("alice@example.com").await;
    assert!(
        messages[0]
            .body
            .contains("\nhttp://example.com:8443/accounts/reset/")
    );
    assert!(messages[0].subject.contains("example.com:8443"));
}

/// CVE-2014-0480: a path of two slashes never becomes a host.
#[tokio::test]
async fn cve_2014_0480_links_do_not_lead_to_another_host() {
    let database = TestDatabase::sqlite();
    let site = Site::on(&database, |_| ()).await;
    let auth = &site.auth;
    let app = Router::new()
        .nest("//evil.example", auth.urls())
        .layer(auth.layer());
    let mut browser = Browser {
        app,
        cookies: site.browser.cookies.clone(),
    };
    browser.get("//evil.example/login/").await;
    let path = "//evil.example/password_reset/";
    let answer = browser.post(path, "email=alice@example.com").await;
    assert_eq!(
        led_to(&answer),
        (302, "/%2Fevil.example/password_reset/done/")
    );
    auth.mail().idle().await;
    let body = &site.mail.outbox()[0].body;
    assert!(
        body.contains("\nhttp://testserver/%2Fevil.example/reset/"),
        "{body}"
    );
    let link = link_in(body).replace("%2F", "/");
    let answer = browser.get(&link).await;
    assert!(answer.header(LOCATION).starts_with("/%2Fevil.example/"));
}

/// The page of the form opens in the session of whoever followed the link, and nowhere else: Keycloak's
/// CVE-2026-18963.
#[tokio::test]
async fn cve_2026_18963_no_password_is_set_without_the_mailed_link() {
    on_each_site(async |mut site| {
        let link = site.link().await;
        let uid = link.split('/').nth(3).unwrap().to_owned();
        let page = format!("/accounts/reset/{uid}/set-password/");
        let mut stranger = Browser {
            app: site.browser.app.clone(),
            cookies: Vec::new(),
        };
        let bob = site.user("bob", "bob@example.com", Some("x")).await;
        let bobs = site.auth.clone();
        let bobs = PasswordResetTokenGenerator::new(bobs.settings()).make_token(&bob, bobs.now());
        for path in [
            page.clone(),
            format!("/accounts/reset/{uid}/{bobs}/"),
            format!("/accounts/reset/{uid}/x/"),
            link.replace(&uid, "MTIzNDU"),
            link.replace(&uid, "%FF"),
            link.replace(&uid, &"A".repeat(4000)),
        ] {
            for method in ["GET", "POST"] {
                let answer = match method {
                    "GET" => stranger.get(&path).await,
                    _ => stranger.post(&path, NEW).await,
                };
                assert_eq!(answer.status(), 200, "{path}");
                assert!(answer.text.contains("This link does not work"), "{path}");
            }
        }
        // The session of one link does not open another user's page.
        site.browser.get(&link).await;
        let other = format!("/accounts/reset/{}/set-password/", uid_of(&bob));
        assert!(
            site.browser
                .post(&other, NEW)
                .await
                .text
                .contains("This link does not work")
        );
        assert!(site.fits("correct horse").await);
    })
    .await;
}

/// Whoever has planted a session key in somebody's browser does not get at the page of their link.
#[tokio::test]
async fn opening_a_link_gives_the_session_another_key() {
    on_each_site(async |mut site| {
        site.user("bob", "bob@example.com", Some("correct horse"))
            .await;
        let link = site.link().await;
        let bob = RIGHT.replace("alice", "bob");
        site.browser.post("/accounts/login/", &bob).await;
        let mut planter = site.browser.clone();
        let opened = site.browser.get(&link).await;
        let page = opened.header(LOCATION).to_owned();
        assert_ne!(
            site.browser.cookie("sessionid"),
            planter.cookie("sessionid")
        );
        let stolen = planter.post(&page, NEW).await;
        assert!(stolen.text.contains("This link does not work"));
        let own = site.browser.post(&page, NEW).await;
        assert_eq!(led_to(&own), (302, "/accounts/reset/done/"));
    })
    .await;
}

#[tokio::test]
async fn a_link_sets_one_password_however_many_posts_come_at_once() {
    on_each_site(async |mut site| {
        let link = site.link().await;
        let opened = site.browser.get(&link).await;
        let page = opened.header(LOCATION).to_owned();
        site.browser.get(&page).await;
        let posts = (0..6).map(|_| {
            let (mut browser, page) = (site.browser.clone(), &page);
            async move { browser.post(page, NEW).await }
        });
        let answers = futures_util::future::join_all(posts).await;
        let done = answers.iter().filter(|answer| answer.status() == 302);
        assert_eq!(done.count(), 1);
        let refused = answers.iter().filter(|answer| answer.status() == 200);
        assert!(
            refused
                .into_iter()
                .all(|answer| answer.text.contains("This link does not work"))
        );
        assert!(site.fits("battery staple").await);
    })
    .await;
}

fn uid_of(user: &User) -> String {
    djauth_signing::http::urlsafe_base64_encode(user.id.to_string().as_bytes())
}

/// Says its own words and sends to a list of its own.
struct House;

impl Steps<User> for House {
    async fn clean_field(
        &self,
        _: &Context<'_, User>,
        _: &Form,
        name: &str,
        value: String,
    ) -> Result<String, FormError> {
        match (name, value.ends_with("@example.com")) {
            ("email", false) => Err(ValidationError::new("not_ours", "Not ours.").into()),
            _ => Ok(value),
        }
    }

    async fn get_users(&self, context: &Context<'_, User>, _: &str) -> Result<Vec<User>, Error> {
        context
            .auth
            .users()
            .all()
            .order_by(&["username"])
            .all()
            .await
    }

    async fn send_mail(
        &self,
        _: &Context<'_, User>,
        mail: ResetMail<'_, User>,
    ) -> Result<Option<EmailMessage>, Error> {
        let text = format!("{} {}", mail.user, mail.context.get_attr("token").is_ok());
        Ok(Some(EmailMessage::new("own", text, [mail.to_email])))
    }

    async fn form_valid(
        &self,
        context: &Context<'_, User>,
        valid: Valid<'_, User>,
    ) -> Result<Outcome, Error> {
        let whom = valid.user.map(ToString::to_string);
        valid.proceed().await?;
        let session = context.request.expect("a request").session();
        session.insert("whom", &whom).await?;
        Ok(Outcome::Success)
    }

    fn get_success_url(&self, _: &Context<'_, User>, default: String) -> String {
        default + "?house"
    }
}

#[derive(Clone)]
struct Words(&'static str);

impl TokenGenerator<User> for Words {
    fn make_token(&self, _: &User, _: chrono::DateTime<chrono::Utc>) -> String {
        self.0.into()
    }
    fn check_token(
        &self,
        user: Option<&User>,
        token: &str,
        _: chrono::DateTime<chrono::Utc>,
    ) -> bool {
        user.is_some() && token == self.0
    }
}

#[tokio::test]
async fn options_and_steps_of_the_reset_pages() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("mail.html", "<a href=\"{{ reset_url }}\">{{ house }}</a>"),
        (
            "mail.txt",
            "{{ house }} {{ email }} {{ uid }} {{ token }} {{ protocol }} {{ domain }}",
        ),
        ("subject.txt", "Of\nthe {{ house }}\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let database = TestDatabase::sqlite();
    let here = |settings: &mut Settings| settings.template_dirs = vec![folder.path().into()];
    let mut site = Site::on(&database, here).await;
    let auth = site.auth.clone();
    let view = PasswordResetView::new()
        .subject_template_name("subject.txt")
        .email_template_name("mail.txt")
        .html_email_template_name("mail.html")
        .extra_email_context(context! { house => "house" })
        .from_email("The house <house@example.com>")
        .domain_override("house.example")
        .token_generator(Words("sesame"))
        .success_url("/sent/");
    let confirm = PasswordResetConfirmView::new()
        .token_generator(Words("sesame"))
        .reset_url_token("choose")
        .post_reset_login(true)
        .post_reset_login_backend("django.contrib.auth.backends.ModelBackend")
        .success_url("/home/");
    let urls = Urls::new(&auth)
        .password_reset(auth.password_reset_view(view))
        .password_reset_confirm(auth.password_reset_confirm_view(confirm));
    site.browser.app = app(&auth, urls);
    let answer = site.browser.post(RESET, "email=alice@example.com").await;
    assert_eq!(led_to(&answer), (302, "/sent/"));
    auth.mail().idle().await;
    let message = site.mail.outbox().remove(0);
    assert_eq!(message.subject, "Ofthe house");
    assert_eq!(
        message.body,
        "house alice@example.com MQ sesame http house.example"
    );
    let html = message.html.unwrap();
    assert!(
        html.starts_with(
            "<a href=\"http:&#x2f;&#x2f;house.example&#x2f;accounts&#x2f;reset&#x2f;MQ"
        )
    );
    assert_eq!(
        message.from_email.as_deref(),
        Some("The house <house@example.com>")
    );

    let answer = site.browser.get("/accounts/reset/MQ/sesame/").await;
    assert_eq!(led_to(&answer), (302, "/accounts/reset/MQ/choose/"));
    let answer = site.browser.post("/accounts/reset/MQ/choose/", NEW).await;
    assert_eq!(led_to(&answer), (302, "/home/"));
    assert!(site.browser.get("/").await.text.contains(">alice</strong>"));
}

#[tokio::test]
async fn every_step_of_the_reset_pages_can_be_replaced() {
    let database = TestDatabase::sqlite();
    let mut site = Site::on(&database, |_| ()).await;
    site.user("bob", "bob@example.com", None).await;
    let auth = site.auth.clone();
    let urls = Urls::new(&auth)
        .password_reset(auth.password_reset_view(PasswordResetView::new().steps(House)))
        .password_reset_confirm(
            auth.password_reset_confirm_view(PasswordResetConfirmView::new().steps(House)),
        );
    site.browser.app = app(&auth, urls);
    let link = {
        let alice = auth
            .users()
            .get_by_natural_key("alice")
            .await
            .unwrap()
            .unwrap();
        let token =
            PasswordResetTokenGenerator::new(auth.settings()).make_token(&alice, auth.now());
        format!("/accounts/reset/{}/{token}/", uid_of(&alice))
    };
    let answer = site.browser.post(RESET, "email=a@example.org").await;
    assert!(answer.text.contains("Not ours."));
    let answer = site.browser.post(RESET, "email=a@example.com").await;
    assert_eq!(answer.header(LOCATION), format!("{DONE}?house"));
    auth.mail().idle().await;
    let sent: Vec<_> = site
        .mail
        .outbox()
        .into_iter()
        .map(|message| message.body)
        .collect();
    assert_eq!(sent, ["alice true", "bob true"]);
    let page = site.browser.get(&link).await.header(LOCATION).to_owned();
    let answer = site.browser.post(&page, NEW).await;
    assert_eq!(answer.header(LOCATION), "/accounts/reset/done/?house");
    let key = site.browser.cookie("sessionid").unwrap();
    let session = auth.sessions().open(Some(&key));
    assert_eq!(
        session.get_str("whom").await.unwrap().as_deref(),
        Some("alice")
    );
    assert!(
        !session
            .contains_key(INTERNAL_RESET_SESSION_TOKEN)
            .await
            .unwrap()
    );
}
