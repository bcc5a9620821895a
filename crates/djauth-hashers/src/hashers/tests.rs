use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{Decoded, Parameters, Step};

/// A hasher that counts what it is asked to do.
#[derive(Debug)]
struct Counting {
    name: &'static str,
    outdated: bool,
    broken: bool,
    encoded: AtomicUsize,
    hardened: AtomicUsize,
}

impl Counting {
    fn new(name: &'static str) -> Self {
        let zero = || AtomicUsize::new(0);
        Self {
            name,
            outdated: false,
            broken: false,
            encoded: zero(),
            hardened: zero(),
        }
    }

    fn counts(&self) -> (usize, usize) {
        (
            self.encoded.load(Ordering::Relaxed),
            self.hardened.load(Ordering::Relaxed),
        )
    }
}

impl PasswordHasher for Counting {
    fn algorithm(&self) -> &str {
        self.name
    }
    fn encode(&self, password: &[u8], salt: &str) -> Result<String, Error> {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        Ok(format!("{}${salt}${}", self.name, password.len()))
    }
    fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, Error> {
        if self.broken {
            return Err(Error::malformed("test"));
        }
        Ok(encoded.ends_with(&format!("${}", password.len())))
    }
    fn decode(&self, _encoded: &str) -> Result<Decoded, Error> {
        Ok(Decoded::new(self.name, None, ""))
    }
    fn must_update(&self, _encoded: &str) -> Result<bool, Error> {
        Ok(self.outdated)
    }
    fn harden_runtime(&self, _password: &[u8], _encoded: &str) -> Result<(), Error> {
        self.hardened.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn counting(hashers: [Counting; 2]) -> (Hashers, [Arc<Counting>; 2]) {
    let [first, second] = hashers.map(Arc::new);
    let list: Vec<Arc<dyn PasswordHasher>> = vec![first.clone(), second.clone()];
    (Hashers::new(list).unwrap(), [first, second])
}

#[test]
fn equal_effort_for_what_cannot_match() {
    let broken = Counting {
        broken: true,
        ..Counting::new("second")
    };
    let (hashers, [first, second]) = counting([Counting::new("first"), broken]);
    let long = "first$".repeat(1000);
    let cases = [
        ("!unusable", None),
        ("!", None),
        ("", Some(ErrorKind::UnknownAlgorithm)),
        ("third$x$1", Some(ErrorKind::UnknownAlgorithm)),
        ("second$x$1", Some(ErrorKind::Malformed)),
        (&long, Some(ErrorKind::TooCostly)),
    ];
    for (done, (encoded, problem)) in cases.into_iter().enumerate() {
        let verified = hashers.verify_password("x", encoded);
        assert_eq!(
            verified,
            Verified {
                correct: false,
                must_update: false,
                problem
            }
        );
        assert_eq!(
            first.counts(),
            (done + 1, 0),
            "one hash of the preferred hasher"
        );
    }
    assert_eq!(second.counts(), (0, 0));
}

#[test]
fn harden_runtime_follows_django() {
    let outdated = || Counting {
        outdated: true,
        ..Counting::new("first")
    };
    let (hashers, [first, second]) = counting([outdated(), Counting::new("second")]);

    assert!(hashers.verify_password("x", "first$s$1").must_update);
    assert_eq!(
        first.counts(),
        (0, 0),
        "a correct password needs no more work"
    );
    assert!(!hashers.verify_password("xx", "first$s$1").correct);
    assert_eq!(first.counts(), (0, 1));
    let other = hashers.verify_password("xx", "second$s$1");
    assert!(!other.correct && other.must_update);
    assert_eq!(
        second.counts(),
        (0, 0),
        "another algorithm is not equalised"
    );
}

#[test]
fn wrong_password_against_a_current_value_does_nothing_more() {
    let (hashers, [first, _]) = counting([Counting::new("first"), Counting::new("second")]);
    let verified = hashers.verify_password("xx", "first$s$1");
    assert_eq!(
        verified,
        Verified {
            correct: false,
            must_update: false,
            problem: None
        }
    );
    assert_eq!(first.counts(), (0, 0));
}

#[test]
fn setter_runs_only_for_correct_and_outdated() {
    let outdated = Counting {
        outdated: true,
        ..Counting::new("first")
    };
    let (hashers, _) = counting([outdated, Counting::new("second")]);
    let mut set = Vec::new();
    for (password, encoded) in [("x", "first$s$1"), ("xx", "first$s$1"), ("x", "second$s$1")] {
        hashers.check_password(password, encoded, |raw| set.push((raw.to_owned(), encoded)));
    }
    assert_eq!(set, [("x".into(), "first$s$1"), ("x".into(), "second$s$1")]);
}

#[test]
fn unusable_passwords() {
    let hashers = Hashers::default();
    let unusable = hashers.make_password(None).unwrap();
    assert_eq!(unusable.len(), 41);
    assert!(!is_password_usable(&unusable));
    assert!(is_password_usable(""));
    assert_ne!(unusable, hashers.make_password(None).unwrap());
}

#[test]
fn names_and_dotted_paths() {
    for (path, algorithm) in [
        (
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "pbkdf2_sha256",
        ),
        (
            "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
            "pbkdf2_sha1",
        ),
        ("django.contrib.auth.hashers.Argon2PasswordHasher", "argon2"),
        (
            "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
            "bcrypt_sha256",
        ),
        ("django.contrib.auth.hashers.BCryptPasswordHasher", "bcrypt"),
        ("django.contrib.auth.hashers.ScryptPasswordHasher", "scrypt"),
        ("django.contrib.auth.hashers.MD5PasswordHasher", "md5"),
        ("django.contrib.auth.hashers.SHA1PasswordHasher", "sha1"),
        (
            "django.contrib.auth.hashers.UnsaltedMD5PasswordHasher",
            "unsalted_md5",
        ),
        (
            "django.contrib.auth.hashers.UnsaltedSHA1PasswordHasher",
            "unsalted_sha1",
        ),
    ] {
        for name in [path, algorithm] {
            let hashers = Hashers::from_names(&[name], &Parameters::default()).unwrap();
            assert_eq!(hashers.preferred().algorithm(), algorithm);
        }
    }
    let kind = |names: &[&str]| {
        Hashers::from_names(names, &Parameters::default())
            .unwrap_err()
            .kind()
    };
    assert_eq!(kind(&["shop.hashers.Slow"]), ErrorKind::UnknownHasher);
    assert_eq!(kind(&[]), ErrorKind::NoHashers);
}

#[test]
fn old_formats_are_off_unless_named() {
    let hashers = Hashers::default();
    let algorithms: Vec<_> = hashers
        .get_hashers()
        .map(PasswordHasher::algorithm)
        .collect();
    assert_eq!(algorithms, DEFAULT_HASHERS);
    for encoded in ["md5$salt$x", "sha1$salt$x", &"0".repeat(32), "crypt$$x"] {
        let kind = hashers.identify_hasher(encoded).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::UnknownAlgorithm);
    }
}

#[test]
fn errors_hold_no_stored_text() {
    let hashers = Hashers::default();
    for encoded in [
        "SECRETalgorithm$x",
        "pbkdf2_sha256$SECRET",
        "scrypt$SECRET$a$b$c$d",
    ] {
        let error = match hashers.identify_hasher(encoded) {
            Ok(hasher) => hasher.decode(encoded).unwrap_err(),
            Err(error) => error,
        };
        assert!(
            !format!("{error} {error:?}").contains("SECRET"),
            "{encoded}"
        );
    }
}

/// So that engines see that they cost the same.
#[test]
fn a_stored_value_that_is_up_to_date_is_named_as_a_new_hash() {
    let name = |step| match step {
        Step::Blocking(work) => work.name,
        _ => panic!("no work"),
    };
    let with = |cost| {
        let mut parameters = Parameters::default();
        parameters.set("argon2", "memory_cost", cost).unwrap();
        Hashers::from_names(&["argon2"], &parameters).unwrap()
    };
    let (hashers, dearer) = (with(64), with(128));
    let new = name(hashers.start_make_password("x").map(drop));
    let stored = |hashers: &Hashers| hashers.make_password(Some("x")).unwrap();
    let verified = |encoded: &str| name(hashers.start_verify("x", encoded).map(drop));
    assert_eq!(verified(&stored(&hashers)), new);
    assert_ne!(verified(&stored(&dearer)), new);
    // Others may take what is dearer for up to date.
    let own = Hashers::new(vec![Arc::new(Counting::new("own"))]).unwrap();
    let new = name(own.start_make_password("x").map(drop));
    assert_ne!(name(own.start_verify("x", "own$s$1").map(drop)), new);
}
