//! Pages beside a live Django site, for the users, sessions and permissions of that site.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use djauth::{Auth, LoginRequired, PermissionRequired, Settings, permission};

permission!(ViewReport = "reports.view_report");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // SECRET_KEY, DATABASE_URL, PASSWORD_HASHERS, … as the Django site has them.
    let settings = Settings::from_env()?;
    let url = settings.database_url.clone();
    let auth = Auth::connect(url.expose(), settings).await?;
    // Reads what is there and refuses what it does not know; never changes the database's schema.
    auth.check().await?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8001").await?;
    // With the address of whoever connects: guesses are counted and hashing is shared out by it.
    let app = app(&auth).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}

fn app(auth: &Auth) -> Router {
    Router::new()
        .route(
            "/rust/",
            get(async |LoginRequired(user): LoginRequired| format!("Hello, {user}!")),
        )
        .route("/rust/report/", get(report))
        .layer(auth.layer())
}

async fn report(user: PermissionRequired<ViewReport>) -> String {
    format!("The report, for {}", user.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use djauth::contenttypes::ContentTypeManager;
    use djauth::{SecretKey, User};
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
        auth.check().await?;
        Ok(auth)
    }

    /// A session as the site's own login page makes it.
    async fn logged_in(auth: &Auth, user: User) -> Outcome<String> {
        let session = auth.sessions().open(None);
        let request = djauth::Request::detached(auth.settings().clone(), session.clone());
        auth.login(
            &request,
            user,
            Some("django.contrib.auth.backends.ModelBackend"),
        )
        .await?;
        session.save().await?;
        Ok(format!(
            "sessionid={}",
            session.session_key().ok_or("no key")?
        ))
    }

    async fn status(auth: &Auth, cookie: &str) -> Outcome<StatusCode> {
        let request = Request::get("/rust/report/")
            .header(header::HOST, "example.com")
            .header(header::COOKIE, cookie)
            .body(Body::empty())?;
        Ok(app(auth).oneshot(request).await?.status())
    }

    #[tokio::test]
    async fn the_report_is_for_those_who_may_see_it() -> Outcome {
        let folder = tempfile::tempdir()?;
        let auth = made(&folder).await?;
        let (reports, _) =
            ContentTypeManager::get_or_create(auth.db(), "reports", "report").await?;
        let view = auth
            .permissions()
            .create(reports.id, "view_report", "Can view report")
            .await?;
        let user = auth
            .users()
            .create_user("alice", "", Some("secret"))
            .await?;
        assert_eq!(status(&auth, "").await?, StatusCode::FOUND);
        let cookie = logged_in(&auth, user.clone()).await?;
        assert_eq!(status(&auth, &cookie).await?, StatusCode::FORBIDDEN);
        auth.users()
            .user_permissions(&user)?
            .add(&[view.id])
            .await?;
        assert_eq!(status(&auth, &cookie).await?, StatusCode::OK);
        Ok(())
    }
}
