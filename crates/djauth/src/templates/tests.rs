use djauth_sessions::{Session, SessionConfig, SessionEngine};

use super::*;
use crate::settings::SecretKey;

fn settings() -> Settings {
    Settings::new(SecretKey::new("a key for the tests of templates, long enough").unwrap())
}

fn session() -> Session {
    let keys = djauth_signing::SecretKeys::new(settings().secret_key);
    SessionEngine::signed_cookies(SessionConfig::new(&keys)).open(None)
}

#[test]
fn every_built_in_template_compiles() {
    let templates = Templates::new(&settings());
    for (name, _) in BUILT_IN {
        templates.render(name, context! {}).unwrap();
    }
}

#[test]
fn values_are_escaped() {
    let page = Templates::built_in()
        .render(
            "error.html",
            context! { heading => "<script>", text => "\"&'" },
        )
        .unwrap();
    assert!(page.contains("&lt;script&gt;"));
    assert!(!page.contains("<script"));
}

#[test]
fn pages_are_small_and_use_no_inline_style_or_script() {
    for (name, text) in BUILT_IN {
        assert!(text.len() + STYLE.len() < 20_000, "{name}");
        assert!(
            !text.contains("style=") && !text.contains("<script") && !text.contains(" on"),
            "{name}"
        );
    }
}

#[test]
fn a_folder_takes_the_place_of_a_built_in_template() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("registration")).unwrap();
    let path = folder.path().join("registration/logged_out.html");
    std::fs::write(
        path,
        "{% extends \"base.html\" %}{% block content %}bye{% endblock %}",
    )
    .unwrap();
    let mut settings = settings();
    settings.template_dirs = vec![folder.path().to_owned()];
    let templates = Templates::new(&settings);
    let page = templates
        .render("registration/logged_out.html", context! {})
        .unwrap();
    assert!(page.contains("bye") && page.contains("<main>"));
    assert!(
        templates
            .render("registration/login.html", context! {})
            .is_ok()
    );
}

#[test]
fn another_crate_adds_templates_that_folders_can_replace() {
    const SET: TemplateSet = &[
        (
            "admin/x.html",
            "{% extends \"base.html\" %}{% block content %}x{% endblock %}",
        ),
        ("admin/y.html", "y"),
    ];
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("admin")).unwrap();
    std::fs::write(folder.path().join("admin/y.html"), "own").unwrap();
    let mut settings = settings();
    settings.template_dirs = vec![folder.path().to_owned()];
    let templates = Templates::new(&settings);
    let names = ["admin/none.html", "admin/x.html", "base.html"];
    assert_eq!(templates.first_of(&names), Some("base.html"));
    templates.add_built_in(SET);
    templates.add_built_in(SET);
    assert_eq!(templates.0.added.read().len(), 1);
    assert_eq!(templates.first_of(&names), Some("admin/x.html"));
    assert_eq!(templates.first_of(&["admin/none.html"]), None);
    let page = templates.render("admin/x.html", context! {}).unwrap();
    assert!(page.contains("<main>"));
    assert_eq!(
        templates.render("admin/y.html", context! {}).unwrap(),
        "own"
    );
}

#[test]
fn names_do_not_leave_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    let inner = folder.path().join("templates");
    std::fs::create_dir(&inner).unwrap();
    for name in [
        "../secret",
        "/etc/hostname",
        "./../secret",
        "x/../../secret",
        "",
    ] {
        assert_eq!(
            load(std::slice::from_ref(&inner), &[], name).unwrap(),
            None,
            "{name}"
        );
    }
}

#[test]
fn the_policy_allows_the_style_and_configured_targets() {
    let mut settings = settings();
    settings.login_redirect_url = "https://app.example.com/start".into();
    settings.forward_auth_hosts = vec!["b.example.com:8443".into()];
    let response = Templates::new(&settings).response(StatusCode::OK, String::new());
    let policy = response.headers()[CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    assert!(policy.contains("; style-src 'self' 'sha256-"));
    assert!(policy.contains("form-action 'self' https://app.example.com b.example.com:8443;"));
    assert_eq!(origin("/accounts/profile/"), None);
    assert_eq!(
        origin("//sso.example.com/in").as_deref(),
        Some("sso.example.com")
    );
    assert_eq!(origin("https://a b;script-src *"), None);
}

#[test]
fn only_a_page_that_asks_takes_a_token() {
    let request = Request::detached(Arc::new(settings()), session());
    let templates = Templates::built_in();
    templates.page(&request, "error.html", context! {}).unwrap();
    assert!(format!("{:?}", request.csrf()).contains("false"));
    templates
        .page(&request, "registration/login.html", context! {})
        .unwrap();
    assert!(format!("{:?}", request.csrf()).contains("true"));
}

#[test]
fn texts_are_in_the_language_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{% set name %}<b>{{ name }}</b>{% endset %}{{ lang }} {{ dir }}
{% macro said() %}{{ t("help.password_too_short", min_length=9) }}{% endmacro %}{{ said() }}
{{ t("csrf.text", reason=name, advice="<") }} {{ t("csrf.text", reason="<", advice="&") }}"#;
    std::fs::write(folder.path().join("x.html"), text).unwrap();
    let mut settings = settings();
    settings.template_dirs = vec![folder.path().to_owned()];
    settings.language_code = "de-at".into();
    let templates = Templates::new(&settings);
    let values = || context! { name => "x&y" };
    let german = templates.render("x.html", values()).unwrap();
    assert!(german.starts_with("de ltr") && german.contains("mindestens 9 Zeichen"));
    assert!(
        german.ends_with("<b>x&amp;y</b> &lt; &lt; &amp;"),
        "{german}"
    );
    let english = templates.render_in(Language::ENGLISH, "x.html", values());
    let english = english.unwrap();
    assert!(english.starts_with("en ltr") && english.contains("Use at least 9 characters."));
}
