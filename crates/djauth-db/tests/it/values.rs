//! Every kind of value, there and back.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use djauth_db::{ErrorKind, Executor, Field, Sql, Value};
use test_databases::TestDatabase;
use uuid::Uuid;

use crate::{Fixture, all, fixture};

/// Stores a value in a column and reads it back as the same type.
async fn round_trip<T: Field>(at: &Fixture, column: &str, value: &T) -> T {
    let insert = Sql::generated(
        format!("INSERT INTO thing ({column}) VALUES (?)"),
        Some("id"),
    );
    let id = at.db.insert(&insert, vec![value.to_value()]).await.unwrap();
    let select = Sql::generated(
        format!("SELECT {column} FROM thing WHERE id = ? AND {column} = ?"),
        None,
    );
    let params = [Value::Int(id), value.to_value()];
    let found = at
        .db
        .fetch_optional(&select, &params, |row| row.get::<T>(0))
        .await
        .unwrap();
    found.unwrap_or_else(|| panic!("{}: {column} is not found by its own value", at.made.name()))
}

#[tokio::test]
async fn every_kind_comes_back() {
    for at in &all().await {
        for number in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert_eq!(round_trip(at, "big", &number).await, number);
        }
        for number in [i32::MIN, 0, i32::MAX] {
            assert_eq!(round_trip(at, "number", &number).await, number);
        }
        for number in [i16::MIN, 0, i16::MAX] {
            assert_eq!(round_trip(at, "small", &number).await, number);
        }
        for flag in [true, false] {
            assert_eq!(round_trip(at, "flag", &flag).await, flag);
        }
        for text in [
            "",
            "ann",
            "Ünïcødé 日本語 🦀 \u{202e}",
            "it's \"quoted\" \\ ? % _",
            "a\nb\r\t",
        ] {
            assert_eq!(round_trip(at, "name", &text.to_owned()).await, text);
        }
        let long = "ä🦀x".repeat(100_000);
        assert_eq!(round_trip(at, "long_text", &long).await, long);
        for ratio in [0.5, -1.25e300, 3.0] {
            assert_eq!(round_trip(at, "ratio", &ratio).await, ratio);
        }
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(round_trip(at, "data", &bytes).await, bytes);
        let id = Uuid::from_u128(0x0012_3456_789a_bcde_f012_3456_789a_bc00);
        assert_eq!(round_trip(at, "uid", &id).await, id);
    }
}

#[tokio::test]
async fn moments_keep_their_microseconds() {
    let whole = Utc.with_ymd_and_hms(2026, 2, 28, 23, 59, 59).unwrap();
    let fine = whole + TimeDelta::nanoseconds(123_456_789);
    for at in &all().await {
        assert_eq!(round_trip(at, "moment", &whole).await, whole);
        let stored = round_trip(at, "moment", &fine).await;
        assert_eq!(
            stored,
            whole + TimeDelta::microseconds(123_456),
            "{}",
            at.made.name()
        );
        let last: DateTime<Utc> = Utc.with_ymd_and_hms(9999, 12, 31, 23, 59, 59).unwrap();
        assert_eq!(round_trip(at, "moment", &last).await, last);
    }
}

static NULLS: Sql = Sql::new(
    "SELECT small, number, big, flag, name, long_text, moment, uid, ratio, data FROM thing WHERE id = ?",
);
static ALL_NULL: Sql = Sql::insert(
    "INSERT INTO thing (small, number, big, flag, name, long_text, moment, uid, ratio, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "id",
);

#[tokio::test]
async fn null_is_none_in_every_column() {
    for at in &all().await {
        let id = at
            .db
            .insert(&ALL_NULL, vec![Value::Null; 10])
            .await
            .unwrap();
        let params = [id.into()];
        let nulls = at.db.fetch(&NULLS, &params, |row| {
            assert_eq!(row.len(), 10);
            assert_eq!(row.name(4), Some("name"));
            assert_eq!(row.get::<Option<DateTime<Utc>>>(6)?, None);
            assert_eq!(row.get::<Option<Uuid>>(7)?, None);
            (0..10)
                .map(|i| Ok(row.value(i)?.is_null()))
                .collect::<Result<Vec<_>, _>>()
        });
        assert_eq!(nulls.await.unwrap(), vec![vec![true; 10]]);
    }
}

static BY_NUMBER: Sql = Sql::new("SELECT id FROM thing WHERE number = ?");
static BELOW: Sql = Sql::new("SELECT COUNT(*) FROM thing WHERE number < ?");

#[tokio::test]
async fn a_number_too_large_for_its_column_finds_no_row() {
    for at in &all().await {
        round_trip(at, "number", &7_i32).await;
        let large = [Value::Int(1 << 40)];
        let found = at
            .db
            .fetch(&BY_NUMBER, &large, |row| row.get::<i32>(0))
            .await
            .unwrap();
        assert!(found.is_empty());
        let count = at
            .db
            .fetch_optional(&BELOW, &large, |row| row.get::<i64>(0))
            .await
            .unwrap();
        assert_eq!(count, Some(1), "{}: it is still a number", at.made.name());
    }
}

static BY_NAME: Sql = Sql::new("SELECT id FROM thing WHERE name = ?");

#[tokio::test]
async fn text_with_nul_characters() {
    for at in &all().await {
        let nul = "a\0b".to_owned();
        if at.made.name() != "postgres" {
            assert_eq!(
                round_trip(at, "name", &nul).await,
                nul,
                "{}",
                at.made.name()
            );
            continue;
        }
        // PostgreSQL cannot have it: refused before it is sent, so that a transaction goes on.
        let tx = at.db.begin().await.unwrap();
        let error = tx
            .fetch(&BY_NAME, &[nul.into()], |_| Ok(()))
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Data);
        assert!(
            tx.fetch(&BY_NAME, &["a".into()], |_| Ok(()))
                .await
                .unwrap()
                .is_empty()
        );
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn values_that_do_not_fit_are_data_errors() {
    let cases = [
        ("name", Value::from("x".repeat(151))),
        ("number", Value::Int(1 << 40)),
        ("small", Value::Int(1 << 20)),
        ("moment", Value::Timestamp(DateTime::<Utc>::MAX_UTC)),
        (
            "moment",
            Value::Timestamp(Utc.with_ymd_and_hms(0, 1, 1, 0, 0, 0).unwrap()),
        ),
    ];
    for at in &all().await {
        // SQLite has no widths.
        let no_widths = at.made.name() == "sqlite";
        for (column, value) in cases
            .iter()
            .filter(|(column, _)| !no_widths || *column == "moment")
        {
            let text = format!("INSERT INTO thing ({column}) VALUES (?)");
            let insert = Sql::generated(text, Some("id"));
            let error = at
                .db
                .insert(&insert, vec![value.borrowed()])
                .await
                .unwrap_err();
            assert_eq!(
                *error.kind(),
                ErrorKind::Data,
                "{} {column}: {error:?}",
                at.made.name()
            );
            assert!(!error.to_string().contains("xxx"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_column_of_another_kind_says_so() {
    static TEXT: Sql = Sql::new("SELECT name, name FROM thing WHERE id = ?");
    static NEW: Sql = Sql::insert("INSERT INTO thing (name) VALUES (?)", "id");
    for at in &all().await {
        let id = at.db.insert(&NEW, vec!["hunter2".into()]).await.unwrap();
        let params = [id.into()];
        let wrong = at
            .db
            .fetch(&TEXT, &params, |row| row.get::<i64>(1))
            .await
            .unwrap_err();
        assert_eq!(*wrong.kind(), ErrorKind::Decode);
        assert!(wrong.to_string().contains("name"), "{wrong}");
        assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
        let outside = at
            .db
            .fetch(&TEXT, &params, |row| row.get::<String>(2))
            .await;
        assert_eq!(*outside.unwrap_err().kind(), ErrorKind::Decode);
    }
}

#[tokio::test]
async fn backslashes_quotes_and_booleans_mean_the_same_everywhere() {
    static LITERALS: Sql = Sql::new(
        r#"SELECT 'a\' || '''?' AS "x?y", CASE WHEN TRUE THEN 1 ELSE 0 END,
            CASE WHEN 'a_b' LIKE 'a!_b' ESCAPE '!' THEN 1 ELSE 0 END -- ?
        FROM thing WHERE name = ? AND name = 'a\b'"#,
    );
    for at in &all().await {
        round_trip(at, "name", &"a\\b".to_owned()).await;
        let params = ["a\\b".into()];
        let rows = at.db.fetch(&LITERALS, &params, |row| {
            assert_eq!(row.name(0), Some("x?y"));
            Ok((
                row.get::<String>(0)?,
                row.get::<i32>(1)?,
                row.get::<i32>(2)?,
            ))
        });
        assert_eq!(
            rows.await.unwrap(),
            [("a\\'?".to_owned(), 1, 1)],
            "{}",
            at.made.name()
        );
    }
}

#[tokio::test]
async fn uuids_in_a_native_column_of_mariadb() {
    let at = fixture(TestDatabase::mariadb()).await;
    at.made
        .client("ALTER TABLE thing ADD COLUMN native uuid NULL");
    let id = Uuid::from_u128(0x0012_3456_789a_bcde_f012_3456_789a_bc00);
    assert_eq!(round_trip(&at, "native", &id).await, id);
    assert_eq!(
        at.made.client("SELECT native FROM thing"),
        id.hyphenated().to_string()
    );
}

#[tokio::test]
async fn stored_as_django_stores_it() {
    let moment = Utc.with_ymd_and_hms(2026, 11, 3, 4, 5, 6).unwrap();
    let id = Uuid::from_u128(0x0012_3456_789a_bcde_f012_3456_789a_bc00);
    let at = fixture(TestDatabase::sqlite()).await;
    round_trip(&at, "moment", &moment).await;
    round_trip(&at, "moment", &(moment + TimeDelta::milliseconds(678))).await;
    round_trip(&at, "uid", &id).await;
    round_trip(&at, "flag", &true).await;
    let file = rusqlite::Connection::open(at.made.path().unwrap()).unwrap();
    let mut select = file
        .prepare("SELECT typeof(x) || ' ' || x FROM (SELECT coalesce(moment, uid, flag) AS x FROM thing ORDER BY id)")
        .unwrap();
    let stored = select.query_map([], |row| row.get(0)).unwrap();
    let stored: Vec<String> = stored.collect::<Result<_, _>>().unwrap();
    assert_eq!(
        stored,
        [
            "text 2026-11-03 04:05:06",
            "text 2026-11-03 04:05:06.678000",
            "text 00123456789abcdef0123456789abc00",
            "integer 1",
        ]
    );
}
