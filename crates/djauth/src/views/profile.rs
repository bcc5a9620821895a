use minijinja::context;

use super::page::View;
use super::{Outcome, Page, PageRequest};
use crate::base_user::BaseUser;
use crate::{Auth, Error};

/// Says who is logged in, with links to change the password and a button to log out, or a link to log
/// in. Django has no such page; here it stands at `/` and at the default `LOGIN_REDIRECT_URL`, so that
/// a login leads somewhere.
pub(crate) struct Landing;

impl<U: BaseUser> View<U> for Landing {
    const NEVER_CACHE: bool = true;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        if let Some(outcome) = request.unless_read() {
            return Ok(outcome);
        }
        let login_url = &auth.settings().login_url;
        let values = context! {
            login_url,
            logout_url => sibling(login_url, "logout/"),
            password_change_url => sibling(login_url, "password_change/"),
            // Where `account_urls` of djauth-admin has brought the page along.
            sessions_url => auth
                .templates()
                .first_of(&["account/sessions.html"])
                .map(|_| sibling(login_url, "sessions/")),
        };
        Ok(Outcome::Page(Page::new(
            "registration/profile.html",
            values,
        )))
    }
}

/// A page beside the login page, as `auth.urls()` mounts them.
fn sibling(login_url: &str, page: &str) -> String {
    let folder = login_url
        .strip_suffix("login/")
        .filter(|folder| folder.ends_with('/'));
    format!("{}{page}", folder.unwrap_or("/accounts/"))
}
