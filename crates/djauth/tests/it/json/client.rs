//! A client that speaks JSON: it keeps its cookies, and the token of the last answer.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use axum::http::{HeaderMap, Request, request};
use djauth::mail::MemorySender;
use djauth::{Auth, Settings};
use serde_json::Value;
use test_databases::TestDatabase;
use tower::ServiceExt;

use super::contract::Contract;
use crate::auth_support::settings;

pub(super) const JSON: &str = "application/json";

pub(super) struct Client {
    pub(super) app: Router,
    pub(super) cookies: Vec<(String, String)>,
    pub(super) token: String,
    pub(super) contract: Contract,
    /// What was mailed.
    pub(super) mail: MemorySender,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// Field and code of each error of a form.
    pub(super) fn field_codes(&self) -> Vec<(String, String)> {
        let fields = self.body["error"]["fields"].as_object().unwrap();
        let codes = fields.iter().flat_map(|(name, errors)| {
            let errors = errors.as_array().unwrap().iter();
            errors.map(|e| (name.clone(), e["code"].as_str().unwrap().to_owned()))
        });
        codes.collect()
    }
}

/// A site with `alice`, and a client that has seen nothing of it.
pub(super) async fn site(
    database: &TestDatabase,
    change: impl FnOnce(&mut Settings),
) -> (Auth, Client) {
    let mut settings = settings();
    settings.allowed_hosts = vec!["testserver".into()];
    change(&mut settings);
    let mail = MemorySender::default();
    let auth = Auth::builder(settings)
        .mail_sender(mail.clone())
        .connect(database.url())
        .await
        .unwrap();
    auth.migrate().await.unwrap();
    let users = auth.users();
    users
        .create_user("alice", "alice@example.com", Some("correct horse"))
        .await
        .unwrap();
    let client = Client::of(&auth, mail);
    (auth, client)
}

impl Client {
    fn of(auth: &Auth, mail: MemorySender) -> Self {
        let app = Router::new()
            .nest("/accounts", auth.urls().merge(auth.json_urls()))
            .fallback(auth.not_found())
            .layer(auth.layer());
        Self {
            app,
            cookies: Vec::new(),
            token: String::new(),
            contract: Contract::new(),
            mail,
        }
    }

    fn request(&self, method: &str, path: &str) -> request::Builder {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "testserver")
            .header(COOKIE, cookies.collect::<Vec<_>>().join("; "))
    }

    /// Sends a request as it is, and keeps cookies and token of the answer.
    pub(super) async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().trim_matches('"').to_owned();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.into(), value));
            }
        }
        if let Some(token) = body["csrf_token"].as_str() {
            token.clone_into(&mut self.token);
        }
        assert!(
            !parts
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control-")),
            "no other site may read this"
        );
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path).header(ACCEPT, JSON);
        let answer = self.send(request.body(Body::empty()).unwrap()).await;
        self.contract.check("GET", path, &answer);
        answer
    }

    /// Posts an object with the token.
    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let token = self.token.clone();
        self.post_raw(path, JSON, &token, body.to_string()).await
    }

    pub(super) async fn post_raw(
        &mut self,
        path: &str,
        kind: &str,
        token: &str,
        body: String,
    ) -> Answer {
        let request = self
            .request("POST", path)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, kind)
            .header("X-CSRFToken", token);
        let answer = self.send(request.body(Body::from(body)).unwrap()).await;
        self.contract.check("POST", path, &answer);
        answer
    }

    /// A request with nothing but these headers, of which the document says nothing.
    pub(super) async fn other(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(super) async fn log_in(&mut self) {
        self.get("/accounts/csrf/").await;
        let right = serde_json::json!({"username": "alice", "password": "correct horse"});
        assert_eq!(self.post("/accounts/login/", &right).await.status, 200);
    }
}
