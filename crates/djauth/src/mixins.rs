//! Who may enter a handler, as extractors: `django.contrib.auth.mixins`.

use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why an extractor of this crate did not let a request through to its handler.
#[non_exhaustive]
#[derive(Debug)]
pub enum Rejection {
    /// The layer is not there. The text says which line to add: 500.
    MissingLayer {
        /// The extractor that needs it.
        what: &'static str,
    },
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::MissingLayer { what } => write!(
                f,
                "{what} needs the authentication layer: add `.layer(auth.layer())` to the router, after its routes"
            ),
        }
    }
}

impl std::error::Error for Rejection {}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server is not set up completely.\n",
        )
            .into_response()
    }
}
