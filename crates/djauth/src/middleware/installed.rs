//! What the layer leaves for extractors and route layers, whatever the user model.

use std::any::{Any, type_name};
use std::pin::Pin;
use std::sync::Arc;

use axum::http::request::Parts;

use crate::base_user::BaseUser;
use crate::http::Request;
use crate::mixins::Rejection;
use crate::{Auth, Error};

/// The [`Auth`] of the layer, without its user model.
#[derive(Clone)]
pub(crate) struct Installed(Arc<dyn ErasedAuth>);

type Answer<'a> = Pin<Box<dyn Future<Output = Result<bool, Error>> + Send + 'a>>;

trait ErasedAuth: Any + Send + Sync {
    fn user_model(&self) -> &'static str;
    fn is_authenticated<'a>(&'a self, request: &'a Request) -> Answer<'a>;
    fn has_perms<'a>(&'a self, request: &'a Request, perms: &'a [String]) -> Answer<'a>;
}

impl<U: BaseUser> ErasedAuth for Auth<U> {
    fn user_model(&self) -> &'static str {
        type_name::<U>()
    }

    fn is_authenticated<'a>(&'a self, request: &'a Request) -> Answer<'a> {
        Box::pin(async { Ok(self.user(request).await?.is_some()) })
    }

    fn has_perms<'a>(&'a self, request: &'a Request, perms: &'a [String]) -> Answer<'a> {
        Box::pin(async {
            match self.user(request).await? {
                Some(user) => Auth::has_perms(self, &user, perms, None).await,
                None => Ok(false),
            }
        })
    }
}

impl Installed {
    pub(super) fn new<U: BaseUser>(auth: Auth<U>) -> Self {
        Installed(Arc::new(auth))
    }

    /// What the layer left in this request.
    pub(crate) fn of<'a>(
        parts: &'a Parts,
        what: &'static str,
    ) -> Result<(&'a Self, &'a Request), Rejection> {
        let installed = parts.extensions.get::<Installed>();
        let request = parts.extensions.get::<Request>();
        installed
            .zip(request)
            .ok_or(Rejection::MissingLayer { what })
    }

    /// The typed form, for extractors that name the user model.
    pub(crate) fn auth<U: BaseUser>(&self) -> Result<Auth<U>, Rejection> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref::<Auth<U>>()
            .cloned()
            .ok_or_else(|| Rejection::WrongUser {
                asked: type_name::<U>(),
                have: self.0.user_model(),
            })
    }

    pub(crate) async fn is_authenticated(&self, request: &Request) -> Result<bool, Error> {
        self.0.is_authenticated(request).await
    }

    pub(crate) async fn has_perms(
        &self,
        request: &Request,
        perms: &[String],
    ) -> Result<bool, Error> {
        self.0.has_perms(request, perms).await
    }
}
