//! The Rust twin of `interop/project`: the same pages and the same calls, by the crates.
//!
//! `interop-app ADDR:PORT`; settings come from the environment, under Django's names.

mod commands;
mod models;
mod pages;

use std::net::SocketAddr;

use axum::Router;
use axum::routing::{get, post};
use djauth::{Auth, Settings, User};
use djauth_admin::AdminExt;
use tokio::net::TcpListener;

use crate::models::{Account, Member, Twin};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let address = std::env::args()
        .nth(1)
        .ok_or("usage: interop-app ADDR:PORT")?;
    let settings = Settings::from_env()?;
    let url = settings.database_url.clone();
    match settings.auth_user_model.label().as_str() {
        "accounts.account" => serve::<Account>(settings, url.expose(), &address).await,
        "clubs.member" => serve::<Member>(settings, url.expose(), &address).await,
        _ => serve::<User>(settings, url.expose(), &address).await,
    }
}

async fn serve<U: Twin>(settings: Settings, url: &str, address: &str) -> Result<(), Failure> {
    let auth = Auth::builder(settings)
        .user_model::<U>()
        .connect(url)
        .await?;
    let app = router(&auth).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(TcpListener::bind(address).await?, app).await?;
    Ok(())
}

fn router<U: Twin>(auth: &Auth<U>) -> Router {
    Router::new()
        .route("/", get(pages::who::<U>))
        .route(
            "/private/",
            get(pages::private::<U>).post(pages::private::<U>),
        )
        .route("/report/", get(pages::report::<U>))
        .route("/session/", get(pages::session).post(pages::change_session))
        .route("/_do", post(commands::call::<U>))
        .with_state(auth.clone())
        .nest("/accounts", auth.urls().merge(auth.account_urls()))
        .merge(auth.admin())
        .layer(auth.layer().csrf_exempt("/_do"))
}
