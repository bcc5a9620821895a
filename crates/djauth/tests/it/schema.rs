//! Django's own catalogues, and the same statements that read them.

use djauth_db::{Database, Dialect, Executor, Sql};
use serde_json::Value;
use test_databases::TestDatabase;

/// What Django's `migrate` leaves: sorted lines of one database. `answer` is `6.1`, `5.2`, `4.2`, `own-6.1` or
/// `long-6.1`; with `usersessions-` before one of the last, or before `6.1`, the table of django-allauth alone; `axes` has the
/// tables of django-axes alone.
pub(crate) fn django(answer: &str, dialect: Dialect) -> Vec<String> {
    let text = match answer {
        "4.2" => include_str!("../data/schema-4.2.json"),
        "5.2" => include_str!("../data/schema-5.2.json"),
        "6.1" => include_str!("../data/schema-6.1.json"),
        "long-6.1" => include_str!("../data/schema-long-6.1.json"),
        "axes" => include_str!("../data/schema-axes.json"),
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

/// The migrations that are recorded in a database of ours: Django's eighteen, one of sessions and ten of axes.
pub(crate) const MIGRATIONS: usize = 29;
/// How the names of tables begin that Django's own apps do not have.
const ALONG: [&str; 3] = ["djauth_login_attempts", "usersessions_usersession", "axes_"];
/// The apps of which they are.
const APPS_ALONG: [&str; 2] = ["usersessions", "axes"];

/// The same of a database of ours, without what Django's own apps do not have.
pub(crate) async fn facts(db: &Database) -> Vec<String> {
    let mut facts = all_facts(db).await;
    facts.retain(|fact| !ALONG.iter().any(|name| fact.contains(name)));
    let all = facts.len();
    facts.retain(|fact| !is_migration_along(fact));
    let along = all - facts.len();
    for fact in facts.iter_mut().filter(|fact| counts_migrations(fact)) {
        *fact = counted_down(fact, along);
    }
    facts.sort();
    facts
}

fn is_migration_along(fact: &str) -> bool {
    let name = fact.split_once(": ").map_or("", |(_, name)| name);
    let of = |app: &&str| name.starts_with(&format!("{app}."));
    fact.starts_with("migration ") && APPS_ALONG.iter().any(of)
}

/// Whether a fact says which number the next recorded migration gets.
fn counts_migrations(fact: &str) -> bool {
    let counters = ["sequence django_migrations", "table django_migrations: "];
    counters.iter().any(|counter| fact.starts_with(counter))
}

fn counted_down(fact: &str, along: usize) -> String {
    let number = |word: &str| {
        word.parse::<usize>()
            .ok()
            .filter(|n| (along..99).contains(n))
    };
    let words = fact.split(' ').map(|word| match number(word) {
        Some(number) if number > 1 => (number - along).to_string(),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What is there of the table of users' sessions.
pub(crate) async fn facts_of_sessions(db: &Database) -> Vec<String> {
    let mut facts = all_facts(db).await;
    facts.retain(|fact| fact.contains("usersessions_usersession"));
    facts
}

/// Every fact of a database.
pub(crate) async fn all_facts(db: &Database) -> Vec<String> {
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
