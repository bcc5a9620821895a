//! Each guard makes something, and it is gone afterwards.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic::catch_unwind;

use test_databases::{TestDatabase, TestRedis};

#[test]
fn folders_go_also_after_a_panic() {
    let mut folder = None;
    let failed = catch_unwind(std::panic::AssertUnwindSafe(|| {
        let database = TestDatabase::sqlite();
        folder = database.folder().map(ToOwned::to_owned);
        assert!(folder.as_ref().unwrap().is_dir());
        panic!("a failed test");
    }));
    assert!(failed.is_err());
    assert!(!folder.unwrap().exists());
}

#[test]
fn databases_are_made_and_dropped() {
    let count = "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'public'";
    let postgres = TestDatabase::postgres();
    assert_eq!(postgres.client(count), "1");
    let name = postgres.url().rsplit_once('/').unwrap().1.to_owned();
    drop(postgres);
    let other = TestDatabase::postgres();
    let left = format!("SELECT COUNT(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(other.client(&left), "0");

    let mariadb = TestDatabase::mariadb();
    assert_eq!(mariadb.client("SELECT @@character_set_database"), "utf8mb4");
    let name = mariadb.url().rsplit_once('/').unwrap().1.to_owned();
    drop(mariadb);
    let left =
        format!("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '{name}'");
    assert_eq!(TestDatabase::mariadb().client(&left), "0");
}

#[test]
fn keys_of_redis_are_deleted() {
    let redis = TestRedis::new();
    let (url, key) = (redis.url().to_owned(), format!("{}:1:x", redis.prefix()));
    assert_eq!(ask(&url, &format!("SET {key} 1")), "+OK");
    assert_eq!(ask(&url, &format!("EXISTS {key}")), ":1");
    drop(redis);
    assert_eq!(ask(&url, &format!("EXISTS {key}")), ":0");
}

fn ask(url: &str, command: &str) -> String {
    let address = url
        .trim_start_matches("redis://")
        .split('/')
        .next()
        .unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("{command}\r\n").as_bytes())
        .unwrap();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length])
        .trim_end()
        .to_owned()
}
