//! Which of the project's settings become which of ours.

use djauth::settings::DEFINITIONS;
use serde_json::{Map, Value as Json, json};

use super::answer::Answer;
use super::sheet::Sheet;
use super::{backends, database, passwords};

type Source = fn(&Answer, &mut Sheet);

/// Settings of Django's whose value is not simply taken over, and what is done instead.
const SOURCES: [(&[&str], Source); 9] = [
    (&["DATABASES", "DATABASE_ROUTERS"], database::database),
    (&["CACHES", "SESSION_CACHE_ALIAS"], database::cache),
    (&["PASSWORD_HASHERS"], passwords::hashers),
    (&["AUTH_PASSWORD_VALIDATORS"], passwords::validators),
    (&["AUTHENTICATION_BACKENDS"], backends::backends),
    (
        &["LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"],
        urls,
    ),
    (&["LANGUAGES", "USE_I18N"], languages),
    (&["MAILERS"], mailers),
    (&["MIDDLEWARE", "AUTH_USER_MODEL", "USE_TZ"], site),
];

/// Beginnings of names that concern accounts, sessions or the safety of pages, here or in packages that
/// are often found beside Django's.
const CONCERNS: [&str; 26] = [
    "ACCOUNT_",
    "ALLOWED_",
    "AUTH_",
    "AXES_",
    "CSRF_",
    "DATA_UPLOAD_",
    "DISALLOWED_USER_AGENTS",
    "EMAIL_",
    "FORCE_SCRIPT_NAME",
    "GUARDIAN_",
    "LANGUAGE_",
    "LOGIN_",
    "LOGOUT_",
    "MAILERS",
    "OTP_",
    "PASSWORD_",
    "PREPEND_WWW",
    "SECRET_",
    "SECURE_",
    "SESSION_",
    "SIGNED_COOKIE_",
    "SIGNING_",
    "SOCIALACCOUNT_",
    "TIME_ZONE",
    "USE_X_",
    "X_FRAME_",
];

/// The settings of the project as ours.
pub(super) fn sheet(answer: &Answer) -> Sheet {
    let mut sheet = Sheet::default();
    for definition in DEFINITIONS.iter().filter(|known| !is_special(known.name)) {
        let name = definition.name;
        // Django's own list is longer than ours, and says nothing.
        let unsaid = name == "LANGUAGES" && !answer.set.iter().any(|set| set == name);
        if let Some(value) = answer.settings.get(name).filter(|_| !unsaid) {
            sheet.set(name, value.clone());
        }
    }
    for (_, source) in SOURCES {
        source(answer, &mut sheet);
    }
    for name in unknown(answer).filter(|name| concerns(name)) {
        sheet.lacks(name, "has no counterpart");
    }
    proxy(&mut sheet);
    let position = |name: &str| DEFINITIONS.iter().position(|known| known.name == name);
    sheet
        .rows
        .sort_by_key(|(definition, _)| position(definition.name));
    sheet
}

fn is_special(name: &str) -> bool {
    SOURCES.iter().any(|(names, _)| names.contains(&name))
}

/// Names that the project sets and that are not known here.
fn unknown(answer: &Answer) -> impl Iterator<Item = &str> {
    let known = |name: &str| DEFINITIONS.iter().any(|definition| definition.name == name);
    let names = answer.set.iter().map(String::as_str);
    names.filter(move |name| !known(name) && !is_special(name))
}

fn concerns(name: &str) -> bool {
    CONCERNS.iter().any(|start| name.starts_with(start))
}

/// Names that the project sets and that concern other parts of it.
pub(super) fn others(answer: &Answer) -> impl Iterator<Item = &str> {
    unknown(answer).filter(|name| !concerns(name))
}

/// Names of URL patterns were resolved by the project.
fn urls(answer: &Answer, sheet: &mut Sheet) {
    for (name, value) in &answer.urls {
        sheet.set(name, value.clone());
    }
}

const LEGACY_SALT: &str = "SIGNED_COOKIE_LEGACY_SALT_FALLBACK";

/// Django's own list holds every language that it has texts in, and only its middleware asks the client.
fn languages(answer: &Answer, sheet: &mut Sheet) {
    if answer.set.iter().any(|name| name == "LANGUAGES") {
        sheet.set("LANGUAGES", answer.setting("LANGUAGES").clone());
    }
    let locale = "django.middleware.locale.LocaleMiddleware";
    let mut middleware = answer.middleware.iter();
    let asks =
        middleware.any(|class| class.path == locale || class.django.as_deref() == Some(locale));
    let translates = *answer.setting("USE_I18N") != Json::Bool(false);
    sheet.set("USE_ACCEPT_LANGUAGE", (asks && translates).into());
}

/// Each mailer that can be, so that one for another purpose does not keep the mail of accounts from
/// being sent. Versions before 6.1 have no such setting, whatever the project sets.
fn mailers(answer: &Answer, sheet: &mut Sheet) {
    const NAME: &str = "MAILERS";
    if answer.django < (6, 1) || !answer.set.iter().any(|set| set == NAME) {
        return;
    }
    let mut kept = Map::new();
    for (alias, mailer) in answer.setting(NAME).as_object().into_iter().flatten() {
        let mailer = without_nulls(mailer);
        match Sheet::problem(NAME, &json!({ alias: &mailer })) {
            Some(problem) => sheet.lacks(format!("{NAME}[{alias:?}]"), problem),
            None => drop(kept.insert(alias.clone(), mailer)),
        }
    }
    sheet.set(NAME, kept.into());
}

/// `None` is an option's default in Django.
fn without_nulls(mailer: &Json) -> Json {
    let mut mailer = mailer.clone();
    if let Some(options) = mailer.get_mut("OPTIONS").and_then(Json::as_object_mut) {
        options.retain(|_, value| !value.is_null());
    }
    mailer
}

fn site(answer: &Answer, sheet: &mut Sheet) {
    if *answer.setting("USE_TZ") == Json::Bool(false) {
        sheet.lacks(
            "USE_TZ",
            "times are read and written in UTC here, the site stores local times",
        );
    }
    // Versions without this setting sign their cookies with the older salt.
    if !answer.settings.contains_key(LEGACY_SALT) {
        sheet.set(LEGACY_SALT, true.into());
    }
    middleware(answer, sheet);
    user(answer, sheet);
}

/// Middleware that may decide who somebody is.
fn middleware(answer: &Answer, sheet: &mut Sheet) {
    const WATCHED: [&str; 5] = ["auth", "session", "csrf", "axes", "otp"];
    for class in answer
        .middleware
        .iter()
        .filter(|class| !class.path.starts_with("django."))
    {
        let path = class.path.to_lowercase();
        let django = class.django.as_deref().unwrap_or_default();
        if backends::is_remote_user(django) {
            continue;
        }
        let descends = django.contains("contrib.auth");
        if descends || WATCHED.iter().any(|word| path.contains(word)) {
            sheet.lacks("MIDDLEWARE", format!("{} does not run here", class.path));
        }
    }
    backends::remote_user(answer, sheet);
}

/// A user model of the project's own.
fn user(answer: &Answer, sheet: &mut Sheet) {
    const NAME: &str = "AUTH_USER_MODEL";
    let user = &answer.user;
    if user.label == "auth.user" {
        return;
    }
    if user.several_tables {
        let why = "its fields are in more than one table (inheritance of models), which cannot be described";
        sheet.lacks(NAME, format!("{}: {why}", user.label));
        return;
    }
    let mut description = user.description.clone();
    for attribute in &user.hidden {
        // Not the default: whoever the project locks out must not be let in here.
        description[attribute] = false.into();
        let why = "is worked out by the project, which no setting can; it is false here";
        sheet.lacks(NAME, format!("{}.{attribute} {why}", user.label));
    }
    sheet.set(NAME, description);
}

/// Headers of a proxy are believed only from proxies that are named, which Django does not know of.
fn proxy(sheet: &mut Sheet) {
    const HEADERS: [&str; 3] = [
        "SECURE_PROXY_SSL_HEADER",
        "USE_X_FORWARDED_HOST",
        "USE_X_FORWARDED_PORT",
    ];
    for name in HEADERS {
        if sheet
            .rows
            .iter()
            .any(|(definition, _)| definition.name == name)
        {
            sheet.remark(
                name,
                "Set TRUSTED_PROXIES to the addresses of the proxy: nobody else is believed.",
            );
        }
    }
}
