//! Who may not enter is refused as if the password were wrong, in everything that can be observed: text,
//! headers, counters, signals, hashing, the stored value.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::header::{ACCEPT, HeaderValue};
use djauth::backends::{Backend, BackendResult, Context};
use djauth::{Auth, BaseUser, Credentials, Settings, User};
use djauth_admin::AdminExt;
use djauth_hashers::{Decoded, Error, MD5PasswordHasher, PasswordHasher};
use test_databases::TestDatabase;

use crate::support::{AdminBrowser, Answer, Kind, PASSWORD, app, clock, person, settings};

/// Counts how often it hashes. What an old value lacks in work is made up for elsewhere, and counted in
/// rounds there.
#[derive(Clone, Debug)]
struct CountingHasher {
    name: &'static str,
    cost: usize,
    calls: Arc<AtomicUsize>,
}

impl CountingHasher {
    fn counted(&self, password: &[u8], salt: &str, cost: &str) -> Result<String, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let digest = MD5PasswordHasher.encode(password, salt)?;
        let digest = digest.rsplit('$').next().unwrap_or_default().to_owned();
        Ok(format!("{}${cost}${salt}${digest}", self.name))
    }
}

fn part(encoded: &str, index: usize) -> &str {
    encoded.split('$').nth(index).unwrap_or_default()
}

impl PasswordHasher for CountingHasher {
    fn algorithm(&self) -> &str {
        self.name
    }

    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        self.counted(password, salt, &self.cost.to_string())
    }

    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        Ok(self.counted(password, part(encoded, 2), part(encoded, 1))? == encoded)
    }

    fn decode(&self, encoded: &str) -> Result<Decoded, Error> {
        let salt = Some(part(encoded, 2).to_owned());
        Ok(Decoded::new(self.name, salt, part(encoded, 3)))
    }

    fn must_update(&self, encoded: &str) -> Result<bool, Error> {
        Ok(part(encoded, 1) != self.cost.to_string())
    }

    fn harden_runtime(&self, _: &[u8], _: &str) -> Result<(), Error> {
        Ok(())
    }
}

/// How a stored value was made: as new ones are, at another cost, by another algorithm.
const STORED: [(&str, &str, usize); 3] = [
    ("n", "counting", 2),
    ("o", "counting", 1),
    ("f", "former", 2),
];

const STRANGER: Kind = Kind {
    staff: false,
    ..Kind::SUPERUSER
};
const INACTIVE: Kind = Kind {
    active: false,
    ..Kind::SUPERUSER
};

/// Somebody of each kind with each kind of stored value. All names have three letters.
const PEOPLE: [(&str, Kind); 3] = [("bo", STRANGER), ("ev", INACTIVE), ("ad", Kind::SUPERUSER)];

struct Bench {
    auth: Auth,
    browser: AdminBrowser,
    calls: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
    logins: Arc<AtomicUsize>,
}

impl Bench {
    async fn new(database: &TestDatabase, settings: Settings) -> Self {
        let calls = Arc::<AtomicUsize>::default();
        let hasher = |name, cost| -> Arc<dyn PasswordHasher> {
            let calls = calls.clone();
            Arc::new(CountingHasher { name, cost, calls })
        };
        let hashers = vec![hasher("counting", 2), hasher("former", 2)];
        let builder = Auth::builder(settings).clock(clock());
        let builder = builder.password_hashers(hashers).expect("hashers");
        let auth = builder.connect(database.url()).await.expect("connects");
        auth.migrate().await.expect("migrates");
        people(&auth).await;
        let (failures, logins) = signals(&auth);
        let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
        browser.get("/admin/login/").await;
        Self {
            auth,
            browser,
            calls,
            failures,
            logins,
        }
    }

    async fn stored(&self, name: &str) -> Option<String> {
        let found = self.auth.users().get_by_natural_key(name).await;
        Some(found.expect("reads")?.base.password)
    }

    /// One attempt, in a browser of its own with the same token.
    async fn attempt(&self, accept: &'static str, name: &str, password: &str) -> Observed {
        let before = self.stored(name).await;
        let counters = [&self.calls, &self.failures, &self.logins];
        for counter in counters {
            counter.store(0, Ordering::SeqCst);
        }
        let mut browser = self.browser.clone();
        let accept = HeaderValue::from_static(accept);
        browser.headers.insert(ACCEPT, accept);
        let fields = [
            ("username", name),
            ("password", password),
            ("next", "/admin/"),
        ];
        let answer = browser.post("/admin/login/", &fields).await;
        let [calls, failures, logins] = counters.map(|counter| counter.load(Ordering::SeqCst));
        Observed {
            status: answer.status(),
            text: text(&answer, name),
            headers: format!("{:?}", answer.headers),
            calls,
            failures,
            logins,
            is_stored_anew: before != self.stored(name).await,
        }
    }
}

/// What an attempt led to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Observed {
    status: u16,
    text: String,
    headers: String,
    calls: usize,
    failures: usize,
    logins: usize,
    is_stored_anew: bool,
}

/// The page without the name that was typed and without its token, which is another each time.
fn text(answer: &Answer, name: &str) -> String {
    let token = "name=\"csrfmiddlewaretoken\" value=\"";
    let parts = answer.text.split(token).enumerate();
    let parts = parts.map(|(index, part)| match index {
        0 => part,
        _ => part.split_once('"').map_or(part, |(_, rest)| rest),
    });
    parts.collect::<String>().replace(name, "…")
}

async fn people(auth: &Auth) {
    for (mark, algorithm, cost) in STORED {
        for (start, kind) in PEOPLE {
            let mut user = person(auth, &format!("{start}{mark}"), kind).await;
            let calls = Arc::default();
            let name = algorithm;
            let hasher = CountingHasher { name, cost, calls };
            let made = hasher.encode(PASSWORD.as_bytes(), "abcdefghijklmnopqrstuv");
            user.base.password = made.expect("is hashed");
            auth.save_password(&user).await.expect("saves");
        }
    }
}

fn signals(auth: &Auth) -> (Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (failures, logins) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (failed, came) = (failures.clone(), logins.clone());
    auth.signals().user_login_failed.connect(move |event| {
        let names = event.credentials.iter().map(|(name, _)| name);
        assert!(names.eq(["username", "password"]));
        failed.fetch_add(1, Ordering::SeqCst);
        std::future::ready(())
    });
    auth.signals().user_logged_in.connect(move |_| {
        came.fetch_add(1, Ordering::SeqCst);
        std::future::ready(())
    });
    (failures, logins)
}

#[tokio::test]
async fn a_right_password_of_others_is_a_wrong_one() {
    for database in TestDatabase::all() {
        let bench = Bench::new(&database, settings()).await;
        for accept in ["text/html", "application/json"] {
            let nobody = bench.attempt(accept, "who", PASSWORD).await;
            assert_eq!((nobody.calls, nobody.failures, nobody.logins), (1, 1, 0));
            for (mark, ..) in STORED {
                for (start, password) in [
                    ("bo", PASSWORD),
                    ("bo", "wrong"),
                    ("ev", PASSWORD),
                    ("ev", "wrong"),
                    ("ad", "wrong"),
                ] {
                    let name = format!("{start}{mark}");
                    let seen = bench.attempt(accept, &name, password).await;
                    assert_eq!(seen, nobody, "{name}, {password} on {}", database.name());
                }
            }
        }
        // What is not seen above is there to be seen.
        for (name, calls, is_stored_anew) in [("adn", 1, false), ("ado", 2, true), ("adf", 2, true)]
        {
            let seen = bench.attempt("text/html", name, PASSWORD).await;
            let expected = (302, calls, 0, 1, is_stored_anew);
            let Observed {
                status,
                calls,
                failures,
                logins,
                is_stored_anew,
                ..
            } = seen;
            assert_eq!(
                (status, calls, failures, logins, is_stored_anew),
                expected,
                "{name}"
            );
        }
        bench.auth.db().close().await;
    }
}

#[tokio::test]
async fn their_attempts_are_counted_as_those_with_a_wrong_password() {
    for database in TestDatabase::all() {
        let mut settings = settings();
        settings.login_rate_limit_per_username = Some("3/m".parse().expect("a rate"));
        let bench = Bench::new(&database, settings).await;
        for (name, password, expected) in [
            ("bon", PASSWORD, [200, 200, 200, 429]),
            ("boo", "wrong", [200, 200, 200, 429]),
            ("bof", PASSWORD, [200, 200, 200, 429]),
            ("evn", PASSWORD, [200, 200, 200, 429]),
            ("adn", "wrong", [200, 200, 200, 429]),
            ("who", PASSWORD, [200, 200, 200, 429]),
            ("ado", PASSWORD, [302, 302, 302, 302]),
        ] {
            let mut seen = Vec::new();
            for _ in expected {
                seen.push(bench.attempt("text/html", name, password).await);
            }
            let statuses: Vec<_> = seen.iter().map(|seen| seen.status).collect();
            assert_eq!(statuses, expected, "{name} on {}", database.name());
            let last = &seen[3];
            assert!(last.status == 302 || (last.calls, last.failures) == (0, 0));
        }
        // Nor do those who may come in elsewhere win attempts back there.
        let mut elsewhere = bench.browser.clone();
        let fields = [("username", "bon"), ("password", PASSWORD)];
        let answer = elsewhere.post("/accounts/login/", &fields).await;
        assert_eq!(answer.status(), 429);
        bench.auth.db().close().await;
    }
}

/// Knows everybody, and asks nothing.
struct Careless;

impl Backend<User> for Careless {
    fn path(&self) -> &str {
        "house.backends.Careless"
    }

    async fn authenticate(
        &self,
        cx: Context<'_, User>,
        credentials: &Credentials,
    ) -> BackendResult<Option<User>> {
        let name = credentials.get("username").unwrap_or_default();
        Ok(cx.auth.users().get_by_natural_key(name).await?)
    }

    async fn get_user(
        &self,
        cx: Context<'_, User>,
        id: <User as BaseUser>::Id,
    ) -> BackendResult<Option<User>> {
        Ok(cx.auth.users().get(id).await?)
    }
}

#[tokio::test]
async fn a_backend_that_does_not_ask_lets_nobody_in_either() {
    let database = TestDatabase::sqlite();
    let builder = Auth::builder(settings()).clock(clock()).backend(Careless);
    let auth = builder.connect(database.url()).await.expect("connects");
    auth.migrate().await.expect("migrates");
    person(&auth, "bob", STRANGER).await;
    person(&auth, "ada", Kind::STAFF).await;
    let (failures, logins) = signals(&auth);
    let mut browser = AdminBrowser::new(app(&auth, auth.admin()));
    let answer = browser.log_in("bob", "anything").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.shows("not the name and the password of a staff account"));
    assert_eq!(
        (
            failures.load(Ordering::SeqCst),
            logins.load(Ordering::SeqCst)
        ),
        (1, 0)
    );
    let answer = browser.log_in("ada", "anything").await;
    assert_eq!((answer.status(), answer.location()), (302, "/admin/"));
}
