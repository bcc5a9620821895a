//! Messages from one request to the next, in the cookie and in the session.

use std::sync::Arc;

use axum::extract::Extension;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Router, response::IntoResponse};
use djauth::{Auth, Request};
use djauth_admin::AdminExt;
use djauth_admin::messages::{Level, Message, Messages};
use serde_json::Value as Json;

use crate::support::{AdminBrowser, Kind, app, on_each_site, person, site};

/// A page that leaves as many messages as its address says.
fn leaving(auth: &Auth) -> Router {
    let auth = Arc::new(auth.clone());
    let leave = async move |Extension(request): Extension<Request>| {
        let messages = Messages::of(&auth, &request);
        let count: usize = request.query_string().parse().unwrap_or(0);
        for number in 0..count {
            let noise: String = (0..30u32)
                .filter_map(|n| {
                    char::from_u32(
                        0x4e00 + (n * 7919 + u32::try_from(number).unwrap() * 104_729) % 20_000,
                    )
                })
                .collect();
            messages.add(Level::Success, format!("[{number}] <b>{noise}"));
        }
        let mut headers = HeaderMap::new();
        messages.finish(&mut headers).await.expect("are kept");
        (headers, "left").into_response()
    };
    Router::new().route("/leave", get(leave))
}

fn shown(text: &str) -> Vec<usize> {
    let numbers = text.split("<span dir=\"auto\">[").skip(1);
    numbers
        .filter_map(|rest| rest.split(']').next()?.parse().ok())
        .collect()
}

#[tokio::test]
async fn messages_are_shown_once_in_their_order_also_those_that_overflow() {
    on_each_site(async |auth, _| {
        person(auth, "ada", Kind::STAFF).await;
        let mut browser = AdminBrowser::new(app(auth, auth.admin().merge(leaving(auth))));
        browser.enter("ada").await;
        for count in [1, 3, 60] {
            browser.get(&format!("/leave?{count}")).await;
            let cookie = browser.cookie("messages").expect("a cookie");
            assert!(cookie.len() <= 2048, "{}", cookie.len());
            let page = browser.get("/admin/").await;
            assert_eq!(shown(&page.text), (0..count).collect::<Vec<_>>());
            assert!(page.shows("[0] &lt;b&gt;") && !page.shows("] <b>"));
            assert_eq!(browser.cookie("messages"), None);
            assert!(shown(&browser.get("/admin/").await.text).is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn messages_that_nobody_saw_stay() {
    let (_database, auth, _) = site(|_| ()).await;
    person(&auth, "ada", Kind::STAFF).await;
    let mut browser = AdminBrowser::new(app(&auth, auth.admin().merge(leaving(&auth))));
    browser.enter("ada").await;
    browser.get("/leave?2").await;
    let before = browser.cookie("messages").map(str::to_owned);
    for (method, path) in [
        ("HEAD", "/admin/"),
        ("GET", "/admin/login/"),
        ("GET", "/admin/auth/user/5/"),
        ("GET", "/admin/none/"),
        ("GET", "/admin/jsi18n/"),
    ] {
        browser.send(method, path, None).await;
        assert_eq!(
            browser.cookie("messages").map(str::to_owned),
            before,
            "{method} {path}"
        );
    }
    browser.get("/leave?1").await;
    assert_eq!(shown(&browser.get("/admin/").await.text), [0, 1, 0]);
}

#[tokio::test]
async fn a_forged_cookie_shows_nothing_and_is_removed() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::STAFF).await;
    browser.enter("ada").await;
    for forged in [
        "x",
        "W10:1vbZXA:abc",
        "[[\\042__json_message\\042,1,25,\\042<b>x\\042]]",
    ] {
        browser
            .cookies
            .push(("messages".to_owned(), forged.to_owned()));
        let page = browser.get("/admin/").await;
        assert_eq!(page.status(), 200);
        assert!(!page.shows("<b>x") && shown(&page.text).is_empty());
        assert_eq!(browser.cookie("messages"), None);
    }
}

#[tokio::test]
async fn a_page_without_messages_sets_no_cookie() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::STAFF).await;
    browser.enter("ada").await;
    let page = browser.get("/admin/").await;
    let cookies = page.headers.get_all("set-cookie").iter();
    assert!(
        !cookies
            .map(|c| c.to_str().unwrap())
            .any(|c| c.starts_with("messages="))
    );
}

fn vectors() -> Json {
    serde_json::from_str(include_str!("../data/messages.json")).expect("JSON")
}

fn messages_of(json: &Json) -> Vec<Message> {
    let message = |json: &Json| Message {
        level: u32::try_from(json["level"].as_u64().expect("a level")).expect("small"),
        text: json["text"].as_str().expect("a text").to_owned(),
        is_safe: json["is_safe"].as_bool().expect("a flag"),
        extra_tags: json["extra_tags"].as_str().map(str::to_owned),
    };
    let list = json.as_array().expect("messages");
    list.iter().map(message).collect()
}

/// A request with what the one before left.
async fn request(auth: &Auth, cookie: Option<&str>, session: Option<&str>) -> Request {
    let store = auth.sessions().open(None);
    if let Some(text) = session {
        store.insert("_messages", text).await.expect("is set");
    }
    let mut request = axum::http::Request::builder();
    if let Some(cookie) = cookie {
        request = request.header("cookie", format!("messages={cookie}"));
    }
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    Request::new(auth.settings().clone(), &parts, store)
}

/// What a request leaves: the cookie that is set, whether it is removed, and the text in the session.
struct Left {
    cookie: Option<String>,
    is_deleted: bool,
    attributes: String,
    session: Option<String>,
}

async fn left(messages: Messages, request: &Request) -> Left {
    let mut headers = HeaderMap::new();
    messages.finish(&mut headers).await.expect("are kept");
    let header = headers
        .get("set-cookie")
        .map(|value| value.to_str().expect("ASCII"));
    let (pair, attributes) = header
        .unwrap_or_default()
        .split_once("; ")
        .unwrap_or_default();
    let value = pair
        .strip_prefix("messages=")
        .map(|value| value.trim_matches('"').to_owned());
    Left {
        cookie: value.filter(|value| !value.is_empty()),
        is_deleted: attributes.contains("Max-Age=0"),
        attributes: attributes.to_owned(),
        session: request
            .session()
            .get_str("_messages")
            .await
            .expect("is read"),
    }
}

/// The JSON in a cookie.
fn payload(auth: &Auth, cookie: &str) -> String {
    let signer =
        djauth_signing::signing::get_cookie_signer(auth.secret_keys(), "django.contrib.messages");
    let bytes = signer.unsign_bytes(cookie, None, auth.clock().as_ref());
    String::from_utf8(bytes.expect("is signed")).expect("ASCII")
}

#[tokio::test]
async fn what_django_left_is_read_and_removed() {
    let (_database, auth, _) = site(|_| ()).await;
    for (name, list) in vectors()["lists"].as_object().expect("lists") {
        let (cookie, session) = (list["cookie"].as_str(), list["session"].as_str());
        let request = request(&auth, cookie, session).await;
        let messages = Messages::of(&auth, &request);
        assert_eq!(
            messages.take().await.expect("are read"),
            messages_of(&list["messages"]),
            "{name}"
        );
        let left = left(messages, &request).await;
        assert!(left.is_deleted && left.session.is_none(), "{name}");
    }
}

#[tokio::test]
async fn what_is_left_is_what_django_leaves() {
    let (_database, auth, _) = site(|_| ()).await;
    for (name, list) in vectors()["lists"].as_object().expect("lists") {
        let request = request(&auth, None, None).await;
        let messages = Messages::of(&auth, &request);
        for message in messages_of(&list["messages"]) {
            messages.push(message);
        }
        let left = left(messages, &request).await;
        let cookie = left.cookie.expect("a cookie");
        assert_eq!(left.attributes, "HttpOnly; Path=/; SameSite=Lax", "{name}");
        assert!(cookie.len() <= 2048, "{name}");
        assert_eq!(
            payload(&auth, &cookie),
            list["payload"].as_str().expect("JSON"),
            "{name}"
        );
        assert_eq!(left.session.as_deref(), list["session"].as_str(), "{name}");
        if list["compressed"] == false {
            assert_eq!(cookie, list["cookie"].as_str().expect("a cookie"), "{name}");
        }
    }
}

#[tokio::test]
async fn the_next_request_does_with_them_what_django_does() {
    let (_database, auth, _) = site(|_| ()).await;
    for (name, list) in vectors()["lists"].as_object().expect("lists") {
        for (way, expected) in list["next"].as_object().expect("ways") {
            let context = format!("{name}, {way}");
            let (cookie, session) = (list["cookie"].as_str(), list["session"].as_str());
            let request = request(&auth, cookie, session).await;
            let messages = Messages::of(&auth, &request);
            if matches!(&**way, "added" | "both") {
                messages.add(Level::Success, "new");
            }
            if let Some(shown) = expected["shown"].as_array() {
                let ours = messages.take().await.expect("are read").into_iter();
                let ours: Vec<_> = ours.map(|message| Json::from(message.text)).collect();
                assert_eq!(&ours, shown, "{context}");
            }
            let left = left(messages, &request).await;
            assert_eq!(
                left.session.as_deref(),
                expected["session"].as_str(),
                "{context}"
            );
            let theirs = expected["cookie"]
                .as_str()
                .filter(|cookie| !cookie.is_empty());
            assert_eq!(
                left.cookie.map(|cookie| payload(&auth, &cookie)),
                theirs.map(|cookie| payload(&auth, cookie)),
                "{context}"
            );
            // Django keeps a cookie that says nothing but that there was more.
            let empty = name == "one that does not fit" && expected["shown"].is_array();
            assert_eq!(
                left.is_deleted,
                expected["deleted"] == true || empty,
                "{context}"
            );
        }
    }
}

/// A page that cannot be made shows nothing: its messages wait for the next one.
#[tokio::test]
async fn a_page_that_fails_keeps_its_messages() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("admin")).unwrap();
    let index = folder.path().join("admin/app_index.html");
    std::fs::write(&index, "{{ nothing() }}").unwrap();
    let dirs = vec![folder.path().to_owned()];
    let (_database, auth, _) = site(|settings| settings.template_dirs = dirs).await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    let mut browser = AdminBrowser::new(app(&auth, auth.admin().merge(leaving(&auth))));
    browser.enter("ada").await;
    browser.get("/leave?60").await;
    let failed = browser.get("/admin/auth/").await;
    assert_eq!((failed.status(), shown(&failed.text)), (500, vec![]));
    assert!(failed.header("cache-control").contains("no-store"));
    assert_eq!(
        shown(&browser.get("/admin/").await.text),
        (0..60).collect::<Vec<_>>()
    );
    assert!(shown(&browser.get("/admin/").await.text).is_empty());
}
