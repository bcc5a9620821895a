//! Why an extractor or route layer did not let a request through.

use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::http::{
    DisallowedHost, Request, error_page, json_error, patch_vary_headers, redirect,
    redirect_to_login, urlsplit,
};
use crate::middleware::failure;
use crate::{Error, REDIRECT_FIELD_NAME};

/// Why an extractor or route layer of this crate did not let a request through to its handler.
#[non_exhaustive]
#[derive(Debug)]
pub enum Rejection {
    /// Nobody is logged in: a redirect to the login page.
    LoginRequired {
        /// The login page, with the page to come back to.
        to: String,
    },
    /// Somebody is logged in who may not do this: 403.
    PermissionDenied,
    /// The same, with a text of the application.
    Denied {
        /// What the page says.
        message: &'static str,
    },
    /// The refusal as JSON, for a client that asked for it.
    Json {
        /// 401 or 403.
        status: StatusCode,
        /// `not_authenticated` or `permission_denied`.
        code: &'static str,
        /// The same for people, in the language of the request.
        message: String,
        /// The login page, with the page to come back to.
        login_url: Option<String>,
    },
    /// A refusal that a client which asked for JSON would have got as such.
    VariesByAccept(Box<Rejection>),
    /// The layer is not there. The text says which line to add: 500.
    MissingLayer {
        /// What needs it.
        what: &'static str,
    },
    /// The layer's user model is another one than the extractor's: 500.
    WrongUser {
        /// The extractor's.
        asked: &'static str,
        /// The layer's.
        have: &'static str,
    },
    /// The host is not one of `ALLOWED_HOSTS`: 400.
    DisallowedHost(DisallowedHost),
    /// It is not known who is logged in or what they may do: 503 where it passes by itself, otherwise
    /// 500.
    Failed(Error),
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Rejection::Failed(error)
    }
}

impl From<DisallowedHost> for Rejection {
    fn from(error: DisallowedHost) -> Self {
        Rejection::DisallowedHost(error)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::LoginRequired { .. } => f.write_str("nobody is logged in"),
            Rejection::PermissionDenied | Rejection::Denied { .. } => {
                f.write_str("the user lacks a permission")
            }
            Rejection::Json { message, .. } => f.write_str(message),
            Rejection::VariesByAccept(rejection) => rejection.fmt(f),
            Rejection::MissingLayer { what } => write!(
                f,
                "{what} needs the authentication layer: add `.layer(auth.layer())` to the router, after its routes"
            ),
            Rejection::WrongUser { asked, have } => write!(
                f,
                "an extractor asks for a user of type {asked}, but the layer's user model is {have}: \
                 name it, as in `LoginRequired<{have}>`"
            ),
            Rejection::DisallowedHost(error) => error.fmt(f),
            Rejection::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Rejection {}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Rejection::LoginRequired { to } => match redirect(&to) {
                Ok(response) => response,
                Err(_) => bad_request(),
            },
            Rejection::PermissionDenied => error_page(
                StatusCode::FORBIDDEN,
                "error_page.forbidden",
                "error_page.forbidden_user",
            ),
            Rejection::Denied { message } => {
                error_page(StatusCode::FORBIDDEN, "error_page.forbidden", message)
            }
            Rejection::Json {
                status,
                code,
                message,
                login_url,
            } => json(status, code, &message, login_url.as_deref()),
            Rejection::VariesByAccept(rejection) => {
                let mut response = (*rejection).into_response();
                patch_vary_headers(response.headers_mut(), &["Accept"]);
                response
            }
            Rejection::DisallowedHost(_) => bad_request(),
            Rejection::Failed(error) => failure(&error),
            Rejection::MissingLayer { .. } | Rejection::WrongUser { .. } => {
                tracing::error!("{self}");
                error_page(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "error_page.failure",
                    "error_page.not_set_up",
                )
            }
        }
    }
}

fn json(status: StatusCode, code: &str, message: &str, login_url: Option<&str>) -> Response {
    let login_url = login_url.map(|url| ("login_url".to_owned(), url.into()));
    let mut response = json_error(status, code, message, login_url.into_iter().collect());
    patch_vary_headers(response.headers_mut(), &["Accept"]);
    response
}

fn bad_request() -> Response {
    error_page(
        StatusCode::BAD_REQUEST,
        "error_page.bad_request",
        "error_page.address",
    )
}

/// The way to the login page and back: to a page of another site leads the whole address, within this
/// one the path.
pub(crate) fn login_redirect(
    request: &Request,
    login_url: Option<&str>,
    redirect_field_name: Option<&str>,
) -> Rejection {
    let login_url = login_url.unwrap_or(&request.settings().login_url);
    let field = redirect_field_name.unwrap_or(REDIRECT_FIELD_NAME);
    let login = urlsplit(login_url).unwrap_or_default();
    let host = match request.get_host() {
        Ok(host) => host,
        Err(error) => return error.into(),
    };
    let same_scheme = login.scheme.is_empty() || login.scheme == request.scheme();
    let same_host = login.netloc.is_empty() || login.netloc == host;
    let path = request.get_full_path();
    let next = if same_scheme && same_host {
        path
    } else {
        format!("{}://{host}{path}", request.scheme())
    };
    Rejection::LoginRequired {
        to: redirect_to_login(&next, login_url, field),
    }
}
