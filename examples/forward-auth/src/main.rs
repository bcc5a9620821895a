//! A page behind a proxy that asks djauth: this program knows nothing of sessions and passwords.

use axum::http::{HeaderMap, StatusCode};
use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Loopback only: whoever reaches this port can claim to be anybody.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
    axum::serve(listener, app()).await?;
    Ok(())
}

fn app() -> Router {
    Router::new().route("/", get(hello))
}

async fn hello(headers: HeaderMap) -> Result<String, StatusCode> {
    let user = headers
        .get("X-Remote-User")
        .and_then(|name| name.to_str().ok());
    let user = user
        .filter(|name| !name.is_empty())
        .ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(format!("Hello, {user}!"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Request, header};
    use djauth::{Auth, SecretKey, Settings};
    use tower::ServiceExt as _;

    type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

    async fn made(folder: &tempfile::TempDir) -> Outcome<Auth> {
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

    /// What the proxy does: asks first, and passes the name on.
    async fn through_the_proxy(auth: &Auth, cookie: &str) -> Outcome<(StatusCode, String)> {
        let verify = Router::new()
            .route("/auth/verify", djauth::views::verify(auth))
            .layer(auth.layer());
        let question = Request::get("/auth/verify")
            .header(header::HOST, "example.com")
            .header(header::COOKIE, cookie)
            .body(Body::empty())?;
        let answer = verify.oneshot(question).await?;
        let Some(user) = answer.headers().get("X-Remote-User") else {
            return Ok((answer.status(), String::new()));
        };
        let request = Request::get("/")
            .header("X-Remote-User", user)
            .body(Body::empty())?;
        let response = app().oneshot(request).await?;
        let status = response.status();
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await?
            .to_bytes();
        Ok((status, String::from_utf8(body.to_vec())?))
    }

    #[tokio::test]
    async fn only_those_who_are_logged_in_come_through() -> Outcome {
        let folder = tempfile::tempdir()?;
        let auth = made(&folder).await?;
        let user = auth
            .users()
            .create_user("alice", "", Some("secret"))
            .await?;
        let session = auth.sessions().open(None);
        let request = djauth::Request::detached(auth.settings().clone(), session.clone());
        auth.login(
            &request,
            user,
            Some("django.contrib.auth.backends.ModelBackend"),
        )
        .await?;
        session.save().await?;
        let cookie = format!("sessionid={}", session.session_key().ok_or("no key")?);
        assert_eq!(
            through_the_proxy(&auth, "").await?.0,
            StatusCode::UNAUTHORIZED
        );
        let answer = through_the_proxy(&auth, &cookie).await?;
        assert_eq!(answer, (StatusCode::OK, "Hello, alice!".to_owned()));
        Ok(())
    }

    #[tokio::test]
    async fn without_a_name_nobody_is_greeted() -> Outcome {
        let response = app()
            .oneshot(Request::get("/").body(Body::empty())?)
            .await?;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        Ok(())
    }
}
