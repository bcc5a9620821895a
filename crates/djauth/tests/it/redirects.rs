//! Where a login and a logout lead: settings, options of the views, `next`.

use axum::Router;
use axum::http::header::{ALLOW, LOCATION};
use djauth::Settings;
use djauth::views::{LoginView, LogoutView};

use crate::pages::{Answer, Browser, RIGHT, site};

/// A site whose login and logout are these, beside the usual ones.
async fn with(
    settings: impl FnOnce(&mut Settings),
    login: LoginView,
    logout: LogoutView,
) -> (impl Sized, Browser) {
    let (database, auth, browser) = site(settings).await;
    let app = Router::new()
        .nest("/accounts", auth.urls())
        .route("/in/", auth.login_view(login))
        .route("/out/", auth.logout_view(logout))
        .route("/in-again/", auth.logout_then_login(None))
        .route("/in-elsewhere/", auth.logout_then_login(Some("/custom/")))
        .layer(auth.layer());
    let cookies = browser.cookies;
    ((database, auth), Browser { app, cookies })
}

fn led_to(answer: &Answer) -> (u16, &str) {
    (answer.status(), answer.header(LOCATION))
}

#[tokio::test]
async fn a_login_leads_where_the_setting_or_the_view_says() {
    for url in [
        "/custom/",
        "http://remote.example.com/welcome/",
        "//remote.example.com/x/",
    ] {
        let set = |settings: &mut Settings| settings.login_redirect_url = url.into();
        let view = LoginView::new().next_page("/own/");
        let (_site, mut browser) = with(set, view, LogoutView::new()).await;
        let answer = browser.post("/accounts/login/", RIGHT).await;
        assert_eq!(led_to(&answer), (302, url));
        let answer = browser.post("/in/", RIGHT).await;
        assert_eq!(
            led_to(&answer),
            (302, "/own/"),
            "the view goes before the setting"
        );
        let answer = browser.post("/in/?next=/asked/", RIGHT).await;
        assert_eq!(
            led_to(&answer),
            (302, "/asked/"),
            "what was asked for goes first"
        );
    }
    let (_site, mut browser) = with(|_| (), LoginView::new(), LogoutView::new()).await;
    let answer = browser.post("/accounts/login/", RIGHT).await;
    assert_eq!(led_to(&answer), (302, "/accounts/profile/"));
}

#[tokio::test]
async fn other_hosts_are_led_to_only_where_they_are_allowed() {
    let hosts = ["otherserver"];
    let login = LoginView::new().success_url_allowed_hosts(hosts);
    let logout = LogoutView::new().success_url_allowed_hosts(hosts);
    let (_site, mut browser) = with(|_| (), login, logout).await;
    let same = "https://testserver/home/";
    let (allowed, evil) = ("https://otherserver/home/", "https://evil.example/home/");
    for (path, form) in [("/in/", RIGHT), ("/out/", "")] {
        for next in [same, allowed] {
            let answer = browser.post(&format!("{path}?next={next}"), form).await;
            assert_eq!(led_to(&answer), (302, next), "{path}");
        }
        let answer = browser.post(&format!("{path}?next={evil}"), form).await;
        assert!(!answer.header(LOCATION).contains("evil"), "{path}");
        assert!(!answer.text.contains("evil"), "{path}");
    }
    let answer = browser
        .post(&format!("/accounts/login/?next={allowed}"), RIGHT)
        .await;
    assert_eq!(
        led_to(&answer),
        (302, "/accounts/profile/"),
        "this page allows none"
    );
}

#[tokio::test]
async fn a_logout_can_lead_to_the_login_page() {
    let (_site, mut browser) = with(|_| (), LoginView::new(), LogoutView::new()).await;
    for (path, target) in [
        ("/in-again/", "/accounts/login/"),
        ("/in-elsewhere/", "/custom/"),
    ] {
        browser.post("/accounts/login/", RIGHT).await;
        let answer = browser.post(path, "").await;
        assert_eq!(led_to(&answer), (302, target));
        assert!(browser.cookie("sessionid").is_none());
    }
    let answer = browser.get("/in-again/").await;
    assert_eq!(
        (answer.status(), answer.header(ALLOW)),
        (405, "POST, OPTIONS")
    );
}

#[tokio::test]
async fn who_is_logged_in_is_led_on_where_the_view_says_so() {
    let view = LoginView::new().redirect_authenticated_user(true);
    let (_site, mut browser) = with(|_| (), view.clone(), LogoutView::new()).await;
    assert_eq!(
        browser.get("/in/").await.status(),
        200,
        "nobody is logged in"
    );
    browser.post("/accounts/login/", RIGHT).await;
    assert_eq!(
        browser.get("/accounts/login/").await.status(),
        200,
        "off by default"
    );
    assert_eq!(
        led_to(&browser.get("/in/").await),
        (302, "/accounts/profile/")
    );
    assert_eq!(led_to(&browser.get("/in/?next=/a/").await), (302, "/a/"));
    let set = |settings: &mut Settings| settings.login_redirect_url = "/in/".into();
    let (_site, mut browser) = with(set, view, LogoutView::new()).await;
    browser.post("/accounts/login/", RIGHT).await;
    assert_eq!(
        browser.get("/in/").await.status(),
        500,
        "it would lead to itself for ever"
    );
}
