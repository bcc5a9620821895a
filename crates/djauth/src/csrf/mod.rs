//! Protection against cross-site request forgery: `django.middleware.csrf`.
//!
//! A secret lives in the cookie `csrftoken` (or in the session, `CSRF_USE_SESSIONS`). Unsafe requests
//! must bring it along in another way, as a form field or header, masked anew each time. Cookie and
//! token are good on a Django with the same host, and Django's are good here.
//!
//! The checks run in [`AuthLayer`](crate::middleware::AuthLayer), before the handler; a handler takes
//! the token for its forms with the extractor [`CsrfToken`].

mod body;
mod failure;
mod origin;
mod reason;
mod state;
mod token;

pub(crate) use body::{BodyError, TokenField};
pub(crate) use failure::csrf_failure;
pub(crate) use origin::TrustedOrigins;
pub use reason::{RejectReason, TokenSource};
pub use state::{CSRF_SESSION_KEY, CsrfState, CsrfToken};
pub(crate) use state::{process_request, process_response};
pub(crate) use token::check_token;
pub use token::{CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH, CSRF_TOKEN_LENGTH};

/// The form field that carries the token.
pub const CSRF_FIELD_NAME: &str = "csrfmiddlewaretoken";
