//! Backends, and the middleware of remote users.

use serde_json::{Map, Value as Json};

use super::answer::{Answer, Class};
use super::sheet::Sheet;

const BACKENDS: &str = "AUTHENTICATION_BACKENDS";
const MODULE: &str = "django.contrib.auth.backends.";

/// Backends of packages, the built-in one that does the same for sessions, and what is lost by it.
const KNOWN: [(&str, &str, &str); 2] = [
    (
        "allauth.account.auth_backends.AuthenticationBackend",
        "ModelBackend",
        "users log in by username alone, and not by what allauth knows of them",
    ),
    (
        "axes.backends.AxesStandaloneBackend",
        "BaseBackend",
        "it locks nobody out; LOGIN_RATE_LIMIT_PER_NETWORK and LOGIN_RATE_LIMIT_PER_USERNAME limit guesses",
    ),
];

/// `AUTHENTICATION_BACKENDS`: Django's own, and those whose place one of them can take. One that decides
/// in its own way is left out: whoever it would refuse must not be let in here.
pub(super) fn backends(answer: &Answer, sheet: &mut Sheet) {
    let (mut list, mut aliases): (Vec<Json>, _) = (Vec::new(), Map::new());
    for backend in &answer.backends {
        match place_of(backend) {
            Ok(builtin) => {
                if let Some(builtin) = builtin {
                    aliases.insert(backend.path.clone(), builtin.into());
                }
                list.push(backend.path.as_str().into());
            }
            Err(why) => sheet.lacks(BACKENDS, format!("{}: {why}", backend.path)),
        }
        if let Some((path, _, lost)) = known(&backend.path) {
            sheet.lacks(BACKENDS, format!("{path}: {lost}"));
        }
        if let Some(create) = backend.values.get("create_unknown_user") {
            sheet.set("REMOTE_USER_CREATE_UNKNOWN", create.clone());
        }
    }
    if list.is_empty() {
        // Without any, the default would let in whoever has a password.
        list.push("BaseBackend".into());
    }
    sheet.set(BACKENDS, list.into());
    sheet.set("AUTHENTICATION_BACKEND_ALIASES", aliases.into());
}

fn known(path: &str) -> Option<(&'static str, &'static str, &'static str)> {
    KNOWN.into_iter().find(|(known, ..)| *known == path)
}

/// The built-in backend that takes the place of a foreign one; `None` for one that is built in.
fn place_of(backend: &Class) -> Result<Option<String>, String> {
    if let Some((_, builtin, _)) = known(&backend.path) {
        return Ok(Some(builtin.to_owned()));
    }
    let django = backend.django.as_deref();
    match django.filter(|django| django.starts_with(MODULE)) {
        Some(django) if django == backend.path => Ok(None),
        Some(django) if backend.changes.is_empty() => Ok(Some(django.to_owned())),
        Some(django) => Err(format!(
            "it descends from {django} and decides in its own way ({}); if sessions are to hold all the same, \
             add it, and an entry of AUTHENTICATION_BACKEND_ALIASES",
            backend.changes.join(", ")
        )),
        None => Err("it is not Django's, and sessions that name it are of nobody here".into()),
    }
}

/// Whether this is Django's middleware of remote users.
pub(super) fn is_remote_user(django: &str) -> bool {
    const NAMES: [&str; 2] = ["RemoteUserMiddleware", "PersistentRemoteUserMiddleware"];
    let name = django.strip_prefix("django.contrib.auth.middleware.");
    name.is_some_and(|name| NAMES.contains(&name))
}

/// The middleware of remote users: their header.
pub(super) fn remote_user(answer: &Answer, sheet: &mut Sheet) {
    let is_remote = |class: &&Class| is_remote_user(class.django.as_deref().unwrap_or_default());
    for class in answer.middleware.iter().filter(is_remote) {
        if !class.changes.is_empty() {
            let changes = class.changes.join(", ");
            sheet.lacks(
                "MIDDLEWARE",
                format!("{}: it works in its own way ({changes})", class.path),
            );
        }
        match class.values.get("header").and_then(Json::as_str) {
            Some(header) if header.starts_with("HTTP_") => {
                sheet.set("REMOTE_USER_HEADER", header.into());
                let forced = class.values.get("force_logout_if_no_header");
                sheet.set("REMOTE_USER_PERSISTENT", (forced == Some(&Json::Bool(false))).into());
                sheet.remark("REMOTE_USER_HEADER", "Set TRUSTED_PROXIES to the addresses of the proxy: nobody else is believed.");
            }
            _ => sheet.lacks("MIDDLEWARE", format!(
                "{}: the site hears the name from its own web server; let a proxy send it in a header, \
                 REMOTE_USER_HEADER",
                class.path
            )),
        }
    }
}
