use djauth_sessions::{SessionConfig, SessionEngine};
use djauth_signing::{SecretKey, SecretKeys};

use super::*;

fn settings(change: impl FnOnce(&mut Settings)) -> Arc<Settings> {
    let mut settings = Settings::new(SecretKey::new("key").unwrap());
    settings.allowed_hosts = vec!["testserver".to_owned(), ".example.com".to_owned()];
    change(&mut settings);
    Arc::new(settings)
}

fn session() -> Session {
    let keys = SecretKeys::new(SecretKey::new("key").unwrap());
    SessionEngine::signed_cookies(SessionConfig::new(&keys)).open(None)
}

fn request(settings: Arc<Settings>, uri: &str, headers: &[(&str, &str)], peer: &str) -> Request {
    let mut builder = HttpRequest::builder().uri(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let (mut parts, ()) = builder.body(()).unwrap().into_parts();
    let peer = SocketAddr::new(peer.parse().unwrap(), 1234);
    parts.extensions.insert(ConnectInfo(peer));
    Request::new(settings, &parts, session())
}

fn simple(headers: &[(&str, &str)]) -> Request {
    request(settings(|_| ()), "/", headers, "127.0.0.1")
}

#[test]
fn the_full_path_is_quoted_as_django_quotes_it() {
    let full = |uri| request(settings(|_| ()), uri, &[], "127.0.0.1").get_full_path();
    assert_eq!(full("/private/?a=1&b=/x%20y"), "/private/?a=1&b=/x%20y");
    assert_eq!(full("/%C3%A9%2Fa;b=c?"), "/%C3%A9/a%3Bb%3Dc");
    assert_eq!(full("/%FFa"), "/%25FFa");
}

#[test]
fn inside_a_nested_router_the_path_is_the_clients() {
    let (mut parts, ()) = HttpRequest::builder()
        .uri("/x")
        .body(())
        .unwrap()
        .into_parts();
    parts
        .extensions
        .insert(OriginalUri("/outer/x?y".parse().unwrap()));
    assert_eq!(
        Request::new(settings(|_| ()), &parts, session()).get_full_path(),
        "/outer/x?y"
    );
}

/// CVE-2016-9014, CVE-2012-4520 and CVE-2011-4139: hosts that are not ours.
#[test]
fn cve_2016_9014_hosts() {
    for host in [
        "testserver",
        "testserver:8000",
        "TestServer",
        "testserver.",
        "a.example.com",
    ] {
        assert_eq!(simple(&[("host", host)]).get_host().unwrap(), host);
    }
    for host in [
        "evil.com",
        "testserver@evil.com",
        "testserver#",
        "",
        "example.com.evil.com",
        "a b",
    ] {
        assert_eq!(
            simple(&[("host", host)]).get_host(),
            Err(DisallowedHost),
            "{host}"
        );
    }
    assert!(simple(&[]).get_host().is_err());
    assert!(
        simple(&[("host", "testserver"), ("host", "evil.com")])
            .get_host()
            .is_err()
    );
    let forwarded = [("host", "testserver"), ("x-forwarded-host", "evil.com")];
    assert_eq!(simple(&forwarded).get_host().unwrap(), "testserver");
    let nobody = settings(|s| s.use_x_forwarded_host = true);
    let answer = request(nobody, "/", &forwarded, "127.0.0.1");
    assert_eq!(answer.get_host().unwrap(), "testserver");
    let believing = settings(|s| {
        s.use_x_forwarded_host = true;
        s.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    assert!(
        request(believing, "/", &forwarded, "127.0.0.1")
            .get_host()
            .is_err()
    );
}

#[test]
fn an_empty_list_of_hosts_stands_for_the_loopback_names() {
    for (host, ok) in [
        ("localhost", true),
        ("a.localhost:8000", true),
        ("[::1]:8000", true),
        ("127.0.0.1:8000", true),
        ("testserver", false),
        ("127.0.0.2", false),
    ] {
        let request = request(
            settings(|s| s.allowed_hosts.clear()),
            "/",
            &[("host", host)],
            "::1",
        );
        assert_eq!(request.get_host().is_ok(), ok, "{host}");
    }
}

fn behind_proxy() -> Arc<Settings> {
    settings(|s| {
        s.secure_proxy_ssl_header = Some(("HTTP_X_FORWARDED_PROTO".into(), "https".into()));
        s.use_x_forwarded_port = true;
        s.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
}

/// CVE-2019-12781: the proxy's word counts, and `http` is a word too.
#[test]
fn cve_2019_12781_the_scheme_behind_a_proxy() {
    for (value, secure) in [
        ("https", true),
        ("http", false),
        ("https, http", true),
        ("http,https", false),
        ("", false),
    ] {
        let request = request(
            behind_proxy(),
            "/",
            &[("x-forwarded-proto", value)],
            "10.1.1.1",
        );
        assert_eq!(request.is_secure(), secure, "{value}");
    }
    assert!(!request(behind_proxy(), "/", &[], "10.1.1.1").is_secure());
    assert!(!simple(&[("x-forwarded-proto", "https")]).is_secure());
}

/// CVE-2015-0219 and CVE-2026-3902: a header spelled with underscores is another header.
#[test]
fn cve_2015_0219_underscores_are_not_hyphens() {
    let forged = [("x_forwarded_proto", "https"), ("x_forwarded_port", "1")];
    let request = request(behind_proxy(), "/", &forged, "10.1.1.1");
    assert!(!request.is_secure());
    assert_eq!(request.get_port(), "80");
}

#[test]
fn forwarded_headers_are_believed_of_trusted_proxies_alone() {
    let headers = [("x-forwarded-proto", "https"), ("x-forwarded-port", "8443")];
    let trusted = request(behind_proxy(), "/", &headers, "10.1.1.1");
    assert_eq!(
        (trusted.scheme(), trusted.get_port().as_str()),
        ("https", "8443")
    );
    let stranger = request(behind_proxy(), "/", &headers, "192.0.2.1");
    assert_eq!(
        (stranger.scheme(), stranger.get_port().as_str()),
        ("http", "80")
    );
}

/// CVE-2019-12781 too: without a named proxy a client cannot make itself secure, or another address.
#[test]
fn cve_2019_12781_without_trusted_proxies_nobody_is_believed() {
    let headers = [
        ("host", "testserver"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "8443"),
        ("x-forwarded-host", "a.example.com"),
        ("x-forwarded-for", "198.51.100.7"),
    ];
    let nobody = settings(|s| {
        s.secure_proxy_ssl_header = Some(("HTTP_X_FORWARDED_PROTO".into(), "https".into()));
        s.use_x_forwarded_port = true;
        s.use_x_forwarded_host = true;
    });
    for peer in ["127.0.0.1", "::1", "192.0.2.1"] {
        let request = request(nobody.clone(), "/x", &headers, peer);
        assert!(!request.is_secure() && !request.is_from_trusted_proxy());
        assert_eq!(request.get_port(), "80");
        assert_eq!(request.build_absolute_uri().unwrap(), "http://testserver/x");
        assert_eq!(request.client_address(), Some(peer.parse().unwrap()));
    }
}

/// A server that knows no addresses (a Unix socket) trusts nobody, whatever the list says.
#[test]
fn without_an_address_nobody_is_believed() {
    let everybody = settings(|s| {
        s.secure_proxy_ssl_header = Some(("HTTP_X_FORWARDED_PROTO".into(), "https".into()));
        s.trusted_proxies = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
    });
    let builder = HttpRequest::builder().header("x-forwarded-proto", "https");
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    assert!(!Request::new(everybody, &parts, session()).is_secure());
}

#[test]
fn the_client_is_the_last_hop_that_is_not_a_trusted_proxy() {
    for (peer, forwarded, client) in [
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.1.1.1", "198.51.100.7", "198.51.100.7"),
        (
            "10.1.1.1",
            "1.2.3.4, 198.51.100.7, 10.2.2.2",
            "198.51.100.7",
        ),
        ("10.1.1.1", "1.2.3.4, rubbish, 10.2.2.2", "10.2.2.2"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("::ffff:10.1.1.1", "2001:db8::1", "2001:db8::1"),
    ] {
        let request = request(behind_proxy(), "/", &[("x-forwarded-for", forwarded)], peer);
        assert_eq!(
            request.client_address(),
            Some(client.parse().unwrap()),
            "{peer} {forwarded}"
        );
    }
    assert_eq!(
        Request::detached(settings(|_| ()), session()).client_address(),
        None
    );
}

#[test]
fn debug_shows_no_secrets() {
    let shown = format!(
        "{:?}",
        simple(&[
            ("cookie", "sessionid=hunter2"),
            ("authorization", "hunter2")
        ])
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// CVE-2007-0405: two requests never share a user.
#[tokio::test]
async fn cve_2007_0405_the_user_belongs_to_one_request() {
    let (one, two) = (simple(&[]), simple(&[]));
    one.set_user(Some(Arc::new(1)));
    assert_eq!(one.cached_user(), Some(Some(Arc::new(1))));
    assert_eq!(two.cached_user::<i32>(), None);
}

#[tokio::test]
async fn a_user_is_loaded_once_and_a_failure_is_tried_again() {
    let request = simple(&[]);
    let failed = request.user_or_load::<i32, _>(async { Err("down") }).await;
    assert_eq!(failed, Err("down"));
    let load = |user| request.user_or_load(async move { Ok::<_, ()>(Some(Arc::new(user))) });
    assert_eq!(load(1).await, Ok(Some(Arc::new(1))));
    assert_eq!(load(2).await, Ok(Some(Arc::new(1))));
    request.set_user::<i32>(None);
    assert_eq!(load(3).await, Ok(None));
}

#[tokio::test]
async fn a_user_that_is_set_while_another_loads_wins() {
    let request = simple(&[]);
    let user = request
        .user_or_load(async {
            request.set_user(Some(Arc::new(7)));
            Ok::<_, ()>(Some(Arc::new(1)))
        })
        .await;
    assert_eq!(user, Ok(Some(Arc::new(7))));
}
