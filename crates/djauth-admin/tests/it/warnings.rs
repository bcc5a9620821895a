//! What the admin warns of and does all the same: the last superuser, one's own account, a log that is
//! missing.

use std::sync::{Arc, Mutex};

use djauth::db::{Executor, Sql};
use djauth::{Auth, BaseUser};
use djauth_admin::AdminExt;
use test_databases::TestDatabase;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::change::{form_of, send};
use crate::support::{
    AdminBrowser, Kind, app, connect, on_each_own_site, on_each_site, person, settings,
};

const LAST: &str = "This is the last active superuser";
const NONE_LEFT: &str = "There is no active superuser any more.";

#[tokio::test]
async fn the_last_superuser_is_pointed_out_and_not_kept() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        let inactive = Kind {
            active: false,
            ..Kind::SUPERUSER
        };
        person(auth, "gone", inactive).await;
        let olga = person(auth, "olga", Kind::STAFF).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/", ada.id);
        let page = browser.get(&format!("{path}change/")).await;
        assert!(page.shows(LAST) && page.shows("This is your own account"));
        let delete = browser.get(&format!("{path}delete/")).await;
        assert!(delete.shows(LAST) && delete.shows("This is your own account"));
        let ids = [ada.id.to_string(), olga.id.to_string()];
        let chosen = [
            ("action", "delete_selected"),
            ("index", "0"),
            ("_selected_action", ids[0].as_str()),
            ("_selected_action", ids[1].as_str()),
        ];
        let asked = browser.post("/admin/auth/user/", &chosen).await;
        assert!(asked.shows(LAST) && asked.shows("Your own account is among them"));
        let asked = browser
            .post("/admin/auth/user/", &[&chosen[..2], &chosen[3..]].concat())
            .await;
        assert!(!asked.shows(LAST) && !asked.shows("Your own account"));
        let other = browser
            .get(&format!("/admin/auth/user/{}/change/", olga.id))
            .await;
        assert!(!other.shows(LAST));

        // It is a warning: who insists is obeyed, and told what they have done.
        let mut form = form_of(&page);
        form.retain(|(name, _)| name != "is_superuser");
        let answer = send(&mut browser, &format!("{path}change/"), &form).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let now = auth
            .users()
            .get(ada.id)
            .await
            .expect("is read")
            .expect("is there");
        assert!(!now.is_superuser());
        assert!(browser.get("/admin/").await.shows(NONE_LEFT));
    })
    .await;
}

#[tokio::test]
async fn one_of_several_superusers_is_no_matter() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        let bea = person(auth, "bea", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/", bea.id);
        let page = browser.get(&format!("{path}change/")).await;
        assert!(!page.shows(LAST) && !page.shows("your own account"));
        assert!(!browser.get(&format!("{path}delete/")).await.shows(LAST));
        let mut form = form_of(&page);
        form.retain(|(name, _)| name != "is_active");
        let answer = send(&mut browser, &format!("{path}change/"), &form).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        assert!(!browser.get("/admin/").await.shows(NONE_LEFT));

        // How many there are is remembered, but not beyond a change or a deletion.
        let own = format!("/admin/auth/user/{}/change/", ada.id);
        assert!(browser.get(&own).await.shows(LAST));
        let page = browser.get(&format!("{path}change/")).await;
        let mut form = form_of(&page);
        form.push(("is_active".to_owned(), "on".to_owned()));
        let answer = send(&mut browser, &format!("{path}change/"), &form).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        assert!(!browser.get(&own).await.shows(LAST));
        let gone = browser
            .post(&format!("{path}delete/"), &[("post", "yes")])
            .await;
        assert_eq!(gone.status(), 302, "{}", gone.text);
        assert!(browser.get(&own).await.shows(LAST));
    })
    .await;
}

#[tokio::test]
async fn who_may_only_look_is_warned_of_nothing() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        person(auth, "vera", Kind::with(&["auth.view_user"])).await;
        browser.enter("vera").await;
        let page = browser
            .get(&format!("/admin/auth/user/{}/change/", ada.id))
            .await;
        assert!(page.status() == 200 && !page.shows(LAST));
    })
    .await;
}

#[tokio::test]
async fn flags_of_own_models_count_too() {
    on_each_own_site(async |_, ada, mut browser| {
        let page = browser
            .get(&format!("/admin/accounts/account/{}/delete/", ada.id))
            .await;
        assert!(page.shows(LAST), "{}", page.text);
    })
    .await;
}

/// Keeps what is logged for `djauth.admin`.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "djauth.admin"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = Text(event.metadata().level().to_string());
        event.record(&mut text);
        self.0.lock().expect("not poisoned").push(text.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A site on whose database Django's admin was never installed.
async fn without_log(database: &TestDatabase) -> Auth {
    let auth = connect(database, settings()).await;
    let drop = Sql::new("DROP TABLE django_admin_log");
    auth.db()
        .execute(&drop, Vec::new())
        .await
        .expect("is dropped");
    auth
}

#[tokio::test]
async fn without_a_table_for_it_changes_are_made_and_the_server_logs_that_they_are_not_recorded() {
    for database in TestDatabase::all() {
        let auth = without_log(&database).await;
        let kept = Kept::default();
        let _default = tracing::subscriber::set_default(kept.clone());
        person(&auth, "ada", Kind::SUPERUSER).await;
        let olga = person(&auth, "olga", Kind::STAFF).await;
        let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
        browser.enter("ada").await;
        let path = format!("/admin/auth/user/{}/", olga.id);
        let form = form_of(&browser.get(&format!("{path}change/")).await);
        let form = crate::change::with(&form, "first_name", "Olga");
        let answer = send(&mut browser, &format!("{path}change/"), &form).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let now = auth
            .users()
            .get(olga.id)
            .await
            .expect("is read")
            .expect("is there");
        assert_eq!(now.first_name, "Olga");
        let history = browser.get(&format!("{path}history/")).await;
        assert!(
            history.shows("Nothing is recorded here"),
            "{}",
            history.text
        );
        let group = [("name", "editors")];
        let answer = browser.post("/admin/auth/group/add/", &group).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let set = [
            ("password1", "battery staple 9"),
            ("password2", "battery staple 9"),
        ];
        let answer = browser.post(&format!("{path}password/"), &set).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let answer = browser
            .post(&format!("{path}delete/"), &[("post", "yes")])
            .await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        assert!(auth.users().get(olga.id).await.expect("is read").is_none());
        let kept = kept.0.lock().expect("not poisoned").clone();
        let actions: Vec<_> = ["change", "addition", "change", "deletion"].into();
        assert_eq!(kept.len(), actions.len(), "{kept:?}");
        for (line, action) in kept.iter().zip(actions) {
            assert!(line.starts_with("WARN"), "{line}");
            assert!(line.contains(&format!("action=\"{action}\"")), "{line}");
            assert!(
                !line.contains("olga") && !line.contains("battery"),
                "{line}"
            );
        }
        auth.db().close().await;
    }
}
