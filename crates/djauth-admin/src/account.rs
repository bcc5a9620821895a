//! Pages about one's own account.

use axum::Router;
use axum::body::Body;
use axum::extract;
use axum::http::{Method, Response, StatusCode};
use axum::routing::any;
use djauth::http::{
    add_never_cache_headers, error_response, failure_response, redirect, redirect_to_login,
};
use djauth::views::PageRequest;
use djauth::{Auth, BaseUser, Error, REDIRECT_FIELD_NAME, Request};
use futures_util::future::BoxFuture;
use minijinja::{Value, context};

use crate::messages::{Message, Messages};
use crate::model::Made;
use crate::sessions::{self, Ending};
use crate::templates;

/// The routes of [`AdminExt::account_urls`](crate::AdminExt::account_urls).
pub(crate) fn urls<U: BaseUser, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    auth.templates().add_built_in(templates::ACCOUNT);
    let of = auth.clone();
    let page = any(move |request: extract::Request| answer(of.clone(), request));
    Router::new()
        .route("/sessions/", page)
        .route("/sessions", auth.append_slash())
}

fn answer<U: BaseUser>(
    auth: Auth<U>,
    request: extract::Request,
) -> BoxFuture<'static, Response<Body>> {
    Box::pin(async move {
        let page = match PageRequest::read(request).await {
            Ok(page) => page,
            Err(response) => return *response,
        };
        let messages = Messages::of(&auth, page.request());
        let answer = answered(&auth, &page, &messages).await;
        let mut response = answer.unwrap_or_else(|error| failure_response(&error));
        add_never_cache_headers(response.headers_mut(), auth.now());
        match messages.finish(response.headers_mut()).await {
            Ok(()) => response,
            Err(error) => failure_response(&error),
        }
    })
}

fn answered<'a, U: BaseUser>(
    auth: &'a Auth<U>,
    page: &'a PageRequest,
    messages: &'a Messages,
) -> Made<'a, Response<Body>> {
    Box::pin(async move {
        let request = page.request();
        let Some(user) = auth.user(request).await? else {
            return Ok(to_login(auth, request));
        };
        let key = user.id().to_string();
        if page.is_post() {
            return ended(auth, page, messages, &key).await;
        }
        let Some(sessions) = sessions::of(auth, request, &key).await? else {
            return Ok(error_response(StatusCode::NOT_FOUND));
        };
        let waiting = match *request.method() {
            Method::HEAD => Vec::new(),
            _ => messages.take().await?,
        };
        let waiting = waiting.iter().map(Message::html);
        let values = context! {
            messages => waiting.collect::<Value>(),
            ..sessions.value(request.language(), auth.settings().time_zone)
        };
        auth.templates()
            .page(request, "account/sessions.html", values)
    })
}

fn to_login<U: BaseUser>(auth: &Auth<U>, request: &Request) -> Response<Body> {
    let path = request.get_full_path();
    let to = redirect_to_login(&path, &auth.settings().login_url, REDIRECT_FIELD_NAME);
    redirected(&to)
}

fn redirected(to: &str) -> Response<Body> {
    redirect(to).unwrap_or_else(|_| error_response(StatusCode::BAD_REQUEST))
}

async fn ended<U: BaseUser>(
    auth: &Auth<U>,
    page: &PageRequest,
    messages: &Messages,
    key: &str,
) -> Result<Response<Body>, Error> {
    let Some(ending) = Ending::of(page.data()) else {
        return Ok(error_response(StatusCode::BAD_REQUEST));
    };
    let request = page.request();
    let Some(ended) = sessions::end(auth, request, key, ending).await? else {
        return Ok(error_response(StatusCode::NOT_FOUND));
    };
    ended.tell(messages, request.language());
    Ok(match ended.own {
        true => redirected(&auth.settings().login_url),
        false => redirected(&request.get_full_path()),
    })
}
