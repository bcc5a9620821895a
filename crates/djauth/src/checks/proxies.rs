//! Settings that say nothing as long as no proxy is trusted.

use super::{CheckMessage, Level};
use crate::settings::Settings;

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
        settings.secure_proxy_ssl_header = Some(("HTTP_X".into(), "https".into()));
        let found = check_proxies(&settings);
        let objects: Vec<_> = found.iter().filter_map(|m| m.object.as_deref()).collect();
        assert_eq!(
            objects,
            [
                "SECURE_PROXY_SSL_HEADER",
                "USE_X_FORWARDED_HOST",
                "USE_X_FORWARDED_PORT"
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
}
