//! Who may enter: route layers, extractors and `LoginRequiredMiddleware`.

use axum::Router;
use axum::body::Body;
use axum::http::{Request as HttpRequest, StatusCode};
use axum::response::Response;
use axum::routing::{any, get};
use djauth::middleware::LoginRequiredMiddleware;
use djauth::mixins::{CurrentUser, TestFunc};
use djauth::{
    Auth, Error, LoginRequired, PermissionRequired, User, UserPassesTest, login_required,
    permission_required, user_passes_test,
};
use serde_json::Value;
use test_databases::TestDatabase;
use tower::ServiceExt;

use crate::layer::{alice, ask, page};

djauth::permission!(ViewUser = "auth.view_user");
djauth::permission!(Both = ["auth.view_user", "auth.change_user"]);

async fn grant(auth: &Auth, codename: &str) {
    let alice = auth
        .users()
        .get_by_natural_key("alice")
        .await
        .unwrap()
        .unwrap();
    let found = auth
        .permissions()
        .get_by_natural_key(codename, "auth", "user")
        .await;
    let granted = auth.users().user_permissions(&alice).unwrap();
    granted.add(&[found.unwrap().unwrap().id]).await.unwrap();
}

async fn ask_json(app: &Router, path: &str, cookie: Option<&str>) -> Response {
    let request = HttpRequest::get(path)
        .header("host", "testserver")
        .header("accept", "application/json")
        .header(
            "cookie",
            format!("sessionid={}", cookie.unwrap_or_default()),
        );
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn json(response: Response) -> Value {
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(vary(&response).contains("Accept"));
    let body: Value = serde_json::from_str(&page(response).await).unwrap();
    body["error"].clone()
}

fn vary(response: &Response) -> String {
    let values = response.headers().get_all("vary").iter();
    let values: Vec<_> = values.map(|v| v.to_str().unwrap()).collect();
    values.join(", ")
}

struct Named<const NOBODY: bool>;

impl<const NOBODY: bool> TestFunc for Named<NOBODY> {
    async fn test_func(user: Option<&CurrentUser>) -> Result<bool, Error> {
        Ok(user.map_or(NOBODY, |user| user.username == "bob"))
    }
}

#[tokio::test]
async fn several_permissions_are_needed_together() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let app = Router::new()
        .route("/one", get(async |_: PermissionRequired<ViewUser>| "in"))
        .route("/both", get(async |_: PermissionRequired<Both>| "in"))
        .route(
            "/layer",
            get(async || "in").route_layer(
                permission_required(["auth.view_user", "auth.change_user"]).raise_exception(),
            ),
        )
        .layer(auth.layer());
    let status = async |path| ask(&app, path, Some(&live)).await.status().as_u16();
    assert_eq!([status("/one").await, status("/both").await], [403, 403]);
    grant(&auth, "view_user").await;
    assert_eq!([status("/one").await, status("/both").await], [200, 403]);
    assert_eq!(status("/layer").await, 403);
    grant(&auth, "change_user").await;
    assert_eq!([status("/both").await, status("/layer").await], [200, 200]);
}

/// As Django's mixin: a stranger is sent to the login page, somebody else gets 403; the test is asked
/// about nobody too.
#[tokio::test]
async fn an_extractor_asks_a_test_of_ones_own() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let app = Router::new()
        .route("/bob", get(async |_: UserPassesTest<Named<false>>| "in"))
        .route(
            "/nobody",
            get(async |asked: UserPassesTest<Named<true>>| {
                asked.0.map_or("nobody".into(), |user| user.to_string())
            }),
        )
        .layer(auth.layer());
    assert_eq!(ask(&app, "/bob", None).await.status(), StatusCode::FOUND);
    assert_eq!(
        ask(&app, "/bob", Some(&live)).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(page(ask(&app, "/nobody", None).await).await, "nobody");
    auth.db().close().await;
    let unknown = ask(&app, "/nobody", Some(&live)).await;
    assert_eq!(unknown.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_message_of_a_layer_is_on_its_page() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let members = permission_required("auth.view_user")
        .raise_exception()
        .permission_denied_message("Only <members> may see this.");
    let app = Router::new().route("/", get(async || "in").route_layer(members));
    let app = app.layer(auth.layer());
    let refused = ask(&app, "/", Some(&live)).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(
        page(refused)
            .await
            .contains("Only &lt;members&gt; may see this.")
    );
}

/// A layer that was told so answers in JSON whoever wants JSON more than a page; others as ever.
#[tokio::test]
async fn json_is_refused_in_json_where_the_layer_is_told_so() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let raising = permission_required("auth.view_user").raise_exception();
    let tests = user_passes_test(async |_: Option<std::sync::Arc<User>>| Ok(false));
    let routes = Router::new()
        .route("/plain", get(async || "").route_layer(login_required()))
        .route(
            "/told",
            get(async || "").route_layer(login_required().json()),
        )
        .route("/raise", get(async || "").route_layer(raising.json()))
        .route("/test", get(async || "").route_layer(tests.json()))
        .route("/extractor", get(async |_: LoginRequired| ""))
        .route("/perm", get(async |_: PermissionRequired<ViewUser>| ""));
    let app = routes.clone().layer(auth.layer());
    for path in ["/plain", "/extractor"] {
        let answer = ask_json(&app, path, None).await;
        assert_eq!(answer.status(), StatusCode::FOUND, "{path}");
        assert!(!vary(&answer).contains("Accept"), "{path}");
    }
    let page_wanted = ask(&app, "/told", None).await;
    assert_eq!(page_wanted.status(), StatusCode::FOUND);
    assert!(vary(&page_wanted).contains("Accept"));
    let refused = ask_json(&app, "/told", None).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let body = json(refused).await;
    assert_eq!(body["code"], "not_authenticated");
    assert_eq!(body["login_url"], "/accounts/login/?next=/told");
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|text| text.contains(' '))
    );
    let refused = ask_json(&app, "/raise", Some(&live)).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let body = json(refused).await;
    assert_eq!(body["code"], "permission_denied");
    assert!(body.get("login_url").is_none());
    let refused = ask_json(&app, "/test", Some(&live)).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);

    let app = routes.layer(auth.layer().json_refusals());
    for (path, cookie, expected) in [
        ("/plain", None, 401),
        ("/extractor", None, 401),
        ("/perm", None, 401),
        ("/perm", Some(&*live), 403),
    ] {
        let refused = ask_json(&app, path, cookie).await;
        assert_eq!(refused.status().as_u16(), expected, "{path}");
        json(refused).await;
    }
}

/// A site on which everything is for members but what is marked.
fn members_only(auth: &Auth, middleware: LoginRequiredMiddleware) -> Router {
    Router::new()
        .route("/", get(async || "in"))
        .route("/about", get(async || "open"))
        .route("/posts/{id}", get(async || "open"))
        .route("/files/{*path}", get(async || "in"))
        .nest("/accounts", auth.urls())
        .route("/accounts/resets", get(async || "in"))
        .fallback(any(async || (StatusCode::NOT_FOUND, "nothing")))
        .layer(auth.layer().login_required(middleware))
}

#[tokio::test]
async fn everything_needs_a_login_but_what_is_marked() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    let middleware = LoginRequiredMiddleware::new()
        .login_not_required("/about")
        .login_not_required("/posts/{id}");
    let app = members_only(&auth, middleware.clone());
    let status = async |path| ask(&app, path, None).await.status().as_u16();
    for open in [
        "/about",
        "/posts/1",
        "/accounts/login/",
        "/accounts/reset/MQ/none/",
        "/accounts/reset/done/",
        "/accounts/password_reset/",
        "/accounts/password_reset/done/",
    ] {
        assert_eq!(status(open).await, 200, "{open}");
    }
    assert_eq!(status("/accounts/login").await, 301);
    // Encoded, a path is another one, whatever it would decode to.
    for closed in [
        "/",
        "/accounts/logout/",
        "/accounts/password_change/",
        "/accounts/resets",
        "/nothing",
        "/files/about",
        "/files/%2e%2e/about",
        "/files/..%2faccounts/login/",
        "/%61bout",
    ] {
        let answer = ask(&app, closed, None).await;
        assert_eq!(answer.status(), StatusCode::FOUND, "{closed}");
        let to = answer.headers()["location"].to_str().unwrap();
        assert!(to.starts_with("/accounts/login/?next="), "{closed}: {to}");
    }
    let in_ = ask(&app, "/", Some(&live)).await;
    assert_eq!(page(in_).await, "in");
    assert_eq!(
        ask(&app, "/nothing", Some(&live)).await.status().as_u16(),
        404
    );
    // What is open asks for nobody.
    let answer = ask(&app, "/about", Some(&live)).await;
    assert!(!vary(&answer).contains("Cookie"));

    let app = members_only(&auth, middleware.fallback_not_required());
    assert_eq!(ask(&app, "/nothing", None).await.status().as_u16(), 404);
    assert_eq!(
        ask(&app, "/files/about", None).await.status(),
        StatusCode::FOUND
    );
    auth.db().close().await;
    let unknown = ask(&app, "/", Some(&live)).await;
    assert_eq!(unknown.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_middleware_takes_another_login_page() {
    let database = TestDatabase::sqlite();
    let (auth, _) = alice(&database).await;
    let middleware = LoginRequiredMiddleware::new()
        .login_url("/about?from=here")
        .redirect_field_name("to");
    let app = members_only(&auth, middleware);
    assert_eq!(ask(&app, "/about", None).await.status(), StatusCode::OK);
    let refused = ask(&app, "/?a=b", None).await;
    assert_eq!(
        refused.headers()["location"],
        "/about?from=here&to=/%3Fa%3Db"
    );
    assert_eq!(
        ask(&app, "/accounts/login/", None).await.status(),
        StatusCode::FOUND
    );
    let elsewhere = LoginRequiredMiddleware::new().login_url("https://id.example.com/about");
    let app = members_only(&auth, elsewhere);
    assert_eq!(ask(&app, "/about", None).await.status(), StatusCode::FOUND);
}
