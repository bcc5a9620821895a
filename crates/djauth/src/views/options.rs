//! Options that several views have.

use std::borrow::Cow;

use minijinja::{Value, context};

use super::{Outcome, Page, PageRequest};
use crate::forms::Text;
use crate::http::{Request, escape_leading_slashes, url_has_allowed_host_and_scheme};
use crate::{Error, REDIRECT_FIELD_NAME};

/// Template, title, more values: `TemplateResponseMixin`, `PasswordContextMixin`.
#[derive(Clone, Debug)]
pub(super) struct PageOptions {
    pub(super) template_name: Cow<'static, str>,
    pub(super) title: Text,
    pub(super) extra_context: Value,
}

impl PageOptions {
    pub(super) fn new(template_name: &'static str, title: &'static str) -> Self {
        Self {
            template_name: template_name.into(),
            title: Text::Key(title),
            extra_context: Value::UNDEFINED,
        }
    }

    /// The page with `title` and `subtitle`, and what the application adds.
    pub(super) fn page(&self, request: &Request, values: Value) -> Page {
        self.titled(request, &self.title, values)
    }

    pub(super) fn titled(&self, request: &Request, title: &Text, values: Value) -> Page {
        let title = title.in_language(request.language());
        let values = context! { title, subtitle => (), ..values };
        Page::new(self.template_name.clone(), self.extended(values))
    }

    pub(super) fn extended(&self, values: Value) -> Value {
        if self.extra_context.is_undefined() {
            return values;
        }
        context! { ..self.extra_context.clone(), ..values }
    }
}

/// The builder methods of [`PageOptions`] and of the steps, for one view.
macro_rules! page_options {
    ([U, S] $view:ty) => {
        impl<U: BaseUser, S> $view {
            page_options!();
        }
    };
    ([$($steps:ident)?] $view:ty) => {
        impl$(<$steps>)? $view {
            page_options!();
        }
    };
    () => {
            /// Another template.
            #[must_use]
            pub fn template_name(mut self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.page.template_name = name.into();
                self
            }

            /// Another title.
            #[must_use]
            pub fn title(mut self, title: impl Into<$crate::forms::Text>) -> Self {
                self.page.title = title.into();
                self
            }

            /// More values for the template: `context! { … }`.
            #[must_use]
            pub fn extra_context(mut self, values: minijinja::Value) -> Self {
                self.page.extra_context = values;
                self
            }
    };
}
pub(super) use page_options;

/// Where the user asked to go; mirrors `RedirectURLMixin`.
#[derive(Clone, Debug)]
pub(super) struct RedirectOptions {
    pub(super) next_page: Option<String>,
    pub(super) redirect_field_name: Cow<'static, str>,
    pub(super) success_url_allowed_hosts: Vec<String>,
}

impl Default for RedirectOptions {
    fn default() -> Self {
        Self {
            next_page: None,
            redirect_field_name: REDIRECT_FIELD_NAME.into(),
            success_url_allowed_hosts: Vec::new(),
        }
    }
}

impl RedirectOptions {
    /// Where the page may lead on other sites.
    pub(super) fn targets(&self) -> Vec<String> {
        let hosts = self
            .success_url_allowed_hosts
            .iter()
            .map(|host| format!("//{host}"));
        self.next_page.iter().cloned().chain(hosts).collect()
    }

    /// `next` of the form, or else of the query, when it stays on this site or an allowed one.
    pub(super) fn get_redirect_url(&self, request: &PageRequest) -> Option<String> {
        let name = &*self.redirect_field_name;
        let sent = request.data.get(name);
        let next = sent.or_else(|| request.query.get(name))?;
        let own = request.handle.get_host().ok()?;
        let mut hosts: Vec<&str> = vec![&own];
        let guarded = &request.handle.settings().forward_auth_hosts;
        let allowed = self.success_url_allowed_hosts.iter().chain(guarded);
        hosts.extend(allowed.map(String::as_str));
        let safe = url_has_allowed_host_and_scheme(next, &hosts, request.handle.is_secure());
        safe.then(|| next.to_owned())
    }
}

/// The builder methods of [`RedirectOptions`], for one view.
macro_rules! redirect_options {
    ([$($steps:ident)?] $view:ty) => {
        impl$(<$steps>)? $view {
            /// Where it leads when the visitor asked for no page.
            #[must_use]
            pub fn next_page(mut self, url: impl Into<String>) -> Self {
                self.redirect.next_page = Some(url.into());
                self
            }

            /// Another name than `next` for the page to go to.
            #[must_use]
            pub fn redirect_field_name(mut self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.redirect.redirect_field_name = name.into();
                self
            }

            /// Hosts that the visitor may ask to be led to, besides this one. Forms of every page may
            /// then lead there.
            #[must_use]
            pub fn success_url_allowed_hosts<H: Into<String>>(
                mut self,
                hosts: impl IntoIterator<Item = H>,
            ) -> Self {
                self.redirect.success_url_allowed_hosts = hosts.into_iter().map(Into::into).collect();
                self
            }
        }
    };
}
pub(super) use redirect_options;

/// The name of this site: the host that was asked for, as Django has it without its sites framework.
pub(super) fn get_current_site(request: &Request) -> Result<Value, Error> {
    let host = request.get_host();
    let host = host.map_err(|_| Error::value("the host is not one of ALLOWED_HOSTS"))?;
    Ok(context! { site => context! { domain => &host, name => &host }, site_name => &host })
}

/// The path of a page of [`Auth::urls`](crate::Auth::urls), beside the page that asks for it: `own` is how the path of that
/// one ends. Where it is mounted under another name, the pages are looked for beside `LOGIN_URL`.
pub(super) fn reverse(request: &Request, own: &str, page: &str) -> String {
    let path = request.path();
    let login_url = &request.settings().login_url;
    let folder = folder(&path, own).or_else(|| folder(login_url, "login/"));
    let path = format!("{}{page}", folder.unwrap_or("/accounts/"));
    escape_leading_slashes(&path)
}

fn folder<'a>(path: &'a str, own: &str) -> Option<&'a str> {
    let folder = path.strip_suffix(own)?;
    folder.ends_with('/').then_some(folder)
}

/// [`Outcome::Success`] as a redirect to `url`.
pub(super) fn to(outcome: Outcome, url: impl FnOnce() -> String) -> Outcome {
    match outcome {
        Outcome::Success => Outcome::Redirect(url()),
        other => other,
    }
}
