use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

const KEY: &str = "a secret that no text may show";

/// Settings from the environment alone, with a key.
fn environment(variables: &[(&str, &str)]) -> Result<Settings, ImproperlyConfigured> {
    read("", variables)
}

/// Settings from a file alone, with a key.
fn file(text: &str) -> Result<Settings, ImproperlyConfigured> {
    read(text, &[])
}

fn read(file: &str, variables: &[(&str, &str)]) -> Result<Settings, ImproperlyConfigured> {
    let mut draft = draft(file, variables)?;
    if !draft.has_secret_key() {
        draft.set_secret_key(SecretKey::new(KEY).unwrap());
    }
    draft.finish()
}

fn draft(file: &str, variables: &[(&str, &str)]) -> Result<Draft, ImproperlyConfigured> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, file).unwrap();
    let lookup = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| OsString::from(value))
    };
    Draft::read_with(Some(&path), lookup)
}

fn new() -> Settings {
    Settings::new(SecretKey::new(KEY).unwrap())
}

/// The error's text, which must name the setting.
#[track_caller]
fn complaint(result: Result<Settings, ImproperlyConfigured>, name: &str) -> String {
    let error = result.expect_err("these settings are wrong");
    assert_eq!(error.name(), Some(name), "{error}");
    assert!(error.to_string().starts_with(name), "{error}");
    error.to_string()
}

#[test]
fn the_admin_is_in_nobodys_place() {
    for right in [
        "",
        "admin/",
        "staff/admin/",
        "account/",
        "auth-admin/",
        "livezone/",
    ] {
        let settings = environment(&[("ADMIN_URL", right)]).unwrap();
        assert_eq!(settings.admin_url, right);
    }
    assert_eq!(new().admin_url, "admin/");
    for wrong in [
        "admin",
        "/admin/",
        "a//b/",
        "{a}/",
        "../",
        "accounts/",
        "accounts/admin/",
        "auth/",
        "auth/verify/",
        "auth/original/x/",
        "livez/",
        "readyz/",
        "favicon.ico/",
    ] {
        let mut settings = new();
        settings.admin_url = wrong.to_owned();
        let error = settings.validate().expect_err(wrong);
        assert_eq!(error.name(), Some("ADMIN_URL"), "{wrong}");
    }
    let mut settings = new();
    settings.admin_url = "admin/".to_owned();
    settings.health_liveness_path = Some("/admin/alive".to_owned());
    assert_eq!(settings.validate().unwrap_err().name(), Some("ADMIN_URL"));
}

#[test]
fn startproject_is_valid_and_reading_nothing_gives_it() {
    new().validate().unwrap();
    assert_eq!(format!("{:?}", file("").unwrap()), format!("{:?}", new()));
}

#[test]
fn names_are_unique_and_every_default_reads_back() {
    for definition in DEFINITIONS {
        assert_eq!(
            DEFINITIONS
                .iter()
                .filter(|other| other.name == definition.name)
                .count(),
            1
        );
        assert!(!definition.help.trim().is_empty());
        let mut settings = new();
        let shown = (definition.show)(&settings);
        (definition.set)(&mut settings, &shown).unwrap();
        assert_eq!((definition.show)(&settings), shown, "{}", definition.name);
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let text = "LOGIN_URL = \"/from-file/\"\nSESSION_COOKIE_AGE = 60";
    let settings = read(text, &[("LOGIN_URL", "/from-environment/")]).unwrap();
    assert_eq!(settings.login_url, "/from-environment/");
    assert_eq!(settings.session_cookie_age, 60);
}

#[test]
fn the_environment_takes_text_as_it_is_and_json_otherwise() {
    let settings = environment(&[
        ("SECRET_KEY", "\"quotes stay\""),
        ("DEBUG", "True"),
        (
            "ALLOWED_HOSTS",
            r#"["example.com", ".example.org", "[::1]"]"#,
        ),
        ("SESSION_COOKIE_AGE", "3600"),
        ("SESSION_COOKIE_DOMAIN", ""),
        ("CSRF_COOKIE_AGE", "null"),
        ("SESSION_COOKIE_SAMESITE", "False"),
        (
            "PASSWORD_HASHERS",
            r#"["argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]"#,
        ),
        ("PASSWORD_HASHER_PARAMETERS", "5.2"),
        ("SESSION_ENGINE", "file"),
        (
            "SECURE_PROXY_SSL_HEADER",
            r#"["HTTP_X_FORWARDED_PROTO", "https"]"#,
        ),
        ("TRUSTED_PROXIES", r#"["10.0.0.0/8", "::1"]"#),
        ("TIME_ZONE", "Europe/Berlin"),
    ])
    .unwrap();
    assert_eq!(settings.secret_key.as_bytes(), b"\"quotes stay\"");
    assert!(settings.debug);
    assert_eq!(
        settings.allowed_hosts,
        ["example.com", ".example.org", "[::1]"]
    );
    assert_eq!(
        (settings.session_cookie_age, settings.csrf_cookie_age),
        (3600, None)
    );
    assert_eq!(settings.session_cookie_domain, None);
    assert_eq!(settings.session_cookie_samesite, SameSite::Omitted);
    assert_eq!(
        settings.password_hashers[0],
        "django.contrib.auth.hashers.Argon2PasswordHasher"
    );
    assert_eq!(settings.password_hasher_parameters.preset, "5.2");
    assert_eq!(settings.session_engine, SessionEngine::File);
    assert_eq!(settings.time_zone, chrono_tz::Europe::Berlin);
    assert!(settings.trusted_proxies[0].contains("10.9.8.7".parse().unwrap()));
}

#[test]
fn the_file_takes_tables() {
    let settings = file(
        r#"
        AUTHENTICATION_BACKENDS = ["ModelBackend"]
        [PASSWORD_HASHER_PARAMETERS]
        preset = "4.2"
        pbkdf2_sha256 = { iterations = 720000 }
        [[AUTH_PASSWORD_VALIDATORS]]
        NAME = "django.contrib.auth.password_validation.MinimumLengthValidator"
        OPTIONS = { min_length = 12 }
        "#,
    )
    .unwrap();
    assert_eq!(
        settings.authentication_backends,
        ["django.contrib.auth.backends.ModelBackend"]
    );
    assert_eq!(settings.password_hasher_parameters.preset, "4.2");
    assert_eq!(
        settings.password_hasher_parameters.algorithms["pbkdf2_sha256"]["iterations"],
        720_000
    );
    assert_eq!(
        settings.auth_password_validators,
        [PasswordValidator::MinimumLength { min_length: 12 }]
    );
}

#[test]
fn a_wrong_value_is_named_with_what_is_expected() {
    let wrong = [
        ("DEBUG", "yes"),
        ("ALLOWED_HOSTS", "example.com"),
        ("ALLOWED_HOSTS", r#"["https://example.com"]"#),
        ("SESSION_COOKIE_AGE", "-1"),
        ("SESSION_COOKIE_AGE", "0"),
        ("SESSION_COOKIE_AGE", "99999999999999"),
        ("CSRF_COOKIE_AGE", "1.5"),
        ("PASSWORD_RESET_TIMEOUT", "-1"),
        ("SESSION_COOKIE_SAMESITE", "lax"),
        ("SESSION_COOKIE_NAME", "a b"),
        ("SESSION_COOKIE_NAME", ""),
        ("SESSION_COOKIE_PATH", "accounts"),
        ("SESSION_COOKIE_PATH", "/; Domain=evil"),
        ("CSRF_COOKIE_DOMAIN", "a;b"),
        ("CSRF_HEADER_NAME", "X-CSRFToken"),
        ("CSRF_TRUSTED_ORIGINS", r#"["example.com"]"#),
        ("PASSWORD_HASHERS", "[]"),
        ("PASSWORD_HASHERS", r#"["crypt"]"#),
        ("PASSWORD_HASHER_PARAMETERS", "3.2"),
        (
            "PASSWORD_HASHER_PARAMETERS",
            r#"{"pbkdf2_sha256": {"rounds": 3}}"#,
        ),
        ("PASSWORD_HASHER_PARAMETERS", r#"{"md5": {"rounds": 3}}"#),
        (
            "PASSWORD_HASHER_PARAMETERS",
            r#"{"scrypt": {"work_factor": 3}}"#,
        ),
        (
            "PASSWORD_HASHER_PARAMETERS",
            r#"{"bcrypt": {"rounds": 99}}"#,
        ),
        ("PASSWORD_HASHER_LIMITS", r#"{"pbkdf2": 3}"#),
        ("PASSWORD_HASHER_LIMITS", r#"{"bcrypt_rounds": 0}"#),
        ("AUTHENTICATION_BACKENDS", r#"["myapp.Backend"]"#),
        ("AUTH_PASSWORD_VALIDATORS", r#"[{"NAME": "Nothing"}]"#),
        (
            "AUTH_PASSWORD_VALIDATORS",
            r#"[{"NAME": "MinimumLengthValidator", "OPTIONS": {"length": 3}}]"#,
        ),
        ("SESSION_ENGINE", "memory"),
        ("TIME_ZONE", "Europe/Nowhere"),
        ("TRUSTED_PROXIES", r#"["10.0.0.1/8"]"#),
        ("TRUSTED_PROXIES", r#"["10.0.0.0/33"]"#),
        (
            "SECURE_PROXY_SSL_HEADER",
            r#"["X-Forwarded-Proto", "https"]"#,
        ),
        ("X_FRAME_OPTIONS", "deny"),
        ("SECURE_REFERRER_POLICY", "same-origin, nonsense"),
        ("LOGIN_URL", "login"),
        ("LOGIN_REDIRECT_URL", "//evil.example"),
        ("DATABASE_URL", "oracle://db"),
        ("USE_TZ", "false"),
    ];
    for (name, value) in wrong {
        let text = complaint(environment(&[(name, value)]), name);
        let helps = ["expected", "not supported", "must be", "allowed are"];
        assert!(helps.iter().any(|help| text.contains(help)), "{text}");
    }
}

#[test]
fn settings_that_cannot_be_together_are_refused() {
    complaint(
        environment(&[("SESSION_COOKIE_SAMESITE", "None")]),
        "SESSION_COOKIE_SAMESITE",
    );
    environment(&[
        ("SESSION_COOKIE_SAMESITE", "None"),
        ("SESSION_COOKIE_SECURE", "true"),
    ])
    .unwrap();
    complaint(
        environment(&[("CSRF_COOKIE_NAME", "__Host-csrf")]),
        "CSRF_COOKIE_NAME",
    );
    complaint(
        environment(&[("CSRF_COOKIE_NAME", "sessionid")]),
        "CSRF_COOKIE_NAME",
    );
    complaint(environment(&[("SESSION_ENGINE", "cached_db")]), "CACHE_URL");
    environment(&[
        ("SESSION_ENGINE", "cached_db"),
        ("CACHE_URL", "redis://localhost"),
    ])
    .unwrap();
}

#[test]
fn values_set_in_rust_are_judged_too() {
    let mut settings = new();
    settings.session_cookie_age = 0;
    assert_eq!(
        settings.validate().unwrap_err().name(),
        Some("SESSION_COOKIE_AGE")
    );
}

#[test]
fn an_unknown_key_is_named_and_the_nearest_is_offered() {
    let text = complaint(file("ALOWED_HOSTS = []"), "ALOWED_HOSTS");
    assert!(text.contains("ALLOWED_HOSTS"), "{text}");
    assert!(text.contains("settings.toml"), "{text}");
    assert!(!complaint(file("INSTALLED_APPS = []"), "INSTALLED_APPS").contains("did you mean"));
}

#[test]
fn a_key_is_needed_and_an_empty_one_is_none() {
    assert!(!draft("", &[]).unwrap().has_secret_key());
    let empty = draft("", &[("SECRET_KEY", "")]).unwrap();
    assert!(!empty.has_secret_key());
    assert_eq!(empty.finish().unwrap_err().name(), Some("SECRET_KEY"));
    let emptied = draft("SECRET_KEY = \"from the file\"", &[("SECRET_KEY", "")]).unwrap();
    assert!(!emptied.has_secret_key());
    assert!(
        draft("SECRET_KEY = \"from the file\"", &[])
            .unwrap()
            .has_secret_key()
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Draft::read_with(Some(&PathBuf::from("/nowhere/settings.toml")), |_| None)
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("/nowhere/settings.toml"),
        "{error}"
    );
    assert!(std::error::Error::source(&error).is_some());
}

/// Every text that people may see, from settings in which every secret contains `secret`.
#[test]
fn secrets_are_never_shown() {
    let settings = environment(&[
        ("SECRET_KEY", "secret-1"),
        ("SECRET_KEY_FALLBACKS", r#"["secret-2", "secret-3"]"#),
        (
            "DATABASE_URL",
            "postgres://app:secret-4@db/live?sslpassword=secret-5",
        ),
        ("CACHE_URL", "redis://:secret-6@cache:6379/0"),
    ])
    .unwrap();
    let shown = [
        settings.diffsettings(true),
        settings.diffsettings(false),
        format!("{settings:?} {settings:#?}"),
    ];
    for text in shown {
        assert!(!text.contains("secret-"), "{text}");
        assert!(text.contains("postgres://app:********@db/live"), "{text}");
    }
    for (name, value) in [
        ("SECRET_KEY_FALLBACKS", "[\"secret-2\", 3]"),
        ("SECRET_KEY_FALLBACKS", "secret-2"),
        ("DATABASE_URL", "secret-4"),
        ("CACHE_URL", "memcached://:secret-6@cache"),
    ] {
        assert!(!complaint(environment(&[(name, value)]), name).contains("secret-"));
    }
}

#[test]
fn a_syntax_error_shows_the_line_but_not_its_text() {
    let error = file("DEBUG = true\nSECRET_KEY = \"secret-1\nDEBUG = true")
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 2"), "{error}");
    assert!(!error.contains("secret-1"), "{error}");
    let unquoted = file("SECRET_KEY = secret-1").unwrap_err().to_string();
    assert!(!unquoted.contains("secret-1"), "{unquoted}");
}

#[test]
fn diffsettings_shows_what_differs_and_marks_the_rest() {
    let mut settings = new();
    settings.debug = true;
    assert_eq!(
        settings.diffsettings(false),
        "DEBUG = true\nSECRET_KEY = \"********\"\n"
    );
    let all = settings.diffsettings(true);
    assert_eq!(all.lines().count(), DEFINITIONS.len());
    assert!(
        all.contains("\n### SESSION_COOKIE_AGE = 1209600\n"),
        "{all}"
    );
    assert!(all.contains("\nDEBUG = true\n"), "{all}");
}

#[test]
fn networks_hold_what_they_say() {
    let holds = |network: &str, address: &str| {
        network
            .parse::<IpNetwork>()
            .unwrap()
            .contains(address.parse::<IpAddr>().unwrap())
    };
    assert!(holds("10.0.0.0/8", "10.255.0.1"));
    assert!(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
    assert!(!holds("10.0.0.0/8", "11.0.0.0"));
    assert!(holds("127.0.0.1", "127.0.0.1"));
    assert!(!holds("127.0.0.1", "127.0.0.2"));
    assert!(holds("0.0.0.0/0", "203.0.113.9"));
    assert!(!holds("0.0.0.0/0", "2001:db8::1"));
    assert!(holds("::/0", "2001:db8::1"));
    assert!(holds("2001:db8::/32", "2001:db8:ffff::1"));
    assert!(!holds("2001:db8::/32", "2001:db9::1"));
    for wrong in [
        "",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0/8",
        "::1/129",
        "example.com",
    ] {
        assert!(wrong.parse::<IpNetwork>().is_err(), "{wrong}");
    }
}

/// The committed page agrees with the table. `UPDATE_DOCS=1` writes it.
#[test]
fn reference_page_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == reference(),
        "docs/settings.md is old: UPDATE_DOCS=1 cargo test -p djauth reference_page"
    );
}

proptest! {
    #[test]
    fn no_value_panics(index in 0..DEFINITIONS.len(), value in "\\PC*") {
        let _ = environment(&[(DEFINITIONS[index].name, &value)]);
    }

    #[test]
    fn no_json_panics(index in 0..DEFINITIONS.len(), number in any::<i64>(), text in "\\PC{0,12}") {
        for json in [
            serde_json::json!(number),
            serde_json::json!([text, number]),
            serde_json::json!({ "NAME": text, "OPTIONS": number }),
            serde_json::json!({ text: { "iterations": number } }),
        ] {
            let _ = environment(&[(DEFINITIONS[index].name, &json.to_string())]);
        }
    }

    #[test]
    fn no_file_panics(text in "\\PC{0,80}") {
        let _ = file(&text);
    }

    #[test]
    fn a_hidden_url_never_shows_its_password(password in "[a-z0-9:/#]{1,12}", host in "[A-Z]{1,9}") {
        let url = SecretUrl::new(format!("postgres://USER:=={password}==@{host}/NAME"));
        let (shown, debug) = (url.to_string(), format!("{url:?}"));
        prop_assert!(!shown.contains("==") && !debug.contains("=="), "{}", shown);
    }
}

/// The folder for mails may come later, as in Django; a file in its place may not.
#[test]
fn a_folder_that_is_made_need_not_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail");
    let text = path.to_str().unwrap();
    let settings = environment(&[("EMAIL_FILE_PATH", text)]).unwrap();
    assert_eq!(settings.email_file_path.as_deref(), Some(&*path));
    complaint(
        environment(&[("SESSION_FILE_PATH", text)]),
        "SESSION_FILE_PATH",
    );
    std::fs::write(&path, "").unwrap();
    complaint(environment(&[("EMAIL_FILE_PATH", text)]), "EMAIL_FILE_PATH");
}
