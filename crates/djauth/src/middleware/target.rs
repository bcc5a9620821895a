//! What a request asks for, as routes and paths that are marked are compared with it.

use axum::extract::{MatchedPath, OriginalUri};
use axum::http::request::Parts;

/// The path as it was sent, and the route that matched it. Decoded, a path could pass for another that
/// the router would not serve in its place.
pub(super) struct Target<'p> {
    pub(super) path: &'p str,
    pub(super) route: Option<&'p str>,
}

impl<'p> Target<'p> {
    pub(super) fn of(parts: &'p Parts) -> Self {
        let uri = parts.extensions.get::<OriginalUri>();
        let route = parts.extensions.get::<MatchedPath>();
        Target {
            path: uri.map_or(&parts.uri, |OriginalUri(uri)| uri).path(),
            route: route.map(MatchedPath::as_str),
        }
    }

    /// Whether this is the route, as it was given to the router, or the whole path.
    pub(super) fn is(&self, marked: &str) -> bool {
        self.route == Some(marked) || self.path == marked
    }
}
