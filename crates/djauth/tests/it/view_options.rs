//! What the pages for login and logout may be told.

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use djauth::backends::Context;
use djauth::forms::{Field, FieldKind, Form, FormError, Steps, ValidationError};
use djauth::templates::context;
use djauth::views::{LoginView, LogoutView, Outcome, Valid};
use djauth::{Error, User};

use crate::pages::{Browser, RIGHT, site};

#[tokio::test]
async fn options_of_login_and_logout() {
    let folder = tempfile::tempdir().unwrap();
    let page =
        "{{ title }}|{{ house }}|{{ there }}|{{ site.domain }}|{{ site_name }}|{{ csrf_input }}";
    std::fs::write(folder.path().join("own.html"), page).unwrap();
    let here =
        |settings: &mut djauth::Settings| settings.template_dirs = vec![folder.path().into()];
    let (_database, auth, _) = site(here).await;
    let login = LoginView::new()
        .template_name("own.html")
        .title("Come in")
        .extra_context(context! { house => "ours" })
        .redirect_field_name("there")
        .success_url_allowed_hosts(["app.example.com"])
        .next_page("/home/");
    let logout = LogoutView::new()
        .template_name("own.html")
        .extra_context(context! { house => "left", title => "Gone" })
        .redirect_field_name("there")
        .success_url_allowed_hosts(["app.example.com"]);
    let app = Router::new()
        .route("/in/", auth.login_view(login))
        .route("/out/", auth.logout_view(logout))
        .route("/leave/", auth.logout_then_login(None))
        .route("/leave/here/", auth.logout_then_login(Some("/in/")))
        .nest("/accounts", auth.urls())
        .layer(auth.layer());
    let mut browser = Browser {
        app,
        cookies: Vec::new(),
    };
    let page = browser.get("/in/?there=/x/&next=/y/").await;
    let start = "Come in|ours|&#x2f;x&#x2f;|testserver|testserver|<input";
    assert!(page.text.starts_with(start), "{}", page.text);
    let policy = page.header(CONTENT_SECURITY_POLICY).to_owned();
    assert!(
        policy.contains("form-action 'self' app.example.com;"),
        "{policy}"
    );
    for (there, led) in [
        ("http://app.example.com/x", "http://app.example.com/x"),
        ("http://evil.example.com/x", "/home/"),
        ("/z/", "/z/"),
    ] {
        let answer = browser
            .post("/in/?next=/y/", &format!("{RIGHT}&there={there}"))
            .await;
        assert_eq!((answer.status(), answer.header(LOCATION)), (302, led));
    }
    let answer = browser
        .post("/out/", "there=http://app.example.com/x")
        .await;
    assert_eq!(answer.header(LOCATION), "http://app.example.com/x");
    let answer = browser.post("/out/", "next=/y/").await;
    assert!(
        answer.text.starts_with("Gone|left||testserver|"),
        "{}",
        answer.text
    );
    for (path, led) in [("/leave/", "/accounts/login/"), ("/leave/here/", "/in/")] {
        assert_eq!(browser.get(path).await.status(), 405);
        let answer = browser.post(path, "").await;
        assert_eq!((answer.status(), answer.header(LOCATION)), (302, led));
    }
}

/// Asks for a colour too, lets no Alice in, and remembers the colour.
struct Colours {
    refused: &'static str,
}

impl Steps<User> for Colours {
    fn fields(&self, form: &mut Form) {
        form.add_field(Field::new("colour", FieldKind::Text).label("Colour"));
    }

    async fn clean_field(
        &self,
        _: &Context<'_, User>,
        form: &Form,
        name: &str,
        value: String,
    ) -> Result<String, FormError> {
        if name == "colour" && form.text("username") == Some(&value) {
            return Err(ValidationError::new("own_name", "Not your name.").into());
        }
        Ok(value)
    }

    async fn confirm_login_allowed(
        &self,
        _: &Context<'_, User>,
        user: &User,
    ) -> Result<(), FormError> {
        match user.username == self.refused {
            true => Err(ValidationError::new("away", "Not today.").into()),
            false => Ok(()),
        }
    }

    async fn form_valid(
        &self,
        context: &Context<'_, User>,
        valid: Valid<'_, User>,
    ) -> Result<Outcome, Error> {
        let colour = valid.form.text("colour").unwrap_or_default().to_owned();
        let name = valid.user.map(ToString::to_string).unwrap_or_default();
        valid.proceed().await?;
        let request = context.request.expect("a request");
        request.session().insert("colour", &colour).await?;
        Ok(Outcome::Redirect(format!("/{name}/")))
    }
}

#[tokio::test]
async fn every_step_of_the_login_can_be_replaced() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    let view = |refused| LoginView::new().steps(Colours { refused });
    browser.app = Router::new()
        .route("/open/", auth.login_view(view("")))
        .route("/closed/", auth.login_view(view("alice")))
        .nest("/accounts", auth.urls())
        .layer(auth.layer());
    assert!(browser.get("/open/").await.text.contains("Colour"));
    let wrong = browser
        .post("/open/", &format!("{RIGHT}&colour=alice"))
        .await;
    assert!(wrong.text.contains("Not your name."));
    let red = format!("{RIGHT}&colour=red");
    assert!(
        browser
            .post("/closed/", &red)
            .await
            .text
            .contains("Not today.")
    );
    assert_eq!(browser.cookie("sessionid"), None);
    let answer = browser.post("/open/", &red).await;
    assert_eq!((answer.status(), answer.header(LOCATION)), (302, "/alice/"));
    let session = auth.sessions().open(browser.cookie("sessionid").as_deref());
    assert_eq!(
        session.get_str("colour").await.unwrap().as_deref(),
        Some("red")
    );
}
