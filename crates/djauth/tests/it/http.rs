//! The pieces of HTTP against Django's answers (`interop/vectors/django_http.py`).

use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, EXPIRES, LOCATION, VARY};
use chrono::{DateTime, Utc};
use djauth::http::{self, QueryDict, SetCookie};
use proptest::prelude::*;
use serde_json::{Value, json};

static DATA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/http.json")).unwrap());

fn cases(name: &str) -> &'static [Value] {
    let cases = DATA[name].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(DATA["now"].as_i64().unwrap(), 0).unwrap()
}

#[test]
fn cookies_are_read_as_django_reads_them() {
    for case in cases("parse_cookie") {
        let cookies = http::parse_cookie(text(&case[0]));
        let read: serde_json::Map<_, _> = cookies
            .iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        assert_eq!(Value::Object(read), case[1], "{:?}", case[0]);
    }
}

/// CVE-2016-7401: a cookie of another party cannot smuggle one of ours into the header.
#[test]
fn cve_2016_7401_cookie_parser() {
    let cookies = http::parse_cookie("csrftoken=good; __utmz=1.2.x]csrftoken=evil");
    assert_eq!(cookies.get("csrftoken"), Some("good"));
    assert_eq!(cookies.get("__utmz"), Some("1.2.x]csrftoken=evil"));
    assert!(!http::parse_cookie("__utmz=x]csrftoken=evil").contains("csrftoken"));
}

#[test]
fn cookies_are_written_as_python_writes_them() {
    for case in cases("set_cookie") {
        let mut cookie = SetCookie::new("name", text(&case["value"]));
        if let Some(seconds) = case["max_age"].as_i64() {
            cookie = cookie.max_age(seconds, now());
        }
        if let Some(path) = case["path"].as_str() {
            cookie = cookie.path(path);
        }
        let cookie = cookie
            .domain(case["domain"].as_str())
            .secure(case["secure"] == true)
            .http_only(case["httponly"] == true)
            .same_site(case["samesite"].as_str());
        assert_eq!(cookie.to_string(), text(&case["header"]));
        assert_eq!(
            cookie.to_header_value().unwrap().as_bytes(),
            cookie.to_string().as_bytes()
        );
    }
}

#[test]
fn cookies_are_deleted_as_django_deletes_them() {
    for case in cases("delete_cookie") {
        let path = case["path"].as_str().unwrap_or("/");
        let domain = case["domain"].as_str();
        let cookie =
            SetCookie::delete(text(&case["name"]), path, domain, case["samesite"].as_str());
        assert_eq!(cookie.to_string(), text(&case["header"]));
    }
}

#[test]
fn cookies_that_no_header_can_carry_are_refused() {
    for cookie in [
        SetCookie::new("a b", "v"),
        SetCookie::new("", "v"),
        SetCookie::new("a", "v").path("/\r\nX: y"),
        SetCookie::new("a", "v").path("/; Domain=evil.com"),
        SetCookie::new("a", "v").domain(Some("x;y")),
        SetCookie::new("a", "v").same_site(Some("Sometimes")),
    ] {
        assert!(cookie.to_header_value().is_err(), "{cookie:?}");
    }
    let shown = format!("{:?}", SetCookie::new("sessionid", "hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn which_addresses_may_be_redirected_to() {
    let hosts = ["testserver", "testserver:8000"];
    for case in cases("allowed_urls") {
        let url = text(&case[0]);
        let allowed = http::url_has_allowed_host_and_scheme(url, &hosts, false);
        assert_eq!(allowed, case[1], "{url:?}");
        let allowed = http::url_has_allowed_host_and_scheme(url, &hosts[..1], true);
        assert_eq!(allowed, case[2], "{url:?} under https");
    }
}

fn is_refused(url: &str) -> bool {
    !http::url_has_allowed_host_and_scheme(url, &["testserver"], false)
}

/// CVE-2017-7233: a number after `http:` is a host to some browsers.
#[test]
fn cve_2017_7233_numeric_addresses() {
    assert!(
        ["http:999999999", "ftp:9999999999", "http:testserver"]
            .into_iter()
            .all(is_refused)
    );
}

/// CVE-2016-2512: credentials that end in a backslash.
#[test]
fn cve_2016_2512_backslash_in_credentials() {
    for url in [
        "http://testserver\\@evil.com",
        "http://evil.com\\@testserver",
        "/\\evil.com",
    ] {
        assert!(is_refused(url), "{url}");
    }
}

/// CVE-2015-2317, CVE-2015-0220, CVE-2014-3730, CVE-2013-6044 and CVE-2012-3442.
#[test]
fn cve_2015_2317_control_characters_and_other_schemes() {
    for url in [
        "\x08//evil.com",
        "\x01javascript:alert(1)",
        "\njavascript:alert(1)",
        "javascript:alert(1)",
        "http:\\\\\\evil.com",
        "http:///evil.com",
        "///evil.com",
        "data:text/html,x",
        "\t//evil.com",
    ] {
        assert!(is_refused(url), "{url:?}");
    }
}

/// CVE-2025-64458: nothing is normalised before its length is known.
#[test]
fn cve_2025_64458_long_addresses_are_refused_unread() {
    assert!(is_refused(&format!("//{}", "\u{fdfa}".repeat(1_000_000))));
    assert!(http::urlsplit(&format!("//{}", "\u{fdfa}".repeat(1_000_000))).is_err());
    assert!(http::redirect(&"\u{fdfa}".repeat(1_000_000)).is_err());
}

/// CVE-2018-14574 and CVE-2014-0480: a path that begins with two slashes names no host.
#[test]
fn cve_2018_14574_leading_slashes_are_escaped() {
    assert_eq!(http::escape_leading_slashes("//evil.com/"), "/%2Fevil.com/");
}

#[test]
fn hosts() {
    let patterns: Vec<Vec<String>> = serde_json::from_value(DATA["patterns"].clone()).unwrap();
    for case in cases("hosts") {
        let host = text(&case[0]);
        let split = http::split_domain_port(host).unwrap_or_default();
        // An invalid host has no port in ours, where Django may still name one.
        assert_eq!(split.0, text(&case[1]), "{host:?}");
        if !split.0.is_empty() {
            assert_eq!(split.1, text(&case[2]), "{host:?}");
        }
        let validated: Vec<bool> = patterns
            .iter()
            .map(|allowed| http::validate_host(&split.0, allowed))
            .collect();
        assert_eq!(json!(validated), case[3], "{host:?}");
    }
}

fn lists(fields: &QueryDict) -> Value {
    fields
        .iter()
        .map(|(name, _)| json!([name, fields.get_list(name)]))
        .collect()
}

#[test]
fn query_strings() {
    for case in cases("queries") {
        let fields = QueryDict::parse(text(&case[0]).as_bytes(), 1000).unwrap();
        assert_eq!(lists(&fields), case[1], "{:?}", case[0]);
        assert_eq!(fields.urlencode(), text(&case[2]));
        assert_eq!(fields.urlencode_safe("/"), text(&case[3]));
    }
    for case in cases("raw_queries") {
        let bytes: Vec<u8> = text(&case[0])
            .as_bytes()
            .chunks(2)
            .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
            .collect();
        assert_eq!(lists(&QueryDict::parse(&bytes, 1000).unwrap()), case[1]);
    }
    for case in cases("too_many") {
        let query = vec!["a"; case[0].as_u64().unwrap() as usize].join("&");
        assert_eq!(QueryDict::parse(query.as_bytes(), 1000).is_err(), case[1]);
    }
}

#[test]
fn quoting() {
    for case in cases("quoted") {
        let raw = text(&case[0]);
        assert_eq!(http::iri_to_uri(raw), text(&case[1]));
        assert_eq!(http::escape_uri_path(raw), text(&case[2]));
        assert_eq!(http::urlencode([("k", raw)]), text(&case[3]));
        assert_eq!(http::escape_leading_slashes(raw), text(&case[4]));
    }
}

#[test]
fn redirects() {
    for case in cases("redirects") {
        let response = http::redirect(text(&case[0])).ok();
        let location = response
            .as_ref()
            .map(|r| r.headers()[LOCATION].to_str().unwrap());
        assert_eq!(location, case[1].as_str(), "{:?}", case[0]);
    }
    for case in cases("long_redirects") {
        let to = "/".repeat(case[0].as_u64().unwrap() as usize);
        assert_eq!(http::redirect(&to).is_ok(), case[1]);
    }
}

#[test]
fn redirects_to_the_login_page() {
    for case in cases("login") {
        let to = http::redirect_to_login(text(&case[0]), text(&case[1]), text(&case[2]));
        let response = http::redirect(&to).unwrap();
        assert_eq!(response.headers()[LOCATION], text(&case[3]), "{case}");
    }
}

#[test]
fn vary() {
    for case in cases("vary") {
        let mut headers = HeaderMap::new();
        if let Some(present) = case[0].as_str() {
            headers.insert(VARY, present.parse().unwrap());
        }
        let names: Vec<&str> = case[1].as_array().unwrap().iter().map(text).collect();
        http::patch_vary_headers(&mut headers, &names);
        assert_eq!(headers[VARY], text(&case[2]), "{case}");
    }
}

#[test]
fn never_cache() {
    for case in cases("never_cache") {
        let mut headers = HeaderMap::new();
        for (name, value) in case[0].as_object().unwrap() {
            let name: axum::http::HeaderName = name.parse().unwrap();
            headers.insert(name, text(value).parse().unwrap());
        }
        http::add_never_cache_headers(&mut headers, now());
        assert_eq!(headers[EXPIRES], text(&case[1]["Expires"]));
        let sorted = |value: &str| {
            let mut directives: Vec<String> = value.split(", ").map(str::to_owned).collect();
            directives.sort();
            directives
        };
        let ours = headers[CACHE_CONTROL].to_str().unwrap();
        let django = text(&case[1]["Cache-Control"]);
        assert_eq!(sorted(ours), sorted(django), "{case}");
        if case[0].get("Cache-Control").is_none() {
            assert_eq!(ours, django);
        }
    }
}

#[test]
fn dates() {
    for case in cases("dates") {
        let at = DateTime::from_timestamp(case[0].as_i64().unwrap(), 0).unwrap();
        assert_eq!(http::http_date(at), text(&case[1]));
    }
}

proptest! {
    #[test]
    fn hostile_text_does_not_panic(raw in any::<String>()) {
        let _ = http::parse_cookie(&raw);
        let _ = http::urlsplit(&raw).map(|parts| parts.to_string());
        let _ = http::split_domain_port(&raw);
        let _ = QueryDict::parse(raw.as_bytes(), 1000);
        let _ = http::redirect(&raw);
        let _ = http::redirect_to_login(&raw, &raw, "next");
        http::url_has_allowed_host_and_scheme(&raw, &["testserver"], false);
    }

    /// Whatever is judged safe and redirected to never names another host.
    #[test]
    fn safe_addresses_stay_here(raw in "[/\\\\htp:.@#?a-c \t\u{8}\u{2100}]{0,12}") {
        if !is_refused(&raw) {
            let parts = http::urlsplit(http::redirect(&raw).unwrap().headers()[LOCATION].to_str().unwrap()).unwrap();
            prop_assert!(parts.netloc.is_empty() || parts.netloc == "testserver");
        }
    }

    #[test]
    fn cookies_come_back_as_they_went(value in "[ -~é\\x00-\\x1f]{0,20}") {
        let header = SetCookie::new("n", value.as_str()).path("").to_string();
        let cookies = http::parse_cookie(&header);
        prop_assert_eq!(cookies.get("n"), Some(value.as_str()));
    }
}
