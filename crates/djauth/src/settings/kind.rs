//! How a setting is written: the kinds of values in files and in the environment.

use djauth_signing::SecretKey;
use serde_json::Value as Json;

/// A way to write a value. The table in `table.rs` gives each setting one.
pub(super) trait Kind {
    type Value;
    /// What a right value looks like: the end of "expected …".
    const EXPECTED: &'static str;
    /// Whether the value is kept out of every text that people see.
    const SECRET: bool = false;

    /// Reads a value of a file. `Err` holds the complaint.
    fn read(json: &Json) -> Result<Self::Value, String>;

    /// Writes the value as `diffsettings` and the reference page show it.
    fn show(value: &Self::Value) -> Json;

    /// Reads the text of an environment variable: JSON unless the kind is plain text.
    fn from_environment(text: &str) -> Json {
        serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned()))
    }

    /// Judges a value, also one that was set in Rust.
    fn check(_value: &Self::Value) -> Result<(), String> {
        Ok(())
    }
}

pub(super) fn expected<K: Kind>() -> String {
    format!("expected {}", K::EXPECTED)
}

/// `true` or `false`; the environment may also say it as Python does.
pub(super) struct Flag;

impl Kind for Flag {
    type Value = bool;
    const EXPECTED: &'static str = "true or false";

    fn read(json: &Json) -> Result<bool, String> {
        json.as_bool().ok_or_else(expected::<Self>)
    }

    fn show(value: &bool) -> Json {
        (*value).into()
    }

    fn from_environment(text: &str) -> Json {
        match text {
            "true" | "True" => true.into(),
            "false" | "False" => false.into(),
            other => other.into(),
        }
    }
}

/// Seconds, bytes or a count.
pub(super) struct Number;

impl Kind for Number {
    type Value = u64;
    const EXPECTED: &'static str = "a whole number, 0 or more";

    fn read(json: &Json) -> Result<u64, String> {
        json.as_u64().ok_or_else(expected::<Self>)
    }

    fn show(value: &u64) -> Json {
        (*value).into()
    }
}

/// Seconds that end up in a date: bounded, so that no clock overflows.
pub(super) struct Age;

/// A hundred years.
const LONGEST_AGE: u64 = 100 * 366 * 24 * 60 * 60;

impl Kind for Age {
    type Value = u64;
    const EXPECTED: &'static str = "a whole number of seconds, 1 or more, at most a hundred years";

    fn read(json: &Json) -> Result<u64, String> {
        json.as_u64().ok_or_else(expected::<Self>)
    }

    fn show(value: &u64) -> Json {
        (*value).into()
    }

    fn check(value: &u64) -> Result<(), String> {
        if (1..=LONGEST_AGE).contains(value) {
            Ok(())
        } else {
            Err(expected::<Self>())
        }
    }
}

/// A number of at least one.
pub(super) struct Positive;

impl Kind for Positive {
    type Value = u64;
    const EXPECTED: &'static str = "a whole number, 1 or more";

    fn read(json: &Json) -> Result<u64, String> {
        json.as_u64().ok_or_else(expected::<Self>)
    }

    fn show(value: &u64) -> Json {
        (*value).into()
    }

    fn check(value: &u64) -> Result<(), String> {
        if *value > 0 {
            Ok(())
        } else {
            Err(expected::<Self>())
        }
    }
}

/// Another kind, or nothing: `null`, and the empty string where text is meant.
pub(super) struct Maybe<K>(std::marker::PhantomData<K>);

/// The "expected …" of an optional kind, which a constant cannot be put together from.
pub(super) trait Optional: Kind {
    const OPTIONAL: &'static str;
}

impl Optional for Flag {
    const OPTIONAL: &'static str = "true, false or null";
}

impl Optional for Age {
    const OPTIONAL: &'static str =
        "a whole number of seconds, 1 or more, at most a hundred years, or null";
}

impl Optional for Number {
    const OPTIONAL: &'static str = "a whole number, 0 or more, or null for no limit";
}

impl<K: Optional> Kind for Maybe<K> {
    type Value = Option<K::Value>;
    const EXPECTED: &'static str = K::OPTIONAL;
    const SECRET: bool = K::SECRET;

    fn read(json: &Json) -> Result<Self::Value, String> {
        match json {
            Json::Null => Ok(None),
            Json::String(text) if text.is_empty() => Ok(None),
            other => K::read(other).map(Some),
        }
    }

    fn show(value: &Self::Value) -> Json {
        value.as_ref().map_or(Json::Null, K::show)
    }

    fn from_environment(text: &str) -> Json {
        if text.is_empty() || text == "null" {
            Json::Null
        } else {
            K::from_environment(text)
        }
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        value.as_ref().map_or(Ok(()), K::check)
    }
}

/// Declares a kind of text: `Name: "what is expected", check`.
macro_rules! text_kinds {
    ($($(#[$meta:meta])* $name:ident: $expected:literal, $optional:literal, $good:expr;)+) => {$(
        $(#[$meta])*
        pub(super) struct $name;

        impl Kind for $name {
            type Value = String;
            const EXPECTED: &'static str = $expected;

            fn read(json: &Json) -> Result<String, String> {
                json.as_str().map(str::to_owned).ok_or_else(expected::<Self>)
            }

            fn show(value: &String) -> Json {
                value.as_str().into()
            }

            fn from_environment(text: &str) -> Json {
                text.into()
            }

            fn check(value: &String) -> Result<(), String> {
                let good: fn(&str) -> bool = $good;
                if good(value) { Ok(()) } else { Err(expected::<Self>()) }
            }
        }

        impl Optional for $name {
            const OPTIONAL: &'static str = $optional;
        }
    )+};
}

text_kinds! {
    /// Any text without control characters.
    Text: "a string without control characters", "a string without control characters, or null",
        |text| !text.chars().any(char::is_control);
    CookieName: "a cookie name (letters, digits and !#$%&'*+-.^_`|~)", "a cookie name, or null", is_token;
    CookiePath: "a path that starts with / and has no ; or control characters", "a path, or null",
        |text| text.starts_with('/') && is_cookie_attribute(text);
    CookieDomain: "a domain such as \"example.com\" or \".example.com\"",
        "a domain such as \"example.com\" or \".example.com\", or null",
        |text| text.len() <= 255 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    /// A place to redirect to. Django also takes names of URL patterns; djauth has no such names.
    Location: "a path that starts with / or a whole URL (names of URL patterns do not exist here)",
        "a path that starts with / or a whole URL, or null", is_location;
    MetaHeader: "a header as Django names it, such as \"HTTP_X_CSRFTOKEN\"",
        "a header as Django names it, or null", is_meta_header;
    ReferrerPolicy: "one or more policies, separated by commas, such as \"same-origin\"",
        "one or more policies, separated by commas, such as \"same-origin\", or null",
        |text| text.split(',').all(|policy| REFERRER_POLICIES.contains(&policy.trim()));
    OpenerPolicy: "\"same-origin\", \"same-origin-allow-popups\" or \"unsafe-none\"",
        "\"same-origin\", \"same-origin-allow-popups\", \"unsafe-none\" or null",
        |text| ["same-origin", "same-origin-allow-popups", "unsafe-none"].contains(&text);
    FrameOptions: "\"DENY\" or \"SAMEORIGIN\"", "\"DENY\", \"SAMEORIGIN\" or null",
        |text| ["DENY", "SAMEORIGIN"].contains(&text);
    HostName: "a host name, with or without a port", "a host name, with or without a port, or null",
        |text| !text.is_empty() && !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '/');
    OnlyDefaultCache: "\"default\" (there is one cache, named by CACHE_URL)", "\"default\" or null",
        |text| text == "default";
    OnlyJsonSerializer: "\"django.contrib.sessions.serializers.JSONSerializer\" (no other can be read safely)",
        "\"django.contrib.sessions.serializers.JSONSerializer\" or null",
        |text| text == "django.contrib.sessions.serializers.JSONSerializer";
    LanguageCode: "a language code such as \"en-us\" or \"pt-br\"", "a language code, or null",
        crate::i18n::is_language_code;
    LogLevel: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        "\"error\", \"warn\", \"info\", \"debug\", \"trace\" or null",
        |text| ["error", "warn", "info", "debug", "trace"].contains(&text);
    LogFormat: "\"text\" or \"json\"", "\"text\", \"json\" or null", |text| ["text", "json"].contains(&text);
    /// A path that is compared as it comes.
    ProbePath: "a path that starts with / and has no query, such as \"/livez\"",
        "a path that starts with / and has no query, such as \"/livez\", or null", is_probe_path;
    /// What Django's `path("admin/", admin.site.urls)` begins with.
    AdminUrl: "a path without a slash at its beginning and with one at its end, such as \"admin/\", or an empty string",
        "a path such as \"admin/\", or null", is_admin_url;
    SocketAddress: "an address with a port, such as \"127.0.0.1:9090\" or \"[::1]:9090\"",
        "an address with a port, such as \"127.0.0.1:9090\" or \"[::1]:9090\", or null",
        |text| text.parse::<std::net::SocketAddr>().is_ok();
}

/// The policies of the Referrer Policy standard, as `check --deploy` of Django knows them.
pub(super) const REFERRER_POLICIES: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn is_cookie_attribute(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii() && !c.is_ascii_control() && c != ';')
}

fn is_location(text: &str) -> bool {
    let local = text.starts_with('/') && !text.starts_with("//");
    let whole = text.starts_with("http://") || text.starts_with("https://");
    (local || whole) && !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\')
}

fn is_admin_url(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    let part = |part: &str| !part.is_empty() && part.chars().all(plain) && !part.starts_with('.');
    text.is_empty()
        || text
            .strip_suffix('/')
            .is_some_and(|path| path.split('/').all(part))
}

fn is_probe_path(text: &str) -> bool {
    let printable = text
        .chars()
        .all(|c| c.is_ascii_graphic() && !"?#".contains(c));
    text.starts_with('/') && !text.starts_with("//") && text.len() > 1 && printable
}

pub(super) fn is_meta_header(text: &str) -> bool {
    text.strip_prefix("HTTP_").is_some_and(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

/// Reads a list, or says what is expected.
pub(super) fn list<K: Kind>(json: &Json) -> Result<&Vec<Json>, String> {
    json.as_array().ok_or_else(expected::<K>)
}

/// A list of texts.
pub(super) struct TextList;

impl Kind for TextList {
    type Value = Vec<String>;
    const EXPECTED: &'static str = "a list of strings, such as [\"a\", \"b\"]";

    fn read(json: &Json) -> Result<Vec<String>, String> {
        let texts = list::<Self>(json)?
            .iter()
            .map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().ok_or_else(expected::<Self>)
    }

    fn show(value: &Vec<String>) -> Json {
        value.clone().into()
    }
}

/// A secret text. An empty one is no key.
pub(super) struct Secret;

impl Kind for Secret {
    type Value = SecretKey;
    const EXPECTED: &'static str = "a string that is not empty";
    const SECRET: bool = true;

    fn read(json: &Json) -> Result<SecretKey, String> {
        let text = json
            .as_str()
            .filter(|text| !text.is_empty())
            .ok_or_else(expected::<Self>)?;
        SecretKey::new(text).map_err(|_| expected::<Self>())
    }

    fn show(_value: &SecretKey) -> Json {
        HIDDEN.into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }
}

/// What is shown instead of a secret.
pub(super) const HIDDEN: &str = "********";

/// Old keys, newest first.
pub(super) struct Secrets;

impl Kind for Secrets {
    type Value = Vec<SecretKey>;
    const EXPECTED: &'static str = "a list of strings that are not empty";
    const SECRET: bool = true;

    fn read(json: &Json) -> Result<Vec<SecretKey>, String> {
        let keys = list::<Self>(json)?.iter().map(Secret::read);
        keys.collect::<Result<_, _>>()
            .map_err(|_| expected::<Self>())
    }

    fn show(value: &Vec<SecretKey>) -> Json {
        vec![HIDDEN; value.len()].into()
    }
}

/// Folders.
pub(super) struct Folders;

impl Kind for Folders {
    type Value = Vec<std::path::PathBuf>;
    const EXPECTED: &'static str = "a list of folders, such as [\"templates\"]";

    fn read(json: &Json) -> Result<Self::Value, String> {
        let texts = TextList::read(json).map_err(|_| expected::<Self>())?;
        Ok(texts.into_iter().map(Into::into).collect())
    }

    fn show(value: &Self::Value) -> Json {
        value
            .iter()
            .map(|path| Json::from(path.to_string_lossy().into_owned()))
            .collect()
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        let missing = value.iter().find(|path| !path.is_dir());
        missing.map_or(Ok(()), |path| {
            Err(format!("{} is not a folder", path.display()))
        })
    }
}

/// One folder.
pub(super) struct Folder;

impl Kind for Folder {
    type Value = std::path::PathBuf;
    const EXPECTED: &'static str = "the path of a folder";

    fn read(json: &Json) -> Result<Self::Value, String> {
        json.as_str().map(Into::into).ok_or_else(expected::<Self>)
    }

    fn show(value: &Self::Value) -> Json {
        value.to_string_lossy().into_owned().into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        if value.is_dir() {
            Ok(())
        } else {
            Err(format!("{} is not a folder", value.display()))
        }
    }
}

impl Optional for Folder {
    const OPTIONAL: &'static str = "the path of a folder, or null";
}

/// A folder that is made when something is written into it.
pub(super) struct FolderToMake;

impl Kind for FolderToMake {
    type Value = std::path::PathBuf;
    const EXPECTED: &'static str = Folder::EXPECTED;

    fn read(json: &Json) -> Result<Self::Value, String> {
        Folder::read(json)
    }

    fn show(value: &Self::Value) -> Json {
        Folder::show(value)
    }

    fn from_environment(text: &str) -> Json {
        Folder::from_environment(text)
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        if value.exists() {
            Folder::check(value)
        } else {
            Ok(())
        }
    }
}

impl Optional for FolderToMake {
    const OPTIONAL: &'static str = Folder::OPTIONAL;
}
