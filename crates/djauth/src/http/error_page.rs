//! Small pages for what went wrong: one heading, one sentence, nothing that the request said.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, ETAG, RETRY_AFTER,
};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use minijinja::{Value, context};

use super::Request;
use crate::Error;
use crate::templates::Templates;

/// What a page for a failure says. A response carries it as an extension until the layer has put
/// the site's own page in the place of the built-in one.
#[derive(Clone, Debug)]
pub(crate) struct ErrorPage {
    status: StatusCode,
    template: &'static str,
    heading: String,
    values: Value,
}

/// A page with this status.
pub(crate) fn error_page(status: StatusCode, heading: &str, text: &str) -> Response<Body> {
    ErrorPage::new(status, heading, text).response()
}

/// The page of a failure that passes by itself, with the time after which to try again.
pub(crate) fn unavailable(retry_after: Duration) -> Response<Body> {
    let mut response = ErrorPage::of(StatusCode::SERVICE_UNAVAILABLE).response();
    let seconds = HeaderValue::from(retry_after.as_secs().max(1));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

impl ErrorPage {
    pub(crate) fn new(status: StatusCode, heading: &str, text: &str) -> Self {
        ErrorPage {
            status,
            template: template(status),
            heading: heading.to_owned(),
            values: context! { heading, text, status => status.as_u16() },
        }
    }

    /// What is said where nothing more is known than the status.
    pub(crate) fn of(status: StatusCode) -> Self {
        let (heading, text) = said(status);
        Self::new(status, heading, text)
    }

    /// Another template than the status has, with values that it knows besides.
    pub(crate) fn template(mut self, name: &'static str, more: Value) -> Self {
        self.template = name;
        self.values = minijinja::value::merge_maps([self.values, more]);
        self
    }

    /// The built-in page, for which the layer may find one of the site's own.
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = self.made_by(Templates::built_in(), None);
        response.extensions_mut().insert(self);
        response
    }

    /// The page as these templates make it, or the built-in one if they fail.
    pub(crate) fn made_by(
        &self,
        templates: &Templates,
        request: Option<&Request>,
    ) -> Response<Body> {
        let page = self.render(templates, request).or_else(|error| {
            tracing::error!(template = self.template, %error, "an error page does not work; the built-in one is sent");
            self.render(Templates::built_in(), None)
        });
        let heading = &self.heading;
        let page = page.unwrap_or_else(|_| {
            format!("<!doctype html><title>{heading}</title><h1>{heading}</h1>")
        });
        templates.response(self.status, page)
    }

    fn render(&self, templates: &Templates, request: Option<&Request>) -> Result<String, Error> {
        match request.filter(|_| self.knows_the_request()) {
            Some(request) => {
                let path = context! { request_path => request.path() };
                let values = minijinja::value::merge_maps([self.values.clone(), path]);
                templates.render_for(request, self.template, values)
            }
            None => templates.render(self.template, self.values.clone()),
        }
    }

    /// As in Django: the pages for what does not work do without anything that may not work.
    fn knows_the_request(&self) -> bool {
        matches!(self.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
    }
}

/// Puts the site's own error page in the place of a built-in one.
pub(crate) fn use_own_page(
    templates: &Templates,
    handle: &Request,
    request: Option<&Request>,
    response: &mut Response<Body>,
) {
    let Some(page) = response.extensions_mut().remove::<ErrorPage>() else {
        return;
    };
    if !templates.has_folders() || *handle.method() == Method::HEAD {
        return;
    }
    let (mut own, body) = page.made_by(templates, request).into_parts();
    *response.body_mut() = body;
    let headers = response.headers_mut();
    // They told of the body that was there.
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, ETAG] {
        headers.remove(name);
    }
    if let Some(policy) = own.headers.remove(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

fn template(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "400.html",
        403 => "403.html",
        404 => "404.html",
        413 => "413.html",
        500 => "500.html",
        503 => "503.html",
        _ => "error.html",
    }
}

fn said(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => (
            "The request was not understood",
            "Please check the address, or start again from the first page.",
        ),
        403 => ("Not allowed", "You may not do this."),
        404 => (
            "There is no such page",
            "Please check the address, or start again from the first page.",
        ),
        413 => (
            "That was too much",
            "The request is larger than this site accepts.",
        ),
        503 => (
            "The site is not available right now",
            "Please try again in a moment.",
        ),
        500.. => (
            "Something went wrong",
            "The error was reported to those who run this site.",
        ),
        _ => (
            status.canonical_reason().unwrap_or("Not done"),
            "The request was not carried out.",
        ),
    }
}
