//! Reset tokens against those that Django 4.2, 5.2 and 6.1 made.

use std::fmt;

use chrono::{DateTime, Utc};
use djauth::tokens::{Algorithm, PasswordResetTokenGenerator};
use djauth::{AbstractBaseUser, BaseUser, SecretKey, Settings, User};
use serde_json::Value;
use uuid::Uuid;

const DATA: [(&str, &str); 3] = [
    ("4.2", include_str!("../data/tokens-4.2.json")),
    ("5.2", include_str!("../data/tokens-5.2.json")),
    ("6.1", include_str!("../data/tokens-6.1.json")),
];

/// A UUID as the key, and an address that may be NULL in a column of another name.
#[derive(Clone, Debug, BaseUser)]
#[django(
    app_label = "accounts",
    USERNAME_FIELD = "contact",
    EMAIL_FIELD = "contact"
)]
struct Account {
    id: Uuid,
    base: AbstractBaseUser,
    contact: Option<String>,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.contact.as_deref().unwrap_or_default())
    }
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().expect(name)
}

fn moment(case: &Value, name: &str) -> Option<DateTime<Utc>> {
    let text = case[name].as_str()?;
    Some(DateTime::parse_from_rfc3339(text).expect(name).to_utc())
}

fn base(case: &Value) -> AbstractBaseUser {
    let mut base = AbstractBaseUser::default();
    base.password = text(case, "password").into();
    base.last_login = moment(case, "last_login");
    base
}

fn account(case: &Value) -> Option<Account> {
    let id = text(case, "id");
    let contact = case["email"].as_str().map(str::to_owned);
    id.contains('-').then(|| Account {
        id: id.parse().expect("a UUID"),
        base: base(case),
        contact,
    })
}

fn user(case: &Value) -> User {
    User {
        id: text(case, "id").parse().expect("a number"),
        base: base(case),
        email: text(case, "email").into(),
        ..User::blank()
    }
}

/// What Django's token must be made of and accepted by.
fn expect<U: BaseUser>(
    generator: &PasswordResetTokenGenerator,
    user: &U,
    case: &Value,
    name: &str,
) {
    let now = moment(case, "now").expect("now");
    let token = text(case, name);
    assert_eq!(generator.make_token(user, now), token, "{name}: {case}");
    assert!(
        generator.check_token(Some(user), token, now),
        "{name}: {case}"
    );
}

fn generators(data: &Value, case: &Value) -> [(&'static str, PasswordResetTokenGenerator); 4] {
    let key = |name| SecretKey::new(text(data, name)).expect(name);
    let mut settings = Settings::new(key("key"));
    settings.secret_key_fallbacks = vec![key("fallback")];
    settings.time_zone = text(case, "zone").parse().expect("a zone");
    let new = || PasswordResetTokenGenerator::new(&settings);
    [
        ("token", new()),
        ("fallback", new().secret(key("fallback"))),
        ("salted", new().key_salt("another.salt")),
        ("sha1", new().algorithm(Algorithm::Sha1)),
    ]
}

#[test]
fn tokens_are_djangos_in_every_zone() {
    for (version, data) in DATA {
        let data: Value = serde_json::from_str(data).expect(version);
        let tokens = data["tokens"].as_array().expect("tokens");
        assert_eq!(tokens.len(), 6 * 9 * 6, "{version}");
        for case in tokens {
            let of = &data["users"][case["user"].as_u64().expect("an index") as usize];
            for (name, generator) in generators(&data, case) {
                match account(of) {
                    Some(account) => expect(&generator, &account, case, name),
                    None => expect(&generator, &user(of), case, name),
                }
            }
        }
    }
}

/// A token that an old key made is accepted while the key is a fallback.
#[test]
fn tokens_of_an_old_key_hold_after_a_change() {
    let (version, data) = DATA[2];
    let data: Value = serde_json::from_str(data).expect(version);
    let case = &data["tokens"][0];
    let of = user(&data["users"][0]);
    let now = moment(case, "now").expect("now");
    let [(_, generator), ..] = generators(&data, case);
    let old = text(case, "fallback");
    assert!(generator.check_token(Some(&of), old, now));
    let forgetful = generator.secret_fallbacks([]);
    assert!(!forgetful.check_token(Some(&of), old, now));
}

#[test]
fn tokens_are_judged_as_django_does() {
    for (version, data) in DATA {
        let data: Value = serde_json::from_str(data).expect(version);
        let checks = data["checks"].as_array().expect("checks");
        assert!(checks.iter().any(|case| case["good"] == true));
        for case in checks {
            let of = user(&data["users"][case["user"].as_u64().expect("an index") as usize]);
            let [(_, generator), ..] = generators(&data, case);
            let now = moment(case, "now").expect("now");
            let good = generator.check_token(Some(&of), text(case, "token"), now);
            assert_eq!(good, case["good"], "{version}: {case}");
        }
    }
}
