//! Pages, as a person uses them.

use crate::browser::Browser;
use crate::site::Site;

#[test]
fn login_shows_who_is_logged_in_and_logout_ends_it() {
    let site = Site::new();
    site.superuser("edith", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    assert_eq!(browser.get("/auth/verify").status, 401);

    let login = browser.login("edith", "correct horse");
    assert_eq!(
        (login.status, login.header("Location")),
        (302, Some("/accounts/profile/"))
    );
    let profile = browser.get("/accounts/profile/");
    assert!(
        profile.status == 200 && profile.body.contains("edith"),
        "{profile:?}"
    );
    assert!(browser.get("/").body.contains("edith"));
    let verify = browser.get("/auth/verify?perm=auth.add_user");
    assert_eq!(
        (verify.status, verify.header("X-Remote-User")),
        (200, Some("edith"))
    );

    assert_eq!(browser.get("/accounts/logout/").status, 405);
    let logout = browser.post("/accounts/logout/", &[]);
    assert_eq!(logout.status, 200, "{logout:?}");
    assert_eq!(browser.get("/auth/verify").status, 401);
    let landing = browser.get("/");
    assert!(
        landing.status == 200 && !landing.body.contains("edith"),
        "{landing:?}"
    );
}

#[test]
fn the_admin_is_at_its_place_or_where_the_settings_put_it() {
    let site = Site::new();
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    let answer = browser.get("/admin/");
    let place = "/admin/login/?next=/admin/";
    assert_eq!(
        (answer.status, answer.header("Location")),
        (302, Some(place))
    );
    drop(server);
    let site = site.with("ADMIN_URL", "");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    assert_eq!(browser.get("/admin/").status, 404);
    drop(server);
    let site = site.with("ADMIN_URL", "staff/admin/");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    assert_eq!(browser.get("/admin/").status, 404);
    let answer = browser.get("/staff/admin/");
    let place = "/staff/admin/login/?next=/staff/admin/";
    assert_eq!(
        (answer.status, answer.header("Location")),
        (302, Some(place))
    );
    drop(server);
    let site = site.with("ADMIN_URL", "accounts/");
    let ran = site.run(&["check"]);
    assert_ne!(ran.code, Some(0));
    assert!(ran.err.contains("ADMIN_URL"), "{}", ran.err);
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_the_same() {
    let site = Site::new();
    site.superuser("edith", "correct horse");
    let server = site.serve();
    let page = |username| {
        let mut browser = Browser::new(server.address);
        let answer = browser.login(username, "wrong");
        assert_eq!(answer.status, 200);
        assert!(!browser.cookies.contains_key("sessionid"));
        answer
            .body
            .replace(username, "USER")
            .lines()
            .filter(|line| !line.contains("csrf"))
            .collect::<String>()
    };
    assert_eq!(page("edith"), page("wanda"));
}

#[test]
fn a_form_without_the_token_is_refused() {
    let site = Site::new();
    site.superuser("edith", "correct horse");
    let server = site.serve();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = Browser::new(server.address).request(
        "POST",
        "/accounts/login/",
        &form,
        "username=root&password=correct+horse",
    );
    assert_eq!(answer.status, 403);
}

#[test]
fn pages_are_under_a_strict_policy_and_not_cached() {
    let server = Site::new().serve();
    let answer = Browser::new(server.address).get("/accounts/login/");
    let policy = answer.header("Content-Security-Policy").unwrap();
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(answer.header("Cache-Control").unwrap().contains("no-store"));
    assert_eq!(answer.header("X-Frame-Options"), Some("DENY"));
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
}

#[test]
fn a_foreign_host_is_refused_and_loopback_names_are_served() {
    let server = Site::new().serve();
    let status = |host| {
        Browser::new(server.address)
            .request("GET", "/accounts/login/", &[("Host", host)], "")
            .status
    };
    assert_eq!(status("localhost"), 200);
    assert_eq!(status("app.localhost:8000"), 200);
    assert_eq!(status("[::1]:8000"), 200);
    assert_eq!(status("evil.example"), 400);
}

#[test]
fn what_is_not_there_is_a_404() {
    let server = Site::new().serve();
    let answer = Browser::new(server.address).get("/nothing/here");
    assert_eq!(answer.status, 404);
    assert!(
        answer
            .header("Content-Type")
            .unwrap()
            .starts_with("text/html"),
        "{answer:?}"
    );
}

#[test]
fn an_address_without_its_slash_leads_to_the_page() {
    let site = Site::new();
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    for path in ["/accounts/login", "/accounts/logout", "/accounts/profile"] {
        let answer = browser.get(&format!("{path}?next=/a%20b"));
        let to = format!("{path}/?next=/a%20b");
        assert_eq!(
            (answer.status, answer.header("Location")),
            (301, Some(&*to))
        );
    }
    assert_eq!(browser.get("/nothing").status, 404);
    let server = site.with("APPEND_SLASH", "false").serve();
    let mut browser = Browser::new(server.address);
    assert_eq!(browser.get("/accounts/login").status, 404);
}

/// Paths with two slashes at their beginning are nobody's, and lead nowhere.
#[test]
fn cve_2018_14574_no_path_leads_to_another_host() {
    let site = Site::new();
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    for path in [
        "//evil.example",
        "//evil.example/accounts/login",
        "//accounts/login",
        "/%2Fevil.example",
    ] {
        let answer = browser.get(path);
        assert_eq!(
            (answer.status, answer.header("Location")),
            (404, None),
            "{path}"
        );
    }
}

#[test]
fn guesses_are_limited_until_somebody_unlocks() {
    let site = Site::new().with("LOGIN_RATE_LIMIT_PER_USERNAME", "2/h");
    site.superuser("edith", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    for _ in 0..2 {
        assert_eq!(browser.login("edith", "wrong").status, 200);
    }
    let refused = browser.login("edith", "correct horse");
    assert_eq!(refused.status, 429, "{refused:?}");
    let seconds: u32 = refused.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&seconds));
    let none = site.run(&["unlock", "wanda"]);
    assert_eq!((none.code, none.out.lines().count()), (Some(0), 1));
    let unlocked = site.run(&["unlock", "edith"]);
    assert_eq!(unlocked.code, Some(0), "{}", unlocked.err);
    assert_ne!(none.out, unlocked.out);
    assert_eq!(browser.login("edith", "correct horse").status, 302);
    let off = site
        .with("LOGIN_RATE_LIMIT_PER_USERNAME", "")
        .with("LOGIN_RATE_LIMIT_PER_NETWORK", "");
    assert_eq!(off.run(&["unlock", "--all"]).code, Some(1));
}
