//! `authenticate`: who do these credentials belong to?

use super::Auth;
use crate::Error;
use crate::backends::{BackendError, Context, Credentials};
use crate::base_user::BaseUser;
use crate::http::Request;
use crate::signals::UserLoginFailed;

impl<U: BaseUser> Auth<U> {
    /// The user of these credentials, marked with the backend that knew them. Backends that do not take
    /// such credentials are skipped; `PermissionDenied` ends the search. For nobody the signal
    /// `user_login_failed` is sent, with cleansed credentials.
    ///
    /// # Errors
    /// A backend or a receiver failed: nothing is known about the credentials.
    pub async fn authenticate(
        &self,
        request: Option<&Request>,
        credentials: &Credentials,
    ) -> Result<Option<U>, Error> {
        if let Some(user) = self.first_user(request, credentials).await? {
            return Ok(Some(user));
        }
        let event = UserLoginFailed {
            credentials: credentials.cleansed(),
            request: request.cloned(),
        };
        self.signals().user_login_failed.send(event).await?;
        Ok(None)
    }

    async fn first_user(
        &self,
        request: Option<&Request>,
        credentials: &Credentials,
    ) -> Result<Option<U>, Error> {
        let context = Context {
            auth: self,
            request,
        };
        for backend in self.backends().iter().filter(|b| b.accepts(credentials)) {
            match backend.authenticate(context, credentials).await {
                Ok(None) => {}
                Ok(Some(mut user)) => {
                    Self::mark_backend(&mut user, backend.path());
                    return Ok(Some(user));
                }
                Err(BackendError::PermissionDenied) => break,
                Err(BackendError::Failed(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}
