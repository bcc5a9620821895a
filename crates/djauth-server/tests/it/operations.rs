//! What an operator needs: probes, numbers, names of requests, logs for machines.

use test_databases::{TestDatabase, TestRedis};

use crate::browser::Browser;
use crate::faults::{Proxy, address_of};
use crate::site::Site;

#[test]
fn probes_answer_to_any_host_name_and_leave_no_line_in_the_log() {
    let site = Site::new();
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    for (path, text) in [("/livez", "ok\n"), ("/readyz", "ready\n")] {
        let answer = browser.request("GET", path, &[("Host", "10.9.8.7:1")], "");
        assert_eq!((answer.status, answer.body.as_str()), (200, text));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert!(answer.header("Set-Cookie").is_none());
        assert_eq!(browser.request("POST", path, &[], "").status, 405);
    }
    assert!(!server.stop().contains("djauth.access"));
}

#[test]
fn probes_are_where_the_settings_say_or_nowhere() {
    let server = Site::new()
        .with("HEALTH_LIVENESS_PATH", "/accounts/alive")
        .with("HEALTH_READINESS_PATH", "")
        .serve();
    let mut browser = Browser::new(server.address);
    assert_eq!(browser.get("/accounts/alive").status, 200);
    assert_eq!(browser.get("/livez").status, 404);
    assert_eq!(browser.get("/readyz").status, 404);
}

/// While the database is away the server lives, but is not ready; it says so within the limit, and only
/// the log says why.
#[test]
fn readiness_follows_the_database() {
    for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
        let proxy = Proxy::new(address_of(database.url()));
        let there = address_of(database.url());
        let url = database.url().replace(&there, &proxy.address.to_string());
        let site = Site::new()
            .with("DATABASE_URL", &url)
            .with("SECRET_KEY", "a key of the test");
        assert_eq!(site.run(&["migrate"]).code, Some(0));
        let server = site.serve();
        let mut browser = Browser::new(server.address);
        assert_eq!(browser.get("/readyz").status, 200);
        proxy.cut();
        until(&mut browser, 503);
        let away = browser.get("/readyz");
        assert_eq!(away.body, "not ready\n");
        assert_eq!(browser.get("/livez").status, 200);
        proxy.mend();
        until(&mut browser, 200);
        let log = server.stop();
        assert!(log.contains("djauth.health"), "{log}");
    }
}

/// Asks until the answer, which is kept for a second, changes.
fn until(browser: &mut Browser, status: u16) {
    let begun = std::time::Instant::now();
    while browser.get("/readyz").status != status {
        assert!(begun.elapsed().as_secs() < 30, "never {status}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn readiness_needs_the_cache_that_sessions_are_in() {
    let there = TestRedis::new();
    let site = |url: &str| {
        Site::new()
            .with("SESSION_ENGINE", "cache")
            .with("CACHE_URL", url)
    };
    for (url, status) in [(there.url(), 200), ("redis://127.0.0.1:1/0", 503)] {
        let site = site(url);
        let server = site.serve();
        assert_eq!(Browser::new(server.address).get("/readyz").status, status);
    }
}

#[test]
fn numbers_are_on_an_address_of_their_own_and_name_nobody() {
    let site = Site::new().with("METRICS_ADDRESS", "127.0.0.1:0");
    site.superuser("edith", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    browser.login("edith", "wrong");
    browser.login("edith", "correct horse");
    browser.request("BREW", "/some/path?token=hush", &[], "");
    assert_eq!(browser.get("/metrics").status, 404);
    let numbers = Browser::new(server.numbers()).get("/metrics");
    assert_eq!(numbers.status, 200);
    let kind = numbers.header("Content-Type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let backend = "django.contrib.auth.backends.ModelBackend";
    for line in [
        r#"djauth_http_requests_total{method="GET",route="/accounts/login/",status="200"} 2"#,
        r#"djauth_http_requests_total{method="POST",route="/accounts/login/",status="302"} 1"#,
        r#"route="other",status="404"#,
        r#"djauth_logins_total{result="failed",backend=""} 1"#,
        &format!(r#"djauth_logins_total{{result="ok",backend="{backend}"}} 1"#),
        "djauth_hashing_jobs_total 2",
        "djauth_hashing_refused_unnamed_total 0",
        "djauth_hashing_waiting 0",
        "djauth_mail_waiting 0",
        "djauth_http_request_duration_seconds_bucket{le=",
        "# EOF",
    ] {
        assert!(numbers.body.contains(line), "{line}: {}", numbers.body);
    }
    for absent in ["edith", "/some/path", "hush", "BREW", "127.0.0.1"] {
        assert!(!numbers.body.contains(absent), "{absent}: {}", numbers.body);
    }
}

#[test]
fn without_an_address_there_are_no_numbers() {
    let server = Site::new().serve();
    assert!(!server.said.contains("Prometheus"), "{}", server.said);
    assert_eq!(Browser::new(server.address).get("/metrics").status, 404);
}

#[test]
fn numbers_show_the_connections_to_a_database_server() {
    let database = TestDatabase::postgres();
    let site = Site::new()
        .with("DATABASE_URL", database.url())
        .with("SECRET_KEY", "a key of the test")
        .with("METRICS_ADDRESS", "127.0.0.1:0");
    assert_eq!(site.run(&["migrate"]).code, Some(0));
    let server = site.serve();
    let numbers = Browser::new(server.numbers()).get("/metrics").body;
    assert!(numbers.contains("djauth_db_connections_open "), "{numbers}");
}

#[test]
fn a_request_has_a_name_in_its_answer_and_in_every_line_about_it() {
    let site = Site::new()
        .with("LOG_LEVEL", "warn")
        .with("RUST_LOG", "info");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    let forged = [("X-Request-ID", "forged"), ("Host", "evil.example")];
    let answer = browser.request("GET", "/accounts/login/", &forged, "");
    assert_eq!(answer.status, 400);
    let id = answer.header("X-Request-ID").unwrap().to_owned();
    assert_eq!(id.len(), 32);
    let log = server.stop();
    // The line of the refused host, and that of the access log.
    assert_eq!(log.matches(&id).count(), 2, "{log}");
    assert!(!log.contains("forged"), "{log}");
}

#[test]
fn a_trusted_proxy_names_requests_unless_the_name_is_malformed() {
    let server = Site::new()
        .with("TRUSTED_PROXIES", r#"["127.0.0.1"]"#)
        .serve();
    let mut browser = Browser::new(server.address);
    let mut named = |id: &str| {
        let answer = browser.request("GET", "/accounts/login/", &[("X-Request-ID", id)], "");
        answer.header("X-Request-ID").unwrap().to_owned()
    };
    assert_eq!(named("7f3a-01"), "7f3a-01");
    assert_ne!(named("7f3a id=root"), "7f3a id=root");
    assert!(server.stop().contains("7f3a-01"));
}

#[test]
fn logs_for_machines_are_one_object_a_line() {
    let server = Site::new().with("LOG_FORMAT", "json").serve();
    let answer = Browser::new(server.address).get("/no/such/page?token=hush");
    let id = answer.header("X-Request-ID").unwrap().to_owned();
    let log = server.stop();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let access = lines
        .iter()
        .find(|line| line["target"] == "djauth.access")
        .unwrap();
    assert_eq!(access["path"], "/no/such/page");
    assert_eq!(access["status"], 404);
    assert_eq!(access["span"]["id"], id.as_str());
    assert!(!log.contains("hush"), "{log}");
}

#[test]
fn browsers_get_no_icon_and_no_404() {
    let server = Site::new().serve();
    let host = [("Host", "any.example")];
    let answer = Browser::new(server.address).request("GET", "/favicon.ico", &host, "");
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
}

/// Without these calls the hashing threads compete with those that answer.
#[test]
fn the_unit_for_systemd_lets_the_hashing_threads_step_back() {
    let unit = include_str!("../../../../deploy/djauth.service");
    let filters = unit
        .lines()
        .filter_map(|line| line.strip_prefix("SystemCallFilter="));
    for call in ["sched_setscheduler", "setpriority"] {
        let mut allowed = false;
        for filter in filters.clone() {
            let (allows, names) = match filter.strip_prefix('~') {
                Some(names) => (false, names),
                None => (true, filter),
            };
            // `systemd-analyze syscall-filter` shows both calls in these two sets.
            let about = |name| [call, "@system-service", "@resources"].contains(&name);
            if names.split_whitespace().any(about) {
                allowed = allows;
            }
        }
        assert!(allowed, "{call}");
    }
}
