//! The same question answered by axum-login, tower-sessions and sqlx on Django's tables, put together
//! as their documentation does.
//!
//! `axum-login-peer fill` logs every user of the benchmark in and prints the values of their cookies;
//! `axum-login-peer ADDR:PORT` serves. `DATABASE_URL` names the database.

#![forbid(unsafe_code)]

mod backend;

use std::collections::HashMap;
use std::error::Error;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum_login::{AuthManagerLayerBuilder, AuthnBackend, AuthzBackend};
use sqlx::pool::PoolOptions;
use tokio::net::TcpListener;
use tower::ServiceExt;
use tower_sessions::{SessionManagerLayer, SessionStore};
use tower_sessions_sqlx_store::{PostgresStore, SqliteStore};

use crate::backend::Backend;

type AuthSession = axum_login::AuthSession<Backend>;
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::var("DATABASE_URL")?;
    let asked = std::env::args()
        .nth(1)
        .ok_or("axum-login-peer fill|ADDR:PORT")?;
    if url.starts_with("postgres") {
        let pool = pool().connect(&url).await?;
        let store = PostgresStore::new(pool.clone());
        store.migrate().await?;
        run(&asked, store, Backend::Postgres(pool)).await
    } else {
        let pool = pool().connect(&url).await?;
        let store = SqliteStore::new(pool.clone());
        store.migrate().await?;
        run(&asked, store, Backend::Sqlite(pool)).await
    }
}

/// Without the question whether a connection still lives, which would be one more at each turn.
fn pool<DB: sqlx::Database>() -> PoolOptions<DB> {
    PoolOptions::new().test_before_acquire(false)
}

async fn run<S: SessionStore + Clone>(asked: &str, store: S, backend: Backend) -> Result<()> {
    if asked == "fill" {
        return fill(store, backend).await;
    }
    let routes = Router::new().route("/auth/verify", get(verify));
    let app = with_layers(routes, store, backend);
    let listener = TcpListener::bind(asked).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener.tap_io(|io| drop(io.set_nodelay(true))), app).await?;
    Ok(())
}

fn with_layers<S: SessionStore + Clone>(routes: Router, store: S, backend: Backend) -> Router {
    let sessions = SessionManagerLayer::new(store)
        .with_name("sessionid")
        .with_secure(false);
    routes.layer(AuthManagerLayerBuilder::new(backend, sessions).build())
}

/// Who is logged in and has the permission of the query.
async fn verify(
    session: AuthSession,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, StatusCode> {
    let user = session.user.ok_or(StatusCode::UNAUTHORIZED)?;
    if let Some(perm) = query.get("perm") {
        let has = user.is_superuser || has_perm(&session.backend, &user, perm).await?;
        if !has {
            return Err(StatusCode::FORBIDDEN);
        }
    }
    let headers = [
        ("x-remote-user", user.username),
        ("cache-control", "no-store".into()),
    ];
    Ok(headers.into_response())
}

async fn has_perm(backend: &Backend, user: &backend::User, perm: &str) -> Result<bool, StatusCode> {
    let has = backend.has_perm(user, perm.to_owned()).await;
    has.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

/// Through the layers, so that the sessions are theirs in every byte.
async fn fill<S: SessionStore + Clone>(store: S, backend: Backend) -> Result<()> {
    let users = backend.bench_users().await?;
    let routes = Router::new().route("/login/{id}", post(log_in));
    let app = with_layers(routes, store, backend);
    for user in users {
        let request = Request::post(format!("/login/{}", user.id)).body(Body::empty())?;
        let answer = app.clone().oneshot(request).await?;
        println!("{}", session_key(&answer).ok_or("a login set no cookie")?);
    }
    Ok(())
}

async fn log_in(mut session: AuthSession, Path(id): Path<i32>) -> StatusCode {
    let Ok(Some(user)) = session.backend.authenticate(id).await else {
        return StatusCode::UNAUTHORIZED;
    };
    match session.login(&user).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn session_key(answer: &Response) -> Option<&str> {
    let cookie = answer.headers().get(header::SET_COOKIE)?.to_str().ok()?;
    let (key, _) = cookie.strip_prefix("sessionid=")?.split_once(';')?;
    Some(key)
}
