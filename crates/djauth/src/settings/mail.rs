//! `EMAIL_*` and `MAILERS`: how mail leaves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use djauth_signing::SecretKey;
use serde_json::{Map, Value as Json, json};

use super::kind::{Folder, HIDDEN, Kind, Optional, Secret, expected};
use super::{ImproperlyConfigured, Settings};

/// The name of the mailer that sends what names none.
pub const DEFAULT_MAILER_ALIAS: &str = "default";

/// What sends mail: Django's backends of `django.core.mail`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailBackend {
    /// `smtp`: a mail server.
    #[default]
    Smtp,
    /// `console`: standard output.
    Console,
    /// `filebased`: a file for each message.
    Filebased,
    /// `locmem`: kept in memory, for tests.
    Locmem,
    /// `dummy`: nowhere.
    Dummy,
}

impl MailBackend {
    const ALL: [Self; 5] = [
        Self::Smtp,
        Self::Console,
        Self::Filebased,
        Self::Locmem,
        Self::Dummy,
    ];

    /// The backend's dotted path in Django.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Smtp => "django.core.mail.backends.smtp.EmailBackend",
            Self::Console => "django.core.mail.backends.console.EmailBackend",
            Self::Filebased => "django.core.mail.backends.filebased.EmailBackend",
            Self::Locmem => "django.core.mail.backends.locmem.EmailBackend",
            Self::Dummy => "django.core.mail.backends.dummy.EmailBackend",
        }
    }

    /// The name of the backend's module, which also names it here.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Console => "console",
            Self::Filebased => "filebased",
            Self::Locmem => "locmem",
            Self::Dummy => "dummy",
        }
    }

    fn find(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|backend| backend.path() == name || backend.short_name() == name)
    }
}

/// `EMAIL_BACKEND`.
pub(super) struct BackendKind;

impl Kind for BackendKind {
    type Value = MailBackend;
    const EXPECTED: &'static str = "\"smtp\", \"console\", \"filebased\", \"locmem\" or \"dummy\", or their dotted \
        paths in django.core.mail.backends";

    fn read(json: &Json) -> Result<MailBackend, String> {
        let found = json.as_str().and_then(MailBackend::find);
        found.ok_or_else(expected::<Self>)
    }

    fn show(value: &MailBackend) -> Json {
        value.path().into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }
}

/// The number of a TCP port.
pub(super) struct Port;

impl Kind for Port {
    type Value = u16;
    const EXPECTED: &'static str = "a port, 1 to 65535";

    fn read(json: &Json) -> Result<u16, String> {
        let port = json.as_u64().and_then(|port| u16::try_from(port).ok());
        port.filter(|port| *port > 0).ok_or_else(expected::<Self>)
    }

    fn show(value: &u16) -> Json {
        (*value).into()
    }
}

impl Optional for Secret {
    const OPTIONAL: &'static str = "a string, or null";
}

/// A file that must be there.
pub(super) struct ExistingFile;

impl Kind for ExistingFile {
    type Value = PathBuf;
    const EXPECTED: &'static str = "the path of a file";

    fn read(json: &Json) -> Result<PathBuf, String> {
        json.as_str().map(Into::into).ok_or_else(expected::<Self>)
    }

    fn show(value: &PathBuf) -> Json {
        value.to_string_lossy().into_owned().into()
    }

    fn from_environment(text: &str) -> Json {
        text.into()
    }

    fn check(value: &PathBuf) -> Result<(), String> {
        if value.is_file() {
            Ok(())
        } else {
            Err(format!("{} is not a file", value.display()))
        }
    }
}

impl Optional for ExistingFile {
    const OPTIONAL: &'static str = "the path of a file, or null";
}

/// One way out for mail: what the `EMAIL_*` settings or an entry of `MAILERS` describe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mailer {
    /// `BACKEND`, `EMAIL_BACKEND`.
    pub backend: MailBackend,
    /// The server's name, `EMAIL_HOST`.
    pub host: String,
    /// The server's port, `EMAIL_PORT`.
    pub port: u16,
    /// Who logs in, `EMAIL_HOST_USER`; nobody if this or the password is empty.
    pub username: String,
    /// `EMAIL_HOST_PASSWORD`.
    pub password: Option<SecretKey>,
    /// STARTTLS, `EMAIL_USE_TLS`.
    pub use_tls: bool,
    /// TLS from the first byte on, `EMAIL_USE_SSL`.
    pub use_ssl: bool,
    /// Seconds that one message may take, `EMAIL_TIMEOUT`.
    pub timeout: Option<u64>,
    /// A certificate to show to the server, `EMAIL_SSL_CERTFILE`.
    pub ssl_certfile: Option<PathBuf>,
    /// Its key, `EMAIL_SSL_KEYFILE`.
    pub ssl_keyfile: Option<PathBuf>,
    /// Authorities to trust in place of the system's, `EMAIL_SSL_CAFILE`.
    pub ssl_cafile: Option<PathBuf>,
    /// The folder of the backend `filebased`, `EMAIL_FILE_PATH`.
    pub file_path: Option<PathBuf>,
}

impl Mailer {
    /// What stays when nothing but the backend is said.
    pub fn new(backend: MailBackend) -> Self {
        Self {
            backend,
            host: String::new(),
            port: 25,
            username: String::new(),
            password: None,
            use_tls: false,
            use_ssl: false,
            timeout: None,
            ssl_certfile: None,
            ssl_keyfile: None,
            ssl_cafile: None,
            file_path: None,
        }
    }

    /// What one value alone cannot be judged by; the complaint names the option.
    fn check(&self) -> Result<(), String> {
        if self.use_tls && self.use_ssl {
            return Err("use_tls and use_ssl exclude each other: set one of them".into());
        }
        if self.ssl_certfile.is_some() != self.ssl_keyfile.is_some() {
            return Err("ssl_certfile and ssl_keyfile belong together".into());
        }
        if self.backend == MailBackend::Filebased && self.file_path.is_none() {
            return Err("file_path is needed by the backend \"filebased\"".into());
        }
        if self.backend == MailBackend::Smtp && self.host.is_empty() {
            return Err("host is needed by the backend \"smtp\"".into());
        }
        Ok(())
    }

    fn show(&self) -> Json {
        let path = |path: &Option<PathBuf>| Some(path.as_ref()?.to_string_lossy().into_owned());
        let password = self.password.as_ref().map(|_| HIDDEN);
        let options = json!({
            "host": self.host, "port": self.port, "username": self.username, "password": password,
            "use_tls": self.use_tls, "use_ssl": self.use_ssl, "timeout": self.timeout,
            "ssl_certfile": path(&self.ssl_certfile), "ssl_keyfile": path(&self.ssl_keyfile),
            "ssl_cafile": path(&self.ssl_cafile), "file_path": path(&self.file_path),
        });
        json!({"BACKEND": self.backend.path(), "OPTIONS": options})
    }
}

/// `MAILERS`, Django's new form (6.1) of the same.
pub(super) struct Mailers;

impl Kind for Mailers {
    type Value = Option<BTreeMap<String, Mailer>>;
    const EXPECTED: &'static str = "a table of mailers, such as {\"default\": {\"BACKEND\": \"smtp\", \
        \"OPTIONS\": {\"host\": \"mail.example.com\", \"use_tls\": true}}}, or null";
    const SECRET: bool = true;

    fn read(json: &Json) -> Result<Self::Value, String> {
        let mailers = match json {
            Json::Null => return Ok(None),
            Json::String(text) if text.is_empty() => return Ok(None),
            other => other.as_object().ok_or_else(expected::<Self>)?,
        };
        let read = |(alias, entry): (&String, &Json)| {
            let mailer = read_mailer(entry).map_err(|problem| format!("{alias}: {problem}"))?;
            Ok((alias.clone(), mailer))
        };
        mailers.iter().map(read).collect::<Result<_, _>>().map(Some)
    }

    fn show(value: &Self::Value) -> Json {
        let Some(mailers) = value else {
            return Json::Null;
        };
        let shown = mailers
            .iter()
            .map(|(alias, mailer)| (alias.clone(), mailer.show()));
        Json::Object(shown.collect())
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        for (alias, mailer) in value.iter().flatten() {
            let checked = mailer.check();
            checked.map_err(|problem| format!("{alias}: {problem}"))?;
        }
        Ok(())
    }
}

fn read_mailer(entry: &Json) -> Result<Mailer, String> {
    let none = Map::new();
    let entry = entry.as_object().ok_or_else(expected::<Mailers>)?;
    let known = |key: &&String| !matches!(key.as_str(), "BACKEND" | "OPTIONS");
    if let Some(key) = entry.keys().find(known) {
        return Err(format!("{key:?} is not known; {}", expected::<Mailers>()));
    }
    let backend = match entry.get("BACKEND") {
        None => MailBackend::default(),
        Some(name) => BackendKind::read(name)?,
    };
    let options = match entry.get("OPTIONS") {
        None => &none,
        Some(options) => options.as_object().ok_or_else(expected::<Mailers>)?,
    };
    let mut mailer = Mailer::new(backend);
    for (name, value) in options {
        set(&mut mailer, name, value).map_err(|problem| format!("{name}: {problem}"))?;
    }
    if !options.contains_key("port") {
        mailer.port = usual_port(&mailer);
    }
    Ok(mailer)
}

fn usual_port(mailer: &Mailer) -> u16 {
    match (mailer.use_ssl, mailer.use_tls) {
        (true, _) => 465,
        (false, true) => 587,
        (false, false) => 25,
    }
}

fn set(mailer: &mut Mailer, name: &str, value: &Json) -> Result<(), String> {
    match name {
        "host" => mailer.host = text(value)?,
        "port" => mailer.port = Port::read(value)?,
        "username" => mailer.username = text(value)?,
        "password" => mailer.password = Some(Secret::read(value)?),
        "use_tls" => mailer.use_tls = flag(value)?,
        "use_ssl" => mailer.use_ssl = flag(value)?,
        "timeout" => mailer.timeout = Some(value.as_u64().ok_or("expected seconds")?),
        "ssl_certfile" => mailer.ssl_certfile = Some(file(value)?),
        "ssl_keyfile" => mailer.ssl_keyfile = Some(file(value)?),
        "ssl_cafile" => mailer.ssl_cafile = Some(file(value)?),
        "file_path" => mailer.file_path = Some(Folder::read(value)?),
        _ => return Err("is not an option of a mailer".into()),
    }
    Ok(())
}

fn text(value: &Json) -> Result<String, String> {
    let text = value.as_str().ok_or("expected a string")?;
    Ok(text.to_owned())
}

fn flag(value: &Json) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| "expected true or false".into())
}

fn file(value: &Json) -> Result<PathBuf, String> {
    let path = ExistingFile::read(value)?;
    ExistingFile::check(&path)?;
    Ok(path)
}

impl Settings {
    /// The mailer of this name. `default` is made from the `EMAIL_*` settings where `MAILERS` is not
    /// set.
    ///
    /// # Errors
    ///
    /// No such mailer (Django's `MailerDoesNotExist`).
    pub fn mailer(&self, alias: &str) -> Result<Mailer, ImproperlyConfigured> {
        let found = match &self.mailers {
            None if alias == DEFAULT_MAILER_ALIAS => return Ok(self.email_settings()),
            None => None,
            Some(mailers) => mailers.get(alias),
        };
        found.cloned().ok_or_else(|| {
            ImproperlyConfigured::setting("MAILERS", format!("has no mailer {alias:?}"))
        })
    }

    fn email_settings(&self) -> Mailer {
        Mailer {
            backend: self.email_backend,
            host: self.email_host.clone(),
            port: self.email_port,
            username: self.email_host_user.clone(),
            password: self.email_host_password.clone(),
            use_tls: self.email_use_tls,
            use_ssl: self.email_use_ssl,
            timeout: self.email_timeout,
            ssl_certfile: self.email_ssl_certfile.clone(),
            ssl_keyfile: self.email_ssl_keyfile.clone(),
            ssl_cafile: self.email_ssl_cafile.clone(),
            file_path: self.email_file_path.clone(),
        }
    }

    /// As in Django 6.1, `MAILERS` and the settings that it replaces exclude each other.
    pub(super) fn validate_mail(&self) -> Result<(), ImproperlyConfigured> {
        let single = self.email_settings();
        if self.mailers.is_none() {
            let checked = single.check();
            return checked.map_err(|problem| ImproperlyConfigured::setting("EMAIL_*", problem));
        }
        let untouched = Self::new(self.secret_key.clone()).email_settings();
        if single.show() == untouched.show() {
            return Ok(());
        }
        Err(ImproperlyConfigured::setting(
            "MAILERS",
            "takes the place of the settings EMAIL_BACKEND, EMAIL_HOST and so on: remove those",
        ))
    }
}
