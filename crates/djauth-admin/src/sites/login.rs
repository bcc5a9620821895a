//! Login, logout and one's own password, by the views of `djauth`.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract;
use axum::http::{Method, Response};
use axum::routing::MethodRouter;
use djauth::forms::{AuthenticationForm, Steps, Text, ValidationError};
use djauth::http::{DATA_UPLOAD_MAX_NUMBER_FIELDS, QueryDict, url_has_allowed_host_and_scheme};
use djauth::views::{LoginView, LogoutView, PasswordChangeDoneView, PasswordChangeView};
use djauth::{BaseUser, REDIRECT_FIELD_NAME, Request};
use minijinja::{Value, context};
use tower::ServiceExt;

use super::actor::{has_permission, visitor};
use super::context::each_context;
use super::serve::{Site, redirect_response, secure};
use crate::messages::{Message, Messages};
use crate::model::{Actor, Made};
use crate::request::Route;

/// Only staff may log in here; mirrors `AdminAuthenticationForm`. A wrong password, an unknown name and
/// the right password of somebody else are refused in the same words, and in everything else alike.
struct StaffOnly;

impl<U: BaseUser> Steps<U> for StaffOnly {
    fn may_enter(&self, user: &U) -> bool {
        has_permission(user)
    }

    fn get_invalid_login_error(&self, _: &AuthenticationForm) -> ValidationError {
        ValidationError::keyed("invalid_login", "admin_site.invalid_login")
    }
}

/// The login page. Staff who are logged in are led on at once.
pub(super) fn login<'a, U: BaseUser>(
    site: &'a Site<U>,
    handle: &'a Request,
    request: extract::Request,
    messages: &'a Messages,
) -> Made<'a, Response<Body>> {
    Box::pin(async move {
        let user = visitor(&site.auth, handle).await?;
        let is_get = *handle.method() == Method::GET;
        if is_get && user.as_ref().is_some_and(|user| has_permission(&**user)) {
            let next = next(handle).unwrap_or_else(|| site.inner.info.url(&Route::Index));
            return Ok(redirect_response(&next));
        }
        let messages = shown(handle, messages).await?;
        let values = each_context(
            &site.inner,
            handle.language(),
            None,
            &messages,
            (&Route::Login, false),
        );
        let outsider = user.filter(|user| !has_permission(&**user));
        let visitor = outsider.map(|user| isolated(&user.get_username()));
        let page = login_page(site, context! { visitor, ..values });
        call(page, handle, &Route::Login, request).await
    })
}

/// A name within a sentence, which may be of another direction: between FSI and PDI.
fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}

fn login_page<U: BaseUser>(site: &Site<U>, values: Value) -> MethodRouter {
    let view = LoginView::new()
        .template_name("admin/login.html")
        .title(Text::Key("admin_site.login"))
        .extra_context(values)
        .steps(StaffOnly);
    site.auth.login_view(view)
}

/// Where the address asks to go, if that is a page of this site or of one that it may lead to.
fn next(handle: &Request) -> Option<String> {
    let query = handle.query_string().as_bytes();
    let query = QueryDict::parse(query, DATA_UPLOAD_MAX_NUMBER_FIELDS).ok()?;
    let next = query.get(REDIRECT_FIELD_NAME)?;
    let own = handle.get_host().ok()?;
    let guarded = handle.settings().forward_auth_hosts.iter();
    let hosts: Vec<&str> = guarded.map(String::as_str).chain([&*own]).collect();
    url_has_allowed_host_and_scheme(next, &hosts, handle.is_secure()).then(|| next.to_owned())
}

/// Logs out, by `POST` alone.
pub(super) fn logout<'a, U: BaseUser>(
    site: &'a Site<U>,
    handle: &'a Request,
    request: extract::Request,
) -> Made<'a, Response<Body>> {
    Box::pin(async move {
        let values = each_context(
            &site.inner,
            handle.language(),
            None,
            &[],
            (&Route::Logout, false),
        );
        let view = LogoutView::new()
            .template_name("admin/logged_out.html")
            .title(Text::Key("admin_site.logged_out"))
            .extra_context(values);
        call(site.auth.logout_view(view), handle, &Route::Logout, request).await
    })
}

/// One's own password, and the page that says that it was changed.
pub(super) fn password_change<'a, U: BaseUser>(
    site: &'a Site<U>,
    handle: &'a Request,
    request: extract::Request,
    route: &'a Route,
    actor: &'a Actor,
    messages: &'a Messages,
) -> Made<'a, Response<Body>> {
    Box::pin(async move {
        let messages = shown(handle, messages).await?;
        let language = handle.language();
        let values = each_context(
            &site.inner,
            language,
            Some(actor),
            &messages,
            (route, false),
        );
        let page = match route {
            Route::PasswordChange => site.auth.password_change_view(own_password(site, values)),
            _ => site.auth.password_change_done_view(
                PasswordChangeDoneView::new()
                    .template_name("admin/password_change_done.html")
                    .title(Text::Key("admin_site.password_changed"))
                    .extra_context(values),
            ),
        };
        call(page, handle, route, request).await
    })
}

fn own_password<U: BaseUser>(site: &Site<U>, values: Value) -> PasswordChangeView {
    PasswordChangeView::new()
        .template_name("admin/password_change_form.html")
        .title(Text::Key("admin_site.password_form"))
        .success_url(site.inner.info.url(&Route::PasswordChangeDone))
        .extra_context(values)
}

/// What may be shown on a page that is made elsewhere: a form that is sent may end in a redirect, which
/// shows nothing.
fn shown<'a>(handle: &Request, messages: &'a Messages) -> Made<'a, Vec<Message>> {
    match *handle.method() {
        Method::GET => Box::pin(messages.take()),
        _ => Box::pin(std::future::ready(Ok(Vec::new()))),
    }
}

/// What a view answers with success it has made of a template of the admin.
fn call<'a>(
    page: MethodRouter,
    handle: &'a Request,
    route: &'a Route,
    request: extract::Request,
) -> Made<'a, Response<Body>> {
    Box::pin(async move {
        let answer: Result<_, Infallible> = page.oneshot(request).await;
        let mut response = answer.unwrap_or_else(|never| match never {});
        if response.status().is_success() {
            secure(&mut response, handle, route);
        }
        Ok(response)
    })
}
