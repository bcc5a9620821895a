//! `RemoteUserMiddleware` and `PersistentRemoteUserMiddleware`: `django/contrib/auth/middleware.py`.

use axum::http::HeaderName;

use crate::backends::{Credentials, DynBackend};
use crate::base_user::BaseUser;
use crate::http::{Request, meta_header};
use crate::settings::Settings;
use crate::{Auth, BACKEND_SESSION_KEY, Error};

/// What Apache's `RequestHeader set … %{REMOTE_USER}e` sends for nobody. It counts as no header, or all
/// visitors would be one user.
const NULL: &str = "(null)";

/// Logs in whom the server in front names in a header, through
/// [`RemoteUserBackend`](crate::backends::RemoteUserBackend). Switched on by the setting
/// `REMOTE_USER_HEADER`, or by [`AuthLayer::remote_user`](super::AuthLayer::remote_user).
///
/// The header counts only from `TRUSTED_PROXIES`; from others it is as if it were not there. Its bytes
/// are read as ISO-8859-1, as Django reads them. Several headers of the name, of which some may be the
/// client's, name nobody.
///
/// - The header is there and names who is logged in: nothing happens.
/// - It names another, or nobody (an empty value): whoever this backend has logged in is logged out with
///   the whole session, and the one whom it names is logged in.
/// - It is not there: whoever this backend has logged in is logged out, unless this is
///   [persistent](Self::persistent).
///
/// People who logged in with a password are not logged out by a missing header, but another name takes
/// their place.
#[derive(Clone, Debug)]
pub struct RemoteUserMiddleware {
    header: HeaderName,
    force_logout_if_no_header: bool,
}

impl RemoteUserMiddleware {
    /// Reads the header `Remote-User`, Django's `HTTP_REMOTE_USER`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            header: HeaderName::from_static("remote-user"),
            force_logout_if_no_header: true,
        }
    }

    /// Django's `PersistentRemoteUserMiddleware`: who has been logged in stays so without the header,
    /// for sites where the server in front authenticates at one address only.
    #[must_use]
    pub fn persistent() -> Self {
        Self::new().force_logout_if_no_header(false)
    }

    /// Reads another header.
    #[must_use]
    pub fn header(mut self, name: HeaderName) -> Self {
        self.header = name;
        self
    }

    /// Whether the one whom the header named is logged out when it is missing. On unless set.
    #[must_use]
    pub fn force_logout_if_no_header(mut self, force: bool) -> Self {
        self.force_logout_if_no_header = force;
        self
    }

    /// `REMOTE_USER_HEADER` and `REMOTE_USER_PERSISTENT`.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let header = meta_header(settings.remote_user_header.as_deref()?)?;
        let force = !settings.remote_user_persistent;
        Some(Self::new().header(header).force_logout_if_no_header(force))
    }

    pub(super) async fn process_request<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        request: &Request,
    ) -> Result<(), Error> {
        let Some(name) = self.username(request) else {
            if self.force_logout_if_no_header && auth.user(request).await?.is_some() {
                remove_invalid_user(auth, request).await?;
            }
            return Ok(());
        };
        if let Some(user) = auth.user(request).await? {
            let cleaned = cleaned(auth, request, &name).await?;
            if user.get_username() == cleaned.as_ref().unwrap_or(&name).as_str() {
                return Ok(());
            }
            remove_invalid_user(auth, request).await?;
        }
        let credentials = Credentials::new().with("remote_user", name);
        if let Some(user) = auth.authenticate(Some(request), &credentials).await? {
            auth.login(request, user, None).await?;
        }
        Ok(())
    }

    /// What the header says; `None`: it is not there, or comes from a stranger.
    fn username(&self, request: &Request) -> Option<String> {
        if !request.is_from_trusted_proxy() {
            return None;
        }
        let mut values = request.headers().get_all(&self.header).iter();
        let value = values.next()?;
        if values.next().is_some() {
            tracing::warn!(target: "djauth.remote_user", header = %self.header, "came more than once");
            return Some(String::new());
        }
        if value == NULL {
            return None;
        }
        Some(value.as_bytes().iter().copied().map(char::from).collect())
    }
}

impl Default for RemoteUserMiddleware {
    fn default() -> Self {
        Self::new()
    }
}

/// What the session's backend makes of the name; `None`: it is no backend of remote users.
async fn cleaned<U: BaseUser>(
    auth: &Auth<U>,
    request: &Request,
    name: &str,
) -> Result<Option<String>, Error> {
    let path = request.session().get_str(BACKEND_SESSION_KEY).await?;
    let backend = auth.backends().by_path(path.as_deref().unwrap_or_default());
    Ok(backend.and_then(|backend| DynBackend::clean_remote_user(backend, name)))
}

/// Logs out, if it was a backend of remote users that logged in, or one that is not known any more.
async fn remove_invalid_user<U: BaseUser>(auth: &Auth<U>, request: &Request) -> Result<(), Error> {
    let path = request.session().get_str(BACKEND_SESSION_KEY).await?;
    let backend = auth.backends().by_path(path.as_deref().unwrap_or_default());
    if backend.is_none_or(|backend| DynBackend::clean_remote_user(backend, "").is_some()) {
        auth.logout(request).await?;
    }
    Ok(())
}
