//! The page that deletes an object.

use djauth::db::{Executor, Sql};

use crate::change::log;
use crate::support::{Kind, on_each_site, person};

#[tokio::test]
async fn the_page_says_what_goes_along() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(
            auth,
            "olga",
            Kind::with(&["auth.view_user", "auth.add_user"]),
        )
        .await;
        let group = auth.groups().create("editors").await.expect("is made");
        let links = auth.users().groups(&olga).expect("groups");
        links.add(&[group.id]).await.expect("is added");
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/delete/", olga.id);
        let page = browser.get(&path).await;
        assert!(
            page.shows("Memberships in groups: <strong>1</strong>"),
            "{}",
            page.text
        );
        assert!(page.shows("Permissions given: <strong>2</strong>"));
        assert!(page.shows("name=\"post\" value=\"yes\""));
        // Neither a question nor a form without the confirmation deletes.
        for fields in [&[][..], &[("other", "1")]] {
            assert_eq!(browser.post(&path, fields).await.status(), 200);
        }
        assert!(auth.users().get(olga.id).await.expect("is read").is_some());
        let answer = browser.post(&path, &[("post", "yes")]).await;
        assert_eq!(answer.location(), "/admin/auth/user/");
        assert!(auth.users().get(olga.id).await.expect("is read").is_none());
        assert_eq!(log(auth).await, [(3, String::new(), "olga".to_owned())]);
        let page = browser.get("/admin/").await;
        assert!(page.shows("“olga” was deleted"), "{}", page.text);
        assert!(!page.leads_to(&format!("/admin/auth/user/{}/change/", olga.id)));
    })
    .await;
}

#[tokio::test]
async fn a_table_that_only_django_knows_forbids_it() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        for sql in [
            "CREATE TABLE pets (id integer NOT NULL PRIMARY KEY, owner_id integer NOT NULL, \
             FOREIGN KEY (owner_id) REFERENCES auth_user (id))",
            "INSERT INTO pets SELECT 1, id FROM auth_user WHERE username = 'olga'",
        ] {
            let sql = Sql::generated(sql.to_owned(), None);
            auth.db().execute(&sql, Vec::new()).await.expect("is done");
        }
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/delete/", olga.id);
        let page = browser.get(&path).await;
        assert!(page.shows("pets: <strong>1</strong>"), "{}", page.text);
        assert!(!page.shows("name=\"post\""));
        assert_eq!(browser.post(&path, &[("post", "yes")]).await.status(), 200);
        assert!(auth.users().get(olga.id).await.expect("is read").is_some());
        assert_eq!(log(auth).await, []);
        // Who owns no pets can be deleted.
        let nora = person(auth, "nora", Kind::STAFF).await;
        let path = format!("/admin/auth/user/{}/delete/", nora.id);
        assert_eq!(browser.post(&path, &[("post", "yes")]).await.status(), 302);
    })
    .await;
}

#[tokio::test]
async fn who_deletes_themselves_takes_their_entries_along() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/delete/", ada.id);
        assert!(browser.get(&path).await.shows("your own account"));
        assert_eq!(browser.post(&path, &[("post", "yes")]).await.status(), 302);
        assert_eq!(log(auth).await, []);
        let answer = browser.get("/admin/").await;
        assert!(answer.location().starts_with("/admin/login/"));
    })
    .await;
}

#[tokio::test]
async fn each_link_has_a_line() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::with(&["auth.view_user"])).await;
        let group = auth.groups().create("<i>editors").await.expect("is made");
        let links = auth.users().groups(&olga).expect("groups");
        links.add(&[group.id]).await.expect("is added");
        let all = auth.permissions().choices().await.expect("permissions");
        let links = auth.groups().permissions(&group);
        links.add(&[all[0].0.id]).await.expect("is granted");
        browser.enter("ada").await;
        let user = format!("/admin/auth/user/{}/delete/", olga.id);
        let page = browser.get(&user).await;
        let editors = "Membership in the group “&lt;i&gt;editors”";
        assert!(page.shows(editors), "{}", page.text);
        assert!(page.shows("Permission “auth | user | Can view user”"));
        let page = browser
            .get(&format!("/admin/auth/group/{}/delete/", group.id))
            .await;
        assert!(page.shows("Membership of “olga”"), "{}", page.text);
        let (permission, app_label, model) = &all[0];
        let line = format!("Permission “{app_label} | {model} | {}”", permission.name);
        assert!(page.shows(&line), "{}", page.text);
        let chosen = [
            ("action", "delete_selected"),
            ("index", "0"),
            ("_selected_action", &olga.id.to_string()),
        ];
        let page = browser.post("/admin/auth/user/", &chosen).await;
        assert!(page.shows(editors), "{}", page.text);
    })
    .await;
}

#[tokio::test]
async fn of_very_many_links_the_rest_is_counted() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let group = auth.groups().create("editors").await.expect("is made");
        for number in 0..60 {
            let user = person(auth, &format!("u{number:02}"), Kind::STAFF).await;
            let links = auth.users().groups(&user).expect("groups");
            links.add(&[group.id]).await.expect("is added");
        }
        browser.enter("ada").await;
        let page = browser
            .get(&format!("/admin/auth/group/{}/delete/", group.id))
            .await;
        assert_eq!(page.text.matches("Membership of “u").count(), 50);
        assert!(page.shows("and 10 more links"), "{}", page.text);
        assert!(page.shows("Memberships in groups: <strong>60</strong>"));
    })
    .await;
}

/// Who may delete is not shown the names of what they may not look at.
#[tokio::test]
async fn names_behind_links_are_shown_to_who_may_see_them() {
    on_each_site(async |auth, browser| {
        let olga = person(auth, "olga", Kind::with(&["auth.view_user"])).await;
        let group = auth.groups().create("editors").await.expect("is made");
        let links = auth.users().groups(&olga).expect("groups");
        links.add(&[group.id]).await.expect("is added");
        let all = auth.permissions().choices().await.expect("permissions");
        let links = auth.groups().permissions(&group);
        links.add(&[all[0].0.id]).await.expect("is granted");
        let user = format!("/admin/auth/user/{}/delete/", olga.id);
        let group = format!("/admin/auth/group/{}/delete/", group.id);
        let both = ["auth.delete_user", "auth.delete_group"];
        let (member, joined, given) = (
            "Membership of “olga”",
            "Membership in the group “editors”",
            "Permission “auth | user | Can view user”",
        );
        for (name, more, path, shown, counted) in [
            ("d", None, &user, &[][..], Some("and 2 more links")),
            (
                "d-groups",
                Some("auth.view_group"),
                &user,
                &[joined][..],
                Some("and 1 more link"),
            ),
            (
                "d-perms",
                Some("auth.view_permission"),
                &user,
                &[given][..],
                Some("and 1 more link"),
            ),
            (
                "d-users",
                Some("auth.view_user"),
                &user,
                &[joined, given][..],
                None,
            ),
            ("g", None, &group, &[][..], Some("and 2 more links")),
            (
                "g-groups",
                Some("auth.view_group"),
                &group,
                &["Permission “"][..],
                Some("and 1 more link"),
            ),
            (
                "g-users",
                Some("auth.view_user"),
                &group,
                &[member][..],
                Some("and 1 more link"),
            ),
        ] {
            let visitor = person(auth, name, Kind::STAFF).await;
            let links = auth
                .users()
                .user_permissions(&visitor)
                .expect("permissions");
            let is_held = |perm: &str| both.contains(&perm) || more == Some(perm);
            let ids: Vec<_> = all
                .iter()
                .filter(|(row, app, _)| is_held(&format!("{app}.{}", row.codename)))
                .map(|(row, ..)| row.id)
                .collect();
            links.add(&ids).await.expect("is granted");
            let mut browser = browser.clone();
            browser.enter(name).await;
            let page = browser.get(path).await;
            assert_eq!(page.status(), 200, "{name}");
            for line in [member, joined, given, "Permission “"] {
                let expected = shown.iter().any(|shown| shown.starts_with(line));
                assert_eq!(page.shows(line), expected, "{name}: {line}: {}", page.text);
            }
            let links = page.shows("more link");
            assert_eq!(links, counted.is_some(), "{name}: {}", page.text);
            assert!(
                counted.is_none_or(|text| page.shows(text)),
                "{name}: {}",
                page.text
            );
        }
        // The same where several are deleted.
        let mut browser = browser.clone();
        browser.enter("d-users").await;
        let id = olga.id.to_string();
        let chosen = [
            ("action", "delete_selected"),
            ("index", "0"),
            ("_selected_action", &id),
        ];
        let page = browser.post("/admin/auth/user/", &chosen).await;
        assert!(page.shows(joined) && page.shows(given), "{}", page.text);
    })
    .await;
}
