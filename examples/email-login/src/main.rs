//! An own user model: people log in with their e-mail address, keys are UUIDs.

use axum::{Router, routing::get};
use djauth::{
    AbstractBaseUser, Auth, BaseUser, LoginRequired, PermissionsMixin, SecretKey, Settings,
};
use std::fmt;
use std::net::SocketAddr;
use uuid::Uuid;

#[derive(Clone, Debug, BaseUser)]
#[django(
    app_label = "accounts",
    USERNAME_FIELD = "email",
    REQUIRED_FIELDS("full_name")
)]
struct Account {
    id: Uuid,
    base: AbstractBaseUser,
    permissions: PermissionsMixin,
    #[django(max_length = 254, unique)]
    email: String,
    #[django(max_length = 100)]
    full_name: String,
    #[django(default = true)]
    is_active: bool,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.email)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = Settings::new(SecretKey::from_env("SECRET_KEY")?);
    settings.login_redirect_url = "/".into();
    let auth = connect("sqlite://db.sqlite3?mode=rwc", settings).await?;
    if let [email, name, password] = std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        register(&auth, email, name, password).await?;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    // With the address of whoever connects: guesses are counted and hashing is shared out by it.
    let app = app(&auth).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}

async fn connect(url: &str, settings: Settings) -> Result<Auth<Account>, djauth::Error> {
    let auth = Auth::builder(settings)
        .user_model::<Account>()
        .connect(url)
        .await?;
    // Beside a Django site its own migrations have made the tables; then `auth.check()` is enough.
    auth.migrate().await?;
    Ok(auth)
}

async fn register(
    auth: &Auth<Account>,
    email: &str,
    name: &str,
    password: &str,
) -> Result<Account, djauth::Error> {
    let named = |account: &mut Account| account.full_name = name.to_owned();
    auth.users()
        .create_user_with(email, email, Some(password), named)
        .await
}

fn app(auth: &Auth<Account>) -> Router {
    Router::new()
        .route("/", get(hello))
        // Login, logout, changing and resetting the password: with the model's own login field.
        .nest("/accounts", auth.urls())
        .layer(auth.layer())
}

async fn hello(LoginRequired(account): LoginRequired<Account>) -> String {
    format!("Hello, {}!", account.full_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{StatusCode, header};
    use axum::response::Response;
    use tower::ServiceExt as _;

    type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

    async fn made(folder: &tempfile::TempDir) -> Outcome<Auth<Account>> {
        let mut settings = Settings::new(SecretKey::new("for tests only, ".repeat(4))?);
        settings.allowed_hosts = vec!["example.com".into()];
        settings.password_hashers = vec!["md5".into()];
        let path = folder.path().join("db.sqlite3");
        Ok(connect(&format!("sqlite://{}?mode=rwc", path.display()), settings).await?)
    }

    async fn post(auth: &Auth<Account>, form: &str) -> Outcome<Response> {
        let secret = "s".repeat(32);
        let request = axum::http::Request::post("/accounts/login/")
            .header(header::HOST, "example.com")
            .header(header::COOKIE, format!("csrftoken={secret}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("{form}&csrfmiddlewaretoken={secret}")))?;
        Ok(app(auth).oneshot(request).await?)
    }

    #[tokio::test]
    async fn an_address_and_its_password_log_in() -> Outcome {
        let folder = tempfile::tempdir()?;
        let auth = made(&folder).await?;
        register(&auth, "ada@example.com", "Ada", "correct horse").await?;
        let response = post(&auth, "username=ada%40example.com&password=correct+horse").await?;
        assert_eq!(response.status(), StatusCode::FOUND);
        let cookies = response.headers().get_all(header::SET_COOKIE).iter();
        let mut cookies = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        let session = cookies.find(|cookie| cookie.starts_with("sessionid="));
        let request = axum::http::Request::get("/")
            .header(header::HOST, "example.com")
            .header(header::COOKIE, session.ok_or("no session")?)
            .body(Body::empty())?;
        let body = app(&auth).oneshot(request).await?.into_body();
        assert_eq!(
            http_body_util::BodyExt::collect(body).await?.to_bytes(),
            "Hello, Ada!"
        );
        Ok(())
    }

    #[tokio::test]
    async fn a_wrong_password_does_not() -> Outcome {
        let folder = tempfile::tempdir()?;
        let auth = made(&folder).await?;
        register(&auth, "ada@example.com", "Ada", "correct horse").await?;
        let response = post(&auth, "username=ada%40example.com&password=wrong").await?;
        // The page again, with what is wrong.
        assert_eq!(response.status(), StatusCode::OK);
        Ok(())
    }
}
