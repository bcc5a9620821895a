//! An axum application with Django's accounts and its admin in one SQLite file.

use std::net::SocketAddr;
use std::time::Duration;

use axum::{Router, routing::get};
use djauth::{Auth, LoginRequired, SecretKey, Settings};
use djauth_admin::AdminExt;

/// How long what waits may take at the end.
const LIMIT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::new(SecretKey::from_env("SECRET_KEY")?);
    let auth = Auth::connect("sqlite://db.sqlite3?mode=rwc", settings).await?;
    auth.migrate().await?;
    first_user(&auth).await?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    // With the address of whoever connects: guesses are counted and hashing is shared out by it.
    let app = app(&auth).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(stopped())
        .await?;
    // What waits in memory: mails, the log of logins, when sessions were last seen.
    auth.mail().drain(LIMIT).await;
    auth.access_log().drain(LIMIT).await;
    auth.user_sessions().write_last_seen().await?;
    Ok(())
}

async fn stopped() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        eprintln!("Ctrl-C cannot be caught: {error}");
        std::future::pending().await
    }
}

fn app(auth: &Auth) -> Router {
    Router::new()
        .route(
            "/",
            get(async |LoginRequired(user): LoginRequired| format!("Hello, {user}!")),
        )
        .nest("/accounts", auth.urls().merge(auth.account_urls()))
        .merge(auth.admin())
        .layer(auth.layer())
}

/// `FIRST_USER=name:password`, once.
async fn first_user(auth: &Auth) -> Result<(), Box<dyn std::error::Error>> {
    let Ok(text) = std::env::var("FIRST_USER") else {
        return Ok(());
    };
    let (name, password) = text.split_once(':').ok_or("FIRST_USER is name:password")?;
    if auth.users().get_by_natural_key(name).await?.is_none() {
        auth.users()
            .create_superuser(name, "", Some(password))
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use tower::ServiceExt as _;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    async fn made(folder: &tempfile::TempDir) -> Result<Auth, Box<dyn std::error::Error>> {
        let mut settings = Settings::new(SecretKey::new("for tests only, ".repeat(4))?);
        settings.allowed_hosts = vec!["example.com".into()];
        settings.password_hashers = vec!["md5".into()];
        let url = format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("db.sqlite3").display()
        );
        let auth = Auth::connect(&url, settings).await?;
        auth.migrate().await?;
        Ok(auth)
    }

    #[tokio::test]
    async fn strangers_are_sent_to_the_login_page() -> Outcome {
        let folder = tempfile::tempdir()?;
        let auth = made(&folder).await?;
        let request = Request::get("/")
            .header("Host", "example.com")
            .body(Body::empty())?;
        let response = app(&auth).oneshot(request).await?;
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(
            response.headers()[header::LOCATION],
            "/accounts/login/?next=/"
        );
        Ok(())
    }

    #[tokio::test]
    async fn the_admin_has_its_own_login_page() -> Outcome {
        let folder = tempfile::tempdir()?;
        let auth = made(&folder).await?;
        let request = Request::get("/admin/")
            .header("Host", "example.com")
            .body(Body::empty())?;
        let response = app(&auth).oneshot(request).await?;
        assert_eq!(
            response.headers()[header::LOCATION],
            "/admin/login/?next=/admin/"
        );
        Ok(())
    }

    #[tokio::test]
    async fn a_user_logs_in_and_is_greeted() -> Outcome {
        let folder = tempfile::tempdir()?;
        let auth = made(&folder).await?;
        auth.users()
            .create_user("alice", "", Some("correct horse"))
            .await?;
        let secret = "s".repeat(32);
        let form = format!("username=alice&password=correct+horse&csrfmiddlewaretoken={secret}");
        let request = Request::post("/accounts/login/?next=/")
            .header("Host", "example.com")
            .header("Cookie", format!("csrftoken={secret}"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(Body::from(form))?;
        let response = app(&auth).oneshot(request).await?;
        assert_eq!(response.headers()[header::LOCATION], "/");
        let cookies = response.headers().get_all(header::SET_COOKIE);
        let session = cookies.iter().find_map(|cookie| {
            Some(cookie.to_str().ok()?.split(';').next()?.to_owned())
                .filter(|c| c.starts_with("sessionid="))
        });
        let request = Request::get("/")
            .header("Host", "example.com")
            .header("Cookie", session.ok_or("no session")?)
            .body(Body::empty())?;
        let response = app(&auth).oneshot(request).await?;
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await?
            .to_bytes();
        assert_eq!(body, "Hello, alice!");
        Ok(())
    }
}
