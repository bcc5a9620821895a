//! What a user may do, and why.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use djauth::{Group, User};

use crate::graphs::{DIRECT, FLAG, PERMS, built, some_graphs};
use crate::support::{Answer, Kind, on_each_site, person, unescaped};

/// Text without its tags.
fn plain(html: &str) -> String {
    let parts = html
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    unescaped(&parts.collect::<String>()).trim().to_owned()
}

/// What stands in the rows of the tables of a page: what the row is about, and its reasons.
pub(crate) fn rows(page: &Answer) -> Vec<(String, BTreeSet<String>)> {
    let rows = page.text.split("<tr><th scope=\"row\">").skip(1);
    rows.map(|row| {
        let (head, rest) = row.split_once("</th>").expect("a head");
        (plain(head), reasons(rest))
    })
    .collect()
}

fn reasons(html: &str) -> BTreeSet<String> {
    let list = html
        .split("<ul class=\"reasons\">")
        .nth(1)
        .unwrap_or_default();
    let list = list.split("</ul>").next().unwrap_or_default();
    list.split("<li>").skip(1).map(plain).collect()
}

/// The permissions of a page with their reasons.
pub(crate) fn held(page: &Answer) -> BTreeMap<String, BTreeSet<String>> {
    let name = |head: String| {
        head.split_whitespace()
            .last()
            .unwrap_or_default()
            .to_owned()
    };
    rows(page)
        .into_iter()
        .map(|(head, why)| (name(head), why))
        .collect()
}

pub(crate) fn path(user: &User) -> String {
    format!("/admin/auth/user/{}/permissions/", user.id)
}

#[tokio::test]
async fn reasons_are_those_of_has_perm() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        browser.enter("root").await;
        let all: Vec<String> = auth
            .permissions()
            .choices()
            .await
            .expect("permissions")
            .iter()
            .map(|(row, app, _)| format!("{app}.{}", row.codename))
            .collect();
        for (number, graph) in some_graphs(4).iter().enumerate() {
            let tag = format!("n{number}");
            for (place, user) in built(auth, graph, &tag).await.iter().enumerate() {
                let user = auth
                    .users()
                    .get(user.id)
                    .await
                    .expect("is read")
                    .expect("is there");
                let held = held(&browser.get(&path(&user)).await);
                let named: HashSet<_> = held.keys().cloned().collect();
                let expected = auth
                    .get_all_permissions(&user, None)
                    .await
                    .expect("permissions");
                assert_eq!(named, expected, "{graph:?} {place}");
                for perm in &all {
                    let has = auth.has_perm(&user, perm, None).await.expect("an answer");
                    assert_eq!(
                        held.contains_key(perm),
                        has,
                        "{perm} of {place} in {graph:?}"
                    );
                }
                for (at, perm) in PERMS.iter().enumerate() {
                    let expected = graph.rows(place, at, &tag);
                    match held.get(*perm) {
                        Some(why) => assert_eq!(*why, expected, "{perm} of {place} in {graph:?}"),
                        None => assert!(expected.is_empty() || !user.is_active),
                    }
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_question_is_answered_in_a_sentence() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::with(&["auth.view_user"])).await;
        let away = Kind {
            active: false,
            ..Kind::with(&["auth.view_user"])
        };
        let away = person(auth, "away", away).await;
        let boss = person(auth, "boss", Kind::SUPERUSER).await;
        browser.enter("root").await;
        let given = "given to this account itself";
        let none = "not given to this account, nor to any of its groups";
        for (user, perm, says, more) in [
            (&olga, "auth.view_user", "Yes, “olga” has", given),
            (&olga, "auth.add_user", "No, “olga” does not have", none),
            (
                &olga,
                "auth.no_such",
                "No, “olga”",
                "No permission of this name",
            ),
            (
                &olga,
                "nonsense",
                "No, “olga”",
                "No permission of this name",
            ),
            (&olga, "a.b.c", "No, “olga”", "No permission of this name"),
            (
                &away,
                "auth.view_user",
                "No, “away”",
                "not active, so nothing",
            ),
            (&boss, "auth.add_user", "Yes, “boss”", FLAG),
            (&boss, "any.thing", "Yes, “boss”", FLAG),
            (
                &boss,
                "any.thing",
                "Yes, “boss”",
                "No permission of this name",
            ),
        ] {
            let page = browser.get(&format!("{}?perm={perm}", path(user))).await;
            let answer = page
                .text
                .split("class=\"card answer")
                .nth(1)
                .expect("an answer");
            let answer = plain(answer.split("</div>").next().unwrap_or_default());
            assert!(
                answer.contains(says) && answer.contains(more),
                "{perm}: {answer}"
            );
            let has = auth.has_perm(user, perm, None).await.expect("an answer");
            assert_eq!(says.starts_with("Yes"), has, "{perm}");
        }
        let page = browser.get(&path(&away)).await;
        assert!(page.shows("it has no permissions") && rows(&page).is_empty());
        // What is too long for any row, or empty, is no question.
        for perm in [String::new(), "x".repeat(256)] {
            let page = browser.get(&format!("{}?perm={perm}", path(&olga))).await;
            assert!(page.status() == 200 && !page.shows("class=\"card answer"));
        }
    })
    .await;
}

#[tokio::test]
async fn who_may_see_users_may_see_why() {
    on_each_site(async |auth, browser| {
        let olga = person(auth, "olga", Kind::with(&["auth.add_user"])).await;
        let editors = auth.groups().create("editors").await.expect("is made");
        let links = auth.users().groups(&olga).expect("groups");
        links.add(&[editors.id]).await.expect("joins");
        let links = auth.groups().permissions(&editors);
        let all = auth.permissions().choices().await.expect("permissions");
        links.add(&[all[0].0.id]).await.expect("is granted");
        let group = format!("/admin/auth/group/{}/change/", editors.id);
        let list = "/admin/auth/permission/";
        for (name, kind, status, groups, permissions) in [
            ("bare", Kind::STAFF, 403, false, false),
            ("adder", Kind::with(&["auth.add_user"]), 403, false, false),
            ("viewer", Kind::with(&["auth.view_user"]), 200, false, false),
            (
                "changer",
                Kind::with(&["auth.change_user"]),
                200,
                false,
                false,
            ),
            (
                "both",
                Kind::with(&["auth.view_user", "auth.view_group"]),
                200,
                true,
                false,
            ),
            (
                "lister",
                Kind::with(&["auth.view_user", "auth.view_permission"]),
                200,
                false,
                true,
            ),
            (
                "alone",
                Kind::with(&["auth.view_permission"]),
                403,
                false,
                false,
            ),
            ("root", Kind::SUPERUSER, 200, true, true),
        ] {
            person(auth, name, kind).await;
            let mut browser = browser.clone();
            browser.enter(name).await;
            let page = browser.get(&path(&olga)).await;
            assert_eq!(page.status(), status, "{name}");
            assert_eq!(page.leads_to(&group), groups, "{name}: {}", page.text);
            let links = page.attributes("href");
            let leads = links
                .iter()
                .any(|link| link.ends_with("/holders/?active=1"));
            assert_eq!(leads, permissions, "{name}");
            // Nothing but the logout can be sent.
            assert_eq!(
                page.text.matches("method=\"post\"").count(),
                usize::from(status == 200)
            );
            let index = browser.get("/admin/").await;
            assert_eq!(index.leads_to(list), permissions, "{name}");
            let change = browser
                .get(&format!("/admin/auth/user/{}/change/", olga.id))
                .await;
            assert_eq!(change.leads_to(&path(&olga)), status == 200, "{name}");
            let missing = browser.get("/admin/auth/user/99999/permissions/").await;
            assert_eq!(
                missing.status(),
                if status == 200 { 302 } else { 403 },
                "{name}"
            );
        }
        let mut guest = browser.clone();
        let answer = guest.get(&path(&olga)).await;
        assert!(answer.location().starts_with("/admin/login/?next="));
    })
    .await;
}

/// Names that try to leave their place: markup, another direction, and as many code points as fit.
pub(crate) fn hostile_names() -> [String; 3] {
    [
        "<b onmouseover=x>&\"'</b>".to_owned(),
        "\u{202e}nimda\u{2066}".to_owned(),
        "👩\u{200d}👩\u{200d}👧".chars().cycle().take(150).collect(),
    ]
}

#[tokio::test]
async fn hostile_names_stay_in_their_place() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        browser.enter("root").await;
        for name in hostile_names() {
            let user = person(auth, &name, Kind::STAFF).await;
            let group = auth.groups().create(&name).await.expect("is made");
            let all = auth.permissions().choices().await.expect("permissions");
            let first = &all[0].0;
            let permission = auth
                .permissions()
                .create(first.content_type_id, &name[..name.len().min(40)], &name)
                .await;
            let permission = permission.expect("is made");
            let links = auth.groups().permissions(&group);
            links.add(&[permission.id]).await.expect("is granted");
            let links = auth.users().groups(&user).expect("groups");
            links.add(&[group.id]).await.expect("joins");
            let asked = djauth::http::urlencode([("perm", name.as_str())]);
            let page = browser.get(&format!("{}?{asked}", path(&user))).await;
            assert_eq!(page.status(), 200, "{}", page.text);
            assert!(!page.shows("<b onmouseover"), "{}", page.text);
            let why = rows(&page).pop().expect("a row").1;
            assert_eq!(why, BTreeSet::from([format!("by the group “{name}”")]));
            // What turns the direction ends with its element.
            let inside = page.text.matches('\u{202e}').count();
            let isolated = page.text.split("<bdi>").skip(1);
            let isolated = isolated.filter_map(|part| part.split("</bdi>").next());
            let isolated: usize = isolated.map(|text| text.matches('\u{202e}').count()).sum();
            let elsewhere = page.text.split("</title>").next().unwrap_or_default();
            let titles = elsewhere.matches('\u{202e}').count();
            let values = page
                .attributes("value")
                .concat()
                .matches('\u{202e}')
                .count();
            let codes = page.text.split("<code>").skip(1);
            let codes = codes.filter_map(|part| part.split("</code>").next());
            let codes: usize = codes.map(|text| text.matches('\u{202e}').count()).sum();
            assert_eq!(inside, isolated + titles + values + codes, "{}", page.text);
        }
    })
    .await;
}

#[tokio::test]
async fn two_rows_of_one_name_are_listed_once() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        let all = auth.permissions().choices().await.expect("permissions");
        let links = auth.users().user_permissions(&olga).expect("permissions");
        for model in ["user", "group"] {
            let mut rows = all.iter();
            let found = rows.find(|(_, app, name)| app == "auth" && name == model);
            let content_type = found.expect("a model").0.content_type_id;
            let made = auth
                .permissions()
                .create(content_type, "bless", &format!("Can bless {model}"))
                .await;
            let id = made.expect("is made").id;
            links.add(&[id]).await.expect("is granted");
        }
        browser.enter("root").await;
        let rows = rows(&browser.get(&path(&olga)).await);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert!(rows[0].0.ends_with("auth.bless"), "{rows:?}");
        assert_eq!(rows[0].1, BTreeSet::from([DIRECT.to_owned()]));
    })
    .await;
}

#[tokio::test]
async fn of_very_many_groups_some_are_counted() {
    on_each_site(async |auth, mut browser| {
        person(auth, "root", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::with(&["auth.view_user"])).await;
        let all = auth.permissions().choices().await.expect("permissions");
        let view = all.iter().find(|(row, ..)| row.codename == "view_user");
        let view = view.expect("is there").0.id;
        for number in 0..25 {
            let group: Group = auth
                .groups()
                .create(&format!("g{number:02}"))
                .await
                .expect("is made");
            let links = auth.groups().permissions(&group);
            links.add(&[view]).await.expect("is granted");
            let links = auth.users().groups(&olga).expect("groups");
            links.add(&[group.id]).await.expect("joins");
        }
        browser.enter("root").await;
        let why = held(&browser.get(&path(&olga)).await).remove("auth.view_user");
        let why = why.expect("is held");
        assert!(
            why.contains(DIRECT) && why.contains("by the group “g18”"),
            "{why:?}"
        );
        assert!(why.contains("and by 6 more groups"), "{why:?}");
    })
    .await;
}
