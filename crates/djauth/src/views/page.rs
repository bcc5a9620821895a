//! What the pages have in common: reading the request, safe redirects, `never_cache`.

use axum::body::{Body, Bytes};
use axum::extract;
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use axum::response::IntoResponse;

use super::{LoginView, LogoutView, profile};
use crate::auth::REDIRECT_FIELD_NAME;
use crate::base_user::BaseUser;
use crate::http::{
    FormType, QueryDict, Request, add_never_cache_headers, error_page, redirect,
    url_has_allowed_host_and_scheme,
};
use crate::middleware::failure;
use crate::mixins::Rejection;
use crate::{Auth, Error};

/// A request with its form.
pub(super) struct PageRequest {
    pub(super) handle: Request,
    /// The form's fields; empty unless the method is `POST`, as `request.POST` in Django.
    pub(super) data: QueryDict,
    query: QueryDict,
}

/// The login page.
pub(crate) async fn login<U: BaseUser>(
    auth: Auth<U>,
    view: LoginView,
    request: extract::Request,
) -> Response<Body> {
    match PageRequest::read(request).await {
        Ok(mut request) => finish(&auth, view.dispatch(&auth, &mut request).await),
        Err(response) => *response,
    }
}

/// The logout page.
pub(crate) async fn logout<U: BaseUser>(
    auth: Auth<U>,
    view: LogoutView,
    request: extract::Request,
) -> Response<Body> {
    match PageRequest::read(request).await {
        Ok(request) => finish(&auth, view.dispatch(&auth, &request).await),
        Err(response) => *response,
    }
}

/// The page that says who is logged in.
pub(crate) async fn landing<U: BaseUser>(
    auth: Auth<U>,
    request: extract::Request,
) -> Response<Body> {
    match PageRequest::read(request).await {
        Ok(request) => finish(&auth, profile::dispatch(&auth, &request).await),
        Err(response) => *response,
    }
}

fn finish<U: BaseUser>(auth: &Auth<U>, answer: Result<Response<Body>, Error>) -> Response<Body> {
    match answer {
        Ok(mut response) => {
            add_never_cache_headers(response.headers_mut(), auth.now());
            response
        }
        Err(error) => failure(&error),
    }
}

impl PageRequest {
    async fn read(request: extract::Request) -> Result<Self, Box<Response<Body>>> {
        let (parts, body) = request.into_parts();
        let Some(handle) = parts.extensions.get::<Request>().cloned() else {
            let missing = Rejection::MissingLayer {
                what: "a page of auth.urls()",
            };
            return Err(Box::new(missing.into_response()));
        };
        let fields = handle.settings().data_upload_max_number_fields;
        let fields = size(fields);
        let query = QueryDict::parse(handle.query_string().as_bytes(), fields);
        let data = if *handle.method() == Method::POST {
            let form = FormType::of(&parts.headers);
            let bytes = form_bytes(&handle, &form, body).await?;
            form.fields(&bytes, fields)
        } else {
            Ok(QueryDict::default())
        };
        let too_many = |_| bad_request("error_page.form_too_many_fields");
        Ok(Self {
            handle,
            data: data.map_err(too_many)?,
            query: query.map_err(too_many)?,
        })
    }
}

fn size(setting: Option<u64>) -> usize {
    setting
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(usize::MAX)
}

/// The body of a form within `DATA_UPLOAD_MAX_MEMORY_SIZE`, of files that a page has no use for too.
/// Bodies of other kinds are not read.
async fn form_bytes(
    handle: &Request,
    form: &FormType,
    body: Body,
) -> Result<Bytes, Box<Response<Body>>> {
    match form {
        FormType::Urlencoded | FormType::Multipart(_) => {
            let limit = size(handle.settings().data_upload_max_memory_size);
            let bytes = axum::body::to_bytes(body, limit).await;
            bytes.map_err(|_| bad_request("error_page.form_too_large"))
        }
        FormType::Malformed => Err(bad_request("error_page.form_malformed")),
        FormType::Other => Ok(Bytes::new()),
    }
}

/// The text is a key of the catalogue.
fn bad_request(text: &'static str) -> Box<Response<Body>> {
    Box::new(error_page(
        StatusCode::BAD_REQUEST,
        "error_page.bad_request",
        text,
    ))
}

/// Where the user asked to go; mirrors `RedirectURLMixin.get_redirect_url`.
pub(super) struct RedirectTarget;

impl RedirectTarget {
    /// `next` of the form, or else of the query, when it stays on this site.
    pub(super) fn of(request: &PageRequest) -> Option<String> {
        let sent = request.data.get(REDIRECT_FIELD_NAME);
        let next = sent.or_else(|| request.query.get(REDIRECT_FIELD_NAME))?;
        let host = request.handle.get_host().ok()?;
        let safe = url_has_allowed_host_and_scheme(next, &[host], request.handle.is_secure());
        safe.then(|| next.to_owned())
    }
}

/// A redirect, or 400 for an address that no redirect may have.
pub(super) fn redirect_response(to: &str) -> Response<Body> {
    redirect(to).unwrap_or_else(|error| {
        tracing::error!(target: "django.security.DisallowedRedirect", %error);
        *bad_request("error_page.redirect")
    })
}

/// `OPTIONS`, and methods that a page does not have.
pub(super) fn allow(request: &Request, methods: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(ALLOW, HeaderValue::from_static(methods));
    if *request.method() != Method::OPTIONS {
        tracing::warn!(target: "django.request", ?request, "method not allowed");
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    }
    response
}
