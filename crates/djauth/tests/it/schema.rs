//! Django's own catalogues, and the same statements that read them.

use djauth_db::{Database, Dialect, Executor, Sql};
use serde_json::Value;
use test_databases::TestDatabase;

/// What Django's `migrate` leaves: sorted lines of one database. `answer` is `6.1`, `5.2`, `4.2`, `own-6.1` or
/// `long-6.1`; with `usersessions-` before one of the last, or before `6.1`, the table of django-allauth alone.
pub(crate) fn django(answer: &str, dialect: Dialect) -> Vec<String> {
    let text = match answer {
        "4.2" => include_str!("../data/schema-4.2.json"),
        "5.2" => include_str!("../data/schema-5.2.json"),
        "6.1" => include_str!("../data/schema-6.1.json"),
        "long-6.1" => include_str!("../data/schema-long-6.1.json"),
        "usersessions-6.1" => include_str!("../data/schema-usersessions-6.1.json"),
        "usersessions-own-6.1" => include_str!("../data/schema-usersessions-own-6.1.json"),
        "usersessions-long-6.1" => include_str!("../data/schema-usersessions-long-6.1.json"),
        _ => include_str!("../data/schema-own-6.1.json"),
    };
    let answers: Value = serde_json::from_str(text).expect("JSON");
    let database = match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgres",
        Dialect::Mysql => "mariadb",
    };
    let lines = answers[database].as_array().expect("a list");
    lines
        .iter()
        .map(|line| line.as_str().expect("text").to_owned())
        .collect()
}

static SQLITE: Sql = Sql::new(include_str!(
    "../../../../interop/vectors/schema/sqlite.sql"
));
static POSTGRES: Sql = Sql::new(include_str!(
    "../../../../interop/vectors/schema/postgres.sql"
));
static MARIADB: Sql = Sql::new(include_str!(
    "../../../../interop/vectors/schema/mariadb.sql"
));

/// The same of a database of ours, without the two tables that Django does not have.
pub(crate) async fn facts(db: &Database) -> Vec<String> {
    let mut facts = all_facts(db).await;
    let migrations = facts.iter().filter(|fact| fact.starts_with("migration "));
    let count = migrations.count();
    let one_more = facts
        .iter()
        .any(|fact| fact.contains(": usersessions.0001"));
    facts.retain(|fact| !fact.contains("djauth_login_attempts") && !fact.contains("usersessions"));
    if one_more {
        facts.iter_mut().for_each(|fact| one_less(fact, count));
    }
    facts
}

/// The counter of migrations without the one that is not Django's.
fn one_less(fact: &mut String, count: usize) {
    let to = match fact.split_once(' ') {
        Some(("sequence", rest)) if rest.starts_with("django_migrations") => count,
        Some(("table", rest)) if rest.starts_with("django_migrations:") => count + 1,
        _ => return,
    };
    *fact = fact.replace(&format!(" {to}"), &format!(" {}", to - 1));
}

/// What is there of the table of users' sessions.
pub(crate) async fn facts_of_sessions(db: &Database) -> Vec<String> {
    let mut facts = all_facts(db).await;
    facts.retain(|fact| fact.contains("usersessions_usersession"));
    facts
}

async fn all_facts(db: &Database) -> Vec<String> {
    let sql = match db.dialect() {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
        Dialect::Mysql => &MARIADB,
    };
    let mut facts = db
        .fetch(sql, &[], |row| row.get::<String>(0))
        .await
        .expect("reads the catalogue");
    facts.sort();
    facts
}

/// Fails with the lines that differ.
pub(crate) fn assert_same(ours: &[String], django: &[String], of: &str) {
    let only = |a: &[String], b: &[String]| {
        a.iter()
            .filter(|line| !b.contains(line))
            .cloned()
            .collect::<Vec<_>>()
    };
    let (extra, missing) = (only(ours, django), only(django, ours));
    assert!(
        extra.is_empty() && missing.is_empty(),
        "{of}: only here {extra:#?}, only at Django's {missing:#?}"
    );
    assert_eq!(ours.len(), django.len(), "{of}");
}

/// Runs a test on a fresh database of each kind, on all of them at once.
pub(crate) async fn on_each(test: impl AsyncFn(&TestDatabase, Database)) {
    let on_one = async |database: TestDatabase| {
        let db = connect(&database).await;
        test(&database, db.clone()).await;
        db.close().await;
    };
    futures_util::future::join_all(TestDatabase::all().into_iter().map(on_one)).await;
}

/// Another handle with connections of its own.
pub(crate) async fn connect(database: &TestDatabase) -> Database {
    Database::connect(database.url()).await.expect("connects")
}

/// Runs statements that make or break tables.
pub(crate) async fn script(db: &Database, statements: &[&str]) {
    let transaction = db.begin().await.expect("begins");
    for statement in statements {
        transaction
            .execute_script(statement)
            .await
            .expect(statement);
    }
    transaction.commit().await.expect("commits");
}
