//! Published weaknesses of admins, on the pages of single objects.

use djauth::{Auth, User};
use djauth_admin::AdminExt;
use test_databases::TestDatabase;

use crate::change::log;
use crate::own_models::{Account, auth_of};
use crate::support::{AdminBrowser, Kind, PASSWORD, app, on_each_site, person};

const HOSTILE: &str = "\"><script>alert(1)</script>\u{202e}'&amp;👩‍👩‍👧{{ 7*7 }}";

/// Neither the hash nor what is left of the salt stands in the page.
fn shows_no_hash(text: &str, encoded: &str) {
    let parts: Vec<_> = encoded.split('$').collect();
    let (salt, hash) = (parts[parts.len() - 2], parts[parts.len() - 1]);
    for secret in [encoded, hash, salt, &hash[8..], &salt[4..]] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn cve_2018_16984_a_viewer_sees_no_hash() {
    on_each_site(async |auth, mut browser| {
        person(auth, "vera", Kind::with(&["auth.view_user"])).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("vera").await;
        let path = format!("/admin/auth/user/{}/change/", olga.id);
        let page = browser.get(&path).await;
        assert!(page.status() == 200 && page.shows("****"), "{}", page.text);
        shows_no_hash(&page.text, &olga.base.password);
    })
    .await;
}

#[tokio::test]
async fn cve_2026_113733_nor_of_another_user_model() {
    let database = TestDatabase::sqlite();
    let auth = auth_of::<Account>(&database).await;
    let staff = |account: &mut Account| account.is_staff = true;
    let users = auth.users();
    let vera = users.create_user_with("vera@example.com", "", Some(PASSWORD), staff);
    let vera = vera.await.expect("is made");
    let olga = users.create_user("olga@example.com", "", Some(PASSWORD));
    let olga = olga.await.expect("is made");
    let view = auth.permissions();
    let view = view.get_by_natural_key("view_account", "accounts", "account");
    let view = view.await.expect("is read").expect("is there");
    let links = users.user_permissions(&vera).expect("permissions");
    links.add(&[view.id]).await.expect("is added");
    let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
    browser.enter("vera@example.com").await;
    let path = format!("/admin/accounts/account/{}/change/", olga.id);
    let page = browser.get(&path).await;
    assert!(page.status() == 200 && page.shows("****"), "{}", page.text);
    let stored = users.values(&olga).remove("password").expect("a password");
    shows_no_hash(&page.text, &text_of(&stored));
}

fn text_of(value: &djauth::db::Value<'_>) -> String {
    match value {
        djauth::db::Value::Text(text) => text.to_string(),
        _ => String::new(),
    }
}

#[tokio::test]
async fn cve_2013_0305_a_history_is_for_who_may_look() {
    on_each_site(async |auth, mut browser| {
        person(
            auth,
            "bea",
            Kind::with(&["auth.delete_user", "auth.view_group"]),
        )
        .await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("bea").await;
        let path = format!("/admin/auth/user/{}/history/", olga.id);
        assert_eq!(browser.get(&path).await.status(), 403);
    })
    .await;
}

#[tokio::test]
async fn cve_2016_2048_saving_as_new_is_adding() {
    on_each_site(async |auth, mut browser| {
        person(auth, "cleo", Kind::with(&["auth.change_group"])).await;
        let group = auth.groups().create("editors").await.expect("is made");
        browser.enter("cleo").await;
        let path = format!("/admin/auth/group/{}/change/", group.id);
        let fields = [("name", "copy"), ("_saveasnew", "1")];
        assert_eq!(browser.post(&path, &fields).await.status(), 403);
        let copy = auth.groups().get_by_natural_key("copy").await;
        assert!(copy.expect("is read").is_none());
    })
    .await;
}

#[tokio::test]
async fn cve_2016_6186_a_name_in_a_popup_is_text() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let fields = [("name", HOSTILE), ("_popup", "1")];
        let answer = browser
            .post("/admin/auth/group/add/?_popup=1", &fields)
            .await;
        assert_eq!(answer.status(), 200);
        assert!(!answer.shows("<script>alert"), "{}", answer.text);
        let data = answer
            .attributes("data-popup-response")
            .pop()
            .expect("data");
        let data: serde_json::Value = serde_json::from_str(&data).expect("JSON");
        assert_eq!(data["obj"], HOSTILE);
    })
    .await;
}

async fn hostile_user(auth: &Auth) -> User {
    let made = auth.users().create_user_with(HOSTILE, "", None, |user| {
        user.last_name = "javascript:alert(1)".to_owned();
        user.is_staff = true;
    });
    made.await.expect("is made")
}

#[tokio::test]
async fn cve_2026_15920_no_value_becomes_markup_or_a_link() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let user = hostile_user(auth).await;
        let group = auth.groups().create(HOSTILE).await.expect("is made");
        let links = auth.users().groups(&user).expect("groups");
        links.add(&[group.id]).await.expect("is added");
        browser.enter("ada").await;
        let changed = format!("/admin/auth/group/{}/change/", group.id);
        let answer = browser.post(&changed, &[("name", HOSTILE)]).await;
        assert_eq!(answer.status(), 302);
        for path in [
            "/admin/".to_owned(),
            format!("/admin/auth/user/{}/change/", user.id),
            format!("/admin/auth/user/{}/delete/", user.id),
            format!("/admin/auth/user/{}/history/", user.id),
            format!("/admin/auth/user/{}/password/", user.id),
            changed,
            format!("/admin/auth/group/{}/history/", group.id),
            format!(
                "/admin/auth/user/add/?username={}",
                "%22%3E%3Cscript%3Ealert(1)"
            ),
            "/admin/auth/group/%3Cscript%3Ealert(1)/change/".to_owned(),
            "/admin/".to_owned(),
        ] {
            let page = browser.get(&path).await;
            assert!(!page.shows("<script>alert"), "{path}");
            assert!(!page.shows("href=\"javascript"), "{path}");
        }
        assert!(log(auth).await[0].2.starts_with("\"><script>"));
    })
    .await;
}
