//! Forms that no page of the admin has sent, and values that no page may make markup of.

use djauth::admin::UserAdmin;
use djauth::{Auth, User};
use djauth_admin::AdminSite;
use test_databases::TestDatabase;

use crate::change::{again, form_of, log, send, with};
use crate::support::{AdminBrowser, Kind, app, connect, on_each_site, person, settings};

/// Fields of Django's formsets, of which there are none here.
const FORMSET: [(&str, &str); 8] = [
    ("form-TOTAL_FORMS", "2"),
    ("form-INITIAL_FORMS", "1"),
    ("form-0-username", "renamed"),
    ("form-0-is_superuser", "on"),
    ("form-1-username", "new"),
    ("logentry_set-TOTAL_FORMS", "1"),
    ("logentry_set-INITIAL_FORMS", "0"),
    ("logentry_set-0-object_repr", "new"),
];

async fn names(auth: &Auth) -> Vec<String> {
    let users = auth.users().all().order_by(&["username"]).collected().await;
    users
        .expect("are read")
        .into_iter()
        .map(|user| user.username)
        .collect()
}

fn change(user: &User) -> String {
    format!("/admin/auth/user/{}/change/", user.id)
}

#[tokio::test]
async fn cve_2026_87975_a_form_changes_the_object_of_its_address_alone() {
    on_each_site(async |auth, mut browser| {
        person(
            auth,
            "ada",
            Kind::with(&["auth.change_user", "auth.view_user"]),
        )
        .await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        let other = person(auth, "other", Kind::STAFF).await;
        browser.enter("ada").await;
        let mut form = form_of(&browser.get(&change(&olga)).await);
        let key = other.id.to_string();
        for name in [
            "id",
            "pk",
            "form-0-id",
            "form-0-DELETE",
            "user_ptr",
            "object_id",
        ] {
            form = with(&form, name, &key);
        }
        for (name, value) in FORMSET {
            form = with(&form, name, value);
        }
        let form = with(&form, "first_name", "Olga");
        assert_eq!(
            send(&mut browser, &change(&olga), &form).await.status(),
            302
        );
        let (olga, other) = (again(auth, &olga).await, again(auth, &other).await);
        assert_eq!(
            (olga.username.as_str(), olga.first_name.as_str()),
            ("olga", "Olga")
        );
        assert_eq!(
            (other.username.as_str(), other.first_name.as_str()),
            ("other", "")
        );
        assert_eq!(names(auth).await, ["ada", "olga", "other"]);
        assert_eq!(log(auth).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn cve_2026_4277_cve_2026_4292_a_list_changes_nothing() {
    on_each_site(async |auth, mut browser| {
        let may = Kind::with(&["auth.change_user", "auth.view_user", "auth.delete_user"]);
        person(auth, "ada", may).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("ada").await;
        let key = olga.id.to_string();
        let mut fields = FORMSET.to_vec();
        fields.extend([("form-0-id", key.as_str()), ("_save", "1"), ("_popup", "1")]);
        for path in ["/admin/auth/user/", "/admin/auth/user/?_popup=1"] {
            browser.post(path, &fields).await;
        }
        let answer = browser.post("/admin/auth/user/add/", &fields).await;
        assert_eq!(answer.status(), 403);
        assert_eq!(names(auth).await, ["ada", "olga"]);
        assert!(!again(auth, &olga).await.permissions.is_superuser);
        assert!(log(auth).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn cve_2019_19118_who_may_only_look_saves_nothing() {
    on_each_site(async |auth, mut browser| {
        let group = auth.groups().create("editors").await.expect("is made");
        person(
            auth,
            "vera",
            Kind::with(&["auth.view_user", "auth.change_group"]),
        )
        .await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("vera").await;
        let key = group.id.to_string();
        let mut fields = FORMSET.to_vec();
        fields.extend([("username", "olga"), ("first_name", "x"), ("groups", &key)]);
        for button in ["_save", "_continue", "_addanother", "_saveasnew"] {
            let mut fields = fields.clone();
            fields.push((button, "1"));
            assert_eq!(
                browser.post(&change(&olga), &fields).await.status(),
                403,
                "{button}"
            );
        }
        assert_eq!(again(auth, &olga).await.first_name, "");
        let links = auth.users().groups(&olga).expect("groups");
        assert!(links.ids().await.expect("are read").is_empty());
        assert!(log(auth).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn cve_2013_0306_a_form_has_a_bounded_number_of_fields() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let fields = [("form-TOTAL_FORMS", "1000000000"), ("name", "editors")];
        let answer = browser.post("/admin/auth/group/add/", &fields).await;
        assert_eq!(answer.status(), 302, "a number alone makes no work");
        let names: Vec<_> = (0..1001).map(|n| format!("form-{n}-name")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
        let before = log(auth).await.len();
        assert_eq!(
            browser.post("/admin/auth/group/add/", &many).await.status(),
            400
        );
        let select: Vec<_> = names.iter().map(|_| ("_selected_action", "1")).collect();
        assert_eq!(
            browser.post("/admin/auth/group/", &select).await.status(),
            400
        );
        assert_eq!(log(auth).await.len(), before);
    })
    .await;
}

const ADDRESS: &str = "javascript:alert(document.cookie)";
const MARKUP: &str = "\"'><img src=x onerror=alert(1)>";

/// Somebody with such values in each field of text, also by hand, past every form.
async fn hostile(auth: &Auth) -> User {
    let mut user = person(auth, "olga", Kind::STAFF).await;
    user.first_name = ADDRESS.to_owned();
    user.last_name = MARKUP.to_owned();
    user.email = ADDRESS.to_owned();
    let saved = auth
        .users()
        .save_fields(&user, &["first_name", "last_name", "email"]);
    saved.await.expect("is saved");
    user
}

#[tokio::test]
async fn cve_2019_12308_cve_2013_4249_an_address_is_no_link() {
    on_each_site(async |auth, mut browser| {
        let olga = hostile(auth).await;
        person(auth, "ada", Kind::SUPERUSER).await;
        person(auth, "vera", Kind::with(&["auth.view_user"])).await;
        for name in ["ada", "vera"] {
            browser.cookies.clear();
            browser.enter(name).await;
            for path in ["/admin/auth/user/".to_owned(), change(&olga)] {
                let page = browser.get(&path).await;
                assert!(page.shows("javascript:alert"), "{path} for {name}");
                for attribute in ["href", "src", "action", "formaction"] {
                    let values = page.attributes(attribute);
                    let is_script = |value: &String| value.contains("javascript");
                    assert!(!values.iter().any(is_script), "{path} for {name}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn cve_2020_13596_cve_2015_2241_what_is_only_shown_is_text() {
    for database in TestDatabase::all() {
        let auth = connect(&database, settings()).await;
        let admin = UserAdmin {
            readonly_fields: vec!["first_name", "last_name", "email", "groups"],
            list_display: vec!["last_name", "loud"],
            ..UserAdmin::default()
        };
        let site = AdminSite::new(&auth).users(admin);
        let site = site.column("loud", MARKUP, |user| user.last_name.clone());
        let mut browser = AdminBrowser::new(app(&auth, site.router()));
        let olga = hostile(&auth).await;
        let group = auth.groups().create(MARKUP).await.expect("is made");
        let links = auth.users().groups(&olga).expect("groups");
        links.add(&[group.id]).await.expect("is added");
        person(&auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        for path in ["/admin/auth/user/".to_owned(), change(&olga)] {
            for query in ["", "?_popup=1"] {
                let page = browser.get(&format!("{path}{query}")).await;
                assert_eq!(page.status(), 200);
                assert!(
                    page.shows("&lt;img src=x") && !page.shows("<img"),
                    "{path}{query}"
                );
            }
        }
        auth.db().close().await;
    }
}
