//! The list: columns, order, pages, what links carry.

use djauth::db::{Dialect, Executor, Sql};
use djauth::models::Q;
use djauth::{Auth, Group, User};
use djauth_admin::AdminExt;
use serde_json::Value as Json;
use test_databases::TestDatabase;

use crate::own_models::{Account, ClubMember, auth_of};
use crate::support::{
    AdminBrowser, Answer, Kind, PASSWORD, app, attributes, connect, log_in_past_the_page,
    on_each_site, person, settings, site,
};

const USERS: &str = "/admin/auth/user/";
const GROUPS: &str = "/admin/auth/group/";

/// What stands in the first column, from top to bottom.
pub(crate) fn names(answer: &Answer) -> Vec<String> {
    let rows = answer.text.split("<th scope=\"row\"").skip(1);
    let name = |row: &str| {
        let cell = row.split('>').nth(2)?;
        Some(unescaped(cell.split('<').next()?))
    };
    rows.filter_map(name).collect()
}

fn unescaped(text: &str) -> String {
    attributes(&format!(" x=\"{text}\""), "x").concat()
}

/// Staff who may do with users and groups what the permissions say, and is logged in.
pub(crate) async fn enter(auth: &Auth, browser: &mut AdminBrowser, kind: Kind) -> User {
    let user = person(auth, "zoe", kind).await;
    browser.enter("zoe").await;
    user
}

pub(crate) async fn add(auth: &Auth, name: &str, email: &str) -> User {
    let made = auth.users().create_user(name, email, None);
    made.await.expect("is made")
}

/// Many rows at once, without passwords.
async fn add_many(auth: &Auth, count: usize) {
    let tx = Executor::begin(auth.db()).await.expect("begins");
    for number in 0..count {
        let name = format!("user{number:05}");
        // Few addresses, so that the order by them has much to decide.
        let email = format!("{}@example.com", number % 7);
        let values = [
            ("username".to_owned(), name.into()),
            ("email".to_owned(), email.into()),
            ("is_staff".to_owned(), (number % 3 == 0).into()),
            ("date_joined".to_owned(), auth.now().into()),
        ];
        let users = auth.users().using(&tx);
        let mut user = users.of_values(&values.into()).expect("a user");
        users.save(&mut user).await.expect("is saved");
    }
    tx.commit().await.expect("commits");
}

#[tokio::test]
async fn users_are_listed_with_their_columns() {
    on_each_site(async |auth, mut browser| {
        add(auth, "ada", "ada@example.com").await;
        enter(auth, &mut browser, Kind::with(&["auth.view_user"])).await;
        let page = browser.get(USERS).await;
        assert_eq!(page.status(), 200);
        assert_eq!(names(&page), ["ada", "zoe"]);
        for text in [
            "Email address",
            "Staff",
            "ada@example.com",
            "2 users",
            ">Yes<",
            ">No<",
        ] {
            assert!(page.shows(text), "{text}: {}", page.text);
        }
        assert!(!page.shows("_selected_action") && !page.shows("/add/"));
        assert!(page.header("cache-control").contains("no-store"));
    })
    .await;
}

#[tokio::test]
async fn groups_are_listed_by_name() {
    on_each_site(async |auth, mut browser| {
        for name in ["writers", "readers", "<b>bold</b>"] {
            let mut group = Group::new(name);
            auth.groups().save(&mut group).await.expect("is saved");
        }
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let page = browser.get(GROUPS).await;
        assert_eq!(names(&page), ["<b>bold</b>", "readers", "writers"]);
        assert!(page.shows("3 groups") && !page.shows("<b>bold"));
        let found = browser.get("/admin/auth/group/?q=RE").await;
        assert_eq!(names(&found), ["readers"]);
        assert!(found.leads_to("/admin/auth/group/add/?_changelist_filters=q%3DRE"));
    })
    .await;
}

/// With the right to delete there is a column of boxes, so that `o=1` means another column.
#[tokio::test]
async fn columns_are_numbered_with_the_boxes() {
    on_each_site(async |auth, mut browser| {
        add(auth, "ada", "c@example.com").await;
        add(auth, "bob", "b@example.com").await;
        add(auth, "cyd", "a@example.com").await;
        let mut other = browser.clone();
        enter(auth, &mut browser, Kind::with(&["auth.view_user"])).await;
        person(auth, "root", Kind::SUPERUSER).await;
        other.enter("root").await;
        let asked = |order: &str| format!("{USERS}?o={order}");
        for (order, with, without) in [
            ("", "ada bob cyd root zoe", "ada bob cyd root zoe"),
            ("1", "ada bob cyd root zoe", "root zoe cyd bob ada"),
            ("-1", "zoe root cyd bob ada", "ada bob cyd root zoe"),
            ("2", "root zoe cyd bob ada", "ada bob cyd root zoe"),
            ("-5.-1", "zoe root cyd bob ada", "ada bob cyd root zoe"),
            (
                "x.99.-.2.--1",
                "zoe root cyd bob ada",
                "ada bob cyd root zoe",
            ),
        ] {
            let page = other.get(&asked(order)).await;
            assert_eq!(names(&page).join(" "), with, "o={order}");
            let page = browser.get(&asked(order)).await;
            assert_eq!(names(&page).join(" "), without, "o={order}");
        }
        let page = other.get(&asked("-2.1")).await;
        for link in [
            "?o=2.1",
            "?o=3.-2.1",
            "?o=-1.-2",
            "?o=-2.-1",
            "?o=1",
            "?o=-2",
        ] {
            assert!(page.leads_to(link), "{link}: {}", page.text);
        }
        assert!(page.shows("aria-sort=\"descending\""));
    })
    .await;
}

#[tokio::test]
async fn long_lists_have_pages() {
    on_each_site(async |auth, mut browser| {
        add_many(auth, 450).await;
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let first = browser.get(USERS).await;
        assert_eq!(
            (names(&first).len(), names(&first)[99].as_str()),
            (100, "user00099")
        );
        assert!(
            first.shows("451 users") && first.leads_to("?p=5"),
            "{}",
            first.text
        );
        let last = browser.get(&format!("{USERS}?p=5")).await;
        assert_eq!(names(&last).len(), 51);
        for (wrong, location) in [("6", "?e=1"), ("0", "?e=1"), ("-3", "?e=1")] {
            let page = browser.get(&format!("{USERS}?p={wrong}")).await;
            assert_eq!(page.location(), format!("{USERS}{location}"), "{wrong}");
        }
        let odd = browser.get(&format!("{USERS}?p=last")).await;
        assert_eq!(names(&odd)[0], "user00000");
        let few = browser.get(&format!("{USERS}?q=user0001&p=99")).await;
        assert_eq!(names(&few).len(), 10);
        assert!(few.shows("10 users") && few.shows("451 users in all"));
        let all = browser
            .get(&format!("{USERS}?is_staff__exact=1&all="))
            .await;
        assert_eq!(names(&all).len(), 151);
        let too_many = browser.get(&format!("{USERS}?all=")).await;
        assert_eq!(names(&too_many).len(), 100);
        assert!(first.text.len() < 75_000, "{}", first.text.len());
    })
    .await;
}

/// What the link to the next page leads to is what that page's number leads to, in every order.
#[tokio::test]
async fn the_place_of_a_row_leads_where_its_number_does() {
    on_each_site(async |auth, mut browser| {
        add_many(auth, 330).await;
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        for order in ["1", "-1", "2", "-2", "5.2", "-5.-2.1"] {
            let mut page = browser.get(&format!("{USERS}?o={order}")).await;
            for number in 2..=4 {
                let next = link(&page, "next");
                assert!(next.contains("_after="), "{next}");
                page = browser.get(&format!("{USERS}{next}")).await;
                let plain = browser.get(&format!("{USERS}?o={order}&p={number}")).await;
                assert_eq!(names(&page), names(&plain), "{order}, page {number}");
            }
            let before = link(&page, "prev");
            assert!(before.contains("_before="), "{before}");
            let page = browser.get(&format!("{USERS}{before}")).await;
            let plain = browser.get(&format!("{USERS}?o={order}&p=3")).await;
            assert_eq!(names(&page), names(&plain), "{order}, back");
        }
        for forged in ["", "e30", "WyJhIl0", "%00", "WzFd", "WyJcdTAwMDAiXQ"] {
            let page = browser.get(&format!("{USERS}?p=2&_after={forged}")).await;
            assert_eq!(page.status(), 200, "{forged}");
            assert!(!names(&page).is_empty(), "{forged}");
        }
    })
    .await;
}

fn link(page: &Answer, rel: &str) -> String {
    let mark = format!("\" rel=\"{rel}\"");
    let before = page.text.split(mark.as_str()).next().expect("a link");
    let link = before.rsplit("href=\"").next().expect("a link");
    unescaped(link)
}

#[tokio::test]
async fn links_keep_what_the_list_was_asked_for() {
    on_each_site(async |auth, mut browser| {
        let ada = add(auth, "ada", "").await;
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let page = browser
            .get(&format!("{USERS}?is_staff__exact=0&q=a&e=1&p=1"))
            .await;
        let kept = "_changelist_filters=is_staff__exact%3D0%26q%3Da%26e%3D1%26p%3D1";
        assert!(
            page.leads_to(&format!("{USERS}{}/change/?{kept}", ada.id)),
            "{}",
            page.text
        );
        assert!(page.leads_to("?is_staff__exact=1&q=a") && page.leads_to("?q=a"));
        assert!(page.shows("name=\"is_staff__exact\" value=\"0\""));
    })
    .await;
}

#[tokio::test]
async fn hostile_names_are_shown_and_nothing_else() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'; DROP TABLE auth_user; --",
        "{{ 7*7 }}{% raw %}",
        "\u{202e}evil\u{2066}",
        "a%b_c\\d",
    ];
    on_each_site(async |auth, mut browser| {
        for name in hostile {
            add(auth, name, "").await;
        }
        let emoji = "\u{1f469}".repeat(150);
        add(auth, &emoji, "").await;
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let page = browser.get(USERS).await;
        let shown = names(&page);
        assert!(shown.contains(&emoji));
        for name in hostile {
            assert!(shown.contains(&name.to_owned()), "{name}: {shown:?}");
            let query = djauth::http::urlencode([(
                "q",
                format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
            )]);
            let page = browser.get(&format!("{USERS}?{query}")).await;
            assert_eq!(names(&page), [name], "{query}");
        }
        assert!(!page.shows("<script>alert") && !page.shows("<img"));
    })
    .await;
}

#[tokio::test]
async fn an_own_model_is_listed() {
    for database in TestDatabase::all() {
        let auth = auth_of::<Account>(&database).await;
        let made = auth
            .users()
            .create_superuser("ada@example.com", "", Some(PASSWORD));
        let ada = made.await.expect("is made");
        let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
        browser.enter("ada@example.com").await;
        let page = browser
            .get("/admin/accounts/account/?is_staff__exact=1&q=ADA")
            .await;
        assert_eq!(names(&page), ["ada@example.com"], "{}", page.text);
        let kept = "_changelist_filters=is_staff__exact%3D1%26q%3DADA";
        assert!(page.leads_to(&format!(
            "/admin/accounts/account/{}/change/?{kept}",
            ada.id
        )));
        let none = browser.get("/admin/accounts/account/?id=x").await;
        assert_eq!(none.location(), "/admin/accounts/account/?e=1");
        auth.db().close().await;
    }
}

#[tokio::test]
async fn a_model_without_groups_is_listed() {
    let database = TestDatabase::sqlite();
    let auth = auth_of::<ClubMember>(&database).await;
    let made = auth.users().create_superuser("ada", "", Some(PASSWORD));
    made.await.expect("is made");
    let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
    browser.enter("ada").await;
    let page = browser.get("/admin/clubs/clubmember/").await;
    assert_eq!(
        (page.status(), names(&page)),
        (403, vec![]),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn counts_end_and_say_so() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    add_many(&auth, 10_050).await;
    enter(&auth, &mut browser, Kind::SUPERUSER).await;
    let page = browser.get(USERS).await;
    assert!(page.shows("about 10051 users"), "{}", page.text);
    let found = browser.get(&format!("{USERS}?q=user")).await;
    assert!(found.shows("more than 10000 users"));
    let far = browser.get(&format!("{USERS}?q=user&p=101")).await;
    assert_eq!(names(&far).len(), 50);
    let last = browser.get(&format!("{USERS}?p=101&_last=1")).await;
    assert_eq!(names(&last)[99], "zoe");
    let users = auth.users();
    let few = users.filter(Q::eq("is_staff", true)).count_up_to(10).await;
    assert_eq!(few.expect("a count"), 10);
}

/// The people of `lists.json`, and two who look at them.
async fn people(auth: &Auth, vectors: &Json) -> [User; 2] {
    for name in vectors["groups"].as_array().expect("groups") {
        let mut group = Group::new(name.as_str().expect("a name"));
        auth.groups().save(&mut group).await.expect("is saved");
    }
    for row in vectors["users"].as_array().expect("users") {
        one_of_many(auth, row).await;
    }
    let watcher = |name: &str, is_superuser: bool| {
        serde_json::json!({
            "username": name, "is_staff": true, "is_superuser": is_superuser,
            "date_joined": "2020-01-01T00:00:00Z",
        })
    };
    let root = one_of_many(auth, &watcher("zz-super", true)).await;
    let viewer = one_of_many(auth, &watcher("zz-view", false)).await;
    let all = auth.permissions().all().all().await.expect("permissions");
    let view = all.iter().find(|perm| perm.codename == "view_user");
    let links = auth.users().user_permissions(&viewer).expect("permissions");
    links
        .add(&[view.expect("is there").id])
        .await
        .expect("is granted");
    [root, viewer]
}

async fn one_of_many(auth: &Auth, row: &Json) -> User {
    let moment = |text: &str| chrono::DateTime::parse_from_rfc3339(text).expect("a moment");
    let fields = row.as_object().expect("a row").iter();
    let values = fields.filter_map(|(name, value)| {
        let value = match value {
            Json::Bool(flag) => (*flag).into(),
            Json::String(text) if matches!(&**name, "last_login" | "date_joined") => {
                moment(text).to_utc().into()
            }
            Json::String(text) => text.clone().into(),
            _ => return None,
        };
        Some((name.clone(), value))
    });
    let mut user = auth.users().of_values(&values.collect()).expect("a user");
    auth.users().save(&mut user).await.expect("is saved");
    let names = row["groups"].as_array().cloned().unwrap_or_default();
    for name in names {
        let group = auth
            .groups()
            .get_by_natural_key(name.as_str().expect("a name"));
        let group = group.await.expect("is read").expect("is there");
        let links = auth.users().groups(&user).expect("groups");
        links.add(&[group.id]).await.expect("is joined");
    }
    user
}

/// The databases order and compare texts by rules of their own; the vectors are SQLite's.
fn depends_on_collation(query: &str) -> bool {
    query.contains("first_name__")
}

#[tokio::test]
async fn lists_show_what_djangos_show() {
    let vectors: Json = serde_json::from_str(include_str!("../data/lists.json")).expect("JSON");
    for database in TestDatabase::all() {
        let mut settings = settings();
        settings.time_zone = chrono_tz::UTC;
        let auth = connect(&database, settings).await;
        let people = people(&auth, &vectors).await;
        let mut browsers = ["super", "view"].map(|_| AdminBrowser::new(app(&auth, auth.admin())));
        for (browser, user) in browsers.iter_mut().zip(&people) {
            log_in_past_the_page(&auth, browser, user).await;
        }
        let forget = Sql::new("UPDATE auth_user SET last_login = NULL WHERE username LIKE 'zz%'");
        auth.db()
            .execute(&forget, Vec::new())
            .await
            .expect("is done");
        let is_sqlite = auth.db().dialect() == Dialect::Sqlite;
        for asked in vectors["queries"].as_array().expect("queries") {
            let query = asked["query"].as_str().expect("a query");
            if is_sqlite || !depends_on_collation(query) {
                let browser = &mut browsers[usize::from(asked["kind"] == "view")];
                compare(&vectors, browser, asked, is_sqlite || !query.contains("o=")).await;
            }
        }
        auth.db().close().await;
    }
}

async fn compare(vectors: &Json, browser: &mut AdminBrowser, asked: &Json, in_order: bool) {
    let mut query = asked["query"].as_str().expect("a query").to_owned();
    for (name, key) in vectors["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .zip(1..)
    {
        let name = format!("<{}>", name.as_str().expect("a name"));
        query = query.replace(&name, &key.to_string());
    }
    let page = browser.get(&format!("{USERS}?{query}")).await;
    let text = format!("{asked}: {}", page.text);
    assert_eq!(asked["status"], page.status(), "{text}");
    assert_eq!(
        asked["location"].as_str().unwrap_or_default(),
        page.location()
    );
    let Some(expected) = asked["names"].as_array() else {
        return;
    };
    let mut expected: Vec<_> = expected.iter().filter_map(Json::as_str).collect();
    let shown = names(&page);
    let mut shown: Vec<_> = shown.iter().map(String::as_str).collect();
    if !in_order {
        expected.sort_unstable();
        shown.sort_unstable();
    }
    assert_eq!(shown, expected, "{}", asked["query"]);
    assert!(
        page.shows(&format!("role=\"status\">{} user", asked["result_count"])),
        "{text}"
    );
}
