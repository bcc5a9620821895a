//! The layer: sessions, CSRF protection and authentication in Django's order, with its headers.
//!
//! | Django's middleware | here |
//! |---|---|
//! | `SecurityMiddleware`, `CommonMiddleware` (host check, `Content-Length`), `XFrameOptionsMiddleware` | the headers of every response |
//! | `SessionMiddleware` | [`Request::session`], saved after the handler |
//! | `CsrfViewMiddleware` | [`crate::csrf`], before the handler |
//! | `AuthenticationMiddleware` | [`Auth::user`], asked for lazily |
//! | `RemoteUserMiddleware`, `PersistentRemoteUserMiddleware` | [`RemoteUserMiddleware`], where it is switched on |
//!
//! A request that asks neither for its user nor for its session costs no query and gets no
//! `Vary: Cookie`.

mod append_slash;
mod csrf;
mod installed;
mod login_required;
mod remote_user;
mod response;
mod security;
mod target;

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use futures_util::FutureExt;
use tower_layer::Layer;
use tower_service::Service;

pub use append_slash::redirect_with_slash;
pub(crate) use installed::Installed;
pub use login_required::LoginRequiredMiddleware;
pub use remote_user::RemoteUserMiddleware;
pub(crate) use response::failure;

use crate::base_user::BaseUser;
use crate::http::{ErrorPage, Request, use_own_page};
use crate::mixins::JsonRefusals;
use crate::models::User;
use crate::settings::Settings;
use crate::{Auth, Error};
use csrf::CsrfCheck;
use security::SecurityHeaders;

impl<U: BaseUser> Auth<U> {
    /// The layer that gives every request its session, CSRF protection and user. Add it after the
    /// routes: `Router::new().route(…).layer(auth.layer())`.
    pub fn layer(&self) -> AuthLayer<U> {
        AuthLayer::new(self)
    }
}

/// The layer of [`Auth::layer`].
///
/// Every request that it sees must name one of `ALLOWED_HOSTS`, and every unsafe one must bring its
/// CSRF token, also one that no route matches (where Django answers 404 first).
pub struct AuthLayer<U: BaseUser = User>(Arc<Inner<U>>);

struct Inner<U: BaseUser> {
    auth: Auth<U>,
    settings: Arc<Settings>,
    installed: Installed,
    security: SecurityHeaders,
    csrf: CsrfCheck,
    remote_user: Option<RemoteUserMiddleware>,
    login_required: Option<LoginRequiredMiddleware>,
    json_refusals: bool,
}

impl<U: BaseUser> AuthLayer<U> {
    fn new(auth: &Auth<U>) -> Self {
        let settings = auth.settings();
        AuthLayer(Arc::new(Inner {
            auth: auth.clone(),
            settings: settings.clone(),
            installed: Installed::new(auth.clone()),
            security: SecurityHeaders::new(settings),
            csrf: CsrfCheck::new(settings),
            remote_user: RemoteUserMiddleware::of(settings),
            login_required: None,
            json_refusals: false,
        }))
    }

    /// Lets unsafe requests to one path through without a CSRF token (`csrf_exempt`): for clients that
    /// are no browsers and prove themselves in another way. The path is a whole path as
    /// clients send it, never decoded, or a route as it was given to the router (`/hooks/{id}`).
    #[must_use]
    pub fn csrf_exempt(self, path: impl Into<String>) -> Self {
        self.changed(|inner| inner.csrf.exempt(path.into()))
    }

    /// Logs in whom the server in front names in a header, as the setting `REMOTE_USER_HEADER` does. A
    /// [`RemoteUserBackend`](crate::backends::RemoteUserBackend) must be among the backends, and the
    /// server in front among `TRUSTED_PROXIES`.
    #[must_use]
    pub fn remote_user(self, middleware: RemoteUserMiddleware) -> Self {
        self.changed(|inner| inner.remote_user = Some(middleware))
    }

    /// Lets only those in who are logged in, except on routes that are marked otherwise.
    #[must_use]
    pub fn login_required(self, middleware: LoginRequiredMiddleware) -> Self {
        self.changed(|inner| inner.login_required = Some(middleware))
    }

    /// Every refusal of a route layer or extractor is JSON for clients that want it
    /// ([`Request::wants_json`]): 401 in place of a redirect to the login page, 403 with a small body.
    #[must_use]
    pub fn json_refusals(self) -> Self {
        self.changed(|inner| inner.json_refusals = true)
    }

    fn changed(self, change: impl FnOnce(&mut Inner<U>)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        AuthLayer(Arc::new(inner))
    }
}

impl<U: BaseUser> Clone for Inner<U> {
    fn clone(&self) -> Self {
        Self {
            auth: self.auth.clone(),
            settings: self.settings.clone(),
            installed: self.installed.clone(),
            security: self.security.clone(),
            csrf: self.csrf.clone(),
            remote_user: self.remote_user.clone(),
            login_required: self.login_required.clone(),
            json_refusals: self.json_refusals,
        }
    }
}

impl<U: BaseUser> Clone for AuthLayer<U> {
    fn clone(&self) -> Self {
        AuthLayer(self.0.clone())
    }
}

impl<U: BaseUser> fmt::Debug for AuthLayer<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuthLayer").field(&self.0.auth).finish()
    }
}

impl<S, U: BaseUser> Layer<S> for AuthLayer<U> {
    type Service = AuthService<S, U>;

    fn layer(&self, inner: S) -> AuthService<S, U> {
        AuthService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service inside an [`AuthLayer`].
#[derive(Clone, Debug)]
pub struct AuthService<S, U: BaseUser = User> {
    inner: S,
    layer: AuthLayer<U>,
}

impl<S, U: BaseUser> Service<extract::Request> for AuthService<S, U>
where
    S: Service<extract::Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: extract::Request) -> Self::Future {
        // The clone may not be ready; the one that was polled is.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move { layer.0.serve(inner, request).await })
    }
}

impl<U: BaseUser> Inner<U> {
    async fn serve<S>(&self, inner: S, request: extract::Request) -> Result<Response, S::Error>
    where
        S: Service<extract::Request, Response = Response>,
    {
        let (parts, body) = request.into_parts();
        let handle = Request::open(self.settings.clone(), &parts, self.auth.sessions());
        let request = extract::Request::from_parts(parts, body);
        let mut response = match self.security.ssl_redirect(&handle) {
            Some(redirect) => redirect,
            None => {
                let response = self.within_session(inner, &handle, request).await?;
                self.end_session(&handle, response).await
            }
        };
        // What failed on the way out: without the request's session and token, which are closed.
        use_own_page(self.auth.templates(), &handle, None, &mut response);
        response::language(&handle, response.headers_mut());
        self.security.finish(&handle, response.headers_mut());
        Ok(response)
    }

    /// What happens inside Django's session middleware.
    async fn within_session<S>(
        &self,
        inner: S,
        handle: &Request,
        request: extract::Request,
    ) -> Result<Response, S::Error>
    where
        S: Service<extract::Request, Response = Response>,
    {
        if handle.get_host().is_err() {
            return Ok(response::bad_host(handle));
        }
        let (mut parts, body) = request.into_parts();
        let answer = match self.admitted(handle, &parts, body).await {
            Ok(body) => {
                parts.extensions.insert(self.installed.clone());
                parts.extensions.insert(handle.session().clone());
                parts.extensions.insert(handle.clone());
                if self.json_refusals {
                    parts.extensions.insert(JsonRefusals);
                }
                call(inner, handle, extract::Request::from_parts(parts, body)).await?
            }
            Err(answer) => *answer,
        };
        let mut answer = answer;
        use_own_page(self.auth.templates(), handle, Some(handle), &mut answer);
        self.security.frame_options(answer.headers_mut());
        let now = self.auth.now();
        match crate::csrf::process_response(handle, answer.headers_mut(), now).await {
            Ok(()) => response::set_content_length(handle, &mut answer),
            Err(error) => answer = failure(&Error::from(error)),
        }
        Ok(answer)
    }

    /// Whether the request may go on to the handler: its CSRF check first, then the login of a remote
    /// user, then whether somebody must be logged in. Answers the body to hand on, which the check may
    /// have read for the token, or the response in the handler's place. The check comes before the login,
    /// whose new CSRF secret is for the response: this request's token belongs to the secret it brought.
    async fn admitted(
        &self,
        handle: &Request,
        parts: &Parts,
        body: Body,
    ) -> Result<Body, Box<Response>> {
        let body = self.csrf.check(handle, parts, body).await?;
        if let Some(remote_user) = &self.remote_user {
            let done = remote_user.process_request(&self.auth, handle).await;
            done.map_err(|error| Box::new(failure(&error)))?;
        }
        if let Some(login_required) = &self.login_required {
            let json = self.json_refusals;
            login_required
                .process_view(&self.auth, handle, parts, json)
                .await?;
        }
        Ok(body)
    }

    /// Saves the session and sends its cookie; a session that cannot be saved is the answer then.
    async fn end_session(&self, handle: &Request, mut answer: Response) -> Response {
        let name = &self.settings.session_cookie_name;
        let had_cookie = handle.cookies().contains(name);
        let status = answer.status().as_u16();
        match djauth_sessions::process_response(handle.session(), had_cookie, status).await {
            Ok(outcome) => {
                response::session_cookie(&self.settings, outcome, answer.headers_mut());
                answer
            }
            Err(error) => failure(&Error::from(error)),
        }
    }
}

/// Calls the handler; its panic is a 500, and the session is not saved.
async fn call<S>(
    mut inner: S,
    handle: &Request,
    request: extract::Request,
) -> Result<Response, S::Error>
where
    S: Service<extract::Request, Response = Response>,
{
    let answer = async move { inner.call(request).await };
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(target: "django.request", request = ?handle, "a handler panicked");
            Ok(ErrorPage::of(StatusCode::INTERNAL_SERVER_ERROR).response())
        }
    }
}
