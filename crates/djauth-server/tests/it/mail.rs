//! `sendtestemail`, and mail by each backend of the settings.

use std::os::unix::fs::PermissionsExt;

use crate::site::Site;

#[test]
fn a_test_message_goes_where_the_settings_say() {
    let site = Site::new()
        .with("EMAIL_BACKEND", "console")
        .with("DEFAULT_FROM_EMAIL", "Site <site@example.com>");
    let ran = site.run(&["sendtestemail", "a@example.com", "b@example.com"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for line in [
        "From: Site <site@example.com>",
        "To: a@example.com, b@example.com",
        &"-".repeat(79),
    ] {
        assert!(
            ran.out.lines().any(|out| out == line),
            "{line}: {}",
            ran.out
        );
    }
    assert_eq!(site.files(), [""; 0], "no database is made");
}

#[test]
fn a_named_mailer_sends_too() {
    let site = Site::new();
    std::fs::create_dir(site.path("sent")).unwrap();
    let mailers = r#"{"default": {"BACKEND": "dummy"},
        "file": {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": "sent"}}}"#;
    let site = site.with("MAILERS", mailers);
    let ran = site.run(&["sendtestemail", "a@example.com", "--using", "file"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let sent: Vec<_> = std::fs::read_dir(site.path("sent")).unwrap().collect();
    let [Ok(file)] = &*sent else {
        panic!("{sent:?}")
    };
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let ran = site.run(&["sendtestemail", "a@example.com", "--using=other"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("\"other\""), "{}", ran.err);
}

#[test]
fn what_cannot_be_sent_is_said_without_secrets() {
    let site = Site::new()
        // Nobody listens there.
        .with("EMAIL_PORT", "1")
        .with("EMAIL_HOST", "127.0.0.1")
        .with("EMAIL_HOST_USER", "ann")
        .with("EMAIL_HOST_PASSWORD", "hunter2");
    let ran = site.run(&["--traceback", "sendtestemail", "a@example.com"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("cannot be reached"), "{}", ran.err);
    assert!(!ran.err.contains("hunter2") && !ran.err.contains("a@example.com"));
    let shown = site.run(&["diffsettings"]);
    assert!(
        shown.out.contains("EMAIL_HOST_USER = \"ann\""),
        "{}",
        shown.out
    );
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);
    for wrong in [
        &["sendtestemail"][..],
        &["migrate", "--using", "x"],
        &["migrate", "a@b.c"],
    ] {
        assert_eq!(site.run(wrong).code, Some(2), "{wrong:?}");
    }
}

/// As in Django 6.1.
#[test]
fn mailers_and_the_settings_before_them_exclude_each_other() {
    let site = Site::new()
        .with("EMAIL_HOST", "mail.example.com")
        .with("MAILERS", r#"{"default": {"BACKEND": "dummy"}}"#);
    let ran = site.run(&["sendtestemail", "a@example.com"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("MAILERS"), "{}", ran.err);
    let site = Site::new()
        .with("EMAIL_USE_TLS", "true")
        .with("EMAIL_USE_SSL", "true");
    let ran = site.run(&["sendtestemail", "a@example.com"]);
    assert!(ran.err.contains("exclude each other"), "{}", ran.err);
}
