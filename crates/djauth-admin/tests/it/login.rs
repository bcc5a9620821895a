//! Who gets in and out, and where a login leads.

use crate::support::{Kind, PASSWORD, log_in_past_the_page, on_each_site, person, site};

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

/// A form that came with a session that has ended is not carried out after the next login, though it could
/// have been.
#[tokio::test]
async fn cve_2008_3909_a_post_is_not_kept_over_a_login() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        let is_there = async || auth.users().get(olga.id).await.expect("reads").is_some();
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/delete/", olga.id);
        assert!(
            browser
                .get(&path)
                .await
                .shows("name=\"post\" value=\"yes\"")
        );
        browser.cookies.retain(|(name, _)| name != "sessionid");
        let answer = browser.post(&path, &[("post", "yes")]).await;
        let login = format!("/admin/login/?next={path}");
        assert_eq!((answer.status(), answer.location()), (302, login.as_str()));
        let page = browser.get(&login).await;
        assert!(!page.shows("name=\"post\"") && !page.shows("yes\""));
        let fields = [("username", "ada"), ("password", PASSWORD), ("next", &path)];
        assert_eq!(browser.post(&login, &fields).await.location(), path);
        assert_eq!(browser.get(&path).await.status(), 200);
        assert!(is_there().await);
        browser.post(&path, &[("post", "yes")]).await;
        assert!(!is_there().await);
    })
    .await;
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
