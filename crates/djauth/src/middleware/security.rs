//! `SecurityMiddleware` and `XFrameOptionsMiddleware`.

use axum::body::Body;
use axum::http::header::{
    LOCATION, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::response::bad_host;
use crate::http::{Request, iri_to_uri};
use crate::settings::Settings;

/// The headers that the settings ask for, made once.
#[derive(Clone)]
pub(super) struct SecurityHeaders {
    always: Vec<(HeaderName, HeaderValue)>,
    strict_transport_security: Option<HeaderValue>,
    frame_options: Option<HeaderValue>,
}

impl SecurityHeaders {
    pub(super) fn new(settings: &Settings) -> Self {
        let value = |text: &str| HeaderValue::try_from(text).ok();
        let policies = |text: &String| text.split(',').map(str::trim).collect::<Vec<_>>().join(",");
        let referrer = settings.secure_referrer_policy.as_ref().map(policies);
        let opener = settings.secure_cross_origin_opener_policy.clone();
        let nosniff = settings
            .secure_content_type_nosniff
            .then(|| "nosniff".to_owned());
        let always = [
            (X_CONTENT_TYPE_OPTIONS, nosniff),
            (REFERRER_POLICY, referrer),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                opener,
            ),
        ];
        let set = |(name, text): (HeaderName, Option<String>)| {
            Some((name, value(&text.filter(|text| !text.is_empty())?)?))
        };
        SecurityHeaders {
            always: always.into_iter().filter_map(set).collect(),
            strict_transport_security: strict_transport_security(settings)
                .and_then(|text| value(&text)),
            frame_options: value(&settings.x_frame_options.to_uppercase()),
        }
    }

    /// The redirect to https, where `SECURE_SSL_REDIRECT` asks for it. A bad host gets the headers of
    /// [`SecurityHeaders::finish`] here too, which Django leaves out in this one case.
    pub(super) fn ssl_redirect(&self, request: &Request) -> Option<Response<Body>> {
        let settings = request.settings();
        if !settings.secure_ssl_redirect || request.is_secure() {
            return None;
        }
        let host = match &settings.secure_ssl_host {
            Some(host) => host.clone(),
            None => match request.get_host() {
                Ok(host) => host.into_owned(),
                Err(_) => return Some(bad_host(request)),
            },
        };
        let to = iri_to_uri(&format!("https://{host}{}", request.get_full_path()));
        let location = HeaderValue::try_from(to).ok()?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
        response.headers_mut().insert(LOCATION, location);
        Some(response)
    }

    pub(super) fn frame_options(&self, headers: &mut HeaderMap) {
        if let Some(value) = &self.frame_options {
            headers
                .entry(X_FRAME_OPTIONS)
                .or_insert_with(|| value.clone());
        }
    }

    pub(super) fn finish(&self, request: &Request, headers: &mut HeaderMap) {
        if let Some(value) = self
            .strict_transport_security
            .as_ref()
            .filter(|_| request.is_secure())
        {
            headers
                .entry(STRICT_TRANSPORT_SECURITY)
                .or_insert_with(|| value.clone());
        }
        for (name, value) in &self.always {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }
}

fn strict_transport_security(settings: &Settings) -> Option<String> {
    let seconds = settings.secure_hsts_seconds;
    let mut text = (seconds > 0).then(|| format!("max-age={seconds}"))?;
    if settings.secure_hsts_include_subdomains {
        text.push_str("; includeSubDomains");
    }
    if settings.secure_hsts_preload {
        text.push_str("; preload");
    }
    Some(text)
}
