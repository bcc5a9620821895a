//! What the pages have in common: reading the request, writing the outcome, `never_cache`.

use std::fmt;
use std::sync::Arc;

use axum::RequestPartsExt;
use axum::body::{Body, Bytes};
use axum::extract::{self, RawPathParams};
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use axum::response::IntoResponse;
use minijinja::{Value, context};

use super::{Outcome, Page, json};
use crate::backends::Context;
use crate::base_user::BaseUser;
use crate::http::{
    FormType, QueryDict, Request, add_never_cache_headers, error_page, patch_vary_headers, redirect,
};
use crate::middleware::failure;
use crate::mixins::{Rejection, login_redirect};
use crate::{Auth, Error};

/// A page: what it does with a request.
pub(crate) trait View<U: BaseUser>: Send + Sync + 'static {
    /// Whether no cache may keep it.
    const NEVER_CACHE: bool;

    fn dispatch(
        &self,
        auth: &Auth<U>,
        request: &PageRequest,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send;
}

/// A request with its form, for pages that an application makes of its own: read within
/// `DATA_UPLOAD_MAX_MEMORY_SIZE` and `DATA_UPLOAD_MAX_NUMBER_FIELDS`.
#[derive(Clone)]
pub struct PageRequest {
    pub(super) handle: Request,
    /// The form's fields; empty unless the method is `POST`, as `request.POST` in Django.
    pub(super) data: QueryDict,
    pub(super) query: QueryDict,
    /// What the route's pattern found in the path; `None` when that is no text.
    pub(super) kwargs: Option<Vec<(String, String)>>,
}

/// What a form view does with a method: Django's `ProcessFormView`.
pub(super) enum FormMethod {
    Show,
    Process,
    Other,
}

/// Answers a request with a page.
pub(crate) async fn answer<U: BaseUser, V: View<U>>(
    auth: Auth<U>,
    view: Arc<V>,
    request: extract::Request,
) -> Response<Body> {
    let request = match PageRequest::read(request).await {
        Ok(request) => request,
        Err(response) => return *response,
    };
    let answer = match view.dispatch(&auth, &request).await {
        Ok(outcome) if request.handle.wants_json() => json::respond(&request.handle, outcome),
        Ok(outcome) => respond(&auth, &request.handle, outcome).await,
        Err(error) => Err(error),
    };
    let mut response = match answer {
        Ok(response) => response,
        Err(error) => return failure(&error),
    };
    // The same address answers in HTML and in JSON, which holds a token or a user.
    patch_vary_headers(response.headers_mut(), &["Accept"]);
    if V::NEVER_CACHE || request.handle.wants_json() {
        add_never_cache_headers(response.headers_mut(), auth.now());
    }
    response
}

async fn respond<U: BaseUser>(
    auth: &Auth<U>,
    request: &Request,
    outcome: Outcome,
) -> Result<Response<Body>, Error> {
    match outcome {
        Outcome::Page(page) => render(auth, request, page).await,
        Outcome::Redirect(to) => Ok(redirect_response(&to)),
        Outcome::Rejected(rejection) => Ok(rejection.into_response()),
        Outcome::Response(response) => Ok(response),
        Outcome::Success => Err(Error::improperly_configured("the view has no success URL")),
    }
}

/// With `user` and `perms`, for templates of the application's own.
async fn render<U: BaseUser>(
    auth: &Auth<U>,
    request: &Request,
    page: Page,
) -> Result<Response<Body>, Error> {
    let form = page.form.map(|form| form.value(request.language()));
    let form = form.unwrap_or(Value::from(()));
    let values = context! { ..page.values, ..context! { form } };
    auth.context(request).page(&page.template, values).await
}

/// Shows neither fields nor what stands in the path: both may hold secrets.
impl fmt::Debug for PageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageRequest")
            .field("request", &self.handle)
            .finish_non_exhaustive()
    }
}

impl PageRequest {
    /// Reads the query, and the form of a `POST`.
    ///
    /// # Errors
    /// The answer to a request that is too large, cannot be read, or came past
    /// [`Auth::layer`](crate::Auth::layer).
    pub async fn read(request: extract::Request) -> Result<Self, Box<Response<Body>>> {
        let (mut parts, body) = request.into_parts();
        let kwargs = parts.extract::<RawPathParams>().await;
        let Some(handle) = parts.extensions.get::<Request>().cloned() else {
            let missing = Rejection::MissingLayer {
                what: "a page of auth.urls()",
            };
            return Err(Box::new(missing.into_response()));
        };
        let fields = handle.settings().data_upload_max_number_fields;
        let fields = size(fields);
        let query = QueryDict::parse(handle.query_string().as_bytes(), fields);
        let data = if *handle.method() == Method::POST && handle.wants_json() {
            Ok(json::read(&handle, body).await?)
        } else if *handle.method() == Method::POST {
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
            kwargs: kwargs.as_ref().map(owned).ok(),
        })
    }

    /// The request itself.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.handle
    }

    /// The form's fields; empty unless the method is `POST`.
    #[must_use]
    pub fn data(&self) -> &QueryDict {
        &self.data
    }

    /// The fields of the query.
    #[must_use]
    pub fn query(&self) -> &QueryDict {
        &self.query
    }

    /// Whether something was sent that may change anything.
    #[must_use]
    pub fn is_post(&self) -> bool {
        *self.handle.method() == Method::POST
    }

    pub(super) fn context<'a, U: BaseUser>(&'a self, auth: &'a Auth<U>) -> Context<'a, U> {
        Context::new(auth, Some(&self.handle))
    }

    /// A part of the path, by the name that the route gives it; empty when it is no text.
    pub(super) fn kwarg(&self, name: &str) -> Option<&str> {
        let Some(kwargs) = &self.kwargs else {
            return Some("");
        };
        let found = kwargs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn form_method(&self) -> FormMethod {
        match *self.handle.method() {
            Method::GET | Method::HEAD => FormMethod::Show,
            Method::POST | Method::PUT => FormMethod::Process,
            _ => FormMethod::Other,
        }
    }

    /// The way to the login page and back, for a page that is nobody's without a user.
    pub(super) fn login_required(&self) -> Outcome {
        Outcome::Rejected(login_redirect(&self.handle, None, None))
    }

    /// `OPTIONS` of a form view, and methods that it does not have.
    pub(super) fn form_methods(&self) -> Outcome {
        allow(&self.handle, "GET, POST, PUT, HEAD, OPTIONS").into()
    }

    /// The same of a plain page, unless its method is `GET` or `HEAD`.
    pub(super) fn unless_read(&self) -> Option<Outcome> {
        let read = matches!(*self.handle.method(), Method::GET | Method::HEAD);
        (!read).then(|| allow(&self.handle, "GET, HEAD, OPTIONS").into())
    }

    /// What was sent, for a form: nothing at all while it is only shown.
    pub(super) fn sent(&self) -> Option<&QueryDict> {
        matches!(self.form_method(), FormMethod::Process).then_some(&self.data)
    }
}

fn owned(params: &RawPathParams) -> Vec<(String, String)> {
    params
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

pub(super) fn size(setting: Option<u64>) -> usize {
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
