//! `LoginRequiredMixin`.

use std::fmt;
use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;

use super::{CurrentUser, MaybeUser, Refusal, Rejection};
use crate::base_user::BaseUser;
use crate::models::User;

/// Lets in whoever is logged in; others are sent to the login page and come back.
/// `Option<LoginRequired>` lets everybody in.
#[derive(Clone, Debug)]
pub struct LoginRequired<U: BaseUser = User>(pub CurrentUser<U>);

impl<U: BaseUser> Deref for LoginRequired<U> {
    type Target = CurrentUser<U>;

    fn deref(&self) -> &CurrentUser<U> {
        &self.0
    }
}

impl<U: BaseUser> fmt::Display for LoginRequired<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S: Sync, U: BaseUser> FromRequestParts<S> for LoginRequired<U> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let maybe = MaybeUser::of(parts, "LoginRequired")?;
        let user = maybe.get().await?;
        user.map(LoginRequired)
            .ok_or_else(|| Refusal::of(parts).login(maybe.request()))
    }
}

impl<S: Sync, U: BaseUser> OptionalFromRequestParts<S> for LoginRequired<U> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        let user = MaybeUser::of(parts, "LoginRequired")?.get().await?;
        Ok(user.map(LoginRequired))
    }
}
