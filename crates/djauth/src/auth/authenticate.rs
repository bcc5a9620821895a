//! `authenticate`: who do these credentials belong to?

use std::net::IpAddr;

use super::Auth;
use crate::Error;
use crate::backends::{BackendError, Context, Credentials};
use crate::base_user::BaseUser;
use crate::hashing::Client;
use crate::http::Request;
use crate::rate_limit::Attempt;
use crate::signals::UserLoginFailed;

/// What a web server in front says about somebody: no guess, so it is not counted.
const REMOTE_USER: &str = "remote_user";

impl<U: BaseUser> Auth<U> {
    /// The user of these credentials, marked with the backend that knew them. Backends that do not take
    /// such credentials are skipped; `PermissionDenied` ends the search. For nobody the signal
    /// `user_login_failed` is sent, with cleansed credentials.
    ///
    /// Attempts are counted before anything is looked at; see [`rate_limit`](crate::rate_limit).
    ///
    /// # Errors
    /// `TooManyAttempts`: nothing was looked at. Otherwise a backend or a receiver failed: nothing is
    /// known about the credentials.
    pub fn authenticate<'a>(
        &'a self,
        request: Option<&'a Request>,
        credentials: &'a Credentials,
    ) -> impl Future<Output = Result<Option<U>, Error>> + Send {
        self.authenticate_in(Context::new(self, request), credentials)
    }

    /// The same where the context may know that only some users may enter: all others are nobody, before
    /// anything tells that their password was right.
    pub(crate) async fn authenticate_in(
        &self,
        context: Context<'_, U>,
        credentials: &Credentials,
    ) -> Result<Option<U>, Error> {
        let request = context.request;
        let attempt = self.count_attempt(request, credentials).await?;
        // While it waits for its hashes, it waits among those of its network.
        let (address, username) = self.client_of(request, credentials);
        let client = Client::new(address, username);
        let found = client.scope(self.first_user(context, credentials)).await;
        if !matches!(found, Ok(None)) {
            attempt.take_back().await;
        }
        if let Some(user) = found? {
            return Ok(Some(user));
        }
        let event = UserLoginFailed {
            credentials: credentials.cleansed(),
            request: request.cloned(),
        };
        self.signals().user_login_failed.send(event).await?;
        Ok(None)
    }

    async fn count_attempt(
        &self,
        request: Option<&Request>,
        credentials: &Credentials,
    ) -> Result<Attempt<'_>, Error> {
        let asserted = credentials.iter().all(|(name, _)| name == REMOTE_USER);
        if asserted {
            return self.login_rate_limit().count(None, None).await;
        }
        let (address, username) = self.client_of(request, credentials);
        if request.is_some() && address.is_none() {
            self.login_rate_limit().warn_of_unknown_peers();
        }
        self.login_rate_limit().count(address, username).await
    }

    fn client_of<'a>(
        &self,
        request: Option<&Request>,
        credentials: &'a Credentials,
    ) -> (Option<IpAddr>, Option<&'a str>) {
        let username = credentials.get("username");
        let username = username.or_else(|| credentials.get(&self.user_meta().username_field));
        (request.and_then(Request::client_address), username)
    }

    async fn first_user(
        &self,
        context: Context<'_, U>,
        credentials: &Credentials,
    ) -> Result<Option<U>, Error> {
        for backend in self.backends().iter().filter(|b| b.accepts(credentials)) {
            match backend.authenticate(context, credentials).await {
                Ok(found) => {
                    // A backend of an application need not have asked.
                    if let Some(mut user) = found.filter(|user| context.may_enter(user)) {
                        Self::mark_backend(&mut user, backend.path());
                        return Ok(Some(user));
                    }
                }
                Err(BackendError::PermissionDenied) => break,
                Err(BackendError::Failed(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}
