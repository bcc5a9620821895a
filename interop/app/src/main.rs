//! The Rust twin of `interop/project`: the same pages and the same calls, by the crates.
//!
//! `interop-app ADDR:PORT`; settings come from the environment, under Django's names.

mod commands;
mod pages;

use axum::Router;
use axum::routing::{get, post};
use djauth::{Auth, Settings};
use tokio::net::TcpListener;

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
    let auth = Auth::connect(url.expose(), settings).await?;
    axum::serve(TcpListener::bind(address).await?, router(&auth)).await?;
    Ok(())
}

fn router(auth: &Auth) -> Router {
    Router::new()
        .route("/", get(pages::who))
        .route("/private/", get(pages::private).post(pages::private))
        .route("/report/", get(pages::report))
        .route("/session/", get(pages::session).post(pages::change_session))
        .route("/_do", post(commands::call))
        .with_state(auth.clone())
        .nest("/accounts", auth.urls())
        .layer(auth.layer().csrf_exempt("/_do"))
}
