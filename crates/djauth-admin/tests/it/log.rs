//! The log of logins and changes: its page, and what the file has of it.

use std::collections::BTreeSet;

use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use djauth::Auth;
use djauth::db::{Dialect, Executor, Sql};

use crate::support::{AdminBrowser, Kind, on_each_site, person, site};

pub(crate) const READER: Kind = Kind::with(&["admin.view_logentry"]);

pub(crate) async fn run(auth: &Auth, statement: &str) {
    let sql = Sql::generated(statement.to_owned(), None);
    let done = auth.db().execute(&sql, Vec::new()).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// A row of the log of logins or of failures.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) name: &'a str,
    pub(crate) ip: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) at: &'a str,
    pub(crate) ended: Option<&'a str>,
}

pub(crate) const VISIT: Visit<'static> = Visit {
    name: "ada",
    ip: "203.0.113.7",
    agent: "Browser",
    at: "2025-12-01 10:00:00",
    ended: None,
};

pub(crate) async fn add_visit(auth: &Auth, failure: bool, visit: Visit<'_>) {
    let Visit {
        name,
        ip,
        agent,
        at,
        ended,
    } = visit;
    let inet = match auth.db().dialect() {
        Dialect::Postgres => "CAST(CAST(? AS text) AS inet)",
        _ => "?",
    };
    let (table, more) = match failure {
        true => ("axes_accessfailurelog (locked_out, ", "false".to_owned()),
        false => {
            let ended = ended.map_or("NULL".to_owned(), |at| format!("'{at}+00:00'"));
            let ended = match auth.db().dialect() {
                Dialect::Postgres => ended,
                _ => ended.replace("+00:00", ""),
            };
            (
                "axes_accesslog (session_hash, logout_time, ",
                format!("'', {ended}"),
            )
        }
    };
    let zone = match auth.db().dialect() {
        Dialect::Postgres => "+00:00",
        _ => "",
    };
    let sql = format!(
        "INSERT INTO {table}user_agent, username, http_accept, path_info, attempt_time, ip_address) \
         VALUES ({more}, ?, ?, '*/*', '/accounts/login/', '{at}{zone}', {inet})"
    );
    let params = vec![agent.into(), name.into(), ip.into()];
    let done = auth.db().execute(&Sql::generated(sql, None), params).await;
    done.expect("is added");
}

/// A row of the log of changes, of an object that is a user.
pub(crate) async fn add_change(auth: &Auth, who: i32, object: (&str, &str), flag: i64, at: &str) {
    let zone = match auth.db().dialect() {
        Dialect::Postgres => "+00:00",
        _ => "",
    };
    let sql = format!(
        "INSERT INTO django_admin_log (action_time, user_id, content_type_id, object_id, object_repr, \
         action_flag, change_message) SELECT '{at}{zone}', ?, id, ?, ?, ?, '' FROM django_content_type \
         WHERE app_label = 'auth' AND model = 'user'"
    );
    let (id, repr) = object;
    let params = vec![who.into(), id.into(), repr.into(), flag.into()];
    let done = auth.db().execute(&Sql::generated(sql, None), params).await;
    done.expect("is added");
}

/// The rows of a file of comma-separated values, without the first.
pub(crate) fn rows(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').expect("a mark of UTF-8");
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && cell.is_empty(), "ends in a row: {text}");
    assert_eq!(rows.remove(0)[..3], ["time", "kind", "who"]);
    rows
}

async fn export(browser: &mut AdminBrowser, query: &str) -> Vec<Vec<String>> {
    let answer = browser.get(&format!("/admin/log/export/{query}")).await;
    assert_eq!(answer.status(), 200, "{query}: {}", answer.text);
    rows(&answer.text)
}

#[tokio::test]
async fn only_who_may_read_the_log_sees_it() {
    on_each_site(async |auth, mut browser| {
        person(
            auth,
            "plain",
            Kind::with(&["auth.view_user", "auth.change_user"]),
        )
        .await;
        person(auth, "reader", READER).await;
        for path in ["/admin/log/", "/admin/log/export/"] {
            let answer = browser.get(path).await;
            assert!(
                answer
                    .location()
                    .starts_with("/admin/login/?next=/admin/log/"),
                "{path}"
            );
        }
        browser.enter("plain").await;
        for path in [
            "/admin/log/",
            "/admin/log/export/",
            "/admin/log/export/?kind=x",
        ] {
            assert_eq!(browser.get(path).await.status(), 403, "{path}");
        }
        assert!(!browser.get("/admin/").await.leads_to("/admin/log/"));
        browser.cookies.clear();
        browser.enter("reader").await;
        assert!(browser.get("/admin/").await.leads_to("/admin/log/"));
        let page = browser.get("/admin/log/").await;
        assert_eq!(page.status(), 200, "{}", page.text);
        assert!(page.leads_to("/admin/log/export/?"), "{}", page.text);
        assert!(page.header(CACHE_CONTROL).contains("no-store"));
        let file = browser.get("/admin/log/export/").await;
        assert!(file.header(CACHE_CONTROL).contains("no-store"));
        assert_eq!(file.header(CONTENT_TYPE), "text/csv; charset=utf-8");
        let disposition = "attachment; filename=\"log-2026-01-01.csv\"";
        assert_eq!(file.header(CONTENT_DISPOSITION), disposition);
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    })
    .await;
}

/// What people do here is there at once.
#[tokio::test]
async fn every_kind_is_there() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        browser
            .headers
            .insert("user-agent", "Lynx/2.9".parse().expect("ASCII"));
        browser.log_in("ada", "wrong").await;
        browser.log_in("nobody", "wrong").await;
        browser.enter("ada").await;
        let group = [("name", "editors")];
        assert_eq!(
            browser
                .post("/admin/auth/group/add/", &group)
                .await
                .status(),
            302
        );
        browser.post("/admin/logout/", &[]).await;
        browser.enter("ada").await;
        let page = browser.get("/admin/log/").await;
        for text in [
            "<bdi>nobody</bdi>",
            "Failed login",
            "Lynx&#x2f;2.9",
            "logged out 2026-01-01",
            "<bdi>editors</bdi>",
            "Added.",
        ] {
            assert!(page.shows(text), "{text}: {}", page.text);
        }
        assert!(!page.shows("wrong"), "{}", page.text);
        let counted =
            |rows: Vec<Vec<String>>, kind: &str| rows.iter().filter(|row| row[1] == kind).count();
        for (kind, count) in [("change", 1), ("login", 2), ("failure", 2)] {
            assert_eq!(
                counted(export(&mut browser, "").await, kind),
                count,
                "{kind}"
            );
            let alone = export(&mut browser, &format!("?kind={kind}")).await;
            assert_eq!(
                (alone.len(), counted(alone, kind)),
                (count, count),
                "{kind}"
            );
        }
        let ended = export(&mut browser, "?kind=logout").await;
        assert_eq!(
            (ended.len(), &*ended[0][11]),
            (1, "2026-01-01T12:00:00.000000Z")
        );
    })
    .await;
}

#[tokio::test]
async fn each_filter_finds_its_rows() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", READER).await;
        let bob = person(auth, "bob", Kind::STAFF).await;
        browser.enter("ada").await;
        browser.get("/admin/log/").await;
        run(auth, "DELETE FROM axes_accesslog").await;
        let first = Visit {
            ended: Some("2025-12-01 11:00:00"),
            ..VISIT
        };
        add_visit(auth, false, first).await;
        let second = Visit {
            name: "bob",
            ip: "2001:db8::1",
            at: "2025-12-03 10:00:00",
            ..VISIT
        };
        add_visit(auth, false, second).await;
        add_visit(
            auth,
            true,
            Visit {
                name: "bob",
                at: "2025-12-02 23:30:00",
                ..VISIT
            },
        )
        .await;
        add_change(auth, ada.id, ("7", "50% off_"), 1, "2025-12-01 12:00:00").await;
        add_change(auth, bob.id, ("8", "Ökonom"), 2, "2025-12-04 12:00:00").await;
        add_change(auth, bob.id, ("77", "500 offers"), 3, "2025-12-05 12:00:00").await;
        for (query, expected) in [
            (
                "",
                "change:bob:77 change:bob:8 login:bob: failure:bob: change:ada:7 login:ada:",
            ),
            ("?kind=change&who=bob", "change:bob:77 change:bob:8"),
            (
                "?who=bob",
                "change:bob:77 change:bob:8 login:bob: failure:bob:",
            ),
            ("?who=ad", ""),
            ("?action=deletion", "change:bob:77"),
            ("?action=addition&who=bob", ""),
            (
                "?model=auth.user",
                "change:bob:77 change:bob:8 change:ada:7",
            ),
            ("?model=auth.group", ""),
            ("?object=7", "change:ada:7"),
            ("?object=50%25", "change:ada:7"),
            ("?object=OFF", "change:bob:77 change:ada:7"),
            ("?object=_", "change:ada:7"),
            ("?ip=203.0.113.7", "failure:bob: login:ada:"),
            ("?ip=2001:DB8:0::1", "login:bob:"),
            ("?kind=logout", "login:ada:"),
            ("?since=2025-12-04", "change:bob:77 change:bob:8"),
            ("?until=2025-12-02", "failure:bob: change:ada:7 login:ada:"),
            ("?since=2025-12-02&until=2025-12-02", "failure:bob:"),
            (
                "?since=2025-12-01T11:00&until=2025-12-02T00:00",
                "change:ada:7",
            ),
            ("?kind=failure&action=change", ""),
        ] {
            let found = export(&mut browser, query).await;
            let found: Vec<_> = found
                .iter()
                .map(|row| format!("{}:{}:{}", row[1], row[2], row[5]))
                .collect();
            assert_eq!(found.join(" "), expected, "{query}");
            let page = browser.get(&format!("/admin/log/{query}")).await;
            assert_eq!(page.text.matches("<time ").count(), found.len(), "{query}");
        }
        for query in [
            "?ip=1.2.3",
            "?since=x",
            "?kind=x",
            "?action=x",
            "?model=x",
            "?who=a%00",
            "?object=%00",
        ] {
            let page = browser.get(&format!("/admin/log/{query}")).await;
            assert!(page.status() == 200 && !page.shows("<time "), "{query}");
            assert!(!page.text.contains("/admin/log/export/"), "{query}");
            assert_eq!(
                browser
                    .get(&format!("/admin/log/export/{query}"))
                    .await
                    .status(),
                400,
                "{query}"
            );
        }
        assert!(
            browser
                .get("/admin/log/?ip=1.2.3")
                .await
                .shows("aria-invalid")
        );
    })
    .await;
}

/// Pages follow each other without a gap, however many entries are of the same moment.
#[tokio::test]
async fn pages_skip_nothing_and_show_nothing_twice() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", READER).await;
        browser.enter("ada").await;
        auth.access_log().flush().await;
        run(auth, "DELETE FROM axes_accesslog").await;
        for n in 0..8 {
            let agent = format!("agent-{n}");
            let visit = Visit { agent: &agent, ..VISIT };
            add_visit(auth, false, visit).await;
            add_visit(auth, true, Visit { agent: &agent, ..VISIT }).await;
            add_change(auth, ada.id, (&n.to_string(), "x"), 2, VISIT.at).await;
        }
        // Sixteen times as many, all of the same moment.
        for _ in 0..4 {
            let columns = "user_agent, username, http_accept, path_info, attempt_time, ip_address";
            run(auth, &format!("INSERT INTO axes_accesslog ({columns}, session_hash) SELECT {columns}, session_hash FROM axes_accesslog")).await;
            run(auth, &format!("INSERT INTO axes_accessfailurelog ({columns}, locked_out) SELECT {columns}, locked_out FROM axes_accessfailurelog")).await;
            let columns = "action_time, user_id, content_type_id, object_id, object_repr, action_flag, change_message";
            run(auth, &format!("INSERT INTO django_admin_log ({columns}) SELECT {columns} FROM django_admin_log")).await;
        }
        run(auth, "UPDATE axes_accesslog SET user_agent = CAST(id AS char(20))").await;
        run(auth, "UPDATE axes_accessfailurelog SET user_agent = CAST(id + 100000 AS char(20))").await;
        let (mut path, mut sizes, mut seen) = ("/admin/log/".to_owned(), Vec::new(), 0);
        let mut agents = BTreeSet::new();
        loop {
            let page = browser.get(&path).await;
            assert_eq!(page.status(), 200, "{path}");
            sizes.push(page.text.matches("<time ").count());
            assert!(sizes.len() < 100, "{path}: round and round");
            seen += page.text.matches("<small><bdi>").count();
            agents.extend(page.text.split("<small><bdi>").skip(1).filter_map(|rest| {
                rest.split('<').next().map(str::to_owned)
            }));
            let links = page.attributes("href");
            let Some(next) = links.iter().find(|link| link.starts_with("/admin/log/?before=")) else {
                break;
            };
            path.clone_from(next);
        }
        assert_eq!(sizes, [100, 100, 100, 84], "{path}");
        assert_eq!((seen, agents.len()), (256, 256));
        for strange in ["x", "1", "--", "-1--", "99999999999--"] {
            let page = browser.get(&format!("/admin/log/?before={strange}")).await;
            assert_eq!(page.text.matches("<time ").count(), 100, "{strange}");
        }
    })
    .await;
}

/// Beside a Django site without django-axes there are changes alone; without its admin not even these.
#[tokio::test]
async fn sources_that_are_not_there_are_empty() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", READER).await;
        browser.enter("ada").await;
        add_change(auth, ada.id, ("7", "seven"), 3, VISIT.at).await;
        browser.get("/admin/log/").await;
        for table in ["axes_accesslog", "axes_accessfailurelog"] {
            run(auth, &format!("DROP TABLE {table}")).await;
        }
        let page = browser.get("/admin/log/").await;
        assert!(
            page.shows("<bdi>seven</bdi>") && page.shows("Deleted."),
            "{}",
            page.text
        );
        assert!(!page.leads_to("/admin/auth/user/7/change/"));
        run(auth, "DROP TABLE django_admin_log").await;
        let page = browser.get("/admin/log/").await;
        assert!(
            page.status() == 200 && page.shows("nothing of that kind"),
            "{}",
            page.text
        );
        assert_eq!(export(&mut browser, "").await.len(), 0);
    })
    .await;
}

/// The names of the filter stay in its links, and moments are in the zone of the site.
#[tokio::test]
async fn links_keep_the_filter() {
    let (_database, auth, mut browser) = site(|settings| {
        settings.time_zone = "Asia/Tokyo".parse().expect("a zone");
    })
    .await;
    person(&auth, "ada", READER).await;
    browser.enter("ada").await;
    add_visit(&auth, true, VISIT).await;
    let page = browser
        .get("/admin/log/?who=ada&since=2025-12-01T19:00&x=1")
        .await;
    assert!(
        page.leads_to("/admin/log/export/?who=ada&amp;since=2025-12-01T19%3A00")
            || page.leads_to("/admin/log/export/?who=ada&since=2025-12-01T19%3A00"),
        "{}",
        page.text
    );
    assert!(
        page.shows("2025-12-01 19:00:00") && page.shows("value=\"ada\""),
        "{}",
        page.text
    );
    assert!(page.leads_to("?who=ada"));
    auth.db().close().await;
}
