//! Where somebody who is not logged in is sent.

use axum::http::header::{ACCEPT, HeaderMap};

use super::original::Original;
use crate::REDIRECT_FIELD_NAME;
use crate::http::redirect_to_login;
use crate::settings::Settings;

/// `LOGIN_URL` with the page to come back to: on the same host where it is a path; otherwise the whole
/// address, if `FORWARD_AUTH_HOSTS` list its host.
pub(crate) fn location(settings: &Settings, original: &Original) -> String {
    let login_url = &settings.login_url;
    let next = if login_url.starts_with('/') {
        Some(original.uri.clone())
    } else {
        original.scheme.and_then(|scheme| {
            let netloc = original.netloc();
            let listed = settings.forward_auth_hosts.contains(&netloc);
            listed.then(|| format!("{scheme}://{netloc}{}", original.uri))
        })
    };
    match next {
        Some(next) => redirect_to_login(&next, login_url, REDIRECT_FIELD_NAME),
        None => login_url.clone(),
    }
}

/// Whether the client asks for a page that it will show: only then is it led to another.
pub(crate) fn is_page(headers: &HeaderMap, original: &Original) -> bool {
    let method = original.method.as_deref().unwrap_or("GET");
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    matches!(method, "GET" | "HEAD")
        && text("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
        && text("x-requested-with").is_none_or(|with| with != "XMLHttpRequest")
        && accepts.is_none_or(|types| types.contains("text/html") || types.contains("*/*"))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use djauth_signing::SecretKey;

    use super::*;

    fn original(domain: &str) -> Original {
        Original {
            scheme: Some("https"),
            domain: domain.into(),
            port: String::new(),
            uri: "/x?a=1&next=//evil.com".into(),
            method: Some("GET".into()),
        }
    }

    #[test]
    fn next_leads_to_listed_hosts_alone() {
        let mut settings = Settings::new(SecretKey::new("key").unwrap());
        let here = "/accounts/login/?next=/x%3Fa%3D1%26next%3D//evil.com";
        assert_eq!(location(&settings, &original("anything.example")), here);
        settings.login_url = "https://auth.example.com/accounts/login/".into();
        settings.forward_auth_hosts = vec!["app.example.com".into()];
        let whole = "https://auth.example.com/accounts/login/\
                     ?next=https%3A//app.example.com/x%3Fa%3D1%26next%3D//evil.com";
        assert_eq!(location(&settings, &original("app.example.com")), whole);
        for other in ["evil.com", "xapp.example.com", "app.example.com.evil.com"] {
            assert_eq!(
                location(&settings, &original(other)),
                settings.login_url,
                "{other}"
            );
        }
        let ported = Original {
            port: "8443".into(),
            ..original("app.example.com")
        };
        assert_eq!(location(&settings, &ported), settings.login_url);
    }

    #[test]
    fn only_pages_are_led_elsewhere() {
        let asks = |name: &'static str, value: &'static str| {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )]);
            is_page(&headers, &original("a"))
        };
        assert!(asks("accept", "text/html,*/*;q=0.8"));
        assert!(asks("accept", "*/*"));
        assert!(asks("sec-fetch-mode", "navigate"));
        assert!(!asks("accept", "application/json"));
        assert!(!asks("sec-fetch-mode", "cors"));
        assert!(!asks("x-requested-with", "XMLHttpRequest"));
        let post = Original {
            method: Some("POST".into()),
            ..original("a")
        };
        assert!(!is_page(&HeaderMap::new(), &post));
    }
}
