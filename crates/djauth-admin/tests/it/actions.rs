//! What is done to selected rows.

use djauth::db::{Executor, Sql};

use crate::change_list::{add, enter, names};
use crate::support::{Kind, on_each_site};

const USERS: &str = "/admin/auth/user/";

const DELETE: (&str, &str) = ("action", "delete_selected");

#[tokio::test]
async fn selected_rows_are_deleted_after_a_question() {
    on_each_site(async |auth, mut browser| {
        let ada = add(auth, "ada", "").await.id.to_string();
        let bob = add(auth, "<b>bob", "").await.id.to_string();
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let chosen = [
            DELETE,
            ("index", "0"),
            ("_selected_action", ada.as_str()),
            ("_selected_action", bob.as_str()),
            ("_selected_action", "x"),
            ("_selected_action", "999999999999"),
        ];
        let page = browser.post(&format!("{USERS}?q=b"), &chosen[..]).await;
        assert_eq!(page.status(), 200);
        // `ada` is not in the list that the search leaves.
        assert!(page.shows("1 user") && page.shows("&lt;b&gt;bob") && !page.shows(">ada<"));
        let page = browser.post(USERS, &chosen).await;
        assert!(
            page.shows("2 users") && page.shows("name=\"post\" value=\"yes\""),
            "{}",
            page.text
        );
        assert!(page.leads_to(&format!("{USERS}{ada}/change/")));
        assert!(page.shows(&format!("name=\"_selected_action\" value=\"{ada}\"")));
        assert_eq!(names(&browser.get(USERS).await).len(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_log_has_them_in_the_order_of_the_list() {
    on_each_site(async |auth, mut browser| {
        let later = add(auth, "later", "").await.id.to_string();
        let early = add(auth, "early", "").await.id.to_string();
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let chosen = [
            DELETE,
            ("post", "yes"),
            ("_selected_action", later.as_str()),
            ("_selected_action", early.as_str()),
        ];
        assert_eq!(browser.post(USERS, &chosen).await.status(), 302);
        let sql = Sql::new("SELECT object_repr FROM django_admin_log ORDER BY id");
        let told = auth.db().fetch(&sql, &[], |row| row.get::<String>(0)).await;
        assert_eq!(told.expect("the log"), ["early", "later"]);
    })
    .await;
}

#[tokio::test]
async fn a_whole_list_is_named_by_its_filters() {
    on_each_site(async |auth, mut browser| {
        let mut first = String::new();
        for number in 0..120 {
            first = add(auth, &format!("u{number:03}"), "").await.id.to_string();
        }
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let page = browser.get(&format!("{USERS}?q=u")).await;
        assert!(page.shows("name=\"select_across\""), "{}", page.text);
        let chosen = [
            DELETE,
            ("index", "0"),
            ("select_across", "1"),
            ("_selected_action", &first),
        ];
        let page = browser.post(&format!("{USERS}?q=u"), &chosen).await;
        assert!(
            page.shows("120 users") && page.shows("and 20 more"),
            "{}",
            page.text
        );
        assert!(page.shows("name=\"_count\" value=\"120\""));
        assert_eq!(page.text.matches("name=\"_selected_action\"").count(), 1);
        add(auth, "u999", "").await;
        let sure = [
            DELETE,
            ("select_across", "1"),
            ("_selected_action", &first),
            ("_count", "120"),
            ("post", "yes"),
        ];
        let page = browser.post(&format!("{USERS}?q=u"), &sure).await;
        assert_eq!(page.status(), 200, "there is one more than was shown");
        assert!(page.shows("121 users"));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_done_is_told() {
    on_each_site(async |auth, mut browser| {
        let me = enter(auth, &mut browser, Kind::SUPERUSER)
            .await
            .id
            .to_string();
        let selected = ("_selected_action", me.as_str());
        for fields in [
            vec![DELETE, ("index", "0")],
            vec![("action", ""), ("index", "0"), selected],
            vec![("action", "nosuch"), ("index", "0"), selected],
            vec![("index", "0"), selected],
            vec![("action", "nosuch"), selected],
        ] {
            let answer = browser.post(&format!("{USERS}?q=z"), &fields).await;
            assert_eq!(answer.location(), format!("{USERS}?q=z"), "{fields:?}");
            let page = browser.get(answer.location()).await;
            assert!(page.shows("message warning"), "{fields:?}");
        }
        let page = browser.post(USERS, &[DELETE]).await;
        assert_eq!((page.status(), names(&page)), (200, vec!["zoe".to_owned()]));
        let page = browser
            .post(
                &format!("{USERS}?_popup=1"),
                &[DELETE, ("index", "0"), selected],
            )
            .await;
        assert_eq!(page.status(), 200);
        assert!(!page.shows("name=\"post\""));
    })
    .await;
}

#[tokio::test]
async fn what_is_confirmed_goes_unless_something_refers_to_it() {
    on_each_site(async |auth, mut browser| {
        let ada = add(auth, "ada", "").await.id.to_string();
        let bob = add(auth, "bob", "").await.id.to_string();
        let cyd = add(auth, "cyd", "").await.id.to_string();
        for sql in [
            "CREATE TABLE pets (id integer NOT NULL PRIMARY KEY, owner_id integer NOT NULL, \
             FOREIGN KEY (owner_id) REFERENCES auth_user (id))",
            "INSERT INTO pets SELECT 1, id FROM auth_user WHERE username = 'cyd'",
        ] {
            let sql = Sql::generated(sql.to_owned(), None);
            auth.db().execute(&sql, Vec::new()).await.expect("is done");
        }
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let [ada, bob, cyd] = [&ada, &bob, &cyd].map(|key| ("_selected_action", key.as_str()));
        let sure = ("post", "yes");
        for fields in [
            vec![DELETE, ("index", "0"), ada, cyd],
            vec![DELETE, ada, cyd, sure],
        ] {
            let page = browser.post(USERS, &fields).await;
            assert_eq!(page.status(), 200);
            assert!(page.shows("pets: <strong>1</strong>"), "{}", page.text);
            assert!(!page.shows("name=\"post\""));
        }
        let answer = browser.post(USERS, &[DELETE, ada, bob, sure]).await;
        assert_eq!(answer.location(), USERS);
        let page = browser.get(USERS).await;
        assert!(
            page.shows("message success") && page.shows("2 users"),
            "{}",
            page.text
        );
        assert_eq!(names(&page), ["cyd", "zoe"]);
    })
    .await;
}

/// The list can be seen without the right to delete; then nothing can be selected.
#[tokio::test]
async fn nothing_is_deleted_without_the_right() {
    on_each_site(async |auth, mut browser| {
        let ada = add(auth, "ada", "").await.id.to_string();
        enter(auth, &mut browser, Kind::with(&["auth.change_user"])).await;
        let sure = [DELETE, ("_selected_action", ada.as_str()), ("post", "yes")];
        let page = browser.post(USERS, &sure).await;
        assert_eq!((page.status(), names(&page).len()), (200, 2));
        assert!(!page.shows("_selected_action"));
    })
    .await;
}
