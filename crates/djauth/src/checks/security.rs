//! `check --deploy`: settings that are unsafe where strangers can reach the server
//! (`django/core/checks/security`).

use djauth_signing::SecretKey;

use super::{CheckMessage, Level, check_mailers_production_backend};
use crate::settings::{SameSite, SessionEngine, Settings};

/// Looks for settings that are unsafe in public.
///
/// Checks of Django about middleware that can be missing do not exist here, because the layer
/// always has all of it; what Django tells apart by it (`security.W010` to `W012`) is one message.
pub fn check_deploy(settings: &Settings) -> Vec<CheckMessage> {
    let all = [
        https(settings),
        headers(settings),
        cookies(settings),
        keys(settings),
        passwords(settings),
        serving(settings),
    ];
    let mail = check_mailers_production_backend(settings);
    all.into_iter().flatten().chain(mail).collect()
}

fn warn(condition: bool, id: &'static str, setting: &str, text: &str) -> Option<CheckMessage> {
    condition.then(|| CheckMessage::new(Level::Warning, id, text).object(setting))
}

fn https(settings: &Settings) -> Vec<CheckMessage> {
    let hsts = settings.secure_hsts_seconds > 0;
    let found = [
        warn(
            !hsts,
            "security.W004",
            "SECURE_HSTS_SECONDS",
            "browsers are not told to use HTTPS only",
        ),
        warn(
            hsts && !settings.secure_hsts_include_subdomains,
            "security.W005",
            "SECURE_HSTS_INCLUDE_SUBDOMAINS",
            "the domain's subdomains may still be reached without HTTPS",
        ),
        warn(
            hsts && !settings.secure_hsts_preload,
            "security.W021",
            "SECURE_HSTS_PRELOAD",
            "the domain cannot be put on the browsers' preload list",
        ),
        warn(
            !settings.secure_ssl_redirect,
            "security.W008",
            "SECURE_SSL_REDIRECT",
            "requests without HTTPS are served; set it, or let the proxy redirect",
        ),
    ];
    found.into_iter().flatten().collect()
}

fn headers(settings: &Settings) -> Vec<CheckMessage> {
    let found = [
        warn(
            !settings.secure_content_type_nosniff,
            "security.W006",
            "SECURE_CONTENT_TYPE_NOSNIFF",
            "browsers may guess the type of a file",
        ),
        warn(
            settings.x_frame_options != "DENY",
            "security.W019",
            "X_FRAME_OPTIONS",
            "pages may be shown in frames; \"DENY\" forbids it",
        ),
        warn(
            settings.secure_referrer_policy.is_none(),
            "security.W022",
            "SECURE_REFERRER_POLICY",
            "other sites may be told the addresses of pages",
        ),
    ];
    found.into_iter().flatten().collect()
}

fn cookies(settings: &Settings) -> Vec<CheckMessage> {
    let found = [
        warn(
            !settings.session_cookie_secure,
            "security.W012",
            "SESSION_COOKIE_SECURE",
            "the session's cookie is also sent without HTTPS, where it can be read on the way",
        ),
        warn(
            !settings.session_cookie_httponly,
            "security.W015",
            "SESSION_COOKIE_HTTPONLY",
            "scripts can read the session's cookie",
        ),
        warn(
            !settings.csrf_use_sessions && !settings.csrf_cookie_secure,
            "security.W016",
            "CSRF_COOKIE_SECURE",
            "the CSRF cookie is also sent without HTTPS, where it can be read on the way",
        ),
        warn(
            matches!(
                settings.session_cookie_samesite,
                SameSite::None | SameSite::Omitted
            ),
            "djauth.W001",
            "SESSION_COOKIE_SAMESITE",
            "the session's cookie is sent along with requests that other sites make",
        ),
        warn(
            settings.session_engine == SessionEngine::SignedCookies,
            "djauth.W002",
            "SESSION_ENGINE",
            "a logout cannot end a session that somebody has copied",
        ),
    ];
    found.into_iter().flatten().collect()
}

fn keys(settings: &Settings) -> Vec<CheckMessage> {
    let weak = |key: &SecretKey, id, object: String| {
        let text = "the key is short, monotonous, or one that Django made for development";
        let hint = "use a random key of 50 characters or more";
        is_weak(key).then(|| {
            CheckMessage::new(Level::Warning, id, text)
                .object(object)
                .hint(hint)
        })
    };
    let first = weak(&settings.secret_key, "security.W009", "SECRET_KEY".into());
    let fallbacks = settings.secret_key_fallbacks.iter().enumerate();
    let fallbacks = fallbacks
        .filter_map(|(i, key)| weak(key, "security.W025", format!("SECRET_KEY_FALLBACKS[{i}]")));
    first.into_iter().chain(fallbacks).collect()
}

/// Django's rule: fewer than 50 characters, fewer than 5 different ones, or its prefix for
/// generated development keys.
fn is_weak(key: &SecretKey) -> bool {
    let text = String::from_utf8_lossy(key.as_bytes());
    let different = text.chars().collect::<std::collections::HashSet<_>>().len();
    text.chars().count() < 50 || different < 5 || text.starts_with("django-insecure-")
}

/// Hashers that are too fast for a new password.
const WEAK_HASHERS: [&str; 4] = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.SHA1PasswordHasher",
    "django.contrib.auth.hashers.UnsaltedMD5PasswordHasher",
    "django.contrib.auth.hashers.UnsaltedSHA1PasswordHasher",
];

fn passwords(settings: &Settings) -> Vec<CheckMessage> {
    let preferred = settings.password_hashers.first().map_or("", String::as_str);
    let found = [
        warn(
            WEAK_HASHERS.contains(&preferred),
            "djauth.W003",
            "PASSWORD_HASHERS",
            "new passwords are stored in a form that is quickly guessed; let another hasher be the first",
        ),
        warn(
            settings.auth_password_validators.is_empty(),
            "djauth.W004",
            "AUTH_PASSWORD_VALIDATORS",
            "any password is accepted",
        ),
        warn(
            settings.login_rate_limit_per_username.is_none(),
            "djauth.W006",
            "LOGIN_RATE_LIMIT_PER_USERNAME",
            "the password of an account may be guessed at as often as anybody likes",
        ),
    ];
    found.into_iter().flatten().collect()
}

fn serving(settings: &Settings) -> Vec<CheckMessage> {
    let found = [
        warn(
            settings.debug,
            "security.W018",
            "DEBUG",
            "details of failures are shown to strangers",
        ),
        warn(
            settings.allowed_hosts.is_empty(),
            "security.W020",
            "ALLOWED_HOSTS",
            "is empty, so only the loopback names are answered",
        ),
        warn(
            settings.allowed_hosts.iter().any(|host| host == "*"),
            "djauth.W005",
            "ALLOWED_HOSTS",
            "any name is answered, so links in mails can be made to lead elsewhere",
        ),
    ];
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(settings: &Settings) -> Vec<&'static str> {
        check_deploy(settings)
            .into_iter()
            .map(|message| message.id)
            .collect()
    }

    fn key(text: &str) -> SecretKey {
        SecretKey::new(text).unwrap()
    }

    fn safe() -> Settings {
        let mut settings = Settings::new(djauth_signing::crypto::get_random_secret_key());
        settings.secure_hsts_seconds = 3600;
        settings.secure_hsts_include_subdomains = true;
        settings.secure_hsts_preload = true;
        settings.secure_ssl_redirect = true;
        settings.session_cookie_secure = true;
        settings.csrf_cookie_secure = true;
        settings.allowed_hosts = vec!["example.com".into()];
        settings
    }

    /// The identifiers that Django 6.1.3's `check --deploy` prints for what `startproject` writes
    /// (with `DEBUG = False` and a good key).
    #[test]
    fn startproject_gives_django_s_warnings() {
        let mut found = ids(&Settings::new(
            djauth_signing::crypto::get_random_secret_key(),
        ));
        found.sort_unstable();
        let django = [
            "security.W004",
            "security.W008",
            "security.W012",
            "security.W016",
            "security.W020",
        ];
        assert_eq!(found, django);
    }

    #[test]
    fn safe_settings_give_nothing() {
        assert_eq!(ids(&safe()), [""; 0]);
    }

    /// Changes safe settings, and expects this one identifier.
    #[track_caller]
    fn found(id: &str, change: impl FnOnce(&mut Settings)) {
        let mut settings = safe();
        change(&mut settings);
        assert_eq!(ids(&settings), [id]);
    }

    #[test]
    fn each_unsafe_setting_is_found_alone() {
        found("security.W004", |s| s.secure_hsts_seconds = 0);
        found("security.W005", |s| {
            s.secure_hsts_include_subdomains = false;
        });
        found("security.W006", |s| s.secure_content_type_nosniff = false);
        found("security.W008", |s| s.secure_ssl_redirect = false);
        found("security.W009", |s| s.secret_key = key(&"ab".repeat(30)));
        found("security.W009", |s| {
            s.secret_key = key(&format!("django-insecure-{}", "abcdefgh".repeat(6)));
        });
        found("security.W012", |s| s.session_cookie_secure = false);
        found("security.W015", |s| s.session_cookie_httponly = false);
        found("security.W016", |s| s.csrf_cookie_secure = false);
        found("security.W018", |s| s.debug = true);
        found("security.W019", |s| s.x_frame_options = "SAMEORIGIN".into());
        found("security.W020", |s| s.allowed_hosts.clear());
        found("security.W021", |s| s.secure_hsts_preload = false);
        found("security.W022", |s| s.secure_referrer_policy = None);
        found("security.W025", |s| {
            s.secret_key_fallbacks = vec![key("short")];
        });
        found("djauth.W001", |s| {
            s.session_cookie_samesite = SameSite::None;
        });
        found("djauth.W002", |s| {
            s.session_engine = SessionEngine::SignedCookies;
        });
        found("djauth.W003", |s| {
            s.password_hashers = vec![WEAK_HASHERS[0].into()];
        });
        found("djauth.W004", |s| s.auth_password_validators.clear());
        found("djauth.W006", |s| s.login_rate_limit_per_username = None);
        found("djauth.W005", |s| s.allowed_hosts = vec!["*".into()]);
    }

    #[test]
    fn the_key_is_never_in_a_message() {
        let mut settings = safe();
        settings.secret_key = key("not-shown");
        assert!(
            check_deploy(&settings)
                .iter()
                .all(|message| !message.to_string().contains("not-shown"))
        );
    }
}
