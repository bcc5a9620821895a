use axum::body::Body;
use axum::http::{Method, Response};
use minijinja::context;

use super::{PageRequest, allow};
use crate::base_user::BaseUser;
use crate::{Auth, Error};

/// Says who is logged in, with a button to log out or a link to log in. Django has no such page;
/// here it stands at `/` and at the default `LOGIN_REDIRECT_URL`, so that a login leads somewhere.
pub(super) async fn dispatch<U: BaseUser>(
    auth: &Auth<U>,
    request: &PageRequest,
) -> Result<Response<Body>, Error> {
    if !matches!(*request.handle.method(), Method::GET | Method::HEAD) {
        return Ok(allow(&request.handle, "GET, HEAD, OPTIONS"));
    }
    let user = auth.user(&request.handle).await?;
    let user = user.map(|user| context! { username => user.get_username() });
    let login_url = &auth.settings().login_url;
    let logout_url = logout_url(login_url);
    let values = context! { user, login_url, logout_url };
    auth.templates()
        .page(&request.handle, "registration/profile.html", values)
}

/// The sibling of the login page, as `auth.urls()` mounts them.
fn logout_url(login_url: &str) -> String {
    let folder = login_url
        .strip_suffix("login/")
        .filter(|folder| folder.ends_with('/'));
    format!("{}logout/", folder.unwrap_or("/accounts/"))
}
