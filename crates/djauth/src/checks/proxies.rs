//! Settings that say nothing as long as no proxy is trusted.

use super::{CheckMessage, Level};
use crate::backends::{AllowAllUsersRemoteUserBackend, RemoteUserBackend};
use crate::models::User;
use crate::settings::Settings;

/// The backends that log remote users in.
const REMOTE_USER_BACKENDS: [&str; 2] = [
    RemoteUserBackend::<User>::PATH,
    AllowAllUsersRemoteUserBackend::PATH,
];

/// Warns (`djauth.W021`) of a header of remote users that no backend reads. For an application with
/// backends of its own it says nothing of them.
pub fn check_remote_user(settings: &Settings) -> Vec<CheckMessage> {
    let mut named = settings.authentication_backends.iter();
    let known = named.any(|path| {
        let built_in = settings.builtin_backend(path);
        built_in.is_some_and(|path| REMOTE_USER_BACKENDS.contains(&path))
    });
    if settings.remote_user_header.is_none() || known {
        return Vec::new();
    }
    let text = "has no effect, because AUTHENTICATION_BACKENDS names no backend of remote users";
    let message = CheckMessage::new(Level::Warning, "djauth.W021", text);
    vec![
        message
            .object("REMOTE_USER_HEADER")
            .hint("add \"RemoteUserBackend\" to AUTHENTICATION_BACKENDS"),
    ]
}

/// Warns (`djauth.W020`) of each setting that takes a proxy's word while `TRUSTED_PROXIES` name none:
/// a site that is configured for Django works there, and is without HTTPS or without its host here.
pub fn check_proxies(settings: &Settings) -> Vec<CheckMessage> {
    if !settings.trusted_proxies.is_empty() {
        return Vec::new();
    }
    let needing = [
        (
            "SECURE_PROXY_SSL_HEADER",
            settings.secure_proxy_ssl_header.is_some(),
        ),
        ("USE_X_FORWARDED_HOST", settings.use_x_forwarded_host),
        ("USE_X_FORWARDED_PORT", settings.use_x_forwarded_port),
        ("REMOTE_USER_HEADER", settings.remote_user_header.is_some()),
        (
            "FORWARD_AUTH_RULES",
            !settings.forward_auth_rules.is_empty(),
        ),
    ];
    let set = needing.into_iter().filter(|(_, set)| *set);
    set.map(|(setting, _)| without_effect(setting)).collect()
}

fn without_effect(setting: &str) -> CheckMessage {
    let text = "has no effect, because TRUSTED_PROXIES is empty and nobody else is believed";
    CheckMessage::new(Level::Warning, "djauth.W020", text)
        .object(setting)
        .hint("name the proxy's address: [\"127.0.0.1\"] for one on this machine")
}

#[cfg(test)]
mod tests {
    use djauth_signing::SecretKey;

    use super::*;

    #[test]
    fn settings_about_proxies_want_proxies() {
        let mut settings = Settings::new(SecretKey::new("key").unwrap());
        assert_eq!(check_proxies(&settings), []);
        settings.use_x_forwarded_host = true;
        settings.use_x_forwarded_port = true;
        settings.remote_user_header = Some("HTTP_REMOTE_USER".into());
        settings.secure_proxy_ssl_header = Some(("HTTP_X".into(), "https".into()));
        let found = check_proxies(&settings);
        let objects: Vec<_> = found.iter().filter_map(|m| m.object.as_deref()).collect();
        assert_eq!(
            objects,
            [
                "SECURE_PROXY_SSL_HEADER",
                "USE_X_FORWARDED_HOST",
                "USE_X_FORWARDED_PORT",
                "REMOTE_USER_HEADER"
            ]
        );
        assert!(
            found
                .iter()
                .all(|m| m.id == "djauth.W020" && m.level == Level::Warning)
        );
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        assert_eq!(check_proxies(&settings), []);
    }

    #[test]
    fn a_header_of_remote_users_wants_a_backend() {
        let mut settings = Settings::new(SecretKey::new("key").unwrap());
        assert_eq!(check_remote_user(&settings), []);
        settings.remote_user_header = Some("HTTP_REMOTE_USER".into());
        assert_eq!(check_remote_user(&settings)[0].id, "djauth.W021");
        for backend in REMOTE_USER_BACKENDS {
            settings.authentication_backends = vec![backend.into()];
            assert_eq!(check_remote_user(&settings), []);
        }
    }
}
