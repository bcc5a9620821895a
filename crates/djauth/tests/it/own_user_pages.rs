//! The pages for a user model of one's own, with an e-mail address as its name and UUIDs as keys.

use std::fmt;

use axum::Router;
use axum::http::header::LOCATION;
use djauth::mail::MemorySender;
use djauth::{AbstractBaseUser, Auth, BaseUser};
use test_databases::TestDatabase;
use uuid::Uuid;

use crate::auth_support::settings;
use crate::pages::{Answer, Browser};

#[derive(Clone, Debug, BaseUser)]
#[django(app_label = "members", USERNAME_FIELD = "email")]
struct Member {
    id: Uuid,
    base: AbstractBaseUser,
    #[django(max_length = 254, unique)]
    email: String,
    #[django(max_length = 100)]
    username: String,
    #[django(default = true)]
    is_active: bool,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.username)
    }
}

struct Club {
    auth: Auth<Member>,
    mail: MemorySender,
    browser: Browser,
    ann: Member,
    bob: Member,
}

const RESET: &str = "/accounts/password_reset/";

impl Club {
    async fn on(database: &TestDatabase) -> Self {
        let mut settings = settings();
        settings.allowed_hosts = vec!["testserver".into()];
        let mail = MemorySender::default();
        let builder = Auth::builder(settings).user_model::<Member>();
        let builder = builder.mail_sender(mail.clone());
        let auth = builder.connect(database.url()).await.unwrap();
        auth.migrate().await.unwrap();
        let ann = member(&auth, "ann@example.com", "Ann & Other").await;
        let bob = member(&auth, "bob@example.com", "Bob").await;
        let app = Router::new()
            .route("/", auth.landing_page())
            .nest("/accounts", auth.urls())
            .layer(auth.layer());
        let cookies = Vec::new();
        let browser = Browser { app, cookies };
        Club {
            auth,
            mail,
            browser,
            ann,
            bob,
        }
    }

    async fn log_in(&mut self, email: &str, password: &str) -> u16 {
        let form = format!("username={email}&password={password}");
        let answer = self.browser.post("/accounts/login/", &form).await;
        answer.status()
    }

    async fn log_out(&mut self) {
        let answer = self.browser.post("/accounts/logout/", "").await;
        assert_eq!(answer.status(), 200);
    }

    async fn greets(&mut self, email: &str) -> bool {
        let page = self.browser.get("/").await;
        page.text.contains(&format!(">{email}</strong>"))
    }
}

async fn member(auth: &Auth<Member>, email: &str, name: &str) -> Member {
    let name_it = |member: &mut Member| member.username = name.to_owned();
    let users = auth.users();
    let made = users.create_user_with(email, email, Some("secret"), name_it);
    made.await.unwrap()
}

async fn on_each_club(test: impl AsyncFn(&str, Club)) {
    for database in TestDatabase::all() {
        let club = Club::on(&database).await;
        let auth = club.auth.clone();
        test(database.name(), club).await;
        auth.db().close().await;
    }
}

fn led_to(answer: &Answer) -> (u16, &str) {
    (answer.status(), answer.header(LOCATION))
}

#[tokio::test]
async fn members_log_in_by_address_and_change_their_password() {
    on_each_club(async |at, mut club| {
        let page = club.browser.get("/accounts/login/").await;
        assert!(page.text.contains("name=\"username\""), "{at}");
        // The name that people are shown by is none to log in with.
        assert_eq!(club.log_in("Bob", "secret").await, 200, "{at}");
        assert_eq!(club.log_in("bob@example.com", "wrong").await, 200, "{at}");
        assert!(!club.greets("bob@example.com").await, "{at}");
        assert_eq!(club.log_in("ann@example.com", "secret").await, 302, "{at}");
        assert!(club.greets("ann@example.com").await, "{at}");

        let path = "/accounts/password_change/";
        let new = "new_password1=battery+staple&new_password2=battery+staple";
        let wrong = format!("old_password=x&{new}");
        let wrong = club.browser.post(path, &wrong).await;
        assert!(wrong.text.contains("id_old_password_error"), "{at}");
        let right = format!("old_password=secret&{new}");
        let right = club.browser.post(path, &right).await;
        let done = "/accounts/password_change/done/";
        assert_eq!(led_to(&right), (302, done), "{at}");
        assert!(
            club.greets("ann@example.com").await,
            "still logged in, {at}"
        );
        club.log_out().await;
        assert!(!club.greets("ann@example.com").await, "{at}");
        assert_eq!(club.log_in("ann@example.com", "secret").await, 200, "{at}");
        let again = club.log_in("ann@example.com", "battery+staple").await;
        assert_eq!(again, 302, "{at}");
        club.log_out().await;
        club.bob.is_active = false;
        club.auth.users().save(&mut club.bob).await.unwrap();
        assert_eq!(club.log_in("bob@example.com", "secret").await, 200, "{at}");
    })
    .await;
}

#[tokio::test]
async fn a_member_sets_a_password_by_a_mailed_link() {
    on_each_club(async |at, mut club| {
        club.browser.post(RESET, "email=nobody@example.com").await;
        let asked = club.browser.post(RESET, "email=ann@example.com").await;
        assert_eq!(led_to(&asked), (302, "/accounts/password_reset/done/"));
        club.auth.mail().idle().await;
        let [message] = &club.mail.outbox()[..] else {
            panic!("{at}: {} messages", club.mail.outbox().len());
        };
        assert_eq!(message.to, ["ann@example.com"], "{at}");
        let mut lines = message.body.lines();
        let link = lines.find_map(|line| line.strip_prefix("http://testserver"));
        let link = link.expect(&message.body).to_owned();
        let uid = |member: &Member| {
            let id = member.id.hyphenated().to_string();
            djauth_signing::http::urlsafe_base64_encode(id.as_bytes())
        };
        let (ann, bob) = (uid(&club.ann), uid(&club.bob));
        assert!(link.starts_with(&format!("/accounts/reset/{ann}/")), "{at}");

        let others = club.browser.get(&link.replace(&ann, &bob)).await;
        assert!(others.text.contains("This link does not work"), "{at}");
        let page = club.browser.get(&link).await.header(LOCATION).to_owned();
        assert_eq!(page, format!("/accounts/reset/{ann}/set-password/"), "{at}");
        let new = "new_password1=battery+staple&new_password2=battery+staple";
        let set = club.browser.post(&page, new).await;
        assert_eq!(led_to(&set), (302, "/accounts/reset/done/"), "{at}");
        assert_eq!(club.log_in("ann@example.com", "secret").await, 200, "{at}");
        assert_eq!(club.log_in("bob@example.com", "secret").await, 302, "{at}");
        club.log_out().await;
        let now = club.log_in("ann@example.com", "battery+staple").await;
        assert_eq!(now, 302, "{at}");
        // The login ended the link.
        let used = club.browser.get(&link).await;
        assert!(used.text.contains("This link does not work"), "{at}");
    })
    .await;
}
