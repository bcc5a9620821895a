//! `CsrfViewMiddleware`: the check before the handler.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::Response;

use super::failure;
use super::target::Target;
use crate::Error;
use crate::csrf::{
    BodyError, RejectReason, TokenField, TokenSource, TrustedOrigins, check_token, csrf_failure,
    process_request,
};
use crate::http::{Request, error_page, meta_header};
use crate::settings::Settings;
use std::sync::Arc;

/// What the check needs of the settings, prepared once.
#[derive(Clone)]
pub(super) struct CsrfCheck {
    trusted: Arc<TrustedOrigins>,
    header: Option<HeaderName>,
    exempt: Vec<String>,
    max_bytes: u64,
    max_fields: usize,
}

impl CsrfCheck {
    pub(super) fn new(settings: &Settings) -> Self {
        let max_fields = settings.data_upload_max_number_fields.unwrap_or(u64::MAX);
        CsrfCheck {
            trusted: Arc::new(TrustedOrigins::new(&settings.csrf_trusted_origins)),
            header: meta_header(&settings.csrf_header_name),
            exempt: Vec::new(),
            max_bytes: settings.data_upload_max_memory_size.unwrap_or(u64::MAX),
            max_fields: usize::try_from(max_fields).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn exempt(&mut self, path: String) {
        self.exempt.push(path);
    }

    /// The body for the handler, or the answer in its place.
    pub(super) async fn check(
        &self,
        request: &Request,
        parts: &Parts,
        body: Body,
    ) -> Result<Body, Box<Response>> {
        let secret = process_request(request).await;
        let secret = secret.map_err(|error| Box::new(failure(&Error::from(error))))?;
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE];
        if safe.contains(request.method()) || self.is_exempt(parts) {
            return Ok(body);
        }
        match self.check_unsafe(request, secret, body).await {
            Ok(body) => Ok(body),
            Err(Refused::Reason(reason)) => Err(Box::new(refuse(request, reason))),
            Err(Refused::Body(error)) => Err(Box::new(bad_form(request, error))),
        }
    }

    fn is_exempt(&self, parts: &Parts) -> bool {
        let target = Target::of(parts);
        self.exempt.iter().any(|path| target.is(path))
    }

    async fn check_unsafe(
        &self,
        request: &Request,
        secret: Result<Option<String>, RejectReason>,
        body: Body,
    ) -> Result<Body, Refused> {
        self.trusted.check(request)?;
        let secret = secret?.ok_or(RejectReason::NoCsrfCookie)?;
        let (mut field, mut body) = (String::new(), body);
        if request.method() == Method::POST {
            let (headers, max_fields) = (request.headers(), self.max_fields);
            let read = TokenField::read(headers, body, self.max_bytes, max_fields).await;
            TokenField { token: field, body } = read.map_err(Refused::Body)?;
        }
        if field.is_empty() {
            let header = self.header.as_ref().and_then(|name| request.header(name));
            let token = header.ok_or(RejectReason::TokenMissing)?;
            check_token(&token, TokenSource::Header, &secret)?;
        } else {
            check_token(&field, TokenSource::Form, &secret)?;
        }
        Ok(body)
    }
}

enum Refused {
    Reason(RejectReason),
    Body(BodyError),
}

impl From<RejectReason> for Refused {
    fn from(reason: RejectReason) -> Self {
        Refused::Reason(reason)
    }
}

fn refuse(request: &Request, reason: RejectReason) -> Response {
    let code = reason.code();
    tracing::warn!(target: "django.security.csrf", ?request, code, "a request was refused: {reason}");
    csrf_failure(reason)
}

fn bad_form(request: &Request, error: BodyError) -> Response {
    tracing::error!(target: "django.security", ?request, "a form was not read: {error}");
    let text = match error {
        BodyError::Malformed => "error_page.form_malformed",
        _ => "error_page.form_too_large",
    };
    error_page(StatusCode::BAD_REQUEST, "error_page.bad_request", text)
}
