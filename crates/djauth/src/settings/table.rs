//! The table of all settings: it makes [`Settings`] and everything that must agree with it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use djauth_hashers::CostLimits;
use djauth_signing::SecretKey;
use serde_json::Value as Json;

use super::cookies::{SameSite, SameSiteKind};
use super::forward_auth::{GuardedHosts, IdentityHeaders, Rules};
use super::kind::*;
use super::languages::Languages;
use super::limits::Limits;
use super::mail::{BackendKind, ExistingFile, MailBackend, Mailer, Mailers, Port};
use super::names::{BackendAliases, Backends, Engine, FailureView, PasswordHashers, SessionEngine};
use super::network::{Hosts, IpNetwork, Networks, Origins, ProxyHeader};
use super::passwords::{HasherParameters, Parameters, PasswordValidator, Validators};
use super::permissions::{CustomPermission, Permissions};
use super::rate::{Rate, RateLimit};
use super::time::{Staleness, Zone};
use super::urls::{CacheUrl, DatabaseUrl, SecretUrl};
use super::user_model::{AuthUserModel, UserModel};
use crate::forward_auth::{IdentityHeader, Rule};

/// One setting: what the reader, `diffsettings`, the reference page and the checks know of it.
pub struct Definition {
    /// Django's name, in files and in the environment.
    pub name: &'static str,
    /// The heading under which the reference page shows it.
    pub section: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What a right value looks like.
    pub expected: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
    pub(super) from_environment: fn(&str) -> Json,
    pub(super) set: fn(&mut Settings, &Json) -> Result<(), String>,
    pub(super) show: fn(&Settings) -> Json,
    pub(super) check: fn(&Settings) -> Result<(), String>,
}

macro_rules! settings {
    (|$key:ident| $($section:literal { $($(#[doc = $help:literal])+ $name:ident => $field:ident: $type:ty as $kind:ty = $default:expr;)+ })+) => {
        /// Every setting, as a value that is passed once.
        ///
        /// [`Settings::new`] starts from what Django's `startproject` writes; each field can be set.
        /// Names, meanings and units are Django's. Times are whole seconds, sizes are bytes.
        #[derive(Clone)]
        #[non_exhaustive]
        pub struct Settings {
            $($(
                $(#[doc = $help])+
                pub $field: $type,
            )+)+
        }

        /// Every setting, in the order of the reference page.
        pub static DEFINITIONS: &[Definition] = &[$($(
            Definition {
                name: stringify!($name),
                section: $section,
                help: concat!($($help, "\n"),+),
                expected: <$kind as Kind>::EXPECTED,
                secret: <$kind as Kind>::SECRET,
                from_environment: <$kind as Kind>::from_environment,
                set: |settings, json| {
                    let value = <$kind as Kind>::read(json)?;
                    <$kind as Kind>::check(&value)?;
                    settings.$field = value;
                    Ok(())
                },
                show: |settings| <$kind as Kind>::show(&settings.$field),
                check: |settings| <$kind as Kind>::check(&settings.$field),
            },
        )+)+];

        /// The values that `startproject` writes, or else Django's own defaults.
        pub(super) fn startproject($key: SecretKey) -> Settings {
            Settings { $($($field: $default,)+)+ }
        }
    };
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(String::from).into()
}

settings! {
    |key|

    "Core" {
        /// Marks a site in development, which `check --deploy` warns of. Pages show no details of failures either way.
        DEBUG => debug: bool as Flag = false;
        /// The key of all signatures: sessions, reset links, cookies. Beside a Django site it must be that site's.
        SECRET_KEY => secret_key: SecretKey as Secret = key;
        /// Old values of `SECRET_KEY`, still accepted in signatures, so that nobody is logged out by a change.
        SECRET_KEY_FALLBACKS => secret_key_fallbacks: Vec<SecretKey> as Secrets = Vec::new();
        /// The time zone of reset links, and of times in pages. It must be that of the Django site.
        TIME_ZONE => time_zone: Tz as Zone = Tz::UTC;
        /// The language of pages and mails where nothing else decides; English where there are no texts in it.
        LANGUAGE_CODE => language_code: String as LanguageCode = "en-us".into();
        /// The languages that are offered. Those that there are no texts in are passed over.
        LANGUAGES => languages: Vec<String> as Languages = Languages::shipped();
        /// Lets the language cookie and `Accept-Language` choose the language of a page, as Django's
        /// `LocaleMiddleware` does. Otherwise every page is in that of `LANGUAGE_CODE`.
        USE_ACCEPT_LANGUAGE => use_accept_language: bool as Flag = true;
        /// The cookie that names a language, which goes before `Accept-Language`.
        LANGUAGE_COOKIE_NAME => language_cookie_name: String as CookieName = "django_language".into();
        /// Whether times are stored in UTC. `false` (naive local time) is refused by name.
        USE_TZ => use_tz: bool as Flag = true;
        /// The least severe events that are written to the log.
        LOG_LEVEL => log_level: String as LogLevel = "info".into();
        /// How events are written: lines for people, or one JSON object a line.
        LOG_FORMAT => log_format: String as LogFormat = "text".into();
    }

    "Database and cache" {
        /// The database. The scheme chooses SQLite, PostgreSQL or MariaDB; a relative path starts at the working directory.
        DATABASE_URL => database_url: SecretUrl as DatabaseUrl = SecretUrl::new("sqlite://db.sqlite3");
        /// Redis or Valkey, for the session engines `cache` and `cached_db`, and for the counters of the login rate limit.
        CACHE_URL => cache_url: Option<SecretUrl> as Maybe<CacheUrl> = None;
        /// `KEY_PREFIX` of Django's cache.
        CACHE_KEY_PREFIX => cache_key_prefix: String as Text = String::new();
        /// `VERSION` of Django's cache.
        CACHE_VERSION => cache_version: u64 as Number = 1;
        /// About how many bytes of memory the cache of authenticated requests may take: sessions with their users and the
        /// permissions asked for, each used again only after a proof that the database still says the same. 0: no cache.
        AUTH_CACHE_MAX_BYTES => auth_cache_max_bytes: u64 as Number = 64 * 1024 * 1024;
        /// How old an answer to "who is logged in, and with which permissions" may be, in seconds (`0.5` is half of
        /// one). 0: never older than the database. Otherwise a change that is made elsewhere may be missed for so long;
        /// what this process itself writes, such as a logout, is seen at once.
        AUTH_CACHE_STALENESS => auth_cache_staleness: Duration as Staleness = Duration::ZERO;
    }

    "Hosts and proxies" {
        /// The host names that the server answers to. Empty: the loopback names while bound to loopback.
        ALLOWED_HOSTS => allowed_hosts: Vec<String> as Hosts = Vec::new();
        /// Takes the host from `X-Forwarded-Host` of `TRUSTED_PROXIES`. Only behind a proxy that always sets it.
        USE_X_FORWARDED_HOST => use_x_forwarded_host: bool as Flag = false;
        /// Takes the port from `X-Forwarded-Port` of `TRUSTED_PROXIES`. Only behind a proxy that always sets it.
        USE_X_FORWARDED_PORT => use_x_forwarded_port: bool as Flag = false;
        /// The header by which one of `TRUSTED_PROXIES` says that the request came over HTTPS, and the value that says so.
        SECURE_PROXY_SSL_HEADER => secure_proxy_ssl_header: Option<(String, String)> as ProxyHeader = None;
        /// The addresses of the proxies in front of the server: only their `X-Forwarded-…` headers, `SECURE_PROXY_SSL_HEADER` and `REMOTE_USER_HEADER` are believed; empty: nobody's. `["127.0.0.1"]` for a proxy on the same machine.
        TRUSTED_PROXIES => trusted_proxies: Vec<IpNetwork> as Networks = Vec::new();
    }

    "Forward authentication" {
        /// Who may have what behind a proxy that asks `/auth/verify`. The first rule that fits decides, and where there are rules and none fits nobody may. A rule has a `host` (`"app.example.com"`, `".example.com"` or `"*"`), and may have a `path` it begins at, `methods`, and conditions: `perm` (all of them), `group` (one of them), `staff`, `superuser`; or `public` or `deny`. Without a condition it wants a login.
        FORWARD_AUTH_RULES => forward_auth_rules: Vec<Rule> as Rules = Vec::new();
        /// The hosts behind the proxy to which a login or a logout may lead back.
        FORWARD_AUTH_HOSTS => forward_auth_hosts: Vec<String> as GuardedHosts = Vec::new();
        /// What the programs behind the proxy are told beside `X-Remote-User`: `X-Remote-Email`, `X-Remote-Name`, `X-Remote-Groups`.
        FORWARD_AUTH_HEADERS => forward_auth_headers: Vec<IdentityHeader> as IdentityHeaders = Vec::new();
    }

    "Security headers" {
        /// Redirects every request that did not come over HTTPS.
        SECURE_SSL_REDIRECT => secure_ssl_redirect: bool as Flag = false;
        /// The host to which `SECURE_SSL_REDIRECT` sends; the request's own if null.
        SECURE_SSL_HOST => secure_ssl_host: Option<String> as Maybe<HostName> = None;
        /// `max-age` of `Strict-Transport-Security` in seconds; 0 sends no such header.
        SECURE_HSTS_SECONDS => secure_hsts_seconds: u64 as Number = 0;
        /// Adds `includeSubDomains` to `Strict-Transport-Security`.
        SECURE_HSTS_INCLUDE_SUBDOMAINS => secure_hsts_include_subdomains: bool as Flag = false;
        /// Adds `preload` to `Strict-Transport-Security`.
        SECURE_HSTS_PRELOAD => secure_hsts_preload: bool as Flag = false;
        /// Sends `X-Content-Type-Options: nosniff`.
        SECURE_CONTENT_TYPE_NOSNIFF => secure_content_type_nosniff: bool as Flag = true;
        /// `Referrer-Policy`; null sends no such header.
        SECURE_REFERRER_POLICY => secure_referrer_policy: Option<String> as Maybe<ReferrerPolicy> = Some("same-origin".into());
        /// `Cross-Origin-Opener-Policy`; null sends no such header.
        SECURE_CROSS_ORIGIN_OPENER_POLICY => secure_cross_origin_opener_policy: Option<String> as Maybe<OpenerPolicy> = Some("same-origin".into());
        /// `X-Frame-Options`.
        X_FRAME_OPTIONS => x_frame_options: String as FrameOptions = "DENY".into();
    }

    "Login and passwords" {
        /// The user model. A name says which struct of the program is meant. A table describes a model that no struct
        /// mirrors, so that the binary serves a site with a model of its own: `label`, `db_table`, `USERNAME_FIELD`,
        /// `EMAIL_FIELD`, `REQUIRED_FIELDS`, `is_active`, `is_staff`, `is_superuser`, `fields` (each with `name`, `type`,
        /// `column`, `max_length`, `primary_key`, `unique`, `null`, `blank`, `default`), `groups` and `user_permissions`
        /// (each with `table` and its two columns). `crates/djauth/src/docs/own_user_model.md` explains each, and
        /// `djauth settings --from manage.py` writes it.
        AUTH_USER_MODEL => auth_user_model: AuthUserModel as UserModel = AuthUserModel::default();
        /// The backends that are asked who somebody is, in this order. Sessions name them by dotted path.
        AUTHENTICATION_BACKENDS => authentication_backends: Vec<String> as Backends = texts(["django.contrib.auth.backends.ModelBackend"]);
        /// Built-in backends that take the place of foreign ones, by the foreign paths. Sessions keep those paths, so
        /// that the Django site and djauth accept each other's. What a foreign backend does beyond the built-in one (as
        /// allauth finds users by e-mail address too, or axes locks accounts out) is not done here; `BaseBackend` knows
        /// nobody, for backends that only refuse.
        AUTHENTICATION_BACKEND_ALIASES => authentication_backend_aliases: BTreeMap<String, String> as BackendAliases = BTreeMap::new();
        /// The header in which one of `TRUSTED_PROXIES` names who it has authenticated, as Django names it; null: none. It needs `RemoteUserBackend` in `AUTHENTICATION_BACKENDS`.
        REMOTE_USER_HEADER => remote_user_header: Option<String> as Maybe<MetaHeader> = None;
        /// Keeps such a user logged in also without the header (Django's `PersistentRemoteUserMiddleware`).
        REMOTE_USER_PERSISTENT => remote_user_persistent: bool as Flag = false;
        /// Whether `RemoteUserBackend` makes the users whom it does not know (its `create_unknown_user`).
        REMOTE_USER_CREATE_UNKNOWN => remote_user_create_unknown: bool as Flag = true;
        /// What a new password must satisfy.
        AUTH_PASSWORD_VALIDATORS => auth_password_validators: Vec<PasswordValidator> as Validators = PasswordValidator::startproject();
        /// The formats of stored passwords that are accepted. New ones are made by the first.
        PASSWORD_HASHERS => password_hashers: Vec<String> as PasswordHashers = texts([
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
            "django.contrib.auth.hashers.Argon2PasswordHasher",
            "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
            "django.contrib.auth.hashers.ScryptPasswordHasher",
        ]);
        /// The hashers' work factors. They must be those of the Django site: the version's defaults, or what its own hashers set.
        PASSWORD_HASHER_PARAMETERS => password_hasher_parameters: HasherParameters as Parameters = HasherParameters::default();
        /// The work that a stored password may ask for. One that asks for more is not correct.
        PASSWORD_HASHER_LIMITS => password_hasher_limits: CostLimits as Limits = CostLimits::default();
        /// Where to log in.
        LOGIN_URL => login_url: String as Location = "/accounts/login/".into();
        /// Where a login leads when it was asked for by itself.
        LOGIN_REDIRECT_URL => login_redirect_url: String as Location = "/accounts/profile/".into();
        /// Where a logout leads; null shows a page that says so.
        LOGOUT_REDIRECT_URL => logout_redirect_url: Option<String> as Maybe<Location> = None;
        /// The domain of the links in mails, with its port where it is not the usual one; null takes the host that was asked for, which is one of `ALLOWED_HOSTS`. Django has its sites framework for it.
        SITE_DOMAIN => site_domain: Option<String> as Maybe<Text> = None;
        /// How long a link for resetting a password can be used, in seconds.
        PASSWORD_RESET_TIMEOUT => password_reset_timeout: u64 as Number = 259_200;
        /// Permissions of the application, which `migrate` adds where they are missing, with their content types;
        /// none is changed or deleted.
        PERMISSIONS => permissions: Vec<CustomPermission> as Permissions = Vec::new();
        /// How many failed logins a network may have: an IPv4 address, or the first 64 bits of an IPv6 address; the first 48 may have 16 times as many.
        /// Behind proxies, `TRUSTED_PROXIES` must name them. Successful logins do not count.
        LOGIN_RATE_LIMIT_PER_NETWORK => login_rate_limit_per_network: Option<Rate> as RateLimit = Some(Rate::new(30, 60));
        /// How many failed logins a username may have, from wherever they come and whether or not there is such an account.
        LOGIN_RATE_LIMIT_PER_USERNAME => login_rate_limit_per_username: Option<Rate> as RateLimit = Some(Rate::new(10, 300));
        /// Threads that hash passwords; 0 takes one for each core. They run where nobody else wants the core.
        HASHING_THREADS => hashing_threads: u64 as Number = 0;
        /// Passwords that may wait to be hashed. Of more, the newest of the network with the most is refused with 503 and a time to come back.
        HASHING_QUEUE => hashing_queue: u64 as Positive = 256;
        /// Memory for the hashes of Argon2 and scrypt that are made at the same time, in MiB. A stored value that needs more is not correct.
        HASHING_MEMORY => hashing_memory: u64 as Positive = 512;
    }

    "Sessions" {
        /// Where sessions are kept.
        SESSION_ENGINE => session_engine: SessionEngine as Engine = SessionEngine::Db;
        /// The folder of the engine `file`; the system's folder for temporary files if null.
        SESSION_FILE_PATH => session_file_path: Option<PathBuf> as Maybe<Folder> = None;
        /// The cache of the engines `cache` and `cached_db`.
        SESSION_CACHE_ALIAS => session_cache_alias: String as OnlyDefaultCache = "default".into();
        /// The form of session data.
        SESSION_SERIALIZER => session_serializer: String as OnlyJsonSerializer = "django.contrib.sessions.serializers.JSONSerializer".into();
        /// The name of the session's cookie.
        SESSION_COOKIE_NAME => session_cookie_name: String as CookieName = "sessionid".into();
        /// How long a session lasts, in seconds: two weeks.
        SESSION_COOKIE_AGE => session_cookie_age: u64 as Age = 1_209_600;
        /// The cookie's `Domain`.
        SESSION_COOKIE_DOMAIN => session_cookie_domain: Option<String> as Maybe<CookieDomain> = None;
        /// The cookie's `Path`.
        SESSION_COOKIE_PATH => session_cookie_path: String as CookiePath = "/".into();
        /// The cookie's `Secure`: sent over HTTPS alone.
        SESSION_COOKIE_SECURE => session_cookie_secure: bool as Flag = false;
        /// The cookie's `HttpOnly`: out of reach of scripts.
        SESSION_COOKIE_HTTPONLY => session_cookie_httponly: bool as Flag = true;
        /// The cookie's `SameSite`.
        SESSION_COOKIE_SAMESITE => session_cookie_samesite: SameSite as SameSiteKind = SameSite::Lax;
        /// Ends sessions with the browser, unless a session says otherwise.
        SESSION_EXPIRE_AT_BROWSER_CLOSE => session_expire_at_browser_close: bool as Flag = false;
        /// Saves the session at every request, so that it ends a time after the last one.
        SESSION_SAVE_EVERY_REQUEST => session_save_every_request: bool as Flag = false;
        /// Writes once a minute when sessions were last used, for the lists of sessions; null: where the table of these lists was made here, and not beside a Django site. The setting is django-allauth's.
        USERSESSIONS_TRACK_ACTIVITY => usersessions_track_activity: Option<bool> as Maybe<Flag> = None;
    }

    "CSRF protection" {
        /// Keeps the secret in the session instead of a cookie of its own.
        CSRF_USE_SESSIONS => csrf_use_sessions: bool as Flag = false;
        /// The name of the cookie.
        CSRF_COOKIE_NAME => csrf_cookie_name: String as CookieName = "csrftoken".into();
        /// How long the cookie lasts, in seconds: 52 weeks; null ends it with the browser.
        CSRF_COOKIE_AGE => csrf_cookie_age: Option<u64> as Maybe<Age> = Some(31_449_600);
        /// The cookie's `Domain`.
        CSRF_COOKIE_DOMAIN => csrf_cookie_domain: Option<String> as Maybe<CookieDomain> = None;
        /// The cookie's `Path`.
        CSRF_COOKIE_PATH => csrf_cookie_path: String as CookiePath = "/".into();
        /// The cookie's `Secure`.
        CSRF_COOKIE_SECURE => csrf_cookie_secure: bool as Flag = false;
        /// The cookie's `HttpOnly`.
        CSRF_COOKIE_HTTPONLY => csrf_cookie_httponly: bool as Flag = false;
        /// The cookie's `SameSite`.
        CSRF_COOKIE_SAMESITE => csrf_cookie_samesite: SameSite as SameSiteKind = SameSite::Lax;
        /// The header in which scripts send the token, as Django names it.
        CSRF_HEADER_NAME => csrf_header_name: String as MetaHeader = "HTTP_X_CSRFTOKEN".into();
        /// Other origins whose forms are accepted.
        CSRF_TRUSTED_ORIGINS => csrf_trusted_origins: Vec<String> as Origins = Vec::new();
        /// The view that answers a refused request.
        CSRF_FAILURE_VIEW => csrf_failure_view: String as FailureView = "django.views.csrf.csrf_failure".into();
    }

    "Requests and pages" {
        /// Redirects an address without the slash at its end to the page of that name with it.
        APPEND_SLASH => append_slash: bool as Flag = true;
        /// Folders with templates that take the place of the built-in ones: `registration/login.html`,
        /// `404.html` and so on; the page of the module `templates` lists them with their values.
        TEMPLATE_DIRS => template_dirs: Vec<PathBuf> as Folders = Vec::new();
        /// The most bytes that a request's body may have; null for no limit.
        DATA_UPLOAD_MAX_MEMORY_SIZE => data_upload_max_memory_size: Option<u64> as Maybe<Number> = Some(2_621_440);
        /// The most fields that a form or a query may have; null for no limit.
        DATA_UPLOAD_MAX_NUMBER_FIELDS => data_upload_max_number_fields: Option<u64> as Maybe<Number> = Some(1000);
        /// Accepts signed cookies with the salt of Django before 6.1 too.
        SIGNED_COOKIE_LEGACY_SALT_FALLBACK => signed_cookie_legacy_salt_fallback: bool as Flag = false;
    }

    "Admin" {
        /// Where the server has its admin; empty: nowhere. Beside a Django whose own admin has this path, let the proxy decide who gets it, or move one of them.
        ADMIN_URL => admin_url: String as AdminUrl = "admin/".to_owned();
        /// Days that logins and failures stay in the log, in a database that djauth has made; `clearsessions` deletes
        /// what is older. 0 keeps everything.
        ACCESS_LOG_DAYS => access_log_days: u64 as Number = 365;
    }

    "Mail" {
        /// What sends mail.
        EMAIL_BACKEND => email_backend: MailBackend as BackendKind = MailBackend::Smtp;
        /// The mail server.
        EMAIL_HOST => email_host: String as Text = "localhost".into();
        /// The port of the mail server.
        EMAIL_PORT => email_port: u16 as Port = 25;
        /// Who logs in at the mail server; nobody if empty. Without TLS the login is readable on the way.
        EMAIL_HOST_USER => email_host_user: String as Text = String::new();
        /// The password of `EMAIL_HOST_USER`.
        EMAIL_HOST_PASSWORD => email_host_password: Option<SecretKey> as Maybe<Secret> = None;
        /// Encrypts with STARTTLS, usually on port 587. Where the server cannot, nothing is sent.
        EMAIL_USE_TLS => email_use_tls: bool as Flag = false;
        /// Encrypts from the first byte on, usually on port 465.
        EMAIL_USE_SSL => email_use_ssl: bool as Flag = false;
        /// Seconds that the sending of one message may take; 60 if null.
        EMAIL_TIMEOUT => email_timeout: Option<u64> as Maybe<Age> = None;
        /// A certificate (PEM) to show to the mail server.
        EMAIL_SSL_CERTFILE => email_ssl_certfile: Option<PathBuf> as Maybe<ExistingFile> = None;
        /// The key (PEM) of `EMAIL_SSL_CERTFILE`.
        EMAIL_SSL_KEYFILE => email_ssl_keyfile: Option<PathBuf> as Maybe<ExistingFile> = None;
        /// Authorities (PEM) that may vouch for the mail server, in place of the system's. Django has no such setting.
        EMAIL_SSL_CAFILE => email_ssl_cafile: Option<PathBuf> as Maybe<ExistingFile> = None;
        /// The folder into which the backend `filebased` writes; it is made if it is not there.
        EMAIL_FILE_PATH => email_file_path: Option<PathBuf> as Maybe<FolderToMake> = None;
        /// Django 6.1's new form of the settings above, which it replaces. The mailer `default` sends everything here.
        MAILERS => mailers: Option<BTreeMap<String, Mailer>> as Mailers = None;
        /// The sender of mail.
        DEFAULT_FROM_EMAIL => default_from_email: String as Text = "webmaster@localhost".into();
        /// What the subjects of mail to a site's administrators begin with. No page sends such mail.
        EMAIL_SUBJECT_PREFIX => email_subject_prefix: String as Text = "[Django] ".into();
        /// Messages that may wait to be sent. More are dropped, and the log says so.
        EMAIL_QUEUE => email_queue: u64 as Positive = 256;
        /// Seconds that waiting messages get to leave when the server is stopped.
        EMAIL_SHUTDOWN_TIMEOUT => email_shutdown_timeout: u64 as Age = 10;
        /// How often mail may be asked for to one address, such as `"5/h"`; empty for no limit.
        EMAIL_RATE_LIMIT_PER_ADDRESS => email_rate_limit_per_address: Option<Rate> as RateLimit = Some(Rate::new(5, 3600));
        /// How often mail may be asked for from one network (an IPv4 address, an IPv6 /64), such as `"20/h"`; empty for no limit.
        EMAIL_RATE_LIMIT_PER_NETWORK => email_rate_limit_per_network: Option<Rate> as RateLimit = Some(Rate::new(20, 3600));
    }

    "Server" {
        /// The most connections that are open at the same time; further ones wait.
        SERVER_MAX_CONNECTIONS => server_max_connections: u64 as Positive = 1024;
        /// Seconds in which the head of a request must have come.
        SERVER_HEADER_TIMEOUT => server_header_timeout: u64 as Age = 15;
        /// Seconds in which a request must be answered; then the answer is 503. A client that takes nothing of an answer for so long is cut off.
        SERVER_REQUEST_TIMEOUT => server_request_timeout: u64 as Age = 60;
        /// Seconds that requests in flight get to finish when the server is stopped.
        SERVER_SHUTDOWN_TIMEOUT => server_shutdown_timeout: u64 as Age = 30;
        /// Where the server says that it runs, to any host name; null says it nowhere.
        HEALTH_LIVENESS_PATH => health_liveness_path: Option<String> as Maybe<ProbePath> = Some("/livez".into());
        /// Where the server says whether database and cache answer (200 or 503), to any host name; null says it nowhere.
        HEALTH_READINESS_PATH => health_readiness_path: Option<String> as Maybe<ProbePath> = Some("/readyz".into());
        /// Seconds in which database and cache must answer to count as ready.
        HEALTH_TIMEOUT => health_timeout: u64 as Age = 2;
        /// An address of its own on which `/metrics` is served for Prometheus, such as `127.0.0.1:9090`; null
        /// serves it nowhere. Whoever reaches the address reads the numbers.
        METRICS_ADDRESS => metrics_address: Option<String> as Maybe<SocketAddress> = None;
    }
}
