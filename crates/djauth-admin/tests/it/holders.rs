//! All permissions, and who holds one.

use std::collections::{BTreeMap, BTreeSet};

use djauth::Auth;
use djauth::backends::WithPerm;
use djauth::db::{Executor, Sql, Value};
use djauth_admin::AdminExt;
use test_databases::TestDatabase;

use crate::graphs::{PERMS, built, some_graphs};
use crate::permissions::{hostile_names, rows};
use crate::support::{AdminBrowser, Answer, Kind, app, on_each_own_site, on_each_site, person};

const LIST: &str = "/admin/auth/permission/";

/// Where those who hold a permission stand.
async fn path(auth: &Auth, perm: &str) -> String {
    let all = auth.permissions().choices().await.expect("permissions");
    let mut rows = all.iter();
    let found = rows.find(|(row, app, _)| format!("{app}.{}", row.codename) == perm);
    let id = found.unwrap_or_else(|| panic!("no {perm}")).0.id;
    format!("{LIST}{id}/holders/")
}

/// Who stands on a page, with the reasons.
fn holders(page: &Answer) -> BTreeMap<String, BTreeSet<String>> {
    let name = |head: String| head.trim_end_matches(" not active").to_owned();
    rows(page)
        .into_iter()
        .map(|(head, why)| (name(head), why))
        .collect()
}

fn names(page: &Answer) -> Vec<String> {
    rows(page).into_iter().map(|(head, _)| head).collect()
}

#[tokio::test]
async fn holders_are_those_of_with_perm() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        browser.enter("root").await;
        for (number, graph) in some_graphs(3).iter().enumerate() {
            let tag = format!("n{number}");
            let users = built(auth, graph, &tag).await;
            for (at, perm) in PERMS.iter().enumerate() {
                let path = path(auth, perm).await;
                for (active, superusers) in [
                    (None, false),
                    (None, true),
                    (Some(true), false),
                    (Some(true), true),
                    (Some(false), true),
                ] {
                    let asked = WithPerm::named(perm).is_active(active);
                    let asked = asked.include_superusers(superusers);
                    let expected = auth.users().with_perm(asked, None).await.expect("users");
                    let expected: BTreeSet<_> = expected.into_iter().map(|u| u.username).collect();
                    let active = active
                        .map(i32::from)
                        .map_or(String::new(), |a| a.to_string());
                    let query = format!("?active={active}&superusers={}", i32::from(superusers));
                    let page = browser.get(&format!("{path}{query}")).await;
                    let found = holders(&page);
                    let names: BTreeSet<_> = found.keys().cloned().collect();
                    assert_eq!(names, expected, "{perm}{query} in {graph:?}");
                    for (place, user) in users.iter().enumerate() {
                        if let Some(why) = found.get(&user.username) {
                            assert_eq!(
                                *why,
                                graph.rows(place, at, &tag),
                                "{perm} {place} {graph:?}"
                            );
                        }
                    }
                }
            }
        }
    })
    .await;
}

/// Users without groups and permissions, by one statement.
async fn add_many(auth: &Auth, count: usize) {
    add_named(auth, "many", count).await;
}

async fn add_named(auth: &Auth, name: &str, count: usize) {
    let digits = "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
         UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
    let number = "a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d";
    let text = format!(
        "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, \
         is_active, date_joined) SELECT '!', FALSE, CONCAT('{name}', 100000 + {number}), '', '', '', FALSE, \
         TRUE, ? FROM {digits} a, {digits} b, {digits} c, {digits} e, {digits} f WHERE {number} < {count}"
    );
    let params = vec![Value::Timestamp(auth.now())];
    auth.db()
        .execute(&Sql::generated(text, None), params)
        .await
        .expect("is done");
}

/// A group with a permission, which all of those are in.
async fn join_many(auth: &Auth, name: &str, perm: &str) {
    let group = auth.groups().create(name).await.expect("is made");
    let all = auth.permissions().choices().await.expect("permissions");
    let mut rows = all.iter();
    let found = rows.find(|(row, app, _)| format!("{app}.{}", row.codename) == perm);
    let links = auth.groups().permissions(&group);
    links
        .add(&[found.expect("is there").0.id])
        .await
        .expect("is granted");
    let text = "INSERT INTO auth_user_groups (user_id, group_id) SELECT id, ? FROM auth_user \
         WHERE username LIKE 'many%'";
    let sql = Sql::generated(text.to_owned(), None);
    auth.db()
        .execute(&sql, vec![group.id.into()])
        .await
        .expect("is done");
}

/// Where a link with this word leads.
fn link(page: &Answer, rel: &str) -> Option<String> {
    let mark = format!("rel=\"{rel}\"");
    let tag = page.text.split("<a ").find(|tag| tag.starts_with(&mark))?;
    let links = crate::support::attributes(&format!(" {tag}"), "href");
    links.into_iter().next()
}

/// Every page from the first to the last, and back.
async fn walk(browser: &mut AdminBrowser, path: &str, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut page = browser.get(&format!("{path}{query}")).await;
    loop {
        pages.push(names(&page));
        assert!(pages.len() < 1000, "{path}: round and round");
        let Some(next) = link(&page, "next") else {
            break;
        };
        page = browser.get(&format!("{path}{next}")).await;
        assert_eq!(page.status(), 200, "{}", page.text);
    }
    for expected in pages.iter().rev().skip(1) {
        let previous = link(&page, "prev").expect("a page before");
        page = browser.get(&format!("{path}{previous}")).await;
        assert_eq!(names(&page), *expected);
    }
    assert_eq!(link(&page, "prev"), None);
    pages
}

#[tokio::test]
async fn pages_have_everybody_once() {
    on_each_site(async |auth, mut browser| {
        let root = person(auth, "root", Kind::SUPERUSER).await;
        person(auth, "zoe", Kind::with(&["sessions.view_session"])).await;
        browser.enter("root").await;
        add_many(auth, 250).await;
        join_many(auth, "many", "sessions.view_session").await;
        let path = path(auth, "sessions.view_session").await;
        let pages = walk(&mut browser, &path, "?active=1&superusers=1").await;
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 52]);
        let all = pages.concat();
        let mut sorted = all.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(all, sorted);
        assert!(all.contains(&root.username) && all.contains(&"zoe".to_owned()));
        let page = browser.get(&format!("{path}?superusers=1")).await;
        assert!(page.shows("252 users"), "{}", page.text);
        // A place that is none of this list is its beginning.
        for wrong in [
            "after=x",
            "after=bm8",
            "before=W10",
            "after=WyJhIl0",
            "after=WzEsMl0",
        ] {
            let page = browser.get(&format!("{path}?{wrong}")).await;
            assert_eq!(names(&page)[..99], pages[0][..99], "{wrong}");
        }
    })
    .await;
}

/// Of more than are sorted the users are walked, and a page ends where enough were looked at.
#[tokio::test]
async fn of_very_many_holders_pages_are_walked_in_their_order() {
    for database in TestDatabase::all() {
        let auth = crate::support::connect(&database, crate::support::settings()).await;
        let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
        person(&auth, "root", Kind::SUPERUSER).await;
        browser.enter("root").await;
        add_many(&auth, 30_120).await;
        join_many(&auth, "many", "sessions.view_session").await;
        add_named(&auth, "desert", 21_000).await;
        let path = path(&auth, "sessions.view_session").await;
        let empty = browser.get(&format!("{path}?active=1")).await;
        assert!(empty.shows("more than 30000 users"), "{}", empty.text);
        assert!(empty.shows("of the chosen kind is not counted"));
        assert!(empty.shows("20500 users were looked at"), "{}", empty.text);
        assert!(names(&empty).is_empty() && link(&empty, "prev").is_none());
        let next = link(&empty, "next").expect("others");
        let first = browser.get(&format!("{path}{next}")).await;
        assert!(!first.shows("looked at"), "{}", first.text);
        assert_eq!(
            (names(&first)[0].as_str(), names(&first).len()),
            ("many100000", 100)
        );
        let next = link(&first, "next").expect("a next page");
        let second = browser.get(&format!("{path}{next}")).await;
        assert_eq!(names(&second)[0], "many100100");
        let previous = link(&second, "prev").expect("a page before");
        let again = browser.get(&format!("{path}{previous}")).await;
        assert_eq!(names(&again), names(&first));
        // It looked for one more, who would tell that others come before; the next page does not go on from there.
        assert!(!again.shows("looked at"), "{}", again.text);
        let previous = link(&again, "prev").expect("users before");
        let empty = browser.get(&format!("{path}{previous}")).await;
        assert!(names(&empty).is_empty() && !empty.shows("looked at"));
        assert_eq!(link(&empty, "prev"), None);
        let all = browser.get(&format!("{path}?superusers=1")).await;
        assert!(!all.shows("of the chosen kind"), "{}", all.text);
        auth.db().close().await;
    }
}

/// Two groups give it to each: more rows than are sorted, but not more users.
#[tokio::test]
async fn holders_are_counted_once_however_many_groups_they_have_it_by() {
    for database in TestDatabase::all() {
        let auth = crate::support::connect(&database, crate::support::settings()).await;
        let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
        person(&auth, "root", Kind::SUPERUSER).await;
        browser.enter("root").await;
        add_many(&auth, 25_100).await;
        for group in ["many", "as-many"] {
            join_many(&auth, group, "sessions.view_session").await;
        }
        let path = path(&auth, "sessions.view_session").await;
        let page = browser.get(&path).await;
        assert!(page.shows("25100 users"), "{}", page.text);
        let groups = ["by the group “as-many”", "by the group “many”"];
        let groups = groups.map(str::to_owned);
        assert_eq!(holders(&page)["many100000"], BTreeSet::from(groups));

        let id = path.trim_start_matches(LIST).split('/').next();
        let id = id.and_then(|id| id.parse().ok()).expect("a key");
        let linked = auth.users().all().via("groups__permissions", id);
        let keys: Vec<i32> = linked.clone().distinct_keys(7).await.expect("keys");
        let once: BTreeSet<_> = keys.iter().collect();
        assert_eq!((keys.len(), once.len()), (7, 7));
        let keys: Vec<i32> = linked.keys(60_000).await.expect("keys");
        assert_eq!(keys.len(), 50_200);
        auth.db().close().await;
    }
}

#[tokio::test]
async fn permissions_are_searched_and_paged() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        browser.enter("root").await;
        let all = auth.permissions().choices().await.expect("permissions");
        let content_type = all[0].0.content_type_id;
        let page = browser.get(LIST).await;
        assert_eq!(names(&page).len(), all.len());
        assert!(page.shows(&format!("{} permissions", all.len())));
        for number in 0..120 {
            let (codename, name) = (format!("paint_{number:03}"), format!("Can paint {number}"));
            let made = auth
                .permissions()
                .create(content_type, &codename, &name)
                .await;
            made.expect("is made");
        }
        let first = browser.get(&format!("{LIST}?q=PAINT")).await;
        assert!(first.shows("120 permissions"), "{}", first.text);
        assert_eq!(names(&first).len(), 100);
        assert!(first.leads_to("?p=2&q=PAINT"), "{}", first.text);
        let second = browser.get(&format!("{LIST}?p=2&q=PAINT")).await;
        assert_eq!(names(&second).len(), 20);
        for (query, count) in [
            ("can+user+add", 1),
            ("auth.view_group", 1),
            ("%22Can+paint+7%22+paint_007", 1),
            ("%00", 0),
            ("100%25", 0),
            ("nothing-of-this", 0),
        ] {
            let page = browser.get(&format!("{LIST}?q={query}")).await;
            assert_eq!(names(&page).len(), count, "{query}: {}", page.text);
        }
        for query in ["p=99", "p=0", "p=x", "p=-1", "p=99999999999999999999"] {
            assert_eq!(
                browser.get(&format!("{LIST}?{query}")).await.status(),
                200,
                "{query}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn who_may_see_permissions_and_users_may_see_holders() {
    on_each_site(async |auth, browser| {
        let path = path(auth, "auth.add_user").await;
        for (name, kind, status) in [
            ("bare", Kind::STAFF, 403),
            ("viewer", Kind::with(&["auth.view_user"]), 403),
            ("alone", Kind::with(&["auth.view_permission"]), 403),
            (
                "groups",
                Kind::with(&["auth.view_permission", "auth.view_group"]),
                403,
            ),
            (
                "both",
                Kind::with(&["auth.view_permission", "auth.view_user"]),
                200,
            ),
            (
                "changer",
                Kind::with(&["auth.view_permission", "auth.change_user"]),
                200,
            ),
            ("root", Kind::SUPERUSER, 200),
        ] {
            person(auth, name, kind).await;
            let mut browser = browser.clone();
            browser.enter(name).await;
            for page in [LIST, &path] {
                let answer = browser.get(page).await;
                assert_eq!(answer.status(), status, "{name} at {page}");
                let forms = answer.text.matches("method=\"post\"").count();
                assert_eq!(forms, usize::from(status == 200), "{name} at {page}");
                // Whatever is sent, nothing is done but shown.
                let answer = browser
                    .post(page, &[("post", "yes"), ("action", "x")])
                    .await;
                assert_eq!(answer.status(), status, "{name} at {page}");
            }
            let missing = browser.get("/admin/auth/permission/999999/holders/").await;
            assert_eq!(
                missing.status(),
                if status == 200 { 404 } else { 403 },
                "{name}"
            );
        }
        let mut guest = browser.clone();
        assert!(
            guest
                .get(LIST)
                .await
                .location()
                .starts_with("/admin/login/")
        );
    })
    .await;
}

#[tokio::test]
async fn hostile_names_are_listed_as_text() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        browser.enter("root").await;
        let names = hostile_names();
        for name in &names {
            person(auth, name, Kind::with(&["sessions.view_session"])).await;
        }
        let path = path(auth, "sessions.view_session").await;
        let page = browser.get(&path).await;
        assert!(!page.shows("<b onmouseover"), "{}", page.text);
        let found: BTreeSet<_> = holders(&page).into_keys().collect();
        assert_eq!(found, names.into_iter().collect());
    })
    .await;
}

#[tokio::test]
async fn a_name_is_one_permission_however_many_rows_have_it() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        let all = auth.permissions().choices().await.expect("permissions");
        let of = |model: &str| {
            let mut rows = all.iter();
            let found = rows.find(|(_, app, name)| app == "auth" && name == model);
            found.expect("a model").0.content_type_id
        };
        let (users, groups) = (of("user"), of("group"));
        let one = auth.permissions().create(users, "bless", "Can bless").await;
        let other = auth
            .permissions()
            .create(groups, "bless", "Can bless too")
            .await;
        let (one, other) = (one.expect("is made"), other.expect("is made"));
        let links = auth.users().user_permissions(&olga).expect("permissions");
        links.add(&[one.id]).await.expect("is granted");
        browser.enter("root").await;
        for id in [one.id, other.id] {
            let page = browser.get(&format!("{LIST}{id}/holders/")).await;
            assert_eq!(names(&page), ["olga"], "{}", page.text);
        }
    })
    .await;
}

#[tokio::test]
async fn keys_of_own_models_are_found() {
    on_each_own_site(async |auth, _, mut browser| {
        let group = auth.groups().create("editors").await.expect("is made");
        let all = auth.permissions().choices().await.expect("permissions");
        let links = auth.groups().permissions(&group);
        links.add(&[all[0].0.id]).await.expect("is granted");
        for number in 0..103 {
            let name = format!("u{number:03}@example.com");
            let user = auth
                .users()
                .create_user(&name, "", None)
                .await
                .expect("is made");
            let links = auth.users().groups(&user).expect("groups");
            links.add(&[group.id]).await.expect("joins");
        }
        let path = format!("{LIST}{}/holders/", all[0].0.id);
        let pages = walk(&mut browser, &path, "?active=1").await;
        assert_eq!(pages.concat().len(), 103);
        assert_eq!(
            pages[1],
            ["u100@example.com", "u101@example.com", "u102@example.com"]
        );
    })
    .await;
}
