//! `APPEND_SLASH` of `CommonMiddleware`.

use axum::body::Body;
use axum::extract;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, any};

use crate::Auth;
use crate::base_user::BaseUser;
use crate::http::{ErrorPage, Request, escape_leading_slashes, escape_uri_path, iri_to_uri};

impl<U: BaseUser> Auth<U> {
    /// A redirect (301) to the same address with a slash at its end, for the route without it; 404 where
    /// the setting `APPEND_SLASH` is off, and outside of [`Auth::layer`].
    ///
    /// Django looks whether some pattern matches with the slash; here the routes say it. As there, a
    /// form that is sent to the address without the slash loses its fields.
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # fn example(auth: djauth::Auth) -> Router {
    /// Router::new()
    ///     .route("/reports/", get(async || "all reports"))
    ///     .route("/reports", auth.append_slash())
    ///     .layer(auth.layer())
    /// # }
    /// ```
    pub fn append_slash<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        let wanted = self.settings().append_slash;
        any(move |request: extract::Request| async move {
            match request.extensions().get::<Request>() {
                Some(request) if wanted => redirect_with_slash(request),
                _ => ErrorPage::of(StatusCode::NOT_FOUND).response(),
            }
        })
    }
}

/// A redirect (301) to the address of this request with a slash at the end of its path; 404 where no header
/// can hold that address.
#[must_use]
pub fn redirect_with_slash(request: &Request) -> Response {
    let location = with_slash(&request.path(), request.query_string());
    let Ok(location) = HeaderValue::try_from(location) else {
        return ErrorPage::of(StatusCode::NOT_FOUND).response();
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(LOCATION, location);
    response
}

/// The path with a slash more, and the query. A second slash at its beginning is quoted: browsers take
/// what follows it for a host.
fn with_slash(path: &str, query: &str) -> String {
    let location = format!("{}/", escape_uri_path(path));
    let mut location = escape_leading_slashes(&location);
    if !query.is_empty() {
        location.push('?');
        location.push_str(&iri_to_uri(query));
    }
    location
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Answers of Django 6.1 for these paths and queries.
    #[test]
    fn cve_2018_14574_a_path_does_not_become_a_host() {
        for (path, query, location) in [
            ("/accounts/login", "", "/accounts/login/"),
            (
                "/accounts/login",
                "next=/a b",
                "/accounts/login/?next=/a%20b",
            ),
            ("//evil.example", "", "/%2Fevil.example/"),
            ("///evil.example", "x=1", "/%2F/evil.example/?x=1"),
            ("/\\evil.example", "", "/%5Cevil.example/"),
            ("/a?b", "", "/a%3Fb/"),
        ] {
            assert_eq!(with_slash(path, query), location);
        }
    }

    proptest! {
        #[test]
        fn it_stays_on_this_site(path in "/[/\\\\\\PC]{0,20}", query in "\\PC{0,20}") {
            let location = with_slash(&path, &query);
            prop_assert!(!location.starts_with("//") && !location.starts_with("/\\"), "{}", location);
            prop_assert!(HeaderValue::try_from(location).is_ok());
        }
    }
}
