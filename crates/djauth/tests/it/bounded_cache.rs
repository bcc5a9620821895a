//! The cache under `AUTH_CACHE_STALENESS`: proofs ahead of requests, and what is answered at once.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use chrono::TimeDelta;
use djauth::db::{Executor, Sql};
use djauth::forward_auth::{Access, IdentityHeader, Rule};
use djauth::views::{verify_answer, verify_at_once};
use djauth::{Auth, Settings};
use djauth_signing::FixedClock;
use test_databases::TestDatabase;

use crate::auth_support::{connect, logged_in, settings};

const BOUND: Duration = Duration::from_secs(2);
const VIEW: &str = "/auth/verify?perm=auth.view_user";

static PERMIT: Sql = Sql::new(
    "INSERT INTO auth_user_user_permissions (user_id, permission_id) \
     SELECT 1, id FROM auth_permission WHERE codename = 'view_user'",
);

/// A user who may view users, and a session of hers.
struct Site {
    auth: Auth,
    clock: FixedClock,
    key: String,
    database: TestDatabase,
}

impl Site {
    async fn new(database: TestDatabase, bound: Duration) -> Self {
        let (first, clock) = connect(&database).await;
        let triggers = first.cache_triggers();
        triggers.install(first.db()).await.expect("installs");
        let user = first
            .users()
            .create_user("al b", "a@example.com", Some("x"));
        let key = logged_in(&first, &user.await.expect("creates")).await;
        let permit = first.db().execute(&PERMIT, vec![]).await;
        assert_eq!(permit.expect("permits"), 1);
        let auth = beside(&first, &clock, |settings| {
            settings.auth_cache_staleness = bound;
        });
        Self {
            auth,
            clock,
            key,
            database,
        }
    }

    fn request(&self, uri: &str) -> Request<Body> {
        let cookie = format!("a=b; sessionid={}", self.key);
        let request = Request::builder().uri(uri).header(header::COOKIE, cookie);
        request.body(Body::empty()).expect("a request")
    }

    async fn asked(&self, auth: &Auth, uri: &str) -> Response<Body> {
        let (parts, _) = self.request(uri).into_parts();
        verify_answer(auth, &parts, None).await
    }

    fn at_once(&self, auth: &Auth, uri: &str) -> Option<Response<Body>> {
        let request = self.request(uri);
        verify_at_once(auth, request.uri(), request.headers())
    }
}

/// On the same database, with other settings and a cache of its own.
fn beside(auth: &Auth, clock: &FixedClock, change: impl FnOnce(&mut Settings)) -> Auth {
    let mut settings = settings();
    change(&mut settings);
    let builder = Auth::builder(settings).clock(clock.clone());
    builder.database(auth.db().clone()).expect("builds")
}

#[tokio::test]
async fn what_is_answered_at_once_is_what_would_be_answered() {
    for database in TestDatabase::all() {
        let site = Site::new(database, Duration::from_secs(3600)).await;
        let (auth, name) = (&site.auth, site.database.name());
        assert!(site.at_once(auth, VIEW).is_none(), "nothing is kept yet");
        for _ in 0..3 {
            assert_eq!(
                site.asked(auth, VIEW).await.status(),
                StatusCode::OK,
                "{name}"
            );
        }
        let (whole, once) = (site.asked(auth, VIEW).await, site.at_once(auth, VIEW));
        let once = once.unwrap_or_else(|| panic!("{name}: not at once"));
        assert_eq!(
            (once.status(), once.headers()),
            (whole.status(), whole.headers())
        );
        assert_eq!(once.headers()["x-remote-user"], "al%20b");
        assert_eq!(once.headers()["cache-control"], "no-store");
        for other in [
            "/auth/verify",
            "/auth/verify?",
            "/auth/verify?perm=",
            "/auth/verify?perm=auth",
            "/auth/verify?perm=auth.add_user",
            "/auth/verify?perm=auth.view%5Fuser",
            "/auth/verify?perm=auth.view_user&perm=auth.view_user",
            "/auth/verify?perm=auth.view_user&staff=1",
            "/auth/verify?staff=1",
            "/auth/verify?x=auth.view_user",
        ] {
            site.asked(auth, other).await;
            assert!(site.at_once(auth, other).is_none(), "{name}: {other}");
        }
        // Her session ends by the clock.
        site.clock.advance(TimeDelta::weeks(3));
        assert!(site.at_once(auth, VIEW).is_none(), "{name}");
        site.auth.db().close().await;
    }
}

#[tokio::test]
async fn nothing_is_answered_at_once_that_needs_more() {
    for database in TestDatabase::all() {
        let site = Site::new(database, BOUND).await;
        let change: [fn(&mut Settings); 4] = [
            |settings| settings.auth_cache_staleness = Duration::ZERO,
            |settings| settings.forward_auth_headers = vec![IdentityHeader::Email],
            |settings| settings.forward_auth_rules = vec![Rule::new("*", Access::Deny)],
            |settings| settings.auth_cache_max_bytes = 0,
        ];
        for change in change {
            let other = beside(&site.auth, &site.clock, |settings| {
                settings.auth_cache_staleness = BOUND;
                change(settings);
            });
            for _ in 0..3 {
                site.asked(&other, VIEW).await;
                assert!(
                    site.at_once(&other, VIEW).is_none(),
                    "{}",
                    site.database.name()
                );
            }
        }
        // What this process writes is seen at once.
        for _ in 0..3 {
            site.asked(&site.auth, VIEW).await;
        }
        let found = site.auth.users().get_by_natural_key("al b").await;
        let mut user = found.expect("answers").expect("is there");
        user.is_active = false;
        site.auth.users().save(&mut user).await.expect("saves");
        assert!(
            site.at_once(&site.auth, VIEW).is_none(),
            "{}",
            site.database.name()
        );
        let answer = site.asked(&site.auth, VIEW).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        site.auth.db().close().await;
    }
}

/// Asked all the time, so that it is proved ahead again and again; then somebody else takes the permission away.
#[tokio::test]
async fn a_session_in_use_is_never_older_than_the_bound() {
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let site = Site::new(database, BOUND).await;
        let (start, name) = (Instant::now(), site.database.name());
        for _ in 0..3 {
            site.asked(&site.auth, VIEW).await;
        }
        let before = site.auth.auth_cache_stats().expect("is on");
        let mut changed = None;
        loop {
            let asked = Instant::now();
            let status = match site.at_once(&site.auth, VIEW) {
                Some(answer) => answer.status(),
                None => site.asked(&site.auth, VIEW).await.status(),
            };
            match changed {
                None if start.elapsed() > 2 * BOUND => {
                    let stats = site.auth.auth_cache_stats().expect("is on");
                    assert_eq!(stats.misses, before.misses, "{name}");
                    assert!(stats.proofs >= before.proofs + 2, "{name}: {stats:?}");
                    site.database
                        .client("DELETE FROM auth_user_user_permissions");
                    changed = Some(Instant::now());
                }
                None => assert_eq!(status, StatusCode::OK, "{name}"),
                Some(_) if status == StatusCode::FORBIDDEN => break,
                Some(changed) => assert!(asked < changed + BOUND, "{name}: {status}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        site.auth.db().close().await;
    }
}
