//! `migrate` against Django's own catalogues.

use djauth::ErrorKind;
use djauth::management::{App, Migrate, SchemaProblem, UserTable, check_schema};
use djauth_db::{Database, Dialect, Executor, Sql};
use test_databases::TestDatabase;

use crate::schema::{
    MIGRATIONS, all_facts, assert_same, connect, django, facts, facts_of_sessions, on_each, script,
};

#[tokio::test]
async fn an_empty_database_becomes_djangos() {
    on_each(async |database, db| {
        let done = Migrate::new().run(&db).await.expect("migrates");
        assert_eq!(done.migrations().len(), MIGRATIONS, "{}", database.name());
        assert_same(
            &facts(&db).await,
            &django("6.1", db.dialect()),
            database.name(),
        );
    })
    .await;
}

/// What django-axes' own migrations leave, table by table.
#[tokio::test]
async fn the_tables_of_the_log_of_logins_are_those_of_axes() {
    on_each(async |database, db| {
        Migrate::new().run(&db).await.expect("migrates");
        let mut ours = all_facts(&db).await;
        ours.retain(|fact| fact.contains("axes_"));
        let axes = django("axes", db.dialect());
        assert_same(&ours, &axes, database.name());
        let recorded = all_facts(&db).await;
        let recorded = recorded.iter().filter(|fact| fact.contains(": axes."));
        assert_eq!(recorded.count(), 10, "{}", database.name());
    })
    .await;
}

/// django-allauth's own table, with the row by which it knows that it has been made.
#[tokio::test]
async fn the_table_of_sessions_is_allauths() {
    on_each(async |database, db| {
        Migrate::new().run(&db).await.expect("migrates");
        let django = django("usersessions-6.1", db.dialect());
        assert_same(&facts_of_sessions(&db).await, &django, database.name());
        static APPLIED: Sql =
            Sql::new("SELECT id FROM django_migrations WHERE app = ? AND name = ?");
        let of = ["usersessions".into(), "0001_initial".into()];
        let id = db.fetch(&APPLIED, &of, |row| row.get::<i64>(0)).await;
        assert_eq!(id.expect("reads"), [19], "{}", database.name());
    })
    .await;
}

/// A database that an older djauth made gets them with the next run; one of Django's never.
#[tokio::test]
async fn a_database_that_was_made_before_gets_the_log_of_logins() {
    on_each(async |database, db| {
        Migrate::new().run(&db).await.expect("migrates");
        let before = all_facts(&db).await;
        let tables = [
            "axes_accesslog",
            "axes_accessfailurelog",
            "axes_accessattemptexpiration",
            "axes_accessattempt",
        ];
        let drops = tables.map(|table| format!("DROP TABLE {table}"));
        let forget = "DELETE FROM django_migrations WHERE app = 'axes'";
        let statements: Vec<_> = drops.iter().map(String::as_str).chain([forget]).collect();
        script(&db, &statements).await;
        let done = Migrate::new().run(&db).await.expect("migrates");
        assert_eq!(done.migrations().len(), 10, "{}", database.name());
        let structure = |facts: &[String]| -> Vec<String> {
            let of_axes = |fact: &&String| fact.contains("axes_") && is_structure(fact);
            facts.iter().filter(of_axes).cloned().collect()
        };
        let after = all_facts(&db).await;
        assert_same(&structure(&after), &structure(&before), database.name());
    })
    .await;
}

/// A database that an older version made gets it; what Django made does not.
#[tokio::test]
async fn an_older_database_of_ours_gets_the_table_of_sessions() {
    on_each(async |database, db| {
        Migrate::new().run(&db).await.expect("migrates");
        let older = [
            "DROP TABLE usersessions_usersession",
            "DELETE FROM django_migrations WHERE app = 'usersessions'",
        ];
        script(&db, &older).await;
        let done = Migrate::new().run(&db).await.expect("migrates");
        let done: Vec<_> = done.migrations().collect();
        assert_eq!(done, [("usersessions", "0001_initial")]);
        let django = django("usersessions-6.1", db.dialect());
        assert_same(&facts_of_sessions(&db).await, &django, database.name());
        script(&db, &older).await;
        script(&db, &["DROP TABLE djauth_login_attempts"]).await;
        assert!(Migrate::new().run(&db).await.expect("accepted").is_empty());
    })
    .await;
}

#[tokio::test]
async fn doing_it_again_changes_nothing() {
    on_each(async |database, db| {
        assert_eq!(
            Migrate::new()
                .plan(&db)
                .await
                .expect("plans")
                .migrations()
                .len(),
            MIGRATIONS
        );
        Migrate::new().run(&db).await.expect("migrates");
        assert!(Migrate::new().plan(&db).await.expect("plans").is_empty());
        assert!(Migrate::new().run(&db).await.expect("migrates").is_empty());
        assert_same(
            &facts(&db).await,
            &django("6.1", db.dialect()),
            database.name(),
        );
    })
    .await;
}

#[tokio::test]
async fn two_servers_that_start_at_once_do_it_once() {
    on_each(async |database, db| {
        let others = [connect(database).await, connect(database).await];
        let migrate = Migrate::new();
        let (a, b, c) = tokio::join!(
            migrate.run(&db),
            migrate.run(&others[0]),
            migrate.run(&others[1])
        );
        let done = [a, b, c].map(|plan| plan.expect("migrates").migrations().len());
        assert_eq!(
            done.iter().sum::<usize>(),
            MIGRATIONS,
            "{}: {done:?}",
            database.name()
        );
        assert_same(
            &facts(&db).await,
            &django("6.1", db.dialect()),
            database.name(),
        );
        for other in others {
            other.close().await;
        }
    })
    .await;
}

/// Makes the SQLite database that a version of Django makes, from the answer.
async fn made_by_django(version: &str) -> (TestDatabase, Database) {
    let test = TestDatabase::sqlite();
    let db = connect(&test).await;
    let mut statements = Vec::new();
    for fact in django(version, Dialect::Sqlite) {
        let (subject, rest) = fact.split_once(": ").expect("a fact");
        if rest.starts_with("CREATE") && !subject.contains("sqlite_sequence") {
            statements.push(rest.to_owned());
        }
    }
    statements.sort_by_key(|statement| !statement.starts_with("CREATE TABLE"));
    for fact in django(version, Dialect::Sqlite) {
        statements.extend(row(&fact));
    }
    statements.sort_by_key(|statement| {
        (
            !statement.starts_with("CREATE"),
            statement.starts_with("INSERT INTO auth"),
        )
    });
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    script(&db, &statements).await;
    assert_same(
        &facts(&db).await,
        &django(version, Dialect::Sqlite),
        version,
    );
    (test, db)
}

fn row(fact: &str) -> Option<String> {
    let (subject, rest) = fact.split_once(": ")?;
    let (table, id) = subject.rsplit_once(' ')?;
    Some(match table {
        "migration" => {
            let (app, name) = rest.split_once('.')?;
            format!(
                "INSERT INTO django_migrations VALUES ({id}, '{app}', '{name}', '2026-11-26 10:00:00')"
            )
        }
        "content type" => {
            let (app, model) = rest.split_once('.')?;
            format!("INSERT INTO django_content_type VALUES ({id}, '{app}', '{model}')")
        }
        "permission" => {
            let mut parts = rest.splitn(3, ' ');
            let (content_type, code, name) = (parts.next()?, parts.next()?, parts.next()?);
            format!(
                "INSERT INTO auth_permission (id, content_type_id, codename, name) \
                 VALUES ({id}, {content_type}, '{code}', '{name}')"
            )
        }
        _ => return None,
    })
}

#[tokio::test]
async fn what_django_made_is_left_alone() {
    for version in ["4.2", "5.2", "6.1"] {
        let (_test, db) = made_by_django(version).await;
        assert!(Migrate::new().run(&db).await.expect("accepted").is_empty());
        assert_same(
            &facts(&db).await,
            &django(version, Dialect::Sqlite),
            version,
        );
        assert_eq!(
            check_schema(&db, &App::ALL, &UserTable::stock())
                .await
                .expect("reads"),
            []
        );
        db.close().await;
    }
}

/// Django 4.2 and 5.2 make narrower keys of the link tables; they stay.
#[tokio::test]
async fn narrow_keys_are_left_alone() {
    on_each(async |database, db| {
        let narrow = match db.dialect() {
            Dialect::Sqlite => return,
            Dialect::Postgres => "ALTER TABLE auth_user_groups ALTER COLUMN id TYPE integer",
            Dialect::Mysql => {
                "ALTER TABLE auth_user_groups MODIFY id integer NOT NULL AUTO_INCREMENT"
            }
        };
        Migrate::new().run(&db).await.expect("migrates");
        script(&db, &[narrow]).await;
        let before = facts(&db).await;
        Migrate::new().run(&db).await.expect("accepted");
        assert_same(&facts(&db).await, &before, database.name());
        assert_eq!(
            check_schema(&db, &App::ALL, &UserTable::stock())
                .await
                .expect("reads"),
            []
        );
    })
    .await;
}

#[tokio::test]
async fn missing_apps_are_added_to_a_djangos_database() {
    on_each(async |database, db| {
        Migrate::new()
            .apps([App::Auth])
            .run(&db)
            .await
            .expect("migrates");
        let before = facts(&db).await;
        let problems = check_schema(&db, &App::ALL, &UserTable::stock())
            .await
            .expect("reads");
        assert_eq!(
            problems,
            [App::Admin, App::Sessions].map(SchemaProblem::NotMigrated)
        );

        let done = Migrate::new().run(&db).await.expect("migrates");
        let done: Vec<_> = done.migrations().collect();
        assert_eq!((done.len(), done[0]), (4, ("admin", "0001_initial")));
        let after = facts(&db).await;
        let tables = |facts: &[String]| {
            facts
                .iter()
                .filter(|f| is_structure(f))
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_same(
            &tables(&after),
            &tables(&django("6.1", db.dialect())),
            database.name(),
        );
        let kept = before
            .iter()
            .filter(|fact| !fact.starts_with("sequence") && !fact.starts_with("table "));
        assert!(
            kept.into_iter().all(|fact| after.contains(fact)),
            "{}",
            database.name()
        );
    })
    .await;
}

/// Facts other than ids and counters, which depend on the order in which apps came.
fn is_structure(fact: &str) -> bool {
    let rows = ["migration ", "content type ", "permission ", "sequence "];
    !rows.iter().any(|kind| fact.starts_with(kind)) && !fact.contains(" next ")
}

#[tokio::test]
async fn an_own_user_model_is_pointed_at() {
    on_each(async |database, db| {
        let user = UserTable::own("accounts", "account").columns(["id", "password", "email"]);
        let migrate = Migrate::new().user(user.clone());
        let refused = migrate.run(&db).await.expect_err("no table of users");
        assert_eq!(*refused.kind(), ErrorKind::Schema);

        migrate.clone().apps([App::Auth, App::Sessions]).run(&db).await.expect("migrates");
        let key = if db.dialect() == Dialect::Sqlite { "char(32)" } else { "uuid" };
        let users = format!(
            "CREATE TABLE accounts_account (id {key} NOT NULL PRIMARY KEY, password varchar(128) NOT NULL, \
             email varchar(254) NOT NULL)"
        );
        let link = |name: &str, column: &str| {
            format!("CREATE TABLE accounts_account_{name} (account_id {key} NOT NULL, {column} integer NOT NULL)")
        };
        let links = [link("groups", "group_id"), link("user_permissions", "permission_id")];
        script(&db, &[&users, &links[0], &links[1]]).await;
        let done = migrate.run(&db).await.expect("migrates");
        assert_eq!(done.migrations().len(), 4);

        let log = |facts: Vec<String>| facts.into_iter().filter(|fact| fact.contains("django_admin_log") && is_structure(fact));
        let django: Vec<String> = log(django("own-6.1", db.dialect())).collect();
        assert_same(&log(facts(&db).await).collect::<Vec<_>>(), &django, database.name());
        assert!(!facts(&db).await.iter().any(|fact| fact.contains("auth_user") || fact.contains("add_user")));
        assert_eq!(check_schema(&db, &App::ALL, &user).await.expect("reads"), []);
    })
    .await;
}

/// What is wrong adds up on one database, and each thing is named.
#[tokio::test]
async fn unknown_states_are_refused_by_name() {
    on_each(async |database, db| {
        Migrate::new().run(&db).await.expect("migrates");
        for (statement, named) in [
            (
                "ALTER TABLE auth_user DROP COLUMN email",
                "column auth_user.email is missing",
            ),
            (
                "DROP TABLE django_admin_log",
                "table django_admin_log is missing",
            ),
            (
                "UPDATE django_migrations SET name = '0004_x' WHERE name LIKE '0003_log%'",
                "admin.0004_x is newer",
            ),
            (
                "DELETE FROM django_migrations WHERE app = 'sessions'",
                "table django_session exists",
            ),
            (
                "DELETE FROM django_migrations WHERE name LIKE '0002_remove%'",
                "older than Django 4.2",
            ),
            (
                "DELETE FROM django_migrations WHERE name LIKE '0012%'",
                "auth.0012_alter_user_first_name_max_length",
            ),
            (
                "DELETE FROM django_migrations",
                "no migration of Django is recorded",
            ),
        ] {
            script(&db, &[statement]).await;
            let before = facts(&db).await;
            let error = Migrate::new().run(&db).await.expect_err(statement);
            assert_eq!(*error.kind(), ErrorKind::Schema);
            assert!(
                error.to_string().contains(named),
                "{}: {statement}: {error}",
                database.name()
            );
            assert_same(&facts(&db).await, &before, statement);
        }
    })
    .await;
}

#[tokio::test]
async fn a_strange_database_is_left_as_it_is() {
    on_each(async |database, db| {
        script(
            &db,
            &["CREATE TABLE notes (id integer NOT NULL PRIMARY KEY, note varchar(100) NOT NULL)"],
        )
        .await;
        let refused = Migrate::new().run(&db).await.expect_err("not Django's");
        assert_eq!(*refused.kind(), ErrorKind::Schema);
        assert!(refused.to_string().contains("notes"), "{refused}");
        static NONE: Sql = Sql::new("SELECT id FROM django_migrations");
        assert!(
            db.fetch(&NONE, &[], |row| row.get::<i64>(0)).await.is_err(),
            "{}",
            database.name()
        );

        Migrate::new()
            .allow_other_tables(true)
            .run(&db)
            .await
            .expect("migrates");
        let ours = facts(&db)
            .await
            .into_iter()
            .filter(|fact| !fact.contains("notes"))
            .collect::<Vec<_>>();
        assert_same(&ours, &django("6.1", db.dialect()), database.name());
        assert!(Migrate::new().run(&db).await.expect("known now").is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_check_names_a_column_that_would_stop_every_new_user() {
    on_each(async |database, db| {
        Migrate::new().run(&db).await.expect("migrates");
        script(
            &db,
            &["ALTER TABLE auth_user ADD COLUMN hint varchar(10) NOT NULL DEFAULT 'x'"],
        )
        .await;
        assert_eq!(
            check_schema(&db, &App::ALL, &UserTable::stock())
                .await
                .expect("reads"),
            []
        );
        if db.dialect() == Dialect::Sqlite {
            return; // A column without a default can only be made together with its table there.
        }
        script(
            &db,
            &["ALTER TABLE auth_user ADD COLUMN badge integer NOT NULL"],
        )
        .await;
        let problems = check_schema(&db, &App::ALL, &UserTable::stock())
            .await
            .expect("reads");
        let (table, column) = ("auth_user".to_owned(), "badge".to_owned());
        assert_eq!(
            problems,
            [SchemaProblem::UnknownRequiredColumn { table, column }],
            "{}",
            database.name()
        );
    })
    .await;
}

/// Also when the file itself is not there yet.
#[tokio::test]
async fn servers_that_start_at_once_on_a_new_file_do_it_once() {
    let database = TestDatabase::sqlite();
    let start = async || {
        let db = connect(&database).await;
        let done = Migrate::new()
            .run(&db)
            .await
            .expect("migrates")
            .migrations()
            .len();
        db.close().await;
        done
    };
    let starts = (0..6).map(|_| start());
    let done = futures_util::future::join_all(starts).await;
    assert_eq!(done.iter().sum::<usize>(), MIGRATIONS, "{done:?}");
}

/// Views and virtual tables whose makings are gone are nobody's business.
#[tokio::test]
async fn a_broken_view_of_the_application_is_no_matter() {
    let database = TestDatabase::sqlite();
    let db = connect(&database).await;
    Migrate::new().run(&db).await.expect("migrates");
    script(
        &db,
        &[
            "CREATE TABLE gone (id integer)",
            "CREATE VIEW broken AS SELECT id FROM gone",
            "DROP TABLE gone",
        ],
    )
    .await;
    assert!(Migrate::new().run(&db).await.expect("accepted").is_empty());
    db.close().await;
}
