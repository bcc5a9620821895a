//! What stands on every answer.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};

use crate::support::{Answer, Kind, person, site};

/// Nothing comes from elsewhere, nothing is inline, and no script makes markup of a text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

#[tokio::test]
async fn every_answer_is_kept_by_nobody_and_runs_nothing_inline() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    let check = |path: &str, answer: &Answer| {
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
            assert_eq!(answer.header(CONTENT_SECURITY_POLICY), POLICY, "{path}");
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
        "/admin/auth/user/",
        "/admin/auth/user/?e=1",
        "/admin/auth/user/add/",
        "/admin/auth/user/1/change/",
        "/admin/auth/user/1/delete/",
        "/admin/auth/user/1/history/",
        "/admin/auth/user/1/password/",
        "/admin/auth/user/1/permissions/",
        "/admin/auth/user/1/permissions/?perm=auth.view_user",
        "/admin/auth/user/1/sessions/",
        "/admin/auth/permission/",
        "/admin/auth/permission/1/holders/",
        "/admin/log/",
        "/admin/log/export/",
        "/admin/auth/group/",
        "/admin/auth/group/add/",
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
