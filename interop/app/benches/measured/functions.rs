//! Single functions, so often as one says, for a program that counts instructions: `functions NAME
//! TIMES`, or `functions list`. Settings come from the environment; the first line of standard input is
//! a session key of `user0`, the second the data of that session.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use chrono::Utc;
use djauth::tokens::PasswordResetTokenGenerator;
use djauth::views::verify;
use djauth::{Auth, Settings, User};
use djauth_hashers::{Hashers, Parameters};
use djauth_signing::{SecretKeys, SystemClock, signing};
use std::hint::black_box;
use tower::ServiceExt as _;

use crate::Failure;

const NAMES: [&str; 8] = [
    "read_session_data",
    "sign_session_data",
    "check_password",
    "reset_token",
    "verify",
    "verify_over_router",
    "login_page",
    "nothing",
];
const PERMISSION: &str = "reports.bench_0";
const SALT: &str = "django.contrib.sessions.SessionStore";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [list] if list == "list" => println!("{}", NAMES.join("\n")),
        [name, times] => {
            // One thread: what others do would be counted too.
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build()?;
            runtime.block_on(so_often(name, times.parse()?))?;
        }
        _ => return Err("usage: functions NAME TIMES".into()),
    }
    Ok(())
}

async fn so_often(name: &str, times: u32) -> Result<(), Failure> {
    let ground = Ground::new().await?;
    // What the first call alone does is not what a call costs.
    ground.run(name).await?;
    for _ in 0..times {
        ground.run(name).await?;
    }
    Ok(())
}

/// What the functions work on.
struct Ground {
    auth: Auth,
    app: Router,
    user: User,
    hashers: Hashers,
    password: String,
    session_key: String,
    session_data: String,
}

impl Ground {
    async fn new() -> Result<Self, Failure> {
        let mut lines = std::io::stdin().lines();
        let mut line = || {
            lines
                .next()
                .ok_or("a line is missing")?
                .map_err(Failure::from)
        };
        let settings = Settings::from_env()?;
        let url = settings.database_url.clone();
        let auth = Auth::connect(url.expose(), settings).await?;
        let user = auth.users().get_by_natural_key("user0").await?;
        let mut parameters = Parameters::default();
        parameters.set("pbkdf2_sha256", "iterations", 1_000)?;
        let hashers = Hashers::from_names(&["pbkdf2_sha256"], &parameters)?;
        let app = Router::new()
            .route("/auth/verify", verify(&auth))
            .nest("/accounts", auth.urls())
            .layer(auth.layer());
        Ok(Self {
            app,
            user: user.ok_or("there is no user0")?,
            password: hashers.make_password(Some("horse"))?,
            hashers,
            session_key: line()?,
            session_data: line()?,
            auth,
        })
    }

    async fn run(&self, name: &str) -> Result<(), Failure> {
        match name {
            "read_session_data" => self.read_session_data()?,
            "sign_session_data" => self.sign_session_data()?,
            "check_password" => expect(
                self.hashers
                    .verify_password("horse", &self.password)
                    .correct,
            )?,
            "reset_token" => self.reset_token()?,
            "verify" => self.verify().await?,
            "verify_over_router" => {
                let path = format!("/auth/verify?perm={PERMISSION}");
                self.get(&path).await?;
            }
            "login_page" => self.get("/accounts/login/").await?,
            "nothing" => {}
            other => return Err(format!("no function {other}").into()),
        }
        Ok(())
    }

    fn keys(&self) -> SecretKeys {
        SecretKeys::new(self.auth.settings().secret_key.clone())
    }

    fn read_session_data(&self) -> Result<(), Failure> {
        let data: serde_json::Value =
            signing::loads(&self.session_data, &self.keys(), SALT, None, &SystemClock)?;
        expect(black_box(data)["_auth_user_id"].is_string())
    }

    fn sign_session_data(&self) -> Result<(), Failure> {
        let data = serde_json::json!({"_auth_user_id": "1000", "_auth_user_hash": "0".repeat(64)});
        let signed = signing::dumps(&data, &self.keys(), SALT, true, &SystemClock)?;
        expect(!black_box(signed).is_empty())
    }

    fn reset_token(&self) -> Result<(), Failure> {
        let tokens = PasswordResetTokenGenerator::new(self.auth.settings());
        let now = Utc::now();
        let token = tokens.make_token(&self.user, now);
        expect(tokens.check_token(Some(&self.user), &token, now))
    }

    async fn verify(&self) -> Result<(), Failure> {
        let session = self.auth.sessions().open(Some(&self.session_key));
        let verdict = self.auth.verify(&session, &[PERMISSION]).await?;
        expect(verdict.is_some_and(|verdict| verdict.permitted))
    }

    async fn get(&self, path: &str) -> Result<(), Failure> {
        let request = Request::get(path)
            .header(header::HOST, "127.0.0.1")
            .header(header::COOKIE, format!("sessionid={}", self.session_key));
        let answer = self
            .app
            .clone()
            .oneshot(request.body(Body::empty())?)
            .await?;
        expect(answer.status().is_success())
    }
}

fn expect(right: bool) -> Result<(), Failure> {
    if right {
        Ok(())
    } else {
        Err("a wrong answer".into())
    }
}
