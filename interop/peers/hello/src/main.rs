//! `hello ADDR:PORT`: axum's hello world, which is as fast as anything on axum can be.
//!
//! `hello ADDR:PORT like-verify` sends the header fields that an answer to a proxy has instead of the text, and
//! does nothing for them: what these alone cost.

use axum::Router;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use axum::routing::{MethodRouter, get};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

const X_REMOTE_USER: HeaderName = HeaderName::from_static("x-remote-user");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("hello ADDR:PORT [like-verify]")?;
    let answer = match arguments.next().as_deref() {
        None => get(async || "Hello, World!"),
        Some("like-verify") => like_verify(),
        Some(other) => return Err(format!("what is {other}?").into()),
    };
    let app = Router::new()
        .route("/", answer.clone())
        .route("/auth/verify", answer);
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener.tap_io(|io| drop(io.set_nodelay(true))), app).await?;
    Ok(())
}

fn like_verify() -> MethodRouter {
    get(async || {
        [
            (X_REMOTE_USER, "user5"),
            (CACHE_CONTROL, "no-store"),
            (X_REQUEST_ID, "04af494c1b0f4a6a66975cbfe3eb09bc"),
        ]
    })
}
