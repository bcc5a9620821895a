//! The current request, as backends, signals, `login` and `logout` see it.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::extract::{ConnectInfo, OriginalUri};
use axum::http::header::{ACCEPT_LANGUAGE, AsHeaderName, COOKIE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Request as HttpRequest, Uri};
use djauth_sessions::{Session, SessionEngine};
use parking_lot::Mutex;

use super::quote::{percent_decode, quote_bytes};
use super::{
    Cookies, DisallowedHost, escape_uri_path, find_cookie, iri_to_uri, parse_cookie,
    split_domain_port, strip, validate_host,
};
use crate::csrf::CsrfState;
use crate::i18n::{Language, negotiate};
use crate::settings::Settings;
use crate::tokens::without_tokens;

/// One request: Django's `request` object. A cheap handle; clones share the session, the CSRF secret
/// and the user.
#[derive(Clone)]
pub struct Request(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
    cookies: OnceLock<Cookies>,
    session: Session,
    csrf: CsrfState,
    user: UserSlot,
    language: OnceLock<Language>,
}

/// `request.user`: unknown until asked for, then nobody or somebody.
#[derive(Default)]
struct UserSlot {
    /// Never held across an await.
    user: Mutex<Option<Loaded>>,
    /// Held while somebody is loaded, so that it is done once.
    loading: tokio::sync::Mutex<()>,
}

type Loaded = Option<Arc<dyn Any + Send + Sync>>;

impl Request {
    /// The request whose head this is. The path is the one that the client asked for, also inside a
    /// nested router; the peer's address is known where the server offers it (`ConnectInfo`).
    pub fn new(settings: Arc<Settings>, parts: &Parts, session: Session) -> Self {
        Request::with_cookies(settings, parts, OnceLock::new(), session)
    }

    /// The request whose head this is, with the session that its cookie names.
    pub(crate) fn open(settings: Arc<Settings>, parts: &Parts, engine: &SessionEngine) -> Self {
        let cookies = cookies_of(&parts.headers);
        let session = engine.open(cookies.get(&settings.session_cookie_name));
        Request::with_cookies(settings, parts, cookies.into(), session)
    }

    fn with_cookies(
        settings: Arc<Settings>,
        parts: &Parts,
        cookies: OnceLock<Cookies>,
        session: Session,
    ) -> Self {
        let original = parts.extensions.get::<OriginalUri>();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Request(Arc::new(Inner {
            settings,
            method: parts.method.clone(),
            uri: original.map_or(&parts.uri, |OriginalUri(uri)| uri).clone(),
            headers: parts.headers.clone(),
            peer: peer.map(|ConnectInfo(address)| *address),
            cookies,
            session,
            csrf: CsrfState::default(),
            user: UserSlot::default(),
            language: OnceLock::new(),
        }))
    }

    /// A request that no client sent, for work outside of a server and for tests.
    pub fn detached(settings: Arc<Settings>, session: Session) -> Self {
        let (parts, ()) = HttpRequest::default().into_parts();
        Request::new(settings, &parts, session)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The headers, as they came.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The language of the client, as [`crate::i18n`] says. The response then says that it depends on it.
    pub fn language(&self) -> Language {
        *self.0.language.get_or_init(|| self.negotiated_language())
    }

    fn negotiated_language(&self) -> Language {
        let settings = self.settings();
        if !settings.use_accept_language {
            return Language::configured(settings);
        }
        let cookie = self.cookies().get(&settings.language_cookie_name);
        let header = self.header(ACCEPT_LANGUAGE).unwrap_or_default();
        negotiate(cookie, &header, settings)
    }

    /// The language, where what the client sent has decided it.
    pub(crate) fn language_of_response(&self) -> Option<Language> {
        let language = self.0.language.get().copied();
        language.filter(|_| self.settings().use_accept_language)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.0.session
    }

    /// The CSRF secret: its token, and its rotation.
    pub fn csrf(&self) -> &CsrfState {
        &self.0.csrf
    }

    /// The address at the other end of the connection, which may be a proxy's.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.0.peer
    }

    /// The client's address: the peer's, or what `TRUSTED_PROXIES` say in `X-Forwarded-For`: the last
    /// address in it that is not itself a trusted proxy's.
    pub fn client_address(&self) -> Option<IpAddr> {
        let peer = self.0.peer?.ip().to_canonical();
        let trusted = |address| self.settings().is_trusted_proxy(address);
        let Some(forwarded) = self.header("x-forwarded-for").filter(|_| trusted(peer)) else {
            return Some(peer);
        };
        let mut client = peer;
        for hop in forwarded.rsplit(',') {
            let Ok(address) = strip(hop).parse::<IpAddr>() else {
                break;
            };
            client = address.to_canonical();
            if !trusted(client) {
                break;
            }
        }
        Some(client)
    }

    /// The path without the query, percent-decoded (`request.path`). Bytes that are not UTF-8 stay
    /// encoded.
    pub fn path(&self) -> String {
        decode_path(self.0.uri.path())
    }

    /// The path and query, quoted (`request.get_full_path()`).
    pub fn get_full_path(&self) -> String {
        let path = escape_uri_path(&self.path());
        match self.0.uri.query() {
            Some(query) if !query.is_empty() => format!("{path}?{}", iri_to_uri(query)),
            _ => path,
        }
    }

    /// The query as it came, without the `?`; empty if there is none.
    pub fn query_string(&self) -> &str {
        self.0.uri.query().unwrap_or("")
    }

    /// The address as the client sees it: scheme, host, path and query.
    ///
    /// # Errors
    /// [`DisallowedHost`].
    pub fn build_absolute_uri(&self) -> Result<String, DisallowedHost> {
        Ok(format!(
            "{}://{}{}",
            self.scheme(),
            self.get_host()?,
            self.get_full_path()
        ))
    }

    /// The cookies.
    pub fn cookies(&self) -> &Cookies {
        self.0.cookies.get_or_init(|| cookies_of(&self.0.headers))
    }

    /// The value of a header; several of one name are joined with commas. Bytes that are not UTF-8 are
    /// replaced.
    ///
    /// Names are compared as they came: an underscore is not a hyphen (CVE-2015-0219).
    pub fn header(&self, name: impl AsHeaderName) -> Option<Cow<'_, str>> {
        let mut values = self.0.headers.get_all(name).iter();
        let first = String::from_utf8_lossy(values.next()?.as_bytes());
        Some(values.fold(first, |all, value| {
            Cow::Owned(format!(
                "{all},{}",
                String::from_utf8_lossy(value.as_bytes())
            ))
        }))
    }

    /// `https` or `http`: what `SECURE_PROXY_SSL_HEADER` says where that header came from one of
    /// `TRUSTED_PROXIES`, otherwise `http`, because the connection itself is never encrypted here.
    pub fn scheme(&self) -> &'static str {
        let https = self
            .settings()
            .secure_proxy_ssl_header
            .as_ref()
            .is_some_and(|(name, https)| {
                let value = meta_header(name).and_then(|name| self.forwarded(name));
                value.is_some_and(|value| strip(value.split(',').next().unwrap_or("")) == https)
            });
        if https { "https" } else { "http" }
    }

    /// Whether the client's connection is encrypted.
    pub fn is_secure(&self) -> bool {
        self.scheme() == "https"
    }

    /// The host with its port as the client asked for it, when it is one of `ALLOWED_HOSTS`
    /// (`request.get_host()`). An empty list stands for the loopback names; in Django only under
    /// `DEBUG`, and otherwise for no host at all.
    ///
    /// # Errors
    /// [`DisallowedHost`], also when the request names no host.
    pub fn get_host(&self) -> Result<Cow<'_, str>, DisallowedHost> {
        let host = self.raw_host().ok_or(DisallowedHost)?;
        let (domain, _) = split_domain_port(&host).ok_or(DisallowedHost)?;
        let allowed = &self.settings().allowed_hosts;
        let valid = if allowed.is_empty() {
            validate_host(&domain, &[".localhost", "127.0.0.1", "[::1]"])
        } else {
            validate_host(&domain, allowed)
        };
        if valid { Ok(host) } else { Err(DisallowedHost) }
    }

    /// The port as text: `X-Forwarded-Port` under `USE_X_FORWARDED_PORT`, otherwise the port in the
    /// host, otherwise the scheme's. (Django takes the port of the listening socket for the second.)
    pub fn get_port(&self) -> String {
        let forwarded = self
            .settings()
            .use_x_forwarded_port
            .then(|| self.forwarded("x-forwarded-port"));
        if let Some(port) = forwarded.flatten() {
            return port.into_owned();
        }
        let port = self
            .raw_host()
            .and_then(|host| Some(split_domain_port(&host)?.1));
        let default = if self.is_secure() { "443" } else { "80" };
        port.filter(|port| !port.is_empty())
            .unwrap_or_else(|| default.to_owned())
    }

    fn raw_host(&self) -> Option<Cow<'_, str>> {
        if self.settings().use_x_forwarded_host
            && let Some(host) = self.forwarded("x-forwarded-host")
        {
            return Some(host);
        }
        let authority = || {
            self.0
                .uri
                .authority()
                .map(|authority| authority.as_str().into())
        };
        self.header(HOST).or_else(authority)
    }

    /// Whether the other end of the connection is one of `TRUSTED_PROXIES`: the only ones whose word
    /// about the client is taken. Where no address is known (a server that offers no `ConnectInfo`)
    /// the answer is no.
    pub fn is_from_trusted_proxy(&self) -> bool {
        self.0
            .peer
            .is_some_and(|peer| self.settings().is_trusted_proxy(peer.ip()))
    }

    /// A header that only a proxy may set: of [trusted proxies](Self::is_from_trusted_proxy) alone.
    /// (Django believes everybody.)
    pub(crate) fn forwarded(&self, name: impl AsHeaderName) -> Option<Cow<'_, str>> {
        self.header(name).filter(|_| self.is_from_trusted_proxy())
    }

    /// `request.user` where it is known already: `Some(None)` is nobody. `None` also when it is of
    /// another type.
    pub fn cached_user<U: Send + Sync + 'static>(&self) -> Option<Option<Arc<U>>> {
        match self.0.user.user.lock().clone()? {
            None => Some(None),
            Some(user) => user.downcast().ok().map(Some),
        }
    }

    /// Replaces `request.user`, as `login` and `logout` do.
    pub fn set_user<U: Send + Sync + 'static>(&self, user: Option<Arc<U>>) {
        *self.0.user.user.lock() = Some(user.map(|user| user as Arc<dyn Any + Send + Sync>));
    }

    /// `request.user`: what is known, or what `load` finds, which is then known. Concurrent callers
    /// load once; a failed load is tried again by the next caller; a user that was set meanwhile wins.
    ///
    /// # Errors
    /// Those of `load`.
    pub(crate) async fn user_or_load<U: Send + Sync + 'static, E>(
        &self,
        load: impl Future<Output = Result<Option<Arc<U>>, E>>,
    ) -> Result<Option<Arc<U>>, E> {
        if let Some(user) = self.cached_user() {
            return Ok(user);
        }
        let _loading = self.0.user.loading.lock().await;
        if let Some(user) = self.cached_user() {
            return Ok(user);
        }
        let user = load.await?;
        let mut slot = self.0.user.user.lock();
        if slot.is_none() {
            *slot = Some(user.clone().map(|user| user as Arc<dyn Any + Send + Sync>));
        }
        drop(slot);
        Ok(self.cached_user().unwrap_or(user))
    }
}

/// Shows no header, cookie or session: they hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &clipped(self.0.method.as_str()))
            .field("path", &without_tokens(clipped(self.0.uri.path())))
            .field("peer", &self.0.peer)
            .finish_non_exhaustive()
    }
}

/// What is shown of a text from the client, which may be as long as it likes.
fn clipped(text: &str) -> &str {
    let end = text.floor_char_boundary(512);
    &text[..end]
}

/// The cookies in the headers of a request; several headers count as one.
fn cookies_of(headers: &HeaderMap) -> Cookies {
    cookie_header(headers).map_or_else(Cookies::default, |header| parse_cookie(&header))
}

/// The one of [`cookies_of`] that has this name.
pub(crate) fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<Cow<'h, str>> {
    match cookie_header(headers)? {
        Cow::Borrowed(header) => find_cookie(header, name),
        Cow::Owned(header) => find_cookie(&header, name).map(|value| value.into_owned().into()),
    }
}

fn cookie_header(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let values = headers.get_all(COOKIE).iter();
    // Nearly always it is UTF-8, which is known sooner than what is not.
    let mut values = values.map(|value| match std::str::from_utf8(value.as_bytes()) {
        Ok(value) => Cow::Borrowed(value),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    });
    let (one, two) = (values.next()?, values.next());
    let Some(two) = two else {
        return Some(one);
    };
    let all = [one, two].into_iter().chain(values);
    Some(all.collect::<Vec<_>>().join("; ").into())
}

/// The header that Django knows by a name of CGI: `HTTP_X_CSRFTOKEN` is `X-CSRFToken`.
pub(crate) fn meta_header(name: &str) -> Option<HeaderName> {
    let name = name.strip_prefix("HTTP_").unwrap_or(name);
    name.replace('_', "-").to_ascii_lowercase().parse().ok()
}

fn decode_path(path: &str) -> String {
    let bytes = percent_decode(path.as_bytes());
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.push_str(&quote_bytes(chunk.invalid(), ""));
    }
    decoded
}

#[cfg(test)]
mod tests;
