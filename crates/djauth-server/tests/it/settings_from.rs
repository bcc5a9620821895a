//! `djauth settings --from`, with a Python that stands for a project's.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::site::{Ran, Site, mode};

/// What a project with nothing out of the ordinary answers.
fn plain() -> Value {
    json!({
        "django": [5, 2],
        "module": "house.settings",
        "folder": "/srv/house",
        "settings": {
            "SECRET_KEY": "hush-1",
            "SECRET_KEY_FALLBACKS": ["hush-2"],
            "ALLOWED_HOSTS": ["example.com"],
            "TIME_ZONE": "Europe/Berlin",
            "USE_TZ": true,
            "SESSION_ENGINE": "django.contrib.sessions.backends.db",
            "SESSION_CACHE_ALIAS": "default",
            "SESSION_COOKIE_AGE": 3600,
            "CSRF_COOKIE_AGE": null,
            "DATABASES": {"default": {
                "ENGINE": "django.db.backends.postgresql", "NAME": "live", "USER": "app",
                "PASSWORD": "hush-3", "HOST": "db", "PORT": ""
            }},
            "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        },
        "set": ["SECRET_KEY", "ALLOWED_HOSTS", "STATIC_URL", "SESSION_COOKIE_AGE"],
        "hashers": [{
            "path": "house.hashers.Strong", "django": "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "changes": [], "algorithm": "pbkdf2_sha256", "factors": {"iterations": 2_000_000}
        }],
        "validators": [{
            "path": "house.validators.Long",
            "django": "django.contrib.auth.password_validation.MinimumLengthValidator",
            "changes": ["__init__"], "options": {}, "values": {"min_length": 14}
        }],
        "backends": [{"path": "django.contrib.auth.backends.ModelBackend",
            "django": "django.contrib.auth.backends.ModelBackend", "changes": []}],
        "middleware": [],
        "urls": {"LOGIN_URL": "/in/", "LOGIN_REDIRECT_URL": "/", "LOGOUT_REDIRECT_URL": null},
        "user": {"label": "auth.user", "description": {}, "hidden": [], "several_tables": false}
    })
}

/// Asks a project that answers this.
fn ask(site: &Site, answer: &Value, more: &[&str]) -> Ran {
    std::fs::write(site.path("manage.py"), "").unwrap();
    std::fs::write(site.path("answer.json"), answer.to_string()).unwrap();
    let python = site.path("python");
    let script = format!("#!/bin/sh\ncat '{}'\n", site.path("answer.json").display());
    std::fs::write(&python, script).unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o700)).unwrap();
    let arguments = ["settings", "--from", "manage.py", "--python", "./python"];
    site.run(&[&arguments, more].concat())
}

#[test]
fn what_differs_from_the_defaults_is_written() {
    let site = Site::new();
    let ran = ask(&site, &plain(), &["--secrets"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    for line in [
        "SECRET_KEY = \"hush-1\"",
        "SECRET_KEY_FALLBACKS = [\"hush-2\"]",
        "TIME_ZONE = \"Europe/Berlin\"",
        "SESSION_COOKIE_AGE = 3600",
        "CSRF_COOKIE_AGE = \"\"",
        "DATABASE_URL = \"postgres://app:hush-3@db/live\"",
        "pbkdf2_sha256 = { iterations = 2000000 }",
        "min_length = 14",
        "LOGIN_URL = \"/in/\"",
        "SIGNED_COOKIE_LEGACY_SALT_FALLBACK = true",
        "USE_ACCEPT_LANGUAGE = false",
        "STATIC_URL",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    assert!(!ran.out.contains("LOGOUT_REDIRECT_URL"), "{}", ran.out);
}

#[test]
fn a_foreign_backend_that_changes_nothing_keeps_its_path() {
    let mut answer = plain();
    let model = "django.contrib.auth.backends.ModelBackend";
    let remote = "django.contrib.auth.backends.RemoteUserBackend";
    answer["backends"] = json!([
        {"path": "house.auth.Backend", "django": model, "changes": []},
        {"path": remote, "django": remote, "changes": [], "values": {"create_unknown_user": false}},
    ]);
    answer["middleware"] = json!([{
        "path": "house.auth.Header", "django": "django.contrib.auth.middleware.RemoteUserMiddleware",
        "changes": [], "values": {"header": "HTTP_X_USER", "force_logout_if_no_header": true}
    }]);
    let ran = ask(&Site::new(), &answer, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for line in [
        &format!("AUTHENTICATION_BACKENDS = [\"house.auth.Backend\", \"{remote}\"]"),
        &format!("AUTHENTICATION_BACKEND_ALIASES = {{ \"house.auth.Backend\" = \"{model}\" }}"),
        "REMOTE_USER_HEADER = \"HTTP_X_USER\"",
        "REMOTE_USER_CREATE_UNKNOWN = false",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
}

/// Whoever a backend of the project's own would refuse is not let in by a built-in one in its place.
#[test]
fn a_backend_that_decides_itself_is_not_replaced_unasked() {
    let mut answer = plain();
    answer["backends"] = json!([{
        "path": "house.auth.Strict", "django": "django.contrib.auth.backends.ModelBackend",
        "changes": ["user_can_authenticate"]
    }]);
    let ran = ask(&Site::new(), &answer, &[]);
    assert_eq!(ran.code, Some(3));
    let nobody = "\nAUTHENTICATION_BACKENDS = [\"BaseBackend\"]";
    assert!(ran.out.contains(nobody), "{}", ran.out);
}

#[test]
fn a_user_model_is_described() {
    let mut answer = plain();
    answer["user"] = json!({
        "label": "accounts.account", "hidden": [], "several_tables": false,
        "description": {
            "label": "accounts.Account", "db_table": "accounts_account", "USERNAME_FIELD": "email",
            "REQUIRED_FIELDS": [], "is_staff": "is_admin",
            "fields": [
                {"name": "id", "type": "BigAutoField", "primary_key": true},
                {"name": "password", "type": "CharField", "max_length": 128},
                {"name": "last_login", "type": "DateTimeField", "null": true},
                {"name": "email", "type": "CharField", "max_length": 254, "unique": true},
                {"name": "is_admin", "type": "BooleanField", "default": false}
            ]
        }
    });
    let site = Site::new();
    let ran = ask(&site, &answer, &["--output", "ours.toml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown = site.run(&["--settings", "ours.toml", "diffsettings"]);
    assert!(shown.out.contains("accounts.Account"), "{shown:?}");
    answer["user"]["hidden"] = json!(["is_active"]);
    let hidden = ask(&site, &answer, &[]);
    assert!(
        hidden.code == Some(3) && hidden.out.contains("is_active = false"),
        "{hidden:?}"
    );
    answer["user"]["several_tables"] = json!(true);
    let several = ask(&site, &answer, &[]);
    assert!(
        several.code == Some(3) && !several.out.contains("\nAUTH_USER_MODEL"),
        "{several:?}"
    );
}

#[test]
fn secrets_go_into_the_file_alone_which_only_its_owner_reads() {
    let site = Site::new();
    let shown = ask(&site, &plain(), &[]);
    assert_eq!(shown.code, Some(0));
    assert!(
        !shown.out.contains("hush") && shown.out.contains("SECRET_KEY is a secret"),
        "{}",
        shown.out
    );
    let written = ask(&site, &plain(), &["--output", "ours.toml"]);
    assert_eq!(
        (written.code, written.out.as_str()),
        (Some(0), ""),
        "{}",
        written.err
    );
    assert_eq!(mode(&site.path("ours.toml")), 0o600);
    let text = std::fs::read_to_string(site.path("ours.toml")).unwrap();
    assert!(text.contains("hush-1") && text.contains("hush-3"), "{text}");
    let read = site.run(&["--settings", "ours.toml", "diffsettings"]);
    assert_eq!(read.code, Some(0), "{}", read.err);
    assert!(
        read.out.contains("SESSION_COOKIE_AGE = 3600"),
        "{}",
        read.out
    );
    let again = ask(&site, &plain(), &["--output", "ours.toml"]);
    assert_eq!(again.code, Some(1));
    assert!(
        again.err.contains("left as it is") && !again.err.contains("hush"),
        "{}",
        again.err
    );
}

#[test]
fn a_site_that_asks_for_the_language_is_one_that_asks_here() {
    let mut answer = plain();
    let locale = "django.middleware.locale.LocaleMiddleware";
    answer["middleware"] = json!([{"path": locale, "django": locale, "changes": []}]);
    answer["set"] = json!(["LANGUAGES"]);
    answer["settings"]["LANGUAGES"] = json!([["de", "Deutsch"], ["pl", "polski"]]);
    answer["settings"]["LANGUAGE_CODE"] = json!("de");
    let ran = ask(&Site::new(), &answer, &[]);
    assert!(!ran.out.contains("USE_ACCEPT_LANGUAGE"), "{}", ran.out);
    for line in ["LANGUAGE_CODE = \"de\"", "LANGUAGES = [[\"de\","] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
}

/// A name, a change of the answer, and a word of what is said about it.
type Case = (&'static str, fn(&mut Value), &'static str);

#[test]
fn what_has_no_counterpart_is_named_and_the_exit_code_tells() {
    let cases: [Case; 12] = [
        (
            "PASSWORD_HASHERS",
            |a| a["hashers"][0]["changes"] = json!(["encode"]),
            "its own way",
        ),
        (
            "PASSWORD_HASHERS",
            |a| a["hashers"][0]["algorithm"] = json!("strong"),
            "strong",
        ),
        (
            "AUTH_PASSWORD_VALIDATORS",
            |a| a["validators"][0]["changes"] = json!(["validate"]),
            "house.validators.Long",
        ),
        (
            "AUTHENTICATION_BACKENDS",
            |a| {
                a["backends"][0] = json!({"path": "axes.backends.AxesStandaloneBackend",
                "django": "django.contrib.auth.backends.ModelBackend", "changes": ["authenticate"]});
            },
            "axes.backends.AxesStandaloneBackend",
        ),
        (
            "MIDDLEWARE",
            |a| {
                a["middleware"] =
                    json!([{"path": "house.auth.Sso", "django": null, "changes": []}]);
            },
            "house.auth.Sso",
        ),
        (
            "SESSION_ENGINE",
            |a| a["settings"]["SESSION_ENGINE"] = json!("house.sessions"),
            "expected",
        ),
        ("USE_TZ", |a| a["settings"]["USE_TZ"] = json!(false), "UTC"),
        (
            "DATABASES",
            |a| {
                a["settings"]["DATABASES"]["default"]["ENGINE"] =
                    json!("django.db.backends.oracle");
            },
            "oracle",
        ),
        (
            "CACHES",
            |a| a["settings"]["SESSION_ENGINE"] = json!("django.contrib.sessions.backends.cache"),
            "locmem",
        ),
        (
            "LOGIN_URL",
            |a| a["urls"]["LOGIN_URL"] = json!({"__python__": "NoReverseMatch"}),
            "Python",
        ),
        (
            "CSRF_NEW_THING",
            |a| a["set"] = json!(["CSRF_NEW_THING"]),
            "no counterpart",
        ),
        (
            "SECRET_KEY",
            |a| a["settings"]["SECRET_KEY"] = json!({"__python__": "bytes"}),
            "Python",
        ),
    ];
    for (name, change, word) in cases {
        let mut answer = plain();
        change(&mut answer);
        let ran = ask(&Site::new(), &answer, &[]);
        assert_eq!(ran.code, Some(3), "{name}: {ran:?}");
        let said = ran
            .err
            .lines()
            .any(|line| line.starts_with(name) && line.contains(word));
        assert!(said, "{name}: {}", ran.err);
        assert!(
            ran.out.contains(&format!("# - {name}: ")),
            "{name}: {}",
            ran.out
        );
    }
}

/// Values of a project cannot begin lines of their own in our file.
#[test]
fn a_project_cannot_write_settings_of_its_own() {
    let mut answer = plain();
    answer["module"] = json!("house\nDEBUG = true");
    answer["set"] = json!(["A\nDEBUG = true"]);
    answer["backends"][0]["path"] = json!("x\nDEBUG = true");
    let site = Site::new();
    assert_eq!(
        ask(&site, &answer, &["--output", "ours.toml"]).code,
        Some(3)
    );
    let read = site.run(&["--settings", "ours.toml", "diffsettings"]);
    assert!(!read.out.contains("DEBUG"), "{}", read.out);
}

#[test]
fn a_project_that_does_not_answer_is_an_error() {
    let site = Site::new();
    let missing = site.run(&["settings", "--from", "nowhere/manage.py"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    std::fs::write(site.path("manage.py"), "").unwrap();
    for python in ["false", "echo", "no-such-python"] {
        let ran = site.run(&[
            "settings",
            "--from",
            "manage.py",
            "--python",
            python,
            "--output",
            "ours.toml",
        ]);
        assert_eq!(ran.code, Some(1), "{python}: {ran:?}");
        assert!(!site.path("ours.toml").exists());
    }
}
