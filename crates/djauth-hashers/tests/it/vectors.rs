//! `tests/data/*.json` come from `interop/vectors/hashers.py`.

use std::collections::BTreeMap;

use djauth_hashers::{Hashers, Parameters};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    hashers: Vec<String>,
    costs: BTreeMap<String, BTreeMap<String, u64>>,
    encoded: Vec<Encoded>,
    judged: Vec<Judged>,
}

#[derive(Deserialize)]
struct Encoded {
    algorithm: String,
    password: String,
    salt: String,
    /// `None` where Django raises.
    encoded: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Judged {
    password: String,
    encoded: String,
    algorithm: Option<String>,
    /// These three are `None` where Django raises.
    correct: Option<bool>,
    must_update: Option<bool>,
    summary: Option<Vec<(String, String)>>,
}

const CURRENT: &str = include_str!("../data/hashers.json");
const LEGACY: &str = include_str!("../data/hashers-legacy.json");

impl Vectors {
    fn load(text: &str) -> (Self, Hashers) {
        let vectors: Self = serde_json::from_str(text).unwrap();
        let mut parameters = Parameters::default();
        for (algorithm, costs) in &vectors.costs {
            for (name, value) in costs {
                parameters.set(algorithm, name, *value).unwrap();
            }
        }
        let hashers = Hashers::from_names(&vectors.hashers, &parameters).unwrap();
        (vectors, hashers)
    }
}

#[test]
fn encodes_byte_for_byte() {
    for text in [CURRENT, LEGACY] {
        let (vectors, hashers) = Vectors::load(text);
        assert!(vectors.encoded.len() > 20);
        for Encoded {
            algorithm,
            password,
            salt,
            encoded,
        } in vectors.encoded
        {
            let ours = hashers
                .get_hasher(&algorithm)
                .unwrap()
                .encode(password.as_bytes(), &salt);
            assert_eq!(ours.ok(), encoded, "{algorithm} {password:?} {salt:?}");
        }
    }
}

#[test]
fn verifies_what_django_stored() {
    for text in [CURRENT, LEGACY] {
        let (vectors, hashers) = Vectors::load(text);
        for Encoded {
            password, encoded, ..
        } in vectors.encoded
        {
            let Some(encoded) = encoded else { continue };
            assert!(
                hashers.verify_password(&password, &encoded).correct,
                "{encoded}"
            );
            assert!(
                !hashers.verify_password("not it", &encoded).correct,
                "{encoded}"
            );
        }
    }
}

#[test]
fn judges_any_text_as_django_does() {
    for text in [CURRENT, LEGACY] {
        let (vectors, hashers) = Vectors::load(text);
        assert!(vectors.judged.len() > 40);
        for judged in vectors.judged {
            judge(&hashers, &judged);
        }
    }
}

/// Where Django raises, "not correct" is our answer; otherwise both say the same.
fn judge(hashers: &Hashers, judged: &Judged) {
    let verified = hashers.verify_password(&judged.password, &judged.encoded);
    assert_eq!(verified.correct, judged.correct == Some(true), "{judged:?}");
    let hasher = hashers.identify_hasher(&judged.encoded).ok();
    assert_eq!(hasher.map(|h| h.algorithm().to_owned()), judged.algorithm);
    let Some(hasher) = hasher else { return };
    let ours = hasher.must_update(&judged.encoded).ok();
    assert_eq!(ours, judged.must_update, "{judged:?}");
    let summary = hashers.safe_summary(&judged.encoded).ok().map(|summary| {
        summary
            .into_iter()
            .map(|(label, value)| (label.to_owned(), value))
            .collect::<Vec<_>>()
    });
    assert_eq!(summary, judged.summary, "{judged:?}");
}

/// Django's own defaults, at full cost.
#[test]
fn default_costs() {
    let hashers = Hashers::default();
    for encoded in [
        "pbkdf2_sha256$1500000$abcdefghijklmnopqrstuv$pNqHYgQMzZwLzZH8KDx+/7Hu5G0/nkZvE3+OniqKI9o=",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$cbYV8dbAeaxTGgeSUds3eWl/1GYuxCEvQmo1aJcgrhc",
        "scrypt$16384$abcdefghijklmnopqrstuv$8$5$2CyFzwiSp10903TARkWJsyfC9Q3aeX0RvkHqKxHNeBplPnTz1lYfWZu5pEy7/A6r1KH53voY5f8NgFIZC1gWWA==",
    ] {
        let hasher = hashers.identify_hasher(encoded).unwrap();
        assert!(
            hasher.verify(b"correct horse", encoded).unwrap(),
            "{encoded}"
        );
        assert!(!hasher.must_update(encoded).unwrap(), "{encoded}");
        assert_eq!(
            hasher
                .encode(b"correct horse", "abcdefghijklmnopqrstuv")
                .unwrap(),
            encoded
        );
    }
}
