//! Pages: built-in templates, and folders with others in their place.
//!
//! A template is looked for in `TEMPLATE_DIRS`, in order, then among the built-in ones, under
//! Django's names. The language is Jinja as minijinja speaks it; values are escaped. Every template
//! knows `style`, the built-in style sheet, `t("key", name=value)`, a text of the catalogue
//! ([`crate::i18n`]), and `lang` and `dir` for `<html>`; the pages also `csrf_token` and `csrf_input`
//! (the hidden field).
//!
//! | template | shown | values |
//! |---|---|---|
//! | `registration/login.html` | the login form | `form`, `next` |
//! | `registration/password_change_form.html`, `…_done.html` | to change one's password, and that it was | `form`, `title`; `home` |
//! | `registration/password_reset_form.html`, `…_done.html` | to ask for a mail with a link, and that one may come | `form`, `title` |
//! | `registration/password_reset_confirm.html`, `…_complete.html` | what the link opens, and that it is done | `form`, `validlink`, `title`; `login_url` |
//! | `registration/password_reset_subject.txt`, `registration/password_reset_email.html` | the mail, as plain text | `user`, `email`, `domain`, `site_name`, `protocol`, `uid`, `token`, `reset_url` |
//! | `forms/form.html`, `forms/summary.html` | the fields of `form`; a summary of what is wrong with them | `form` ([`Form::value`](crate::forms::Form::value)) |
//! | `registration/logged_out.html` | after a logout that leads nowhere else | `login_url` |
//! | `registration/profile.html` | the landing page | `user` (`username`; nothing if nobody is logged in), `login_url`, `logout_url` |
//! | `400.html` | a request that is not understood, a host that is not ours, a session that has ended | `heading`, `text`, `status` |
//! | `403.html` | a missing permission | the same, `request_path`, `csrf_token`, `csrf_input` |
//! | `403_csrf.html` | a form without its token | as `403.html`, `reason`, `advice`, `no_cookie`, `no_referer` |
//! | `404.html` | no such page ([`Auth::not_found`](crate::Auth::not_found)) | as `403.html` |
//! | `413.html` | by [`Templates::error_page`] alone: as in Django, a form that is too large is answered with 400 | as `400.html` |
//! | `429.html` | too many attempts to log in | as `400.html` |
//! | `500.html` | a failure | as `400.html` |
//! | `503.html` | the database or the cache is away, or too much waits | as `400.html` |
//!
//! The error pages all extend `error.html`, and that `base.html`, which can be replaced too. A replaced
//! error page that does not work is logged, and the built-in one sent. The layer puts them in place:
//! an error that is answered outside of it, as by [`verify`](crate::views::verify), has the built-in page.
//!
//! Pages are sent with a strict Content-Security-Policy: no script and no inline style but the built-in
//! ones (`show_password` lets people see what they type; the pages work without it); style sheets, images and fonts from the site itself.

mod translate;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use djauth_hashers::Hashers;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
pub use minijinja::{Value, context};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use crate::csrf::CSRF_FIELD_NAME;
use crate::http::{ErrorPage, Request, urlsplit};
use crate::i18n::Language;
use crate::settings::Settings;
use crate::templatetags;
use crate::{Error, ErrorKind};

/// The largest template file that is read: 1 MiB.
const LARGEST: u64 = 1 << 20;

const STYLE: &str = include_str!("../../templates/style.css");

/// What each error page is unless it is replaced.
const ERROR: &str = r#"{% extends "error.html" %}"#;

/// Lets people see the passwords that they type. The pages work without it.
const SHOW_PASSWORD: &str = include_str!("../../templates/show-password.js");

const BUILT_IN: [(&str, &str); 24] = [
    ("base.html", include_str!("../../templates/base.html")),
    ("error.html", include_str!("../../templates/error.html")),
    ("400.html", ERROR),
    ("403.html", ERROR),
    ("403_csrf.html", ERROR),
    ("404.html", ERROR),
    ("413.html", ERROR),
    ("429.html", ERROR),
    ("500.html", ERROR),
    ("503.html", ERROR),
    (
        "registration/login.html",
        include_str!("../../templates/registration/login.html"),
    ),
    (
        "registration/logged_out.html",
        include_str!("../../templates/registration/logged_out.html"),
    ),
    (
        "registration/profile.html",
        include_str!("../../templates/registration/profile.html"),
    ),
    (
        "forms/form.html",
        include_str!("../../templates/forms/form.html"),
    ),
    (
        "forms/notes.html",
        include_str!("../../templates/forms/notes.html"),
    ),
    (
        "forms/summary.html",
        include_str!("../../templates/forms/summary.html"),
    ),
    (
        "registration/password_change_form.html",
        include_str!("../../templates/registration/password_change_form.html"),
    ),
    (
        "registration/password_change_done.html",
        include_str!("../../templates/registration/password_change_done.html"),
    ),
    (
        "registration/password_reset_form.html",
        include_str!("../../templates/registration/password_reset_form.html"),
    ),
    (
        "registration/password_reset_done.html",
        include_str!("../../templates/registration/password_reset_done.html"),
    ),
    (
        "registration/password_reset_confirm.html",
        include_str!("../../templates/registration/password_reset_confirm.html"),
    ),
    (
        "registration/password_reset_complete.html",
        include_str!("../../templates/registration/password_reset_complete.html"),
    ),
    (
        "registration/password_reset_subject.txt",
        include_str!("../../templates/registration/password_reset_subject.txt"),
    ),
    (
        "registration/password_reset_email.html",
        include_str!("../../templates/registration/password_reset_email.html"),
    ),
];

static PLAIN: LazyLock<Templates> =
    LazyLock::new(|| Templates::with(Language::ENGLISH, &[], &[], None));

/// The templates of one site.
#[derive(Clone)]
pub struct Templates(Arc<Inner>);

/// Templates that another crate brings, by their names.
pub type TemplateSet = &'static [(&'static str, &'static str)];

struct Inner {
    environment: Environment<'static>,
    /// Those of other crates; the loader looks into them.
    added: Arc<RwLock<Vec<TemplateSet>>>,
    policy: RwLock<Policy>,
    language: Language,
    has_folders: bool,
}

impl Templates {
    /// The built-in templates and those in `TEMPLATE_DIRS`.
    pub fn new(settings: &Settings) -> Self {
        let targets = [
            Some(&settings.login_redirect_url),
            settings.logout_redirect_url.as_ref(),
        ];
        let targets = targets.into_iter().flatten().cloned();
        let guarded = settings.forward_auth_hosts.iter();
        let targets = targets.chain(guarded.map(|host| format!("//{host}")));
        let origins: Vec<_> = targets.filter_map(|url| origin(&url)).collect();
        let language = Language::configured(settings);
        let hashers = settings.hashers().ok();
        Self::with(language, &settings.template_dirs, &origins, hashers)
    }

    /// The built-in templates alone.
    pub(crate) fn built_in() -> &'static Self {
        &PLAIN
    }

    fn with(
        language: Language,
        folders: &[PathBuf],
        origins: &[String],
        hashers: Option<Hashers>,
    ) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_auto_escape_callback(|name| {
            if name.ends_with(".txt") {
                AutoEscape::None
            } else {
                AutoEscape::Html
            }
        });
        environment.add_global("style", Value::from_safe_string(STYLE.to_owned()));
        let script = format!("<script>{SHOW_PASSWORD}</script>");
        environment.add_global("show_password", Value::from_safe_string(script));
        translate::install(&mut environment, language);
        if let Some(hashers) = hashers {
            templatetags::install(&mut environment, hashers);
        }
        let folders = folders.to_vec();
        let has_folders = !folders.is_empty();
        let added = Arc::new(RwLock::new(Vec::new()));
        let sets = added.clone();
        environment.set_loader(move |name| load(&folders, &sets.read(), name));
        Templates(Arc::new(Inner {
            environment,
            added,
            policy: RwLock::new(Policy::new(origins.to_vec())),
            language,
            has_folders,
        }))
    }

    /// Adds the templates of another crate: they are found after those of `TEMPLATE_DIRS`, which can
    /// take their place, and before the built-in ones. A set that is there already is not added again.
    pub fn add_built_in(&self, set: TemplateSet) {
        let mut added = self.0.added.write();
        if !added.iter().any(|known| std::ptr::eq(*known, set)) {
            added.push(set);
        }
    }

    /// The first of these templates that exists, Django's `select_template`.
    #[must_use]
    pub fn first_of<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        let missing =
            |error: minijinja::Error| error.kind() == minijinja::ErrorKind::TemplateNotFound;
        let exists = |name: &str| !self.0.environment.get_template(name).is_err_and(missing);
        names.iter().copied().find(|name| exists(name))
    }

    pub(crate) fn has_folders(&self) -> bool {
        self.0.has_folders
    }

    /// A template with its values, as text in the language of `LANGUAGE_CODE`.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: there is no such template, or it does not work.
    pub fn render(&self, name: &str, context: Value) -> Result<String, Error> {
        let rendered = self
            .0
            .environment
            .get_template(name)
            .and_then(|t| t.render(context));
        rendered.map_err(|error| {
            let text = format!("template {name}: {error}");
            Error::caused(ErrorKind::ImproperlyConfigured, text, error)
        })
    }

    /// A template with its values, as text in this language.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_in(
        &self,
        language: Language,
        name: &str,
        context: Value,
    ) -> Result<String, Error> {
        let values = minijinja::value::merge_maps([context, translate::values(language)]);
        self.render(name, values)
    }

    /// A page for a request: the values, and `csrf_token` and `csrf_input` for its forms. A page
    /// that uses neither sends no cookie.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn page(
        &self,
        request: &Request,
        name: &str,
        context: Value,
    ) -> Result<Response<Body>, Error> {
        let html = self.render_for(request, name, context)?;
        Ok(self.response(StatusCode::OK, html))
    }

    pub(crate) fn render_for(
        &self,
        request: &Request,
        name: &str,
        context: Value,
    ) -> Result<String, Error> {
        let csrf = Value::from_object(CsrfValues(request.clone()));
        let values = minijinja::value::merge_maps([context, csrf]);
        self.render_in(request.language(), name, values)
    }

    /// The page for an error: `404.html` and its like, the built-in one if that does not work. For
    /// answers that an application gives by itself.
    pub fn error_page(&self, status: StatusCode) -> Response<Body> {
        ErrorPage::of(status).made_by(self, self.0.language, None)
    }

    /// A page of HTML with the headers of every page.
    pub fn response(&self, status: StatusCode, html: String) -> Response<Body> {
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(CONTENT_SECURITY_POLICY, self.0.policy.read().header.clone());
        response
    }

    /// Forms of every page may lead to this address too, if it is on another site: where a view's
    /// `next_page` is. [`Auth::login_view`](crate::Auth::login_view) and
    /// [`Auth::logout_view`](crate::Auth::logout_view) call it.
    pub fn allow_form_target(&self, url: &str) {
        if let Some(origin) = origin(url) {
            self.0.policy.write().allow(origin);
        }
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").finish_non_exhaustive()
    }
}

/// `csrf_token` and `csrf_input`, made when a template asks: taking one sends the cookie.
struct CsrfValues(Request);

impl fmt::Debug for CsrfValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfValues")
    }
}

impl minijinja::value::Object for CsrfValues {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let token = || self.0.csrf().get_token();
        match key.as_str()? {
            "csrf_token" => Some(Value::from(token())),
            "csrf_input" => Some(Value::from_safe_string(format!(
                "<input type=\"hidden\" name=\"{CSRF_FIELD_NAME}\" value=\"{}\">",
                token()
            ))),
            _ => None,
        }
    }
}

/// `None` when neither a folder nor a set has the template.
fn load(
    folders: &[PathBuf],
    added: &[TemplateSet],
    name: &str,
) -> Result<Option<String>, minijinja::Error> {
    if name
        .split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains('\\'))
    {
        for folder in folders {
            if let Some(text) = read(&folder.join(name)).map_err(|error| unreadable(name, error))? {
                return Ok(Some(text));
            }
        }
    }
    let mut built_in = added.iter().copied().flatten().chain(&BUILT_IN);
    let built_in = built_in.find(|(known, _)| *known == name);
    Ok(built_in.map(|(_, text)| (*text).to_owned()))
}

fn read(path: &std::path::Path) -> std::io::Result<Option<String>> {
    use std::io::{ErrorKind, Read};
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text)?;
    Ok(Some(text))
}

fn unreadable(name: &str, error: std::io::Error) -> minijinja::Error {
    let text = format!("{name} cannot be read");
    minijinja::Error::new(minijinja::ErrorKind::TemplateNotFound, text).with_source(error)
}

/// A form is followed by a redirect, which some browsers hold against `form-action`: the configured
/// targets on other sites are named there.
struct Policy {
    origins: Vec<String>,
    header: HeaderValue,
}

impl Policy {
    fn new(origins: Vec<String>) -> Self {
        let header = policy(&origins);
        Policy { origins, header }
    }

    fn allow(&mut self, origin: String) {
        if !self.origins.contains(&origin) {
            self.origins.push(origin);
            self.header = policy(&self.origins);
        }
    }
}

fn policy(origins: &[String]) -> HeaderValue {
    let hash = |text| STANDARD.encode(Sha256::digest(text));
    let (style, script) = (hash(STYLE), hash(SHOW_PASSWORD));
    let mut targets = String::from("'self'");
    for origin in origins {
        targets.push(' ');
        targets.push_str(origin);
    }
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'self' 'sha256-{style}'; img-src 'self'; font-src 'self'; \
         form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Scheme and host of an address on another site; without a scheme, the page's own counts.
fn origin(url: &str) -> Option<String> {
    let parts = urlsplit(url)
        .ok()
        .filter(|parts| !parts.netloc.is_empty())?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let host = parts.netloc.chars().all(plain).then_some(&parts.netloc)?;
    Some(match &*parts.scheme {
        "" => host.to_string(),
        scheme => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests;
