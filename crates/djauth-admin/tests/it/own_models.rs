//! User models of an application.

use std::fmt;

use axum::Router;
use djauth::db::{Executor, Sql};
use djauth::{AbstractBaseUser, Auth, BaseUser, PermissionsMixin};
use djauth_admin::{AdminExt, AdminSite};
use test_databases::TestDatabase;
use uuid::Uuid;

use crate::change::{form_of, send, with};
use crate::support::{AdminBrowser, PASSWORD, app, clock, settings};

/// An address as the login name, and UUIDs as keys.
#[derive(Clone, Debug, BaseUser)]
#[django(
    app_label = "accounts",
    USERNAME_FIELD = "email",
    REQUIRED_FIELDS("full_name")
)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    base: AbstractBaseUser,
    permissions: PermissionsMixin,
    #[django(max_length = 254, unique)]
    pub(crate) email: String,
    #[django(max_length = 100)]
    pub(crate) full_name: String,
    pub(crate) is_staff: bool,
    #[django(default = true)]
    is_active: bool,
}

/// A model without groups and permissions.
#[derive(Clone, Debug, BaseUser)]
#[django(app_label = "clubs")]
pub(crate) struct ClubMember {
    pub(crate) id: i64,
    base: AbstractBaseUser,
    #[django(max_length = 50, unique)]
    pub(crate) username: String,
    pub(crate) is_staff: bool,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.email)
    }
}

impl fmt::Display for ClubMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.username)
    }
}

pub(crate) async fn auth_of<U: BaseUser>(database: &TestDatabase) -> Auth<U> {
    let builder = Auth::builder(settings()).clock(clock()).user_model::<U>();
    let auth = builder.connect(database.url()).await.expect("connects");
    auth.migrate().await.expect("migrates");
    auth
}

/// A site with a superuser, who is logged in.
async fn entered<U: BaseUser>(auth: &Auth<U>, admin: Router, name: &str) -> AdminBrowser {
    let made = auth.users().create_superuser(name, "", Some(PASSWORD));
    made.await.expect("is made");
    let mut browser = AdminBrowser::new(app(auth, admin));
    browser.enter(name).await;
    browser
}

#[tokio::test]
async fn an_own_model_has_its_own_addresses() {
    for database in TestDatabase::all() {
        let auth = auth_of::<Account>(&database).await;
        AdminSite::new(&auth).check().expect("names fields");
        let mut browser = entered(&auth, auth.admin(), "ada@example.com").await;
        let page = browser.get("/admin/").await;
        for link in [
            "/admin/accounts/account/",
            "/admin/accounts/account/add/",
            "/admin/auth/group/",
            "/admin/accounts/",
            "/admin/auth/",
        ] {
            assert!(page.leads_to(link), "{link}: {}", page.text);
        }
        assert!(page.shows("Accounts") && page.shows("<bdi>ada@example.com"));
        assert_eq!(browser.get("/admin/accounts/").await.status(), 200);
        assert_eq!(browser.get("/admin/auth/user/").await.status(), 404);
        auth.db().close().await;
    }
}

#[tokio::test]
async fn a_model_without_groups_has_no_groups() {
    let database = TestDatabase::sqlite();
    let auth = auth_of::<ClubMember>(&database).await;
    AdminSite::new(&auth).check().expect("names fields");
    let mut browser = entered(&auth, auth.admin(), "ada").await;
    let page = browser.get("/admin/").await;
    assert_eq!(page.status(), 200);
    assert!(!page.leads_to("/admin/auth/group/"), "{}", page.text);
    assert_eq!(browser.get("/admin/auth/group/").await.status(), 404);
}

#[tokio::test]
async fn an_own_model_is_added_changed_and_deleted() {
    for database in TestDatabase::all() {
        let auth = auth_of::<Account>(&database).await;
        let mut browser = entered(&auth, auth.admin(), "ada@example.com").await;
        let fields = [
            ("email", "nora@example.com"),
            ("full_name", "Nora"),
            ("usable_password", "false"),
        ];
        let answer = browser.post("/admin/accounts/account/add/", &fields).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let nora = auth.users().get_by_natural_key("nora@example.com").await;
        let nora = nora.expect("is read").expect("is there");
        let path = format!("/admin/accounts/account/{}/", nora.id);
        assert_eq!(answer.location(), format!("{path}change/"));
        let change = format!("{path}change/");
        let form = form_of(&browser.get(&change).await);
        let form = with(&form, "full_name", "Nora N.");
        let answer = send(&mut browser, &change, &form).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let now = auth.users().get(nora.id).await.expect("is read");
        assert_eq!(now.expect("is there").full_name, "Nora N.");
        let history = browser.get(&format!("{path}history/")).await;
        assert!(history.shows("Full name.") && history.shows("<bdi>ada@example.com</bdi></td>"));
        let log = "/admin/log/?kind=change&who=ada%40example.com&model=accounts.account";
        let log = browser.get(log).await;
        assert_eq!(log.text.matches("<time ").count(), 2, "{}", log.text);
        assert!(log.leads_to(&change));
        let sql = Sql::new("SELECT object_id FROM django_admin_log ORDER BY id");
        let ids = auth.db().fetch(&sql, &[], |row| row.get::<String>(0));
        assert_eq!(
            ids.await.expect("the log"),
            [nora.id.to_string(), nora.id.to_string()]
        );
        let delete = format!("{path}delete/");
        let answer = browser.post(&delete, &[("post", "yes")]).await;
        assert_eq!(answer.location(), "/admin/accounts/account/");
        assert!(auth.users().get(nora.id).await.expect("is read").is_none());
        auth.db().close().await;
    }
}

#[tokio::test]
async fn a_model_without_groups_is_changed_too() {
    for database in TestDatabase::all() {
        let auth = auth_of::<ClubMember>(&database).await;
        let mut browser = entered(&auth, auth.admin(), "ada").await;
        // There are no permissions that could let anybody do anything.
        let page = browser.get("/admin/clubs/clubmember/add/").await;
        assert_eq!(page.status(), 403, "{}", page.text);
        auth.db().close().await;
    }
}
