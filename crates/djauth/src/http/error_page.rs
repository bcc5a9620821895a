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
use crate::i18n::{Language, gettext};
use crate::templates::Templates;

/// What a page for a failure says, by keys of the catalogue. A response carries it as an extension until
/// the layer has put the site's own page, or one in another language, in the place of the built-in one.
#[derive(Clone, Debug)]
pub(crate) struct ErrorPage {
    status: StatusCode,
    template: &'static str,
    heading: &'static str,
    text: &'static str,
    said: Vec<(&'static str, &'static str)>,
    values: Value,
    code: Option<&'static str>,
}

/// A page with this status; heading and text are keys of the catalogue.
pub(crate) fn error_page(
    status: StatusCode,
    heading: &'static str,
    text: &'static str,
) -> Response<Body> {
    ErrorPage::new(status, heading, text).response()
}

/// A page with this status and what is said where nothing more is known. Inside of
/// [`Auth::layer`](crate::Auth::layer) it becomes the site's own page, in the client's language.
#[must_use]
pub fn error_response(status: StatusCode) -> Response<Body> {
    ErrorPage::of(status).response()
}

/// The same with a heading and a text of its own, by keys of the catalogue ([`crate::i18n`]).
#[must_use]
pub fn error_response_with(
    status: StatusCode,
    heading: &'static str,
    text: &'static str,
) -> Response<Body> {
    error_page(status, heading, text)
}

/// The answer to a failure: what passes by itself is 503 with a time to come back (429 for too many
/// attempts to log in), a session that was deleted meanwhile 400, everything else 500, and in the log.
#[must_use]
pub fn failure_response(error: &Error) -> Response<Body> {
    crate::middleware::failure(error)
}

/// The page of a failure that passes by itself, with the time after which to try again.
pub(crate) fn try_again_later(status: StatusCode, retry_after: Duration) -> Response<Body> {
    let mut response = ErrorPage::of(status).response();
    let seconds = HeaderValue::from(retry_after.as_secs().max(1));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

impl ErrorPage {
    /// Heading and text are keys of the catalogue.
    pub(crate) fn new(status: StatusCode, heading: &'static str, text: &'static str) -> Self {
        ErrorPage {
            status,
            template: template(status),
            heading,
            text,
            said: Vec::new(),
            values: context! { status => status.as_u16() },
            code: None,
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

    /// What it is called where the client wants JSON, if the status does not say it all.
    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) fn code_for_programs(&self) -> &'static str {
        self.code.unwrap_or_else(|| code(self.status))
    }

    /// The text alone, in a language.
    pub(super) fn message(&self, language: Language) -> String {
        gettext(language, self.text, &self.said_in(language))
    }

    fn said_in(&self, language: Language) -> Vec<(&'static str, String)> {
        let said = self.said.iter();
        said.map(|(name, key)| (*name, gettext(language, key, &[])))
            .collect()
    }

    /// A further text: a value of the template, which the page's own text can hold too.
    pub(crate) fn say(mut self, name: &'static str, key: &'static str) -> Self {
        self.said.push((name, key));
        self
    }

    /// The built-in page, for which the layer may find another.
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = self.made_by(Templates::built_in(), Language::ENGLISH, None);
        response.extensions_mut().insert(self);
        response
    }

    /// The page as these templates make it, or the built-in one if they fail.
    pub(crate) fn made_by(
        &self,
        templates: &Templates,
        language: Language,
        request: Option<&Request>,
    ) -> Response<Body> {
        let page = self.render(templates, language, request).or_else(|error| {
            tracing::error!(template = self.template, %error, "an error page does not work; the built-in one is sent");
            self.render(Templates::built_in(), language, None)
        });
        let page = page.unwrap_or_else(|_| {
            let heading = gettext(language, self.heading, &[]);
            format!("<!doctype html><title>{heading}</title><h1>{heading}</h1>")
        });
        templates.response(self.status, page)
    }

    fn render(
        &self,
        templates: &Templates,
        language: Language,
        request: Option<&Request>,
    ) -> Result<String, Error> {
        let values = minijinja::value::merge_maps([self.values.clone(), self.texts(language)]);
        match request.filter(|_| self.knows_the_request()) {
            Some(request) => {
                let path = context! { request_path => request.path() };
                let values = minijinja::value::merge_maps([values, path]);
                templates.render_for(request, self.template, values)
            }
            None => templates.render_in(language, self.template, values),
        }
    }

    fn texts(&self, language: Language) -> Value {
        let said = self.said_in(language);
        let heading = gettext(language, self.heading, &said);
        let text = gettext(language, self.text, &said);
        let said = Value::from_pairs(said);
        minijinja::value::merge_maps([context! { heading, text }, said])
    }

    /// As in Django: the pages for what does not work do without anything that may not work.
    fn knows_the_request(&self) -> bool {
        matches!(self.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
    }
}

/// Puts the site's own error page, or one in the client's language, in the place of a built-in one.
pub(crate) fn use_own_page(
    templates: &Templates,
    handle: &Request,
    request: Option<&Request>,
    response: &mut Response<Body>,
) {
    let Some(page) = response.extensions_mut().remove::<ErrorPage>() else {
        return;
    };
    if handle.wants_json() {
        return super::json::replace_page(&page, handle, response);
    }
    let language = handle.language();
    let is_right = !templates.has_folders() && language == Language::ENGLISH;
    if is_right || *handle.method() == Method::HEAD {
        return;
    }
    let (mut own, body) = page.made_by(templates, language, request).into_parts();
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

/// What a failure is called in JSON.
fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "not_authenticated",
        403 => "permission_denied",
        404 => "not_found",
        405 => "method_not_allowed",
        413 => "too_large",
        415 => "unsupported_media_type",
        429 => "too_many_requests",
        503 => "unavailable",
        500.. => "server_error",
        _ => "bad_request",
    }
}

fn template(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "400.html",
        403 => "403.html",
        404 => "404.html",
        413 => "413.html",
        429 => "429.html",
        500 => "500.html",
        503 => "503.html",
        _ => "error.html",
    }
}

/// Keys of the heading and the text. What has none is called as HTTP calls it.
fn said(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => ("error_page.bad_request", "error_page.start_again"),
        403 => ("error_page.forbidden", "error_page.forbidden_text"),
        404 => ("error_page.not_found", "error_page.start_again"),
        413 => ("error_page.too_large", "error_page.too_large_text"),
        429 => ("error_page.too_many", "error_page.too_many_text"),
        503 => ("error_page.unavailable", "error_page.unavailable_text"),
        500.. => ("error_page.failure", "error_page.failure_text"),
        _ => {
            let reason = status.canonical_reason();
            let heading = reason.unwrap_or("error_page.not_done");
            (heading, "error_page.not_done_text")
        }
    }
}
