//! `GET /auth/verify`: lets a reverse proxy ask who is logged in and what they may do.

use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::{MethodRouter, get};

use crate::Auth;
use crate::base_user::BaseUser;
use crate::http::{DATA_UPLOAD_MAX_NUMBER_FIELDS, QueryDict, cookies_of, quote};
use crate::middleware::failure;
use crate::mixins::is_permission_name;

/// The answer to whoever asks is who is logged in:
///
/// | status | meaning |
/// |---|---|
/// | 200 | logged in, with every permission that the query asks for (`?perm=app.codename&perm=…`); the name is in `X-Remote-User`, its UTF-8 percent-encoded |
/// | 401 | nobody is logged in |
/// | 403 | a permission is missing |
/// | 400 | a `perm` is not `app_label.codename` |
/// | 503 | not known: the database or the cache is away; with `Retry-After` |
///
/// Nothing is written and no cookie set, because a proxy throws cookies away: a session whose hash was
/// made with a fallback key counts and is not renewed, a broken one is not deleted. No cache may keep the answer.
///
/// Route it outside of [`Auth::layer`], which it does not need: the layer would check the host that the
/// proxy sends, and save sessions under `SESSION_SAVE_EVERY_REQUEST`.
///
/// ```
/// # async fn example(auth: djauth::Auth) -> axum::Router {
/// use axum::Router;
///
/// Router::new()
///     .nest("/accounts", Router::new())
///     .layer(auth.layer())
///     .route("/auth/verify", djauth::views::verify(&auth))
/// # }
/// ```
pub fn verify<U: BaseUser, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> MethodRouter<S> {
    let auth = auth.clone();
    get(move |parts: Parts| async move { answer(&auth, &parts).await })
}

async fn answer<U: BaseUser>(auth: &Auth<U>, parts: &Parts) -> Response<Body> {
    let mut response = match decide(auth, parts).await {
        Ok(name) => allowed(&name),
        Err(response) => *response,
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The name of the user, or another answer.
async fn decide<U: BaseUser>(auth: &Auth<U>, parts: &Parts) -> Result<String, Box<Response<Body>>> {
    let bare = |status| Box::new(with_status(status));
    let query = parts.uri.query().unwrap_or("").as_bytes();
    let query = QueryDict::parse(query, DATA_UPLOAD_MAX_NUMBER_FIELDS)
        .map_err(|_| bare(StatusCode::BAD_REQUEST))?;
    let perms: Vec<&str> = query.get_list("perm").iter().map(String::as_str).collect();
    if !perms.iter().all(|perm| is_permission_name(perm)) {
        return Err(bare(StatusCode::BAD_REQUEST));
    }
    let cookies = cookies_of(&parts.headers);
    let cookie = cookies.get(&auth.settings().session_cookie_name);
    let session = auth.sessions().open(cookie);
    let verdict = auth
        .verify(&session, &perms)
        .await
        .map_err(|error| Box::new(failure(&error)))?;
    match verdict {
        None => Err(bare(StatusCode::UNAUTHORIZED)),
        Some(verdict) if !verdict.permitted => Err(bare(StatusCode::FORBIDDEN)),
        Some(verdict) => Ok(verdict.user.get_username()),
    }
}

fn allowed(name: &str) -> Response<Body> {
    const X_REMOTE_USER: HeaderName = HeaderName::from_static("x-remote-user");
    let mut response = with_status(StatusCode::OK);
    if let Ok(name) = HeaderValue::try_from(quote(name, "")) {
        response.headers_mut().insert(X_REMOTE_USER, name);
    }
    response
}

fn with_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
