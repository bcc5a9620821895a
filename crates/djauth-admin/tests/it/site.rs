//! Who gets in, what the first page shows, and what stands on every answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use axum::routing::get;
use djauth::Auth;
use djauth::admin::UserAdmin;
use djauth::middleware::LoginRequiredMiddleware;
use djauth_admin::{AdminExt, AdminSite};
use djauth_hashers::{Decoded, MD5PasswordHasher, PasswordHasher};
use test_databases::TestDatabase;

use crate::support::{
    AdminBrowser, Kind, PASSWORD, app, connect, log_in_past_the_page, on_each_site, person,
    settings, site,
};

#[tokio::test]
async fn staff_log_in_look_around_and_log_out() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let answer = browser.get("/admin/").await;
        assert_eq!(
            (answer.status(), answer.location()),
            (302, "/admin/login/?next=/admin/")
        );
        let answer = browser.log_in("ada", PASSWORD).await;
        assert_eq!(
            (answer.status(), answer.location()),
            (302, "/admin/"),
            "{}",
            answer.text
        );
        let page = browser.get("/admin/").await;
        assert_eq!(page.status(), 200);
        for link in [
            "/admin/auth/user/",
            "/admin/auth/user/add/",
            "/admin/auth/group/",
            "/admin/auth/",
        ] {
            assert!(page.leads_to(link), "{link}: {}", page.text);
        }
        assert!(page.shows("<bdi>ada</bdi>") && page.leads_to("/admin/password_change/"));
        let page = browser.post("/admin/logout/", &[]).await;
        assert_eq!(page.status(), 200);
        assert!(page.shows("You are logged out") && !page.shows("ada"));
        assert_eq!(browser.get("/admin/").await.status(), 302);
    })
    .await;
}

#[tokio::test]
async fn only_active_staff_come_in_and_all_others_read_one_text() {
    on_each_site(async |auth, browser| {
        let (perms, inactive) = (
            &["auth.change_user", "auth.view_user"],
            Kind {
                active: false,
                ..Kind::SUPERUSER
            },
        );
        person(
            auth,
            "bob",
            Kind {
                staff: false,
                ..Kind::with(perms)
            },
        )
        .await;
        person(auth, "eve", inactive).await;
        let mut texts = Vec::new();
        for (name, password) in [
            ("bob", PASSWORD),
            ("bob", "wrong"),
            ("nobody", PASSWORD),
            ("eve", PASSWORD),
        ] {
            let answer = browser.clone().log_in(name, password).await;
            assert_eq!(answer.status(), 200, "{name}");
            assert!(
                answer.shows("not the name and the password of a staff account"),
                "{}",
                answer.text
            );
            let token = answer.attributes("value")[0].to_owned();
            texts.push(answer.text.replace(&token, "").replace(name, ""));
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{texts:#?}");
    })
    .await;
}

/// Counts how often it is asked to hash.
#[derive(Clone, Debug, Default)]
struct CountingHasher(Arc<AtomicUsize>);

impl PasswordHasher for CountingHasher {
    fn algorithm(&self) -> &str {
        MD5PasswordHasher.algorithm()
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, djauth_hashers::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        MD5PasswordHasher.encode(password, salt)
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, djauth_hashers::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        MD5PasswordHasher.verify(password, encoded)
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, djauth_hashers::Error> {
        MD5PasswordHasher.decode(encoded)
    }

    fn must_update(&self, encoded: &str) -> Result<bool, djauth_hashers::Error> {
        MD5PasswordHasher.must_update(encoded)
    }

    fn harden_runtime(&self, _: &[u8], _: &str) -> Result<(), djauth_hashers::Error> {
        Ok(())
    }
}

#[tokio::test]
async fn all_who_are_refused_cost_the_same_work() {
    let database = TestDatabase::sqlite();
    let hasher = CountingHasher::default();
    let builder = Auth::builder(settings()).password_hashers(vec![Arc::new(hasher.clone())]);
    let auth = builder.expect("a hasher").connect(database.url()).await;
    let auth = auth.expect("connects");
    auth.migrate().await.expect("migrates");
    let stranger = Kind {
        staff: false,
        ..Kind::STAFF
    };
    person(&auth, "bob", stranger).await;
    let browser = AdminBrowser::new(app(&auth, auth.admin()));
    let mut work = Vec::new();
    for (name, password) in [("bob", PASSWORD), ("bob", "wrong"), ("nobody", PASSWORD)] {
        hasher.0.store(0, Ordering::SeqCst);
        let answer = browser.clone().log_in(name, password).await;
        assert_eq!(answer.status(), 200);
        work.push(hasher.0.load(Ordering::SeqCst));
    }
    assert_eq!(work, [1, 1, 1]);
}

#[tokio::test]
async fn others_who_are_logged_in_are_told_who_they_are() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(
        &auth,
        "<b>bob",
        Kind {
            staff: false,
            ..Kind::STAFF
        },
    )
    .await;
    let fields = [("username", "<b>bob"), ("password", PASSWORD)];
    assert_eq!(
        browser.post("/accounts/login/", &fields).await.status(),
        302
    );
    let answer = browser.get("/admin/auth/user/?q=a").await;
    assert_eq!(
        answer.location(),
        "/admin/login/?next=/admin/auth/user/%3Fq%3Da"
    );
    let page = browser
        .get("/admin/login/?next=/admin/auth/user/%3Fq%3Da")
        .await;
    assert_eq!(page.status(), 200);
    assert!(page.shows("&lt;b&gt;bob"), "{}", page.text);
    let next = "/admin/auth/user/?q=a".to_owned();
    assert!(page.attributes("value").contains(&next), "{}", page.text);
    assert!(!page.shows("<b>bob"));
}

#[tokio::test]
async fn a_login_leads_to_next_if_that_is_a_page_of_this_site() {
    let (_database, auth, browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::STAFF).await;
    for (query, sent, to) in [
        ("", None, "/accounts/profile/"),
        ("?next=/admin/auth/", None, "/admin/auth/"),
        ("", Some("/admin/auth/"), "/admin/auth/"),
        ("", Some("https://evil.example/"), "/accounts/profile/"),
        ("?next=//evil.example/", None, "/accounts/profile/"),
    ] {
        let mut fields = vec![("username", "ada"), ("password", PASSWORD)];
        fields.extend(sent.map(|next| ("next", next)));
        let answer = browser
            .clone()
            .post(&format!("/admin/login/{query}"), &fields)
            .await;
        assert_eq!(
            (answer.status(), answer.location()),
            (302, to),
            "{query} {sent:?}"
        );
    }
    let mut inside = browser.clone();
    inside.enter("ada").await;
    for (query, to) in [
        ("", "/admin/"),
        ("?next=/admin/auth/", "/admin/auth/"),
        ("?next=https://evil.example/", "/admin/"),
    ] {
        let answer = inside.get(&format!("/admin/login/{query}")).await;
        assert_eq!((answer.status(), answer.location()), (302, to), "{query}");
    }
    let page = browser
        .clone()
        .get("/admin/login/?next=//evil.example/")
        .await;
    assert!(!page.shows("evil"), "{}", page.text);
}

#[tokio::test]
async fn addresses_without_a_page_tell_strangers_nothing() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::STAFF).await;
    for path in [
        "/admin/secret",
        "/admin/auth/user/99/change/",
        "/admin/auth/user",
        "/admin/x/?y=1",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), 302, "{path}");
        assert!(
            answer.location().starts_with("/admin/login/?next=/admin/"),
            "{path}"
        );
    }
    assert_eq!(browser.get("/admin").await.location(), "/admin/");
    browser.enter("ada").await;
    for (path, status, location) in [
        ("/admin/secret", 404, ""),
        ("/admin/secret/", 404, ""),
        ("/admin/auth/user", 301, "/admin/auth/user/"),
        ("/admin/auth/user?q=a b", 301, "/admin/auth/user/?q=a%20b"),
        ("/admin/auth/user/5", 301, "/admin/auth/user/5/"),
        ("/admin/auth/user/5/", 302, "/admin/auth/user/5/change/"),
        (
            "/admin/auth/user/a_2Fb/",
            302,
            "/admin/auth/user/a_2Fb/change/",
        ),
        ("/admin/login", 301, "/admin/login/"),
        ("/admin/auth/", 404, ""),
        ("/admin/autocomplete/", 403, ""),
        ("/admin/jsi18n/", 200, ""),
        ("/admin/r/3/5/", 404, ""),
    ] {
        let path = path.replace(' ', "%20");
        let answer = browser.get(&path).await;
        assert_eq!(
            (answer.status(), answer.location()),
            (status, location),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_logout_is_a_post_of_staff() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::STAFF).await;
    for method in ["GET", "HEAD", "OPTIONS"] {
        let answer = browser.send(method, "/admin/logout/", None).await;
        assert_eq!(
            (answer.status(), answer.location()),
            (302, "/admin/"),
            "{method}"
        );
    }
    browser.enter("ada").await;
    let answer = browser.get("/admin/logout/").await;
    assert_eq!(
        (answer.status(), answer.header("allow")),
        (405, "POST, OPTIONS")
    );
    assert_eq!(browser.get("/admin/").await.status(), 200);
    let refused = browser.send("POST", "/admin/logout/", Some("")).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(browser.get("/admin/").await.status(), 200);
    assert_eq!(browser.post("/admin/logout/", &[]).await.status(), 200);
}

#[tokio::test]
async fn staff_change_their_own_password_and_stay() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::STAFF).await;
        let mut elsewhere = browser.clone();
        browser.enter("ada").await;
        elsewhere.enter("ada").await;
        let page = browser.get("/admin/password_change/").await;
        assert_eq!(page.status(), 200);
        let fields = |old| {
            [
                ("old_password", old),
                ("new_password1", "battery staple 9"),
                ("new_password2", "battery staple 9"),
            ]
        };
        let answer = browser
            .post("/admin/password_change/", &fields("wrong"))
            .await;
        assert_eq!(answer.status(), 200);
        assert!(answer.shows("This is not your present password."));
        let answer = browser
            .post("/admin/password_change/", &fields(PASSWORD))
            .await;
        assert_eq!(
            (answer.status(), answer.location()),
            (302, "/admin/password_change/done/")
        );
        assert_eq!(
            browser.get("/admin/password_change/done/").await.status(),
            200
        );
        assert_eq!(elsewhere.get("/admin/").await.status(), 302);
    })
    .await;
}

#[tokio::test]
async fn every_answer_is_kept_by_nobody_and_runs_nothing_inline() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    let check = |path: &str, answer: &crate::support::Answer| {
        let cacheable = path.contains("jsi18n");
        assert_eq!(
            answer.header(CACHE_CONTROL).contains("no-store"),
            !cacheable,
            "{path}"
        );
        assert!(answer.header(VARY).contains("Cookie"), "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        if answer.status() == 200 && answer.header(CONTENT_TYPE).starts_with("text/html") {
            let policy = answer.header(CONTENT_SECURITY_POLICY);
            assert!(
                policy.contains("script-src 'self';") && !policy.contains("sha256"),
                "{policy}"
            );
            for inline in ["<style", " style=", "<script>", " onclick="] {
                assert!(!answer.shows(inline), "{path}: {inline}");
            }
        }
    };
    let login = browser.get("/admin/login/").await;
    check("/admin/login/", &login);
    assert!(login.text.len() < 10_000);
    check("/admin/", &browser.get("/admin/").await);
    browser.enter("ada").await;
    for path in [
        "/admin/",
        "/admin/auth/",
        "/admin/password_change/",
        "/admin/password_change/done/",
        "/admin/jsi18n/",
        "/admin/none/",
        "/admin/auth/user/5/",
    ] {
        check(path, &browser.get(path).await);
    }
    for file in login
        .attributes("href")
        .into_iter()
        .chain(login.attributes("src"))
        .filter(|file| file.contains("static"))
    {
        let mut stranger = browser.clone();
        stranger.cookies.clear();
        let answer = stranger.get(&file).await;
        assert_eq!(answer.status(), 200, "{file}");
        assert_eq!(
            answer.header(CACHE_CONTROL),
            "public, max-age=31536000, immutable"
        );
        assert!(!answer.header(VARY).contains("Cookie") && stranger.cookies.is_empty());
        let old = file.replace("/static/", "/static/0");
        assert_eq!(stranger.get(&old).await.status(), 404);
    }
}

/// A form that came with a session that has ended is not carried out after the next login.
#[tokio::test]
async fn cve_2008_3909_a_post_is_not_kept_over_a_login() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    let answer = browser
        .post("/admin/auth/user/1/delete/", &[("post", "yes")])
        .await;
    assert_eq!(
        answer.location(),
        "/admin/login/?next=/admin/auth/user/1/delete/"
    );
    let login = answer.location().to_owned();
    let page = browser.get(&login).await;
    assert!(
        !page.shows("name=\"post\"") && !page.shows("yes\""),
        "{}",
        page.text
    );
}

/// The address that was asked for stands on the login page as text.
#[tokio::test]
async fn cve_2008_2302_the_address_is_escaped_on_the_login_page() {
    let (_database, _auth, mut browser) = site(|_| ()).await;
    for path in [
        "/admin/login/?next=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/admin/login/?%22%3E%3Cscript%3E=1",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status(), 200);
        assert!(
            !page.shows("<script>") && !page.shows("/\">"),
            "{}",
            page.text
        );
    }
}

/// Pages of one visitor are not kept for the next.
#[tokio::test]
async fn cve_2014_1418_pages_vary_by_cookie() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::STAFF).await;
    browser.enter("ada").await;
    let page = browser.get("/admin/").await;
    assert!(page.header(VARY).contains("Cookie"));
    assert!(page.header(CACHE_CONTROL).contains("private"));
}

#[tokio::test]
async fn hostile_names_are_text() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    let name = "\u{202e}<script>\"'&😀";
    person(&auth, name, Kind::SUPERUSER).await;
    browser.enter(name).await;
    let page = browser.get("/admin/").await;
    assert_eq!(page.status(), 200);
    assert!(
        !page.shows("<script>") && page.shows("<bdi>\u{202e}&lt;script&gt;"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_site_can_stand_elsewhere_under_another_name() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    let admin = AdminSite::new(&auth)
        .at("staff")
        .unregister_groups()
        .site_header("The <house>")
        .site_url(None);
    let mut browser = AdminBrowser::new(app(&auth, admin.router()));
    assert_eq!(browser.get("/staff").await.location(), "/staff/");
    assert_eq!(
        browser.get("/staff/").await.location(),
        "/staff/login/?next=/staff/"
    );
    let fields = [
        ("username", "ada"),
        ("password", PASSWORD),
        ("next", "/staff/"),
    ];
    assert_eq!(
        browser.post("/staff/login/", &fields).await.location(),
        "/staff/"
    );
    let page = browser.get("/staff/").await;
    assert!(page.shows("The &lt;house&gt;") && page.leads_to("/staff/auth/user/"));
    assert!(!page.leads_to("/staff/auth/group/"));
    assert_eq!(browser.get("/staff/auth/group/").await.status(), 404);
}

#[tokio::test]
async fn an_application_for_members_alone_opens_the_admin() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    let members = LoginRequiredMiddleware::new()
        .login_not_required("/admin/")
        .login_not_required("/admin/{*rest}");
    let router = Router::new()
        .route("/", get(async || "members"))
        .merge(auth.admin());
    let layer = auth.layer().login_required(members);
    let mut browser = AdminBrowser::new(router.layer(layer));
    assert_eq!(browser.get("/").await.location(), "/accounts/login/?next=/");
    assert_eq!(
        browser.get("/admin/").await.location(),
        "/admin/login/?next=/admin/"
    );
    assert_eq!(browser.get("/admin/login/").await.status(), 200);
}

#[tokio::test]
async fn without_the_layer_the_answer_names_it() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    let answer = AdminBrowser::new(auth.admin()).get("/admin/").await;
    assert_eq!(answer.status(), 500);
    assert!(!answer.shows("<form"));
}

#[tokio::test]
async fn a_place_that_cannot_be_is_found() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    for right in ["", "/", "staff", "/staff/people/"] {
        assert!(AdminSite::new(&auth).at(right).check().is_ok(), "{right}");
    }
    for wrong in [
        "/a//b/",
        "/{a}/",
        "/../",
        "/accounts/",
        "/auth/verify/",
        "/livez/",
    ] {
        let error = AdminSite::new(&auth).at(wrong).check().unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

#[tokio::test]
async fn only_the_login_leads_to_sites_that_ask() {
    let (_database, auth, mut browser) = site(|settings| {
        settings.forward_auth_hosts = vec!["app.example.com".to_owned()];
        settings.logout_redirect_url = Some("https://bye.example.com/x".to_owned());
    })
    .await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    let login = browser.get("/admin/login/").await;
    let policy = login.header(CONTENT_SECURITY_POLICY).to_owned();
    assert!(policy.contains("app.example.com"), "{policy}");
    assert!(policy.contains("https://bye.example.com"), "{policy}");
    browser.enter("ada").await;
    for path in ["/admin/", "/admin/auth/user/", "/admin/password_change/"] {
        let page = browser.get(path).await;
        let policy = page.header(CONTENT_SECURITY_POLICY).to_owned();
        let targets = "form-action 'self' https://bye.example.com;";
        assert!(policy.contains(targets), "{path}: {policy}");
    }
}

#[tokio::test]
async fn only_who_may_not_enter_is_told_so() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    let nora = person(
        &auth,
        "nora",
        Kind {
            staff: false,
            ..Kind::STAFF
        },
    )
    .await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    let wrong = [("username", "ada"), ("password", "wrong")];
    let mut staff = browser.clone();
    staff.get("/admin/login/").await;
    staff.enter("ada").await;
    let page = staff.post("/admin/login/", &wrong).await;
    assert_eq!(page.status(), 200);
    assert!(!page.shows("You are logged in as"));
    log_in_past_the_page(&auth, &mut browser, &nora).await;
    let page = browser.get("/admin/login/").await;
    assert!(
        page.shows("You are logged in as \u{2068}nora\u{2069}"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn data_that_names_no_field_is_found() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    assert!(AdminSite::new(&auth).check().is_ok());
    let wrong = UserAdmin {
        ordering: vec!["-nickname"],
        ..UserAdmin::default()
    };
    let error = AdminSite::new(&auth)
        .users(wrong.clone())
        .check()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("nickname") && error.contains("ordering") && error.contains("admin.E033"),
        "{error}"
    );
    let mut browser = AdminBrowser::new(app(&auth, AdminSite::new(&auth).users(wrong).router()));
    assert_eq!(browser.get("/admin/").await.status(), 500);
    let own = UserAdmin {
        list_display: vec!["username", "initials"],
        ..UserAdmin::default()
    };
    let column = AdminSite::new(&auth)
        .users(own)
        .column("initials", "Initials", |user| user.username[..1].to_owned());
    assert!(column.check().is_ok());
}
