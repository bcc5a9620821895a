//! The page for somebody's password.

use djauth::admin::UserAdmin;
use djauth_admin::AdminSite;
use test_databases::TestDatabase;

use crate::change::{again, log};
use crate::support::{AdminBrowser, Kind, app, connect, on_each_site, person, settings};

const NEW: &str = "battery staple 9";

#[tokio::test]
async fn a_password_is_set_and_turned_off() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/password/", olga.id);
        let page = browser.get(&path).await;
        assert!(page.shows("name=\"unset-password\""), "{}", page.text);
        let set = [
            ("password1", NEW),
            ("password2", NEW),
            ("set-password", "1"),
        ];
        let answer = browser.post(&path, &set).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let mut now = again(auth, &olga).await;
        assert!(
            auth.check_password(&mut now, NEW)
                .await
                .expect("is checked")
        );

        let off = [("usable_password", "false"), ("unset-password", "1")];
        assert_eq!(browser.post(&path, &off).await.status(), 302);
        assert!(!again(auth, &olga).await.base.has_usable_password());
        let page = browser.get(&path).await;
        assert!(page.shows("name=\"set-password\"") && !page.shows("unset-password"));
        assert_eq!(browser.post(&path, &set).await.status(), 302);
        let messages: Vec<_> = log(auth).await.into_iter().map(|row| row.1).collect();
        let changed = r#"[{"changed": {"fields": ["password"]}}]"#;
        assert_eq!(messages, [changed, "[]", changed]);
    })
    .await;
}

#[tokio::test]
async fn one_s_own_session_goes_on_with_another_key() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        let mut elsewhere = browser.clone();
        browser.enter("ada").await;
        elsewhere.enter("ada").await;
        let key = browser.cookie("sessionid").map(str::to_owned);
        let path = format!("/admin/auth/user/{}/password/", ada.id);
        let set = [
            ("password1", NEW),
            ("password2", NEW),
            ("set-password", "1"),
        ];
        assert_eq!(browser.post(&path, &set).await.status(), 302);
        assert_ne!(browser.cookie("sessionid").map(str::to_owned), key);
        assert_eq!(browser.get("/admin/").await.status(), 200);
        assert_eq!(elsewhere.get("/admin/").await.status(), 302);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_changes_nothing() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/password/", olga.id);
        for fields in [
            &[("password1", NEW), ("password2", "another")][..],
            &[("set-password", "1")],
            &[],
        ] {
            let answer = browser.post(&path, fields).await;
            assert_eq!(answer.status(), 200);
            assert!(!answer.shows(NEW), "a password is never sent back");
        }
        assert_eq!(again(auth, &olga).await.base.password, olga.base.password);
        assert_eq!(log(auth).await, []);
    })
    .await;
}

#[tokio::test]
async fn an_own_page_for_the_password_knows_its_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = "{% extends 'admin/base_site.html' %}{% block content %}<form method='post'>{{ csrf_input }}\
         {% if is_popup %}<input type='hidden' name='{{ is_popup_var }}' value='1'>{% endif %}\
         <h2>own page</h2>{% include 'forms/summary.html' %}</form>{% endblock %}";
    std::fs::create_dir_all(folder.path().join("house")).expect("a folder");
    std::fs::write(folder.path().join("house/password.html"), own).expect("is written");
    let database = TestDatabase::sqlite();
    let mut settings = settings();
    settings.template_dirs = vec![folder.path().to_owned()];
    let auth = connect(&database, settings).await;
    let admin = UserAdmin {
        change_user_password_template: Some("house/password.html"),
        ..UserAdmin::default()
    };
    let admin = AdminSite::new(&auth).users(admin).router();
    let mut browser = AdminBrowser::new(app(&auth, admin));
    person(&auth, "ada", Kind::SUPERUSER).await;
    let olga = person(&auth, "olga", Kind::STAFF).await;
    browser.enter("ada").await;
    let path = format!("/admin/auth/user/{}/password/", olga.id);
    let whole = browser.get(&path).await;
    assert!(
        whole.shows("own page") && whole.shows("class=\"top\""),
        "{}",
        whole.text
    );
    assert!(!whole.shows("name='_popup'"));
    let popup = browser.get(&format!("{path}?_popup=1")).await;
    assert!(
        popup.shows("own page") && popup.shows("name='_popup'"),
        "{}",
        popup.text
    );
    assert!(!popup.shows("class=\"top\"") && popup.shows(" popup\""));
    // A window stays one when the form comes back with errors, by its field alone.
    let wrong = [
        ("password1", "a"),
        ("password2", "b"),
        ("set-password", "1"),
        ("_popup", "1"),
    ];
    let again = browser.post(&path, &wrong).await;
    assert_eq!(again.status(), 200);
    assert!(
        again.shows("name='_popup'") && !again.shows("class=\"top\""),
        "{}",
        again.text
    );
    let right = [
        ("password1", NEW),
        ("password2", NEW),
        ("set-password", "1"),
        ("_popup", "1"),
    ];
    let done = browser.post(&path, &right).await;
    assert_eq!(
        done.location(),
        format!("/admin/auth/user/{}/change/", olga.id)
    );
}

#[tokio::test]
async fn the_page_for_the_password_keeps_its_window() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/password/", olga.id);
        let popup = browser.get(&format!("{path}?_popup=1")).await;
        assert!(popup.shows("name=\"_popup\" value=\"1\""), "{}", popup.text);
        assert!(!browser.get(&path).await.shows("name=\"_popup\""));
    })
    .await;
}
