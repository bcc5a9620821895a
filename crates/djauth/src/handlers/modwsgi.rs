//! Name and password, and groups, for a server that asks for them itself:
//! `django/contrib/auth/handlers/modwsgi.py`.
//!
//! There the two functions are called by Apache's `mod_wsgi`. Here programs call them: `djauth
//! checkpassword` and `djauth groupsforuser` are they, in the form that Apache's `mod_authnz_external`
//! speaks. The server's environment is no parameter, because nothing is read from it.

use crate::base_user::BaseUser;
use crate::{Auth, Error};

/// Whether this is the user's password: `Some(true)`, `Some(false)`, or `None` for somebody who does not
/// exist or may not log in. All of them take the same time, and whoever passes the answer on should not
/// tell the last two apart. Wrong ones count against the username, as in [`Auth::authenticate`].
///
/// # Errors
/// `TooManyAttempts`, and as [`Auth::check_password`]: nothing is known.
pub async fn check_password<U: BaseUser>(
    auth: &Auth<U>,
    username: &str,
    password: &str,
) -> Result<Option<bool>, Error> {
    let limit = auth.login_rate_limit();
    let attempt = limit.count(None, Some(username)).await?;
    let answer = check(auth, username, password).await;
    if !matches!(answer, Ok(None | Some(false))) {
        attempt.take_back().await;
    }
    answer
}

async fn check<U: BaseUser>(
    auth: &Auth<U>,
    username: &str,
    password: &str,
) -> Result<Option<bool>, Error> {
    let limit = auth.login_rate_limit();
    let user = active_user(auth, username).await?;
    let user = user.filter(|user| limit.counts_together(username, &user.get_username()));
    let known = user.is_some();
    let user = auth
        .check_password_with_timing_attack_mitigation(user, password)
        .await?;
    Ok(known.then_some(user.is_some()))
}

/// The names of the user's groups; none for somebody who does not exist or may not log in.
///
/// # Errors
/// The database's; `ImproperlyConfigured` where the user model has no groups.
pub async fn groups_for_user<U: BaseUser>(
    auth: &Auth<U>,
    username: &str,
) -> Result<Vec<String>, Error> {
    let Some(user) = active_user(auth, username).await? else {
        return Ok(Vec::new());
    };
    let groups = auth.users().groups(&user)?.all().await?;
    Ok(groups.into_iter().map(|group| group.name).collect())
}

async fn active_user<U: BaseUser>(auth: &Auth<U>, username: &str) -> Result<Option<U>, Error> {
    let user = auth.users().get_by_natural_key(username).await?;
    Ok(user.filter(BaseUser::is_active))
}
