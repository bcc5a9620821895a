//! What is at an address, and what the first page shows.

use crate::support::{Kind, person, site};

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
