//! The search: several words, quotes, prefixes, and what it must not find.

use djauth::admin::UserAdmin;
use djauth_admin::AdminSite;

use crate::change_list::{add, enter, names};
use crate::support::{AdminBrowser, Kind, app, on_each_site};

const USERS: &str = "/admin/auth/user/";

async fn found(browser: &mut AdminBrowser, text: &str) -> Vec<String> {
    let query = djauth::http::urlencode([("q", text)]);
    names(&browser.get(&format!("{USERS}?{query}")).await)
}

#[tokio::test]
async fn every_word_must_be_found_in_some_field() {
    on_each_site(async |auth, mut browser| {
        for (name, first, last) in [
            ("ada", "Ada", "King Noel"),
            ("bob", "Bob", "Noel"),
            ("cyd", "it's", "100% a_b"),
        ] {
            let named = |user: &mut djauth::User| {
                user.first_name = first.to_owned();
                user.last_name = last.to_owned();
            };
            let made = auth.users().create_user_with(name, "", None, named);
            made.await.expect("is made");
        }
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        for (text, expected) in [
            ("", "ada bob cyd zoe"),
            ("   ", "ada bob cyd zoe"),
            ("noel", "ada bob"),
            ("noel ADA", "ada"),
            ("\"king noel\"", "ada"),
            ("'king noel'", "ada"),
            ("\"noel king\"", ""),
            ("it's", "cyd"),
            ("100%", "cyd"),
            ("%", "cyd"),
            ("a_b", "cyd"),
            ("\"\"", "ada bob cyd zoe"),
            ("nobody", ""),
        ] {
            assert_eq!(
                found(&mut browser, text).await.join(" "),
                expected,
                "{text}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_null_character_is_told() {
    on_each_site(async |auth, mut browser| {
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let page = browser.get(&format!("{USERS}?q=x%00")).await;
        assert_eq!(names(&page), ["zoe"]);
        assert!(page.shows("message error"), "{}", page.text);
    })
    .await;
}

#[tokio::test]
async fn fields_can_say_how_they_are_searched() {
    on_each_site(async |auth, _| {
        add(auth, "ada", "x@example.com").await;
        add(auth, "adam", "ada@example.com").await;
        let id = add(auth, "x", "y@example.com").await.id.to_string();
        let users = UserAdmin {
            search_fields: vec!["=username", "^email", "id__exact"],
            ..UserAdmin::default()
        };
        let admin = AdminSite::new(auth).users(users);
        admin.check().expect("names fields");
        let mut browser = AdminBrowser::new(app(auth, admin.router()));
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        assert_eq!(found(&mut browser, "ADA").await, ["ada", "adam"]);
        assert_eq!(found(&mut browser, "example").await, Vec::<String>::new());
        assert_eq!(found(&mut browser, &id).await, ["x"]);
        assert!(found(&mut browser, "99999999999").await.is_empty());
    })
    .await;
}
