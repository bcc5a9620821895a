//! The request that the proxy holds, as it tells of it.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};

use crate::http::split_domain_port;
use crate::settings::Settings;

/// What servers may read in different ways: answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

/// The longest address that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// What a client asked the proxy for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Original {
    /// `http` or `https`, if the proxy says so.
    pub(crate) scheme: Option<&'static str>,
    /// In lower case, without a last dot and without the port.
    pub(crate) domain: String,
    /// Empty when it is the scheme's.
    pub(crate) port: String,
    /// Path and query, as they came.
    pub(crate) uri: String,
    /// If the proxy says so.
    pub(crate) method: Option<String>,
}

/// What asks.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// If the server tells.
    pub(crate) peer: Option<SocketAddr>,
}

impl<'a> Question<'a> {
    pub(crate) fn of(parts: &'a Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Self::from_peer(parts, peer.map(|ConnectInfo(peer)| *peer))
    }

    pub(crate) fn from_peer(parts: &'a Parts, peer: Option<SocketAddr>) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            peer,
        }
    }

    /// Whether it is one of `TRUSTED_PROXIES`.
    fn is_from_trusted_proxy(&self, settings: &Settings) -> bool {
        self.peer
            .is_some_and(|peer| settings.is_trusted_proxy(peer.ip()))
    }
}

impl Original {
    /// From the headers of nginx (`X-Original-URI`), Caddy and Traefik (`X-Forwarded-Uri`), with
    /// `X-Forwarded-Host`, `-Method` and `-Proto`. `None`: nobody whom we trust has told host and path.
    pub(crate) fn in_headers(
        settings: &Settings,
        question: Question<'_>,
    ) -> Result<Option<Self>, Ambiguous> {
        if !question.is_from_trusted_proxy(settings) {
            return Ok(None);
        }
        let headers = question.headers;
        let host = one(headers, &["x-forwarded-host"])?;
        let uri = one(headers, &["x-forwarded-uri", "x-original-uri"])?;
        let method = one(headers, &["x-forwarded-method", "x-original-method"])?;
        let (Some(host), Some(uri)) = (host, uri) else {
            return Ok(None);
        };
        Self::new(headers, host, uri, method).map(Some)
    }

    /// From the question itself, which is the client's request with a path put before it (Envoy).
    pub(crate) fn in_request(
        settings: &Settings,
        question: Question<'_>,
    ) -> Result<Option<Self>, Ambiguous> {
        if !question.is_from_trusted_proxy(settings) {
            return Ok(None);
        }
        let (headers, method) = (question.headers, question.method.as_str());
        let uri = question.uri.path_and_query();
        let uri = uri.map_or("/", |uri| uri.as_str());
        let host = one(headers, &[HOST.as_str()])?.ok_or(Ambiguous)?;
        Self::new(headers, host, uri, Some(method)).map(Some)
    }

    fn new(
        headers: &HeaderMap,
        host: &str,
        uri: &str,
        method: Option<&str>,
    ) -> Result<Self, Ambiguous> {
        let plain = uri.starts_with('/') && !uri.contains('#') && uri.len() <= LONGEST;
        let (domain, port) = split_domain_port(host).filter(|_| plain).ok_or(Ambiguous)?;
        // A second dot at the end, say, which some server takes away too.
        if domain.split('.').any(str::is_empty) {
            return Err(Ambiguous);
        }
        let method = method.map(|method| method.parse::<Method>().map_err(|_| Ambiguous));
        Ok(Self {
            scheme: scheme(headers)?,
            domain,
            port,
            uri: uri.to_owned(),
            method: method.transpose()?.map(|method| method.to_string()),
        })
    }

    /// Without the query.
    pub(super) fn path(&self) -> &str {
        self.uri.split('?').next().unwrap_or_default()
    }

    /// Host, and port where there is one.
    pub(super) fn netloc(&self) -> String {
        match self.port.as_str() {
            "" => self.domain.clone(),
            port => format!("{}:{port}", self.domain),
        }
    }
}

fn scheme(headers: &HeaderMap) -> Result<Option<&'static str>, Ambiguous> {
    match one(headers, &["x-forwarded-proto"])? {
        None => Ok(None),
        Some("https" | "wss") => Ok(Some("https")),
        Some("http" | "ws") => Ok(Some("http")),
        Some(_) => Err(Ambiguous),
    }
}

/// The one value that these headers have; several different ones are ambiguous: one of them may be the
/// client's.
fn one<'h>(headers: &'h HeaderMap, names: &[&str]) -> Result<Option<&'h str>, Ambiguous> {
    let mut found = None;
    for value in names.iter().flat_map(|name| headers.get_all(*name)) {
        let value = value.to_str().map_err(|_| Ambiguous)?;
        if found.is_some_and(|found| found != value) {
            return Err(Ambiguous);
        }
        found = Some(value);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use axum::http::Request as HttpRequest;
    use djauth_signing::SecretKey;
    use proptest::prelude::*;

    use super::*;

    fn read(headers: &[(&str, &str)], peer: &str) -> Result<Option<Original>, Ambiguous> {
        let mut settings = Settings::new(SecretKey::new("key").unwrap());
        settings.trusted_proxies = vec!["10.0.0.1".parse().unwrap()];
        let mut builder = HttpRequest::builder();
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (mut parts, ()) = builder.body(()).map_err(|_| Ambiguous)?.into_parts();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        parts.extensions.insert(ConnectInfo(peer));
        Original::in_headers(&settings, Question::of(&parts))
    }

    const HOST: (&str, &str) = ("x-forwarded-host", "App.Example.com.:8443");
    const URI: (&str, &str) = ("x-forwarded-uri", "/a?b=/c");

    #[test]
    fn what_the_proxy_tells_is_read() {
        let original = read(
            &[
                HOST,
                URI,
                ("x-forwarded-proto", "https"),
                ("x-forwarded-method", "POST"),
            ],
            "10.0.0.1",
        );
        let original = original.unwrap().unwrap();
        assert_eq!(original.scheme, Some("https"));
        assert_eq!(original.netloc(), "app.example.com:8443");
        assert_eq!((original.path(), original.uri.as_str()), ("/a", "/a?b=/c"));
        assert_eq!(original.method.as_deref(), Some("POST"));
        let nginx = read(&[HOST, ("x-original-uri", "/a?b=/c")], "10.0.0.1");
        assert_eq!(nginx.unwrap().unwrap().uri, "/a?b=/c");
    }

    #[test]
    fn strangers_tell_nothing() {
        assert_eq!(read(&[HOST, URI], "192.0.2.1"), Ok(None));
        assert_eq!(read(&[HOST], "10.0.0.1"), Ok(None));
        assert_eq!(read(&[URI], "10.0.0.1"), Ok(None));
        // An underscore is not a hyphen.
        assert_eq!(
            read(&[HOST, ("x_forwarded_uri", "/")], "10.0.0.1"),
            Ok(None)
        );
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for second in [
            ("x-forwarded-uri", "/other"),
            ("x-original-uri", "/other"),
            ("x-forwarded-host", "evil.com"),
            ("x-forwarded-proto", "https,http"),
            ("x-forwarded-proto", "gopher"),
            ("x-forwarded-method", "GE T"),
        ] {
            assert_eq!(
                read(&[HOST, URI, second], "10.0.0.1"),
                Err(Ambiguous),
                "{second:?}"
            );
        }
        assert!(read(&[HOST, URI, ("x-original-uri", URI.1)], "10.0.0.1").is_ok());
        for host in [
            "app.example.com..",
            ".app.example.com",
            "a..b",
            "a, b",
            "user@a",
            "a b",
            "",
            ".",
            "[::1",
            "a/b",
            "a:b",
        ] {
            let headers = [("x-forwarded-host", host), URI];
            assert_eq!(read(&headers, "10.0.0.1"), Err(Ambiguous), "{host}");
        }
        for uri in ["", "a", "https://evil.com/", "/a#b"] {
            assert_eq!(
                read(&[HOST, ("x-forwarded-uri", uri)], "10.0.0.1"),
                Err(Ambiguous),
                "{uri}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_headers_are_answered(host in "[ -~]{0,30}", uri in "[ -~]{0,30}", method in "[ -~]{0,8}") {
            let headers = [
                ("x-forwarded-host", host.as_str()),
                ("x-forwarded-uri", uri.as_str()),
                ("x-forwarded-method", method.as_str()),
            ];
            if let Ok(Some(original)) = read(&headers, "10.0.0.1") {
                prop_assert!(original.uri.starts_with('/'));
                prop_assert!(!original.domain.is_empty());
            }
        }
    }
}
