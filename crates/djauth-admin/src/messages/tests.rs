use djauth_signing::{FixedClock, SecretKey};
use proptest::prelude::*;

use super::*;

fn keys() -> SecretKeys {
    SecretKey::new("a key for the tests of messages, long enough")
        .unwrap()
        .into()
}

fn clock() -> FixedClock {
    FixedClock::new(chrono::DateTime::from_timestamp(1_767_268_800, 0).unwrap())
}

fn message(text: &str) -> Message {
    Message {
        level: Level::Success as u32,
        text: text.to_owned(),
        is_safe: false,
        extra_tags: Some(String::new()),
    }
}

#[test]
fn a_message_is_written_as_django_writes_it() {
    let safe = Message {
        is_safe: true,
        extra_tags: None,
        ..message("<b>é</b>")
    };
    let json = Json::Array(vec![message("a \"b\"").to_json(), safe.to_json()]);
    assert_eq!(
        djauth_signing::json::to_string(&json).unwrap(),
        r#"[["__json_message",0,25,"a \"b\"",""],["__json_message",1,25,"<b>\u00e9</b>"]]"#
    );
    assert_eq!(Message::from_json(&safe.to_json()), Some(safe));
    for wrong in [
        "[]",
        "[1]",
        "{}",
        "\"x\"",
        "[\"__json_message\",0,-1,\"x\"]",
        "[\"__json_message\",0,25,1]",
    ] {
        assert_eq!(
            Message::from_json(&serde_json::from_str(wrong).unwrap()),
            None
        );
    }
}

#[test]
fn only_a_flag_that_is_set_marks_html() {
    for (flag, is_safe) in [
        ("1", true),
        ("-1", true),
        ("true", true),
        ("0", false),
        ("false", false),
        ("null", false),
        ("0.5", false),
        ("1.0", false),
        ("\"1\"", false),
        ("[1]", false),
        ("{}", false),
    ] {
        let text = format!("[\"__json_message\",{flag},25,\"<b>x</b>\"]");
        let read = Message::from_json(&serde_json::from_str(&text).unwrap());
        assert_eq!(read.map(|read| read.is_safe), Some(is_safe), "{flag}");
    }
}

#[test]
fn words_for_css_are_the_levels() {
    let mut told = message("x");
    assert_eq!(told.tags(), "success");
    told.extra_tags = Some("own".to_owned());
    assert_eq!(told.tags(), "own success");
    told.level = 33;
    assert_eq!(told.tags(), "own");
}

#[test]
fn the_oldest_stay_in_the_cookie() {
    let texts: Vec<_> = (0..40)
        .map(|n| message(&format!("{n} {:x?}", sha2_of(n))))
        .collect();
    let (value, fits) = cookie::write(&texts, &keys(), &clock()).unwrap();
    assert!(
        value.len() <= 2048 && fits > 0 && fits < 40,
        "{} {fits}",
        value.len()
    );
    let (read, has_more) = cookie::decode(&value, &keys(), &clock()).unwrap();
    assert!(has_more);
    assert_eq!(read, texts[..fits]);
    let (value, fits) = cookie::write(&texts[..2], &keys(), &clock()).unwrap();
    assert_eq!(fits, 2);
    assert_eq!(
        cookie::decode(&value, &keys(), &clock()),
        Some((texts[..2].to_vec(), false))
    );
}

fn sha2_of(n: u8) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest([n]).to_vec()
}

#[test]
fn a_cookie_of_somebody_else_holds_nothing() {
    let (value, _) = cookie::write(&[message("x")], &keys(), &clock()).unwrap();
    let others: SecretKeys = SecretKey::new("the key of another site, long enough too")
        .unwrap()
        .into();
    assert_eq!(cookie::decode(&value, &others, &clock()), None);
    let mut broken = value.clone();
    broken.pop();
    assert_eq!(cookie::decode(&broken, &keys(), &clock()), None);
    let rotated = SecretKeys {
        fallbacks: vec![keys().key],
        ..others
    };
    assert!(cookie::decode(&value, &rotated, &clock()).is_some());
}

proptest! {
    #[test]
    fn any_text_comes_back(texts in proptest::collection::vec("\\PC{0,40}", 1..20)) {
        let messages: Vec<_> = texts.iter().map(|text| message(text)).collect();
        let (value, fits) = cookie::write(&messages, &keys(), &clock()).unwrap();
        prop_assert!(value.is_ascii() && value.len() <= 2048);
        let (read, _) = cookie::decode(&value, &keys(), &clock()).unwrap();
        prop_assert_eq!(&read[..], &messages[..fits]);
    }

    #[test]
    fn any_cookie_can_be_read(value in "\\PC{0,60}") {
        prop_assert_eq!(cookie::decode(&value, &keys(), &clock()), None);
    }
}
