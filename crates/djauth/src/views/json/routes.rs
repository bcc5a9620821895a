//! What has no page: the token, who is logged in, the description.

use std::sync::LazyLock;

use axum::Router;
use axum::http::Method;
use serde_json::Value;

use super::bodies;
use crate::base_user::BaseUser;
use crate::views::page::{View, allow};
use crate::views::{Outcome, PageRequest};
use crate::{Auth, Error};

/// The description, to be read and to be handed out.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("openapi.json")).unwrap_or_default());

const DOCUMENT_PATH: &str = "/openapi.json";

struct Csrf;
struct WhoAmI;
struct OpenApi;

impl<U: BaseUser> Auth<U> {
    /// Three addresses for clients that speak JSON, to nest beside [`Auth::urls`]: `csrf/` hands out a
    /// CSRF token, `whoami/` says who is logged in (401: nobody), and `openapi.json` describes them and
    /// the JSON of all pages, as OpenAPI 3.1.
    ///
    /// ```
    /// # fn routes(auth: &djauth::Auth) -> axum::Router {
    /// axum::Router::new()
    ///     .nest("/accounts", auth.urls().merge(auth.json_urls()))
    ///     .layer(auth.layer())
    /// # }
    /// ```
    pub fn json_urls<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/csrf/", self.page(Csrf))
            .route("/whoami/", self.page(WhoAmI))
            .route(DOCUMENT_PATH, self.page(OpenApi))
    }
}

/// `OPTIONS` and unknown methods.
fn unless_read(request: &PageRequest) -> Option<Outcome> {
    let read = matches!(*request.handle.method(), Method::GET | Method::HEAD);
    (!read).then(|| allow(&request.handle, "GET, HEAD, OPTIONS").into())
}

impl<U: BaseUser> View<U> for Csrf {
    const NEVER_CACHE: bool = true;

    async fn dispatch(&self, _: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        Ok(unless_read(request).unwrap_or_else(|| bodies::token(&request.handle).into()))
    }
}

impl<U: BaseUser> View<U> for WhoAmI {
    const NEVER_CACHE: bool = true;

    async fn dispatch(&self, auth: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        if let Some(outcome) = unless_read(request) {
            return Ok(outcome);
        }
        let user = auth.user(&request.handle).await?;
        Ok(bodies::user(&request.handle, user.as_deref()).into())
    }
}

impl<U: BaseUser> View<U> for OpenApi {
    const NEVER_CACHE: bool = false;

    async fn dispatch(&self, _: &Auth<U>, request: &PageRequest) -> Result<Outcome, Error> {
        if let Some(outcome) = unless_read(request) {
            return Ok(outcome);
        }
        let path = request.handle.path();
        let folder = path.strip_suffix(DOCUMENT_PATH).unwrap_or_default();
        let mut document = DOCUMENT.clone();
        document["servers"] = serde_json::json!([{ "url": folder }]);
        Ok(bodies::document(&document).into())
    }
}
