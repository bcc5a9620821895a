//! Two people, or a person and a login, change the same: nobody's edit is lost in silence.

use djauth::models::update_last_login;
use djauth::{Auth, Group};

use crate::change::{again, form_of, log, send, with};
use crate::support::{Kind, on_each_site, person};

async fn group(auth: &Auth, permissions: &[i32]) -> (Group, String) {
    let group = auth.groups().create("editors").await.expect("is made");
    let links = auth.groups().permissions(&group);
    links.add(permissions).await.expect("are added");
    let path = format!("/admin/auth/group/{}/change/", group.id);
    (group, path)
}

#[tokio::test]
async fn who_saves_last_is_told_what_somebody_else_changed() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        person(auth, "bob", Kind::SUPERUSER).await;
        let (group, path) = group(auth, &[]).await;
        let mut other = browser.clone();
        browser.enter("ada").await;
        other.enter("bob").await;
        let form = form_of(&browser.get(&path).await);
        let theirs = with(&form_of(&other.get(&path).await), "name", "<b>writers");
        assert_eq!(send(&mut other, &path, &theirs).await.status(), 302);

        let answer = send(&mut browser, &path, &with(&form, "name", "authors")).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.shows("bob changed this on"), "{}", answer.text);
        assert!(answer.shows("&lt;b&gt;writers") && !answer.shows("<b>writers"));
        assert!(answer.shows("value=\"authors\""));
        assert_eq!(log(auth).await.len(), 1);

        // The page that says so knows what is there now.
        let answer = send(&mut browser, &path, &form_of(&answer)).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let now = auth.groups().get(group.id).await.expect("is read");
        assert_eq!(now.expect("is there").name, "authors");
    })
    .await;
}

#[tokio::test]
async fn who_insists_after_a_conflict_takes_nothing_else_back() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        let mut other = browser.clone();
        person(auth, "bob", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        other.enter("bob").await;
        let path = format!("/admin/auth/user/{}/change/", olga.id);
        let form = form_of(&browser.get(&path).await);
        let theirs = with(&form_of(&other.get(&path).await), "last_name", "Theirs");
        let theirs = with(&theirs, "first_name", "Kept");
        assert_eq!(send(&mut other, &path, &theirs).await.status(), 302);

        let answer = send(&mut browser, &path, &with(&form, "last_name", "Mine")).await;
        assert_eq!(answer.status(), 200, "{}", answer.text);
        let answer = send(&mut browser, &path, &form_of(&answer)).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let now = again(auth, &olga).await;
        assert_eq!((&*now.last_name, &*now.first_name), ("Mine", "Kept"));
    })
    .await;
}

#[tokio::test]
async fn what_only_others_changed_stays_and_permissions_are_merged() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let (mut group, path) = group(auth, &[1, 2]).await;
        browser.enter("ada").await;
        let mut form = form_of(&browser.get(&path).await);
        form.retain(|(name, value)| name != "permissions" || value != "1");
        form.push(("permissions".to_owned(), "4".to_owned()));
        // Meanwhile.
        group.name = "writers".to_owned();
        auth.groups().save(&mut group).await.expect("is saved");
        let links = auth.groups().permissions(&group);
        links.set(&[1, 3]).await.expect("are set");

        let answer = send(&mut browser, &path, &form).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let page = browser.get("/admin/").await;
        assert!(page.shows("message info"), "{}", page.text);
        let now = auth.groups().get(group.id).await.expect("is read");
        assert_eq!(now.expect("is there").name, "writers");
        assert_eq!(links.ids().await.expect("are read"), [3, 4]);
        let fields = r#"[{"changed": {"fields": ["Permissions"]}}]"#;
        assert_eq!(log(auth).await[0].1, fields);
    })
    .await;
}

#[tokio::test]
async fn a_login_and_another_password_meanwhile_are_not_undone() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let mut olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/change/", olga.id);
        let form = form_of(&browser.get(&path).await);
        update_last_login(auth, &olga).await.expect("is written");
        auth.set_password(&mut olga, "another one")
            .await
            .expect("is set");
        auth.save_password(&olga).await.expect("is saved");
        let form = with(&form, "last_name", "Olsen");
        let answer = send(&mut browser, &path, &form).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let now = again(auth, &olga).await;
        assert_eq!(now.last_name, "Olsen");
        assert!(now.base.last_login.is_some());
        assert_eq!(now.base.password, olga.base.password);
    })
    .await;
}

#[tokio::test]
async fn a_form_without_digests_is_taken_as_django_takes_it() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let (mut group, path) = group(auth, &[1, 2]).await;
        browser.enter("ada").await;
        group.name = "writers".to_owned();
        auth.groups().save(&mut group).await.expect("is saved");
        let answer = browser
            .post(&path, &[("name", "authors"), ("permissions", "3")])
            .await;
        assert_eq!(answer.status(), 302);
        let now = auth.groups().get(group.id).await.expect("is read");
        assert_eq!(now.expect("is there").name, "authors");
        let ids = auth.groups().permissions(&group).ids().await;
        assert_eq!(ids.expect("are read"), [3]);
    })
    .await;
}

#[tokio::test]
async fn what_was_deleted_meanwhile_is_not_made_again() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let (group, path) = group(auth, &[1]).await;
        browser.enter("ada").await;
        let form = form_of(&browser.get(&path).await);
        auth.groups().delete(&group).await.expect("is deleted");
        let answer = send(&mut browser, &path, &form).await;
        assert_eq!((answer.status(), answer.location()), (302, "/admin/"));
        assert!(browser.get("/admin/").await.shows("message warning"));
        assert_eq!(log(auth).await, []);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_save_at_once_one_is_told() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let (group, path) = group(auth, &[]).await;
        browser.enter("ada").await;
        let mut other = browser.clone();
        let form = form_of(&browser.get(&path).await);
        let (one, two) = (with(&form, "name", "one"), with(&form, "name", "two"));
        let (one, two) = tokio::join!(
            send(&mut browser, &path, &one),
            send(&mut other, &path, &two)
        );
        let mut answers = [(one.status(), "one"), (two.status(), "two")];
        answers.sort_unstable();
        assert_eq!([answers[0].0, answers[1].0], [200, 302]);
        let now = auth.groups().get(group.id).await.expect("is read");
        assert_eq!(now.expect("is there").name, answers[1].1);
        assert_eq!(log(auth).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_take_a_name_at_once_one_is_told() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let mut other = browser.clone();
        for (path, fields) in [
            (
                "/admin/auth/group/add/",
                &[("name", "editors"), ("_save", "1")][..],
            ),
            (
                "/admin/auth/user/add/",
                &[("username", "nora"), ("usable_password", "false")],
            ),
        ] {
            let (one, two) = tokio::join!(browser.post(path, fields), other.post(path, fields));
            let mut statuses = [one.status(), two.status()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 302], "{path}");
            let refused = if one.status() == 200 { one } else { two };
            assert!(refused.shows("taken already"), "{}", refused.text);
        }
        assert_eq!(log(auth).await.len(), 2);
    })
    .await;
}
