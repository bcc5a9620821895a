//! Who may enter a route, as route layers: `django.contrib.auth.decorators`.
//!
//! Put them on the method router: `get(report).route_layer(login_required())`. (On a whole `Router` a
//! route layer protects every route that was added before it.)

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract;
use axum::response::{IntoResponse, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::base_user::BaseUser;
use crate::http::Request;
use crate::middleware::Installed;
use crate::mixins::{Refusal, Rejection, is_permission_name, login_options};

type Decision<'a> = Pin<Box<dyn Future<Output = Result<bool, Rejection>> + Send + 'a>>;

/// Lets in whoever is logged in; others are sent to the login page.
pub fn login_required() -> Guard<LoggedIn> {
    Guard::new(LoggedIn)
}

/// Lets in whoever has the permission, or every one of several. Others are sent to the login page,
/// also when they are logged in, as in Django; with [`Guard::raise_exception`] they get 403.
///
/// # Panics
/// When a name is not `app_label.codename`.
pub fn permission_required(perms: impl IntoPermissions) -> Guard<HasPermissions> {
    let perms = perms.into_permissions();
    for perm in &perms {
        assert!(
            is_permission_name(perm),
            "{perm:?} is no permission: write app_label.codename"
        );
    }
    Guard::new(HasPermissions(perms.into()))
}

/// Lets in whoever passes the test; others are sent to the login page. The test is asked about nobody
/// (`None`) too. An error is no "no": it is answered with 503 or 500.
///
/// ```
/// # use std::sync::Arc;
/// # use axum::{Router, routing::get};
/// use djauth::{User, decorators::user_passes_test};
///
/// let adults = user_passes_test(|user: Option<Arc<User>>| async move {
///     Ok(user.is_some_and(|user| user.email.ends_with("@example.com")))
/// });
/// # let _: Router =
/// Router::new().route("/club", get(async || "welcome").route_layer(adults));
/// ```
pub fn user_passes_test<U, T, F>(test: T) -> Guard<UserPasses<U, T>>
where
    U: BaseUser,
    T: Fn(Option<Arc<U>>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<bool, crate::Error>> + Send,
{
    Guard::new(UserPasses(test, PhantomData))
}

/// One permission or several.
pub trait IntoPermissions {
    /// The names.
    fn into_permissions(self) -> Vec<String>;
}

impl IntoPermissions for &str {
    fn into_permissions(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl IntoPermissions for String {
    fn into_permissions(self) -> Vec<String> {
        vec![self]
    }
}

impl<S: Into<String>, const N: usize> IntoPermissions for [S; N] {
    fn into_permissions(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Into<String>> IntoPermissions for Vec<S> {
    fn into_permissions(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

/// A question about the user of a request.
pub trait Test: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn passes<'a>(&'a self, installed: &'a InstalledAuth, request: &'a Request) -> Decision<'a>;
}

#[doc(hidden)]
#[derive(Clone)]
pub struct InstalledAuth(Installed);

impl std::fmt::Debug for InstalledAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstalledAuth")
    }
}

/// The test of [`login_required`].
#[derive(Clone, Copy, Debug)]
pub struct LoggedIn;

impl Test for LoggedIn {
    fn passes<'a>(&'a self, installed: &'a InstalledAuth, request: &'a Request) -> Decision<'a> {
        Box::pin(async { Ok(installed.0.is_authenticated(request).await?) })
    }
}

/// The test of [`permission_required`].
#[derive(Clone, Debug)]
pub struct HasPermissions(Arc<[String]>);

impl Test for HasPermissions {
    fn passes<'a>(&'a self, installed: &'a InstalledAuth, request: &'a Request) -> Decision<'a> {
        Box::pin(async { Ok(installed.0.has_perms(request, &self.0).await?) })
    }
}

/// The test of [`user_passes_test`].
pub struct UserPasses<U, T>(T, PhantomData<fn(U)>);

impl<U, T: Clone> Clone for UserPasses<U, T> {
    fn clone(&self) -> Self {
        UserPasses(self.0.clone(), PhantomData)
    }
}

impl<U, T> std::fmt::Debug for UserPasses<U, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserPasses")
    }
}

impl<U, T, F> Test for UserPasses<U, T>
where
    U: BaseUser,
    T: Fn(Option<Arc<U>>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<bool, crate::Error>> + Send,
{
    fn passes<'a>(&'a self, installed: &'a InstalledAuth, request: &'a Request) -> Decision<'a> {
        Box::pin(async {
            let user = installed.0.auth::<U>()?.user(request).await?;
            Ok((self.0)(user).await?)
        })
    }
}

/// A route layer that lets in whoever passes a test.
#[derive(Clone, Debug)]
pub struct Guard<T> {
    test: T,
    refusal: Refusal,
    raise_exception: bool,
}

impl<T> Guard<T> {
    fn new(test: T) -> Self {
        Guard {
            test,
            refusal: Refusal::default(),
            raise_exception: false,
        }
    }

    login_options!();

    /// Answers 403 instead of a redirect, also to those who are not logged in.
    #[must_use]
    pub fn raise_exception(mut self) -> Self {
        self.raise_exception = true;
        self
    }

    /// What the page for 403 says, instead of a text of ours.
    #[must_use]
    pub fn permission_denied_message(mut self, message: &'static str) -> Self {
        self.refusal.permission_denied_message = Some(message);
        self
    }

    /// Clients that want JSON ([`Request::wants_json`]) get 401 in place of a redirect, and 401 and 403
    /// with a small body: `{"error": {"code": "not_authenticated", "message": "…", "login_url": "…"}}`.
    /// [`AuthLayer::json_refusals`](crate::AuthLayer::json_refusals) does it for all.
    #[must_use]
    pub fn json(mut self) -> Self {
        self.refusal.json = true;
        self
    }
}

impl<T: Test> Guard<T> {
    /// Whether the request may go on; the answer if not.
    async fn admit(&self, request: extract::Request) -> Result<extract::Request, Rejection> {
        let (parts, body) = request.into_parts();
        let (installed, handle) = Installed::of(&parts, "a route layer of djauth::decorators")?;
        if self
            .test
            .passes(&InstalledAuth(installed.clone()), handle)
            .await?
        {
            return Ok(extract::Request::from_parts(parts, body));
        }
        let refusal = self.refusal.clone().in_request(&parts);
        if self.raise_exception {
            return Err(refusal.denied(handle));
        }
        Err(refusal.login(handle))
    }
}

impl<S, T: Clone> Layer<S> for Guard<T> {
    type Service = Guarded<S, T>;

    fn layer(&self, inner: S) -> Guarded<S, T> {
        Guarded {
            inner,
            guard: self.clone(),
        }
    }
}

/// A service behind a [`Guard`].
#[derive(Clone, Debug)]
pub struct Guarded<S, T> {
    inner: S,
    guard: Guard<T>,
}

impl<S, T> Service<extract::Request> for Guarded<S, T>
where
    S: Service<extract::Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    T: Test,
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
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let guard = self.guard.clone();
        Box::pin(async move {
            match guard.admit(request).await {
                Ok(request) => inner.call(request).await,
                Err(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}
