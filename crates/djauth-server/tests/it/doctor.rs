//! `djauth doctor`.

use djauth_db::{Database, Executor, Sql, Value};
use test_databases::TestDatabase;

use crate::browser::Browser;
use crate::site::{Ran, Site, output};

const KEY: &str = "the key of the site, long enough to be one";

/// A site with one user, who is logged in.
fn site(database: &TestDatabase) -> Site {
    let site = Site::new()
        .with("DATABASE_URL", database.url())
        .with("SECRET_KEY", KEY);
    assert_eq!(site.run(&["migrate"]).code, Some(0));
    site.superuser("edith", "correct horse");
    let server = site.serve();
    assert_eq!(
        Browser::new(server.address)
            .login("edith", "correct horse")
            .status,
        302
    );
    site
}

/// `doctor` with other settings.
fn doctor(site: &Site, variables: &[(&str, &str)]) -> Ran {
    let mut command = site.djauth(&["doctor"]);
    let ran = Ran::of(output(command.envs(variables.iter().copied())));
    for secret in [KEY, "edith", "correct horse", "$", "another key"] {
        assert!(
            !ran.out.contains(secret) && !ran.err.contains(secret),
            "{ran:?}"
        );
    }
    ran
}

#[test]
fn a_site_whose_settings_fit_is_well() {
    for database in TestDatabase::all() {
        let ran = doctor(&site(&database), &[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        for line in [
            "ok       database:",
            "ok       schema:",
            "ok       permissions:",
            "1 pbkdf2_sha256 up to date, 0 without",
            "all of 1 carry a signature",
            "1 of 1 of the newest",
            "0 problem(s), 0 warning(s)",
        ] {
            assert!(ran.out.contains(line), "{line}: {ran:?}");
        }
    }
}

#[test]
fn another_key_is_a_problem_and_a_fallback_is_not() {
    for database in TestDatabase::all() {
        let site = site(&database);
        let other = ("SECRET_KEY", "another key");
        let wrong = doctor(&site, &[other]);
        assert_eq!(wrong.code, Some(1));
        assert!(
            wrong.out.contains("PROBLEM  sessions: none of 1"),
            "{wrong:?}"
        );
        let fallbacks = format!("[{KEY:?}]");
        let rotated = doctor(&site, &[other, ("SECRET_KEY_FALLBACKS", &fallbacks)]);
        assert_eq!(rotated.code, Some(0), "{rotated:?}");
        assert!(
            rotated.out.contains("1 were signed with one of"),
            "{rotated:?}"
        );
        assert!(rotated.out.contains("1 of 1 of the newest"), "{rotated:?}");
    }
}

#[test]
fn costs_and_algorithms_that_differ_are_told() {
    let database = TestDatabase::sqlite();
    let site = site(&database);
    let costs = r#"{"pbkdf2_sha256": {"iterations": 1001}}"#;
    let differs = doctor(&site, &[("PASSWORD_HASHER_PARAMETERS", costs)]);
    assert_eq!(differs.code, Some(0));
    assert!(
        differs
            .out
            .contains("warning  passwords: 1 pbkdf2_sha256 will be hashed anew"),
        "{differs:?}"
    );
    let unknown = doctor(&site, &[("PASSWORD_HASHERS", r#"["scrypt"]"#)]);
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown
            .out
            .contains("PROBLEM  passwords: 1 of an algorithm"),
        "{unknown:?}"
    );
}

#[test]
fn backends_and_engines_that_differ_are_told() {
    let database = TestDatabase::sqlite();
    let site = site(&database);
    let backends = r#"["AllowAllUsersModelBackend"]"#;
    let foreign = doctor(&site, &[("AUTHENTICATION_BACKENDS", backends)]);
    assert_eq!(foreign.code, Some(1));
    assert!(
        foreign
            .out
            .contains("django.contrib.auth.backends.ModelBackend"),
        "{foreign:?}"
    );
    let cookies = doctor(&site, &[("SESSION_ENGINE", "signed_cookies")]);
    assert_eq!(cookies.code, Some(0));
    assert!(cookies.out.contains("signed_cookies"), "{cookies:?}");
}

/// Nothing is written: neither what is missing, nor what a wrong key would make a login page flush.
#[test]
fn only_reads() {
    for database in TestDatabase::all() {
        let site = site(&database);
        execute(
            &database,
            "DELETE FROM auth_permission WHERE codename = 'view_session'",
        );
        let before = counts(&database);
        let ran = doctor(&site, &[]);
        assert_eq!(ran.code, Some(0));
        assert!(
            ran.out.contains("1 missing (sessions.view_session)"),
            "{ran:?}"
        );
        doctor(&site, &[("SECRET_KEY", "another key")]);
        assert_eq!(counts(&database), before);
    }
}

#[test]
fn a_database_that_does_not_fit_is_told_and_none_is_made() {
    let site = Site::new();
    assert_eq!(doctor(&site, &[]).code, Some(1));
    assert_eq!(site.files(), [""; 0]);
    let database = TestDatabase::postgres();
    let empty = doctor(
        &site,
        &[("DATABASE_URL", database.url()), ("SECRET_KEY", KEY)],
    );
    assert_eq!(empty.code, Some(1));
    assert!(empty.out.contains("PROBLEM  schema:"), "{empty:?}");
}

/// Permissions of the settings are added by `migrate`, once, and missed by `doctor` before.
#[test]
fn declared_permissions_are_added_once() {
    for database in TestDatabase::all() {
        let site = site(&database).with(
            "PERMISSIONS",
            r#"[{"content_type": "reports.report", "codename": "publish_report", "name": "Can publish report"},
                {"content_type": "auth.user", "codename": "impersonate_user", "name": "Can impersonate user"}]"#,
        );
        let before = counts(&database);
        let ran = doctor(&site, &[]);
        assert!(ran.out.contains("reports.publish_report"), "{ran:?}");
        for _ in 0..2 {
            assert_eq!(site.run(&["migrate"]).code, Some(0));
            assert!(doctor(&site, &[]).out.contains("none of Django's apps"));
            let expected = [before[0], before[1], before[2] + 2, before[3] + 1];
            assert_eq!(counts(&database), expected);
        }
        assert_eq!(site.run(&["check"]).code, Some(0));
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(future)
}

fn execute(database: &TestDatabase, statement: &'static str) {
    run(async {
        let db = Database::connect(database.url()).await.unwrap();
        db.execute(&Sql::new(statement), Vec::<Value<'_>>::new())
            .await
            .unwrap();
        db.close().await;
    });
}

/// Rows of users, sessions, permissions and content types.
fn counts(database: &TestDatabase) -> [i64; 4] {
    static COUNT: Sql = Sql::new(
        "SELECT (SELECT COUNT(*) FROM auth_user), (SELECT COUNT(*) FROM django_session), \
         (SELECT COUNT(*) FROM auth_permission), (SELECT COUNT(*) FROM django_content_type)",
    );
    run(async {
        let db = Database::connect(database.url()).await.unwrap();
        let read = db.fetch_optional(&COUNT, &[], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        });
        let counts = read.await.unwrap().unwrap();
        db.close().await;
        counts
    })
}
