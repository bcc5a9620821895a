//! `UserPassesTestMixin`.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{CurrentUser, MaybeUser, Refusal, Rejection};
use crate::Error;
use crate::base_user::BaseUser;
use crate::models::User;

/// A question about whoever asks: `test_func`.
///
/// ```
/// use djauth::mixins::{CurrentUser, TestFunc, UserPassesTest};
/// use djauth::Error;
///
/// struct Staff;
///
/// impl TestFunc for Staff {
///     async fn test_func(user: Option<&CurrentUser>) -> Result<bool, Error> {
///         Ok(user.is_some_and(|user| user.is_staff))
///     }
/// }
///
/// async fn numbers(_: UserPassesTest<Staff>) -> &'static str {
///     "for the staff"
/// }
/// ```
pub trait TestFunc<U: BaseUser = User>: Send + Sync + 'static {
    /// Whether the request may go on; asked about nobody (`None`) too. An error is no "no".
    ///
    /// # Errors
    /// The answer is unknown.
    fn test_func(user: Option<&CurrentUser<U>>)
    -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Lets in whoever passes the test `T`. Whoever is not logged in is sent to the login page; whoever is
/// logged in and does not pass gets 403. Nobody may pass too.
pub struct UserPassesTest<T, U: BaseUser = User>(pub Option<CurrentUser<U>>, PhantomData<T>);

impl<T, U: BaseUser> fmt::Debug for UserPassesTest<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UserPassesTest").field(&self.0).finish()
    }
}

impl<S: Sync, T: TestFunc<U>, U: BaseUser> FromRequestParts<S> for UserPassesTest<T, U> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let maybe = MaybeUser::<U>::of(parts, "UserPassesTest")?;
        let user = maybe.get().await?;
        if T::test_func(user.as_ref()).await? {
            return Ok(UserPassesTest(user, PhantomData));
        }
        let refusal = Refusal::of(parts);
        Err(match user {
            Some(_) => refusal.denied(maybe.request()),
            None => refusal.login(maybe.request()),
        })
    }
}
