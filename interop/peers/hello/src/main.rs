//! `hello ADDR:PORT`: axum's hello world, which is as fast as anything on axum can be.

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).ok_or("hello ADDR:PORT")?;
    let hello = get(|| async { "Hello, World!" });
    let app = Router::new()
        .route("/", hello.clone())
        .route("/auth/verify", hello);
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener.tap_io(|io| drop(io.set_nodelay(true))), app).await?;
    Ok(())
}
