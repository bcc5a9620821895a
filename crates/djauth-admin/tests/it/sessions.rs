//! Sessions of users.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use axum::{Extension, Router};
use djauth::db::{Executor, Sql};
use djauth::settings::SessionEngine;
use djauth::{Auth, User};
use djauth_admin::AdminExt;

use crate::support::{AdminBrowser, Kind, PASSWORD, on_each_site, person, site};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1";
const CHANGE: Kind = Kind::with(&["auth.change_user"]);

/// A browser with a name and an address, on a site with the account's pages.
pub(crate) fn browser(auth: &Auth, agent: &str) -> AdminBrowser {
    let peer = SocketAddr::from(([192, 0, 2, 7], 40_000));
    let app = Router::new()
        .nest("/accounts", auth.urls().merge(auth.account_urls()))
        .route("/accounts/profile/", auth.landing_page())
        .merge(auth.admin())
        .fallback(auth.not_found())
        .layer(auth.layer())
        .layer(Extension(ConnectInfo(peer)));
    let mut browser = AdminBrowser::new(app);
    let agent = HeaderValue::from_bytes(agent.as_bytes()).expect("a header");
    browser.headers.insert(USER_AGENT, agent);
    browser
}

/// Logs in at the page of the account.
pub(crate) async fn visitor(auth: &Auth, name: &str, agent: &str) -> AdminBrowser {
    let mut browser = browser(auth, agent);
    let fields = [("username", name), ("password", PASSWORD)];
    let answer = browser.post("/accounts/login/", &fields).await;
    assert_eq!(answer.status(), 302, "{}", answer.text);
    browser
}

/// Whether the browser is logged in.
pub(crate) async fn is_in(browser: &mut AdminBrowser) -> bool {
    browser.get("/accounts/password_change/").await.status() == 200
}

fn page_of(user: &User) -> String {
    format!("/admin/auth/user/{}/sessions/", user.id)
}

/// The numbers of the rows that a page offers to end.
pub(crate) fn offered(page: &str) -> Vec<String> {
    let rest = page.split("name=\"end\" value=\"").skip(1);
    rest.filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

async fn rows(auth: &Auth) -> i64 {
    static COUNT: Sql = Sql::new("SELECT COUNT(*) FROM usersessions_usersession");
    let count = auth.db().fetch(&COUNT, &[], |row| row.get(0)).await;
    count.expect("counts")[0]
}

#[tokio::test]
async fn where_a_user_is_logged_in_is_listed_and_ended() {
    on_each_site(async |auth, _| {
        person(auth, "mia", CHANGE).await;
        let ann = person(
            auth,
            "ann",
            Kind {
                staff: false,
                ..Kind::STAFF
            },
        )
        .await;
        let mut at_home = visitor(auth, "ann", FIREFOX).await;
        let mut on_phone = visitor(auth, "ann", SAFARI).await;
        let mut mia = browser(auth, FIREFOX);
        mia.enter("mia").await;
        let change = mia
            .get(&format!("/admin/auth/user/{}/change/", ann.id))
            .await;
        assert!(change.leads_to(&page_of(&ann)), "{}", change.text);
        let page = mia.get(&page_of(&ann)).await;
        assert_eq!(page.status(), 200);
        for text in [
            "Firefox 145 on Linux",
            "Safari 26 on iPhone",
            "192.0.2.7",
            "2026-01-01 12:00",
        ] {
            assert!(page.shows(text), "{text}: {}", page.text);
        }
        assert!(!page.shows("This session") && !page.shows("end_others"));
        let key = at_home.cookie("sessionid").expect("a cookie");
        assert!(!page.shows(key), "a key is a secret");
        // The one seen last comes first, and of two of one moment the later one.
        let offered = offered(&page.text);
        let answer = mia.post(&page_of(&ann), &[("end", &offered[1])]).await;
        assert_eq!((answer.status(), answer.location()), (302, &*page_of(&ann)));
        assert!(!is_in(&mut at_home).await && is_in(&mut on_phone).await);
        let page = mia.get(&page_of(&ann)).await;
        assert!(
            page.shows("1 session was ended.") && !page.shows("Firefox"),
            "{}",
            page.text
        );
        // Once more: it is gone.
        mia.post(&page_of(&ann), &[("end", &offered[1])]).await;
        let page = mia.get(&page_of(&ann)).await;
        assert!(
            page.shows("There is no such session any more."),
            "{}",
            page.text
        );
        let mut again = visitor(auth, "ann", FIREFOX).await;
        mia.post(&page_of(&ann), &[("end_all", "1")]).await;
        assert!(!is_in(&mut again).await && !is_in(&mut on_phone).await && is_in(&mut mia).await);
        let page = mia.get(&page_of(&ann)).await;
        assert!(page.shows("2 sessions were ended.") && page.shows("There are no sessions."));
        assert_eq!(rows(auth).await, 1);
    })
    .await;
}

#[tokio::test]
async fn another_users_row_is_not_touched() {
    on_each_site(async |auth, _| {
        person(auth, "mia", CHANGE).await;
        let nobody = Kind {
            staff: false,
            ..Kind::STAFF
        };
        let (ann, bob) = (
            person(auth, "ann", nobody).await,
            person(auth, "bob", nobody).await,
        );
        let mut bobs = visitor(auth, "bob", FIREFOX).await;
        let mut mia = browser(auth, FIREFOX);
        mia.enter("mia").await;
        let of_bob = offered(&mia.get(&page_of(&bob)).await.text);
        let answer = mia.post(&page_of(&ann), &[("end", &of_bob[0])]).await;
        assert_eq!(answer.status(), 302);
        assert!(is_in(&mut bobs).await);
        for form in [
            [("end", "x")],
            [("end", "")],
            [("end_all", "0")],
            [("what", "1")],
        ] {
            let answer = mia.post(&page_of(&bob), &form).await;
            assert_eq!(answer.status(), 400, "{form:?}");
        }
        assert!(is_in(&mut bobs).await && is_in(&mut mia).await);
    })
    .await;
}

#[tokio::test]
async fn ones_own_sessions_are_told_apart() {
    on_each_site(async |auth, _| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        let mut elsewhere = visitor(auth, "ada", SAFARI).await;
        let mut here = browser(auth, FIREFOX);
        here.enter("ada").await;
        let page = here.get(&page_of(&ada)).await;
        let own = page
            .text
            .find("Firefox 145 on Linux</bdi> <strong class=\"here\">");
        assert!(
            own.is_some() && page.shows("End all other sessions"),
            "{}",
            page.text
        );
        assert_eq!(page.text.matches("This session").count(), 1);
        here.post(&page_of(&ada), &[("end_others", "1")]).await;
        assert!(!is_in(&mut elsewhere).await && is_in(&mut here).await);
        let page = here.get(&page_of(&ada)).await;
        assert!(!page.shows("End all other sessions"), "there is no other");
        // Ending the own one is a logout.
        let own = offered(&page.text);
        let answer = here.post(&page_of(&ada), &[("end", &own[0])]).await;
        assert_eq!((answer.status(), answer.location()), (302, "/admin/login/"));
        assert!(!is_in(&mut here).await);
        let mut elsewhere = visitor(auth, "ada", SAFARI).await;
        here.enter("ada").await;
        let answer = here.post(&page_of(&ada), &[("end_all", "1")]).await;
        assert_eq!(answer.location(), "/admin/login/");
        assert!(!is_in(&mut elsewhere).await && !is_in(&mut here).await);
        assert_eq!(rows(auth).await, 0);
    })
    .await;
}

/// The log of changes: who did it, to whom, and what.
async fn logged(auth: &Auth) -> Vec<(i32, String, String, i64, String)> {
    static ENTRIES: Sql = Sql::new(
        "SELECT user_id, object_id, object_repr, action_flag, change_message FROM django_admin_log ORDER BY id",
    );
    let entries = auth.db().fetch(&ENTRIES, &[], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    });
    entries.await.expect("entries")
}

#[tokio::test]
async fn what_is_ended_in_the_admin_stands_in_the_history() {
    on_each_site(async |auth, _| {
        let mia = person(auth, "mia", CHANGE).await;
        let ann = person(auth, "ann", CHANGE).await;
        for _ in 0..3 {
            visitor(auth, "ann", FIREFOX).await;
        }
        let mut here = browser(auth, FIREFOX);
        here.enter("mia").await;
        let one = offered(&here.get(&page_of(&ann)).await.text)[0].clone();
        // The second time there is nothing to end.
        for _ in 0..2 {
            here.post(&page_of(&ann), &[("end", &one)]).await;
        }
        here.post(&page_of(&ann), &[("end_all", "1")]).await;
        visitor(auth, "mia", SAFARI).await;
        here.post(&page_of(&mia), &[("end_others", "1")]).await;
        let entry = |of: &User, kind: &str, name: &str| {
            let text = format!(r#"[{{"deleted": {{"name": "{kind}", "object": "{name}"}}}}]"#);
            (mia.id, of.id.to_string(), of.username.clone(), 2, text)
        };
        let expected = [
            entry(&ann, "session", &one),
            entry(&ann, "sessions", "all (2)"),
            entry(&mia, "sessions", "others (1)"),
        ];
        assert_eq!(logged(auth).await, expected);
        let history = format!("/admin/auth/user/{}/history/", ann.id);
        let page = here.get(&history).await;
        for text in [
            &format!("Deleted session “{one}”."),
            "Deleted sessions “all (2)”.",
        ] {
            assert!(page.shows(text), "{text}: {}", page.text);
        }
        // Of an ended session of one's own too, but not at the page of the account.
        let mut elsewhere = visitor(auth, "mia", SAFARI).await;
        here.post("/accounts/sessions/", &[("end_others", "1")])
            .await;
        assert!(!is_in(&mut elsewhere).await);
        assert_eq!(logged(auth).await.len(), 3);
        here.post(&page_of(&mia), &[("end_all", "1")]).await;
        assert!(!is_in(&mut here).await);
        assert_eq!(
            logged(auth).await[3..],
            [entry(&mia, "sessions", "all (1)")]
        );
    })
    .await;
}

/// Neither is there an end that nothing tells of, nor does the log keep a session alive.
#[tokio::test]
async fn what_could_not_be_ended_or_recorded_is_told() {
    on_each_site(async |auth, _| {
        let mia = person(auth, "mia", CHANGE).await;
        let ann = person(auth, "ann", CHANGE).await;
        let mut hers = visitor(auth, "ann", FIREFOX).await;
        let mut here = browser(auth, FIREFOX);
        here.enter("mia").await;
        let one = offered(&here.get(&page_of(&ann)).await.text)[0].clone();
        rename(
            auth,
            "usersessions_usersession",
            ["session_key", "put_away"],
        )
        .await;
        let answer = here.post(&page_of(&ann), &[("end_all", "1")]).await;
        assert_eq!(answer.status(), 500);
        let text = r#"[{"deleted": {"name": "sessions", "object": "all (interrupted)"}}]"#;
        let entry = (
            mia.id,
            ann.id.to_string(),
            ann.username.clone(),
            2,
            text.to_owned(),
        );
        assert_eq!(logged(auth).await, std::slice::from_ref(&entry));
        rename(
            auth,
            "usersessions_usersession",
            ["put_away", "session_key"],
        )
        .await;
        rename(auth, "django_admin_log", ["change_message", "put_away"]).await;
        let answer = here.post(&page_of(&ann), &[("end", &one)]).await;
        assert_eq!(answer.status(), 302);
        assert!(!is_in(&mut hers).await);
        rename(auth, "django_admin_log", ["put_away", "change_message"]).await;
        assert_eq!(logged(auth).await, [entry]);
    })
    .await;
}

async fn rename(auth: &Auth, table: &str, [from, to]: [&str; 2]) {
    let transaction = auth.db().begin().await.expect("begins");
    let script = format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
    transaction.execute_script(&script).await.expect("renames");
    transaction.commit().await.expect("commits");
}

#[tokio::test]
async fn who_may_not_change_users_sees_nothing() {
    on_each_site(async |auth, _| {
        let ann = person(auth, "ann", CHANGE).await;
        person(auth, "viewer", Kind::with(&["auth.view_user"])).await;
        let mut hers = visitor(auth, "ann", FIREFOX).await;
        let mut viewer = browser(auth, FIREFOX);
        viewer.enter("viewer").await;
        let change = format!("/admin/auth/user/{}/change/", ann.id);
        assert!(!viewer.get(&change).await.leads_to(&page_of(&ann)));
        for path in [page_of(&ann), "/admin/auth/user/9999/sessions/".to_owned()] {
            assert_eq!(viewer.get(&path).await.status(), 403);
            assert_eq!(viewer.post(&path, &[("end_all", "1")]).await.status(), 403);
        }
        assert!(is_in(&mut hers).await);
        let missing = "/admin/auth/user/9999/sessions/";
        let mut ann = browser(auth, FIREFOX);
        ann.enter("ann").await;
        assert_eq!(ann.get(missing).await.status(), 404);
        assert_eq!(ann.get("/admin/auth/user/x/sessions/").await.status(), 404);
        assert_eq!(ann.post(missing, &[("end_all", "1")]).await.status(), 404);
        let mut stranger = browser(auth, FIREFOX);
        let answer = stranger.get(missing).await;
        assert!(
            answer.location().starts_with("/admin/login/"),
            "{}",
            answer.location()
        );
    })
    .await;
}

/// Neither a link nor another site's form ends anything.
#[tokio::test]
async fn nothing_ends_by_a_look() {
    let (_database, auth, _) = site(|_| ()).await;
    let ada = person(&auth, "ada", Kind::SUPERUSER).await;
    let mut here = browser(&auth, FIREFOX);
    here.enter("ada").await;
    let mut elsewhere = visitor(&auth, "ada", SAFARI).await;
    for path in [page_of(&ada), "/accounts/sessions/".to_owned()] {
        let row = offered(&here.get(&path).await.text)[0].clone();
        for query in ["end_all=1", "end_others=1", &format!("end={row}")] {
            let answer = here.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status(), 200, "{path}");
            let answer = here.send("POST", &path, Some(query)).await;
            assert_eq!(answer.status(), 403, "without a token");
        }
    }
    assert!(is_in(&mut here).await && is_in(&mut elsewhere).await);
}

#[tokio::test]
async fn hostile_agents_are_shown_as_text() {
    let (_database, auth, _) = site(|_| ()).await;
    let ada = person(&auth, "ada", Kind::SUPERUSER).await;
    let mut here = browser(&auth, FIREFOX);
    here.enter("ada").await;
    for agent in [
        "<script>alert(1)</script>",
        "' onmouseover='alert(1)",
        "\" onmouseover=\"alert(1)",
        "\u{202e}gnp.exe {{ 7 * 7 }}",
    ] {
        visitor(&auth, "ada", agent).await;
        for path in [page_of(&ada), "/accounts/sessions/".to_owned()] {
            let page = here.get(&path).await;
            for mark in ["<script>alert", "' onmouseover", "\" onmouseover", ">49<"] {
                assert!(!page.shows(mark), "{path} {agent}: {}", page.text);
            }
            assert_eq!(page.status(), 200);
        }
        here.post(&page_of(&ada), &[("end_others", "1")]).await;
    }
}

#[tokio::test]
async fn sessions_in_cookies_cannot_be_ended() {
    let signed = |settings: &mut djauth::Settings| {
        settings.session_engine = SessionEngine::SignedCookies;
    };
    let (_database, auth, _) = site(signed).await;
    let ada = person(&auth, "ada", Kind::SUPERUSER).await;
    let mut here = browser(&auth, FIREFOX);
    here.enter("ada").await;
    for path in [page_of(&ada), "/accounts/sessions/".to_owned()] {
        let page = here.get(&path).await;
        assert!(page.shows("are kept by the browsers"), "{}", page.text);
        assert!(
            here.post(&path, &[("end_all", "1")]).await.status() == 302 && is_in(&mut here).await
        );
    }
}

/// Beside a Django without the table.
#[tokio::test]
async fn without_the_table_the_page_says_so() {
    on_each_site(async |auth, _| {
        let transaction = auth.db().begin().await.expect("begins");
        let gone = "DROP TABLE usersessions_usersession";
        transaction.execute_script(gone).await.expect("drops");
        transaction.commit().await.expect("commits");
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        let mut here = browser(auth, FIREFOX);
        here.enter("ada").await;
        for path in [page_of(&ada), "/accounts/sessions/".to_owned()] {
            let page = here.get(&path).await;
            assert!(page.shows("does not write down"), "{}", page.text);
            here.post(&path, &[("end_all", "1")]).await;
            assert!(is_in(&mut here).await);
        }
    })
    .await;
}

#[tokio::test]
async fn a_deletion_counts_the_sessions_that_go_along() {
    on_each_site(async |auth, _| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        let ann = person(
            auth,
            "ann",
            Kind {
                staff: false,
                ..Kind::STAFF
            },
        )
        .await;
        visitor(auth, "ann", FIREFOX).await;
        let mut here = browser(auth, FIREFOX);
        here.enter("ada").await;
        let path = format!("/admin/auth/user/{}/delete/", ann.id);
        let page = here.get(&path).await;
        assert!(page.shows("Sessions"), "{}", page.text);
        assert_eq!(here.post(&path, &[("post", "yes")]).await.status(), 302);
        assert_eq!(rows(auth).await, 1, "that of {}", ada.id);
    })
    .await;
}

/// Another session like the first one that is listed.
async fn copy_session(auth: &Auth, key: &str) {
    let columns = "created_at, ip, last_seen_at, user_agent, data, user_id";
    let first = "(SELECT MIN(id) FROM usersessions_usersession)";
    let row = format!(
        "INSERT INTO usersessions_usersession (session_key, {columns}) \
         SELECT '{key}', {columns} FROM usersessions_usersession WHERE id = {first}"
    );
    let session = format!(
        "INSERT INTO django_session (session_key, session_data, expire_date) \
         SELECT '{key}', session_data, expire_date FROM django_session WHERE session_key = \
         (SELECT session_key FROM usersessions_usersession WHERE id = {first})"
    );
    for statement in [row, session] {
        let sql = Sql::generated(statement, None);
        let done = auth.db().execute(&sql, Vec::new()).await;
        assert_eq!(done.expect("is added"), 1);
    }
}

/// A page shows a hundred, and says so when there are more.
#[tokio::test]
async fn sessions_that_are_not_shown_are_named() {
    on_each_site(async |auth, _| {
        let ada = person(auth, "ada", CHANGE).await;
        let mut browser = browser(auth, FIREFOX);
        browser.enter("ada").await;
        for n in 1..100 {
            copy_session(auth, &format!("copy{n:028}")).await;
        }
        let more = "more sessions than the 100 here";
        let page = browser.get(&page_of(&ada)).await;
        assert_eq!(offered(&page.text).len(), 100);
        assert!(!page.shows(more), "{}", page.text);
        copy_session(auth, &format!("copy{:028}", 100)).await;
        let page = browser.get(&page_of(&ada)).await;
        assert_eq!(offered(&page.text).len(), 100);
        assert!(page.shows(more), "{}", page.text);
    })
    .await;
}
