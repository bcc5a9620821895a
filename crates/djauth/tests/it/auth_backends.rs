//! The chain of backends, and work that tells nothing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use djauth::backends::{
    AllowAllUsersModelBackend, Backend, BackendError, BackendResult, Context, ModelBackend, Object,
};
use djauth::signals::UserLoginFailed;
use djauth::{AnonymousUser, Auth, Credentials, ErrorKind, User};
use test_databases::TestDatabase;

use crate::auth_support::{CountingHasher, on_each_auth, password, settings};

/// A backend that does as it is told, and notes that it was asked.
#[derive(Clone)]
struct Told {
    name: &'static str,
    answer: Answer,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

#[derive(Clone, Copy)]
enum Answer {
    Nothing,
    Denied,
    Broken,
    Yes,
}

impl Told {
    fn answer<T>(&self, nothing: T, yes: T) -> BackendResult<T> {
        self.asked.lock().expect("unpoisoned").push(self.name);
        match self.answer {
            Answer::Nothing => Ok(nothing),
            Answer::Yes => Ok(yes),
            Answer::Denied => Err(BackendError::PermissionDenied),
            Answer::Broken => Err(BackendError::failed("the directory is away")),
        }
    }
}

impl Backend<User> for Told {
    fn path(&self) -> &str {
        self.name
    }
    fn accepts(&self, credentials: &Credentials) -> bool {
        credentials.get("token").is_some()
    }
    async fn authenticate(
        &self,
        cx: Context<'_, User>,
        _: &Credentials,
    ) -> BackendResult<Option<User>> {
        let user = cx.auth.users().get_by_natural_key("alice").await?;
        self.answer(None, user)
    }
    async fn has_perm(
        &self,
        _: Context<'_, User>,
        _: &User,
        _: &str,
        _: Option<&Object>,
    ) -> BackendResult<bool> {
        self.answer(false, true)
    }
    async fn get_anonymous_permissions(
        &self,
        _: Context<'_, User>,
        _: Option<&Object>,
    ) -> BackendResult<HashSet<String>> {
        self.answer(HashSet::new(), HashSet::from(["polls.vote".to_owned()]))
    }
}

/// An `Auth` with these backends; what they note.
async fn with_backends(
    auth: &Auth,
    answers: &[(&'static str, Answer)],
) -> (Auth, Arc<Mutex<Vec<&'static str>>>) {
    let asked = Arc::default();
    let mut builder = Auth::builder(settings());
    for (name, answer) in answers {
        builder = builder.backend(Told {
            name,
            answer: *answer,
            asked: Arc::clone(&asked),
        });
    }
    let auth = builder
        .backend(ModelBackend::new())
        .database(auth.db().clone());
    (auth.expect("builds"), asked)
}

#[tokio::test]
async fn backends_are_asked_in_order_until_one_knows() {
    on_each_auth(async |_, plain, _| {
        plain
            .users()
            .create_user("alice", "", Some("secret"))
            .await
            .expect("creates");
        let token = Credentials::new().with("token", "t");
        for (answers, who, asked_of) in [
            (
                &[("a", Answer::Nothing), ("b", Answer::Yes)][..],
                Some("b"),
                &["a", "b"][..],
            ),
            (&[("a", Answer::Yes), ("b", Answer::Yes)], Some("a"), &["a"]),
            (&[("a", Answer::Denied), ("b", Answer::Yes)], None, &["a"]),
            (&[("a", Answer::Nothing)], None, &["a"]),
        ] {
            let (auth, asked) = with_backends(&plain, answers).await;
            let user = auth.authenticate(None, &token).await.expect("answers");
            assert_eq!(user.as_ref().and_then(|user| user.base.backend()), who);
            assert_eq!(asked.lock().expect("unpoisoned").as_slice(), asked_of);
        }
        let (auth, asked) =
            with_backends(&plain, &[("a", Answer::Broken), ("b", Answer::Yes)]).await;
        let failed = auth
            .authenticate(None, &token)
            .await
            .expect_err("unknown is no answer");
        assert_eq!(failed.kind(), &ErrorKind::Backend);
        assert_eq!(asked.lock().expect("unpoisoned").as_slice(), ["a"]);
        // Backends that do not take such credentials are passed over.
        asked.lock().expect("unpoisoned").clear();
        let user = auth
            .authenticate(None, &password("alice", "secret"))
            .await
            .expect("answers");
        assert_eq!(
            user.expect("alice").base.backend(),
            Some(ModelBackend::PATH)
        );
        assert!(asked.lock().expect("unpoisoned").is_empty());
    })
    .await;
}

#[tokio::test]
async fn permission_denied_ends_the_search() {
    on_each_auth(async |_, plain, _| {
        let alice = plain
            .users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        let root = plain
            .users()
            .create_superuser("root", "", None)
            .await
            .expect("creates");
        for (answers, wanted) in [
            (&[("a", Answer::Denied), ("b", Answer::Yes)][..], false),
            (&[("a", Answer::Nothing), ("b", Answer::Yes)], true),
            (&[("a", Answer::Nothing)], false),
        ] {
            let (auth, _) = with_backends(&plain, answers).await;
            assert_eq!(
                auth.has_perm(&alice, "polls.vote", None)
                    .await
                    .expect("answers"),
                wanted
            );
            let nobody = AnonymousUser.has_perm(&auth, "polls.vote", None).await;
            assert_eq!(nobody.expect("answers"), wanted);
            assert!(
                auth.has_perm(&root, "polls.vote", None)
                    .await
                    .expect("answers")
            );
        }
        let (auth, _) = with_backends(&plain, &[("a", Answer::Broken)]).await;
        let failed = auth
            .has_perm(&alice, "polls.vote", None)
            .await
            .expect_err("unknown");
        assert_eq!(failed.kind(), &ErrorKind::Backend);
        AnonymousUser
            .has_perm(&auth, "polls.vote", None)
            .await
            .expect_err("unknown");
    })
    .await;
}

#[tokio::test]
async fn a_failed_login_is_told_without_its_secrets() {
    on_each_auth(async |_, auth, _| {
        let heard: Arc<Mutex<Vec<Credentials>>> = Arc::default();
        let ears = heard.clone();
        auth.signals()
            .user_login_failed
            .connect(move |event: UserLoginFailed| {
                ears.lock().expect("unpoisoned").push(event.credentials);
                async {}
            });
        let tried = password("alice", "hunter2").with("otp", "123");
        assert!(
            auth.authenticate(None, &tried)
                .await
                .expect("answers")
                .is_none()
        );
        let heard = heard.lock().expect("unpoisoned");
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].get("username"), Some("alice"));
        assert_eq!(heard[0].get("password"), Some("********************"));
        assert_eq!(heard[0].get("otp"), Some("123"));
    })
    .await;
}

#[tokio::test]
async fn inactive_users_log_in_only_where_all_may() {
    on_each_auth(async |_, auth, _| {
        let off = |user: &mut User| user.is_active = false;
        auth.users()
            .create_user_with("alice", "", Some("secret"), off)
            .await
            .expect("creates");
        let right = password("alice", "secret");
        assert!(
            auth.authenticate(None, &right)
                .await
                .expect("answers")
                .is_none()
        );
        let all = Auth::builder(settings()).backend(AllowAllUsersModelBackend::new());
        let all = all.database(auth.db().clone()).expect("builds");
        let user = all
            .authenticate(None, &right)
            .await
            .expect("answers")
            .expect("let in");
        assert!(
            all.get_all_permissions(&user, None)
                .await
                .expect("answers")
                .is_empty()
        );
    })
    .await;
}

/// An inactive user with a wrong password is told nothing else than anybody.
#[tokio::test]
async fn cve_2018_6188_inactive_is_not_told() {
    on_each_auth(async |_, auth, _| {
        let off = |user: &mut User| user.is_active = false;
        auth.users()
            .create_user_with("alice", "", Some("secret"), off)
            .await
            .expect("creates");
        for tried in [
            password("alice", "wrong"),
            password("nobody", "wrong"),
            password("alice", "secret"),
        ] {
            assert!(
                auth.authenticate(None, &tried)
                    .await
                    .expect("answers")
                    .is_none()
            );
        }
    })
    .await;
}

async fn counting(database: &TestDatabase, hasher: &CountingHasher) -> Auth {
    let builder = Auth::builder(settings())
        .password_hashers(hasher.list())
        .expect("hashers");
    let auth = builder.connect(database.url()).await.expect("connects");
    auth.migrate().await.expect("migrates");
    auth
}

/// The work of one login.
async fn work(auth: &Auth, hasher: &CountingHasher, username: &str, raw: &str) -> usize {
    hasher.take();
    auth.authenticate(None, &password(username, raw))
        .await
        .expect("answers");
    hasher.take()
}

#[tokio::test]
async fn cve_2025_13473_unknown_inactive_and_known_users_cost_the_same() {
    for database in TestDatabase::all() {
        let hasher = CountingHasher::new(10);
        let auth = counting(&database, &hasher).await;
        let off = |user: &mut User| user.is_active = false;
        auth.users()
            .create_user("alice", "", Some("secret"))
            .await
            .expect("creates");
        auth.users()
            .create_user_with("idle", "", Some("secret"), off)
            .await
            .expect("creates");
        for (name, raw) in [
            ("alice", "wrong"),
            ("alice", "secret"),
            ("idle", "secret"),
            ("idle", "x"),
            ("nobody", "x"),
            ("no\0body", "x"),
            ("", ""),
        ] {
            assert_eq!(
                work(&auth, &hasher, name, raw).await,
                10,
                "{name} on {}",
                database.name()
            );
        }
        let long = "n".repeat(100_000);
        assert_eq!(work(&auth, &hasher, &long, "x").await, 10);
        // Without a name or a password there is nothing to look up and nothing to hash.
        hasher.take();
        for tried in [
            Credentials::new(),
            Credentials::new().with("username", "alice"),
        ] {
            assert!(
                auth.authenticate(None, &tried)
                    .await
                    .expect("answers")
                    .is_none()
            );
        }
        assert_eq!(hasher.take(), 0);
        auth.db().close().await;
    }
}

#[tokio::test]
async fn cve_2024_39329_an_unusable_password_costs_one_hash() {
    for database in TestDatabase::all() {
        let hasher = CountingHasher::new(10);
        let auth = counting(&database, &hasher).await;
        auth.users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        let odd = |user: &mut User| user.is_active = true;
        let mut odd = auth
            .users()
            .create_user_with("odd", "", None, odd)
            .await
            .expect("creates");
        assert_eq!(work(&auth, &hasher, "alice", "x").await, 10);
        for stored in ["", "unknown$1$2", "counting", "$$$$", "\u{fffd}"] {
            odd.base.password = stored.to_owned();
            auth.save_password(&odd).await.expect("saves");
            let done = work(&auth, &hasher, "odd", "x").await;
            assert!(done >= 10, "{stored:?} cost {done} on {}", database.name());
        }
        auth.db().close().await;
    }
}

#[tokio::test]
async fn cve_2016_2513_an_old_work_factor_costs_as_much() {
    for database in TestDatabase::all() {
        let old = CountingHasher::new(3);
        let auth = counting(&database, &old).await;
        auth.users()
            .create_user("alice", "", Some("secret"))
            .await
            .expect("creates");
        let mut new = old.clone();
        new.rounds = 10;
        let auth = Auth::builder(settings())
            .password_hashers(new.list())
            .expect("hashers");
        let auth = auth.connect(database.url()).await.expect("connects");
        assert_eq!(
            work(&auth, &new, "alice", "wrong").await,
            10,
            "3 of the old, 7 more"
        );
        // A right password is stored anew.
        work(&auth, &new, "alice", "secret").await;
        let alice = auth
            .users()
            .get_by_natural_key("alice")
            .await
            .expect("reads")
            .expect("there");
        assert!(alice.base.password.starts_with("counting$10$"));
        assert_eq!(work(&auth, &new, "alice", "secret").await, 10);
        auth.db().close().await;
    }
}

#[tokio::test]
async fn an_upgrade_never_undoes_a_password_change() {
    for database in TestDatabase::all() {
        let old = CountingHasher::new(1);
        let auth = counting(&database, &old).await;
        let mut user = auth
            .users()
            .create_user("alice", "", Some("old"))
            .await
            .expect("creates");
        let mut new = old.clone();
        new.rounds = 2;
        let auth = Auth::builder(settings())
            .password_hashers(new.list())
            .expect("hashers");
        let auth = auth.connect(database.url()).await.expect("connects");
        // `user` was read before somebody changes the password.
        let mut other = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        auth.set_password(&mut other, "changed")
            .await
            .expect("hashes");
        auth.save_password(&other).await.expect("saves");
        assert!(!auth.check_password(&mut user, "old").await.expect("checks"));
        let row = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        assert_eq!(
            row.base.password,
            other.base.password,
            "{}",
            database.name()
        );
        // Two logins that upgrade at once: both succeed, and both hold what the row holds.
        let mut stale = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        let hash = djauth_hashers::Hashers::new(old.list()).expect("a list");
        stale.base.password = hash.make_password(Some("changed")).expect("hashes");
        auth.save_password(&stale).await.expect("saves");
        let (mut a, mut b) = (stale.clone(), stale.clone());
        let (x, y) = tokio::join!(
            auth.check_password(&mut a, "changed"),
            auth.check_password(&mut b, "changed")
        );
        assert!(x.expect("checks") && y.expect("checks"));
        let row = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        assert_eq!(a.base.password, row.base.password);
        assert_eq!(b.base.password, row.base.password);
        // A row that is gone has no password.
        auth.users().delete(&row).await.expect("deletes");
        assert!(
            !auth
                .check_password(&mut stale, "changed")
                .await
                .expect("checks")
        );
        auth.db().close().await;
    }
}

/// A failure is no answer: neither "wrong password" nor "not logged in" nor "forbidden".
#[tokio::test]
async fn a_database_that_is_gone_is_an_error_everywhere() {
    on_each_auth(async |_, auth, _| {
        let user = auth
            .users()
            .create_user("alice", "", Some("secret"))
            .await
            .expect("creates");
        let key = crate::auth_support::logged_in(&auth, &user).await;
        auth.get_user(&auth.sessions().open(Some(&key)))
            .await
            .expect("answers");
        auth.db().close().await;
        let gone = |error: djauth::Error| {
            let kinds = [ErrorKind::Unavailable, ErrorKind::Database];
            assert!(kinds.contains(error.kind()), "{error:?}");
        };
        gone(
            auth.authenticate(None, &password("alice", "secret"))
                .await
                .expect_err("gone"),
        );
        gone(
            auth.authenticate(None, &password("nobody", "secret"))
                .await
                .expect_err("gone"),
        );
        gone(
            auth.has_perm(&user, "auth.view_user", None)
                .await
                .expect_err("gone"),
        );
        for key in [key.as_str(), "abcdefghijklmnopqrstuvwxyz012345"] {
            let session = auth.sessions().open(Some(key));
            gone(auth.get_user(&session).await.expect_err("gone"));
            gone(
                auth.verify(&session, &["auth.view_user"])
                    .await
                    .expect_err("gone"),
            );
            assert_eq!(
                session.session_key().as_deref(),
                Some(key),
                "the cookie stays"
            );
        }
    })
    .await;
}

/// Plain bcrypt takes no long passwords: that must not tell known names from unknown ones.
#[tokio::test]
async fn a_password_too_long_to_hash_is_only_wrong() {
    on_each_auth(async |_, plain, _| {
        let mut settings = settings();
        settings.password_hashers = vec!["django.contrib.auth.hashers.BCryptPasswordHasher".into()];
        let few = std::collections::BTreeMap::from([("rounds".to_owned(), 4)]);
        settings
            .password_hasher_parameters
            .algorithms
            .insert("bcrypt".to_owned(), few);
        let auth = Auth::builder(settings)
            .database(plain.db().clone())
            .expect("builds");
        auth.users()
            .create_user("alice", "", Some("secret"))
            .await
            .expect("creates");
        let long = "x".repeat(100);
        for name in ["alice", "nobody"] {
            let answer = auth.authenticate(None, &password(name, &long)).await;
            assert!(answer.expect("an answer").is_none(), "{name}");
        }
        let refused = auth
            .users()
            .create_user("bob", "", Some(&long))
            .await
            .expect_err("too long");
        assert_eq!(refused.kind(), &ErrorKind::Value);
    })
    .await;
}
