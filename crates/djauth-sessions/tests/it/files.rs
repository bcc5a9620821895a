//! Session files as Django names and keeps them.

use std::fs;
use std::path::PathBuf;

use chrono::TimeDelta;
use djauth_sessions::{EngineKind, ErrorKind, SessionEngine};

use crate::beds::{Bed, bed, setup};

fn path(bed: &Bed, key: &str) -> PathBuf {
    bed.folder
        .as_ref()
        .unwrap()
        .path()
        .join(format!("sessionid{key}"))
}

#[tokio::test]
async fn the_file_is_djangos() {
    let bed = bed(EngineKind::File).await;
    let key = bed.stored().await;
    let text = fs::read_to_string(path(&bed, &key)).unwrap();
    assert_eq!(
        bed.engine.config().decode(&text).to_json().unwrap(),
        r#"{"a":1}"#
    );
    assert!(text.starts_with("eyJhIjoxfQ:"));

    fs::write(
        path(&bed, &key),
        bed.engine
            .config()
            .encode(&djauth_sessions::SessionData::new())
            .unwrap(),
    )
    .unwrap();
    assert!(bed.open(&key).keys().await.unwrap().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_with_the_name_of_a_session_is_passed_over() {
    let bed = bed(EngineKind::File).await;
    let made = std::process::Command::new("mkfifo")
        .arg(path(&bed, "abcdefghij"))
        .status();
    assert!(made.unwrap().success());
    let session = bed.open("abcdefghij");
    assert!(session.keys().await.unwrap().is_empty());
    assert_eq!(session.session_key(), None);
    assert_eq!(bed.engine.clear_expired().await.unwrap(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_it_and_no_temporary_file_stays() {
    use std::os::unix::fs::PermissionsExt;
    let bed = bed(EngineKind::File).await;
    let key = bed.stored().await;
    let session = bed.open(&key);
    session.insert("b", &2).await.unwrap();
    session.save().await.unwrap();
    assert_eq!(
        fs::metadata(path(&bed, &key)).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(bed.count().await, 1);
}

#[tokio::test]
async fn a_key_cannot_leave_the_directory() {
    let bed = bed(EngineKind::File).await;
    let outside = bed
        .folder
        .as_ref()
        .unwrap()
        .path()
        .parent()
        .unwrap()
        .join("djauth-outside-session");
    fs::write(
        &outside,
        bed.engine
            .config()
            .encode(&bed.open(&bed.stored().await).data().await.unwrap())
            .unwrap(),
    )
    .unwrap();
    for key in [
        "/../djauth-outside-session",
        "../../etc/passwd",
        "ABCDEFGHIJ",
        "abcdefgh.txt",
    ] {
        let session = bed.open(key);
        assert_eq!(session.get::<i64>("a").await.unwrap(), None);
        assert_eq!(session.session_key(), None);
        bed.open(key).delete().await.unwrap();
    }
    assert!(outside.exists());
    fs::remove_file(outside).unwrap();
}

#[tokio::test]
async fn an_empty_file_is_a_session_that_is_being_made() {
    let bed = bed(EngineKind::File).await;
    fs::write(path(&bed, "abcdefghij"), "").unwrap();
    let session = bed.open("abcdefghij");
    assert!(session.keys().await.unwrap().is_empty());
    assert_eq!(session.session_key().as_deref(), Some("abcdefghij"));
}

#[tokio::test]
async fn rubbish_in_a_file_is_an_empty_session() {
    let bed = bed(EngineKind::File).await;
    for bytes in [&b"rubbish"[..], b"\xff\xfe", "é".as_bytes()] {
        fs::write(path(&bed, "abcdefghij"), bytes).unwrap();
        let session = bed.open("abcdefghij");
        assert!(session.keys().await.unwrap().is_empty() && session.session_key().is_some());
    }
}

#[tokio::test]
async fn the_age_counts_from_the_last_save() {
    let bed = bed(EngineKind::File).await;
    let key = bed.stored().await;
    bed.clock.advance(TimeDelta::days(14) - TimeDelta::hours(1));
    assert_eq!(bed.open(&key).get::<i64>("a").await.unwrap(), Some(1));
    bed.clock.advance(TimeDelta::hours(2));
    assert_eq!(bed.open(&key).get::<i64>("a").await.unwrap(), None);
    assert!(!path(&bed, &key).exists());
}

#[tokio::test]
async fn clearing_spares_what_is_no_session() {
    let bed = bed(EngineKind::File).await;
    bed.stored().await;
    let folder = bed.folder.as_ref().unwrap().path();
    fs::write(folder.join("sessionidabcdefgh_out_1"), "x").unwrap();
    fs::write(folder.join("other"), "x").unwrap();
    fs::create_dir(folder.join("sessionidabcdefgh")).unwrap();
    bed.clock.advance(TimeDelta::days(15));
    assert_eq!(bed.engine.clear_expired().await.unwrap(), 1);
    assert_eq!(bed.count().await, 3);
}

#[test]
fn a_missing_directory_is_an_error_of_the_settings() {
    let mut config = setup().config;
    config.file_path = Some("/nowhere/at/all".into());
    assert_eq!(
        SessionEngine::file(config).unwrap_err().kind(),
        ErrorKind::Configuration
    );
}
