//! The pages to change one's password, on each database.

use axum::Router;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::routing::get;
use djauth::backends::Context;
use djauth::forms::{
    Field, FieldKind, Form, FormError, PasswordChangeForm, Steps, ValidationError,
};
use djauth::http::QueryDict;
use djauth::templates::context;
use djauth::urls::Urls;
use djauth::views::{Outcome, PasswordChangeView, Valid};
use djauth::{Auth, Error, LoginRequired, Settings, User};

use crate::pages::{Answer, Browser, RIGHT, on_each_site, site};

const CHANGE: &str = "/accounts/password_change/";
const DONE: &str = "/accounts/password_change/done/";

fn form(old: &str, first: &str, second: &str) -> String {
    format!("old_password={old}&new_password1={first}&new_password2={second}")
}

fn right() -> String {
    form("correct+horse", "battery+staple", "battery+staple")
}

async fn alice(auth: &Auth) -> User {
    let found = auth.users().get_by_natural_key("alice").await;
    found.unwrap().expect("alice")
}

fn led_to(answer: &Answer) -> (u16, &str) {
    (answer.status(), answer.header(LOCATION))
}

#[tokio::test]
async fn a_password_is_changed_and_the_other_sessions_end() {
    on_each_site(async |auth, mut browser| {
        let mut other = browser.clone();
        for browser in [&mut browser, &mut other] {
            browser.post("/accounts/login/", RIGHT).await;
        }
        let page = browser.get("/").await;
        assert!(
            page.text
                .contains("href=\"&#x2f;accounts&#x2f;password_change&#x2f;\"")
        );
        let page = browser.get(CHANGE).await;
        assert!(page.text.contains("autocomplete=\"current-password\""));
        let before = browser.cookie("sessionid");
        let answer = browser.post(CHANGE, &right()).await;
        assert_eq!(led_to(&answer), (302, DONE));
        assert_ne!(browser.cookie("sessionid"), before, "a new session key");
        assert_eq!(browser.get(DONE).await.status(), 200);
        assert!(other.get("/").await.text.contains("Nobody is logged in"));
        let stored = alice(&auth).await.base.password;
        let verify = |text| auth.hashing().verify(text, &stored);
        assert!(verify("battery staple").await.unwrap().correct);
        assert!(!verify("correct horse").await.unwrap().correct);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_change_changes_nothing() {
    on_each_site(async |auth, mut browser| {
        browser.post("/accounts/login/", RIGHT).await;
        let before = alice(&auth).await.base.password;
        for (sent, wrong) in [
            (
                form("x", "battery+staple", "battery+staple"),
                "id_old_password",
            ),
            (
                form("correct+horse", "battery+staple", "battery"),
                "id_new_password2",
            ),
            (form("correct+horse", "short", "short"), "id_new_password2"),
            (
                form("correct+horse", "", "battery+staple"),
                "id_new_password1",
            ),
            (
                form("correct+horse+", "battery+staple", "battery+staple"),
                "id_old_password",
            ),
        ] {
            let answer = browser.post(CHANGE, &sent).await;
            assert_eq!(answer.status(), 200, "{sent}");
            let described = format!("aria-describedby=\"{wrong}_error");
            assert!(answer.text.contains(&described), "{sent}\n{}", answer.text);
            assert!(
                !answer.text.contains("staple"),
                "no password is shown again"
            );
        }
        assert_eq!(alice(&auth).await.base.password, before);
        assert_eq!(browser.get(CHANGE).await.status(), 200, "still logged in");
    })
    .await;
}

/// A session that was stolen is no place to find the password out.
#[tokio::test]
async fn guesses_at_the_old_password_are_limited() {
    let limit = |settings: &mut Settings| {
        settings.login_rate_limit_per_username = "3/d".parse().ok();
    };
    let (_database, auth, mut browser) = site(limit).await;
    browser.post("/accounts/login/", RIGHT).await;
    let wrong = form("wrong", "battery+staple", "battery+staple");
    for _ in 0..3 {
        assert_eq!(browser.post(CHANGE, &wrong).await.status(), 200);
    }
    for sent in [&wrong, &right()] {
        let refused = browser.post(CHANGE, sent).await;
        assert_eq!(refused.status(), 429);
        assert!(!refused.header(RETRY_AFTER).is_empty());
    }
    let mut elsewhere = Browser {
        cookies: Vec::new(),
        ..browser.clone()
    };
    let login = elsewhere.post("/accounts/login/", RIGHT).await;
    assert_eq!(login.status(), 429, "the same counter");
    auth.login_rate_limit().unlock_all().await.unwrap();
    // What is right costs nothing, however often the rest is refused.
    let mismatch = form("correct+horse", "battery+staple", "battery");
    for _ in 0..5 {
        assert_eq!(browser.post(CHANGE, &mismatch).await.status(), 200);
    }
    let changed = browser.post(CHANGE, &right()).await;
    assert_eq!(led_to(&changed), (302, DONE));
}

/// Who knows the old password cannot undo the change that makes it worthless.
#[tokio::test]
async fn an_old_password_permits_one_change() {
    on_each_site(async |auth, _| {
        let sent = |new| {
            let text = form("correct+horse", new, new);
            QueryDict::parse(text.as_bytes(), 10).unwrap()
        };
        let form = |data: &QueryDict, user| PasswordChangeForm::new(&auth, user, Some(data));
        let user = alice(&auth).await;
        let mut first = form(&sent("battery+staple"), user.clone());
        let mut second = form(&sent("staple+battery"), user);
        assert!(first.is_valid(&auth).await.unwrap() && second.is_valid(&auth).await.unwrap());
        assert!(first.save_unless_changed(&auth).await.unwrap().is_some());
        assert!(second.save_unless_changed(&auth).await.unwrap().is_none());
        let stored = alice(&auth).await.base.password;
        let verified = auth.hashing().verify("battery staple", &stored).await;
        assert!(verified.unwrap().correct);
    })
    .await;
}

#[tokio::test]
async fn only_who_is_logged_in_may_change() {
    let (_database, _auth, mut browser) = site(|_| ()).await;
    let login = |next| format!("/accounts/login/?next={next}");
    let answer = browser.get(CHANGE).await;
    assert_eq!(led_to(&answer), (302, &*login(CHANGE)));
    let answer = browser.get(DONE).await;
    assert_eq!(led_to(&answer), (302, &*login(DONE)));
    let answer = browser.post(CHANGE, &right()).await;
    assert_eq!(led_to(&answer), (302, &*login(CHANGE)));
}

/// Asks for a pet's name, wants passwords with a dash, and leads to a page of its own.
struct Pets;

impl Steps<User> for Pets {
    fn fields(&self, form: &mut Form) {
        form.add_field(Field::new("pet", FieldKind::Text).label("Your pet"));
    }

    async fn clean_field(
        &self,
        _: &Context<'_, User>,
        _: &Form,
        name: &str,
        value: String,
    ) -> Result<String, FormError> {
        if name == "pet" && value == "cat" {
            return Err(ValidationError::new("no_cats", "No cats, please.").into());
        }
        Ok(value.to_uppercase())
    }

    async fn clean(&self, _: &Context<'_, User>, form: &mut Form) -> Result<(), FormError> {
        match form.text("new_password1") {
            Some(text) if text.contains('-') => Ok(()),
            _ => Err(ValidationError::new("no_dash", "A dash is missing.").into()),
        }
    }

    async fn form_valid(
        &self,
        context: &Context<'_, User>,
        valid: Valid<'_, User>,
    ) -> Result<Outcome, Error> {
        let pet = valid.form.text("pet").unwrap_or_default().to_owned();
        let outcome = valid.proceed().await?;
        let session = context.request.expect("a request").session();
        session.insert("pet", &pet).await?;
        Ok(outcome)
    }

    fn get_success_url(&self, _: &Context<'_, User>, default: String) -> String {
        format!("{default}?pet")
    }
}

async fn pet(user: LoginRequired, request: djauth::Request) -> String {
    let pet = request.session().get_str("pet").await.unwrap();
    format!("{user} {}", pet.unwrap_or_default())
}

#[tokio::test]
async fn every_step_can_be_replaced() {
    let (_database, auth, _) = site(|_| ()).await;
    let mut user = alice(&auth).await;
    auth.set_password(&mut user, "CORRECT HORSE").await.unwrap();
    auth.save_password(&user).await.unwrap();
    let view = PasswordChangeView::new()
        .title("Another one")
        .extra_context(context! { title => "Yet another one" })
        .success_url("/pet/")
        .steps(Pets);
    let urls = Urls::new(&auth).password_change(auth.password_change_view(view));
    let app = Router::new()
        .route("/pet/", get(pet))
        .nest("/accounts", urls.router())
        .layer(auth.layer());
    let mut browser = Browser {
        app,
        cookies: Vec::new(),
    };
    browser
        .post("/accounts/login/", "username=alice&password=CORRECT+HORSE")
        .await;

    let page = browser.get(CHANGE).await;
    assert!(page.text.contains("<h1>Yet another one</h1>") && page.text.contains("Your pet"));
    let plain = right();
    let answer = browser.post(CHANGE, &format!("{plain}&pet=cat")).await;
    assert!(answer.text.contains("No cats, please.") && answer.text.contains("A dash is missing."));
    let dashed = plain.replace("y+s", "y-s");
    let answer = browser.post(CHANGE, &format!("{dashed}&pet=dog")).await;
    assert_eq!(led_to(&answer), (302, "/pet/?pet"));
    assert_eq!(browser.get("/pet/").await.text, "alice DOG");
}
