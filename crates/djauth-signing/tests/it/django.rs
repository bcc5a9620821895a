//! What Django signs is accepted and made again, byte for byte (`interop/vectors/signing.py`).

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta};
use djauth_signing::signing::{
    self, Signer, TIMESTAMP_SIGNER_SALT, TimestampSigner, b62_decode, b62_encode,
};
use djauth_signing::{ErrorKind, FixedClock, SecretKey, SecretKeys, crypto, http};
use serde_json::{Value, json};

static DATA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/signing.json")).unwrap());

fn cases(name: &str) -> &'static [Value] {
    let cases = DATA[name].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

fn clock() -> FixedClock {
    at(DATA["now"].as_i64().unwrap())
}

fn at(second: i64) -> FixedClock {
    FixedClock::new(DateTime::from_timestamp(second, 0).unwrap())
}

fn key(name: &str) -> SecretKey {
    SecretKey::new(name).unwrap()
}

/// The settings of the Django that made the data: a key and one fallback.
fn keys() -> SecretKeys {
    SecretKeys::with_fallbacks(key(text(&DATA, "key")), [key(text(&DATA, "old_key"))])
}

#[test]
fn salted_hmac() {
    for case in cases("hmac") {
        let [salt, value, secret] = ["salt", "value", "secret"].map(|name| text(case, name));
        let [value, secret] = [value, secret].map(str::as_bytes);
        assert_eq!(
            crypto::salted_hmac_hex(salt, value, secret),
            text(case, "sha256")
        );
        let sha1 = crypto::salted_hmac_sha1(salt, value, secret);
        let hex: String = sha1.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, text(case, "sha1"));
    }
}

#[test]
fn signer() {
    for case in cases("signer") {
        let keys = SecretKeys::new(key(text(case, "key")));
        let signer = match case["salt"].as_str() {
            None => Signer::new(&keys),
            Some(salt) => Signer::with_salt(&keys, salt),
        };
        let signer = signer.sep(text(case, "sep")).unwrap();
        assert_eq!(signer.sign(text(case, "text")), text(case, "signed"));
        assert_eq!(
            signer.unsign(text(case, "signed")).unwrap(),
            text(case, "text")
        );
    }
}

#[test]
fn timestamp_signer() {
    let signer = TimestampSigner::new(&keys());
    for case in cases("timestamp") {
        let (signed, second) = (text(case, "signed"), case["at"].as_i64().unwrap());
        assert_eq!(signer.sign(text(case, "text"), &at(second)), signed);
        assert_eq!(
            signer.unsign_timestamp(signed).unwrap(),
            (text(case, "text"), second)
        );
        let age = |seconds| signer.unsign(signed, Some(TimeDelta::seconds(10)), &at(seconds));
        assert_eq!(age(second + 10).unwrap(), text(case, "text"));
        assert_eq!(
            age(second + 11).unwrap_err().kind(),
            ErrorKind::SignatureExpired
        );
    }
}

#[test]
fn dumps_and_loads() {
    for case in cases("dumps") {
        let (signed, salt) = (text(case, "signed"), text(case, "salt"));
        let compress = case["compress"].as_bool().unwrap();
        // The keys hold the old key as a fallback: both halves of the data load.
        let value: Value = signing::loads(signed, &keys(), salt, None, &clock()).unwrap();
        assert_eq!(value, case["value"]);
        let own = SecretKeys::new(key(text(case, "key")));
        let ours = signing::dumps(&case["value"], &own, salt, compress, &clock()).unwrap();
        assert_eq!(
            ours.starts_with('.'),
            signed.starts_with('.'),
            "{}",
            case["value"]
        );
        if ours.starts_with('.') {
            // Two deflate implementations need not agree on the bytes, only on the contents.
            let load = |text| signing::loads_bytes(text, &own, salt, None, &clock()).unwrap();
            assert_eq!(load(&ours), load(signed));
        } else {
            assert_eq!(ours, signed);
        }
    }
}

#[test]
fn sign_object() {
    for case in cases("sign_object") {
        let signed = text(case, "signed");
        assert_eq!(
            Signer::new(&keys()).unsign_object::<Value>(signed).unwrap(),
            case["value"]
        );
    }
}

#[test]
fn signed_cookies() {
    for case in cases("cookies") {
        let [name, salt, value] = ["name", "salt", "value"].map(|name| text(case, name));
        let unsign = |signed, legacy| {
            signing::unsign_cookie(name, signed, &keys(), salt, None, legacy, &clock())
        };
        let ours = signing::set_signed_cookie(name, value, &keys(), salt, &clock());
        assert_eq!(ours, text(case, "signed"));
        assert_eq!(unsign(text(case, "signed"), false).unwrap(), value);
        assert_eq!(unsign(text(case, "legacy"), true).unwrap(), value);
        let refused = unsign(text(case, "legacy"), false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BadSignature);
    }
}

/// An expired cookie does not get a second chance under the older salt.
#[test]
fn expired_cookies() {
    let signed = signing::set_signed_cookie("a", "v", &keys(), "", &clock());
    let later = at(DATA["now"].as_i64().unwrap() + 11);
    let age = Some(TimeDelta::seconds(10));
    let error = signing::unsign_cookie("a", &signed, &keys(), "", age, true, &later).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignatureExpired);
}

/// CVE-2026-6873: the name and the salt of a signed cookie cannot be shifted into each other.
#[test]
fn cve_2026_6873_cookie_salts_do_not_collide() {
    let signed = signing::set_signed_cookie("a", "v", &keys(), "bc", &clock());
    for (name, salt) in [("ab", "c"), ("c", "ab"), ("abc", ""), ("ca", "b")] {
        let unsign = signing::unsign_cookie(name, &signed, &keys(), salt, None, false, &clock());
        assert_eq!(unsign.unwrap_err().kind(), ErrorKind::BadSignature);
    }
    assert_eq!(
        signing::get_signed_cookie_salt("a", "bé"),
        "django.http.cookies.v2:2:béa"
    );
}

#[test]
fn numbers() {
    for case in cases("base36") {
        let number = case[0].as_u64().unwrap();
        assert_eq!(http::int_to_base36(number), case[1].as_str().unwrap());
        assert_eq!(
            http::base36_to_int(case[1].as_str().unwrap()).unwrap(),
            number
        );
    }
    for case in cases("base62") {
        let number = case[0].as_i64().unwrap();
        assert_eq!(b62_encode(number), case[1].as_str().unwrap());
        assert_eq!(b62_decode(case[1].as_str().unwrap()).unwrap(), number);
    }
}

#[test]
fn base64_is_read_as_leniently_as_django_reads_it() {
    let hex = |bytes: Vec<u8>| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    for case in cases("base64") {
        let text = case[0].as_str().unwrap();
        let decoded = http::urlsafe_base64_decode(text).ok().map(hex);
        assert_eq!(decoded.as_deref(), case[1].as_str(), "{text:?}");
        let decoded = signing::b64_decode(text).ok().map(hex);
        assert_eq!(decoded.as_deref(), case[2].as_str(), "{text:?}");
    }
}

/// Writes what we sign to `DJAUTH_SIGNED_BY_US`, for `signing.py --check`; without the variable it
/// shows that each entry loads.
#[test]
fn values_for_django_to_read() {
    let (keys, clock) = (keys(), clock());
    let mut entries = Vec::new();
    for case in cases("dumps") {
        let (value, salt) = (&case["value"], text(case, "salt"));
        let compress = case["compress"].as_bool().unwrap();
        let signed = signing::dumps(value, &keys, salt, compress, &clock).unwrap();
        assert_eq!(
            &signing::loads::<Value>(&signed, &keys, salt, None, &clock).unwrap(),
            value
        );
        entries.push(json!({"kind": "loads", "salt": salt, "text": signed, "value": value}));
        let signed = Signer::with_salt(&keys, salt)
            .sign_object(value, compress)
            .unwrap();
        entries.push(json!({"kind": "sign_object", "salt": salt, "text": signed, "value": value}));
    }
    for case in cases("signer") {
        let value = text(case, "text");
        let signed = Signer::with_salt(&keys, "s").sign(value);
        entries.push(json!({"kind": "signer", "salt": "s", "text": signed, "value": value}));
        let signed = TimestampSigner::new(&keys).sign(value, &clock);
        let salt = TIMESTAMP_SIGNER_SALT;
        entries.push(json!({"kind": "timestamp", "salt": salt, "text": signed, "value": value}));
        let signed = signing::set_signed_cookie("näme", value, &keys, "é", &clock);
        entries.push(json!({
            "kind": "cookie", "name": "näme", "salt": "é", "text": signed, "value": value
        }));
    }
    if let Some(path) = std::env::var_os("DJAUTH_SIGNED_BY_US") {
        std::fs::write(path, serde_json::to_string(&entries).unwrap()).unwrap();
    }
}
