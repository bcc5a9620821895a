//! Pages: built-in templates, and folders with others in their place.
//!
//! A template is looked for in `TEMPLATE_DIRS`, in order, then among the built-in ones, under
//! Django's names (`registration/login.html`). The language is Jinja as minijinja speaks it; values
//! are escaped. Every page knows `csrf_token` and `csrf_input` (the hidden field), and
//! `style`, the built-in style sheet.
//!
//! Pages are sent with a strict Content-Security-Policy: no script, no inline style but the built-in
//! one; style sheets, images and fonts from the site itself.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
pub use minijinja::{Value, context};
use sha2::{Digest, Sha256};

use crate::csrf::CSRF_FIELD_NAME;
use crate::http::{Request, urlsplit};
use crate::settings::Settings;
use crate::{Error, ErrorKind};

/// The largest template file that is read: 1 MiB.
const LARGEST: u64 = 1 << 20;

const STYLE: &str = include_str!("../../templates/style.css");

const BUILT_IN: [(&str, &str); 5] = [
    ("base.html", include_str!("../../templates/base.html")),
    ("error.html", include_str!("../../templates/error.html")),
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
];

static PLAIN: LazyLock<Templates> = LazyLock::new(|| Templates::with(&[], &[]));

/// The templates of one site.
#[derive(Clone)]
pub struct Templates(Arc<Inner>);

struct Inner {
    environment: Environment<'static>,
    policy: HeaderValue,
}

impl Templates {
    /// The built-in templates and those in `TEMPLATE_DIRS`.
    pub fn new(settings: &Settings) -> Self {
        let targets = [
            Some(&settings.login_redirect_url),
            settings.logout_redirect_url.as_ref(),
        ];
        let origins: Vec<_> = targets
            .into_iter()
            .flatten()
            .filter_map(|url| origin(url))
            .collect();
        Self::with(&settings.template_dirs, &origins)
    }

    /// The built-in templates alone.
    pub(crate) fn built_in() -> &'static Self {
        &PLAIN
    }

    fn with(folders: &[PathBuf], origins: &[String]) -> Self {
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
        let folders = folders.to_vec();
        environment.set_loader(move |name| load(&folders, name));
        Templates(Arc::new(Inner {
            environment,
            policy: policy(origins),
        }))
    }

    /// A template with its values, as text.
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
        let csrf = Value::from_object(CsrfValues(request.clone()));
        let merged = minijinja::value::merge_maps([context, csrf]);
        Ok(self.response(StatusCode::OK, self.render(name, merged)?))
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
        headers.insert(CONTENT_SECURITY_POLICY, self.0.policy.clone());
        response
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

/// `None` when neither a folder nor the built-in set has the template.
fn load(folders: &[PathBuf], name: &str) -> Result<Option<String>, minijinja::Error> {
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
    let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
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
fn policy(origins: &[String]) -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let mut targets = String::from("'self'");
    for origin in origins {
        targets.push(' ');
        targets.push_str(origin);
    }
    let policy = format!(
        "default-src 'none'; style-src 'self' 'sha256-{hash}'; img-src 'self'; font-src 'self'; \
         form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn origin(url: &str) -> Option<String> {
    let parts = urlsplit(url)
        .ok()
        .filter(|parts| !parts.netloc.is_empty())?;
    let scheme = if parts.scheme.is_empty() {
        "https"
    } else {
        &parts.scheme
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    parts
        .netloc
        .chars()
        .all(plain)
        .then(|| format!("{scheme}://{}", parts.netloc))
}

#[cfg(test)]
mod tests;
