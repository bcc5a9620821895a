use test_databases::TestDatabase;

use super::super::check_schema;
use super::*;
use crate::ErrorKind;
use crate::base_user::UserMeta;

async fn mariadb() -> (TestDatabase, Database) {
    let test = TestDatabase::mariadb();
    let db = Database::connect(test.url()).await.expect("connects");
    (test, db)
}

/// Steps on an empty MariaDB: `django_migrations`, the notes, nine tables, our own, that of sessions and four of axes,
/// the rows.
const STEPS: usize = 18;
/// Eighteen of Django's, one of sessions and ten of axes.
const MIGRATIONS: usize = 29;

async fn is_complete(db: &Database) {
    let problems = check_schema(db, &App::ALL, &UserTable::stock())
        .await
        .expect("reads");
    assert_eq!(problems, []);
    static COUNTS: Sql = Sql::new(
        "SELECT (SELECT COUNT(*) FROM django_migrations), (SELECT MIN(id) FROM django_migrations),
                (SELECT COUNT(*) FROM django_content_type), (SELECT COUNT(*) FROM auth_permission)",
    );
    let read =
        |row: &djauth_db::Row<'_>| Ok([row.get::<i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
    let counts = db.fetch_optional(&COUNTS, &[], read).await.expect("reads");
    assert_eq!(counts, Some([29, 1, 6, 24]));
    let found = Catalogue::read(db).await.expect("reads");
    assert!(found.has(plan::LOGIN_ATTEMPTS) && found.has(plan::USER_SESSIONS));
    assert!(Migrate::new().plan(db).await.expect("plans").is_empty());
}

#[tokio::test]
async fn a_run_cut_off_after_any_step_is_completed_by_the_next() {
    let mut cuts = 0;
    for last in 0.. {
        let (_test, db) = mariadb().await;
        let result = Migrate::new().in_steps(&db, |step| cut(step == last)).await;
        if result.is_err() {
            cuts += 1;
            Migrate::new().run(&db).await.expect("goes on");
        }
        is_complete(&db).await;
        db.close().await;
        if result.is_ok() {
            break;
        }
    }
    assert_eq!(cuts, STEPS);
}

#[tokio::test]
async fn a_run_may_be_cut_off_again_and_again() {
    let (_test, db) = mariadb().await;
    // Each run is cut off after its second step: the notes, then fifteen tables, then the rows.
    for _ in 0..16 {
        Migrate::new()
            .in_steps(&db, |step| cut(step == 1))
            .await
            .expect_err("cut off");
        assert_eq!(
            Migrate::new()
                .plan(&db)
                .await
                .expect("plans")
                .migrations()
                .len(),
            MIGRATIONS
        );
    }
    Migrate::new()
        .in_steps(&db, |step| cut(step == 1))
        .await
        .expect_err("cut off");
    is_complete(&db).await;
    db.close().await;
}

/// The rows themselves are one transaction; cut off within, they are all gone, and their numbers are not used up.
#[tokio::test]
async fn a_run_cut_off_between_rows_leaves_no_gap() {
    let (_test, db) = mariadb().await;
    Migrate::new()
        .in_steps(&db, |step| cut(step == STEPS - 2))
        .await
        .expect_err("cut off");
    let transaction = db.begin().await.expect("begins");
    let work = Migrate::new().work(&transaction).await.expect("reads");
    Migrate::new()
        .finish(&transaction, &work)
        .await
        .expect("adds rows");
    transaction.rollback().await.expect("rolls back");
    Migrate::new().run(&db).await.expect("goes on");
    is_complete(&db).await;
    static NUMBERS: Sql = Sql::new(
        "SELECT (SELECT MAX(id) FROM django_migrations), (SELECT MAX(id) FROM django_content_type),
                (SELECT MAX(id) FROM auth_permission)",
    );
    let read = |row: &djauth_db::Row<'_>| Ok([row.get::<i64>(0)?, row.get(1)?, row.get(2)?]);
    assert_eq!(
        db.fetch_optional(&NUMBERS, &[], read).await.expect("reads"),
        Some([29, 6, 24])
    );
    db.close().await;
}

/// The tables of an own user model are steps of the run as Django's are.
#[tokio::test]
async fn own_tables_of_a_run_that_was_cut_off_are_completed() {
    let mut user = UserTable::of(&UserMeta::declared::<crate::User>()).table("people");
    (user.swapped, user.app_label) = (true, "clubs".to_owned());
    let migrate = Migrate::new().user(user.clone());
    let mut cuts = 0;
    for last in 0.. {
        let (_test, db) = mariadb().await;
        let result = migrate.in_steps(&db, |step| cut(step == last)).await;
        if result.is_err() {
            cuts += 1;
            migrate.run(&db).await.expect("goes on");
        }
        let problems = check_schema(&db, &App::ALL, &user).await.expect("reads");
        assert_eq!(problems, []);
        assert!(migrate.plan(&db).await.expect("plans").is_empty());
        db.close().await;
        if result.is_ok() {
            break;
        }
    }
    // Three own ones in the place of three of Django's.
    assert_eq!(cuts, STEPS);
}

fn cut(here: bool) -> Result<(), Error> {
    if here {
        Err(Error::new(ErrorKind::Database, "cut off"))
    } else {
        Ok(())
    }
}

/// The one that waits does not run into the limit for a single statement, however short that is.
#[tokio::test]
async fn waiting_for_another_process_is_no_statement_that_hangs() {
    static TAKE_MARIADB: Sql =
        Sql::new("SELECT GET_LOCK(CONCAT('djauth.migrate.', MD5(DATABASE())), 0)");
    static TAKE_POSTGRES: Sql =
        Sql::new("SELECT CAST(pg_try_advisory_xact_lock(7235702908416188269) AS integer)");
    for test in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let url = test.url();
        let mark = if url.contains('?') { '&' } else { '?' };
        let waiting = Database::connect(&format!("{url}{mark}statement_timeout=1"))
            .await
            .expect("connects");
        let other = Database::connect(url).await.expect("connects");
        let held = other.begin().await.expect("begins");
        let take = match held.dialect() {
            Dialect::Mysql => &TAKE_MARIADB,
            _ => &TAKE_POSTGRES,
        };
        let taken = held.fetch(take, &[], |row| row.get::<i64>(0)).await;
        assert_eq!(taken.expect("takes the lock"), [1], "{}", test.name());
        let migrate = Migrate::new();
        let ended = async {
            tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
            assert!(
                Migrate::new()
                    .plan(&other)
                    .await
                    .expect("plans")
                    .migrations()
                    .len()
                    == MIGRATIONS,
                "{}: it did not wait",
                test.name()
            );
            drop(held);
        };
        let (done, ()) = tokio::join!(migrate.run(&waiting), ended);
        assert_eq!(
            done.expect("migrates").migrations().len(),
            MIGRATIONS,
            "{}",
            test.name()
        );
        waiting.close().await;
        other.close().await;
    }
}
