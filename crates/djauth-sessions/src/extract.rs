//! The session of a request as an extractor of axum.

use std::fmt;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::session::Session;

/// No layer has given the request a session: answered with 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingSession;

impl fmt::Display for MissingSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "Session needs a layer that opens sessions: add `.layer(auth.layer())` to the router, \
             after its routes",
        )
    }
}

impl std::error::Error for MissingSession {}

impl IntoResponse for MissingSession {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        let text = "The server is not set up completely; its log says what is missing.\n";
        (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = MissingSession;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingSession> {
        parts.extensions.get().cloned().ok_or(MissingSession)
    }
}
