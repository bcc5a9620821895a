//! An own user model: people log in with their e-mail address, keys are UUIDs.

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Router, routing::get};
use djauth::db::Executor as _;
use djauth::management::{App, Migrate};
use djauth::{
    AbstractBaseUser, Auth, BaseUser, Credentials, CsrfToken, LoginRequired, PermissionsMixin,
    Rejection, Request, SecretKey, Settings,
};
use std::fmt;
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
    let settings = Settings::new(SecretKey::from_env("SECRET_KEY")?);
    let auth = connect("sqlite://db.sqlite3?mode=rwc", settings).await?;
    if let [email, name, password] = std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        register(&auth, email, name, password).await?;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    axum::serve(listener, app(&auth)).await?;
    Ok(())
}

async fn connect(url: &str, settings: Settings) -> Result<Auth<Account>, djauth::Error> {
    let auth = Auth::builder(settings)
        .user_model::<Account>()
        .connect(url)
        .await?;
    let apps = [App::ContentTypes, App::Auth, App::Sessions];
    Migrate::new().apps(apps).run(auth.db()).await?;
    // The application's own tables: beside a Django site its migrations make them.
    let tables = auth.db().begin().await?;
    tables.execute_script(include_str!("accounts.sql")).await?;
    tables.commit().await?;
    auth.check().await?;
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
        .route("/accounts/login/", get(login_page).post(log_in))
        .with_state(auth.clone())
        .layer(auth.layer())
}

async fn hello(LoginRequired(account): LoginRequired<Account>) -> String {
    format!("Hello, {}!", account.full_name)
}

async fn login_page(token: CsrfToken) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=en><title>Log in</title><form method=post>\
         <input type=hidden name=csrfmiddlewaretoken value=\"{token}\">\
         <label>E-mail <input type=email name=email autocomplete=username required></label>\
         <label>Password <input type=password name=password autocomplete=current-password required></label>\
         <button>Log in</button></form>"
    ))
}

#[derive(serde::Deserialize)]
struct Login {
    email: String,
    password: String,
}

async fn log_in(
    State(auth): State<Auth<Account>>,
    request: Request,
    Form(form): Form<Login>,
) -> Result<Response, Rejection> {
    let credentials = Credentials::username_password(form.email, form.password);
    match auth.authenticate(Some(&request), &credentials).await? {
        Some(account) => {
            auth.login(&request, account, None).await?;
            Ok(Redirect::to("/").into_response())
        }
        None => Ok((
            StatusCode::UNPROCESSABLE_ENTITY,
            "No such address and password.",
        )
            .into_response()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::header;
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
        let response = post(&auth, "email=ada%40example.com&password=correct+horse").await?;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
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
        let response = post(&auth, "email=ada%40example.com&password=wrong").await?;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        Ok(())
    }
}
