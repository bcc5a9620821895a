//! The page for somebody's password.

use crate::change::{again, log};
use crate::support::{Kind, on_each_site, person};

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
