//! The one statement answers as the slow steps do, on random states.

use chrono::TimeDelta;
use djauth::backends::{
    AllowAllUsersModelBackend, Backend, BackendResult, Context, ModelBackend, Object,
};
use djauth::db::{Executor, Sql, Value};
use djauth::settings::{SecretUrl, SessionEngine};
use djauth::{Auth, BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, SecretKey, User};
use djauth_signing::FixedClock;

use crate::auth_support::{FALLBACK, logged_in, on_each_auth, rotated_settings, settings};

/// `ModelBackend` that is not known to be rows: each of its answers takes its own statements.
struct Slowly(ModelBackend);

impl Backend<User> for Slowly {
    fn path(&self) -> &str {
        ModelBackend::PATH
    }
    async fn get_user(&self, cx: Context<'_, User>, id: i32) -> BackendResult<Option<User>> {
        self.0.get_user(cx, id).await
    }
    async fn has_perm(
        &self,
        cx: Context<'_, User>,
        user: &User,
        perm: &str,
        obj: Option<&Object>,
    ) -> BackendResult<bool> {
        self.0.has_perm(cx, user, perm, obj).await
    }
}

/// A small generator, so that a failing seed repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % n
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

const PERMS: [&str; 8] = [
    "auth.view_user",
    "auth.add_user",
    "auth.change_group",
    "auth.VIEW_user",
    "auth.none",
    "none",
    "a.b.c",
    "auth.delete_user",
];

struct World {
    fast: Auth,
    slow: Auth,
    before: Auth,
    clock: FixedClock,
    users: Vec<User>,
    keys: Vec<String>,
    permissions: Vec<i32>,
    groups: Vec<i32>,
}

impl World {
    async fn new(auth: Auth, clock: FixedClock) -> Self {
        let build = |settings, slowly: bool| {
            let builder = Auth::builder(settings).clock(clock.clone());
            let builder = if slowly {
                builder.backend(Slowly(ModelBackend::new()))
            } else {
                builder
            };
            builder.database(auth.db().clone()).expect("builds")
        };
        let mut old = settings();
        old.secret_key = SecretKey::new(FALLBACK).expect("a key");
        let (fast, slow) = (
            build(rotated_settings(), false),
            build(rotated_settings(), true),
        );
        let before = build(old, false);
        let mut world = Self {
            permissions: Vec::new(),
            groups: Vec::new(),
            users: Vec::new(),
            keys: Vec::new(),
            fast,
            slow,
            before,
            clock,
        };
        for codename in ["view_user", "add_user", "change_group", "delete_user"] {
            let model = codename.rsplit('_').next().expect("a model");
            let found = auth
                .permissions()
                .get_by_natural_key(codename, "auth", model)
                .await;
            world
                .permissions
                .push(found.expect("reads").expect("made by migrate").id);
        }
        for n in 0..3 {
            world.groups.push(
                auth.groups()
                    .create(&format!("g{n}"))
                    .await
                    .expect("creates")
                    .id,
            );
            world.add_user(n).await;
        }
        world
    }

    async fn add_user(&mut self, n: usize) {
        let name = format!("u{n}");
        let made = self.fast.users().create_user(&name, "", Some("x")).await;
        self.users.push(made.expect("creates"));
    }

    /// Changes something underneath.
    async fn step(&mut self, dice: &mut Dice) {
        let at = dice.below(self.users.len());
        let auth = if dice.below(4) == 0 {
            self.before.clone()
        } else {
            self.fast.clone()
        };
        match dice.below(12) {
            0..=2 => self.keys.push(logged_in(&auth, &self.users[at]).await),
            3 => self.flag(at, "is_active", dice.below(2) == 0).await,
            4 => self.flag(at, "is_superuser", dice.below(3) == 0).await,
            5 => {
                auth.set_password(&mut self.users[at], "y")
                    .await
                    .expect("hashes");
                auth.save_password(&self.users[at]).await.expect("saves");
            }
            6 => {
                let link = auth.users().user_permissions(&self.users[at]).expect("p");
                let id = *dice.one(&self.permissions);
                if dice.below(2) == 0 {
                    link.add(&[id]).await
                } else {
                    link.remove(&[id]).await
                }
                .expect("links");
            }
            7 => {
                let link = auth.users().groups(&self.users[at]).expect("g");
                link.set(&[*dice.one(&self.groups)]).await.expect("links");
            }
            8 => {
                let group = auth
                    .groups()
                    .get(*dice.one(&self.groups))
                    .await
                    .expect("reads");
                let link = auth.groups().permissions(group.as_ref().expect("there"));
                link.set(&[*dice.one(&self.permissions)])
                    .await
                    .expect("links");
            }
            9 => self.spoil(dice).await,
            10 => self.clock.advance(TimeDelta::days(
                i64::try_from(dice.below(6)).expect("small"),
            )),
            _ => {
                auth.users()
                    .delete(&self.users.swap_remove(at))
                    .await
                    .expect("deletes");
                self.add_user(100 + dice.below(1_000_000)).await;
            }
        }
    }

    async fn flag(&mut self, at: usize, field: &str, on: bool) {
        let user = &mut self.users[at];
        match field {
            "is_active" => user.is_active = on,
            _ => user.permissions.is_superuser = on,
        }
        self.fast
            .users()
            .save_fields(user, &[field])
            .await
            .expect("saves");
    }

    /// Changes a session's row or what it holds.
    async fn spoil(&mut self, dice: &mut Dice) {
        static TAMPER: Sql =
            Sql::new("UPDATE django_session SET session_data = ? WHERE session_key = ?");
        static END: Sql = Sql::new("DELETE FROM django_session WHERE session_key = ?");
        if self.keys.is_empty() {
            return;
        }
        let key = dice.one(&self.keys).clone();
        let db = self.fast.db();
        let (field, value) = match dice.below(8) {
            0 => {
                db.execute(&END, vec![Value::from(&key)])
                    .await
                    .expect("deletes");
                return;
            }
            1 => {
                let params = vec!["e30:1vb66i:no".into(), Value::from(&key)];
                db.execute(&TAMPER, params).await.expect("updates");
                return;
            }
            2 => (BACKEND_SESSION_KEY, "other.Backend".to_owned()),
            3 => (HASH_SESSION_KEY, String::new()),
            4 => (HASH_SESSION_KEY, "00".to_owned()),
            5 => (SESSION_KEY, "x".to_owned()),
            // Somebody else's id with this session's hash.
            _ => (SESSION_KEY, dice.one(&self.users).id.to_string()),
        };
        let session = self.fast.sessions().open(Some(&key));
        if session.contains_key(SESSION_KEY).await.expect("reads") {
            session.insert(field, &value).await.expect("sets");
            session.save().await.expect("saves");
        }
    }

    /// Both answers for one cookie; they must be one.
    async fn compare(&self, key: &str, perms: &[&str], at: &str) {
        let answer = async |auth: &Auth| {
            let session = auth.sessions().open(Some(key));
            let verdict = auth.verify(&session, perms).await.expect("answers");
            let verdict = verdict.map(|verdict| {
                (
                    verdict.user.id,
                    verdict.user.base.password.clone(),
                    verdict.permitted,
                )
            });
            assert!(!session.modified(), "{at}: verify only reads");
            (verdict, session.session_key())
        };
        assert_eq!(
            answer(&self.fast).await,
            answer(&self.slow).await,
            "{at}, {perms:?}"
        );
    }
}

#[tokio::test]
async fn one_statement_answers_as_the_slow_steps_do() {
    on_each_auth(async |database, auth, clock| {
        for seed in 0..4_u64 {
            let mut dice = Dice(seed);
            let mut world = World::new(auth.clone(), clock.clone()).await;
            for step in 0..60 {
                world.step(&mut dice).await;
                let unknown = "abcdefghijklmnopqrstuvwxyz012345".to_owned();
                let keys = world.keys.iter().rev().take(6).chain([&unknown]);
                for key in keys {
                    let perms: Vec<_> = (0..dice.below(7)).map(|_| *dice.one(&PERMS)).collect();
                    let at = format!("{} seed {seed} step {step}", database.name());
                    world.compare(key, &perms, &at).await;
                }
            }
            // What changes the session does the same in both, last.
            for key in world.keys.clone() {
                let at = format!("{} seed {seed} at the end", database.name());
                world.compare(&key, &["auth.view_user"], &at).await;
            }
            for user in world.users {
                auth.users().delete(&user).await.expect("deletes");
            }
            let groups = auth.groups().all();
            auth.groups().delete_all(groups).await.expect("deletes");
        }
    })
    .await;
}

/// Sessions that are not rows: their engine is asked first, then one statement answers the rest.
#[tokio::test]
async fn sessions_of_other_engines_are_answered_too() {
    on_each_auth(async |database, auth, _| {
        let folder = tempfile::tempdir().expect("a folder");
        let redis = test_databases::TestRedis::new();
        for engine in [
            SessionEngine::SignedCookies,
            SessionEngine::File,
            SessionEngine::Cache,
            SessionEngine::CachedDb,
        ] {
            let mut settings = settings();
            settings.session_engine = engine;
            settings.session_file_path = Some(folder.path().to_owned());
            settings.cache_url = Some(SecretUrl::new(redis.url()));
            settings.cache_key_prefix = redis.prefix().to_owned();
            let auth = Auth::builder(settings)
                .database(auth.db().clone())
                .expect("builds");
            let name = format!("{engine:?}");
            let user = auth
                .users()
                .create_user(&name, "", None)
                .await
                .expect("creates");
            let view = auth
                .permissions()
                .get_by_natural_key("view_user", "auth", "user")
                .await;
            let view = view.expect("reads").expect("made by migrate").id;
            auth.users()
                .user_permissions(&user)
                .expect("p")
                .add(&[view])
                .await
                .expect("adds");
            let key = logged_in(&auth, &user).await;
            for (perms, wanted) in [
                (&["auth.view_user"][..], true),
                (&["auth.view_user", "auth.add_user"], false),
                (&["auth.VIEW_user"], false),
                (&[], true),
            ] {
                let session = auth.sessions().open(Some(&key));
                let verdict = auth.verify(&session, perms).await.expect("answers");
                let verdict = verdict.expect("logged in");
                let at = format!("{name} on {}, {perms:?}", database.name());
                assert_eq!(
                    (verdict.user.id, verdict.permitted),
                    (user.id, wanted),
                    "{at}"
                );
                let session = auth.sessions().open(Some(&key));
                let verdict = auth
                    .get_user_with_perms(&session, perms)
                    .await
                    .expect("answers");
                assert_eq!(verdict.expect("logged in").permitted, wanted, "{at}");
            }
            let session = auth
                .sessions()
                .open(Some("abcdefghijklmnopqrstuvwxyz012345"));
            assert!(auth.verify(&session, &[]).await.expect("answers").is_none());
        }
    })
    .await;
}

/// Where nothing is asked, nothing is missing: the first request and the next, which knows whom to read.
#[tokio::test]
async fn somebody_inactive_has_all_of_no_permissions() {
    on_each_auth(async |database, auth, _| {
        let all = Auth::builder(settings()).backend(AllowAllUsersModelBackend::new());
        let all = all.database(auth.db().clone()).expect("builds");
        let off = |user: &mut User| user.is_active = false;
        let user = all.users().create_user_with("alice", "", None, off).await;
        let user = user.expect("creates");
        let view = all
            .permissions()
            .get_by_natural_key("view_user", "auth", "user")
            .await;
        let granted = [view.expect("reads").expect("made by migrate").id];
        let permissions = all.users().user_permissions(&user).expect("has some");
        permissions.add(&granted).await.expect("adds");
        let key = logged_in(&all, &user).await;
        for (perms, wanted) in [(&[][..], true), (&["auth.view_user"], false)] {
            for round in 0..2 {
                let session = all.sessions().open(Some(&key));
                let verdict = all.verify(&session, perms).await.expect("answers");
                let permitted = verdict.expect("logged in").permitted;
                let at = format!("{perms:?}, round {round} on {}", database.name());
                assert_eq!(permitted, wanted, "{at}");
            }
        }
    })
    .await;
}

/// To whom a session belonged before the password changed, it does not belong any more.
#[tokio::test]
async fn a_changed_password_ends_a_session_for_verify_too() {
    on_each_auth(async |database, auth, _| {
        let user = auth.users().create_user("alice", "", Some("old")).await;
        let mut user = user.expect("creates");
        let key = logged_in(&auth, &user).await;
        let answers = async || {
            let session = auth.sessions().open(Some(&key));
            auth.verify(&session, &[]).await.expect("answers").is_some()
        };
        // The second answer comes from the one statement.
        assert_eq!([answers().await, answers().await], [true, true]);
        auth.set_password(&mut user, "new").await.expect("hashes");
        auth.save_password(&user).await.expect("saves");
        assert!(!answers().await, "{}", database.name());
        auth.db()
            .execute(&Sql::new("DELETE FROM auth_user"), vec![])
            .await
            .expect("deletes");
        assert!(!answers().await, "{}: the user is gone", database.name());
    })
    .await;
}
