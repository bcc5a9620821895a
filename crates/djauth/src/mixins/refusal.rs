//! How a request that may not go on is answered: `AccessMixin`.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::request::Parts;

use super::{Rejection, rejection};
use crate::http::Request;
use crate::i18n::gettext;

/// The options of a route layer or an extractor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) login_url: Option<Arc<str>>,
    pub(crate) redirect_field_name: Option<Arc<str>>,
    pub(crate) permission_denied_message: Option<&'static str>,
    /// Whether a client that would rather have JSON gets it.
    pub(crate) json: bool,
}

/// Left in a request by a layer of which every refusal may be JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonRefusals;

impl Refusal {
    /// That of an extractor, which has no options of its own.
    pub(crate) fn of(parts: &Parts) -> Self {
        Self::default().in_request(parts)
    }

    /// With what the layer says.
    pub(crate) fn in_request(self, parts: &Parts) -> Self {
        self.json_if(parts.extensions.get::<JsonRefusals>().is_some())
    }

    pub(crate) fn json_if(mut self, json: bool) -> Self {
        self.json |= json;
        self
    }

    /// Nobody is logged in: the way to the login page, or 401.
    pub(crate) fn login(&self, request: &Request) -> Rejection {
        let url = self.login_url.as_deref();
        let field = self.redirect_field_name.as_deref();
        match rejection::login_redirect(request, url, field) {
            Rejection::LoginRequired { to } if self.wants_json(request) => Rejection::Json {
                status: StatusCode::UNAUTHORIZED,
                code: "not_authenticated",
                message: gettext(request.language(), "json.not_authenticated", &[]),
                login_url: Some(to),
            },
            rejection => self.varied(rejection),
        }
    }

    /// Somebody may not do this: 403.
    pub(crate) fn denied(&self, request: &Request) -> Rejection {
        let message = self.permission_denied_message;
        if self.wants_json(request) {
            let usual = || gettext(request.language(), "error_page.forbidden_user", &[]);
            return Rejection::Json {
                status: StatusCode::FORBIDDEN,
                code: "permission_denied",
                message: message.map_or_else(usual, str::to_owned),
                login_url: None,
            };
        }
        self.varied(match message {
            Some(message) => Rejection::Denied { message },
            None => Rejection::PermissionDenied,
        })
    }

    fn wants_json(&self, request: &Request) -> bool {
        self.json && request.wants_json()
    }

    /// Another `Accept` would have had another answer.
    fn varied(&self, rejection: Rejection) -> Rejection {
        if self.json {
            Rejection::VariesByAccept(Box::new(rejection))
        } else {
            rejection
        }
    }
}

/// The builder methods of whatever has a [`Refusal`] in its field `refusal`, for the way to the login
/// page.
macro_rules! login_options {
    () => {
        /// Another login page than `LOGIN_URL`.
        #[must_use]
        pub fn login_url(mut self, url: impl Into<std::sync::Arc<str>>) -> Self {
            self.refusal.login_url = Some(url.into());
            self
        }

        /// Another name than `next` for the page to come back to; empty for none.
        #[must_use]
        pub fn redirect_field_name(mut self, name: impl Into<std::sync::Arc<str>>) -> Self {
            self.refusal.redirect_field_name = Some(name.into());
            self
        }
    };
}
pub(crate) use login_options;
