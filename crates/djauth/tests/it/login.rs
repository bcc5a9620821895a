//! Login, logout and the user of a session, without HTTP.

use std::sync::{Arc, Mutex};

use djauth::backends::{AllowAllUsersModelBackend, ModelBackend};
use djauth::db::{Executor, Sql};
use djauth::signals::{UserLoggedIn, UserLoggedOut};
use djauth::{Auth, BACKEND_SESSION_KEY, ErrorKind, HASH_SESSION_KEY, SESSION_KEY, User};
use serde_json::Value as Json;

use crate::auth_support::{
    FALLBACK, logged_in, now, on_each_auth, password, request, rotated_settings, saved, settings,
};
use crate::models::vectors;

async fn alice(auth: &Auth) -> User {
    auth.users()
        .create_user("alice", "", Some("secret"))
        .await
        .expect("creates")
}

async fn rows(auth: &Auth) -> i64 {
    static COUNT: Sql = Sql::new("SELECT COUNT(*) FROM django_session");
    let count = auth
        .db()
        .fetch_optional(&COUNT, &[], |row| row.get(0))
        .await;
    count.expect("counts").expect("a row")
}

#[test]
fn session_hashes_are_djangos() {
    let vectors = vectors();
    let text = |json: &Json| json.as_str().expect("text").to_owned();
    let keys = djauth::SecretKeys::with_fallbacks(
        djauth::SecretKey::new(text(&vectors["key"])).expect("a key"),
        vec![djauth::SecretKey::new(text(&vectors["fallback"])).expect("a key")],
    );
    for case in vectors["hashes"].as_array().expect("a list") {
        let mut user = User::default();
        user.base.password = text(&case["password"]);
        assert_eq!(user.base.get_session_auth_hash(&keys), case["hash"]);
        let fallbacks: Vec<_> = user.base.get_session_auth_fallback_hashes(&keys).collect();
        assert_eq!(serde_json::json!(fallbacks), case["fallbacks"]);
    }
}

#[tokio::test]
async fn a_login_cycles_keeps_or_flushes() {
    on_each_auth(async |database, auth, _| {
        let at = database.name();
        let (alice, bob) = (
            alice(&auth).await,
            auth.users().create_user("bob", "", None).await,
        );
        let mut bob = bob.expect("creates");
        // A hash that somebody copied from row to row: the session's hash alone would not tell them apart.
        bob.base.password.clone_from(&alice.base.password);
        let written = auth.users().save_fields(&bob, &["password"]).await;
        written.expect("saves");
        let visit = request(&auth, None);
        visit.session().insert("cart", &3).await.expect("sets");
        let anonymous = saved(visit.session()).await;

        // Nobody's session: a new key, the data stays.
        let visit = request(&auth, Some(&anonymous));
        auth.login(&visit, alice.clone(), None)
            .await
            .expect("logs in");
        let first = saved(visit.session()).await;
        assert_ne!(first, anonymous, "{at}");
        assert_eq!(rows(&auth).await, 1, "{at}: the old row is gone");
        let keys = visit.session().keys().await.expect("reads");
        assert_eq!(
            keys,
            ["cart", SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY]
        );
        let id = visit.session().get_str(SESSION_KEY).await.expect("reads");
        assert_eq!(id, Some(alice.id.to_string()));

        // The same user again: the same key.
        let visit = request(&auth, Some(&first));
        auth.login(&visit, alice.clone(), None)
            .await
            .expect("logs in");
        assert_eq!(saved(visit.session()).await, first, "{at}");

        // Another user: nothing is left.
        let visit = request(&auth, Some(&first));
        auth.login(&visit, bob, None).await.expect("logs in");
        let second = saved(visit.session()).await;
        assert_ne!(second, first, "{at}");
        assert!(!visit.session().contains_key("cart").await.expect("reads"));
        assert_eq!(rows(&auth).await, 1);

        // Somebody whose key is no text, as no version of Django writes it: nothing is left.
        let visit = request(&auth, None);
        visit.session().insert("cart", &3).await.expect("sets");
        visit.session().insert(SESSION_KEY, &7).await.expect("sets");
        let odd = saved(visit.session()).await;
        let visit = request(&auth, Some(&odd));
        auth.login(&visit, alice.clone(), None)
            .await
            .expect("logs in");
        assert_ne!(saved(visit.session()).await, odd, "{at}");
        assert!(!visit.session().contains_key("cart").await.expect("reads"));

        // The same user with another password: nothing is left either.
        let visit = request(&auth, Some(&logged_in(&auth, &alice).await));
        visit.session().insert("cart", &3).await.expect("sets");
        let mut changed = alice.clone();
        auth.set_password(&mut changed, "new")
            .await
            .expect("hashes");
        auth.login(&visit, changed, None).await.expect("logs in");
        assert!(!visit.session().contains_key("cart").await.expect("reads"));
    })
    .await;
}

/// Django reads the key of the user with `to_python`, so a number that an application wrote is good.
#[tokio::test]
async fn a_user_id_that_is_a_number_counts_as_its_text() {
    on_each_auth(async |database, auth, _| {
        let at = database.name();
        let alice = alice(&auth).await;
        let bob = auth.users().create_user("bob", "", None).await;
        let visit = request(&auth, Some(&logged_in(&auth, &alice).await));
        let session = visit.session();
        session.insert(SESSION_KEY, &alice.id).await.expect("sets");
        session.insert("cart", &3).await.expect("sets");
        let key = saved(session).await;

        let visit = request(&auth, Some(&key));
        let found = auth.get_user(visit.session()).await.expect("reads");
        assert_eq!(found.map(|user| user.id), Some(alice.id), "{at}");

        for strange in [serde_json::json!(1.5), serde_json::json!(true), Json::Null] {
            let visit = request(&auth, Some(&logged_in(&auth, &alice).await));
            let session = visit.session();
            session.insert(SESSION_KEY, &strange).await.expect("sets");
            let visit = request(&auth, Some(&saved(session).await));
            let found = auth.get_user(visit.session()).await.expect("reads");
            assert!(found.is_none(), "{at}: {strange}");
        }

        // The same user keeps the session; what it holds never comes to another one.
        auth.login(&visit, alice, None).await.expect("logs in");
        assert!(visit.session().contains_key("cart").await.expect("reads"));
        let visit = request(&auth, Some(&key));
        let bob = bob.expect("creates");
        auth.login(&visit, bob, None).await.expect("logs in");
        assert!(!visit.session().contains_key("cart").await.expect("reads"));
    })
    .await;
}

#[tokio::test]
async fn a_login_rotates_the_csrf_secret_and_writes_last_login() {
    on_each_auth(async |_, auth, _| {
        let alice = alice(&auth).await;
        let visit = request(&auth, None);
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let ears = heard.clone();
        auth.signals()
            .user_logged_in
            .connect(move |event: UserLoggedIn| {
                let ears = ears.clone();
                async move {
                    let row = event
                        .auth
                        .users()
                        .get(event.user.id)
                        .await?
                        .expect("is there");
                    ears.lock()
                        .expect("unpoisoned")
                        .push(format!("{:?}", row.base.last_login));
                    Ok::<_, djauth::Error>(())
                }
            });
        auth.login(&visit, alice.clone(), None)
            .await
            .expect("logs in");
        // The built-in receiver was connected first.
        assert_eq!(
            *heard.lock().expect("unpoisoned"),
            [format!("{:?}", Some(now()))]
        );
        let known = visit
            .cached_user::<User>()
            .expect("known")
            .expect("somebody");
        assert_eq!(known.id, alice.id);
        let row = auth
            .users()
            .get(alice.id)
            .await
            .expect("reads")
            .expect("there");
        assert_eq!(row.base.password, alice.base.password);
    })
    .await;
}

#[tokio::test]
async fn which_backend_logged_in_must_be_known() {
    on_each_auth(async |_, plain, _| {
        let alice = alice(&plain).await;
        let both = Auth::builder(settings())
            .backend(ModelBackend::new())
            .backend(AllowAllUsersModelBackend::new())
            .database(plain.db().clone())
            .expect("builds");
        let visit = request(&both, None);
        let refused = both
            .login(&visit, alice.clone(), None)
            .await
            .expect_err("which?");
        assert_eq!(refused.kind(), &ErrorKind::Value);
        assert!(
            !visit
                .session()
                .contains_key(SESSION_KEY)
                .await
                .expect("reads")
        );
        let named = Some(AllowAllUsersModelBackend::PATH);
        both.login(&visit, alice, named).await.expect("logs in");
        let known = both
            .authenticate(None, &password("alice", "secret"))
            .await
            .expect("answers");
        both.login(&visit, known.expect("alice"), None)
            .await
            .expect("logs in");
        let backend = visit
            .session()
            .get_str(BACKEND_SESSION_KEY)
            .await
            .expect("reads");
        assert_eq!(backend.as_deref(), Some(ModelBackend::PATH));
        let unsaved = both
            .login(&visit, User::default(), named)
            .await
            .expect_err("unsaved");
        assert_eq!(unsaved.kind(), &ErrorKind::Value);
    })
    .await;
}

/// The password changed between the check and the login: the session is worth nothing.
#[tokio::test]
async fn a_login_that_raced_a_password_change_is_none() {
    on_each_auth(async |_, auth, _| {
        alice(&auth).await;
        let user = auth
            .authenticate(None, &password("alice", "secret"))
            .await
            .expect("answers");
        let user = user.expect("alice");
        let mut changed = user.clone();
        auth.set_password(&mut changed, "new")
            .await
            .expect("hashes");
        auth.save_password(&changed).await.expect("saves");
        let key = logged_in(&auth, &user).await;
        let row = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        assert_eq!(
            row.base.password, changed.base.password,
            "the change stands"
        );
        let next = auth.sessions().open(Some(&key));
        assert!(auth.get_user(&next).await.expect("answers").is_none());
        assert_eq!(rows(&auth).await, 0, "the session is deleted");
    })
    .await;
}

#[tokio::test]
async fn logout_tells_then_deletes() {
    on_each_auth(async |_, auth, _| {
        let alice = alice(&auth).await;
        let key = logged_in(&auth, &alice).await;
        let heard: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let ears = heard.clone();
        auth.signals()
            .user_logged_out
            .connect(move |event: UserLoggedOut| {
                let ears = ears.clone();
                async move {
                    // The session is still there.
                    let still = event.request.session().contains_key(SESSION_KEY).await?;
                    let who = event.user.map(|user| format!("{user} {still}"));
                    ears.lock().expect("unpoisoned").push(who);
                    Ok::<_, djauth_sessions::Error>(())
                }
            });
        let visit = request(&auth, Some(&key));
        auth.logout(&visit).await.expect("logs out");
        assert!(visit.session().is_empty());
        assert_eq!(rows(&auth).await, 0);
        assert!(auth.user(&visit).await.expect("answers").is_none());
        auth.logout(&visit).await.expect("logs out nobody");
        let heard = heard.lock().expect("unpoisoned");
        assert_eq!(*heard, [Some("alice true".to_owned()), None]);
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_fails_stops_the_logout() {
    on_each_auth(async |_, auth, _| {
        let key = logged_in(&auth, &alice(&auth).await).await;
        auth.signals()
            .user_logged_out
            .connect(async |_: UserLoggedOut| Err::<(), _>("no"));
        let visit = request(&auth, Some(&key));
        let failed = auth.logout(&visit).await.expect_err("fails");
        assert_eq!(failed.kind(), &ErrorKind::Receiver);
        let again = auth.sessions().open(Some(&key));
        assert!(auth.get_user(&again).await.expect("answers").is_some());
    })
    .await;
}

#[tokio::test]
async fn ones_own_password_change_keeps_this_session_and_ends_the_others() {
    on_each_auth(async |_, auth, _| {
        let mut alice = alice(&auth).await;
        let root = auth
            .users()
            .create_superuser("root", "", None)
            .await
            .expect("creates");
        let (here, there) = (
            logged_in(&auth, &alice).await,
            logged_in(&auth, &alice).await,
        );
        let admin = logged_in(&auth, &root).await;
        auth.set_password(&mut alice, "new").await.expect("hashes");
        auth.save_password(&alice).await.expect("saves");
        let visit = request(&auth, Some(&here));
        // The page knew its user before the change.
        visit.set_user(Some(Arc::new(alice.clone())));
        auth.update_session_auth_hash(&visit, &alice)
            .await
            .expect("updates");
        let renewed = saved(visit.session()).await;
        assert_ne!(renewed, here);
        let user = |key: String| {
            let auth = auth.clone();
            async move {
                auth.get_user(&auth.sessions().open(Some(&key)))
                    .await
                    .expect("answers")
            }
        };
        assert_eq!(user(renewed).await.expect("still in").id, alice.id);
        assert!(user(here).await.is_none());
        assert!(user(there).await.is_none());
        // Somebody else's change: the admin's session gets a new key and stays the admin's.
        let visit = request(&auth, Some(&admin));
        auth.update_session_auth_hash(&visit, &alice)
            .await
            .expect("updates");
        let renewed = saved(visit.session()).await;
        assert_ne!(renewed, admin);
        assert_eq!(user(renewed).await.expect("still in").id, root.id);
    })
    .await;
}

/// The user of a session under each defect, and what becomes of the session.
#[tokio::test]
async fn the_user_of_a_session_is_djangos() {
    on_each_auth(async |database, auth, _| {
        let alice = alice(&auth).await;
        for (name, key, value, kept) in [
            ("no id", SESSION_KEY, None, true),
            ("no backend", BACKEND_SESSION_KEY, None, true),
            (
                "another backend",
                BACKEND_SESSION_KEY,
                Some("other.Backend"),
                true,
            ),
            ("no such user", SESSION_KEY, Some("424242"), true),
            ("no number", SESSION_KEY, Some("alice"), true),
            (
                "too large a number",
                SESSION_KEY,
                Some("99999999999999999999"),
                true,
            ),
            ("no hash", HASH_SESSION_KEY, None, false),
            ("an empty hash", HASH_SESSION_KEY, Some(""), false),
            ("a wrong hash", HASH_SESSION_KEY, Some("0123"), false),
        ] {
            for warm in [false, true] {
                let at = format!("{name}, warm {warm}, {}", database.name());
                let cookie = logged_in(&auth, &alice).await;
                if warm {
                    let user = auth.get_user(&auth.sessions().open(Some(&cookie))).await;
                    assert!(user.expect("answers").is_some(), "{at}");
                }
                let session = auth.sessions().open(Some(&cookie));
                match value {
                    Some(value) => session.insert(key, value).await.expect("sets"),
                    None => assert!(session.remove(key).await.expect("removes")),
                }
                session.save().await.expect("saves");
                let session = auth.sessions().open(Some(&cookie));
                assert!(
                    auth.get_user(&session).await.expect("answers").is_none(),
                    "{at}"
                );
                assert_eq!(session.session_key().is_some(), kept, "{at}");
                let again = auth.sessions().open(Some(&cookie));
                assert_eq!(
                    again.contains_key(SESSION_KEY).await.expect("reads")
                        || key == SESSION_KEY && kept,
                    kept,
                    "{at}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn inactive_users_are_logged_in_no_longer() {
    on_each_auth(async |_, auth, _| {
        let mut alice = alice(&auth).await;
        let key = logged_in(&auth, &alice).await;
        assert!(
            auth.get_user(&auth.sessions().open(Some(&key)))
                .await
                .expect("answers")
                .is_some()
        );
        alice.is_active = false;
        auth.users()
            .save_fields(&alice, &["is_active"])
            .await
            .expect("saves");
        let session = auth.sessions().open(Some(&key));
        assert!(auth.get_user(&session).await.expect("answers").is_none());
        assert_eq!(session.session_key(), Some(key), "the session stays");
        assert!(auth.verify(&session, &[]).await.expect("answers").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_fallback_key_renews_the_session_and_verify_does_not() {
    on_each_auth(async |database, auth, _| {
        let mut before = settings();
        before.secret_key = djauth::SecretKey::new(FALLBACK).expect("a key");
        let before = Auth::builder(before)
            .database(auth.db().clone())
            .expect("builds");
        let alice = alice(&before).await;
        let key = logged_in(&before, &alice).await;
        let after = Auth::builder(rotated_settings())
            .database(auth.db().clone())
            .expect("builds");
        for _ in 0..2 {
            let session = after.sessions().open(Some(&key));
            let verdict = after
                .verify(&session, &[])
                .await
                .expect("answers")
                .expect("logged in");
            assert_eq!(verdict.user.id, alice.id);
            assert!(!session.modified());
            assert_eq!(session.session_key().as_deref(), Some(key.as_str()));
        }
        let session = after.sessions().open(Some(&key));
        assert_eq!(
            after
                .get_user(&session)
                .await
                .expect("answers")
                .expect("in")
                .id,
            alice.id
        );
        let renewed = saved(&session).await;
        assert_ne!(renewed, key, "{}", database.name());
        // Without the old key the renewed session counts, and the old one is no session at all.
        let session = auth.sessions().open(Some(&renewed));
        assert_eq!(
            auth.get_user(&session)
                .await
                .expect("answers")
                .expect("in")
                .id,
            alice.id
        );
        let session = auth.sessions().open(Some(&key));
        assert!(auth.get_user(&session).await.expect("answers").is_none());
    })
    .await;
}

/// Two requests of two users on one `Auth`: nobody sees the other's user.
#[tokio::test]
async fn cve_2007_0405_users_are_not_shared_between_requests() {
    on_each_auth(async |_, auth, _| {
        let mut keys = Vec::new();
        for name in ["a", "b", "c"] {
            let user = auth
                .users()
                .create_user(name, "", None)
                .await
                .expect("creates");
            keys.push((name, logged_in(&auth, &user).await));
        }
        for round in 0..6 {
            for (name, key) in &keys {
                let visit = request(&auth, Some(key));
                let user = auth
                    .user(&visit)
                    .await
                    .expect("answers")
                    .expect("logged in");
                assert_eq!(user.username, *name, "round {round}");
            }
        }
        let nobody = request(&auth, None);
        assert!(auth.user(&nobody).await.expect("answers").is_none());
    })
    .await;
}
