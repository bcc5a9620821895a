use chrono::{TimeDelta, TimeZone};
use proptest::prelude::*;

use super::*;
use crate::User;

fn generator() -> PasswordResetTokenGenerator {
    let key = SecretKey::new("a key for the tests of tokens").unwrap();
    PasswordResetTokenGenerator::new(&Settings::new(key))
}

fn user() -> User {
    User {
        id: 7,
        email: "alice@example.com".into(),
        ..User::blank()
    }
}

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 1, 12, 0, 0).unwrap()
}

#[test]
fn a_token_holds_to_the_last_second_of_its_time() {
    let generator = generator();
    let token = generator.make_token(&user(), now());
    let at = |seconds| {
        let then = now() + TimeDelta::seconds(seconds);
        generator.check_token(Some(&user()), &token, then)
    };
    assert!(at(0) && at(259_200) && at(-1));
    assert!(!at(259_201));
}

#[test]
fn what_changes_the_user_ends_the_token() {
    let generator = generator();
    let token = generator.make_token(&user(), now());
    let changes: [fn(&mut User); 4] = [
        |user| user.id = 8,
        |user| user.base.password = "other".into(),
        |user| user.base.last_login = Some(now()),
        |user| user.email = "bob@example.com".into(),
    ];
    for change in changes {
        let mut user = user();
        change(&mut user);
        assert!(!generator.check_token(Some(&user), &token, now()));
    }
    assert!(!generator.check_token::<User>(None, &token, now()));
    assert!(!generator.check_token(Some(&user()), "", now()));
}

#[test]
fn old_keys_are_accepted_and_never_used_to_sign() {
    let [old, new] = ["old", "new"].map(|key| SecretKey::new(key).unwrap());
    let before = generator().secret(old.clone());
    let after = generator().secret(new).secret_fallbacks([old]);
    let token = before.make_token(&user(), now());
    assert!(after.check_token(Some(&user()), &token, now()));
    let token = after.make_token(&user(), now());
    assert!(!before.check_token(Some(&user()), &token, now()));
}

#[test]
fn purposes_and_algorithms_are_kept_apart() {
    let token = generator().make_token(&user(), now());
    let others = [
        generator().key_salt("activation"),
        generator().algorithm(Algorithm::Sha1),
        generator().secret(SecretKey::new("other").unwrap()),
    ];
    for other in others {
        let own = other.make_token(&user(), now());
        assert!(other.check_token(Some(&user()), &own, now()));
        assert!(!other.check_token(Some(&user()), &token, now()));
    }
}

/// CVE-2010-4535: a huge timestamp is refused before arithmetic; the largest that is read does not
/// overflow.
#[test]
fn cve_2010_4535_a_token_with_a_long_timestamp_is_refused() {
    let hash = "0".repeat(32);
    for digits in [
        "zzzzzzzzzzzzz",
        "3w5e11264sgsf",
        &"1".repeat(14),
        &"z".repeat(1_000_000),
    ] {
        let token = format!("{digits}-{hash}");
        assert!(!generator().check_token(Some(&user()), &token, now()));
    }
    assert_eq!(timestamp_of(&format!("{}-{hash}", "1".repeat(14))), None);
    assert_eq!(timestamp_of(&format!("1-{}", "0".repeat(100))), None);
    assert!(generator().is_fresh(u64::MAX, now()));
}

#[test]
fn another_spelling_of_a_token_is_none() {
    let token = generator().make_token(&user(), now());
    let spellings = [
        token.to_uppercase(),
        format!("0{token}"),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}-"),
        format!("+{token}"),
    ];
    for spelling in spellings {
        assert!(
            !generator().check_token(Some(&user()), &spelling, now()),
            "{spelling}"
        );
    }
}

/// Before 2001 the wall clock counts backwards, which no token can say.
#[test]
fn a_clock_before_2001_makes_a_token_all_the_same() {
    let then = DateTime::UNIX_EPOCH;
    let token = generator().make_token(&user(), then);
    assert!(token.starts_with("0-"));
    assert!(generator().check_token(Some(&user()), &token, then));
}

#[test]
fn debug_shows_no_key() {
    assert!(!format!("{:?}", generator()).contains("a key for"));
}

proptest! {
    #[test]
    fn no_text_is_a_token(text in "\\PC{0,80}") {
        prop_assert!(!generator().check_token(Some(&user()), &text, now()));
    }

    #[test]
    fn every_change_of_one_character_is_seen(place in 0usize..39, other in "[0-9a-z-]") {
        let token = generator().make_token(&user(), now());
        let mut changed = token.clone();
        changed.replace_range(place..=place, &other);
        prop_assert_eq!(generator().check_token(Some(&user()), &changed, now()), changed == token);
    }
}
