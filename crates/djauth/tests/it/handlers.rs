//! What HTTP servers ask: `djauth::handlers`, on each database.

use djauth::handlers::modwsgi::{check_password, groups_for_user};
use djauth::{Auth, User};
use test_databases::TestDatabase;

use crate::auth_support::{CountingHasher, on_each_auth, settings};

async fn counting(database: &TestDatabase, hasher: &CountingHasher) -> Auth {
    let builder = Auth::builder(settings()).password_hashers(hasher.list());
    let auth = builder.unwrap().connect(database.url()).await.unwrap();
    auth.migrate().await.unwrap();
    auth
}

/// `None` for nobody and for the inactive, as Django's handler; CVE-2025-13473: the same work for all.
#[tokio::test]
async fn cve_2025_13473_the_handler_takes_as_long_for_everybody() {
    for database in TestDatabase::all() {
        let hasher = CountingHasher::new(10);
        let auth = counting(&database, &hasher).await;
        let off = |user: &mut User| user.is_active = false;
        auth.users()
            .create_user("alice", "", Some("secret"))
            .await
            .unwrap();
        auth.users()
            .create_user_with("idle", "", Some("secret"), off)
            .await
            .unwrap();
        auth.users()
            .create_user("unusable", "", None)
            .await
            .unwrap();
        for (name, raw, expected) in [
            ("alice", "secret", Some(true)),
            ("alice", "wrong", Some(false)),
            ("alice", "", Some(false)),
            ("unusable", "secret", Some(false)),
            ("idle", "secret", None),
            ("nobody", "secret", None),
            ("", "", None),
        ] {
            hasher.take();
            let answer = check_password(&auth, name, raw).await.unwrap();
            assert_eq!(answer, expected, "{name} {raw}");
            assert_eq!(hasher.take(), 10, "{name} {raw} on {}", database.name());
        }
        auth.db().close().await;
        assert!(check_password(&auth, "alice", "secret").await.is_err());
    }
}

#[tokio::test]
async fn groups_are_told_of_active_users() {
    on_each_auth(async |_, auth, _| {
        let off = |user: &mut User| user.is_active = false;
        let alice = auth.users().create_user("alice", "", None).await.unwrap();
        let idle = auth
            .users()
            .create_user_with("idle", "", None, off)
            .await
            .unwrap();
        let mut names = Vec::new();
        for name in ["Site Editors", "r\u{e9}dacteurs"] {
            let group = auth.groups().create(name).await.unwrap();
            auth.users()
                .groups(&alice)
                .unwrap()
                .add(&[group.id])
                .await
                .unwrap();
            auth.users()
                .groups(&idle)
                .unwrap()
                .add(&[group.id])
                .await
                .unwrap();
            names.push(name.to_owned());
        }
        let mut told = groups_for_user(&auth, "alice").await.unwrap();
        told.sort_unstable();
        names.sort_unstable();
        assert_eq!(told, names);
        for nobody in ["idle", "nobody", ""] {
            assert_eq!(groups_for_user(&auth, nobody).await.unwrap(), [""; 0]);
        }
    })
    .await;
}
