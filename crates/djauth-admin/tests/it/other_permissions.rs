//! What a user may do, and why: by backends of an application's own, and with user models of its own.

use std::collections::{BTreeSet, HashSet};

use djauth::backends::{Backend, BackendError, BackendResult, Context, ModelBackend, Object};
use djauth::{Auth, User};
use djauth_admin::AdminExt;
use test_databases::TestDatabase;

use crate::graphs::{DIRECT, FLAG};
use crate::own_models::ClubMember;
use crate::permissions::{held, path};
use crate::support::{AdminBrowser, Kind, app, clock, on_each_own_site, person, settings};

/// Grants something to one user, and refuses something to everybody.
struct Weekend;

impl Backend<User> for Weekend {
    fn path(&self) -> &str {
        "house.backends.Weekend"
    }

    async fn get_user_permissions(
        &self,
        _: Context<'_, User>,
        user: &User,
        _: Option<&Object>,
    ) -> BackendResult<HashSet<String>> {
        let given = ["auth.add_user", "magic.fly"];
        let given = given.iter().filter(|_| user.username == "guest");
        Ok(given.map(|perm| (*perm).to_owned()).collect())
    }

    async fn has_perm(
        &self,
        cx: Context<'_, User>,
        user: &User,
        perm: &str,
        obj: Option<&Object>,
    ) -> BackendResult<bool> {
        match perm {
            "auth.delete_user" => Err(BackendError::PermissionDenied),
            "magic.whisper" => Ok(true),
            _ => Ok(self
                .get_all_permissions(cx, user, obj)
                .await?
                .contains(perm)),
        }
    }
}

#[tokio::test]
async fn other_backends_are_named() {
    let database = TestDatabase::sqlite();
    let builder = Auth::builder(settings()).clock(clock());
    let builder = builder.backend(Weekend).backend(ModelBackend::new());
    let auth = builder.connect(database.url()).await.expect("connects");
    auth.migrate().await.expect("migrates");
    person(&auth, "root", Kind::SUPERUSER).await;
    let guest = Kind {
        staff: false,
        ..Kind::with(&["auth.add_user", "auth.delete_user"])
    };
    let guest = person(&auth, "guest", guest).await;
    let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
    browser.enter("root").await;
    let page = browser.get(&path(&guest)).await;
    let held = held(&page);
    let by = "by the backend house.backends.Weekend".to_owned();
    assert_eq!(
        held["auth.add_user"],
        BTreeSet::from([by.clone(), DIRECT.to_owned()])
    );
    assert_eq!(held["magic.fly"], BTreeSet::from([by]));
    assert!(
        page.shows("This site also asks other backends"),
        "{}",
        page.text
    );
    for (perm, says) in [
        ("auth.delete_user", "but a backend of this site refuses it"),
        ("magic.whisper", "A backend of this site says so"),
        ("magic.fly", "Yes, “guest” has the permission “magic.fly”"),
    ] {
        let page = browser.get(&format!("{}?perm={perm}", path(&guest))).await;
        assert!(page.shows(says), "{perm}: {}", page.text);
    }
}

#[tokio::test]
async fn own_models_have_reasons_too() {
    on_each_own_site(async |_, ada, mut browser| {
        let path = format!("/admin/accounts/account/{}/permissions/", ada.id);
        let page = browser
            .get(&format!("{path}?perm=accounts.add_account"))
            .await;
        assert!(page.shows("Yes, “ada@example.com”"), "{}", page.text);
        let held = held(&page);
        assert_eq!(
            held["accounts.add_account"],
            BTreeSet::from([FLAG.to_owned()])
        );
        for wrong in ["5", "00000000-0000-0000-0000-000000000000", "%00"] {
            let answer = browser
                .get(&format!("/admin/accounts/account/{wrong}/permissions/"))
                .await;
            assert_eq!(answer.location(), "/admin/", "{wrong}");
        }
        let change = browser
            .get(&format!("/admin/accounts/account/{}/change/", ada.id))
            .await;
        assert!(change.leads_to(&path));
    })
    .await;
}

/// Gives staff of a model without permissions the right to look.
struct Lends;

impl Backend<ClubMember> for Lends {
    fn path(&self) -> &str {
        "clubs.backends.Lends"
    }

    async fn get_user(
        &self,
        cx: Context<'_, ClubMember>,
        id: i64,
    ) -> BackendResult<Option<ClubMember>> {
        Ok(cx.auth.users().get(id).await?)
    }

    async fn get_user_permissions(
        &self,
        _: Context<'_, ClubMember>,
        _: &ClubMember,
        _: Option<&Object>,
    ) -> BackendResult<HashSet<String>> {
        Ok(HashSet::from([
            "clubs.view_clubmember".to_owned(),
            "auth.view_permission".to_owned(),
        ]))
    }
}

#[tokio::test]
async fn a_model_without_permissions_says_so() {
    let database = TestDatabase::sqlite();
    let builder = Auth::builder(settings())
        .clock(clock())
        .user_model::<ClubMember>();
    let builder = builder.backend(ModelBackend::new()).backend(Lends);
    let auth = builder.connect(database.url()).await.expect("connects");
    auth.migrate().await.expect("migrates");
    let made = auth
        .users()
        .create_superuser("ada", "", Some("correct horse"));
    let ada = made.await.expect("is made");
    let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
    browser.enter("ada").await;
    let page = browser
        .get(&format!("/admin/clubs/clubmember/{}/permissions/", ada.id))
        .await;
    assert_eq!(page.status(), 200, "{}", page.text);
    assert!(
        page.shows("have no groups and no permissions"),
        "{}",
        page.text
    );
    assert!(page.shows("by the backend clubs.backends.Lends"));
    for list in [
        "/admin/auth/permission/",
        "/admin/auth/permission/1/holders/",
    ] {
        assert_eq!(browser.get(list).await.status(), 404, "{list}");
    }
    assert!(
        !browser
            .get("/admin/")
            .await
            .leads_to("/admin/auth/permission/")
    );
}
