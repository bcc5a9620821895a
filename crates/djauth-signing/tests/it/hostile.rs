//! Whatever comes in, nothing panics, and nothing but what was signed is accepted.

use djauth_signing::signing::{self, Signer, TimestampSigner};
use djauth_signing::{SecretKey, SecretKeys, SystemClock, http, json};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

fn keys() -> SecretKeys {
    SecretKey::new("key").unwrap().into()
}

fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9:._=-]{0,60}",
        "\\.?[A-Za-z0-9_-]{0,30}:[0-9a-z]{6}:.*"
    ]
}

proptest! {
    #[test]
    fn unsigned_text_is_refused(text in hostile_text()) {
        let clock = SystemClock;
        prop_assert!(Signer::new(&keys()).unsign(&text).is_err());
        prop_assert!(TimestampSigner::new(&keys()).unsign(&text, None, &clock).is_err());
        prop_assert!(signing::loads::<Value>(&text, &keys(), "s", None, &clock).is_err());
        prop_assert!(signing::unsign_cookie("n", &text, &keys(), "", None, true, &clock).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused(text in any::<String>(), at in any::<prop::sample::Index>()) {
        let signer = Signer::new(&keys());
        let signed = signer.sign(&text);
        let mut chars: Vec<char> = signed.chars().collect();
        let at = at.index(chars.len());
        chars[at] = if chars[at] == 'A' { 'B' } else { 'A' };
        let changed: String = chars.into_iter().collect();
        prop_assert!(signer.unsign(&changed).is_err());
    }

    /// Whoever knows the key can sign anything: even then reading it is bounded and calm.
    #[test]
    fn signed_rubbish_does_not_panic(bytes in vec(any::<u8>(), 0..200), text in hostile_text()) {
        let clock = SystemClock;
        let signer = TimestampSigner::with_salt(&keys(), "s");
        for inner in [&text, &format!(".{}", signing::b64_encode(&bytes))] {
            let signed = signer.sign(inner, &clock);
            let _ = signing::loads::<Value>(&signed, &keys(), "s", None, &clock);
        }
    }

    #[test]
    fn what_we_sign_we_read(value in any::<(String, i64, Option<bool>)>(), compress: bool) {
        let clock = SystemClock;
        let signed = signing::dumps(&value, &keys(), "s", compress, &clock).unwrap();
        let read: (String, i64, Option<bool>) =
            signing::loads(&signed, &keys(), "s", None, &clock).unwrap();
        prop_assert_eq!(read, value);
    }

    #[test]
    fn decoders_do_not_panic(text in hostile_text()) {
        let _ = http::base36_to_int(&text);
        let _ = http::urlsafe_base64_decode(&text);
        let _ = signing::b62_decode(&text);
        let _ = signing::b64_decode(&text);
    }

    #[test]
    fn json_is_ascii_and_reads_back(text in any::<String>(), number in any::<f64>()) {
        let number = if number.is_finite() { number } else { 0.5 };
        let written = json::to_string(&(&text, number)).unwrap();
        prop_assert!(written.is_ascii());
        let (read, float): (String, f64) = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(read, text);
        prop_assert_eq!(float.to_bits(), number.to_bits());
    }
}
