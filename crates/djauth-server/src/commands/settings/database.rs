//! `DATABASES` and `CACHES` as URLs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use super::answer::Answer;
use super::sheet::Sheet;

/// What may stand in a part of a URL as it is.
const PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const PATH: &AsciiSet = &PART.remove(b'/');

fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// One entry of `DATABASES`.
struct Entry<'a>(&'a Map<String, Json>);

impl Entry<'_> {
    /// Text, or a number as text (`PORT`).
    fn text(&self, key: &str) -> String {
        match self.0.get(key) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    fn options(&self) -> Map<String, Json> {
        let options = self.0.get("OPTIONS").and_then(Json::as_object);
        options.cloned().unwrap_or_default()
    }
}

/// `DATABASE_URL` from the database `default`.
pub(super) fn database(answer: &Answer, sheet: &mut Sheet) {
    let databases = answer.setting("DATABASES");
    let Some(entry) = databases.get("default").and_then(Json::as_object) else {
        sheet.lacks("DATABASES", "there is no database \"default\"");
        return;
    };
    let entry = Entry(entry);
    let engine = entry.text("ENGINE");
    let url = match engine.rsplit('.').next().unwrap_or_default() {
        "sqlite3" | "spatialite" => sqlite(answer, &entry, sheet),
        "postgresql" | "postgresql_psycopg2" | "postgis" => Some(server("postgres", &entry, sheet)),
        "mysql" => Some(server("mysql", &entry, sheet)),
        _ => {
            sheet.lacks(
                "DATABASES",
                format!("no database of the engine {engine:?} can be used"),
            );
            None
        }
    };
    if let Some(url) = url {
        sheet.set("DATABASE_URL", url.into());
    }
    if entry.0.get("TIME_ZONE").is_some_and(|zone| !zone.is_null()) {
        sheet.lacks("DATABASES", "TIME_ZONE: times must be stored in UTC");
    }
    if answer
        .setting("DATABASE_ROUTERS")
        .as_array()
        .is_some_and(|list| !list.is_empty())
    {
        let why = "everything is expected in the database \"default\"";
        sheet.lacks("DATABASE_ROUTERS", why);
    }
}

/// The file must be there already: djauth makes none beside a Django site.
fn sqlite(answer: &Answer, entry: &Entry<'_>, sheet: &mut Sheet) -> Option<String> {
    let name = entry.text("NAME");
    if name.is_empty() || name.contains(":memory:") || name.starts_with("file:") {
        sheet.lacks(
            "DATABASES",
            format!("{name:?} is no file that two programs can share"),
        );
        return None;
    }
    let path = std::path::Path::new(&answer.folder).join(name);
    let path = utf8_percent_encode(path.to_str()?, PATH).to_string();
    let timeout = entry.options().remove("timeout");
    let timeout = timeout
        .and_then(|seconds| seconds.as_f64())
        .filter(|s| *s >= 1.0);
    let timeout = timeout.map_or_else(String::new, |s| format!("&timeout={}", s.ceil()));
    Some(format!("sqlite://{path}?mode=rw{timeout}"))
}

fn server(scheme: &str, entry: &Entry<'_>, sheet: &mut Sheet) -> String {
    let (user, password) = (entry.text("USER"), entry.text("PASSWORD"));
    let colon = if password.is_empty() { "" } else { ":" };
    let login = format!("{}{colon}{}", part(&user), part(&password));
    let at = if login.is_empty() { "" } else { "@" };
    let host = entry.text("HOST");
    let mut parameters = parameters(entry, sheet);
    let host = match host.as_str() {
        "" => {
            sheet.remark(
                "DATABASE_URL",
                "the project names no host; write host=/FOLDER for a socket",
            );
            "localhost".to_owned()
        }
        socket if socket.starts_with('/') => {
            parameters.insert(0, format!("host={}", part(socket)));
            "localhost".to_owned()
        }
        // An IPv6 address needs its brackets.
        address if address.contains(':') => format!("[{address}]"),
        name => name.to_owned(),
    };
    let port = entry.text("PORT");
    let colon = if port.is_empty() { "" } else { ":" };
    let name = part(&entry.text("NAME"));
    let mark = if parameters.is_empty() { "" } else { "?" };
    let parameters = parameters.join("&");
    format!("{scheme}://{login}{at}{host}{colon}{port}/{name}{mark}{parameters}")
}

/// Options of the driver that have a parameter here, or none to speak of.
fn parameters(entry: &Entry<'_>, sheet: &mut Sheet) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in entry.options() {
        let text = value
            .as_str()
            .map(str::to_owned)
            .unwrap_or_else(|| value.to_string());
        match name.as_str() {
            "sslmode" | "sslrootcert" | "connect_timeout" | "options" => {
                found.push(format!("{name}={}", part(&text)));
            }
            "ssl" | "ssl_mode" if value.get("ca").is_some() => {
                let ca = value["ca"].as_str().unwrap_or_default();
                found.push(format!("sslmode=verify-ca&sslrootcert={}", part(ca)));
            }
            "charset"
            | "pool"
            | "isolation_level"
            | "init_command"
            | "sql_mode"
            | "use_unicode"
            | "assume_role"
            | "server_side_binding" => {}
            _ => sheet.lacks(
                "DATABASES",
                format!("OPTIONS: {name:?} has no parameter in DATABASE_URL"),
            ),
        }
    }
    found
}

/// `CACHE_URL` and its companions from the cache that sessions are kept in.
pub(super) fn cache(answer: &Answer, sheet: &mut Sheet) {
    let engine = answer.text("SESSION_ENGINE");
    let needed = engine.ends_with(".cache") || engine.ends_with(".cached_db");
    let alias = answer.text("SESSION_CACHE_ALIAS");
    let Some(entry) = answer
        .setting("CACHES")
        .get(alias)
        .and_then(Json::as_object)
    else {
        return;
    };
    let entry = Entry(entry);
    let backend = entry.text("BACKEND");
    if backend != "django.core.cache.backends.redis.RedisCache" {
        if needed {
            let why = format!(
                "sessions are in a cache of the class {backend}, and only Django's RedisCache can be shared"
            );
            sheet.lacks("CACHES", why);
        }
        return;
    }
    if let Some(url) = redis_url(&entry, sheet) {
        sheet.set("CACHE_URL", url.into());
    }
    sheet.set("CACHE_KEY_PREFIX", entry.text("KEY_PREFIX").into());
    let version = entry.0.get("VERSION").cloned().unwrap_or_else(|| 1.into());
    sheet.set("CACHE_VERSION", version);
    if entry
        .0
        .get("KEY_FUNCTION")
        .is_some_and(|function| !function.is_null())
    {
        sheet.lacks(
            "CACHES",
            "KEY_FUNCTION: keys are made as Django makes them by itself",
        );
    }
}

/// The first server; Django writes to that one alone.
fn redis_url(entry: &Entry<'_>, sheet: &mut Sheet) -> Option<String> {
    let locations = match entry.0.get("LOCATION") {
        Some(Json::String(text)) => text.split([',', ';']).map(str::to_owned).collect(),
        Some(Json::Array(list)) => list
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    if locations.len() > 1 {
        sheet.lacks(
            "CACHES",
            "LOCATION: only the first server is used, which is the one that Django writes to",
        );
    }
    let url = locations.into_iter().next()?;
    let options = entry.options();
    let option = |name: &str| match options.get(name) {
        Some(Json::String(text)) => Some(part(text)),
        Some(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let (scheme, place) = url.split_once("://")?;
    let place = match (option("password"), place.contains('@')) {
        (Some(password), false) => {
            format!(
                "{}:{password}@{place}",
                option("username").unwrap_or_default()
            )
        }
        _ => place.to_owned(),
    };
    let number = option("db").filter(|_| !place.contains('/'));
    let number = number.map_or_else(String::new, |number| format!("/{number}"));
    Some(format!("{scheme}://{place}{number}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn url_of(entry: &Json) -> (String, usize) {
        let mut sheet = Sheet::default();
        let entry = Entry(entry.as_object().unwrap());
        let url = server("postgres", &entry, &mut sheet);
        (url, sheet.missing().count())
    }

    #[test]
    fn a_server_becomes_a_url_whose_parts_are_encoded() {
        let entry = json!({
            "NAME": "live", "USER": "app@x", "PASSWORD": "p:/?#w", "HOST": "db", "PORT": 5433,
            "OPTIONS": {"sslmode": "require", "options": "-c search_path=app", "pool": true}
        });
        let url = "postgres://app%40x:p%3A%2F%3F%23w@db:5433/live?sslmode=require&options=-c%20search_path%3Dapp";
        assert_eq!(url_of(&entry), (url.into(), 0));
    }

    #[test]
    fn sockets_and_addresses_are_hosts_too() {
        let url = |host| url_of(&json!({"NAME": "live", "HOST": host})).0;
        assert_eq!(url("/run/pg"), "postgres://localhost/live?host=%2Frun%2Fpg");
        assert_eq!(url("::1"), "postgres://[::1]/live");
        assert_eq!(url(""), "postgres://localhost/live");
    }

    #[test]
    fn an_option_that_is_not_known_is_named() {
        let entry = json!({"NAME": "live", "HOST": "db", "OPTIONS": {"service": "main"}});
        assert_eq!(url_of(&entry).1, 1);
    }

    #[test]
    fn the_parts_of_a_cache_become_one_url() {
        let url = |entry: Json| {
            redis_url(&Entry(entry.as_object().unwrap()), &mut Sheet::default()).unwrap()
        };
        assert_eq!(url(json!({"LOCATION": "redis://c:1/2"})), "redis://c:1/2");
        assert_eq!(
            url(
                json!({"LOCATION": ["redis://c:1", "redis://d"], "OPTIONS": {"password": "p@", "db": 3}})
            ),
            "redis://:p%40@c:1/3"
        );
    }
}
