//! Settings from files and the environment, as the program reports them.

use crate::site::Site;

#[test]
fn a_wrong_setting_is_named_with_its_place() {
    let site = Site::new();
    std::fs::write(
        site.path("settings.toml"),
        "LOGIN_URL = \"/in/\"\nALOWED_HOSTS = []\n",
    )
    .unwrap();
    let unknown = site.run(&["--settings", "settings.toml", "check"]);
    assert_eq!(unknown.code, Some(1));
    for part in ["settings.toml", "ALOWED_HOSTS", "ALLOWED_HOSTS"] {
        assert!(unknown.err.contains(part), "{}", unknown.err);
    }
    let wrong = Site::new()
        .with("SESSION_COOKIE_SAMESITE", "lax")
        .run(&["check"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.err.contains("SESSION_COOKIE_SAMESITE") && wrong.err.contains("\"Lax\""),
        "{}",
        wrong.err
    );
}

#[test]
fn a_missing_file_is_named() {
    let ran = Site::new().run(&["--settings", "nowhere.toml", "diffsettings"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("nowhere.toml"), "{}", ran.err);
}

#[test]
fn the_environment_names_the_file_and_the_option_wins() {
    let site = Site::new().with("DJAUTH_SETTINGS", "one.toml");
    std::fs::write(site.path("one.toml"), "DEBUG = true").unwrap();
    std::fs::write(site.path("two.toml"), "LOGIN_URL = \"/two/\"").unwrap();
    let one = site.run(&["diffsettings"]);
    assert!(one.out.contains("DEBUG = true"), "{}", one.out);
    let two = site.run(&["diffsettings", "--settings", "two.toml"]);
    assert!(
        two.out.contains("LOGIN_URL = \"/two/\"") && !two.out.contains("DEBUG"),
        "{}",
        two.out
    );
}

#[test]
fn diffsettings_hides_secrets_and_makes_nothing() {
    let site = Site::new()
        .with("SECRET_KEY", "hush-1")
        .with("DATABASE_URL", "postgres://app:hush-2@db/live");
    for arguments in [&["diffsettings"][..], &["diffsettings", "--all"]] {
        let ran = site.run(arguments);
        assert_eq!(ran.code, Some(0));
        assert!(
            ran.out.contains("SECRET_KEY = ") && !ran.out.contains("hush"),
            "{}",
            ran.out
        );
    }
    assert_eq!(site.files(), [""; 0]);
    let nothing = Site::new().run(&["diffsettings"]);
    assert!(!nothing.out.contains("SECRET_KEY ="), "{}", nothing.out);
}
