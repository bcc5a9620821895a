//! The pages that change users and groups.

use djauth::admin::UserAdmin;
use djauth::db::{Executor, Sql};
use djauth::{Auth, User};
use djauth_admin::AdminSite;

use crate::support::{AdminBrowser, Answer, Kind, app, attributes, on_each_site, person, site};

/// What the form of a page would send if nobody touched it.
pub(crate) fn form_of(page: &Answer) -> Vec<(String, String)> {
    let form = page.text.split("class=\"change\"").nth(1);
    let form = form.and_then(|form| form.split("</form>").next());
    let form = form.unwrap_or_else(|| panic!("no form: {}", page.text));
    let one = |tag: &str, name: &str| attributes(&format!(" {tag}"), name).pop();
    let mut fields = Vec::new();
    for tag in form.split("<input ").skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let kind = one(tag, "type").unwrap_or_default();
        let Some(name) = one(tag, "name") else {
            continue;
        };
        match kind.as_str() {
            "checkbox" if !tag.contains(" checked") => {}
            "checkbox" => fields.push((name, "on".to_owned())),
            _ if name == "csrfmiddlewaretoken" => {}
            _ => fields.push((name, one(tag, "value").unwrap_or_default())),
        }
    }
    for select in form.split("<select ").skip(1) {
        let (tag, rest) = select.split_once('>').expect("a select");
        let name = one(tag, "name").expect("a name");
        let options = rest.split("</select>").next().unwrap_or_default();
        for option in options.split("<option ").skip(1) {
            let option = option.split('>').next().unwrap_or_default();
            if option.ends_with(" selected") {
                fields.push((name.clone(), one(option, "value").expect("a value")));
            }
        }
    }
    fields
}

/// The same with another value of a field.
pub(crate) fn with(form: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut form = form.to_vec();
    form.retain(|(known, _)| known != name);
    form.push((name.to_owned(), value.to_owned()));
    form
}

pub(crate) async fn send(
    browser: &mut AdminBrowser,
    path: &str,
    form: &[(String, String)],
) -> Answer {
    let fields = form.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    browser.post(path, &fields.collect::<Vec<_>>()).await
}

/// The messages of the log, oldest first.
pub(crate) async fn log(auth: &Auth) -> Vec<(i64, String, String)> {
    let sql = Sql::new(
        "SELECT action_flag, change_message, object_repr FROM django_admin_log ORDER BY id",
    );
    let rows = auth
        .db()
        .fetch(&sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.await.expect("the log")
}

pub(crate) async fn again(auth: &Auth, user: &User) -> User {
    let found = auth.users().get(user.id).await.expect("is read");
    found.expect("is there")
}

#[tokio::test]
async fn what_was_not_touched_stays_as_it_was() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let mut olga = person(auth, "olga", Kind::STAFF).await;
        olga.date_joined += chrono::TimeDelta::microseconds(123_456);
        let saved = auth.users().save_fields(&olga, &["date_joined"]).await;
        saved.expect("is saved");
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/change/", olga.id);
        let form = form_of(&browser.get(&path).await);
        let form = with(&form, "first_name", "Olga");
        let answer = send(&mut browser, &path, &with(&form, "_save", "1")).await;
        assert_eq!(answer.location(), "/admin/auth/user/", "{}", answer.text);
        let now = again(auth, &olga).await;
        assert_eq!(now.first_name, "Olga");
        assert_eq!(now.date_joined, olga.date_joined);
        assert!(now.is_staff && now.is_active);
        let fields = r#"[{"changed": {"fields": ["First name"]}}]"#;
        assert_eq!(log(auth).await, [(2, fields.to_owned(), "olga".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn nothing_outside_of_the_form_can_be_set() {
    let (_database, auth, _) = site(|_| ()).await;
    let admin = UserAdmin {
        readonly_fields: vec!["is_superuser", "groups"],
        ..UserAdmin::default()
    };
    let users = AdminSite::new(&auth).users(admin);
    let mut browser = AdminBrowser::new(app(&auth, users.router()));
    person(&auth, "ada", Kind::with(&["auth.change_user"])).await;
    let olga = person(&auth, "olga", Kind::STAFF).await;
    auth.groups().create("editors").await.expect("is made");
    browser.enter("ada").await;
    let path = format!("/admin/auth/user/{}/change/", olga.id);
    let page = browser.get(&path).await;
    assert!(!page.shows("name=\"is_superuser\"") && !page.shows("name=\"groups\""));
    let mut form = form_of(&page);
    for (name, value) in [
        ("is_superuser", "on"),
        ("groups", "1"),
        ("password", "x"),
        ("id", "1"),
        ("pk", "1"),
    ] {
        form = with(&form, name, value);
    }
    assert_eq!(send(&mut browser, &path, &form).await.status(), 302);
    let now = again(&auth, &olga).await;
    assert!(!now.permissions.is_superuser);
    assert_eq!(now.base.password, olga.base.password);
    let groups = auth.users().groups(&now).expect("groups").ids().await;
    assert!(groups.expect("are read").is_empty());
}

#[tokio::test]
async fn who_may_only_look_sees_no_inputs() {
    on_each_site(async |auth, mut browser| {
        person(auth, "vera", Kind::with(&["auth.view_user"])).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        let group = auth.groups().create("editors").await.expect("is made");
        let links = auth.users().groups(&olga).expect("groups");
        links.add(&[group.id]).await.expect("is added");
        browser.enter("vera").await;
        let path = format!("/admin/auth/user/{}/change/", olga.id);
        let page = browser.get(&path).await;
        let main = page.text.split("class=\"change\"").nth(1).expect("a form");
        assert!(
            !main.contains("<select") && !main.contains("<button"),
            "{main}"
        );
        assert_eq!(main.matches("<input").count(), 1, "the token alone: {main}");
        assert!(main.contains("<bdi>editors</bdi>") && main.contains("<bdi>olga</bdi>"));
        assert!(!page.shows("../password/"));
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/change/", olga.id);
        let form = form_of(&browser.get(&path).await);
        for (name, value, text) in [
            ("username", "ada", "taken already"),
            ("username", "<b>", "Enter a valid username"),
            ("email", "x", "valid e-mail"),
            ("date_joined_0", "31.1.", "Enter a date, as in"),
            ("date_joined_1", "25:00", "Enter a time, as in"),
            ("date_joined_1", "", "Enter a time, as in"),
            ("groups", "999", "Choose one of the values"),
            ("user_permissions", "x", "Choose one of the values"),
        ] {
            let answer = send(&mut browser, &path, &with(&form, name, value)).await;
            assert_eq!(answer.status(), 200, "{name}");
            assert!(answer.shows(text), "{name}: {}", answer.text);
            assert!(answer.shows("aria-invalid=\"true\""), "{name}");
        }
        assert_eq!(log(auth).await, []);
    })
    .await;
}
