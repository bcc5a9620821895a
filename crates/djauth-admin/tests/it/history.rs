//! The history of an object.

use djauth::db::{Executor, Sql};

use crate::change::{form_of, send, with};
use crate::support::{Kind, on_each_site, person};

#[tokio::test]
async fn changes_are_listed_with_who_made_them() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/", olga.id);
        let history = format!("{path}history/");
        assert!(
            browser
                .get(&history)
                .await
                .shows("Nothing is recorded here")
        );
        let change = format!("{path}change/");
        for (name, value) in [("first_name", "Olga"), ("last_name", "Olsen")] {
            let form = form_of(&browser.get(&change).await);
            let answer = send(&mut browser, &change, &with(&form, name, value)).await;
            assert_eq!(answer.status(), 302, "{}", answer.text);
        }
        let page = browser.get(&history).await;
        let first = page.text.find("First name.").expect("the first change");
        let second = page.text.find("Last name.").expect("the second change");
        assert!(
            first < second && page.shows("<bdi>ada</bdi></td>"),
            "{}",
            page.text
        );
        for p in ["x", "0", "99", "-1"] {
            let page = browser.get(&format!("{history}?p={p}")).await;
            assert!(page.status() == 200 && page.shows("Last name."), "{p}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_others_wrote_into_the_log_is_shown_as_it_is() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let change = format!("/admin/auth/user/{}/change/", ada.id);
        let form = form_of(&browser.get(&change).await);
        send(&mut browser, &change, &form).await;
        let history = format!("/admin/auth/user/{}/history/", ada.id);
        assert!(browser.get(&history).await.shows("Nothing was changed."));
        let sql = Sql::new("UPDATE django_admin_log SET change_message = ?, action_flag = 9");
        for text in ["<script>alert(1)</script>", "[{\"changed\"", "[5]"] {
            let params = vec![text.into()];
            auth.db().execute(&sql, params).await.expect("is written");
            let page = browser.get(&history).await;
            assert!(
                page.status() == 200 && !page.shows("<script>alert"),
                "{text}"
            );
            let index = browser.get("/admin/").await;
            assert!(
                index.status() == 200 && !index.shows("<script>alert"),
                "{text}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_long_history_has_pages() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let change = format!("/admin/auth/user/{}/change/", ada.id);
        let form = form_of(&browser.get(&change).await);
        send(&mut browser, &change, &form).await;
        let copy = Sql::new(
            "INSERT INTO django_admin_log (action_time, user_id, content_type_id, object_id, \
             object_repr, action_flag, change_message) SELECT action_time, user_id, \
             content_type_id, object_id, object_repr, action_flag, change_message \
             FROM django_admin_log",
        );
        for _ in 0..7 {
            auth.db()
                .execute(&copy, Vec::new())
                .await
                .expect("is copied");
        }
        let history = format!("/admin/auth/user/{}/history/", ada.id);
        for (p, rows) in [(1, 100), (2, 28), (9, 28)] {
            let page = browser.get(&format!("{history}?p={p}")).await;
            assert_eq!(page.text.matches("<time ").count(), rows, "{p}");
        }
        assert!(browser.get(&history).await.leads_to("?p=2"));
    })
    .await;
}
