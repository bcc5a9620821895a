//! `FORWARD_AUTH_RULES`, `FORWARD_AUTH_HOSTS` and `FORWARD_AUTH_HEADERS`.

use serde_json::{Map, Value as Json, json};

use super::kind::{Kind, TextList, expected, list};
use crate::forward_auth::{Access, Conditions, IdentityHeader, Rule};
use crate::http::split_domain_port;
use crate::mixins::is_permission_name;

/// `FORWARD_AUTH_RULES`.
pub(super) struct Rules;

impl Kind for Rules {
    type Value = Vec<Rule>;
    const EXPECTED: &'static str = "a list of rules, such as [{\"host\": \"app.example.com\", \"path\": \"/reports\", \"perm\": [\"reports.view_report\"]}]";

    fn read(json: &Json) -> Result<Self::Value, String> {
        list::<Self>(json)?.iter().map(read_rule).collect()
    }

    fn show(value: &Self::Value) -> Json {
        value.iter().map(show_rule).collect()
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        value.iter().try_for_each(check_rule)
    }
}

const KEYS: [&str; 9] = [
    "host",
    "path",
    "methods",
    "perm",
    "group",
    "staff",
    "superuser",
    "public",
    "deny",
];

fn read_rule(json: &Json) -> Result<Rule, String> {
    let map = json.as_object().ok_or_else(expected::<Rules>)?;
    if let Some(unknown) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!(
            "a rule has no {unknown:?}; it has {}",
            KEYS.join(", ")
        ));
    }
    let host = text(map, "host")?.ok_or("a rule needs a host, or \"*\" for every host")?;
    let path = text(map, "path")?.unwrap_or_else(|| "/".to_owned());
    let rule = Rule::new(host.to_lowercase(), access(map)?).path(path);
    Ok(rule.methods(texts(map, "methods")?))
}

fn access(map: &Map<String, Json>) -> Result<Access, String> {
    let conditions = Conditions {
        perm: texts(map, "perm")?,
        group: texts(map, "group")?,
        staff: flag(map, "staff")?,
        superuser: flag(map, "superuser")?,
    };
    let (public, deny) = (flag(map, "public")?, flag(map, "deny")?);
    match (public, deny, conditions == Conditions::default()) {
        (false, false, _) => Ok(Access::Users(conditions)),
        (true, false, true) => Ok(Access::Public),
        (false, true, true) => Ok(Access::Deny),
        _ => Err("a rule with public or deny has no other condition".into()),
    }
}

fn text(map: &Map<String, Json>, key: &str) -> Result<Option<String>, String> {
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let value = map
        .get(key)
        .map(|json| text(json).ok_or_else(|| format!("{key}: expected a string")));
    value.transpose()
}

/// A list, or a single string.
fn texts(map: &Map<String, Json>, key: &str) -> Result<Vec<String>, String> {
    match map.get(key) {
        None => Ok(Vec::new()),
        Some(Json::String(one)) => Ok(vec![one.clone()]),
        Some(Json::Array(items)) if items.is_empty() => Err(format!("{key}: the list is empty")),
        Some(json) => TextList::read(json).map_err(|problem| format!("{key}: {problem}")),
    }
}

fn flag(map: &Map<String, Json>, key: &str) -> Result<bool, String> {
    match map.get(key) {
        None => Ok(false),
        Some(json) => json
            .as_bool()
            .ok_or_else(|| format!("{key}: expected true or false")),
    }
}

fn show_rule(rule: &Rule) -> Json {
    let mut shown = json!({"host": rule.host, "path": rule.path});
    let mut put = |key: &str, value: Json| shown[key] = value;
    if !rule.methods.is_empty() {
        put("methods", rule.methods.clone().into());
    }
    match &rule.access {
        Access::Deny => put("deny", true.into()),
        Access::Public => put("public", true.into()),
        Access::Users(conditions) => {
            let lists = [("perm", &conditions.perm), ("group", &conditions.group)];
            for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
                put(key, list.clone().into());
            }
            let flags = [
                ("staff", conditions.staff),
                ("superuser", conditions.superuser),
            ];
            for (key, _) in flags.into_iter().filter(|(_, flag)| *flag) {
                put(key, true.into());
            }
        }
    }
    shown
}

fn check_rule(rule: &Rule) -> Result<(), String> {
    let domain = rule.host.strip_prefix('.').unwrap_or(&rule.host);
    let whole =
        split_domain_port(domain).is_some_and(|(name, port)| name == domain && port.is_empty());
    if rule.host != "*" && !whole {
        return Err(format!(
            "{:?} is no host of a rule: expected a name in lower case without a port, \".example.com\" or \"*\"",
            rule.host
        ));
    }
    let mut segments = rule.path.trim_matches('/').split('/');
    let plain = |c: char| !c.is_control() && !matches!(c, '%' | '\\' | ';' | '?' | '#');
    let good = rule.path == "/" || segments.all(|s| !matches!(s, "" | "." | ".."));
    if !rule.path.starts_with('/') || !good || !rule.path.chars().all(plain) {
        return Err(format!(
            "{:?} is no path of a rule: expected one such as \"/reports\", not percent-encoded",
            rule.path
        ));
    }
    let upper =
        |method: &&String| !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    if let Some(method) = rule.methods.iter().find(|method| !upper(method)) {
        return Err(format!(
            "{method:?} is no method: expected one such as \"GET\""
        ));
    }
    let Access::Users(conditions) = &rule.access else {
        return Ok(());
    };
    match conditions
        .perm
        .iter()
        .find(|perm| !is_permission_name(perm))
    {
        Some(perm) => Err(format!("{perm:?} is not app_label.codename")),
        None => Ok(()),
    }
}

/// `FORWARD_AUTH_HOSTS`: compared as text, so they must be written as browsers write them.
pub(super) struct GuardedHosts;

impl Kind for GuardedHosts {
    type Value = Vec<String>;
    const EXPECTED: &'static str = "a list of hosts in lower case, with a port that is not the scheme's, such as [\"app.example.com\", \"app.example.com:8443\"]";

    fn read(json: &Json) -> Result<Self::Value, String> {
        TextList::read(json).map_err(|_| expected::<Self>())
    }

    fn show(value: &Self::Value) -> Json {
        value.clone().into()
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        let written = |host: &&String| {
            let parts = split_domain_port(host);
            parts.is_some_and(|(name, port)| match port.as_str() {
                "" => name == **host,
                port => format!("{name}:{port}") == **host,
            })
        };
        match value.iter().find(|host| !written(host)) {
            Some(host) => Err(format!("{host:?}: {}", expected::<Self>())),
            None => Ok(()),
        }
    }
}

/// `FORWARD_AUTH_HEADERS`.
pub(super) struct IdentityHeaders;

impl Kind for IdentityHeaders {
    type Value = Vec<IdentityHeader>;
    const EXPECTED: &'static str = "a list of \"email\", \"name\" and \"groups\"";

    fn read(json: &Json) -> Result<Self::Value, String> {
        let find = |json: &Json| {
            let mut all = IdentityHeader::ALL.into_iter();
            all.find(|header| json.as_str() == Some(header.setting()))
        };
        let headers = list::<Self>(json)?.iter().map(find);
        headers.collect::<Option<_>>().ok_or_else(expected::<Self>)
    }

    fn show(value: &Self::Value) -> Json {
        value.iter().map(|header| header.setting()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &Json) -> Result<Vec<Rule>, String> {
        let rules = Rules::read(json)?;
        Rules::check(&rules)?;
        Ok(rules)
    }

    #[test]
    fn rules_are_read_and_shown() {
        let json = json!([
            {"host": "app.example.com", "path": "/reports", "perm": ["reports.view_report"], "staff": true},
            {"host": ".example.org", "path": "/", "methods": ["GET"], "public": true},
            {"host": "*", "path": "/x/", "deny": true},
            {"host": "[::1]", "path": "/caf\u{e9} x", "group": ["Site Editors", "b"], "superuser": true},
        ]);
        let rules = read(&json).unwrap();
        assert_eq!(Rules::show(&rules), json);
        let short = read(&json!([{"host": "A.example.com", "perm": "a.b"}])).unwrap();
        let shown = json!([{"host": "a.example.com", "path": "/", "perm": ["a.b"]}]);
        assert_eq!(Rules::show(&short), shown);
    }

    #[test]
    fn a_slip_in_a_rule_is_refused() {
        for rule in [
            json!({}),
            json!("app.example.com"),
            json!({"host": 1}),
            json!({"host": ""}),
            json!({"host": "app.example.com:80"}),
            json!({"host": "https://app.example.com"}),
            json!({"host": "app.example.com."}),
            json!({"host": "*.example.com"}),
            json!({"host": "a", "path": "reports"}),
            json!({"host": "a", "path": "/a//b"}),
            json!({"host": "a", "path": "/a/../b"}),
            json!({"host": "a", "path": "/a%20b"}),
            json!({"host": "a", "path": "/a?b"}),
            json!({"host": "a", "path": "//"}),
            json!({"host": "a", "perms": ["a.b"]}),
            json!({"host": "a", "perm": ["ab"]}),
            json!({"host": "a", "perm": []}),
            json!({"host": "a", "group": []}),
            json!({"host": "a", "staff": "yes"}),
            json!({"host": "a", "public": true, "staff": true}),
            json!({"host": "a", "public": true, "deny": true}),
            json!({"host": "a", "methods": ["get"]}),
        ] {
            assert!(read(&json!([rule])).is_err(), "{rule}");
        }
    }

    #[test]
    fn hosts_are_written_as_browsers_write_them() {
        let check = |host: &str| GuardedHosts::check(&vec![host.to_owned()]);
        for host in [
            "app.example.com",
            "app.example.com:8443",
            "[::1]:80",
            "localhost",
        ] {
            assert_eq!(check(host), Ok(()), "{host}");
        }
        for host in [
            "App.example.com",
            ".example.com",
            "*",
            "a/b",
            "a.",
            "https://a",
            "u@a",
            "",
        ] {
            // A leading dot is text that no host equals; it would list nothing.
            assert!(check(host).is_err() || host == ".example.com", "{host}");
        }
        let read = IdentityHeaders::read;
        assert_eq!(read(&json!(["groups"])), Ok(vec![IdentityHeader::Groups]));
        assert!(read(&json!(["password"])).is_err());
    }
}
