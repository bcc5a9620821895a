//! Stored values that no hasher wrote.

use djauth_hashers::{ErrorKind, Hashers, Parameters};
use proptest::prelude::*;

const ALL: [&str; 10] = [
    "md5",
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "argon2",
    "bcrypt_sha256",
    "bcrypt",
    "scrypt",
    "sha1",
    "unsalted_md5",
    "unsalted_sha1",
];

/// The preferred hasher is the fastest: hostile values fall back to one hash of it.
fn hashers() -> Hashers {
    let mut parameters = Parameters::default();
    parameters.limits.pbkdf2_iterations = 100;
    parameters.limits.argon2_memory_cost = 64;
    parameters.limits.argon2_time_cost = 2;
    parameters.limits.bcrypt_rounds = 4;
    parameters.limits.scrypt_memory_cost = 16;
    for (algorithm, name, value) in [
        ("pbkdf2_sha256", "iterations", 10),
        ("pbkdf2_sha1", "iterations", 10),
        ("argon2", "time_cost", 1),
        ("argon2", "memory_cost", 64),
        ("bcrypt", "rounds", 4),
        ("bcrypt_sha256", "rounds", 4),
        ("scrypt", "work_factor", 16),
    ] {
        parameters.set(algorithm, name, value).unwrap();
    }
    Hashers::from_names(&ALL, &parameters).unwrap()
}

fn everything(hashers: &Hashers, encoded: &str) {
    assert!(!hashers.verify_password("password", encoded).correct);
    let _ = hashers.safe_summary(encoded);
    for hasher in hashers.get_hashers() {
        let _ = hasher.decode(encoded);
        let _ = hasher.must_update(encoded);
        let _ = hasher.verify(b"password", encoded);
        let _ = hasher.harden_runtime(b"password", encoded);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text(encoded in any::<String>()) {
        everything(&hashers(), &encoded);
    }

    #[test]
    fn any_fields(
        algorithm in prop::sample::select(&ALL[..]),
        fields in prop::collection::vec("([0-9]{1,12}|[a-zA-Z0-9./+=,é]{0,60}|2b|argon2id|v=19|m=[0-9]{1,11},t=[0-9]{1,11},p=[0-9]{1,11}|)", 0..7),
    ) {
        everything(&hashers(), &format!("{algorithm}${}", fields.join("$")));
    }

    #[test]
    fn any_argon2_costs(m in any::<u64>(), t in any::<u64>(), p in any::<u64>(), small in any::<bool>()) {
        let (m, t, p) = if small { (m % 70, t % 3, p % 9) } else { (m, t, p) };
        let tail = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$1mu5cacfad8nHWVGpSREfHI/QaAbodWFmLiGG6zMSRk";
        everything(&hashers(), &format!("argon2$argon2id$v=19$m={m},t={t},p={p}${tail}"));
    }

    #[test]
    fn any_scrypt_costs(n in any::<u64>(), r in any::<u64>(), p in any::<u64>(), bits in 0u32..64) {
        everything(&hashers(), &format!("scrypt${n}$salt${r}${p}$x"));
        everything(&hashers(), &format!("scrypt${}$salt${}${}$x", 1u64 << bits, r % 40, p % 40));
    }
}

#[test]
fn absurd_costs_are_refused_at_once() {
    let hashers = Hashers::default();
    let tail = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$1mu5cacfad8nHWVGpSREfHI/QaAbodWFmLiGG6zMSRk";
    for encoded in [
        "pbkdf2_sha256$4000000000$salt$x".to_owned(),
        "pbkdf2_sha1$99999999999999999999999$salt$x".to_owned(),
        format!("argon2$argon2id$v=19$m=4194304,t=2,p=8${tail}"),
        format!("argon2$argon2id$v=19$m=102400,t=4294967295,p=8${tail}"),
        format!("argon2$argon2id$v=19$m=102400,t=2,p=4294967295${tail}"),
        "bcrypt_sha256$$2b$31$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq".to_owned(),
        "scrypt$1099511627776$salt$8$5$x".to_owned(),
        "scrypt$16384$salt$4294967295$5$x".to_owned(),
        "scrypt$16384$salt$8$4294967295$x".to_owned(),
    ] {
        let hasher = hashers.identify_hasher(&encoded).unwrap();
        let kind = hasher.verify(b"password", &encoded).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::TooCostly, "{encoded}");
    }
}

#[test]
fn a_configured_cost_above_the_limit_raises_it() {
    let mut parameters = Parameters::default();
    parameters.limits.pbkdf2_iterations = 5;
    parameters.set("pbkdf2_sha256", "iterations", 7).unwrap();
    let hashers = Hashers::from_names(&["pbkdf2_sha256"], &parameters).unwrap();
    let stored = hashers.make_password(Some("password")).unwrap();
    assert!(hashers.verify_password("password", &stored).correct);
    let costlier = stored.replace("$7$", "$8$");
    assert_eq!(
        hashers.verify_password("x", &costlier).problem,
        Some(ErrorKind::TooCostly)
    );
}

/// The rule for plain bcrypt: more than 72 bytes are neither stored nor accepted.
#[test]
fn bcrypt_refuses_long_passwords() {
    let hashers = hashers();
    let bcrypt = hashers.get_hasher("bcrypt").unwrap();
    let stored = bcrypt.encode(&[b'p'; 72], &bcrypt.salt().unwrap()).unwrap();
    assert!(hashers.verify_password(&"p".repeat(72), &stored).correct);
    let verified = hashers.verify_password(&"p".repeat(73), &stored);
    assert!(!verified.correct);
    assert_eq!(verified.problem, Some(ErrorKind::PasswordTooLong));
    let error = bcrypt
        .encode(&[b'p'; 73], &bcrypt.salt().unwrap())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PasswordTooLong);
}

/// RUSTSEC-2026-0199 of the bcrypt crate: 60 bytes that are not ASCII.
#[test]
fn bcrypt_values_with_other_letters() {
    let hashers = hashers();
    for encoded in [
        "bcrypt$$2b$04$abcdefghijklmnopqrstéé",
        "bcrypt$é",
        "bcrypt$$2b$é4$abc",
    ] {
        everything(&hashers, encoded);
        everything(&hashers, &format!("{encoded}{}", "é".repeat(20)));
    }
}

/// CVE-2013-1443: the cost does not grow with the length of the password. A password that went into
/// each of the iterations would not end.
#[test]
fn cve_2013_1443_long_passwords_are_read_once() {
    let mut parameters = Parameters::default();
    parameters
        .set("pbkdf2_sha256", "iterations", 1_000_000)
        .unwrap();
    parameters
        .set("pbkdf2_sha1", "iterations", 1_000_000)
        .unwrap();
    parameters.set("bcrypt_sha256", "rounds", 4).unwrap();
    let hashers = Hashers::from_names(&ALL, &parameters).unwrap();
    let long = "p".repeat(1 << 20);
    for algorithm in [
        "pbkdf2_sha256",
        "pbkdf2_sha1",
        "argon2",
        "bcrypt_sha256",
        "scrypt",
    ] {
        let hasher = hashers.get_hasher(algorithm).unwrap();
        let stored = hasher
            .encode(long.as_bytes(), &hasher.salt().unwrap())
            .unwrap();
        assert!(
            hasher.verify(long.as_bytes(), &stored).unwrap(),
            "{algorithm}"
        );
    }
}
