//! The way of a request: from its address to the page, and from what the page says to the response.

use std::sync::Arc;

use axum::body::Body;
use axum::extract;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::response::IntoResponse;
use djauth::http::{
    add_never_cache_headers, error_response, escape_leading_slashes, failure_response, redirect,
    redirect_to_login,
};
use djauth::middleware::redirect_with_slash;
use djauth::mixins::Rejection;
use djauth::views::PageRequest;
use djauth::{Auth, BaseUser, Error, REDIRECT_FIELD_NAME, Request};
use futures_util::future::BoxFuture;
use minijinja::context;

use super::actor::{actor, has_permission, visitor};
use super::context::each_context;
use super::{AdminSite, ModelPath, SiteInfo, SiteInner, assets, index, login, registry};
use crate::beyond;
use crate::messages::Messages;
use crate::model::{Actor, Made, Registered};
use crate::models::LogEntryManager;
use crate::request::{AdminRequest, Answer, Route};
use crate::{actions, holders, log, options, permissions, sessions, views};

/// A site at work.
pub(super) struct Site<U: BaseUser> {
    pub(super) auth: Auth<U>,
    pub(super) inner: SiteInner,
    /// What [`AdminSite::check`] found.
    broken: Option<Error>,
}

impl<U: BaseUser> Site<U> {
    pub(super) fn new(site: AdminSite<U>) -> Self {
        let broken = site.check().err();
        if let Some(error) = &broken {
            tracing::error!(target: "django.request", %error, "the admin does not work");
        }
        let auth = site.auth;
        auth.templates().add_built_in(crate::templates::BUILT_IN);
        let models = registry::registered(&auth, site.users, site.groups, site.columns);
        let info = SiteInfo {
            prefix: site.prefix,
            texts: site.texts,
            site_url: site.site_url,
            models: models.iter().map(path_of).collect(),
        };
        let inner = SiteInner {
            info: Arc::new(info),
            models,
            log: Box::new(LogEntryManager::new(&auth)),
            beyond: beyond::beyond(&auth),
            events: Arc::new(log::Reader::new(&auth)),
            templates: auth.templates().clone(),
            clock: auth.clock().clone(),
        };
        Self {
            auth,
            inner,
            broken,
        }
    }
}

fn path_of(model: &Registered) -> ModelPath {
    ModelPath {
        id: model.id,
        app_label: model.info.app_label.clone(),
        model_name: model.info.model_name.clone(),
    }
}

/// What came to a site.
struct Arrived<'a, U: BaseUser> {
    site: &'a Site<U>,
    handle: &'a Request,
    route: &'a Route,
    messages: &'a Messages,
}

/// Answers a request. Boxed, as what is inside nests deep enough.
pub(super) fn serve<U: BaseUser>(
    site: Arc<Site<U>>,
    request: extract::Request,
) -> BoxFuture<'static, Response<Body>> {
    Box::pin(async move {
        let Some(handle) = request.extensions().get::<Request>().cloned() else {
            let what = "the admin";
            return Rejection::MissingLayer { what }.into_response();
        };
        if let Some(error) = &site.broken {
            return failure_response(error);
        }
        let route = site.inner.info.route(&handle.path());
        if let Route::Static(address) = &route {
            return assets::serve(address, handle.method());
        }
        let arrived = Arrived {
            site: &site,
            handle: &handle,
            route: &route,
            messages: &Messages::of(&site.auth, &handle),
        };
        let response = match arrived.answered(request).await {
            Ok(response) => response,
            Err(error) => failure_response(&error),
        };
        arrived.finished(response).await
    })
}

impl<'a, U: BaseUser> Arrived<'a, U> {
    /// The login is open to everybody; everything else, also what does not exist, to staff.
    fn answered(&'a self, request: extract::Request) -> Made<'a, Response<Body>> {
        Box::pin(async move {
            if *self.route == Route::Login {
                return login::login(self.site, self.handle, request, self.messages).await;
            }
            let user = visitor(&self.site.auth, self.handle).await?;
            let Some(user) = user.filter(|user| has_permission(&**user)) else {
                return Ok(not_inside(&self.site.inner.info, self.handle, self.route));
            };
            let actor = actor(&self.site.auth, &self.site.inner, &user).await?;
            self.inside(request, &actor).await
        })
    }

    fn inside(&'a self, request: extract::Request, actor: &'a Actor) -> Made<'a, Response<Body>> {
        let (site, handle) = (self.site, self.handle);
        match self.route {
            Route::Logout => login::logout(site, handle, request),
            Route::PasswordChange | Route::PasswordChangeDone => {
                login::password_change(site, handle, request, self.route, actor, self.messages)
            }
            _ => self.page(request, actor),
        }
    }

    fn page(&'a self, request: extract::Request, actor: &'a Actor) -> Made<'a, Response<Body>> {
        Box::pin(async move {
            let page = match read(request).await {
                Ok(page) => page,
                Err(response) => return Ok(*response),
            };
            let site = &self.site.inner;
            let request = AdminRequest {
                page,
                route: self.route.clone(),
                site: site.info.clone(),
                messages: self.messages.clone(),
                language: self.handle.language(),
                zone: self.site.auth.settings().time_zone,
            };
            let answer = dispatch(site, &request, actor).await?;
            respond(site, &request, actor, answer).await
        })
    }

    /// The headers of every answer, and the cookie with the messages that are left.
    fn finished(&'a self, mut response: Response<Body>) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            if response.status().is_server_error() {
                // The page on which they were to stand was not made.
                self.messages.give_back();
            }
            let messages = self.messages.clone();
            if let Err(error) = messages.finish(response.headers_mut()).await {
                response = failure_response(&error);
            }
            // Django decorates the pages for one's own password with `cacheable=True` too: they name who asks.
            if *self.route != Route::JsI18n {
                add_never_cache_headers(response.headers_mut(), self.site.auth.now());
            }
            response
        })
    }
}

fn read(request: extract::Request) -> BoxFuture<'static, Result<PageRequest, Box<Response<Body>>>> {
    Box::pin(PageRequest::read(request))
}

/// Whoever is not inside is led to the login and then back; from the logout to the start.
fn not_inside(info: &SiteInfo, handle: &Request, route: &Route) -> Response<Body> {
    let to = match route {
        Route::Logout => info.url(&Route::Index),
        _ => redirect_to_login(
            &handle.get_full_path(),
            &info.url(&Route::Login),
            REDIRECT_FIELD_NAME,
        ),
    };
    redirect_response(&to)
}

pub(super) fn redirect_response(to: &str) -> Response<Body> {
    redirect(to).unwrap_or_else(|error| {
        tracing::error!(target: "django.security.DisallowedRedirect", %error);
        error_response(StatusCode::BAD_REQUEST)
    })
}

/// What is at an address.
fn dispatch<'a>(
    site: &'a SiteInner,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    if let Route::Bare(..) = request.route {
        return at_once(bare(request));
    }
    let Some(id) = request.route.model() else {
        return page_of_the_site(site, request, actor);
    };
    match site.model(id) {
        Some(model) => page_of_a_model(site, model, request, actor),
        None => at_once(Answer::NotFound),
    }
}

fn at_once<'a>(answer: Answer) -> Made<'a, Answer> {
    Box::pin(std::future::ready(Ok(answer)))
}

fn page_of_the_site<'a>(
    site: &'a SiteInner,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    match &request.route {
        Route::Index => index::index(site, request, actor),
        Route::AppList(label) => at_once(index::app_index(site, request, actor, label)),
        // Without what it is asked for; with it, no field here asks it.
        Route::Autocomplete => at_once(Answer::Forbidden),
        Route::JsI18n => at_once(Answer::Response(no_catalogue())),
        Route::Holders(permission) => holders::holders_view(site, request, actor, *permission),
        Route::Log => log::log_view(site, request, actor),
        Route::Export => log::export_view(site, request, actor),
        Route::Nowhere => at_once(nowhere(site, request)),
        _ => at_once(Answer::NotFound),
    }
}

fn page_of_a_model<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    match &request.route {
        Route::List(_) if request.is_post() => {
            actions::changelist_action(site, model, request, actor)
        }
        Route::List(_) => views::changelist_view(site, model, request, actor),
        Route::Add(_) => options::add_view(site, model, request, actor),
        Route::Change(_, key) => options::change_view(site, model, request, actor, key),
        Route::Delete(_, key) => options::delete_view(site, model, request, actor, key),
        Route::History(_, key) => options::history_view(site, model, request, actor, key),
        Route::Password(key) => options::user_change_password(site, model, request, actor, key),
        Route::Sessions(key) => sessions::sessions_view(site, model, request, actor, key),
        Route::Effective(key) => permissions::effective_view(site, model, request, actor, key),
        _ => at_once(Answer::NotFound),
    }
}

/// To the page that changes the object, whether or not there is one.
fn bare(request: &AdminRequest) -> Answer {
    Answer::Redirect(escape_leading_slashes(&request.url(&request.route)))
}

/// Django's `catch_all_view`: the page with a slash more if there is one, otherwise 404.
fn nowhere(site: &SiteInner, request: &AdminRequest) -> Answer {
    let handle = request.request();
    let path = handle.path();
    if !handle.settings().append_slash || path.ends_with('/') {
        return Answer::NotFound;
    }
    match site.info.route(&format!("{path}/")) {
        Route::Nowhere | Route::Static(_) => Answer::NotFound,
        _ => Answer::Response(redirect_with_slash(handle)),
    }
}

/// Django's texts for scripts. The scripts here have theirs from the page.
fn no_catalogue() -> Response<Body> {
    let mut response = Response::new(Body::from("\"use strict\";\n"));
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn respond<'a>(
    site: &'a SiteInner,
    request: &'a AdminRequest,
    actor: &'a Actor,
    answer: Answer,
) -> Made<'a, Response<Body>> {
    Box::pin(async move {
        match answer {
            Answer::Page {
                template,
                values,
                status,
            } => {
                let mut response = page(site, request, actor, &template, values).await?;
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
                Ok(response)
            }
            Answer::Redirect(to) => Ok(redirect_response(&to)),
            Answer::Forbidden => Ok(error_response(StatusCode::FORBIDDEN)),
            Answer::NotFound => Ok(error_response(StatusCode::NOT_FOUND)),
            Answer::BadRequest => Ok(error_response(StatusCode::BAD_REQUEST)),
            Answer::Response(response) => Ok(response),
        }
    })
}

/// A page with the messages that wait for the visitor. Who asks for its head alone does not see them.
fn page<'a>(
    site: &'a SiteInner,
    request: &'a AdminRequest,
    actor: &'a Actor,
    template: &'a str,
    values: minijinja::Value,
) -> Made<'a, Response<Body>> {
    Box::pin(async move {
        let messages = match *request.request().method() {
            Method::HEAD => Vec::new(),
            _ => request.messages.take().await?,
        };
        let place = (&request.route, request.is_popup());
        let each = each_context(site, request.language, Some(actor), &messages, place);
        let values = context! { ..values, ..each };
        let handle = request.request();
        let mut response = site.templates.page(handle, template, values)?;
        secure(&mut response, handle, &request.route);
        Ok(response)
    })
}

/// Puts the policy of the admin in the place of that of other pages, on a page that is made of one of its
/// templates. Error pages are made outside of the admin, and keep theirs.
pub(super) fn secure(response: &mut Response<Body>, handle: &Request, route: &Route) {
    let headers = response.headers_mut();
    if let Some(policy) = policy(headers, handle, route) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// Nothing is inline, and no script makes markup. The form of the login may lead where those of other pages
/// may; elsewhere only a logout can end on another site.
fn policy(headers: &HeaderMap, handle: &Request, route: &Route) -> Option<HeaderValue> {
    let own = headers.get(CONTENT_SECURITY_POLICY)?.to_str().ok()?;
    let mut directives = own.split(';').map(str::trim);
    let targets = directives.find_map(|directive| directive.strip_prefix("form-action "));
    let logout = handle.settings().logout_redirect_url.as_deref();
    let logout = logout.unwrap_or_default();
    let may =
        |target: &&str| *target == "'self'" || *route == Route::Login || is_of(logout, target);
    let targets = targets.unwrap_or("'self'").split(' ').filter(may);
    let targets = targets.collect::<Vec<_>>().join(" ");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action {targets}; base-uri 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    HeaderValue::try_from(policy).ok()
}

/// Whether an address is one of this origin, which may come without a scheme.
fn is_of(url: &str, origin: &str) -> bool {
    let url = url.strip_prefix("//").unwrap_or(url);
    let rest = url.strip_prefix(origin);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_its_origin_alone() {
        for url in [
            "https://a.example",
            "https://a.example/x",
            "https://a.example?y",
        ] {
            assert!(is_of(url, "https://a.example"), "{url}");
        }
        assert!(is_of("//a.example:8443/", "a.example:8443"));
        for url in [
            "",
            "/x",
            "https://a.example.org/",
            "https://a.example:1/",
            "https://b.example/",
        ] {
            assert!(!is_of(url, "https://a.example"), "{url}");
        }
    }
}
